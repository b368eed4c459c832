"""The incidental-parameter bias of structural gravity, from halves of the economies (Weidner & Zylkin 2021).

Coefficients of the three-way model have a bias of about B/N with N economies. Korea and its partners stay in every
panel, or the effect itself would be another one; of the others each half is left out in turn. With n economies left the
mean over both halves is off by B/n, so that the whole is off by (halves - whole) * n / (N - n).

    python -m bench bias --rounds 5
"""

import numpy as np
import pandas as pd

from kbio_analysis.data import trade
from kbio_analysis.models import structural_gravity

HOME, SEED = "KOR", 20040401


def without(world: pd.DataFrame, members: pd.DataFrame, left_out: np.ndarray) -> pd.Series:
    """The average effect by direction on the panel without some economies, log points."""
    kept = world[~world.exporter.isin(left_out) & ~world.importer.isin(left_out)]
    return structural_gravity.average(kept, members, home=HOME)["effect_log_points"]


def main(rounds: int = 3) -> int:
    """Print the average effect of the whole and of the halves over ``rounds`` splits, and the bound; no target."""
    world, members = trade.world_panel(), trade.structural_agreements()
    economies = np.unique(world[["exporter", "importer"]])
    others = np.setdiff1d(economies, [HOME, *members.iso3])
    rng, splits = np.random.default_rng(SEED), []
    for _ in range(max(rounds, 2)):
        halves = np.array_split(rng.permutation(others), 2)
        splits.append(sum(without(world, members, half) for half in halves) / 2)
    whole, split = structural_gravity.average(world, members, home=HOME), pd.DataFrame(splits)
    left = len(economies) - len(others) / 2
    factor = left / (len(economies) - left)
    print(f"{len(economies)} economies, {len(others)} of them no partners, {len(splits)} splits; log points:")
    for way, row in whole.iterrows():
        bias = factor * (split[way] - row.effect_log_points)
        bound = abs(bias.mean()) + 1.96 * bias.std() / np.sqrt(len(splits))
        print(f"  {way:<8} whole {row.effect_log_points:+.3f} (standard error {row.se_log_points:.3f})", end="")
        print(f"   halves {split[way].mean():+.3f}   bias of the whole {bias.mean():+.3f}, at most {bound:.3f}")
    return 0
