"""Staggered adoption, estimated four ways behind one function, with leads.

- ``etwfe_ppml``: extended two-way model by Poisson, one dummy a cohort and treated year (Wooldridge 2023, eq. 5.5);
  leads from the untreated observations alone (Borusyak, Jaravel & Spiess 2024, sec. 4.3).
- ``callaway_santanna`` (2021, eq. 3.1) and ``sun_abraham`` (2021, eq. 26) on log outcomes, against never-treated units.
- ``twfe``: the naive single dummy, by Poisson: units already treated serve as comparisons, so growing effects bias it.

Aggregates weight each cohort and event time by its treated observations. Clustered by unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from warnings import catch_warnings, simplefilter

import numpy as np
import pandas as pd
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_names, checked_frame
from kbio_analysis.models.gravity import ppml

METHODS = {
    "etwfe_ppml": "Extended two-way PPML",
    "callaway_santanna": "Callaway-Sant'Anna, logs",
    "sun_abraham": "Sun-Abraham, logs",
    "twfe": "Single dummy, PPML (naive)",
}
"""Estimators by name, with how readers see them."""

MIN_NEVER = 5
"""Fewest never-treated units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadTest:
    """Joint Wald test that all leads are zero: ``statistic``, ``degrees`` (leads), ``p_value`` (chi-square)."""

    statistic: float
    degrees: int
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStudy:
    """Effects in log points.

    ``overall`` mean over treated observations with ``overall_se``; ``profile`` indexed by event_time (0 = entry):
    effect_log_points, se, n_treated; leads are below 0. ``covariance`` of the profile's effects. ``leads`` is None
    where the method has none. ``n_treated`` and ``n_never`` units, ``n_obs`` observations, ``dropped`` left out by
    the estimator. ``base`` says what leads and effects are measured from.
    """

    method: str
    overall: float
    overall_se: float
    profile: pd.DataFrame
    covariance: pd.DataFrame
    leads: LeadTest | None
    n_treated: int
    n_never: int
    n_obs: int
    dropped: int
    base: str

    def interval(self, level: float = 95.0) -> tuple[float, float]:
        """Interval of ``overall`` at ``level`` per cent, normal."""
        half = stats.norm.ppf(0.5 + level / 200) * self.overall_se
        return self.overall - half, self.overall + half


def staggered(
    panel: pd.DataFrame, treatment: pd.Series, *, method: str, leads: int = 5, pre: int = 10, post: int = 10
) -> EventStudy:
    """Estimate the effect of entering at ``treatment`` (unit -> first treated period) on a long panel.

    ``panel`` has columns unit, period (years), outcome; units absent from ``treatment`` never enter. Treated
    units count from ``pre`` periods before entry to ``post`` after it (entry included). The methods on logs keep the
    units whose outcome is complete and positive over the panel.
    Raises :class:`ModelInputError` for an unknown method, doubled rows, too few never-treated units, or no treated one.
    """
    check_names([method], METHODS)
    panel = checked_frame(panel, ["unit", "period", "outcome"], "panel")
    if hasattr(panel["period"], "dt"):
        panel = panel.assign(period=panel["period"].dt.year)
    frame = _window(panel, treatment, pre, post)
    if method == "etwfe_ppml":
        return _etwfe(frame, leads)
    if method == "twfe":
        return _single_dummy(frame)
    return _on_logs(_complete(panel, treatment), method, leads, post)


def _window(panel: pd.DataFrame, treatment: pd.Series, pre: int, post: int) -> pd.DataFrame:
    if panel.duplicated(["unit", "period"]).any():
        raise ModelInputError("a unit and period stand twice in the panel; keep one row each")
    frame = panel[["unit", "period", "outcome"]].dropna()
    entry = frame["unit"].map(treatment).astype(float)
    event = frame["period"] - entry
    frame = frame.assign(entry=entry, event=event)
    frame = frame[event.isna() | ((event >= -pre) & (event < post))]
    never, treated = (
        frame.loc[frame["entry"].isna(), "unit"].nunique(),
        frame.loc[frame["event"] >= 0, "unit"].nunique(),
    )
    if never < MIN_NEVER or not treated:
        raise ModelInputError(
            f"{never} never-treated and {treated} treated units; at least {MIN_NEVER} and 1 are needed"
        )
    return frame.reset_index(drop=True)


def _etwfe(frame: pd.DataFrame, leads: int) -> EventStudy:
    treated = frame["event"] >= 0
    cell = frame["entry"].where(treated).astype("Int64").astype(str) + "_" + frame["period"].astype(str)
    names = sorted(cell[treated].unique())
    dummies = {f"d_{name}": ((cell == name) & treated).astype(float) for name in names}
    fit = ppml(pd.concat([frame, pd.DataFrame(dummies)], axis=1), "outcome", list(dummies), ["unit", "period"], "unit")
    size = cell[treated].value_counts()
    kept = [name for name in names if f"d_{name}" in fit.coefficients.index]
    weights = pd.DataFrame(0.0, index=sorted(frame.loc[treated, "event"].astype(int).unique()), columns=kept)
    for name in kept:
        entry, period = (int(part) for part in name.split("_"))
        weights.loc[period - entry, name] = size[name]
    effects, V = _aggregate(weights, fit.coefficients, fit.covariance, [f"d_{name}" for name in kept])
    before = _untreated_leads(frame[~treated], leads)
    profile = pd.concat([before[0], _profile(effects, V, weights.sum(axis=1))])
    total = weights.sum(axis=0) / weights.to_numpy().sum()
    overall = float(total.to_numpy() @ fit.coefficients[[f"d_{n}" for n in kept]].to_numpy())
    block = fit.covariance.loc[[f"d_{n}" for n in kept], [f"d_{n}" for n in kept]].to_numpy()
    return EventStudy(
        method="etwfe_ppml",
        overall=overall,
        overall_se=sqrt(float(total.to_numpy() @ block @ total.to_numpy())),
        profile=profile,
        covariance=V,
        leads=before[1],
        n_treated=int(frame.loc[treated, "unit"].nunique()),
        n_never=int(frame.loc[frame["entry"].isna(), "unit"].nunique()),
        n_obs=fit.n_obs,
        dropped=fit.dropped,
        base="all years before entry for effects, the years before the leads for leads",
    )


def _untreated_leads(untreated: pd.DataFrame, leads: int) -> tuple[pd.DataFrame, LeadTest | None]:
    """Effects of the last ``leads`` periods before entry against the earlier ones, from untreated observations only."""
    event = untreated["event"]
    earlier = int(event.min()) if event.notna().any() else 0
    wanted = [e for e in range(-leads, 0) if e > earlier + 1]
    if not wanted:
        return _profile(pd.Series(dtype=float), pd.DataFrame(), pd.Series(dtype=float)), None
    dummies = {f"lead_{-e}": (event == e).astype(float) for e in wanted}
    names = list(dummies)
    frame = pd.concat([untreated, pd.DataFrame(dummies)], axis=1)
    fit = ppml(frame, "outcome", names, ["unit", "period"], "unit")
    index = pd.Index(wanted, name="event_time")
    effects = pd.Series(fit.coefficients[names].to_numpy(), index=index)
    V = pd.DataFrame(fit.covariance.loc[names, names].to_numpy(), index=index, columns=index)
    counts = pd.Series([int((event == e).sum()) for e in wanted], index=index)
    return _profile(effects, V, counts), _wald(effects.to_numpy(), V.to_numpy())


def _single_dummy(frame: pd.DataFrame) -> EventStudy:
    treated = frame["event"] >= 0
    fit = ppml(frame.assign(agreement=treated.astype(float)), "outcome", ["agreement"], ["unit", "period"], "unit")
    return EventStudy(
        method="twfe",
        overall=float(fit.coefficients["agreement"]),
        overall_se=float(fit.standard_errors["agreement"]),
        profile=_profile(pd.Series(dtype=float), pd.DataFrame(), pd.Series(dtype=float)),
        covariance=pd.DataFrame(),
        leads=None,
        n_treated=int(frame.loc[treated, "unit"].nunique()),
        n_never=int(frame.loc[frame["entry"].isna(), "unit"].nunique()),
        n_obs=fit.n_obs,
        dropped=fit.dropped,
        base="all other observations, treated ones among them",
    )


def _complete(panel: pd.DataFrame, treatment: pd.Series) -> pd.DataFrame:
    """Log outcomes of the units with a positive outcome in every period; cohort 0 never enters."""
    wide = panel.pivot(index="period", columns="unit", values="outcome")
    last = wide.index.max()
    cohort = treatment.reindex(wide.columns)
    keep = (wide > 0).all() & ~(cohort > last) & ~(cohort <= wide.index.min())
    logs = np.log(wide.loc[:, keep]).melt(ignore_index=False, value_name="outcome").reset_index()
    return logs.assign(entry=logs["unit"].map(cohort).fillna(0).astype(int))


def _on_logs(frame: pd.DataFrame, method: str, leads: int, post: int) -> EventStudy:
    never = frame.loc[frame["entry"] == 0, "unit"].nunique()
    cohorts = frame[frame["entry"] > 0].drop_duplicates("unit").groupby("entry").size()
    if never < MIN_NEVER or cohorts.empty:
        raise ModelInputError(
            f"{never} never-treated and {int(cohorts.sum())} treated units have a complete positive record; "
            f"at least {MIN_NEVER} and 1 are needed: start later or use the Poisson methods"
        )
    effects, V = _fit_on_logs(frame, method, leads, post)
    wanted = [e for e in effects.index if -leads <= e < post and e != -1]
    effects, V = effects[wanted], V.loc[wanted, wanted]
    last = int(frame["period"].max())
    counts = pd.Series({e: int(cohorts[cohorts.index + e <= last].sum()) for e in wanted}, dtype=float)
    after = [e for e in wanted if e >= 0]
    w = (counts[after] / counts[after].sum()).to_numpy()
    before = [e for e in wanted if e < -1]
    return EventStudy(
        method=method,
        overall=float(w @ effects[after].to_numpy()),
        overall_se=sqrt(float(w @ V.loc[after, after].to_numpy() @ w)),
        profile=_profile(effects, V, counts),
        covariance=V,
        leads=_wald(effects[before].to_numpy(), V.loc[before, before].to_numpy()) if before else None,
        n_treated=int(cohorts.sum()),
        n_never=int(never),
        n_obs=len(frame),
        dropped=0,
        base="the year before entry",
    )


def _fit_on_logs(frame: pd.DataFrame, method: str, leads: int, post: int) -> tuple[pd.Series, pd.DataFrame]:
    """Event-time effects and their covariance from diff-diff, all event times it estimates."""
    from diff_diff import CallawaySantAnna, SunAbraham

    columns = {"outcome": "outcome", "unit": "unit", "time": "period", "first_treat": "entry"}
    with catch_warnings():
        simplefilter("ignore")  # small cohorts are expected here and said on the page
        if method == "callaway_santanna":
            fitted = CallawaySantAnna(control_group="never_treated", base_period="universal").fit(
                frame, aggregate="event_study", **columns
            )
        else:
            # Cohort-time cells are saturated, so rows outside the window change nothing but the time it takes.
            event = frame["period"] - frame["entry"]
            near = frame[(frame["entry"] == 0) | ((event >= -leads - 1) & (event < post))]
            fitted = SunAbraham(control_group="never_treated").fit(near, **columns)
    index = pd.Index([int(e) for e in fitted.event_study_vcov_index], name="event_time")
    V = pd.DataFrame(np.asarray(fitted.event_study_vcov), index=index, columns=index)
    effects = pd.Series({int(e): float(v["effect"]) for e, v in fitted.event_study_effects.items()})
    return effects.reindex(index), V


def _aggregate(
    weights: pd.DataFrame, coefficients: pd.Series, covariance: pd.DataFrame, names: Sequence[str]
) -> tuple[pd.Series, pd.DataFrame]:
    W = weights.div(weights.sum(axis=1), axis=0).to_numpy()
    index = pd.Index(weights.index, name="event_time")
    effects = pd.Series(W @ coefficients[list(names)].to_numpy(), index=index)
    V = W @ covariance.loc[list(names), list(names)].to_numpy() @ W.T
    return effects, pd.DataFrame(V, index=index, columns=index)


def _profile(effects: pd.Series, V: pd.DataFrame, counts: pd.Series) -> pd.DataFrame:
    se = np.sqrt(np.clip(np.diag(V.to_numpy()), 0, None)) if len(effects) else []
    return pd.DataFrame(
        {"effect_log_points": effects, "se_log_points": se, "n_treated": counts}, index=effects.index
    ).rename_axis("event_time")


def _wald(effects: np.ndarray, V: np.ndarray) -> LeadTest:
    """Joint Wald statistic; directions without variance count for nothing."""
    rank = int(np.linalg.matrix_rank(V, hermitian=True))
    statistic = float(effects @ np.linalg.pinv(V, hermitian=True) @ effects)
    return LeadTest(statistic=statistic, degrees=rank, p_value=float(stats.chi2.sf(statistic, rank)))
