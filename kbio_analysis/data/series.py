"""Export series as they stood on a given day: one definition at a time, side by side, by print, and as panels."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from ..errors import DataError, did_you_mean
from ..vocabulary import BIOPHARMA_CLASSIFICATION, HOME
from .tables import load
from .trade import partner_names

if TYPE_CHECKING:
    from pandas import DataFrame, Series

UNIT = "US$ million"

UNDER_WAY = ("biohealth_mti93_customs", "hs300214_tentative")
UNDER_WAY_PRINTS = {"Monthly bio-health (MTI 93)": "Bio-health (ministry)", "HS 30": "HS 30 (customs)"}
"""Series of :func:`under_way` -> the early prints that show how far they are revised; ten-day counts are compared with
ten-day counts, so that their revision is part of the gap."""

CHAPTER_30 = ("hs30_customs", "hs30_customs_rounded")

UNREVISED = "unrevised"
"""Status of a latest month that its publisher will still revise: it does not yet tell what a first count becomes."""


def catalogue() -> "DataFrame":
    """Every way of counting Korea's exports by its key; columns as in the table ``export_series``."""
    return load("export_series").set_index("key")


def classes() -> "DataFrame":
    """The panels of exporters and of partners by their classification; columns as in ``exporter_classes``."""
    return load("exporter_classes").set_index("classification")


def annual(definition: str, *, as_of: str | date | None = None) -> "Series":
    """Yearly exports under one definition, US$ million: float64, PeriodIndex ``Y-DEC``, name = definition.

    ``as_of`` drops every figure that was not yet out on that day. Years nobody published are left out, never filled.
    ``attrs`` hold ``definition``, ``unit`` and ``source_ids``. Raises DataError for an unknown or monthly definition,
    a bad date, or if nothing was out yet.
    """
    return _series(definition, "annual", as_of)


def monthly(series: str, *, as_of: str | date | None = None) -> "Series":
    """Monthly exports under one definition, US$ million: as :func:`annual`, with PeriodIndex ``M``."""
    return _series(series, "monthly", as_of)


def exporters(classification: str, *, as_of: str | date | None = None) -> "DataFrame":
    """Exports by economy under one classification, US$ million: years (PeriodIndex ``Y-DEC``) x ISO3, NaN if not held.

    A missing cell of an HS92 class is censored, not zero. Raises DataError as :func:`annual` does.
    """
    _known(classification, classes().query("held_in == 'pharma_exporters_panel'").index, "classification")
    rows = load("pharma_exporters_panel", as_of=as_of)
    rows = out_by(rows[rows["classification"] == classification], as_of, classification)
    return _wide(rows, classification)


def definitions(family: str, *, as_of: str | date | None = None) -> "DataFrame":
    """Every yearly definition of one family, long: definition, label, year, exports_usd_m, status, source_id.

    ``family`` as in the table ``export_series``; rows not out by ``as_of`` are left out.
    """
    known = catalogue()
    rows = load("biopharma_exports_annual", as_of=as_of)
    rows = out_by(rows[rows["definition"].map(known["family"]) == family], as_of, f"{family} definitions")
    rows = rows.assign(label=rows["definition"].map(known["label"]))
    columns = ["definition", "label", "year", "exports_usd_m", "status", "source_id"]
    return rows[columns].sort_values(["definition", "year"], ignore_index=True)


def yearly_counts(keys: Iterable[str] | None = None, *, as_of: str | date | None = None) -> "DataFrame":
    """Every yearly count of Korea's exports, long: definition, label, family, scope, year, exports_usd_m, source_id.

    ``keys`` are yearly definitions or classifications of the exporters' panel (None: all); a key without a figure out
    by ``as_of`` has no row. Raises DataError if nothing at all is left.
    """
    import pandas as pd

    known = catalogue().query("frequency == 'annual'")
    wanted = list(known.index if keys is None else dict.fromkeys(keys))
    for key in wanted:
        _known(key, known.index, "yearly count")
    panel = load("pharma_exporters_panel", as_of=as_of).rename(columns={"classification": "definition"})
    rows = pd.concat([load("biopharma_exports_annual", as_of=as_of), panel[panel["iso3"] == HOME]], ignore_index=True)
    rows = out_by(rows[rows["definition"].isin(wanted)], as_of, "yearly counts")
    rows = rows.assign(**{column: rows["definition"].map(known[column]) for column in ("label", "family", "scope")})
    columns = ["definition", "label", "family", "scope", "year", "exports_usd_m", "source_id"]
    order = rows["definition"].map(wanted.index)
    return rows.assign(order=order).sort_values(["order", "year"], ignore_index=True)[columns]


def prints(*, as_of: str | date | None = None) -> "DataFrame":
    """Every print of a monthly count: count, label, first_month, last_month (Period), exports_usd_m, available_from.

    Also ``source_id``. The ten-day counts stand among them as the one print of their month. Rows are in the order
    of publication within a count and period; no row may be left.
    """
    import pandas as pd

    table = load("biohealth_export_prints")
    months = load("biohealth_exports_monthly")
    early = catalogue().query("print_label != ''")
    ten_day = months[months["series"].isin(early.index)].rename(columns={"series": "count"})
    ten_day = ten_day.assign(first_month=ten_day["month"], last_month=ten_day["month"], print=1)
    columns = ["count", "first_month", "last_month", "print", "exports_usd_m", "available_from", "source_id"]
    rows = pd.concat([table[columns], ten_day[columns]], ignore_index=True)
    if as_of is not None:
        rows = rows[rows["available_from"] <= pd.Timestamp(as_of)]
    rows = rows.assign(label=rows["count"].map(early["print_label"]))
    return rows.sort_values(["count", "first_month", "last_month", "print"], ignore_index=True)


def latest_counts(*, as_of: str | date | None = None) -> "dict[str, Series]":
    """The monthly series that early prints are held against, US$ million by month; empty where none was out.

    Months whose publisher calls them unrevised are left out. Counts whose latest value is a later print of their own
    have no entry.
    """
    table = load("biohealth_exports_monthly")
    open_months = table[table["status"] == UNREVISED].groupby("series")["month"].apply(set).to_dict()
    found = {}
    for count, series in catalogue().query("final_series != ''")["final_series"].items():
        values = known_months(series, as_of=as_of)
        found[str(count)] = values[[m not in open_months.get(series, ()) for m in values.index]]
    return found


def known_months(
    series: str, *, first: str | None = None, last: str | None = None, as_of: str | date | None = None
) -> "Series":
    """As :func:`monthly` between two days' months; empty if none was out by ``as_of``."""
    values = _series(series, "monthly", as_of, may_be_empty=True)
    low, high = ((day or "")[:7] or None for day in (first, last))
    return values.loc[low:high] if len(values) else values


def known_years(definition: str, *, as_of: str | date | None = None) -> "Series":
    """As :func:`annual`; empty if none was out by ``as_of``."""
    return _series(definition, "annual", as_of, may_be_empty=True)


def under_way(*, as_of: str | date | None = None) -> dict[str, "Series"]:
    """The monthly series from which the year under way is nowcast, US$ million by month, by label.

    One a product: with devices, HS chapter 30, and HS 3002.14. The rounded months of chapter 30 stand only where
    customs' final count of the same chapter is not held. A series of which nothing was out by ``as_of`` is left out.
    """
    known = catalogue().label
    found = {str(known[key]): known_months(key, as_of=as_of) for key in UNDER_WAY}
    final, rounded = (known_months(key, as_of=as_of) for key in CHAPTER_30)
    chapter = final.combine_first(rounded)
    behind = {source for part in (final, rounded) if len(part) for source in part.attrs["source_ids"]}
    chapter.attrs = {"source_ids": tuple(sorted(behind))}
    found["HS 30"] = chapter
    return {label: values for label, values in found.items() if len(values)}


def for_forecast(definition: str, *, as_of: str | date | None = None) -> "tuple[Series, dict[str, Series], DataFrame]":
    """What a forecast reads: the definition's years, the months :func:`under_way`, the exporters of HS 3002."""
    years, months = annual(definition, as_of=as_of), under_way(as_of=as_of)
    return years, months, exporters(BIOPHARMA_CLASSIFICATION, as_of=as_of)


def context(measure: str, *, as_of: str | date | None = None) -> "DataFrame":
    """One measure of the table ``export_context``: iso3, year, exports_usd_m, source_id; empty if nothing is out."""
    rows = load("export_context")
    _known(measure, sorted(set(rows["measure"])), "measure")
    return out_by(rows[rows["measure"] == measure], as_of, measure, may_be_empty=True)


def said_by(table: str, *, as_of: str | date | None = None) -> "DataFrame":
    """The rows of a table of statements whose source was published by ``as_of``."""
    rows = load(table)
    if as_of is None:
        return rows
    published = rows["source_id"].map(load("sources").set_index("source_id")["published"]).astype(str)
    return rows[[text[:10] <= _day(as_of).isoformat()[: len(text[:10])] for text in published]]


def official_forecasts(*, as_of: str | date | None = None) -> "DataFrame":
    """Official forecasts and targets of medicines' exports, with what came where it is known, oldest first.

    Columns as in the table ``health_export_forecasts``, and name, said (month), came (US$ million, of KHIDI's present
    count; NaN where none is out or nothing is comparable) and miss_pct, the forecast against it.
    """
    names = {"pharma": "All pharmaceuticals (KHIDI)", "motie_biopharma": "Biopharma (trade ministry)"}
    names |= {"gov_biopharma_headline": "Biopharma (strategy)"}
    rows = said_by("health_export_forecasts", as_of=as_of)
    rows = rows[rows["item"].isin(names) & (rows["kind"] != "estimate")].sort_values(["vintage", "target_year"])
    counted = out_by(load("biopharma_exports_annual"), as_of, "yearly counts")
    counted = counted[counted["definition"] == "khidi_pharma_current"].set_index("year")["exports_usd_m"]
    came = rows["target_year"].map(counted).where(rows["item"] == "pharma").astype(float)
    columns = {"name": rows["item"].map(names), "said": rows["vintage"].astype(str).str[:7], "came": came}
    return rows.assign(**columns, miss_pct=100 * (rows["exports_usd_m"] / came - 1))


def destinations(*, as_of: str | date | None = None) -> "DataFrame":
    """The largest destinations of Korea's exports of HS 30: name, exports_usd_m, share_pct, year, source_id."""
    rows = context("korea_hs30_jan_nov", as_of=as_of).set_index("iso3")
    total = rows["exports_usd_m"].get("WLD", 1.0)
    rows = rows.assign(name=partner_names().reindex(rows.index), share_pct=100 * rows["exports_usd_m"] / total)
    return rows.drop("WLD", errors="ignore").sort_values("exports_usd_m", ascending=False)


def _series(key: str, frequency: str, as_of: str | date | None, *, may_be_empty: bool = False) -> "Series":
    import pandas as pd

    known = catalogue().query("held_in in ('biopharma_exports_annual', 'biohealth_exports_monthly')")
    same = known.index[known["frequency"] == frequency]
    if key in known.index and key not in same:
        other = known.at[key, "frequency"]
        raise DataError(f"{key} is {other}, not {frequency}: read it with kbio_analysis.data.{other}()")
    _known(key, same, f"{frequency} definition")
    column, period, freq = ("definition", "year", "Y-DEC") if frequency == "annual" else ("series", "month", "M")
    rows = load(known.at[key, "held_in"], as_of=as_of)
    rows = out_by(rows[rows[column] == key], as_of, key, may_be_empty=may_be_empty).sort_values(period)
    result = pd.Series(rows["exports_usd_m"].to_numpy(), index=_periods(rows[period], freq), name=key, dtype="float64")
    result.attrs = {"definition": key, "unit": UNIT, "source_ids": tuple(sorted(set(rows["source_id"])))}
    return result


def out_by(rows: "DataFrame", as_of: str | date | None, what: str, *, may_be_empty: bool = False) -> "DataFrame":
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
        first = rows["available_from"].min().date()
        said = f"nothing was out by {_day(as_of)}; the first figure came on {first}"
        raise DataError(f"{what}: {said}: use a later as_of")
    return out


def _day(as_of: str | date) -> date:
    if isinstance(as_of, date):
        return as_of.date() if isinstance(as_of, datetime) else as_of
    try:
        return date.fromisoformat(as_of)
    except (TypeError, ValueError):
        raise DataError(f"as_of={as_of!r} is not a date; write it as 2025-12-31") from None


def _wide(rows: "DataFrame", name: str) -> "DataFrame":
    wide = rows.pivot(index="year", columns="iso3", values="exports_usd_m").sort_index()
    wide.index = _periods(wide.index, "Y-DEC")
    wide.columns.name = "iso3"
    wide.attrs = {"definition": name, "unit": UNIT, "source_ids": tuple(sorted(set(rows["source_id"])))}
    return wide


def _periods(values: "Iterable[object]", freq: str) -> object:
    import pandas as pd

    name = "month" if freq == "M" else "year"
    return pd.PeriodIndex([str(value) for value in values], freq=freq, name=name)


def _known(name: object, names: Iterable[str], kind: str) -> None:
    if name in (names := list(names)):
        return
    hint = did_you_mean(str(name), names) or f"; known: {', '.join(names[:20])}"
    raise DataError(f"no {kind} {name!r}{hint}")
