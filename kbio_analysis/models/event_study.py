"""Staggered adoption: effects by years from entry, with those before it, and bounds under drifting trends.

Group-time effects on log outcomes against never-treated units (Callaway & Sant'Anna 2021, eq. 3.1) from diff-diff; with
a complete record they are those of Sun & Abraham (2021, eq. 26) as well. Aggregates weight each cohort and event time
by its treated units. Clustered by unit. A unit that is treated throughout its record is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from warnings import catch_warnings, simplefilter

import numpy as np
import pandas as pd
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_years, checked_frame, typed, whole_years

MIN_NEVER = 4
"""Fewest never-treated units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStudy:
    """Effects in log points, measured from the year before entry.

    ``overall`` mean over treated observations with ``overall_se`` and 95% ``interval``; ``profile`` indexed by
    event_time (0 = entry, leads below it): effect_log_points, se_log_points, low and high (95%), n_treated;
    ``covariance`` of its effects. ``p_leads`` of the joint Wald test that all leads are zero, None without leads.
    ``n_treated`` and ``n_never`` units.
    """

    overall: float
    overall_se: float
    profile: pd.DataFrame
    covariance: pd.DataFrame
    p_leads: float | None
    n_treated: int
    n_never: int

    @property
    def interval(self) -> tuple[float, float]:
        half = stats.norm.ppf(0.975) * self.overall_se
        return self.overall - half, self.overall + half


def staggered(outcomes: pd.DataFrame, treatment: pd.Series, *, leads: int = 5, post: int = 10) -> EventStudy:
    """Estimate the effect of entering at ``treatment`` (unit -> first treated year) on ``outcomes``, years x units.

    Units absent from ``treatment`` never enter. Those whose outcome is complete and positive are kept, and the effects
    of ``leads`` years before entry and ``post`` after it, entry included. Raises :class:`ModelInputError` for too few
    never-treated units, or no treated one.
    """
    from diff_diff import CallawaySantAnna

    wide = whole_years(checked_frame(outcomes, [], "event study"), "event study")
    entry = check_years(treatment, "treatment").reindex(wide.columns)
    years = wide.index
    kept = wide.columns[(wide > 0).all() & ~(entry > years.max()) & ~(entry <= years.min())]
    cohorts, never = entry[kept].dropna().astype(int).value_counts(), int(entry[kept].isna().sum())
    if never < MIN_NEVER or cohorts.empty:
        raise ModelInputError(
            f"{never} never-treated and {cohorts.sum()} treated units have a complete positive record; at least "
            f"{MIN_NEVER} and 1 are needed: start later or leave fewer years"
        )
    logs = np.log(wide[kept]).rename_axis(index="period", columns="unit")
    frame = logs.melt(ignore_index=False, value_name="outcome").reset_index()
    frame = frame.assign(entry=frame["unit"].map(entry).fillna(0).astype(int))
    with catch_warnings():
        simplefilter("ignore")  # small cohorts are expected here and said on the page
        estimator = CallawaySantAnna(control_group="never_treated", base_period="universal")
        fitted = estimator.fit(frame, "outcome", "unit", "period", "entry", aggregate="event_study")
    index = pd.Index([int(e) for e in fitted.event_study_vcov_index], name="event_time")
    wanted = [e for e in index if -leads <= e < post and e != -1]
    V = pd.DataFrame(np.asarray(fitted.event_study_vcov), index=index, columns=index).loc[wanted, wanted]
    effects = pd.Series({e: float(fitted.event_study_effects[e]["effect"]) for e in wanted}, dtype=float)
    counts = pd.Series({e: cohorts[cohorts.index + e <= years.max()].sum() for e in wanted}, dtype=float)
    after, before = [e for e in wanted if e >= 0], [e for e in wanted if e < -1]
    w = (counts[after] / counts[after].sum()).to_numpy()
    se = pd.Series(np.sqrt(np.clip(np.diag(V), 0, None)), index=V.index)
    led, V_led = effects[before].to_numpy(), V.loc[before, before].to_numpy()
    wald = float(led @ np.linalg.pinv(V_led, hermitian=True) @ led)  # directions without variance count for nothing
    profile = pd.DataFrame({"effect_log_points": effects, "se_log_points": se})
    profile = profile.assign(low=effects - 1.96 * se, high=effects + 1.96 * se, n_treated=counts)
    return EventStudy(
        overall=float(w @ effects[after]),
        overall_se=sqrt(float(w @ V.loc[after, after].to_numpy() @ w)),
        profile=profile.rename_axis("event_time"),
        covariance=V,
        p_leads=float(stats.chi2.sf(wald, np.linalg.matrix_rank(V_led, hermitian=True))) if before else None,
        n_treated=int(cohorts.sum()),
        n_never=never,
    )


@typed
def drift_bounds(study: EventStudy, magnitudes: Sequence[float] = (0.5, 1.0, 2.0), *, horizon: int) -> pd.DataFrame:
    """Bounds on the mean effect of the first ``horizon`` periods (Rambachan & Roth 2023, eq. 5, relative magnitudes).

    Yearly deviations from parallel trends are at most M times the largest lead-to-lead step, so after k + 1 years they
    add up to (k + 1) times it. One row an M: relative_magnitude, low, high, and low_95, high_95 that add 1.96 standard
    errors, which takes the leads as known; the full robust interval is wider still. Raises ModelInputError for a study
    without leads.
    """
    before = study.profile.index[study.profile.index < -1]
    if not len(before):
        raise ModelInputError("the study has no leads to read a drift from; estimate it with leads of 2 or more")
    after = [e for e in study.profile.index if 0 <= e < horizon]
    path = [*study.profile.loc[before, "effect_log_points"], 0.0]
    step = float(np.max(np.abs(np.diff(path))))
    w = np.full(len(after), 1 / len(after))
    mean = float(w @ study.profile.loc[after, "effect_log_points"].to_numpy())
    se = sqrt(float(w @ study.covariance.loc[after, after].to_numpy() @ w))
    reach = step * float(w @ (np.asarray(after) + 1.0))
    margin = stats.norm.ppf(0.975) * se
    rows = [(float(m), mean - m * reach, mean + m * reach) for m in magnitudes]
    frame = pd.DataFrame(rows, columns=["relative_magnitude", "low", "high"])
    return frame.assign(low_95=frame.low - margin, high_95=frame.high + margin)
