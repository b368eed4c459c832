"""Will a rank be reached? The chance read from a short history of yearly moves, with the error of so few.

The next moves are drawn from those seen, with one further move's worth of weight on a two-sided geometric law of the
same mean size, so that no rank is out of reach by construction: the posterior mean of a Dirichlet process of mass one
(Ferguson 1973, Annals of Statistics 1). The chain is exact; its error comes from redrawing the weights (the Bayesian
bootstrap, Rubin 1981, Annals of Statistics 9). Years without a rank are bridged by moves as equal as whole places
allow, so that the drift stays what it was.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from kbio_analysis.errors import ModelInputError

PRIOR_MASS = 1.0
"""Weight of the geometric law beside the moves seen, in moves."""

SMALLEST_MEAN_MOVE = 0.5
"""Mean size of that law in places when the moves seen were smaller."""

WIDEST_MOVE = 10
"""Widest move a year that the chain knows."""

LOWEST_RANK = 30
"""The chain's last place; a country below it counts as standing there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankChance:
    """The chance of standing at ``target_rank`` or better in the target year.

    ``chance`` probability; ``low`` and ``high`` its 90% range over redrawn weights; ``moves`` the yearly moves used
    (negative: up); ``bridged`` how many of them stand for years without a rank; ``law`` probability by rank in the
    target year; ``fan`` year x (low, median, high), the 80% range of the rank on the way.
    """

    chance: float
    low: float
    high: float
    moves: np.ndarray
    bridged: int
    law: pd.Series
    fan: pd.DataFrame
    latest_rank: int
    latest_year: int
    target_rank: int
    target_year: int


def yearly_moves(history: pd.Series) -> tuple[np.ndarray, int]:
    """Moves a year of a rank history (index: years), and how many of them bridge years without a rank.

    Raises :class:`ModelInputError` for fewer than two ranks.
    """
    ranks = history.sort_index()
    if len(ranks) < 2:
        raise ModelInputError(f"{len(ranks)} rank in the history: two are needed to see a move")
    moves: list[int] = []
    bridged = 0
    for (y0, r0), (y1, r1) in zip(ranks.items(), ranks.iloc[1:].items(), strict=False):
        span = int(y1) - int(y0)
        steps = np.diff(np.round(np.linspace(r0, r1, span + 1) + 1e-9)).astype(int)
        moves += steps.tolist()
        bridged += span if span > 1 else 0
    return np.array(moves), bridged


def rank_chance(
    history: pd.Series, *, target_rank: int, target_year: int, best_rank: int = 1, n: int = 1000, seed: int = 0
) -> RankChance:
    """P(rank <= ``target_rank`` in ``target_year``) from the yearly moves of ``history``; never exactly 0 or 1.

    ``best_rank`` is the best place within reach (places above it are held by countries out of reach); a move beyond
    it ends there. With no year left the chance is known: 0 or 1.
    """
    latest_year, latest = int(history.index.max()), int(history.sort_index().iloc[-1])
    years = target_year - latest_year
    if years < 0:
        raise ModelInputError(f"the history ends in {latest_year}, after the target year {target_year}")
    if not 1 <= best_rank <= LOWEST_RANK or not 1 <= target_rank <= LOWEST_RANK:
        raise ModelInputError(f"ranks from 1 to {LOWEST_RANK} only")
    moves, bridged = yearly_moves(history)
    weighted = move_weights(moves)
    values, weights = weighted.index.to_numpy(), weighted.to_numpy()
    best = min(best_rank, latest)
    laws = _chain(latest, values, weights[None, :], years, best)
    rng = np.random.default_rng(seed)
    draws = rng.dirichlet(weights, size=n)
    ends = _chain(latest, values, draws, years, best)[-1]
    tails = ends[:, :target_rank].sum(axis=1)
    law = pd.Series(laws[-1][0], index=pd.RangeIndex(1, LOWEST_RANK + 1, name="rank"))
    cumulative = np.cumsum(np.vstack([step[0] for step in laws]), axis=1)
    fan = pd.DataFrame(
        {name: 1 + (cumulative < q - 1e-12).sum(axis=1) for name, q in (("low", 0.1), ("median", 0.5), ("high", 0.9))},
        index=pd.RangeIndex(latest_year, target_year + 1, name="year"),
    )
    return RankChance(
        chance=float(law.iloc[:target_rank].sum()),
        low=float(np.quantile(tails, 0.05)),
        high=float(np.quantile(tails, 0.95)),
        moves=moves,
        bridged=bridged,
        law=law,
        fan=fan,
        latest_rank=latest,
        latest_year=latest_year,
        target_rank=target_rank,
        target_year=target_year,
    )


def move_weights(moves: np.ndarray) -> pd.Series:
    """Weight of every move from -WIDEST_MOVE to WIDEST_MOVE, in moves: those seen plus PRIOR_MASS spread geometrically.

    The spread's law is P(m) proportional to q^|m| with mean |m| = 2q/(1 - q^2) equal to that of the moves seen, at
    least SMALLEST_MEAN_MOVE.
    """
    mean = max(float(np.abs(moves).mean()), SMALLEST_MEAN_MOVE)
    q = (np.sqrt(1 + mean**2) - 1) / mean
    values = np.arange(-WIDEST_MOVE, WIDEST_MOVE + 1)
    spread = q ** np.abs(values)
    seen = np.array([(np.clip(moves, -WIDEST_MOVE, WIDEST_MOVE) == v).sum() for v in values], dtype=float)
    return pd.Series(seen + PRIOR_MASS * spread / spread.sum(), index=values, name="weight")


def _chain(start: int, values: np.ndarray, weights: np.ndarray, years: int, best: int) -> list[np.ndarray]:
    """Laws of the rank after 0, 1, ..., ``years`` moves; each (rows of weights, LOWEST_RANK)."""
    p = weights / weights.sum(axis=1, keepdims=True)
    law = np.zeros((len(p), LOWEST_RANK))
    law[:, start - 1] = 1.0
    laws, places = [law], np.arange(1, LOWEST_RANK + 1)
    shifts = np.stack([np.eye(LOWEST_RANK)[np.clip(places + move, best, LOWEST_RANK) - 1] for move in values])
    steps = np.tensordot(p, shifts, axes=1)
    for _ in range(years):
        law = np.einsum("ni,nij->nj", law, steps)
        laws.append(law)
    return laws


@dataclass(frozen=True, slots=True, kw_only=True)
class GapChance:
    """The chance that a share passes a rival's, from a walk of the log ratio without drift.

    ``gap_log`` latest log ratio (negative: behind); ``sd_log`` a year; ``steps`` number of steps it rests on.
    """

    chance: float
    gap_log: float
    sd_log: float
    steps: int


def gap_chance(ratio: pd.Series, *, target_year: int) -> GapChance | None:
    """P(ratio >= 1 in ``target_year``) for a log random walk seen at uneven years.

    None below two points, without a year left, or without a move.

    sigma^2 = mean of (step^2 / years between), and the walk's end is t with as many degrees of freedom as steps.
    """
    logs = np.log(ratio.sort_index())
    years = target_year - int(logs.index[-1]) if len(logs) else 0
    if len(logs) < 2 or years < 1:
        return None
    spans = np.diff(logs.index.to_numpy(dtype=float))
    sd = float(np.sqrt(np.mean(np.diff(logs.to_numpy()) ** 2 / spans)))
    gap = float(logs.iloc[-1])
    if sd == 0:
        return None
    chance = float(stats.t.sf(-gap / (sd * np.sqrt(years)), df=len(spans)))
    return GapChance(chance=chance, gap_log=gap, sd_log=sd, steps=len(spans))


def share_growth_needed_pct(own: float, rival: float, rival_growth_pct: float, years: int) -> float | None:
    """Growth of one's own share that meets the rival's in ``years``, per cent a year; None if no year is left."""
    if own <= 0 or rival <= 0:
        raise ModelInputError("shares must be above zero")
    if years < 1:
        return None
    return 100 * ((1 + rival_growth_pct / 100) * (rival / own) ** (1 / years) - 1)
