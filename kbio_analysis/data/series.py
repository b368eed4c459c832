"""Views of the tables that analyses ask for: one definition at a time, as it stood on a given day."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ..errors import DataError
from ..vocabulary import CLASSIFICATIONS, SERIES
from .tables import load

if TYPE_CHECKING:
    from pandas import DataFrame, Series

UNIT = "US$ million"


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
    _known(classification, CLASSIFICATIONS, "classification")
    rows = load("pharma_exporters_panel")
    rows = out_by(rows[rows["classification"] == classification], as_of, classification)
    return _wide(rows, classification)


def partner_exports(*, as_of: str | date | None = None, without: Collection[str] = ()) -> "DataFrame":
    """Korea's exports to each partner, US$ million: years (PeriodIndex ``Y-DEC``) x ISO3 of the partner.

    Cells that carry a flag named in ``without`` (``ships``, ``former_code``, ``larger_state``, ``from_imf_dots``)
    are left out. Raises DataError for a flag no row carries, a bad date, or if nothing was out yet.
    """
    rows = load("korea_exports_by_partner")
    flags = rows["flag"].str.split(";")
    for flag in without:
        _known(flag, sorted({f for cell in flags for f in cell if f}), "flag")
    keep = ~flags.map(lambda cell: bool(set(cell) & set(without)))
    return _wide(out_by(rows[keep], as_of, "Korea's exports by partner"), "korea_exports_by_partner")


def sources(source_ids: Iterable[str]) -> "DataFrame":
    """The rows of ``sources`` for the given ids, in the order given, each once. Raises DataError for an unknown id."""
    table = load("sources").set_index("source_id")
    wanted = list(dict.fromkeys(source_ids))
    for source_id in wanted:
        _known(source_id, table.index, "source_id")
    return table.loc[wanted].reset_index()


def _series(key: str, frequency: str, as_of: str | date | None) -> "Series":
    import pandas as pd

    same = [name for name, series in SERIES.items() if series.frequency == frequency]
    if key in SERIES and key not in same:
        other = SERIES[key].frequency
        raise DataError(f"{key} is {other}, not {frequency}: read it with kbio_analysis.data.{other}()")
    _known(key, same, f"{frequency} definition")
    column, period, freq = ("definition", "year", "Y-DEC") if frequency == "annual" else ("series", "month", "M")
    rows = load(SERIES[key].table)
    rows = out_by(rows[rows[column] == key], as_of, key).sort_values(period)
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
        raise DataError(
            f"{what}: nothing was out by {_day(as_of)}; the first figure came on {first}: use a later as_of"
        )
    return out


def _day(as_of: str | date) -> date:
    if isinstance(as_of, datetime):
        return as_of.date()
    if isinstance(as_of, date):
        return as_of
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

    return pd.PeriodIndex(
        [pd.Period(str(value), freq=freq) for value in values], name="month" if freq == "M" else "year"
    )


def _known(name: object, names: Iterable[str], kind: str) -> None:
    names = list(names)
    if name in names:
        return
    near = get_close_matches(str(name), names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names[:20])}"
    raise DataError(f"no {kind} {name!r}; {hint}")
