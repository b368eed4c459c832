"""How far a gap could be drift: bounds under limited departures from parallel trends, for one treated unit.

Relative magnitudes of Rambachan & Roth (2023): after treatment the bias may move from one period to the next by at
most Mbar times the largest such move before treatment. With one treated unit no sampling covariance is available, so
the pre-period moves stand for drift and noise together, which makes the bounds wide rather than narrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.models.synthetic_control import SyntheticControlFit


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftBounds:
    """``table`` Mbar -> low, high of the average effect, in the outcome's unit; ``largest_move`` before treatment;
    ``breakdown`` the Mbar at which the bounds first hold zero (inf when nothing ever moved)."""

    table: pd.DataFrame
    largest_move: float
    breakdown: float


def relative_magnitudes(result: SyntheticControlFit, multiples: Sequence[float] = (0.5, 1.0, 2.0)) -> DriftBounds:
    """Bounds on the average effect for each Mbar of ``multiples``.

    After k treated periods the bias is at most k Mbar D, with D the largest move; averaged over H periods it is
    Mbar D (H + 1)/2.
    """
    after = result.gap.index >= result.start
    move = float(np.abs(np.diff(result.gap[~after].to_numpy())).max())
    bias = move * (int(after.sum()) + 1) / 2
    rows = {m: (result.effect - m * bias, result.effect + m * bias) for m in multiples}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["low", "high"]).rename_axis("mbar")
    breakdown = abs(result.effect) / bias if bias > 0 else float("inf")
    return DriftBounds(table=table, largest_move=move, breakdown=breakdown)
