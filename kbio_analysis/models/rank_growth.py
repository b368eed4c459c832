"""What exporters' records say of their growth relative to one another and of its yearly scatter.

A rank knows only differences: growth that all share cancels out, so drifts are taken relative to the mean of the
exporters that share a span of years. Records are short, so both are drawn towards what the exporters have in common.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import optimize
from scipy.special import digamma, polygamma

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.growth import reference_growth_source

Rule = Literal["shrunken", "equal", "own"]

RULES: dict[str, str] = {
    "shrunken": "part of past leads kept",
    "equal": "no lasting leads",
    "own": "past leads kept in full",
}
"""What is supposed of the exporters' growth relative to one another.

``shrunken``: the less of a lead or lag the noisier the record; ``equal``: only shocks differ; ``own``: a what-if, for
past growth compounded forecasts badly.
"""

CONTENDER_SHARE = 0.1
"""Exporters below this share of home's exports are left out: they move neither home nor the place it aims at."""

MIN_CONTENDERS = 5
"""Fewest exporters that must share a span of years for growth relative to the others to mean anything."""

MIN_FREEDOM = 3.0
"""Least degrees of freedom of a drawn variance: with fewer it has no finite mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """What the simulation starts from. Series are indexed by ISO3 of the contenders, largest first.

    ``levels`` US$ million in ``origin_year``; ``drift`` growth relative to the contenders' mean, log points a year, and
    its standard error ``drift_sd``; ``volatility`` standard deviation of a year's own growth, log points, known with
    ``freedom`` degrees of freedom (inf: taken as exact). ``observed_correlation``: mean correlation of yearly growth
    between contenders, None if no two share three spans.
    """

    origin_year: int
    levels: pd.Series
    drift: pd.Series
    drift_sd: pd.Series
    volatility: pd.Series
    freedom: pd.Series
    observed_correlation: float | None


def fit(panel: pd.DataFrame, home: str, *, rule: Rule = "shrunken") -> Race:
    """Growth relative to the others and volatility of every contender of the last year of ``panel``.

    ``panel``: yearly PeriodIndex (gaps allowed) x ISO3, US$ million, one definition. Over a span of k years log
    growth has mean k mu_i and variance k s_i^2. The s_i^2 are moderated across exporters (Smyth 2004); the mu_i,
    relative to the contenders' mean in the same span, are shrunk to a common mean by precision, with the spread of
    DerSimonian & Laird (1986).
    Raises ModelInputError if home is not held in the last year or too few contenders share a span of years.
    """
    if rule not in RULES:
        raise ModelInputError(f"rule {rule!r}: give one of {', '.join(RULES)}")
    last = panel.iloc[-1]
    if not last.get(home, np.nan) > 0:
        raise ModelInputError(f"{home} is not held in {panel.index[-1]}: use a later as_of or another definition")
    levels = last[last >= CONTENDER_SHARE * last[home]].sort_values(ascending=False)
    logs = np.log(panel[levels.index].where(panel[levels.index] > 0))
    growth = logs.diff().iloc[1:]
    spans = pd.Series(np.diff([p.year for p in panel.index]), index=growth.index, dtype=float)
    growth = growth[growth.notna().sum(axis=1) >= min(MIN_CONTENDERS, len(levels))]
    if growth.empty or len(levels) < 3:
        raise ModelInputError(
            f"{len(levels)} contenders share no span of years before {panel.index[-1]}: use another as_of"
        )
    spans = spans[growth.index]
    variance, freedom = _variances(growth, spans)
    drift, drift_sd = _drifts(growth, spans, variance, rule)
    return Race(
        origin_year=panel.index[-1].year,
        levels=levels,
        drift=drift,
        drift_sd=drift_sd,
        volatility=np.sqrt(variance),
        freedom=freedom,
        observed_correlation=_mean_correlation(growth.div(np.sqrt(spans), axis=0)),
    )


def moderated_variances(variances: np.ndarray, freedoms: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Sample variances drawn towards a common one: moderated (n,), common variance and its degrees of freedom.

    Smyth (2004, section 6.2): given sigma_i^2, s_i^2 is scaled chi-square with d_i degrees of freedom; 1/sigma_i^2 is
    scaled chi-square with d_0 round 1/s_0^2. Moments of log s_i^2 give d_0 and s_0^2, and the moderated variance is
    (d_0 s_0^2 + d_i s_i^2) / (d_0 + d_i). If the s_i^2 scatter no more than chance, d_0 is infinite and all are s_0^2.
    """
    floored = np.maximum(variances, 1e-5 * np.median(variances) + 1e-12)
    half = freedoms / 2
    centred = np.log(floored) - digamma(half) + np.log(half)
    excess = float(np.var(centred, ddof=1) - polygamma(1, half).mean())
    if excess <= 1e-6:
        return np.full(len(floored), np.exp(centred.mean())), float(np.exp(centred.mean())), np.inf
    prior = 2 * optimize.brentq(lambda x: polygamma(1, x) - excess, 1e-6, 1e8)
    common = float(np.exp(centred.mean() + digamma(prior / 2) - np.log(prior / 2)))
    return (prior * common + freedoms * floored) / (prior + freedoms), common, float(prior)


def _variances(growth: pd.DataFrame, spans: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Moderated variance of a year's log growth and its degrees of freedom, by contender.

    A contender with fewer than two spans gets the common variance.
    """
    n = growth.notna().sum()
    held = growth.notna().mul(spans, axis=0)
    pace = growth.sum() / held.sum()
    left = (growth - held * pace).pow(2).div(spans, axis=0).sum()
    known = n.index[n >= 2]
    if len(known) < 3:
        raise ModelInputError(f"{len(known)} contenders with two spans of growth; 3 are needed: use a later as_of")
    own = (n[known] - 1).astype(float)
    moderated, common, prior = moderated_variances((left[known] / own).to_numpy(), own.to_numpy())
    variance = pd.Series(common, index=growth.columns)
    variance[known] = moderated
    freedom = pd.Series(prior, index=growth.columns) + own.reindex(growth.columns, fill_value=0.0)
    return variance, freedom.clip(lower=MIN_FREEDOM)


def _drifts(growth: pd.DataFrame, spans: pd.Series, variance: pd.Series, rule: Rule) -> tuple[pd.Series, pd.Series]:
    """Relative drift and its standard error by contender, log points a year, under ``rule``."""
    zero = pd.Series(0.0, index=growth.columns)
    if rule == "equal":
        return zero, zero.copy()
    relative = growth.sub(growth.mean(axis=1), axis=0)
    years = growth.notna().mul(spans, axis=0).sum()
    known = years.index[years > 0]
    mean, error = (relative.sum() / years)[known], (variance / years)[known]
    class_of_all = reference_growth_source(mean.to_numpy(), error.to_numpy())
    drift, spread = zero + class_of_all.mean_log, zero + class_of_all.sd_log**2
    if rule == "own":
        drift[known], spread[known] = mean, error
    else:
        keep = spread[known] / (spread[known] + error)
        drift[known], spread[known] = keep * mean + (1 - keep) * class_of_all.mean_log, keep * error
    return drift, np.sqrt(spread)


def _mean_correlation(growth: pd.DataFrame) -> float | None:
    """Mean pairwise correlation of growth per root year over the pairs that share at least three spans."""
    pairs = growth.corr(min_periods=3).to_numpy()
    above = pairs[np.triu_indices(len(pairs), k=1)]
    above = above[np.isfinite(above)]
    return float(above.mean()) if len(above) else None
