"""Export series as they stood on a given day: one definition at a time, side by side, by print, and as panels."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from ..errors import DataError, did_you_mean
from ..vocabulary import HOME
from .tables import load
from .trade import partner_names, wide

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Day = str | date | None
UNDER_WAY = ("biohealth_mti93_customs", "hs300214_tentative")
COUNTS = ("biopharma_exports_annual", "biohealth_exports_monthly")  # tables
CHAPTER_30 = ("hs30_customs", "hs30_customs_rounded")
UNREVISED = "unrevised"  # a latest month that its publisher will still revise does not yet tell what a first becomes
# Series of under_way -> the early prints that show how far they are revised; ten-day counts are compared with ten-day
# counts, so that their revision is part of the gap.
UNDER_WAY_PRINTS = {"Monthly bio-health (MTI 93)": "Bio-health (ministry)", "HS 30": "HS 30 (customs)"}


def catalogue() -> "DataFrame":
    """Every way of counting Korea's exports by its key; columns as in the table ``export_series``."""
    return load("export_series").set_index("key")


def classes() -> "DataFrame":
    """The panels of exporters and of partners by their classification; columns as in ``exporter_classes``."""
    return load("exporter_classes").set_index("classification")


def annual(definition: str, *, as_of: Day = None, may_be_empty: bool = False) -> "Series":
    """Yearly exports under one definition, US$ million: PeriodIndex ``Y-DEC``; years nobody published are left out.

    ``as_of`` drops every figure that was not yet out on that day. ``attrs`` hold ``source_ids``. Raises DataError for
    an unknown or monthly definition, a bad date, or, unless it ``may_be_empty``, if nothing was out yet.
    """
    return _series(definition, "annual", as_of, may_be_empty)


def monthly(series: str, *, first: str | None = None, last: str | None = None, as_of: Day = None) -> "Series":
    """Monthly exports between two days' months: as :func:`annual`, with PeriodIndex ``M``; empty if none was out."""
    values = _series(series, "monthly", as_of, True)
    low, high = ((day or "")[:7] or None for day in (first, last))
    return values.loc[low:high] if len(values) else values


def exporters(classification: str, *, as_of: Day = None) -> "DataFrame":
    """Exports by economy under one classification, US$ million: years (PeriodIndex ``Y-DEC``) x ISO3, NaN if not held.

    A missing cell of an HS92 class is censored, not zero. Raises DataError as :func:`annual` does.
    """
    rows = load("pharma_exporters_panel", as_of=as_of)
    rows = out_by(rows[rows["classification"] == classification], as_of, classification)
    return _labelled(wide(rows, "exports_usd_m"), "Y-DEC", rows)


def yearly_counts(keys: Iterable[str] | None = None, *, as_of: Day = None) -> "DataFrame":
    """Every yearly count of Korea's exports, long: definition, label, family, scope, year, exports_usd_m, source_id.

    ``keys`` are yearly definitions or classifications of the exporters' panel (None: all); a key without a figure out
    by ``as_of`` has no row. Raises DataError if nothing at all is left.
    """
    import pandas as pd

    known = catalogue().query("frequency == 'annual'")
    wanted = list(known.index if keys is None else dict.fromkeys(keys))
    if unknown := [key for key in wanted if key not in known.index]:
        raise DataError(f"no yearly count {unknown[0]!r}{did_you_mean(str(unknown[0]), known.index)}")
    panel = load("pharma_exporters_panel", as_of=as_of).rename(columns={"classification": "definition"})
    rows = pd.concat([load("biopharma_exports_annual", as_of=as_of), panel[panel["iso3"] == HOME]], ignore_index=True)
    rows = out_by(rows[rows["definition"].isin(wanted)], as_of, "yearly counts")
    rows = rows.join(known[["label", "family", "scope"]], on="definition")
    rows = rows.assign(at=rows["definition"].map(wanted.index)).sort_values(["at", "year"], ignore_index=True)
    return rows[["definition", "label", "family", "scope", "year", "exports_usd_m", "source_id"]]


def prints(*, as_of: Day = None) -> "DataFrame":
    """Every print of a monthly count: count, label, first_month, last_month (Period), print, exports_usd_m,
    available_from and source_id, in the order of publication; ten-day counts are the one print of their month."""
    import pandas as pd

    early = catalogue().query("print_label != ''")["print_label"]
    ten_day = load("biohealth_exports_monthly").query("series in @early.index").rename(columns={"series": "count"})
    ten_day = ten_day.assign(first_month=ten_day["month"], last_month=ten_day["month"], print=1)
    columns = ["count", "first_month", "last_month", "print", "exports_usd_m", "available_from", "source_id"]
    rows = out_by(pd.concat([load("biohealth_export_prints"), ten_day])[columns], as_of, "prints", may_be_empty=True)
    return rows.assign(label=rows["count"].map(early)).sort_values(columns[:4], ignore_index=True)


def latest_counts(*, as_of: Day = None) -> "dict[str, Series]":
    """The monthly series that early prints are held against, US$ million by month, without months still UNREVISED;
    empty where none was out. Counts whose latest value is a later print of their own have no entry."""
    pending = load("biohealth_exports_monthly").query("status == @UNREVISED").groupby("series")["month"].apply(list)
    final = catalogue().query("final_series != ''")["final_series"]
    found = {count: monthly(series, as_of=as_of) for count, series in final.items()}
    return {count: values[~values.index.isin(pending.get(values.name, []))] for count, values in found.items()}


def under_way(*, as_of: Day = None) -> dict[str, "Series"]:
    """The monthly series from which the year under way is nowcast, US$ million by month, by label.

    One a product: with devices, HS chapter 30, and HS 3002.14. The rounded months of chapter 30 stand only where
    customs' final count of the same chapter is not held. A series of which nothing was out by ``as_of`` is left out.
    """
    known = catalogue()["label"]
    found = {str(known[key]): monthly(key, as_of=as_of) for key in UNDER_WAY}
    final, rounded = (monthly(key, as_of=as_of) for key in CHAPTER_30)
    found["HS 30"] = final.combine_first(rounded)
    found["HS 30"].attrs = {"source_ids": tuple(sorted({*final.attrs["source_ids"], *rounded.attrs["source_ids"]}))}
    return {label: values for label, values in found.items() if len(values)}


def context(measure: str, *, as_of: Day = None) -> "DataFrame":
    """One measure of the table ``export_context``: iso3, year, exports_usd_m, source_id; empty if nothing is out."""
    return out_by(load("export_context").query("measure == @measure"), as_of, measure, may_be_empty=True)


def said_by(table: str, *, as_of: Day = None) -> "DataFrame":
    """The rows of a table of statements whose source was published by ``as_of``."""
    rows = load(table)
    if as_of is None:
        return rows
    published = rows["source_id"].map(load("sources").set_index("source_id")["published"]).str[:10]
    return rows[[text <= _day(as_of).isoformat()[: len(text)] for text in published]]


def official_forecasts(*, as_of: Day = None) -> "DataFrame":
    """Official forecasts and targets of medicines' exports, with what came where it is known, oldest first.

    Also name, said (month), came (US$ million, of KHIDI's present count; NaN where none is out or nothing is
    comparable) and miss_pct, the forecast against it.
    """
    names = {"pharma": "All pharmaceuticals (KHIDI)", "motie_bioeconomy": "Whole bio-economy (trade ministry)"}
    names |= {"gov_biopharma_headline": "Biopharma (strategy)"}
    rows = said_by("health_export_forecasts", as_of=as_of).query("item in @names and kind != 'estimate'")
    rows = rows.sort_values(["vintage", "target_year"])
    counted = annual("khidi_pharma_current", as_of=as_of, may_be_empty=True)
    came = rows["target_year"].map(counted.set_axis(counted.index.year)).where(rows["item"] == "pharma").astype(float)
    said, miss_pct = rows["vintage"].astype(str).str[:7], 100 * (rows["exports_usd_m"] / came - 1)
    return rows.assign(name=rows["item"].map(names), said=said, came=came, miss_pct=miss_pct)


def destinations(*, as_of: Day = None) -> "DataFrame":
    """The largest destinations of Korea's exports of HS 30: name, exports_usd_m, share_pct, year, source_id."""
    rows = context("korea_hs30_jan_nov", as_of=as_of).set_index("iso3")
    share_pct = 100 * rows["exports_usd_m"] / rows["exports_usd_m"].get("WLD", 1.0)
    rows = rows.assign(name=partner_names().reindex(rows.index), share_pct=share_pct).drop("WLD", errors="ignore")
    return rows.sort_values("exports_usd_m", ascending=False)


def _series(key: str, frequency: str, as_of: Day, may_be_empty: bool) -> "Series":
    known = catalogue()[lambda d: d.held_in.isin(COUNTS) & (d.frequency == frequency)]
    if key not in known.index:
        hint = did_you_mean(str(key), known.index) or f"; known: {', '.join(known.index)}"
        raise DataError(f"no {frequency} definition {key!r}{hint}")
    column, period, freq = ("definition", "year", "Y-DEC") if frequency == "annual" else ("series", "month", "M")
    rows = load(known.at[key, "held_in"], as_of=as_of)
    rows = out_by(rows[rows[column] == key], as_of, key, may_be_empty=may_be_empty).sort_values(period)
    return _labelled(rows.set_index(period)["exports_usd_m"].rename(key), freq, rows)


def out_by(rows: "DataFrame", as_of: Day, what: str, *, may_be_empty: bool = False) -> "DataFrame":
    """The rows whose ``available_from`` is not after ``as_of`` (all for None); ``what`` names them in an error.

    Raises DataError for a bad date or, unless it ``may_be_empty``, if no row is left.
    """
    if rows.empty:
        raise DataError(f"{what}: the tables hold no figure of it")
    if as_of is None:
        return rows
    import pandas as pd

    out = rows[rows["available_from"] <= pd.Timestamp(_day(as_of))]
    if out.empty and not may_be_empty:
        first = f"the first figure came on {rows['available_from'].min().date()}"
        raise DataError(f"{what}: nothing was out by {_day(as_of)}; {first}: use a later as_of")
    return out


def _day(as_of: str | date) -> date:
    try:
        return date.fromisoformat(str(as_of)[:10])
    except ValueError:
        raise DataError(f"as_of={as_of!r} is not a date; write it as 2025-12-31") from None


def _labelled(values: Any, freq: str, rows: "DataFrame") -> Any:
    import pandas as pd

    values.index = pd.PeriodIndex(values.index.astype(str), freq=freq, name="month" if freq == "M" else "year")
    values.attrs = {"source_ids": tuple(sorted(set(rows["source_id"])))}
    return values
