"""What is left of an effect if trends were not parallel: bounds under drift of a limited size."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.event_study import EventStudy


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftBound:
    """``low`` and ``high`` of the mean effect (log points) if trends after entry drift by up to ``relative_magnitude``
    times the largest yearly step seen before it; ``low_95`` and ``high_95`` add the estimate's own error."""

    relative_magnitude: float
    low: float
    high: float
    low_95: float
    high_95: float


def drift_bounds(study: EventStudy, magnitudes: Sequence[float] = (0.5, 1.0, 2.0), *, horizon: int) -> list[DriftBound]:
    """Bounds on the mean effect of the first ``horizon`` periods (Rambachan & Roth 2023, eq. 5, relative magnitudes).

    Yearly deviations from parallel trends are at most M times the largest lead-to-lead step, so after k + 1 years they
    add up to (k + 1) times it. ``low_95`` and ``high_95`` widen the bounds by 1.96 standard errors, which takes the
    leads as known; the full robust interval is wider still. Raises ModelInputError for a study without leads or with
    leads that are not measured from the year before entry.
    """
    before = study.profile.index[study.profile.index < -1]
    if not len(before) or study.base != "the year before entry":
        raise ModelInputError(f"{study.method}: no leads measured from the year before entry; use callaway_santanna")
    after = [e for e in study.profile.index if 0 <= e < horizon]
    path = [*study.profile.loc[before, "effect_log_points"], 0.0]
    step = float(np.max(np.abs(np.diff(path))))
    w = np.full(len(after), 1 / len(after))
    mean = float(w @ study.profile.loc[after, "effect_log_points"].to_numpy())
    se = sqrt(float(w @ study.covariance.loc[after, after].to_numpy() @ w))
    reach = step * float(w @ (np.asarray(after) + 1.0))
    margin = stats.norm.ppf(0.975) * se
    return [
        DriftBound(
            relative_magnitude=float(m),
            low=mean - m * reach,
            high=mean + m * reach,
            low_95=float(mean - m * reach - margin),
            high_95=float(mean + m * reach + margin),
        )
        for m in magnitudes
    ]
