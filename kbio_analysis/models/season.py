"""Whether a monthly series has a season: STL in logs, its strength against shuffled years, and rank tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.tsa.seasonal import STL

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import years_index

PERIOD = 12

MIN_MONTHS = 24
"""Fewest months whose season is looked for: two years."""


class RankTest(NamedTuple):
    """Friedman's test that no place within a block is higher than another: ``p_value`` over ``n_blocks``.

    ``effect_pct``: index place 1..k, average over the blocks of the place above the block's mean, per cent.
    """

    p_value: float
    n_blocks: int
    effect_pct: pd.Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """A monthly series taken apart: observed = trend x seasonal x remainder.

    ``parts`` by month: observed, trend and fitted (trend with season) in the unit of the series, seasonal_log and
    remainder_log in log points, from_trend_pct their sum in per cent of the trend. ``strength`` of the season from 0
    (none) to 1; ``p_value``: share of series with months shuffled within each year whose season is as strong, the
    series itself counted. ``effect_pct``: index month 1..12, average of seasonal and remainder, per cent of trend.
    ``by_month`` and ``by_quarter``: rank tests over whole years (12 places) and whole quarters (3 places), None where
    there are fewer than two blocks.
    """

    parts: pd.DataFrame
    strength: float
    p_value: float
    effect_pct: pd.Series
    by_month: RankTest | None
    by_quarter: RankTest | None


def decompose(y: pd.Series, *, smoother: int, n_shuffles: int, seed: int) -> Season | None:
    """Take a positive monthly series apart by STL (Cleveland et al. 1990) in logs; None with less than two years.

    ``smoother`` is STL's seasonal window, an odd number of years from 7 up (a large one makes the season fixed).
    Its strength's null is made by shuffling S + R within calendar years and decomposing again, because STL finds some
    season in any noise. Raises ModelInputError for gaps, values that are not positive and an even smoother.
    """
    if smoother < 7 or smoother % 2 == 0:
        raise ModelInputError(f"seasonal smoother = {smoother}: give an odd number of at least 7")
    y = years_index(y, "y")
    if len(y) < MIN_MONTHS:
        return None
    if y.index.freqstr != "M" or not (y > 0).all():
        raise ModelInputError("y: a positive monthly series is needed; log seasonality has no zero")
    if not y.index.equals(pd.period_range(y.index[0], periods=len(y), freq=y.index.freq)):
        raise ModelInputError("y: the months have a gap or are out of order; use the unbroken run after it")
    logs = np.log(y.to_numpy(dtype=float))
    trend, seasonal, remainder = _stl(logs, smoother)
    found = strength(seasonal, remainder)
    rng, years = np.random.default_rng(seed), y.index.year.to_numpy()
    detrended = seasonal + remainder
    by_year = [detrended[years == year] for year in np.unique(years)]
    shuffled = np.array([np.concatenate([rng.permutation(part) for part in by_year]) for _ in range(n_shuffles)])
    # Without weights for outliers STL is linear: the parts of a series are sums of those of its single months.
    parts = (trend + shuffled) @ np.array([_stl(month, smoother)[1:] for month in np.eye(len(y))]).swapaxes(0, 1)
    stronger = sum(strength(*own) >= found for own in zip(*parts, strict=True))
    by_month = pd.Series(detrended).groupby(y.index.month).mean()
    values = {"observed": y.to_numpy(), "trend": np.exp(trend), "fitted": np.exp(trend) * np.exp(seasonal)}
    values |= {"seasonal_log": seasonal, "remainder_log": remainder, "from_trend_pct": 100 * np.expm1(detrended)}
    return Season(
        parts=pd.DataFrame(values, index=y.index.rename("month")),
        strength=found,
        p_value=(1 + stronger) / (1 + n_shuffles),
        effect_pct=100 * np.expm1(by_month).rename_axis("month"),
        by_month=rank_test(y, PERIOD),
        by_quarter=rank_test(y, 3),
    )


def strength(part: np.ndarray, remainder: np.ndarray) -> float:
    """max(0, 1 - var(R)/var(part + R)) (Wang, Smith & Hyndman 2006, section 3): 0 nothing explained, 1 all of it."""
    total = float(np.var(part + remainder))
    return max(0.0, 1 - float(np.var(remainder)) / total) if total > 0 else 0.0


def strengths(y: pd.Series, smoothers: Sequence[int]) -> pd.DataFrame:
    """Strength of the season by smoothing window (index), with least squares and with outliers weighed down.

    Columns ``ordinary`` and ``robust`` (STL's own bisquare weights), each from 0 to 1.
    """
    logs = np.log(years_index(y, "y").to_numpy(dtype=float))
    rows = {w: [strength(*_stl(logs, w, robust=r)[1:]) for r in (False, True)] for w in smoothers}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["ordinary", "robust"]).rename_axis("smoother")


def rank_test(y: pd.Series, places: int) -> RankTest | None:
    """Friedman (1937) over whole blocks of ``places`` months (3 or 12) of a positive monthly series.

    Ranks within a block do not see its level, so no trend has to be taken out first. None with fewer than two blocks.
    """
    y = years_index(y, "y")
    place = (y.index.month - 1) % places
    start = int(np.flatnonzero(place == 0)[0]) if (place == 0).any() else len(y)
    n = (len(y) - start) // places
    if n < 2:
        return None
    blocks = np.log(y.to_numpy(dtype=float)[start : start + n * places].reshape(n, places))
    test = stats.friedmanchisquare(*blocks.T)
    effect = 100 * np.expm1((blocks - blocks.mean(axis=1, keepdims=True)).mean(axis=0))
    return RankTest(float(test.pvalue), n, pd.Series(effect, index=pd.RangeIndex(1, places + 1, name="place")))


def _stl(logs: np.ndarray, smoother: int, *, robust: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    parts = STL(logs, period=PERIOD, seasonal=smoother, robust=robust).fit()
    return np.asarray(parts.trend), np.asarray(parts.seasonal), np.asarray(parts.resid)
