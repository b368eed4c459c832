"""Several methods, one distribution: the linear opinion pool (Stone 1961).

The pool's distribution function is the weighted mean of the methods' own, so it is at least as wide as their
disagreement: nothing is averaged away. Weights are equal unless given.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kbio_analysis.errors import ModelInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionPool:
    """``draws`` of all methods (sorted) with the ``weight`` of each (sums to 1); ``methods`` their names in order."""

    draws: np.ndarray
    weight: np.ndarray
    methods: tuple[str, ...]

    def percentile(self, percent: float) -> float:
        """The smallest draw below or at which ``percent`` of the weight lies."""
        return float(self.draws[np.searchsorted(np.cumsum(self.weight), percent / 100 - 1e-12)])

    def p_above(self, threshold: float) -> float:
        """Weight of the draws above ``threshold``."""
        return float(self.weight[self.draws > threshold].sum())


def pool(draws: Mapping[str, np.ndarray], weights: Mapping[str, float] | None = None) -> OpinionPool:
    """Pool one-dimensional ``draws`` by method; ``weights`` default to equal ones, whatever the numbers of draws.

    Raises :class:`ModelInputError` without a method, for an empty or non-finite one, or for weights that are not.
    """
    names = tuple(draws)
    given = dict.fromkeys(names, 1.0) if weights is None else dict(weights)
    if not names or set(given) != set(names) or min(given.values()) < 0 or sum(given.values()) <= 0:
        raise ModelInputError("a pool needs at least one method, and a weight of zero or more for each of them")
    if any(np.ndim(v) != 1 or len(v) == 0 or not np.isfinite(v).all() for v in draws.values()):
        raise ModelInputError("every method must give a list of finite draws")
    total = sum(given.values())
    values = np.concatenate([draws[name] for name in names])
    weight = np.concatenate([np.full(len(draws[name]), given[name] / total / len(draws[name])) for name in names])
    order = np.argsort(values, kind="stable")
    return OpinionPool(draws=values[order], weight=weight[order], methods=names)
