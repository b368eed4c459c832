"""What past agreements say of the next: its mean effect by direction, and how the effect builds up after entry.

The mean is a prediction for an agreement not seen yet; the profile is the straight line through the effects by year
from entry, about their mean, and is held after the last year of the record's window.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.agreement_record import AgreementRecord, two_way
from kbio_analysis.models.checks import typed
from kbio_analysis.models.reference_class import MixturePrediction, averaged_over_tau
from kbio_analysis.models.reference_class import pool as pool_effects


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
def from_record(found: AgreementRecord, spread: pd.Series, panels: Mapping[str, Any], *, years: int = 10) -> Transfer:
    """The transfer of ``found``; each effect's chance spread (``Reassignment.spread``) counts as its error.

    ``panels``: outcomes, treatment and comparisons, as the record took them. Restricted likelihood may put what is left
    between agreements at zero, so the prediction is averaged over it. A direction with too few agreements is absent.
    """
    predictions = {}
    directions = found.effects.index.get_level_values("direction")
    for direction in directions.unique():
        mine = found.effects[directions == direction]
        own = np.diag(spread.reindex(mine.index).to_numpy(dtype=float) ** 2)
        try:
            pooled = pool_effects(mine, found.covariance.loc[mine.index, mine.index] + own)
        except ModelInputError:
            continue
        predictions[direction] = averaged_over_tau(pooled)
    lines = {d: _line(by_year(**panels, direction=d, years=years)) for d in predictions}
    return Transfer(predictions=predictions, profile=pd.DataFrame(lines, index=range(years)))


def by_year(
    outcomes: Mapping[str, pd.DataFrame],
    treatment: pd.DataFrame,
    comparisons: Mapping[str, Any],
    *,
    direction: str,
    years: int = 10,
) -> pd.Series:
    """Members' trade against the two-way fit on untreated years, by year from entry (0 first), log points."""
    panel = outcomes[direction]
    members = [p for p in panel.columns if p in treatment.index]
    partners = [*comparisons[direction], *members]
    y, when = panel[partners].to_numpy(dtype=float), np.asarray(panel.index)[:, None]
    entry = np.array([np.inf] * len(comparisons[direction]) + [float(treatment.at[m, "entry_year"]) for m in members])
    seen = np.isfinite(y)
    mean = two_way(y, seen & (when < entry)).mean
    effects = {}
    for after in range(years):
        cell = seen & (when - entry == after)
        if cell.any() and y[cell].sum() > 0:
            effects[after] = float(np.log(y[cell].sum() / mean[cell].sum()))
    return pd.Series(effects, dtype=float)


def _line(effects: pd.Series) -> pd.Series:
    slope = np.polyfit(effects.index, effects, 1)[0] if len(effects) > 1 else 0.0
    return pd.Series({year: slope * (year - effects.index.to_numpy().mean()) for year in range(10)})
