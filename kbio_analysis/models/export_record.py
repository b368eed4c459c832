"""Arithmetic of a record with many definitions: a break, sums of codes, a year to date and whole ones."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import typed, years_index
from kbio_analysis.models.growth import value_at

MAX_CODES = 16
"""Most codes of which every sum is formed."""

LEVEL_PCT = 1.0
"""Within this of the path exports are called level with it, per cent."""

LUCK_WINDOW = 10
"""Sums are also counted within this many times the tolerance, to say how crowded the place is."""


def classification_break(
    counts: pd.DataFrame, *, old: str, restated: str, new: str, year: int
) -> dict[str, float | None] | None:
    """The break between ``year`` - 1 in the definition ``old`` and ``year`` in ``new``; None if either is missing.

    ``apparent_pct`` compares the two as printed; ``like_for_like_pct`` the first year restated on the new
    classification, and ``moved_out_usd_m`` is old less restated in the first year: None without a restatement.
    """
    value = counts.set_index(["definition", "year"])["exports_usd_m"]
    before, after, middle = value.get((old, year - 1)), value.get((new, year)), value.get((restated, year - 1))
    if before is None or after is None:
        return None
    found = {"apparent_pct": float(100 * (after / before - 1)), "like_for_like_pct": None, "moved_out_usd_m": None}
    if middle is not None:
        found |= {"like_for_like_pct": float(100 * (after / middle - 1)), "moved_out_usd_m": float(before - middle)}
    return found


@typed
def code_match(
    counts: pd.DataFrame, parts: Sequence[str], whole: str, *, year: int, tolerance_usd_m: float
) -> pd.DataFrame | None:
    """Every sum of one or more definitions ``parts`` of a year within ``tolerance_usd_m`` of the figure ``whole``.

    One row a sum, nearest first: codes (tuple of labels), sum_usd_m, gap_usd_m. ``attrs``: n_sums tried, n_near of them
    within LUCK_WINDOW times the tolerance, and the nearest (codes, sum), match or not. ``counts`` has the columns
    definition, label, year and exports_usd_m; None if the figure or all parts are missing. Raises ModelInputError for
    more than MAX_CODES parts or a tolerance that is not positive.
    """
    own = counts[counts["year"] == year].set_index("definition")
    held = own.loc[[p for p in parts if p in own.index]]
    if held.empty or whole not in own.index:
        return None
    if len(held) > MAX_CODES:
        raise ModelInputError(f"{len(held)} codes: give 1 to {MAX_CODES}")
    if not tolerance_usd_m > 0:
        raise ModelInputError(f"tolerance = {tolerance_usd_m}: give half of the last printed digit, above zero")
    labels, values = list(held["label"]), held["exports_usd_m"].to_numpy(dtype=float)
    figure = float(own.loc[whole, "exports_usd_m"])
    chosen = [c for k in range(1, len(labels) + 1) for c in combinations(range(len(labels)), k)]
    gaps = np.array([values[list(c)].sum() for c in chosen]) - figure
    within = int((np.abs(gaps) <= tolerance_usd_m).sum())
    order = np.argsort(np.abs(gaps), kind="stable")[: max(within, 1)]
    rows = [(tuple(labels[i] for i in chosen[j]), gaps[j] + figure, gaps[j]) for j in order]
    found = pd.DataFrame(rows[:within], columns=["codes", "sum_usd_m", "gap_usd_m"])
    found.attrs |= {"n_sums": len(chosen), "n_near": int((np.abs(gaps) <= LUCK_WINDOW * tolerance_usd_m).sum())}
    found.attrs["nearest"] = (rows[0][0], float(rows[0][1]))
    return found


def year_to_date(y: pd.Series, *, base_year: int, growth_pct: float) -> tuple[pd.Series, pd.DataFrame]:
    """The last year of a monthly series against its base year grown at ``growth_pct`` a year, same months compared.

    Named year, n_months (its months so far), to_date (their sum), year_before (NaN if not held) and base, the same
    months of the year before and of the base year, path, the base grown at the rate (US$ million), and ahead_pct =
    100 (to_date/path - 1). And sums from January: month 1..12 x (a column a year, and ``path``). Both are empty if the
    series is, lacks January of its last year or a month of the base year, or ends in the base year.
    """
    y = years_index(y, "y")
    by_month = pd.Series(y.to_numpy(dtype=float), index=pd.MultiIndex.from_arrays([y.index.year, y.index.month]))
    wide = by_month.unstack(level=0).reindex(range(1, 13)) if len(y) else pd.DataFrame()
    year = int(wide.columns[-1]) if len(wide.columns) else base_year
    if year <= base_year or base_year not in wide or wide[base_year].isna().any() or pd.isna(wide.loc[1, year]):
        return pd.Series(dtype=object), pd.DataFrame()
    n = int(wide[year].notna().sum())
    sums = wide.cumsum(skipna=False).rename_axis("month")
    sums["path"] = sums[base_year] * value_at(1.0, growth_pct, year - base_year)
    names = {"to_date": year, "year_before": year - 1, "base": base_year, "path": "path"}
    found = {"year": year, "n_months": n} | {name: sums.get(column, {}).get(n) for name, column in names.items()}
    return pd.Series(found | {"ahead_pct": 100 * (found["to_date"] / found["path"] - 1)}, dtype=object), sums


@typed
def full_years(counts: pd.DataFrame, *, base_year: int, growth_pct: float) -> pd.DataFrame:
    """Each definition's last year after the base year against its own base grown at ``growth_pct`` a year.

    Columns label, year, usd_m, path (US$ million), ahead_pct; no row for a definition without both years.
    """
    by_label = counts.sort_values("year", kind="stable").groupby("label", sort=False)
    last = by_label[["label", "year", "exports_usd_m"]].tail(1).rename(columns={"exports_usd_m": "usd_m"})
    base = counts[counts["year"] == base_year].set_index("label")["exports_usd_m"]
    last = last[(last["year"] > base_year) & last["label"].isin(base.index)]
    last["path"] = [value_at(base[r.label], growth_pct, r.year - base_year) for r in last.itertuples()]
    return last.assign(ahead_pct=100 * (last["usd_m"] / last["path"] - 1))
