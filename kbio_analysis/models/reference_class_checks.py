"""Would the pool have foretold the cases it holds? Each group left out in turn and foretold from the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd
from scipy import optimize, stats
from scipy.special import betaln

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_levels
from kbio_analysis.models.conformal import clopper_pearson
from kbio_analysis.models.reference_class import PooledEffect, pool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOneOut:
    """Each group foretold from the others.

    ``table``: one row an estimate: group, estimate, centre, scale, crps, crps_no_effect (same spread around zero),
    crps_nothing (certainty of zero), and inside_L per level. ``coverage``: indexed by level: share, low, high
    (Clopper-Pearson 95%), n.
    """

    table: pd.DataFrame
    coverage: pd.DataFrame

    @property
    def mean_crps(self) -> pd.Series:
        """Mean scores of the pool, of the same spread around zero, and of certainty that nothing happens."""
        return self.table[["crps", "crps_no_effect", "crps_nothing"]].mean()


def leave_one_out(pooled: PooledEffect, groups: Sequence[str], *, levels: Sequence[float] = (80, 95)) -> LeaveOneOut:
    """Leave out all estimates of one group (an agreement), pool the rest, foretell what was left out.

    The foretold spread holds the variance of measuring the held-out estimate as well, because that is what is seen.
    The rival "no effect" has mean zero and the spread that fits the rest best.
    """
    chosen = check_levels(levels)
    labels = np.asarray(groups)
    rows = []
    for group in dict.fromkeys(labels):
        out = labels == group
        rest = _subset(pooled, ~out)
        centred = _gls_free_spread(pooled, ~out)
        for i in np.flatnonzero(out):
            noise2 = float(pooled.covariance.iat[i, i])
            at = {name: float(pooled.design[name].iloc[i] + pooled.centres[name]) for name in pooled.centres.index}
            centre, scale = rest.predictive(at, noise2)
            seen = float(pooled.estimates.iloc[i])
            degrees = max(rest.degrees - 1, 1)
            row = {"group": group, "estimate": seen, "centre": centre, "scale": scale}
            row["crps"] = crps_t(seen, centre, scale, degrees)
            row["crps_no_effect"] = crps_t(seen, 0.0, sqrt(centred + noise2), degrees)
            row["crps_nothing"] = abs(seen)
            for level in chosen:
                half = stats.t.ppf(0.5 + level / 200, degrees) * scale
                row[f"inside_{level:g}"] = abs(seen - centre) <= half
            rows.append(row)
    table = pd.DataFrame(rows)
    spans = []
    for level in chosen:
        hits = int(table[f"inside_{level:g}"].sum())
        low, high = clopper_pearson(hits, len(table))
        spans.append({"level": level, "share": hits / len(table), "low": low, "high": high, "n": len(table)})
    return LeaveOneOut(table=table, coverage=pd.DataFrame(spans).set_index("level"))


def crps_t(y: float, centre: float, scale: float, degrees: int) -> float:
    """CRPS of a scaled t distribution (Jordan, Krueger & Lerch 2019, table 2); of the normal as degrees grow."""
    z, n = (y - centre) / scale, degrees
    if n <= 1:
        raise ModelInputError("the CRPS of a t distribution needs more than one degree of freedom")
    constant = 2 * sqrt(n) / (n - 1) * np.exp(betaln(0.5, n - 0.5) - 2 * betaln(0.5, n / 2))
    value = z * (2 * stats.t.cdf(z, n) - 1) + 2 * stats.t.pdf(z, n) * (n + z * z) / (n - 1) - constant
    return float(scale * value)


def _subset(pooled: PooledEffect, keep: np.ndarray) -> PooledEffect:
    raw = pooled.design.drop(columns="mean") + pooled.centres
    V = pooled.covariance.to_numpy()[np.ix_(keep, keep)]
    rows = pooled.estimates.index[keep]
    return pool(
        pooled.estimates[keep],
        pd.DataFrame(V, index=rows, columns=rows),
        covariates=raw[keep] if raw.shape[1] else None,
    )


def _gls_free_spread(pooled: PooledEffect, keep: np.ndarray) -> float:
    """tau^2 around a mean of zero: the likelihood without any coefficient."""
    b, V = pooled.estimates.to_numpy()[keep], pooled.covariance.to_numpy()[np.ix_(keep, keep)]

    def loss(tau2: float) -> float:
        total = V + tau2 * np.eye(len(b))
        return float(np.linalg.slogdet(total)[1] + b @ np.linalg.solve(total, b))

    top = 4 * float(np.mean(b**2)) + 1e-12
    return float(optimize.minimize_scalar(loss, bounds=(1e-10 * top, top), method="bounded").x)
