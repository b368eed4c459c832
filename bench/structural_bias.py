"""What structural gravity is off by: its incidental-parameter bias, and what it finds where there is no agreement.

Coefficients of the three-way model have a bias of about B/N with N economies (Weidner & Zylkin 2021). Korea and its
partners stay in every panel, or the effect itself would be another one; of the others each half is left out in turn.
With n economies left the mean over both halves is off by B/n: the whole is off by (halves - whole) * n / (N - n).

The dummy of one partner rests on one cluster, so that its clustered error says little. Its honest yardstick is the
placebo: each economy without an agreement of Korea in the panel's years is given a pretended one, one at a time.

    python -m bench bias --rounds 5
"""

import numpy as np
import pandas as pd

from kbio_analysis.data import trade
from kbio_analysis.data.tables import load
from kbio_analysis.models import structural_gravity

HOME, SEED, PRETENDED, SAME = "KOR", 20040401, 2010, 1e-3


def average(world: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """One common effect a direction: effect_log_points and se_log_points."""
    found = structural_gravity.effects(world, members.assign(agreement="all"), home=HOME).table.loc["all"]
    return found[["effect_log_points", "se_log_points"]]


def without(world: pd.DataFrame, members: pd.DataFrame, left_out: np.ndarray) -> pd.Series:
    """The average effect by direction on the panel without some economies, log points."""
    kept = world[~world.exporter.isin(left_out) & ~world.importer.isin(left_out)]
    return average(kept, members)["effect_log_points"]


def bias(world: pd.DataFrame, members: pd.DataFrame, splits: int) -> pd.DataFrame:
    """By direction, log points: whole (the average effect), se, halves, bias of the whole and its 95% half width."""
    economies = np.unique(world[["exporter", "importer"]])
    others = np.setdiff1d(economies, [HOME, *members.iso3])
    rng, found = np.random.default_rng(SEED), []
    for _ in range(max(splits, 2)):
        halves = np.array_split(rng.permutation(others), 2)
        found.append(sum(without(world, members, half) for half in halves) / 2)
    whole, halved = average(world, members), pd.DataFrame(found)
    left = len(economies) - len(others) / 2
    off = left / (len(economies) - left) * (halved - whole.effect_log_points)
    frame = whole.set_axis(["whole", "se"], axis=1).assign(halves=halved.mean(), bias=off.mean())
    return frame.assign(half_width=1.96 * off.std() / np.sqrt(len(found)))


def placebos(world: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """What a pretended agreement from ``PRETENDED`` shows over its first ten years, by (direction, iso3).

    The columns of ``structural_gravity.effects``. Korea's true agreements keep their own effects in each regression.
    """
    real = members[members.entry_year <= world.year.max()]
    found = []
    for iso3 in np.setdiff1d(world[["exporter", "importer"]], [HOME, *real.iso3]):
        own = pd.DataFrame({"iso3": [iso3], "agreement": [iso3], "entry_year": [PRETENDED]})
        effects = structural_gravity.effects(world, pd.concat([real, own], ignore_index=True), home=HOME).table
        found.append(effects.loc[[iso3]])
    return pd.concat(found).swaplevel().sort_index()


def main(rounds: int = 3) -> int:
    """Print the average effect of the whole and of the halves over ``rounds`` splits, and the bound; then placebos.

    Returns 1 if the bias lies beyond the bound that ``structural_record`` keeps for the papers, or a placebo moved.
    """
    found = bias(load("world_trade_panel"), trade.structural_agreements(), rounds)
    kept = load("structural_record").query("kind == 'bias'").set_index("direction")
    bounds = kept.value.abs() + kept.error
    print(f"{max(rounds, 2)} splits; log points:")
    for way, row in found.iterrows():
        print(f"  {way:<8} whole {row.whole:+.3f} (standard error {row.se:.3f})   halves {row.halves:+.3f}", end="")
        print(f"   bias of the whole {row.bias:+.3f}, with noise {abs(row.bias) + row.half_width:.3f}", end="")
        print(f" (on record {bounds[way]:.3f})")
    pretended = placebos(load("world_trade_panel"), trade.structural_agreements())
    clear = pretended.effect_log_points.abs() > 1.96 * pretended.se_log_points
    for way, rows in pretended.groupby(level="direction"):
        effects, error = rows.effect_log_points, rows.se_log_points.mean()
        print(f"  {way:<8} {len(rows)} pretended agreements: standard deviation {effects.std():.2f}", end="")
        print(f", mean standard error {error:.2f}, {clear.xs(way, level='direction').sum()} beyond 1.96 errors")
    kept = load("structural_record").query("kind == 'placebo'").set_index(["direction", "name"]).value
    moved = not kept.index.equals(pretended.index) or (kept - pretended.effect_log_points).abs().max() > SAME
    return int((found.bias.abs() > bounds).any() or moved)
