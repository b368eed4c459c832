"""Randomisation inference over entry dates: agreements handed to partners that never had one.

Under the sharp null that agreements do nothing, a never-treated partner given an agreement's entry date shows what
chance alone produces. Each draw gives every agreement as many never-treated partners as it has members (at most a
third of the comparisons, or the draws would hardly differ), with the members' entry dates, and computes the same
effect by the same saturated PPML, the partner itself left out of its own comparison. The p-value counts the real
assignment among the draws, (1 + extreme)/(1 + draws), so it is never 0 (Fisher 1935; Conley & Taber 2011 for the use
of untreated units' spread).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.agreement_record import AgreementRecord, two_way
from kbio_analysis.models.checks import check_count, checked_frame, whole_years

LARGEST_SHARE = 3
"""An agreement is given at most one in so many of the comparisons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomisationTest:
    """``value`` observed, ``p_value`` (of the mean two-sided, of the spread one-sided) with its ``floor`` =
    1/(1 + draws), ``low`` and ``high`` the middle 95% of the draws. Values in log points."""

    value: float
    p_value: float
    floor: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassignment:
    """``draws``: n_draws x (agreement, direction), effects of pretended agreements in log points.

    ``spread``: their standard deviation by column: what partners' own shocks do to a measured effect.
    """

    draws: pd.DataFrame
    spread: pd.Series

    def test(self, observed: pd.Series) -> RandomisationTest:
        """The mean of ``observed`` over agreements (any subset of the columns) against the draws' means."""
        drawn = self.draws[list(observed.index)].mean(axis=1).to_numpy()
        value = float(observed.mean())
        return _test(value, drawn, np.abs(drawn) >= abs(value) - 1e-12)

    def spread_test(self, observed: pd.Series) -> RandomisationTest:
        """The standard deviation of ``observed`` over agreements against the draws': is the spread itself unusual?"""
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
    drawn = {}
    for direction, panel in outcomes.items():
        panel = whole_years(checked_frame(panel, [], direction), direction)
        placebos = _Placebos(panel[list(comparisons[direction])], pre_years, post_years)
        for name in found.table.index[found.table.index.get_level_values("direction") == direction].get_level_values(0):
            members = treatment.index[(treatment["agreement"] == name) & treatment.index.isin(panel.columns)]
            drawn[(name, direction)] = placebos.effects(treatment.loc[members, "entry_year"].to_list(), n_draws, rng)
    draws = pd.DataFrame(drawn)[list(found.table.index)]
    draws.columns = found.table.index
    return Reassignment(draws=draws, spread=draws.std())


class _Placebos:
    """Observed and foretold values of every comparison after any entry year, each foretold by the others."""

    def __init__(self, panel: pd.DataFrame, pre: int, post: int) -> None:
        self.y, self.years, self.pre, self.post = panel.to_numpy(dtype=float), panel.index.to_numpy(), pre, post
        n = self.y.shape[1]
        everything = np.ones((len(self.y), n - 1), dtype=bool)
        fits = [two_way(np.delete(self.y, j, axis=1), everything).year for j in range(n)]
        self.year_effects = np.column_stack(fits)  # (T, N): year effects without partner j

    def effects(self, entries: Sequence[int], n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """(n_draws,) mean of log(sum observed / sum foretold) over the years that the agreement's members are in."""
        n = self.y.shape[1]
        k = min(len(entries), max(n // LARGEST_SHARE, 1))
        picks = rng.random((n_draws, n)).argsort(axis=1)[:, :k]
        observed = np.zeros((n_draws, len(self.years)))
        expected, count = observed.copy(), np.zeros(len(self.years))
        for member, entry in enumerate(entries[:k]):
            before = (self.years < entry) & (self.years >= entry - self.pre)
            after = (self.years >= entry) & (self.years < entry + self.post)
            if not before.any():
                raise ModelInputError(f"no year before {entry} in the record; start earlier")
            scale = self.y[before].sum(axis=0) / self.year_effects[before].sum(axis=0)
            chosen = picks[:, member]
            observed[:, after] += self.y[np.ix_(after, chosen)].T
            expected[:, after] += (self.year_effects * scale)[np.ix_(after, chosen)].T
            count += after
        live = count > 0
        return np.log(observed[:, live] / expected[:, live]) @ (count[live] / count.sum())


def _test(value: float, drawn: np.ndarray, extreme: np.ndarray) -> RandomisationTest:
    low, high = np.quantile(drawn, [0.025, 0.975])
    p_value, floor = (1 + int(extreme.sum())) / (1 + len(drawn)), 1 / (1 + len(drawn))
    return RandomisationTest(value=value, p_value=p_value, floor=floor, low=float(low), high=float(high))
