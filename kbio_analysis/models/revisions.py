"""How far first counts move: each early print against the latest count of the same months, and what that implies.

The relative changes of past first counts are taken as exchangeable with those still to come, so that their order
statistics bound a month that has a first count only (conformal prediction; Vovk, Gammerman & Shafer 2005, ch. 2).
With m pairs the widest such interval covers 100 (m - 1)/(m + 1) per cent and no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.models.checks import checked_level, typed

MOVED_PCT = 1.0
"""A count has moved if its latest figure differs from the first by at least this, per cent."""

FEWEST_PAIRS = 3
"""Fewest pairs from which anything is said of months to come."""

COLUMNS = ["count", "label", "first_month", "last_month", "first_usd_m", "latest_usd_m", "revision_pct", "delay_days"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisions:
    """First counts and what became of them.

    ``pairs``: one row a pair, columns COLUMNS (values US$ million, ``revision_pct`` = 100 (latest/first - 1),
    ``delay_days`` from the end of the last month to the print). ``by_count``: index label, columns n, n_moved,
    median_pct, low_pct, high_pct, total_pct (all latest over all first). ``n_late``: counts whose earliest print
    came too late to be called a first one. ``pending``: first counts of months after the last that has a later one,
    columns as ``pairs`` without the last three.
    """

    pairs: pd.DataFrame
    by_count: pd.DataFrame
    n_late: int
    pending: pd.DataFrame

    def of(self, count: str) -> pd.DataFrame:
        """The pairs of one count."""
        return self.pairs[self.pairs["count"] == count]


@typed
def compare(prints: pd.DataFrame, latest: Mapping[str, pd.Series], *, max_delay_days: int) -> Revisions:
    """Hold the first print of every period against the latest count of it.

    ``prints`` has the columns count, label, first_month, last_month (Period), exports_usd_m and available_from, in
    the order of publication; ``latest`` maps a count to its monthly series. A count without a series is held against
    its own last print. Periods of several months are compared with the sum of theirs, and only if all are there.
    """
    rows, pending, late = [], [], 0
    for (count, first_month, last_month), group in prints.groupby(["count", "first_month", "last_month"], sort=True):
        first = group.iloc[0]
        delay = (first["available_from"] - last_month.end_time.normalize()).days
        if delay > max_delay_days:
            late += 1
            continue
        if count in latest:
            value = latest[count].reindex(pd.period_range(first_month, last_month, freq="M")).sum(skipna=False)
        else:
            value = group["exports_usd_m"].iloc[-1] if len(group) > 1 else np.nan
        key = (count, first["label"], first_month, last_month, first["exports_usd_m"])
        if pd.notna(value):
            rows.append((*key, value, 100 * (value / first["exports_usd_m"] - 1), delay))
        elif count in latest and (latest[count].empty or last_month > latest[count].index[-1]):
            pending.append(key)
    pairs, waiting = pd.DataFrame(rows, columns=COLUMNS), pd.DataFrame(pending, columns=COLUMNS[:5])
    groups = pairs.assign(moved=pairs["revision_pct"].abs() >= MOVED_PCT).groupby("label", sort=False)
    change, total = groups["revision_pct"], groups[["first_usd_m", "latest_usd_m"]].sum()
    columns = {"n": groups.size(), "n_moved": groups["moved"].sum(), "median_pct": change.median()}
    columns |= {"low_pct": change.min(), "high_pct": change.max()}
    by_count = pd.DataFrame(columns).assign(total_pct=100 * (total["latest_usd_m"] / total["first_usd_m"] - 1))
    return Revisions(pairs=pairs, by_count=by_count, n_late=late, pending=waiting)


def measured(revisions: Revisions, counts: Mapping[str, str]) -> dict[str, float]:
    """How far all months together moved, log points without sign, by series; ``counts``: series -> kind of print."""
    total = revisions.by_count["total_pct"]
    return {series: abs(float(np.log1p(total.get(count, 0.0) / 100))) for series, count in counts.items()}


@typed
def pending_months(revisions: Revisions, count: str, *, level: float) -> tuple[pd.Series, pd.DataFrame]:
    """Intervals that past revisions give the months of ``count`` that have a first count only.

    Named n (pairs), low_pct and high_pct (the revisions used), coverage_pct what they cover, attainable (whether n is
    enough for the level asked for). And the months: index Period, columns first_usd_m, low_usd_m, high_usd_m. Both are
    empty with fewer than FEWEST_PAIRS pairs. Raises ModelInputError for a level outside (1, 100).
    """
    level = checked_level(level)
    pairs = revisions.of(count)
    n = len(pairs)
    if n < FEWEST_PAIRS:
        return pd.Series(dtype=object), pd.DataFrame()
    ratio = np.sort((pairs["latest_usd_m"] / pairs["first_usd_m"]).to_numpy())
    low_rank, high_rank, attainable = _limits(n, level)
    low, high = float(ratio[low_rank - 1]), float(ratio[high_rank - 1])
    waiting = revisions.pending[revisions.pending["count"] == count]
    first = waiting["first_usd_m"].to_numpy(dtype=float)
    index = pd.PeriodIndex(list(waiting["last_month"]), freq="M", name="month")
    months = pd.DataFrame({"first_usd_m": first, "low_usd_m": low * first, "high_usd_m": high * first}, index=index)
    found = {"n": n, "low_pct": 100 * (low - 1), "high_pct": 100 * (high - 1), "attainable": attainable}
    return pd.Series(found | {"coverage_pct": 100 * (high_rank - low_rank) / (n + 1)}, dtype=object), months


def _limits(m: int, level: float) -> tuple[int, int, bool]:
    """Ranks (1-based) of the interval's ends among ``m`` values, and whether ``level`` is attainable at all."""
    alpha = 1 - level / 100
    # The small shift keeps (m+1) alpha/2 = 1 from falling to 0 by rounding, as at m = 39 and 95 %.
    low = int(np.floor((m + 1) * alpha / 2 + 1e-9))
    high = int(np.ceil((m + 1) * (1 - alpha / 2) - 1e-9))
    return max(low, 1), min(high, m), low >= 1
