"""Randomisation inference over entry dates: agreements handed to partners that never had one.

Each draw gives every agreement as many never-treated partners as it has members (at most a
third of the comparisons, or the draws would hardly differ), with the members' entry dates, and computes the same
effect by the same saturated PPML, the partner itself left out of its own comparison. The p-value counts the real
assignment among the draws, (1 + extreme)/(1 + draws), so it is never 0 (Fisher 1935; Conley & Taber 2011 for the use
of untreated units' spread). Small partners scatter more than members do, so every effect, measured or pretended, is
scaled by the spread of its own gaps before entry and weighs by its years after it (Ferman & Pinto 2019).
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.agreement_record import AgreementRecord, log_gap, record, two_way
from kbio_analysis.models.checks import check_count, checked_frame, whole_years

LARGEST_SHARE = 3
"""An agreement is given at most one in so many of the comparisons."""


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
