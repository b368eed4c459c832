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


def averages(world: pd.DataFrame, members: pd.DataFrame) -> pd.Series:
    """By (name, direction), log points: ``common``, one effect for all, and ``mean``, that of each agreement's own."""
    together, own = (
        structural_gravity.effects(world, given, home=HOME).table.effect_log_points
        for given in (members.assign(agreement="common"), members)
    )
    return pd.concat({"common": together["common"], "mean": own.groupby(level="direction").mean()})


def without(world: pd.DataFrame, members: pd.DataFrame, left_out: np.ndarray) -> pd.Series:
    """Those averages on the panel without some economies."""
    kept = world[~world.exporter.isin(left_out) & ~world.importer.isin(left_out)]
    return averages(kept, members)


def bias(world: pd.DataFrame, members: pd.DataFrame, splits: int) -> pd.DataFrame:
    """By average and direction, log points: whole, halves, bias of the whole, and its 95% half width over splits."""
    economies = np.unique(world[["exporter", "importer"]])
    others = np.setdiff1d(economies, [HOME, *members.iso3])
    rng, found = np.random.default_rng(SEED), []
    for _ in range(max(splits, 2)):
        halves = np.array_split(rng.permutation(others), 2)
        found.append(sum(without(world, members, half) for half in halves) / 2)
    whole, halved = averages(world, members), pd.DataFrame(found)
    left = len(economies) - len(others) / 2
    off = left / (len(economies) - left) * (halved - whole)
    frame = pd.DataFrame({"whole": whole, "halves": halved.mean(), "bias": off.mean()})
    return frame.assign(half_width=1.96 * off.std() / np.sqrt(len(found)))


def placebos(world: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """What a pretended agreement from ``PRETENDED`` shows, by (kind, direction, iso3): value, error, n_years.

    ``placebo`` is its effect over its first ten years, ``placebo_step`` the step of its event study, as
    ``structural_gravity.of_partner`` has them. Korea's true agreements keep their own effects in each regression.
    """
    real = members[members.entry_year <= world.year.max()]
    rows = {}
    for iso3 in np.setdiff1d(world[["exporter", "importer"]], [HOME, *real.iso3]):
        found = structural_gravity.of_partner(world, real, home=HOME, partner=iso3, start=PRETENDED)
        for way, own in found.table.iterrows():
            step = found.step(way, PRETENDED)
            rows["placebo", way, iso3] = own.effect_log_points, own.se_log_points, own.n_years
            rows["placebo_step", way, iso3] = step["step"], step["se"], len(found.study.year.unique())
    index = pd.MultiIndex.from_tuples(rows, names=["kind", "direction", "name"])
    return pd.DataFrame(list(rows.values()), index=index, columns=["value", "error", "n_years"]).sort_index()


def main(rounds: int = 3) -> int:
    """Print both average effects of the whole and of the halves over ``rounds`` splits, and the bias; then placebos.

    Returns 1 if the bias lies beyond the bound that ``structural_record`` keeps for the papers, or a placebo moved.
    """
    found = bias(load("world_trade_panel"), trade.structural_agreements(), rounds)
    kept = load("structural_record").query("kind == 'bias'").set_index(["name", "direction"])
    bounds = (kept.value.abs() + kept.error).reindex(found.index)
    print(f"{max(rounds, 2)} splits; log points:")
    for (name, way), row in found.iterrows():
        print(f"  {name:<6} {way:<8} whole {row.whole:+.3f}   halves {row.halves:+.3f}   bias of the whole", end=" ")
        print(f"{row.bias:+.3f} +- {row.half_width:.3f} (on record up to {bounds[name, way]:.3f})")
    pretended = placebos(load("world_trade_panel"), trade.structural_agreements())
    for (kind, way), own in pretended.groupby(level=["kind", "direction"]):
        spread, beyond = own.value.std(), (own.value.abs() > 1.96 * own.error).sum()
        print(f"  {kind:<12} {way:<8} {len(own)} pretended agreements: standard deviation {spread:.2f}", end="")
        print(f", mean standard error {own.error.mean():.2f}, {beyond} beyond 1.96 errors")
    kept = load("structural_record").set_index(["kind", "direction", "name"]).value.loc[["placebo", "placebo_step"]]
    moved = not kept.index.equals(pretended.index) or (kept - pretended.value).abs().max() > SAME
    return int(not (found.bias.abs() <= bounds).all() or moved)
