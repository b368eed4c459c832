"""What the export record reads: every yearly count of Korea's exports, and the monthly counts by print."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from ..errors import DataError
from ..vocabulary import FIRST_COUNTS, HOME, PANEL_SERIES, SERIES
from .series import monthly, out_by
from .tables import load

if TYPE_CHECKING:
    from pandas import DataFrame, Series

UNREVISED = "unrevised"
"""Status of a latest month that its publisher will still revise: no witness of what a first count becomes."""


def yearly_counts(keys: Iterable[str] | None = None, *, as_of: str | date | None = None) -> "DataFrame":
    """Every yearly count of Korea's exports, long: definition, label, family, scope, year, exports_usd_m, source_id.

    ``keys`` are yearly definitions or classifications of the exporters' panel (None: all); a key without a figure out
    by ``as_of`` has no row. Raises DataError if nothing at all is left.
    """
    import pandas as pd

    known = {k: s for k, s in SERIES.items() if s.frequency == "annual"} | PANEL_SERIES
    wanted = list(known if keys is None else dict.fromkeys(keys))
    unknown = [key for key in wanted if key not in known]
    if unknown:
        raise DataError(f"no yearly count {unknown[0]!r}; known: {', '.join(known)}")
    panel = load("pharma_exporters_panel").rename(columns={"classification": "definition"})
    rows = pd.concat([load("biopharma_exports_annual"), panel[panel["iso3"] == HOME]], ignore_index=True)
    rows = out_by(rows[rows["definition"].isin(wanted)], as_of, "yearly counts")
    for column in ("label", "family", "scope"):
        rows = rows.assign(**{column: rows["definition"].map({k: getattr(known[k], column) for k in wanted})})
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
    ten_day = months[months["series"].isin(list(FIRST_COUNTS))].rename(columns={"series": "count"})
    ten_day = ten_day.assign(first_month=ten_day["month"], last_month=ten_day["month"], print=1)
    columns = ["count", "first_month", "last_month", "print", "exports_usd_m", "available_from", "source_id"]
    rows = pd.concat([table[columns], ten_day[columns]], ignore_index=True)
    if as_of is not None:
        rows = rows[rows["available_from"] <= pd.Timestamp(as_of)]
    rows = rows.assign(label=rows["count"].map({key: label for key, (label, _) in FIRST_COUNTS.items()}))
    return rows.sort_values(["count", "first_month", "last_month", "print"], ignore_index=True)


def latest_counts(*, as_of: str | date | None = None) -> "dict[str, Series]":
    """The monthly series that early prints are held against, US$ million by month; empty where none was out.

    Months whose publisher calls them unrevised are left out. Counts whose latest value is a later print of their own
    have no entry.
    """
    table = load("biohealth_exports_monthly")
    open_months = table[table["status"] == UNREVISED].groupby("series")["month"].apply(set).to_dict()
    found = {}
    for count, (_, series) in FIRST_COUNTS.items():
        if series is not None:
            values = known_months(series, as_of=as_of)
            found[count] = values[[m not in open_months.get(series, ()) for m in values.index]]
    return found


def known_months(
    series: str, *, first: str | None = None, last: str | None = None, as_of: str | date | None = None
) -> "Series":
    """As :func:`~kbio_analysis.data.series.monthly` between two days' months; empty if none was out by ``as_of``."""
    import pandas as pd

    try:
        values = monthly(series, as_of=as_of)
    except DataError:
        monthly(series)  # an unknown series is refused all the same
        values = monthly(series).iloc[:0]
    low = pd.Period(first, "M") if first else values.index.min()
    high = pd.Period(last, "M") if last else values.index.max()
    return values[(values.index >= low) & (values.index <= high)] if len(values) else values
