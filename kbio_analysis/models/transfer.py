"""What past agreements say of the next: its mean effect by direction, and how the effect builds up after entry.

The mean is a prediction for an agreement not seen yet; the profile is the straight line through the effects by years
from entry, about their mean, and is held after the last year.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.models.checks import checked_frame, typed
from kbio_analysis.models.reference_class import MixturePrediction

PROFILE_YEARS = 10
"""Years from entry over which a prediction is an average."""


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
