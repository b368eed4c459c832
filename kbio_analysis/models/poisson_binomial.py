"""How many of many unlike attempts succeed: the Poisson-binomial law, exactly, and its inverse questions.

S = sum of independent Bernoulli(p_i). Attempts that share a chance form a group of size n with a binomial law; the
law of S is the convolution of the groups' laws (Poisson 1837; Hong 2013, Computational Statistics & Data Analysis
59, compares this with other exact routes).
"""

from collections.abc import Sequence

import numpy as np
from scipy import optimize, signal, stats

from kbio_analysis.errors import ModelInputError

MOST_ATTEMPTS = 1_000_000
"""More attempts than this are refused: a law of that length is not what these questions need."""

Groups = Sequence[tuple[int, float]]
"""(number of attempts, chance of each) by group."""


def distribution(groups: Groups) -> np.ndarray:
    """P(S = 0), ..., P(S = N) for N attempts in all; shape (N + 1,).

    Raises :class:`ModelInputError` for a negative count, a chance outside 0 to 1, or more than MOST_ATTEMPTS.
    """
    _check(groups)
    law = np.ones(1)
    for n, p in groups:
        law = signal.convolve(law, stats.binom.pmf(np.arange(n + 1), n, p), method="direct")
    return law


def at_least(k: int, groups: Groups) -> float:
    """P(S >= k). Summed over the smaller of the two tails, so that neither end loses its digits."""
    law = distribution(groups)
    if k <= 0:
        return 1.0
    low, high = float(law[:k].sum()), float(law[k:].sum())
    return high if high < 0.5 else 1.0 - low


def attempts_needed(k: int, p: float, chance: float) -> int | None:
    """The fewest like attempts with P(S >= k) of at least ``chance``; None if MOST_ATTEMPTS do not suffice."""
    _check([(1, p)])
    if k < 1 or not 0 < chance < 1:
        raise ModelInputError(f"k = {k}, chance = {chance}: give k of 1 or more and a chance between 0 and 1")
    if stats.binom.sf(k - 1, MOST_ATTEMPTS, p) < chance:
        return None
    low, high = k - 1, MOST_ATTEMPTS
    while high - low > 1:
        middle = (low + high) // 2
        if stats.binom.sf(k - 1, middle, p) >= chance:
            high = middle
        else:
            low = middle
    return high


def share_needed(k: int, groups: Groups, chance: float) -> float | None:
    """The share s by which every chance must be multiplied for P(S >= k) = ``chance``; None if s = 1 falls short.

    With chances of approval in ``groups`` this is the share of approvals that must be of the wanted kind.
    """
    if not 0 < chance < 1:
        raise ModelInputError(f"chance = {chance}: give a value between 0 and 1")
    _check(groups)

    def gap(s: float) -> float:
        return at_least(k, [(n, p * s) for n, p in groups]) - chance

    return float(optimize.brentq(gap, 0.0, 1.0, xtol=1e-10)) if gap(1.0) >= 0 else None


def _check(groups: Groups) -> None:
    for n, p in groups:
        if n < 0 or int(n) != n or not 0 <= p <= 1:
            raise ModelInputError(f"{n} attempts with chance {p}: give a whole count and a chance from 0 to 1")
    if sum(n for n, _ in groups) > MOST_ATTEMPTS:
        raise ModelInputError(f"more than {MOST_ATTEMPTS:,} attempts; group fewer")
