"""The spread of effects over past cases, and what it says of a new one: random-effects pooling, tested on its cases.

b ~ N(X g, V + tau^2 I), X a constant and at most two covariates, V the joint covariance of the estimates. tau^2 by
restricted maximum likelihood (Raudenbush 2009), the covariance of g after Knapp & Hartung (2003), and the prediction
interval mean +- t_{k-p-1} sqrt(tau^2 + se^2) (Higgins, Thompson & Spiegelhalter 2009, eq. 12). A next agreement
is given this prediction and, about it, the straight line through past effects by years from entry (:class:`Transfer`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_levels, checked_frame, checked_level, typed
from kbio_analysis.models.growth_predictive import crps_t

MIN_CASES = 4
"""Fewest estimates from which a spread is read."""

MAX_COVARIATES = 2
"""With some twenty cases no more covariates can be told apart."""

PRIOR_SCALE = 0.5
"""Scale of the half-normal prior on tau when predictions are averaged over it, log points."""

PROFILE_YEARS = 10
"""Years from entry over which a prediction is an average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledEffect:
    """Pooled effects, in the unit of the estimates (here log points).

    ``mean`` at the covariates' means, ``se`` after Knapp-Hartung, ``tau2`` between-case variance; ``coefficients`` by
    name with ``coefficient_covariance``; ``estimates`` (k,), ``covariance`` (k, k), ``design`` (k, p, covariates
    centred). Predictions are for a new case at the covariates' means.
    """

    mean: float
    se: float
    tau2: float
    coefficients: pd.Series
    coefficient_covariance: pd.DataFrame
    estimates: pd.Series
    covariance: pd.DataFrame
    design: pd.DataFrame

    @property
    def tau(self) -> float:
        return sqrt(self.tau2)

    @property
    def degrees(self) -> int:
        """k - p of the confidence interval; the prediction interval has one fewer."""
        return len(self.estimates) - len(self.coefficients)

    @property
    def slopes(self) -> pd.DataFrame:
        """What covariates go with, one row each: coefficient, standard_error, two-sided p_value (t)."""
        found = self.coefficients[1:]
        errors = np.sqrt(np.diag(self.coefficient_covariance))[1:]
        p_values = 2 * stats.t.sf(np.abs(found / errors), self.degrees)
        return pd.DataFrame({"coefficient": found, "standard_error": errors, "p_value": p_values})

    def confidence_interval(self, level: float) -> tuple[float, float]:
        """Where the mean lies, at ``level`` per cent."""
        low, high = stats.t.interval(checked_level(level) / 100, self.degrees, self.mean, self.se)
        return float(low), float(high)

    def predicted(self, noise2: float = 0.0) -> tuple[int, float, float]:
        """The t law of a new case: degrees, centre, scale; ``noise2`` adds the variance of measuring it."""
        return max(self.degrees - 1, 1), self.mean, sqrt(self.tau2 + self.se**2 + noise2)

    def prediction_interval(self, level: float) -> tuple[float, float]:
        """Where the effect of a new case lies at ``level`` per cent."""
        low, high = stats.t.interval(checked_level(level) / 100, *self.predicted())
        return float(low), float(high)

    def p_above(self, threshold: float) -> float:
        """Probability that a new case's effect exceeds ``threshold``."""
        return float(stats.t.sf(threshold, *self.predicted()))

    @property
    def shrunken(self) -> pd.Series:
        """Each case's effect drawn towards its expectation: X g + tau^2 (V + tau^2 I)^-1 (b - X g)."""
        fitted = self.design.to_numpy() @ self.coefficients.to_numpy()
        total = self.covariance.to_numpy() + self.tau2 * np.eye(len(fitted))
        moved = fitted + self.tau2 * np.linalg.solve(total, self.estimates.to_numpy() - fitted)
        return pd.Series(moved, index=self.estimates.index, name="shrunken")


@typed
def pool(estimates: pd.Series, covariance: pd.DataFrame, *, covariates: pd.DataFrame | None = None) -> PooledEffect:
    """Pool ``estimates`` with their joint ``covariance``; ``covariates`` k x (at most 2), centred here.

    Raises :class:`ModelInputError` for fewer than MIN_CASES cases, more than MAX_COVARIATES covariates, missing values,
    or a covariance that is not one.
    """
    b, V = estimates.to_numpy(dtype=float), covariance.to_numpy(dtype=float)
    raw = pd.DataFrame(index=estimates.index) if covariates is None else covariates.astype(float)
    k, least = len(b), max(MIN_CASES, raw.shape[1] + 3)
    if raw.shape[1] > MAX_COVARIATES:
        raise ModelInputError(f"{raw.shape[1]} covariates for {k} cases; take at most {MAX_COVARIATES}")
    if k < least:
        raise ModelInputError(f"{k} cases are too few to read a spread from; at least {least} are needed")
    if not (np.isfinite(b).all() and np.isfinite(V).all() and np.isfinite(raw.to_numpy()).all()):
        raise ModelInputError("an estimate, its covariance or a covariate is missing; leave that case out")
    if V.shape != (k, k) or not np.allclose(V, V.T) or np.linalg.eigvalsh(V).min() < -1e-9 * max(np.abs(V).max(), 1):
        raise ModelInputError(f"the covariance must be a symmetric {k} x {k} matrix without negative eigenvalues")
    design = pd.concat([pd.Series(1.0, index=raw.index, name="mean"), raw - raw.mean()], axis=1)
    X = design.to_numpy()
    tau2 = _reml(b, V, X)
    g, C, rest, _ = _gls(b, V, X, tau2)
    q = float(rest) / (k - X.shape[1])  # Knapp-Hartung
    names = list(design.columns)
    return PooledEffect(
        mean=float(g[0]),
        se=sqrt(q * C[0, 0]),
        tau2=tau2,
        coefficients=pd.Series(g, index=names),
        coefficient_covariance=pd.DataFrame(q * C, index=names, columns=names),
        estimates=estimates.astype(float),
        covariance=pd.DataFrame(V, index=estimates.index, columns=estimates.index),
        design=design,
    )


def _gls(b: np.ndarray, V: np.ndarray, X: np.ndarray, tau2: ArrayLike) -> tuple[np.ndarray, ...]:
    """For each ``tau2``: coefficients (..., p), their unscaled covariance, r'Wr of the residuals, and restricted log
    likelihood but for a constant; in the axes of V, where W = (V + tau^2 I)^-1 is diagonal."""
    variances, axes = np.linalg.eigh(V)
    b, X = axes.T @ b, axes.T @ X
    w = 1 / (variances + np.asarray(tau2, dtype=float)[..., None])
    XW = X.T * w[..., None, :]
    C = np.linalg.inv(XW @ X)
    g = (C @ (XW @ b)[..., None])[..., 0]
    rest = (w * (b - g @ X.T) ** 2).sum(axis=-1)
    return g, C, rest, 0.5 * (np.log(np.abs(w)).sum(axis=-1) + np.linalg.slogdet(C)[1] - rest)


def restricted_loglik(b: np.ndarray, V: np.ndarray, X: np.ndarray, tau2: float) -> float:
    """Restricted log likelihood of tau^2, up to a constant."""
    total = V + tau2 * np.eye(len(b))
    W = np.linalg.inv(total)
    XWX = X.T @ W @ X
    residual = b - X @ np.linalg.solve(XWX, X.T @ (W @ b))
    logs = np.linalg.slogdet(total)[1] + np.linalg.slogdet(XWX)[1]
    return -0.5 * (logs + float(residual @ W @ residual))


def _reml(b: np.ndarray, V: np.ndarray, X: np.ndarray) -> float:
    """The tau^2 >= 0 that maximises the restricted likelihood; 0 where the estimates spread no more than V allows."""
    top = 4 * float(np.var(b) if X.size else np.mean(b**2)) + 1e-12
    floor = 1e-10 * top if np.linalg.eigvalsh(V).min() <= 1e-12 * top else 0.0  # a singular V needs some tau
    grid = np.linspace(floor, top, 60)
    best = int(np.argmax(_gls(b, V, X, grid)[3]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = optimize.minimize_scalar(
        lambda t: -restricted_loglik(b, V, X, t), bounds=(low, high), method="bounded", options={"xatol": 1e-10 * top}
    )
    return floor if restricted_loglik(b, V, X, floor) >= -found.fun else float(found.x)


@dataclass(frozen=True, slots=True, kw_only=True)
class MixturePrediction:
    """Prediction averaged over tau's posterior: ``tau`` grid, ``weight`` (sum 1), ``centre`` and ``scale`` at each."""

    tau: np.ndarray
    weight: np.ndarray
    centre: np.ndarray
    scale: np.ndarray

    def cdf(self, x: float) -> float:
        return float(self.weight @ stats.norm.cdf((x - self.centre) / self.scale))

    def quantile(self, p: float) -> float:
        reach = float(np.max(np.abs(self.centre)) + 12 * np.max(self.scale))
        return float(optimize.brentq(lambda x: self.cdf(x) - p, -reach, reach, xtol=1e-10))

    def interval(self, level: float) -> tuple[float, float]:
        tail = (1 - checked_level(level) / 100) / 2
        return self.quantile(tail), self.quantile(1 - tail)


@typed
def averaged_over_tau(pooled: PooledEffect, *, scale: float = PRIOR_SCALE) -> MixturePrediction:
    """The same model with tau ~ half-normal(``scale``) and a flat mean (Roever 2020): with few cases REML often ends at
    tau = 0 and then predicts far too narrowly."""
    b, V, X = pooled.estimates.to_numpy(), pooled.covariance.to_numpy(), pooled.design.to_numpy()
    tau = (np.arange(200) + 0.5) * 4 * scale / 200
    g, C, _, loglik = _gls(b, V, X, tau**2)
    logs = loglik - 0.5 * (tau / scale) ** 2
    weight = np.exp(logs - logs.max())
    spread = np.sqrt(tau**2 + C[:, 0, 0])
    return MixturePrediction(tau=tau, weight=weight / weight.sum(), centre=g[:, 0], scale=spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """``predictions``: direction -> what a next agreement adds on average over the years of ``profile``, log points;
    ``profile``: years since entry (0 first) x directions, log points about that average."""

    predictions: Mapping[str, MixturePrediction]
    profile: pd.DataFrame

    def since(self, direction: str, years: np.ndarray) -> np.ndarray:
        """The profile ``years`` after entry; the last year's is held."""
        line = self.profile[direction].to_numpy()
        return line[np.clip(years, 0, len(line) - 1)]

    def draw(self, direction: str, years: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        """``n`` draws of the effect (n, years), log points; 0 where ``years`` since entry are below 0."""
        p = self.predictions[direction]
        at = rng.choice(len(p.weight), size=n, p=p.weight)
        mean = p.centre[at] + p.scale[at] * rng.standard_normal(n)
        return np.where(years >= 0, mean[:, None] + self.since(direction, years), 0.0)

    def chance_of_gain(self, direction: str, years: int) -> float:
        """Chance that the effect so many ``years`` after entry is above zero."""
        return 1 - self.predictions[direction].cdf(-float(self.since(direction, np.array([years]))[0]))


@typed
def from_structural(record: pd.DataFrame) -> Transfer:
    """The transfer of what structural gravity found, from rows of kind, direction, name, value, error and weight.

    ``prediction``: parts of the mixture for a next agreement, as ``structural_gravity.next_agreement`` gives it for the
    first years together; ``profile``: effects by span of years since entry ("0-2"), whose straight line, weighted by
    their errors, is taken about its mean over the first PROFILE_YEARS. A direction without a prediction is absent.
    """
    record = checked_frame(record, ["kind", "direction", "name", "value", "error", "weight"], "structural record")
    predictions, lines = {}, {}
    for direction, parts in record[record["kind"] == "prediction"].groupby("direction"):
        weight = parts["weight"].to_numpy(dtype=float)
        predictions[str(direction)] = MixturePrediction(
            tau=parts["name"].to_numpy(dtype=float),
            weight=weight / weight.sum(),
            centre=parts["value"].to_numpy(dtype=float),
            scale=parts["error"].to_numpy(dtype=float),
        )
        spans = record[(record["kind"] == "profile") & (record["direction"] == direction)]
        slope, years = 0.0, np.arange(PROFILE_YEARS)
        if len(spans) > 1:
            middle = spans["name"].str.split("-", expand=True).astype(float).mean(axis=1)
            slope = np.polyfit(middle, spans["value"].astype(float), 1, w=1 / spans["error"].astype(float))[0]
        lines[str(direction)] = slope * (years - years.mean())
    return Transfer(predictions=predictions, profile=pd.DataFrame(lines, index=range(PROFILE_YEARS)))


def compared(pools: Mapping[str, PooledEffect | None]) -> pd.DataFrame:
    """Pools by name: mean, low and high (95%), next_low and next_high (80%), tau, n_effects; nothing for a None."""
    columns = ["mean", "low", "high", "next_low", "next_high", "tau", "n_effects"]
    ends = {name: p and (*p.confidence_interval(95), *p.prediction_interval(80)) for name, p in pools.items()}
    rows = [(p.mean, *ends[n], p.tau, len(p.estimates)) if p else (*[np.nan] * 6, 0) for n, p in pools.items()]
    return pd.DataFrame(rows, index=list(pools), columns=columns)


@typed
def leave_one_out(
    pooled: PooledEffect, groups: Sequence[str], *, levels: Sequence[float] = (80, 95)
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leave out all estimates of one group (an agreement), pool the rest without covariates, predict what was left out.

    One row an estimate: group, estimate, centre, scale (with the variance of measuring it), crps, crps_no_effect (mean
    zero, and the spread that fits the rest best) and inside_L per level; and coverage, indexed by level: share, low,
    high (Clopper-Pearson 95%), n.
    """
    chosen = check_levels(levels)
    labels = np.asarray(groups)
    rows = []
    for group in dict.fromkeys(labels):
        out = labels == group
        V = pooled.covariance.loc[~out, ~out]
        rest = pool(pooled.estimates[~out], V)
        centred = _reml(rest.estimates.to_numpy(), V.to_numpy(), np.empty((len(V), 0)))
        for i in np.flatnonzero(out):
            seen, noise2 = float(pooled.estimates.iloc[i]), float(pooled.covariance.iat[i, i])
            degrees, centre, scale = rest.predicted(noise2)
            scores = {"crps": crps_t(seen, centre, scale, degrees)}
            scores["crps_no_effect"] = crps_t(seen, 0.0, sqrt(centred + noise2), degrees)
            ends = {level: stats.t.interval(level / 100, degrees, centre, scale) for level in chosen}
            scores |= {f"inside_{level:g}": low <= seen <= high for level, (low, high) in ends.items()}
            rows.append({"group": group, "estimate": seen, "centre": centre, "scale": scale} | scores)
    table = pd.DataFrame(rows)
    n, hits = len(table), {level: int(table[f"inside_{level:g}"].sum()) for level in chosen}
    spans = [(level, inside / n, *proportion_confint(inside, n, method="beta"), n) for level, inside in hits.items()]
    coverage = pd.DataFrame(spans, columns=["level", "share", "low", "high", "n"]).set_index("level")
    return table, coverage
