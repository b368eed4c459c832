"""What each agreement did, by direction, and the pool of them: saturated PPML, cell by cell against untreated years.

y_jt = exp(a_t + c_j) for untreated observations (partner j, year t), fitted by Poisson; with one effect for every
treated partner and year the extended two-way model (Wooldridge 2023, eq. 5.5) fits treated cells exactly, so its
effects are d_gt = log(sum_j y_jt / sum_j mu_jt) over the members of an agreement. An agreement's effect is their mean,
weighted by treated observations. The covariance is the cluster sandwich over partners, linearised through the year
effects: a member's own shocks after entry are no sampling error here, they are part of the spread between agreements.

Chance is measured by pretended agreements of as many partners as one has members, with the members' entry dates; the
same effect by the same years, a partner left out of its own comparison. Their spread is taken over partners that never
had one (at most a third of them in each, or draws would hardly differ).

The p-value permutes who is a member among all partners, members included: under the sharp null of no effect anywhere
every assignment could as well have been the real one, which counts among the draws, so that p is never 0 (Fisher 1935;
Young 2019, Quarterly Journal of Economics). Small partners scatter more than members do, so an effect is scaled by the
spread of its own gaps before entry (Ferman & Pinto 2019) and weighs by its years after it; and it is held against the
mean of the partners left over, since large comparisons rule the year effects and their shocks are in every effect.
In 400 worlds where nothing happens 3-5% of p are at most 5%, whether partners are alike or differ by a factor of 100 in
size or 10 in scatter; against draws among the comparisons alone it was 6-32%.
"""

from collections.abc import Callable, Mapping, Sequence
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
    year before entry, all members, unit of the outcome). ``covariance`` of the effects, same labels.
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
    parts = []
    checked_frame(treatment, ["agreement", "entry_year"], "treatment")
    for direction, panel in outcomes.items():
        panel = whole_years(checked_frame(panel, [], direction), direction)
        parts.append(_direction(panel, treatment, comparisons[direction], direction, pre_years, post_years))
    if not (rows := [row for own, _ in parts for row in own]):
        raise ModelInputError("no agreement has years on both sides of its entry; widen the window")
    table = pd.DataFrame(rows).set_index(["agreement", "direction"])
    influence = pd.concat([part for _, part in parts], axis=1).fillna(0.0).to_numpy()  # a partner is one cluster
    clusters = len(influence)
    values = influence.T @ influence * clusters / (clusters - 1)
    covariance = pd.DataFrame(values, index=table.index, columns=table.index)
    table["se_shared_log_points"] = np.sqrt(np.diag(covariance))
    return AgreementRecord(table=table, covariance=covariance)


def pooled_or_none(*, found: AgreementRecord | None = None, **choice: Any) -> PooledEffect | None:
    """A pool of part of what was ``found``, or all of :func:`record` for other panels; None where either refuses."""
    with suppress(ModelInputError):
        return found.pooled(**choice) if found else record(**choice).pooled()
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


def weighted(found: AgreementRecord, pooled: PooledEffect, *, by: str) -> tuple[float, float]:
    """Mean effect weighted by a column of the table, and its standard error with the spread of ``pooled``."""
    share = found.table[by] / found.table[by].sum()
    weight = share.to_numpy(dtype=float)
    total = found.covariance.to_numpy() + pooled.tau2 * np.eye(len(weight))
    return float(weight @ found.effects), float(np.sqrt(weight @ total @ weight))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassignment:
    """``draws``: n_draws x (agreement, direction), effects of pretended agreements among the comparisons, log points.

    ``permuted``: (1 + n_draws) x the same, with members permuted among all partners; the first row is the real
    assignment. ``scaled``: these in multiples of the spread before entry, less the mean of the partners left over.
    """

    draws: pd.DataFrame
    permuted: pd.DataFrame
    scaled: pd.DataFrame

    @property
    def spread(self) -> pd.Series:
        """Standard deviation of the draws by column: what partners' own shocks do to a measured effect."""
        return self.draws.std()

    def test(self, table: pd.DataFrame) -> pd.Series:
        """Mean of the scaled effects of ``table`` (any rows of ``AgreementRecord.table``) against permuted members'.

        Named value (of the real assignment), p_value (two-sided), its floor 1/(1 + draws), low and high (the middle 95%
        of the draws).
        """
        weight = self.scaled[list(table.index)].notna() * table["n_years"]
        return _test((self.scaled * weight).sum(axis=1) / weight.sum(axis=1), np.abs)

    def spread_test(self, table: pd.DataFrame) -> pd.Series:
        """The same, one-sided, of the standard deviation over agreements, log points."""
        return _test(self.permuted[list(table.index)].std(axis=1), np.array)


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
    """Draw pretended agreements, direction by direction; arguments as for ``record``.

    Raises :class:`ModelInputError` when an entry year leaves no year before it.
    """
    check_count(n_draws, "n_draws", least=19, most=100_000)
    rng, permutations = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    window, drawn = (pre_years, post_years), {"draws": {}, "permuted": {}, "scaled": {}}
    for direction, panel in outcomes.items():
        panel = whole_years(checked_frame(panel, [], direction), direction)
        never = list(comparisons[direction])
        members = treatment[treatment.index.isin(panel.columns)]
        names = [name for name, way in found.table.index if way == direction]
        members = members[members["agreement"].isin(names)].sort_values("agreement", kind="stable")
        y, years = panel[[*members.index, *never]].to_numpy(dtype=float), panel.index.to_numpy()
        agreements, entries = members["agreement"].to_numpy(), members["entry_year"].to_numpy()
        own, everything = y[:, len(members) :], np.ones((len(y), len(never)), dtype=bool)
        # (T, N): the year effects that predict a partner's trade, those of all comparisons but itself
        others = [two_way(np.delete(own, j, axis=1), everything[:, 1:])[0] for j in range(len(never))]
        by_year = np.column_stack([two_way(own, everything)[0]] * len(members) + others)
        assigned = np.vstack([np.arange(y.shape[1]), permutations.random((n_draws, y.shape[1])).argsort(axis=1)])
        left = np.zeros(assigned.shape)
        np.put_along_axis(left, assigned[:, len(members) :], 1.0, axis=1)
        for name in names:
            mine = np.flatnonzero(agreements == name)
            since = years[:, None] - entries[mine]
            few = since[:, : max(len(never) // LARGEST_SHARE, 1)]
            picks = rng.random((n_draws, len(never))).argsort(axis=1)[:, : few.shape[1]]
            drawn["draws"][name, direction], _ = _pretended(own, by_year[:, len(members) :], few, picks, window)
            effect, scale = _pretended(y, by_year, since, assigned[:, mine], window)
            drawn["permuted"][name, direction] = effect
            single = np.divide(*_pretended(y, by_year, since[:, :1], np.arange(y.shape[1])[:, None], window))
            told = np.isfinite(single)
            over = left[:, told] @ single[told] / left[:, told].sum(axis=1)
            drawn["scaled"][name, direction] = effect / scale - over
    columns = pd.MultiIndex.from_tuples(found.table.index, names=found.table.index.names)
    return Reassignment(**{kind: pd.DataFrame(effects)[columns] for kind, effects in drawn.items()})


def p_of_mean(panels: Mapping[str, Any], *, n_draws: int, seed: int, **window: int) -> float | None:
    """p of the mean effect for other ``panels``, by name as :func:`reassign` takes them; None where it is refused."""
    with suppress(ModelInputError):
        found = record(**panels, **window)
        return reassign(**panels, found=found, n_draws=n_draws, seed=seed, **window).test(found.table).p_value
    return None


def _direction(
    panel: pd.DataFrame, treatment: pd.DataFrame, comparisons: Sequence[str], direction: str, pre: int, post: int
) -> tuple[list[dict[str, object]], pd.DataFrame]:
    """Rows, and partners' influences on their effects: through the log year effects, by the gradients with respect to
    those."""
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
    rows, gradients = [], []
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
        gradients.append(gradient)
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
            }
        )
    mean = np.where(used, fitted, 0.0)  # unit effects are concentrated out
    hessian = np.diag(mean.sum(axis=1)) - own @ mean.T
    influence = (np.where(used, y, 0.0) - mean).T @ np.linalg.pinv(hessian, hermitian=True)
    return rows, pd.DataFrame(influence @ np.reshape(gradients, (-1, len(y))).T, index=partners)


def _pretended(
    y: np.ndarray, year_effects: np.ndarray, since: np.ndarray, picks: np.ndarray, window: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """For each row of ``picks``, the partners of an agreement (n_draws, members): the mean of log(sum observed / sum
    predicted) over the years from entry, and its root mean square before it; NaN where there is nothing to compare.
    ``since``: years since a member's entry (T, members); ``window``: how many count before it, and from it on."""
    if picks.shape[1] == 1 < len(picks) / y.shape[1]:  # a single member: every partner is measured once
        each = _pretended(y, year_effects, since, np.arange(y.shape[1])[:, None], window)
        return each[0][picks[:, 0]], each[1][picks[:, 0]]
    seen = np.isfinite(y)
    y, year_effects = np.where(seen, y, 0.0), np.where(seen, year_effects, 0.0)
    observed, expected = np.zeros((2, 2, len(y), len(picks)))  # each before entry and from it on
    count = np.zeros((len(y), len(picks)))
    for first in np.unique(since[0]):
        mine = since[0] == first  # the members that enter in this year, and who they are
        chosen = np.zeros((y.shape[1], len(picks)))
        np.put_along_axis(chosen, picks[:, mine].T, 1.0, axis=0)
        age = since[:, mine.argmax()]
        before, after = (age < 0) & (age >= -window[0]), (age >= 0) & (age < window[1])
        if not before.any():
            raise ModelInputError("an entry year leaves no year before it in the record; start earlier")
        base = year_effects[before].sum(axis=0)
        predicted = year_effects * (y[before].sum(axis=0) / np.where(base > 0, base, 1.0))
        for side, span in enumerate((before, after)):
            observed[side, span] += y[span] @ chosen
            expected[side, span] += predicted[span] @ chosen
        count[after] += seen[after].astype(float) @ chosen
    live = (observed > 0) & (expected > 0)
    early, late = np.log(np.where(live, observed, 1.0) / np.where(live, expected, 1.0))
    count *= live[1]
    scale = np.sqrt(np.maximum((early**2).sum(axis=0) / np.maximum(live[0].sum(axis=0), 1), MIN_SPREAD**2))
    return (late * count).sum(axis=0) / np.where(count.any(axis=0), count.sum(axis=0), np.nan), scale


def _test(statistic: pd.Series, size: Callable[[Any], np.ndarray]) -> pd.Series:
    """The first against the others, by ``size``; one without a value is no evidence."""
    value, drawn = float(statistic.iloc[0]), statistic.iloc[1:].to_numpy()
    (low, high), floor = np.nanquantile(drawn, [0.025, 0.975]), 1 / len(statistic)
    extreme = ~(size(drawn) < size(value) - 1e-12)
    return pd.Series({"value": value, "p_value": (1 + extreme.sum()) * floor, "floor": floor, "low": low, "high": high})
