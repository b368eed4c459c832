"""Several methods, one distribution: the linear opinion pool (Stone 1961).

The pool's distribution function is the weighted mean of the methods' own, so it is at least as wide as their
disagreement: nothing is averaged away. Weights are equal unless given.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from kbio_analysis.errors import ModelInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionPool:
    """``draws`` of all methods (sorted) with the ``weight`` of each (sums to 1)."""

    draws: np.ndarray
    weight: np.ndarray

    def percentile(self, percent: float) -> float:
        """The smallest draw at or below which ``percent`` of the weight lies."""
        return self.percentiles([percent])[0]

    def percentiles(self, percents: Iterable[float]) -> list[float]:
        """The same for several."""
        mass = np.cumsum(self.weight)
        return [float(self.draws[np.searchsorted(mass, percent / 100 - 1e-12)]) for percent in percents]

    def p_above(self, threshold: float) -> float:
        """Weight of the draws above ``threshold``."""
        return float(self.weight[self.draws > threshold].sum())


def pool(draws: Mapping[str, np.ndarray], weights: Mapping[str, float] | None = None) -> OpinionPool:
    """Pool one-dimensional ``draws`` by method; ``weights`` default to equal ones, whatever the numbers of draws.

    Raises :class:`ModelInputError` without a method, for an empty or non-finite one, or for weights that are not.
    """
    if not isinstance(draws, Mapping):
        raise ModelInputError(f"draws: {type(draws).__name__} was given; pass method -> draws")
    values = {name: np.asarray(v, dtype=float) for name, v in draws.items()}
    given = dict.fromkeys(values, 1.0) if weights is None else dict(weights)
    if not values or set(given) != set(values) or min(given.values()) < 0 or sum(given.values()) <= 0:
        raise ModelInputError("a pool needs at least one method, and a weight of zero or more for each of them")
    if any(v.ndim != 1 or len(v) == 0 or not np.isfinite(v).all() for v in values.values()):
        raise ModelInputError("every method must give a list of finite draws")
    total = sum(given.values())
    joined = np.concatenate(list(values.values()))
    weight = np.concatenate([np.full(len(v), given[name] / total / len(v)) for name, v in values.items()])
    order = np.argsort(joined, kind="stable")
    return OpinionPool(draws=joined[order], weight=weight[order])
