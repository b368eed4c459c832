"""What each agreement did, by direction, and the pool of them: saturated PPML, cell by cell against untreated years.

y_jt = exp(a_t + c_j) for untreated observations (partner j, year t), fitted by Poisson; with one effect for every
treated partner and year the extended two-way model (Wooldridge 2023, eq. 5.5) fits treated cells exactly, so its
effects are d_gt = log(sum_j y_jt / sum_j mu_jt) over the members of an agreement. An agreement's effect is their mean,
weighted by treated observations. The covariance is the cluster sandwich over partners, linearised through the year
effects: a member's own shocks after entry are no sampling error here, they are part of the spread between agreements.

Randomisation inference over entry dates hands agreements to partners that never had one: as many partners as it has
members (at most a third of the comparisons, or the draws would hardly differ), with the members' entry dates; the same
effect by the same fit, the partner itself left out of its own comparison. The p-value counts the real assignment among
the draws, (1 + extreme)/(1 + draws), so it is never 0 (Fisher 1935; Conley & Taber 2011). Small partners scatter more
than members do, so every effect, measured or pretended, is scaled by the spread of its own gaps before entry and weighs
by its years after it (Ferman & Pinto 2019).
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_count, checked_frame, typed, whole_years
from kbio_analysis.models.reference_class import MixturePrediction, PooledEffect, averaged_over_tau, pool

MAX_ITERATIONS = 2000
TOLERANCE = 1e-11
"""Relative change of the year effects at which the fit has settled."""

MIN_COMPARISONS = 4
"""Fewest partners without an agreement that can stand for what would have happened."""

MIN_SPREAD = 0.01
"""Least root mean square gap before entry that an effect is scaled by, log points."""

LARGEST_SHARE = 3
"""An agreement is given at most one in so many of the comparisons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRecord:
    """Effects by agreement and direction.

    ``table``: indexed by (agreement, direction): effect_log_points, effect_pct, se_shared_log_points (from the shared
    comparisons alone), n_partners, n_observations, n_years (after entry), entry_year (the first), initial_trade (mean a
    year before entry, all members, unit of the outcome) and pre_spread (root mean square of the yearly log gaps before
    entry, which placebos are scaled by). ``covariance`` of the effects, same labels.
    """

    table: pd.DataFrame
    covariance: pd.DataFrame

    @property
    def effects(self) -> pd.Series:
        return self.table["effect_log_points"]

    def pooled(self, *, direction: str | None = None, without: str | None = None) -> PooledEffect:
        """The pool of all effects, of one ``direction``, or ``without`` one agreement; refusals as for ``pool``."""
        agreements, directions = (self.effects.index.get_level_values(name) for name in ("agreement", "direction"))
        keep = (agreements != without) & ((directions == direction) | (direction is None))
        return pool(self.effects[keep], self.covariance.loc[keep, keep])


def two_way(y: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Poisson fit of exp(a_t + c_j) to ``y`` (years x units) where ``used``, by matching both margins in turn.

    Returns the year effects (T,) and the unit effects (N,); the mean is their outer product. Raises
    :class:`ModelInputError` if a year or unit has no positive used value, or the fit does not settle.
    """
    y = np.where(used, y, 0.0)
    by_year, by_unit = y.sum(axis=1), y.sum(axis=0)
    if not ((by_year > 0).all() and (by_unit > 0).all()):
        raise ModelInputError("a year or partner has no trade before any agreement; leave it out or widen the window")
    weight = used.astype(float)
    year = np.ones(len(y))
    for _ in range(MAX_ITERATIONS):
        unit = by_unit / (year @ weight)
        updated = by_year / (weight @ unit)
        settled = np.max(np.abs(updated / year - 1)) < TOLERANCE
        year = updated
        if settled:
            return year, by_unit / (year @ weight)
    raise ModelInputError("the two-way fit did not settle; the panel may fall apart into unconnected parts")


@typed
def record(
    outcomes: Mapping[str, pd.DataFrame],
    treatment: pd.DataFrame,
    comparisons: Mapping[str, Sequence[str]],
    *,
    pre_years: int = 10,
    post_years: int = 10,
) -> AgreementRecord:
    """Effects of every agreement in every direction, with their joint covariance.

    ``outcomes`` maps a direction to years x partners (zero or more, NaN where not recorded); ``treatment`` is indexed
    by partner with columns agreement, entry_year; ``comparisons`` maps a direction to partners without agreement.
    Members count from ``pre_years`` before entry to ``post_years`` after it (entry year included).
    Raises :class:`ModelInputError` for too few comparisons or when no agreement can be estimated.
    """
    rows, gradients, scores = [], {}, {}
    checked_frame(treatment, ["agreement", "entry_year"], "treatment")
    for direction, panel in outcomes.items():
        panel = whole_years(checked_frame(panel, [], direction), direction)
        part = _direction(panel, treatment, comparisons[direction], direction, pre_years, post_years)
        rows += part[0]
        gradients |= part[1]
        scores[direction] = part[2]
    if not rows:
        raise ModelInputError("no agreement has years on both sides of its entry; widen the window")
    table = pd.DataFrame(rows).set_index(["agreement", "direction"])
    influence = pd.DataFrame({k: scores[k[1]] @ g for k, g in gradients.items()}).fillna(0.0)[list(table.index)]
    clusters = len(influence)
    covariance = influence.T @ influence * clusters / (clusters - 1)
    covariance.index = covariance.columns = table.index
    table["se_shared_log_points"] = np.sqrt(np.diag(covariance))
    return AgreementRecord(table=table, covariance=covariance)


def pooled_or_none(
    *panels: Any, direction: str | None = None, without: str | None = None, **choice: Any
) -> PooledEffect | None:
    """The pool of :func:`record` for other panels or windows; None where either refuses."""
    with suppress(ModelInputError):
        return record(*panels, **choice).pooled(direction=direction, without=without)
    return None


def net_of_chance(found: AgreementRecord, spread: pd.Series) -> tuple[PooledEffect, MixturePrediction]:
    """Pool again with the chance spread of each effect (log points, from ``Reassignment.spread``) as its own error; the
    prediction is averaged over what is then left between agreements."""
    own = np.diag(spread.reindex(found.effects.index).to_numpy(dtype=float) ** 2)
    pooled = pool(found.effects, found.covariance + own)
    return pooled, averaged_over_tau(pooled)


def with_covariates(found: AgreementRecord) -> PooledEffect:
    """The same pool with two covariates: 1 for imports, and the log of trade before entry (unit of the outcome)."""
    table = found.table
    covariates = pd.DataFrame({"log_initial_trade": np.log(table["initial_trade"])})
    covariates.insert(0, "imports", (table.index.get_level_values("direction") == "imports").astype(float))
    varied = covariates.loc[:, covariates.std() > 0]
    return pool(found.effects, found.covariance, covariates=varied if varied.shape[1] else None)


def log_gap(observed: np.ndarray, expected: np.ndarray) -> float | np.ndarray:
    """Root mean square over the years (last axis) of log(observed / expected), years without either left out."""
    live = (observed > 0) & (expected > 0)
    gap = np.log(np.where(live, observed, 1.0) / np.where(live, expected, 1.0))
    mean = (gap**2).sum(axis=-1) / np.maximum(live.sum(axis=-1), 1)
    return np.sqrt(np.maximum(mean, MIN_SPREAD**2))


def years_weighted(found: AgreementRecord, pooled: PooledEffect) -> tuple[float, float]:
    """Mean effect weighted by the years each was observed, and its standard error with the spread of ``pooled``."""
    weight = found.table["n_years"].to_numpy(dtype=float)
    weight /= weight.sum()
    total = found.covariance.to_numpy() + pooled.tau2 * np.eye(len(weight))
    return float(weight @ found.effects), float(np.sqrt(weight @ total @ weight))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassignment:
    """``draws``: n_draws x (agreement, direction), effects of pretended agreements in log points; ``scales`` the
    spread of their gaps before entry, the same shape."""

    draws: pd.DataFrame
    scales: pd.DataFrame

    @property
    def spread(self) -> pd.Series:
        """Standard deviation of the draws by column: what partners' own shocks do to a measured effect."""
        return self.draws.std()

    def test(self, table: pd.DataFrame) -> pd.Series:
        """Mean of the effects of ``table`` (any rows of ``AgreementRecord.table``), each scaled, against the draws'.

        Named value (observed, in multiples of the spread before entry), p_value (two-sided), its floor 1/(1 + draws),
        low and high (the middle 95% of the draws, which are taken round their own mean: large comparisons weigh most in
        the year effects, so that the mean of pretended agreements is not zero).
        """
        columns, weight = list(table.index), table["n_years"].to_numpy() / table["n_years"].sum()
        drawn = (self.draws[columns] / self.scales[columns]).to_numpy() @ weight
        drawn = drawn - drawn.mean()
        value = float(weight @ (table["effect_log_points"] / table["pre_spread"]))
        return _test(value, drawn, np.abs(drawn) >= abs(value) - 1e-12)

    def spread_test(self, observed: pd.Series) -> pd.Series:
        """The same, one-sided, of the standard deviation of ``observed`` over agreements, log points."""
        drawn = self.draws[list(observed.index)].std(axis=1).to_numpy()
        value = float(observed.std())
        return _test(value, drawn, drawn >= value - 1e-12)


def reassign(
    outcomes: Mapping[str, pd.DataFrame],
    treatment: pd.DataFrame,
    comparisons: Mapping[str, Sequence[str]],
    found: AgreementRecord,
    *,
    pre_years: int = 10,
    post_years: int = 10,
    n_draws: int = 999,
    seed: int = 0,
) -> Reassignment:
    """Draw pretended agreements among the comparisons of each direction; arguments as for ``record``.

    Raises :class:`ModelInputError` when an entry year leaves a comparison no year before it.
    """
    check_count(n_draws, "n_draws", least=19, most=100_000)
    rng = np.random.default_rng(seed)
    drawn, scaled = {}, {}
    for direction, panel in outcomes.items():
        panel = whole_years(checked_frame(panel, [], direction), direction)
        y, years = panel[list(comparisons[direction])].to_numpy(dtype=float), panel.index.to_numpy()
        everything = np.ones((len(y), y.shape[1] - 1), dtype=bool)
        others = [two_way(np.delete(y, j, axis=1), everything)[0] for j in range(y.shape[1])]
        others = np.column_stack(others)  # (T, N): year effects without partner j, that predict its trade
        for name in found.table.index[found.table.index.get_level_values("direction") == direction].get_level_values(0):
            members = treatment.index[(treatment["agreement"] == name) & treatment.index.isin(panel.columns)]
            since = [years - entry for entry in treatment.loc[members, "entry_year"]]
            spans = [((e < 0) & (e >= -pre_years), (e >= 0) & (e < post_years)) for e in since]
            drawn[(name, direction)], scaled[(name, direction)] = _pretended(y, others, spans, n_draws, rng)
    draws, scales = (pd.DataFrame(both)[list(found.table.index)] for both in (drawn, scaled))
    draws.columns = scales.columns = found.table.index
    return Reassignment(draws=draws, scales=scales)


def p_of_mean(panels: Mapping[str, Any], *, n_draws: int, seed: int, **window: int) -> float | None:
    """p of the mean effect for other ``panels``, by name as :func:`reassign` takes them; None where it is refused."""
    with suppress(ModelInputError):
        found = record(**panels, **window)
        return reassign(**panels, found=found, n_draws=n_draws, seed=seed, **window).test(found.table).p_value
    return None


def _direction(
    panel: pd.DataFrame, treatment: pd.DataFrame, comparisons: Sequence[str], direction: str, pre: int, post: int
) -> tuple[list[dict[str, object]], dict[tuple[str, str], np.ndarray], pd.DataFrame]:
    """Rows, gradients with respect to the log year effects, partner influences on those."""
    if len(comparisons) < MIN_COMPARISONS:
        raise ModelInputError(
            f"{direction}: {len(comparisons)} partners without an agreement, {MIN_COMPARISONS} are needed; "
            "lower the least trade asked of them"
        )
    members = [p for p in panel.columns if p in treatment.index]
    partners = [*comparisons, *members]
    y = panel[partners].to_numpy(dtype=float)
    years = panel.index.to_numpy()[:, None]
    entry = np.array([np.inf] * len(comparisons) + [float(treatment["entry_year"][m]) for m in members])
    seen = np.isfinite(y)
    used = seen & (years < entry) & (np.isinf(entry) | (years >= entry - pre))
    treated = seen & (years >= entry) & (years < entry + post)
    fitted = np.outer(*two_way(y, used))
    mean = np.where(used | treated, fitted, 0.0)
    own = np.where(used, mean, 0.0) / np.where(used, mean, 0.0).sum(axis=0)  # (T, N): weights of a partner's own years
    rows, gradients = [], {}
    agreement = np.array([""] * len(comparisons) + list(treatment.loc[members, "agreement"]))
    for name in dict.fromkeys(agreement[len(comparisons) :]):
        mine = agreement == name
        cell = treated & mine
        observed, expected = np.where(cell, y, 0.0).sum(axis=1), np.where(cell, mean, 0.0).sum(axis=1)
        count = cell.sum(axis=1) * (observed > 0)
        if not count.sum():
            continue
        live = count > 0
        effect = np.zeros(len(y))
        effect[live] = np.log(observed[live] / expected[live])
        share = np.where(cell & live[:, None], mean, 0.0)[live] / expected[live][:, None]  # (cells, N)
        weight = count[live] / count.sum()
        through_partner = own @ (weight @ share)
        gradient = through_partner.copy()
        gradient[live] -= weight
        gradients[(name, direction)] = gradient
        early = used & mine
        before = np.where(early, y, 0.0).sum() / max(early.any(axis=1).sum(), 1)
        value = float(weight @ effect[live])
        rows.append(
            {
                "agreement": name,
                "direction": direction,
                "effect_log_points": value,
                "effect_pct": 100 * np.expm1(value),
                "n_partners": int((cell.any(axis=0)).sum()),
                "n_observations": int(count.sum()),
                "n_years": int(live.sum()),
                "entry_year": int(entry[mine].min()),
                "initial_trade": float(before),
                "pre_spread": log_gap(np.where(early, y, 0.0).sum(axis=1), np.where(early, mean, 0.0).sum(axis=1)),
            }
        )
    mean = np.where(used, fitted, 0.0)  # unit effects are concentrated out
    hessian = np.diag(mean.sum(axis=1)) - own @ mean.T
    influence = (np.where(used, y, 0.0) - mean).T @ np.linalg.pinv(hessian, hermitian=True)
    return rows, gradients, pd.DataFrame(influence, index=partners)


def _pretended(
    y: np.ndarray, year_effects: np.ndarray, spans: Sequence[tuple], n_draws: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(n_draws,) mean of log(sum observed / sum predicted) over the years from entry, and the root mean square of the
    same gap before it. ``spans``: a member's years before and from entry."""
    n = y.shape[1]
    k = min(len(spans), max(n // LARGEST_SHARE, 1))
    picks = rng.random((n_draws, n)).argsort(axis=1)[:, :k]
    observed, expected = np.zeros((2, 2, n_draws, len(y)))  # each before entry and from it on
    count = np.zeros(len(y))
    for chosen, (before, after) in zip(picks.T, spans[:k], strict=True):
        if not before.any():
            raise ModelInputError("an entry year leaves no year before it in the record; start earlier")
        predicted = year_effects * (y[before].sum(axis=0) / year_effects[before].sum(axis=0))
        for side, span in enumerate((before, after)):
            observed[side][:, span] += y[np.ix_(span, chosen)].T
            expected[side][:, span] += predicted[np.ix_(span, chosen)].T
        count += after
    live = count > 0
    effects = np.log(observed[1][:, live] / expected[1][:, live]) @ (count[live] / count.sum())
    return effects, log_gap(observed[0], expected[0])


def _test(value: float, drawn: np.ndarray, extreme: np.ndarray) -> pd.Series:
    low, high = np.quantile(drawn, [0.025, 0.975])
    floor = 1 / (1 + len(drawn))
    return pd.Series({"value": value, "p_value": (1 + extreme.sum()) * floor, "floor": floor, "low": low, "high": high})
