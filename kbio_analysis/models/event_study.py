"""Staggered adoption, estimated three ways behind one function, with leads, and bounds under drifting trends.

- ``etwfe_ppml``: extended two-way model by Poisson, one dummy a cohort and treated year (Wooldridge 2023, eq. 5.5);
  leads from the untreated observations alone (Borusyak, Jaravel & Spiess 2024, sec. 4.3).
- ``callaway_santanna`` (2021, eq. 3.1) on log outcomes, against never-treated units; with a complete record that is the
  estimate of Sun & Abraham (2021, eq. 26) as well.
- ``twfe``: the naive single dummy, by Poisson: units already treated serve as comparisons, so growing effects bias it.

Aggregates weight each cohort and event time by its treated observations. Clustered by unit. A unit that is treated
throughout its record has no path of its own to be held against: it is left out and counted, by every method.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
import pandas as pd
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_names, check_years, checked_frame, typed
from kbio_analysis.models.gravity import GravityFit, ppml

METHODS = {
    "etwfe_ppml": "Extended two-way PPML",
    "callaway_santanna": "Callaway-Sant'Anna, logs",
    "twfe": "Single dummy, PPML (naive)",
}
"""Estimators by name, with how readers see them."""

MIN_NEVER = 4
"""Fewest never-treated units."""

BASES = {
    "etwfe_ppml": "all years before entry for effects, the years before the leads for leads",
    "callaway_santanna": "the year before entry",
    "twfe": "all other observations, treated ones among them",
}
"""What effects are measured from, by method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStudy:
    """Effects in log points.

    ``overall`` mean over treated observations with ``overall_se``; ``profile`` indexed by event_time (0 = entry):
    effect_log_points, se_log_points, n_treated; leads are below 0. ``covariance`` of the profile's effects.
    ``p_leads`` of the joint Wald test that all leads are zero, None where the method has none. ``n_treated`` and
    ``n_never`` units; ``n_left_out`` units treated throughout.
    """

    method: str
    overall: float
    overall_se: float
    profile: pd.DataFrame
    covariance: pd.DataFrame
    p_leads: float | None
    n_treated: int
    n_never: int
    n_left_out: int

    @property
    def label(self) -> str:
        return METHODS[self.method]

    @property
    def base(self) -> str:
        return BASES[self.method]

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of ``overall``, normal."""
        half = stats.norm.ppf(0.975) * self.overall_se
        return self.overall - half, self.overall + half


def staggered(
    panel: pd.DataFrame, treatment: pd.Series, *, method: str, leads: int = 5, pre: int = 10, post: int = 10
) -> EventStudy:
    """Estimate the effect of entering at ``treatment`` (unit -> first treated year) on a long panel.

    ``panel`` has columns unit, period (years, or dates of them), outcome; units absent from ``treatment`` never enter.
    Treated units count from ``pre`` periods before entry to ``post`` after it (entry included). The method on logs
    keeps the units whose outcome is complete and positive over the panel. Raises :class:`ModelInputError` for an
    unknown method, doubled rows, too few never-treated units, or no treated one.
    """
    check_names(method, METHODS)
    panel = checked_frame(panel, ["unit", "period", "outcome"], "event study")
    panel = panel.assign(period=check_years(panel["period"], "period"))
    treatment = check_years(treatment, "treatment")
    if panel.duplicated(["unit", "period"]).any():
        raise ModelInputError("a unit and period stand twice in the panel; keep one row each")
    frame, n_left_out = _window(panel, treatment, pre, post)
    if method == "callaway_santanna":
        found = _on_logs(_complete(panel, treatment), leads, post)
    else:
        found = _etwfe(frame, leads) if method == "etwfe_ppml" else _single_dummy(frame)
        found |= dict(zip(("n_never", "n_treated"), _units(frame), strict=True))
    return EventStudy(method=method, n_left_out=n_left_out, **found)


@typed
def drift_bounds(study: EventStudy, magnitudes: Sequence[float] = (0.5, 1.0, 2.0), *, horizon: int) -> pd.DataFrame:
    """Bounds on the mean effect of the first ``horizon`` periods (Rambachan & Roth 2023, eq. 5, relative magnitudes).

    Yearly deviations from parallel trends are at most M times the largest lead-to-lead step, so after k + 1 years they
    add up to (k + 1) times it. One row an M: relative_magnitude, low, high, and low_95, high_95 that add 1.96 standard
    errors, which takes the leads as known; the full robust interval is wider still. Raises ModelInputError for a study
    without leads or with leads that are not measured from the year before entry.
    """
    before = study.profile.index[study.profile.index < -1]
    if not len(before) or study.method != "callaway_santanna":
        raise ModelInputError(f"{study.method}: no leads measured from the year before entry; use callaway_santanna")
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


def profiles(studies: Sequence[EventStudy]) -> pd.DataFrame:
    """Profiles on top of each other: event_time, their columns, method, its label; low and high (95%) of the first."""
    parts = [study.profile.assign(method=study.method, label=study.label) for study in studies]
    half = 1.96 * parts[0]["se_log_points"]
    parts[0]["low"], parts[0]["high"] = parts[0]["effect_log_points"] - half, parts[0]["effect_log_points"] + half
    return pd.concat(parts).reset_index()


def _window(panel: pd.DataFrame, treatment: pd.Series, pre: int, post: int) -> tuple[pd.DataFrame, int]:
    """Observations that count, and how many units are never seen untreated among them."""
    frame = panel[["unit", "period", "outcome"]].dropna()
    entry = frame["unit"].map(treatment).astype(float)
    frame = frame.assign(entry=entry, event=frame["period"] - entry)
    frame = frame[entry.isna() | ((frame["event"] >= -pre) & (frame["event"] < post))]
    always = frame.loc[frame["event"] >= 0, "unit"].unique()
    always = set(always) - set(frame.loc[frame["event"] < 0, "unit"])
    frame = frame[~frame["unit"].isin(always)]
    never, treated = _units(frame)
    if never < MIN_NEVER or not treated:
        raise ModelInputError(
            f"{never} never-treated and {treated} treated units with years before entry; at least {MIN_NEVER} and 1 "
            "are needed"
        )
    return frame.reset_index(drop=True), len(always)


def _units(frame: pd.DataFrame) -> tuple[int, int]:
    """Units never treated, and treated ones."""
    return frame.loc[frame["entry"].isna(), "unit"].nunique(), frame.loc[frame["event"] >= 0, "unit"].nunique()


def _poisson(frame: pd.DataFrame, dummies: pd.DataFrame) -> GravityFit:
    return ppml(pd.concat([frame, dummies], axis=1), "outcome", list(dummies), ["unit", "period"], "unit")


def _etwfe(frame: pd.DataFrame, leads: int) -> dict[str, Any]:
    treated = frame["event"] >= 0
    now = frame[treated]
    cell = ("d_" + now["entry"].astype(int).astype(str) + "_" + now["period"].astype(str)).rename("cell")
    fit = _poisson(frame, pd.get_dummies(cell, dtype=float).reindex(frame.index, fill_value=0.0))
    kept = [name for name in sorted(cell.unique()) if name in fit.coefficients.index]
    weights = pd.crosstab(now["event"].astype(int).rename("event_time"), cell)[kept]
    b, block = fit.coefficients[kept].to_numpy(), fit.covariance.loc[kept, kept].to_numpy()
    W, index = weights.div(weights.sum(axis=1), axis=0).to_numpy(), weights.index
    V = pd.DataFrame(W @ block @ W.T, index=index, columns=index)
    before = _untreated_leads(frame[~treated], leads)
    total = (weights.sum(axis=0) / weights.to_numpy().sum()).to_numpy()
    profile = pd.concat([before[0], _profile(pd.Series(W @ b, index=index), V, weights.sum(axis=1))])
    overall = {"overall": float(total @ b), "overall_se": sqrt(float(total @ block @ total))}
    return overall | {"profile": profile, "covariance": V, "p_leads": before[1]}


def _untreated_leads(untreated: pd.DataFrame, leads: int) -> tuple[pd.DataFrame, float | None]:
    """Effects of the last ``leads`` periods before entry against the earlier ones, from untreated observations only."""
    event = untreated["event"]
    earlier = int(event.min()) if event.notna().any() else 0
    wanted = [e for e in range(-leads, 0) if e > earlier + 1]
    if not wanted:
        return _profile(*_NOTHING), None
    dummies = pd.DataFrame({f"lead_{-e}": (event == e).astype(float) for e in wanted})
    fit, names = _poisson(untreated, dummies), list(dummies)
    index = pd.Index(wanted, name="event_time")
    effects = fit.coefficients[names].set_axis(index)
    V = fit.covariance.loc[names, names].set_axis(index, axis=0).set_axis(index, axis=1)
    counts = pd.Series([int((event == e).sum()) for e in wanted], index=index)
    return _profile(effects, V, counts), _wald(effects.to_numpy(), V.to_numpy())


def _single_dummy(frame: pd.DataFrame) -> dict[str, Any]:
    fit = _poisson(frame, (frame["event"] >= 0).astype(float).to_frame("agreement"))
    overall = {"overall": float(fit.coefficients.iloc[0]), "overall_se": float(fit.standard_errors.iloc[0])}
    return overall | {"profile": _profile(*_NOTHING), "covariance": _NOTHING[1], "p_leads": None}


def _complete(panel: pd.DataFrame, treatment: pd.Series) -> pd.DataFrame:
    """Log outcomes of the units with a positive outcome in every period; cohort 0 never enters."""
    wide = panel.pivot(index="period", columns="unit", values="outcome")
    cohort = treatment.reindex(wide.columns)
    keep = (wide > 0).all() & ~(cohort > wide.index.max()) & ~(cohort <= wide.index.min())
    logs = np.log(wide.loc[:, keep]).melt(ignore_index=False, value_name="outcome").reset_index()
    return logs.assign(entry=logs["unit"].map(cohort).fillna(0).astype(int))


def _on_logs(frame: pd.DataFrame, leads: int, post: int) -> dict[str, Any]:
    never = frame.loc[frame["entry"] == 0, "unit"].nunique()
    cohorts = frame[frame["entry"] > 0].drop_duplicates("unit").groupby("entry").size()
    if never < MIN_NEVER or cohorts.empty:
        raise ModelInputError(
            f"{never} never-treated and {int(cohorts.sum())} treated units have a complete positive record; "
            f"at least {MIN_NEVER} and 1 are needed: start later or use the Poisson methods"
        )
    effects, V = _callaway_santanna(frame)
    wanted = [e for e in effects.index if -leads <= e < post and e != -1]
    effects, V = effects[wanted], V.loc[wanted, wanted]
    last = int(frame["period"].max())
    counts = pd.Series({e: int(cohorts[cohorts.index + e <= last].sum()) for e in wanted}, dtype=float)
    after, before = [e for e in wanted if e >= 0], [e for e in wanted if e < -1]
    w = (counts[after] / counts[after].sum()).to_numpy()
    return {
        "overall": float(w @ effects[after].to_numpy()),
        "overall_se": sqrt(float(w @ V.loc[after, after].to_numpy() @ w)),
        "profile": _profile(effects, V, counts),
        "covariance": V,
        "p_leads": _wald(effects[before].to_numpy(), V.loc[before, before].to_numpy()) if before else None,
        "n_treated": int(cohorts.sum()),
        "n_never": int(never),
    }


def _callaway_santanna(frame: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """Event-time effects and their covariance from diff-diff, all event times it estimates."""
    from diff_diff import CallawaySantAnna

    columns = {"outcome": "outcome", "unit": "unit", "time": "period", "first_treat": "entry"}
    with catch_warnings():
        simplefilter("ignore")  # small cohorts are expected here and said on the page
        estimator = CallawaySantAnna(control_group="never_treated", base_period="universal")
        fitted = estimator.fit(frame, aggregate="event_study", **columns)
    index = pd.Index([int(e) for e in fitted.event_study_vcov_index], name="event_time")
    V = pd.DataFrame(np.asarray(fitted.event_study_vcov), index=index, columns=index)
    effects = pd.Series({int(e): float(v["effect"]) for e, v in fitted.event_study_effects.items()})
    return effects.reindex(index), V


_NOTHING = pd.Series(dtype=float), pd.DataFrame(dtype=float), pd.Series(dtype=float)


def _profile(effects: pd.Series, V: pd.DataFrame, counts: pd.Series) -> pd.DataFrame:
    se = np.sqrt(np.clip(np.diag(V.to_numpy()), 0, None))
    columns = {"effect_log_points": effects, "se_log_points": se, "n_treated": counts}
    return pd.DataFrame(columns, index=effects.index).rename_axis("event_time")


def _wald(effects: np.ndarray, V: np.ndarray) -> float:
    """P-value of the joint Wald test that all are zero (chi-square); directions without variance count for nothing."""
    statistic = float(effects @ np.linalg.pinv(V, hermitian=True) @ effects)
    return float(stats.chi2.sf(statistic, int(np.linalg.matrix_rank(V, hermitian=True))))
