"""Placebos in space, 30 donors by 28 years: ours in one call against a loop of pysyncon on the same panel.

The panel is Korea's exports (logs) to India and its thirty largest partners with complete records, 1990 to 2017,
treatment in 2010. pysyncon is given our problem as it stands, outcomes as the only predictors with equal importance,
so that it solves for weights alone; its ordinary fit, which also searches those importances, is timed on a few units.

    python -m bench placebos --rounds 5

pysyncon is a package for this benchmark only: the extra ``bench``.
"""

import statistics
import time
import warnings

import numpy as np
import pandas as pd

from kbio_analysis.data import series
from kbio_analysis.models import synthetic_control
from kbio_analysis.models.synthetic_control import METHODS, fit_targets

TREATED, START, YEARS, DONORS = "IND", 2010, slice("1990", "2017"), 30
LARGEST_DIFFERENCE = 0.01  # of any weight, where the optimum is unique
LEAST_RATIO = 50.0
MOST_SECONDS = 2.0
SEARCHED = 2  # ordinary fits of pysyncon that are timed: each takes seconds
FREE = 1e-7  # a multiplier below this share of the largest leaves its donor free to enter at no cost


def panel() -> pd.DataFrame:
    """Logs of Korea's exports, years x (the treated, then the donors)."""
    exports = series.partner_exports().loc[YEARS]
    complete = exports.loc[:, (exports > 0).all()]
    largest = complete.sum().sort_values(ascending=False).index.drop(TREATED)[:DONORS]
    return np.log(complete[[TREATED, *largest]])


def unique(own: np.ndarray, donors: np.ndarray, weights: np.ndarray) -> bool:
    """Whether no other weights of the simplex fit as well: the donors that could enter are affinely independent."""
    slopes = donors.T @ (donors @ weights - own)
    multipliers = slopes - slopes @ weights
    free = (weights > 0) | (multipliers < FREE * np.abs(multipliers).max())
    stacked = np.vstack([donors[:, free], np.ones(free.sum())])
    return np.linalg.matrix_rank(stacked) == free.sum()


def theirs(pre: pd.DataFrame, unit: str, *, search: bool = False) -> np.ndarray:
    """pysyncon's weights for one unit against all others of the panel."""
    from pysyncon import Synth

    own, donors = pre[unit], pre.drop(columns=unit)
    # It divides every predictor by its spread; this importance undoes that, and the periods count equally again.
    importance = None if search else pre.std(axis=1).to_numpy() ** 2
    fitted = Synth()
    fitted.fit(X0=donors, X1=own, Z0=donors, Z1=own, custom_V=importance)
    return fitted.W


def seconds(work, *arguments: object, **options: object) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    work(*arguments, **options)
    return time.perf_counter() - began


def main(rounds: int = 3) -> int:
    """Measure and print; returns 1 if a target is missed."""
    warnings.simplefilter("ignore")
    y = panel()
    pre, units = y[y.index < str(START)], list(y.columns[1:])
    fits = {method: synthetic_control.fit(y, TREATED, START, method=method) for method in METHODS}
    ours, loops = [], []
    for _ in range(rounds):
        ours.append(seconds(synthetic_control.placebo_in_space, fits["simplex"]))
        loops.append(seconds(lambda: [theirs(pre, unit) for unit in units]))
    every = sum(seconds(synthetic_control.placebo_in_space, found) for found in fits.values())
    searching = statistics.mean(seconds(theirs, pre, unit, search=True) for unit in units[:SEARCHED])
    ratio = statistics.median(loop / own for loop, own in zip(loops, ours, strict=True))

    weights = fit_targets(y.to_numpy(), range(1, y.shape[1]), len(pre), "simplex")[0]
    differences = []
    for position, unit in enumerate(units, start=1):
        known = np.delete(weights[:, position - 1], position)
        if unique(pre[unit].to_numpy(), pre.drop(columns=unit).to_numpy(), known):
            differences.append(float(np.abs(known - theirs(pre, unit)).max()))

    took = statistics.median(ours)
    print(f"{len(units)} placebos, {y.shape[0]} years of which {len(pre)} before {START}, {rounds} paired rounds:")
    print(f"  ours                        {took:8.4f} s   all methods {every:.3f} s (target under {MOST_SECONDS:g} s)")
    print(f"  pysyncon, weights alone     {statistics.median(loops):8.2f} s   {ratio:,.0f}x (target {LEAST_RATIO:g}x)")
    print(f"  pysyncon, ordinary fits     {searching * len(units):8.0f} s   from {SEARCHED} of {len(units)} fits")
    largest = max(differences, default=0.0)
    print(
        f"  largest difference of a weight {largest:.4f} over {len(differences)} units with one optimum (target 0.01)"
    )
    met = every < MOST_SECONDS and ratio >= LEAST_RATIO and largest <= LARGEST_DIFFERENCE and differences
    return 0 if met else 1
