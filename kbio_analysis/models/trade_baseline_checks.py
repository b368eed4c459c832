"""Do the intervals of trade without an agreement hold what they promise? Partners left out, and an earlier year."""

import numpy as np
import pandas as pd

from kbio_analysis.models.conformal import clopper_pearson
from kbio_analysis.models.trade_baseline import Hindcast

JUDGED_YEARS = (1, 3, 5, 10)
"""Years ahead, beside the last, at which coverage is measured."""


def coverage(found: Hindcast, *, level: float = 90, origin: int | None = None) -> pd.DataFrame:
    """How often errors fall inside the interval made from others; one row a flow: share, n, low, high.

    By default each partner is judged by all the others, its origins and years ahead (JUDGED_YEARS) averaged.
    With ``origin``, its errors are judged by those known by then, as a forecaster of that year would have; n counts
    partners, and low and high are the 95% range of the share for so many independent ones.
    """
    partner, origins = (found.weight.index.get_level_values(name) for name in ("partner", "origin"))
    codes, names = pd.factorize(partner)
    weight = found.weight.to_numpy()
    rows = {}
    for flow, errors in found.errors.items():
        values = errors.to_numpy()
        if origin is None:
            others, judged = np.arange(len(names))[:, None] != codes, codes
        else:
            others, judged = np.ones((1, len(codes)), dtype=bool), np.where(origins == origin, 0, -1)
        inside, counted = np.zeros(len(codes)), np.zeros(len(codes))
        for k in sorted({*(year - 1 for year in JUDGED_YEARS if year < values.shape[1]), values.shape[1] - 1}):
            known = np.isfinite(values[:, k])
            used = others & known if origin is None else others & known & (np.asarray(origins) <= origin - k - 1)
            asked = known & (judged >= 0)
            if not (asked.any() and used.any(axis=1).all()):
                continue
            low, high = _limits(values[:, k], weight, used, level)
            at = judged[asked]
            inside[asked] += (values[asked, k] >= low[at]) & (values[asked, k] <= high[at])
            counted[asked] += 1
        held = counted > 0
        share = float(np.average(inside[held] / counted[held], weights=weight[held]))
        n = len(set(codes[held]))
        rows[flow] = (share, n, *clopper_pearson(share * n, n))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["share", "n", "low", "high"]).rename_axis("flow")


def _limits(errors: np.ndarray, weight: np.ndarray, used: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Weighted quantiles at both tails of the ``used`` rows (judges x cases), one pair a judge."""
    order = np.argsort(errors, kind="stable")
    mass = np.cumsum(used[:, order] * weight[order], axis=1)
    mass /= mass[:, -1:]
    tail = (1 - level / 100) / 2
    return tuple(errors[order][np.argmax(mass >= q - 1e-12, axis=1)] for q in (tail, 1 - tail))
