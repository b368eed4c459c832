"""Seasons: is there one (STL in logs, its strength against shuffled years, rank tests), and taking one out.

The first half asks whether a monthly series has a season; the second takes a fixed pattern out of a series before a
forecast model sees it, and puts it back on the forecasts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_series, years_index
from kbio_analysis.vocabulary import MIN_TREND_POINTS

PERIOD = 12

SEASONALITY_Z = 1.645
"""One-sided 5 % point: the season is taken out only if the yearly autocorrelation of the steps exceeds its error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankTest:
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
    Strength is max(0, 1 - var(R)/var(S + R)) (Wang, Smith & Hyndman 2006, section 3). Its own null is made by
    shuffling S + R within calendar years and decomposing again, because STL finds some season in any noise.
    Raises ModelInputError for gaps, values that are not positive and an even smoother.
    """
    if smoother < 7 or smoother % 2 == 0:
        raise ModelInputError(f"seasonal smoother = {smoother}: give an odd number of at least 7")
    y = years_index(y, "y")
    if len(y) < MIN_TREND_POINTS["monthly"]:
        return None
    checked = check_series(y)
    if checked.frequency != "monthly" or not checked.positive:
        raise ModelInputError(f"{checked.name}: a positive monthly series is needed; log seasonality has no zero")
    logs = np.log(checked.values)
    trend, seasonal, remainder = _stl(logs, smoother)
    found = strength(seasonal, remainder)
    rng, years = np.random.default_rng(seed), y.index.year.to_numpy()
    detrended = seasonal + remainder
    stronger = 0
    for _ in range(n_shuffles):
        _, s, r = _stl(trend + _shuffled_within(detrended, years, rng), smoother)
        stronger += strength(s, r) >= found
    by_month = pd.Series(detrended).groupby(y.index.month).mean()
    parts = pd.DataFrame({"observed": y.to_numpy(), "trend": np.exp(trend)}, index=y.index.rename("month"))
    parts = parts.assign(fitted=parts["trend"] * np.exp(seasonal), seasonal_log=seasonal, remainder_log=remainder)
    parts["from_trend_pct"] = 100 * np.expm1(detrended)
    return Season(
        parts=parts,
        strength=found,
        p_value=(1 + stronger) / (1 + n_shuffles),
        effect_pct=100 * np.expm1(by_month).rename_axis("month"),
        by_month=rank_test(y, PERIOD),
        by_quarter=rank_test(y, 3),
    )


def strength(part: np.ndarray, remainder: np.ndarray) -> float:
    """max(0, 1 - var(R)/var(part + R)): 0 where the part explains nothing, 1 where nothing is left over."""
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
    from scipy import stats

    y = years_index(y, "y")
    place = (y.index.month - 1) % places
    start = int(np.flatnonzero(place == 0)[0]) if (place == 0).any() else len(y)
    n = (len(y) - start) // places
    if n < 2:
        return None
    blocks = np.log(y.to_numpy(dtype=float)[start : start + n * places].reshape(n, places))
    test = stats.friedmanchisquare(*blocks.T)
    effect = 100 * np.expm1((blocks - blocks.mean(axis=1, keepdims=True)).mean(axis=0))
    return RankTest(
        p_value=float(test.pvalue),
        n_blocks=n,
        effect_pct=pd.Series(effect, index=pd.RangeIndex(1, places + 1, name="place")),
    )


def _stl(logs: np.ndarray, smoother: int, *, robust: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from statsmodels.tsa.seasonal import STL

    parts = STL(logs, period=PERIOD, seasonal=smoother, robust=robust).fit()
    return np.asarray(parts.trend), np.asarray(parts.seasonal), np.asarray(parts.resid)


def _shuffled_within(values: np.ndarray, years: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The values with the months of each calendar year in random order."""
    return np.concatenate([rng.permutation(values[years == year]) for year in np.unique(years)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Seasonality:
    """``adjusted`` (n,) the series without its season; ``ahead`` (horizon,) what to put back on forecasts.

    With ``multiplicative`` the season is a factor, otherwise an amount. ``found`` False means no season was removed.
    """

    adjusted: np.ndarray
    ahead: np.ndarray
    multiplicative: bool
    found: bool

    def restore(self, forecast: np.ndarray) -> np.ndarray:
        """Put the season back on values whose last axis is the horizon."""
        return forecast * self.ahead if self.multiplicative else forecast + self.ahead


def deseasonalise(y: np.ndarray, horizon: int, period: int) -> Seasonality:
    """Classical decomposition of ``y`` (n,), in logs when all values are positive, for season length ``period``.

    Centred moving average over one season, mean deviation by place in the season, normalised to sum to zero
    (Makridakis, Wheelwright & Hyndman 1998, ch. 3). Nothing is removed for ``period`` 1, for fewer than two seasons,
    or where the steps show no yearly autocorrelation.
    """
    logs = bool((y > 0).all())
    neutral = np.ones(horizon) if logs else np.zeros(horizon)
    values = np.log(y) if logs else y
    if period == 1 or len(y) < 2 * period or not _has_season(values, period):
        return Seasonality(adjusted=y.copy(), ahead=neutral, multiplicative=logs, found=False)
    pattern = _pattern(values, period)
    inside = pattern[np.arange(len(y)) % period]
    ahead = pattern[np.arange(len(y), len(y) + horizon) % period]
    if logs:
        return Seasonality(adjusted=y / np.exp(inside), ahead=np.exp(ahead), multiplicative=True, found=True)
    return Seasonality(adjusted=y - inside, ahead=ahead, multiplicative=False, found=True)


def _has_season(values: np.ndarray, period: int) -> bool:
    """Whether the steps' autocorrelation at one season exceeds its Bartlett error (Theta's own test, on steps)."""
    steps = np.diff(values)
    steps = steps - steps.mean()
    total = float(steps @ steps)
    if total <= 0 or len(steps) <= period:
        return False
    r = np.array([steps[lag:] @ steps[:-lag] / total for lag in range(1, period + 1)])
    error = np.sqrt((1 + 2 * (r[:-1] ** 2).sum()) / len(steps))
    return bool(r[-1] > SEASONALITY_Z * error)


def _pattern(values: np.ndarray, period: int) -> np.ndarray:
    """Seasonal deviations (period,), first entry for the first observation's place in the season."""
    weights = np.ones(period + 1 if period % 2 == 0 else period)
    if period % 2 == 0:
        weights[[0, -1]] = 0.5
    half = len(weights) // 2
    trend = np.convolve(values, weights / weights.sum(), mode="valid")
    deviation = values[half : half + len(trend)] - trend
    place = np.arange(half, half + len(trend)) % period
    means = np.array([deviation[place == p].mean() for p in range(period)])
    return means - means.mean()
