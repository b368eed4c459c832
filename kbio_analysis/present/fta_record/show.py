"""Tables and records of the notebook on agreements, each shown by one call."""

from collections.abc import Mapping, Sequence
from math import expm1

import pandas as pd

from kbio_analysis.models.agreement_reference import AgreementReference
from kbio_analysis.models.event_study import METHODS
from kbio_analysis.models.randomisation import RandomisationTest
from kbio_analysis.models.reference_class import MixturePrediction, PooledEffect
from kbio_analysis.models.reference_class_checks import LeaveOneOut
from kbio_analysis.models.trend_drift import DriftBound
from kbio_analysis.present.fta_record.studies import Studies
from kbio_analysis.present.outputs import record
from kbio_analysis.present.tables import table

FITTED_RTOL = 1e-6
"""Tolerance of what iterates to convergence or sums over draws from a fixed seed."""

SOLVER_RTOL = 1e-4
"""Tolerance of results of the packaged estimators, which stop at tolerances of their own."""

LOG = {"unit": "log points", "rtol": FITTED_RTOL}


def show_entries(entries: pd.DataFrame, treatment: pd.DataFrame, *, source: str) -> None:
    """Each agreement with its partners, its possible entry years and how precisely they are known."""
    first = entries[(entries["rank"] == 1) & entries.iso3.isin(treatment.index)]
    rows = [
        (
            name,
            len(group),
            int(group.first_possible.min()),
            _years(group.first_possible, group.last_possible),
            ", ".join(dict.fromkeys(group.precision)),
        )
        for name, group in first.groupby("agreement")
    ]
    columns = ["Agreement", "Partners", "First", "Entry counts from", "Dates known as"]
    frame = pd.DataFrame(rows, columns=columns).sort_values(["First", "Agreement"]).drop(columns="First")
    table(frame, id="entries", caption="Agreements on goods, by the year they count from", source=source)


def _years(first: pd.Series, last: pd.Series) -> str:
    low, high = int(first.min()), last.max()
    if last.isna().any():
        return f"{low} or later"
    return str(low) if low == high else f"{low}–{int(high)}"


def effect_table(reference: AgreementReference, spread: pd.Series) -> pd.DataFrame:
    """Measured, shrunken and chance, one row an agreement and direction."""
    found = reference.record.table
    columns = {
        "Agreement": found.index.get_level_values("agreement"),
        "Direction": found.index.get_level_values("direction"),
        "Partners": found.n_partners.to_numpy(),
        "Cells": found.n_observations.to_numpy(),
        "Log points": found.effect_log_points.to_numpy(),
        "Per cent": found.effect_pct.to_numpy(),
        "Shrunken": reference.pooled.shrunken.to_numpy(),
        "Shared error": found.se_shared_log_points.to_numpy(),
        "Chance spread": spread.reindex(found.index).to_numpy(),
    }
    return pd.DataFrame(columns)


def show_effects(reference: AgreementReference, spread: pd.Series, *, source: str) -> None:
    """The effects behind the forest chart."""
    formats = dict.fromkeys(["Log points", "Shrunken", "Shared error", "Chance spread"], ".2f")
    caption = "Effects by agreement and direction, log points unless said; cells are partner-years from entry"
    table(
        effect_table(reference, spread),
        id="effects",
        caption=caption,
        source=source,
        formats=formats | {"Per cent": ".0f"},
    )


def show_studies(studies: Studies, *, source: str) -> None:
    """The four estimators beside each other."""
    rows = []
    for (direction, method), s in studies.items():
        low, high = s.interval()
        p = s.leads.p_value if s.leads else None
        rows.append((METHODS[method], direction, s.overall, low, high, p, s.n_treated, s.n_never))
    columns = ["Estimator", "Direction", "Log points", "Low 95%", "High 95%", "p of leads", "Treated", "Never treated"]
    formats = dict.fromkeys(["Log points", "Low 95%", "High 95%"], ".2f") | {"p of leads": ".4f"}
    caption = "Mean effect over treated partner-years, and the joint test of the years before entry"
    table(pd.DataFrame(rows, columns=columns), id="estimators", caption=caption, source=source, formats=formats)


def show_bounds(bounds: Mapping[str, Sequence[DriftBound]], *, source: str) -> None:
    """What drifting trends leave of the effect; nothing without leads."""
    rows = [(d, b.relative_magnitude, b.low, b.high, b.low_95, b.high_95) for d, spans in bounds.items() for b in spans]
    if not rows:
        return
    columns = ["Direction", "Drift, multiple of the largest step", "Low", "High", "Low with error", "High with error"]
    formats = {"Drift, multiple of the largest step": "g"} | dict.fromkeys(columns[2:], ".2f")
    caption = "Bounds on the mean effect of the first years under drifting trends, log points"
    table(pd.DataFrame(rows, columns=columns), id="drift", caption=caption, source=source, formats=formats)


def specification_table(pools: Mapping[str, PooledEffect | None]) -> pd.DataFrame:
    """One row a specification: specification, mean, low, high, tau, n_effects; empty cells where it could not run."""
    rows = []
    for name, pooled in pools.items():
        if pooled is None:
            rows.append((name, None, None, None, None, 0))
        else:
            rows.append((name, pooled.mean, *pooled.confidence_interval(95), pooled.tau, len(pooled.estimates)))
    columns = ["specification", "mean_log_points", "low_log_points", "high_log_points", "tau_log_points", "n_effects"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:5], float))


def show_specifications(frame: pd.DataFrame, *, source: str) -> None:
    """The pooled mean under other choices."""
    labels = ["Specification", "Mean, log points", "Low 95%", "High 95%", "Tau", "Effects"]
    formats = dict.fromkeys(labels[1:5], ".2f")
    caption = "The pooled mean under other choices, one changed at a time"
    table(frame.set_axis(labels, axis=1), id="specifications", caption=caption, source=source, formats=formats)


def show_fta_sources(sources: pd.DataFrame) -> None:
    """Publisher, title, date and address of every source."""
    frame = sources[["publisher", "title", "published", "url"]].drop_duplicates()
    frame = frame.set_axis(["Publisher", "Title", "Published", "Address"], axis=1)
    table(frame, id="sources", caption="Sources of every figure on this page", source="data/tables/sources.csv")


def record_pool(reference: AgreementReference, *, levels: Sequence[int]) -> None:
    """The pooled mean, the spread and the prediction intervals."""
    pooled = reference.pooled
    agreements = reference.record.table.index.get_level_values("agreement").nunique()
    low, high = pooled.confidence_interval(95)
    record("n_agreements", agreements, unit="agreements", meaning="agreements with at least one effect")
    record("n_effects", len(pooled.estimates), unit="effects", meaning="agreements times directions in the pool")
    record("pooled_mean_log_points", pooled.mean, meaning="mean effect over agreements and directions", **LOG)
    percent = {"unit": "per cent", "rtol": FITTED_RTOL}
    record("pooled_mean_pct", 100 * expm1(pooled.mean), meaning="the same in per cent", **percent)
    record("pooled_mean_low_95", low, meaning="lower end of its 95% interval, Knapp-Hartung", **LOG)
    record("pooled_mean_high_95", high, meaning="upper end of its 95% interval, Knapp-Hartung", **LOG)
    record("tau", pooled.tau, meaning="spread between measured effects beyond the shared comparisons", **LOG)
    for level in sorted({80, 95, *levels}):
        low, high = pooled.prediction_interval(level)
        record(f"prediction_low_{level}", low, meaning=f"lower {level}% limit of a next agreement's effect", **LOG)
        record(f"prediction_high_{level}", high, meaning=f"upper {level}% limit of a next agreement's effect", **LOG)
    kind = {"unit": "probability", "rtol": FITTED_RTOL}
    record(
        "p_positive", pooled.p_above(0.0), meaning="chance that a next agreement's measured effect is positive", **kind
    )
    above = pooled.p_above(0.22314355131)
    record("p_above_25_pct", above, meaning="chance that a next agreement's measured effect exceeds 25%", **kind)
    for direction in reference.record.n_comparisons:
        alone = reference.by_direction.get(direction)
        value = None if alone is None else alone.mean
        record(f"pooled_mean_{direction}_log_points", value, meaning=f"mean effect over agreements, {direction}", **LOG)


def record_chance(
    test: RandomisationTest, spread: RandomisationTest, net: PooledEffect, twin: MixturePrediction
) -> None:
    """What pretended agreements say of the mean and the spread, and what is left beyond them."""
    kind = {"unit": "probability", "rtol": FITTED_RTOL}
    record("randomisation_p", test.p_value, meaning="share of draws with a mean at least as far from zero", **kind)
    record("randomisation_p_floor", test.floor, meaning="smallest p the number of draws allows", **kind)
    record("spread_p", spread.p_value, meaning="share of draws that spread at least as widely", **kind)
    record("net_mean_log_points", net.mean, meaning="pooled mean with the chance spread as error", **LOG)
    record("net_tau", net.tau, unit="log points", rtol=1e-3, meaning="spread between agreements beyond chance")
    low, high = twin.interval(80)
    record(
        "net_prediction_low_80", low, meaning="lower 80% limit of what an agreement itself adds, tau averaged", **LOG
    )
    record(
        "net_prediction_high_80", high, meaning="upper 80% limit of what an agreement itself adds, tau averaged", **LOG
    )
    record(
        "net_p_positive", 1 - twin.cdf(0.0), meaning="chance that an agreement itself adds trade, tau averaged", **kind
    )


def record_tests(tested: LeaveOneOut, other: PooledEffect | None, studies: Studies) -> None:
    """Coverage and scores of agreements left out, the other outcome, and the estimators."""
    for level, row in tested.coverage.iterrows():
        meaning = f"share of left-out effects inside their {level:g}% interval"
        record(f"leave_one_out_coverage_{level:g}", float(row.share), unit="share", meaning=meaning)
    score = tested.mean_crps
    for name, meaning in (("crps", "the pool"), ("crps_no_effect", "the same spread around no effect")):
        record(name, float(score[name]), meaning=f"mean CRPS of left-out effects by {meaning}", **LOG)
    value = None if other is None else other.mean
    record("pooled_mean_other_outcome_log_points", value, meaning="pooled mean measured by the other outcome", **LOG)
    for (direction, method), study in studies.items():
        meaning = f"mean over treated partner-years, {direction}, {METHODS[method]}"
        name = f"{method}_{direction}_log_points"
        record(name, study.overall, unit="log points", rtol=SOLVER_RTOL, meaning=meaning)
