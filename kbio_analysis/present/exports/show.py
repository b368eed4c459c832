"""Tables and records of the export notebooks, each shown by one call."""

from collections.abc import Mapping
from math import isfinite

import pandas as pd

from kbio_analysis.models.export_target import ExportOdds
from kbio_analysis.models.monthly_models import MonthlyOutlook as Witness
from kbio_analysis.present.exports import evidence
from kbio_analysis.present.exports.odds import CLASS_FORMATS, class_table, driver_table, goal
from kbio_analysis.present.exports.target import scope_table
from kbio_analysis.present.outputs import SIMULATED_RTOL, record
from kbio_analysis.present.tables import table
from kbio_analysis.vocabulary import ExportSeries

FITTED_RTOL = 1e-6
"""Tolerance of results that rest on sums over many members."""


def show_scopes(published: pd.DataFrame, series: Mapping[str, ExportSeries], *, source: str) -> None:
    """What each published definition counts."""
    frame = scope_table(published, series)
    formats = {frame.columns[-1]: ",.0f"}
    table(frame, id="scopes", caption="What each definition counts", source=source, formats=formats)


def show_classes(odds: ExportOdds, *, source: str) -> None:
    """The reference classes and their pool."""
    caption = f"Reference classes: chance that {goal(odds)}, with the exact 95% range of each share"
    table(class_table(odds), id="classes", caption=caption, source=source, formats=CLASS_FORMATS)


def show_drivers(drivers: pd.DataFrame, *, source: str) -> None:
    """What the three results hang on."""
    caption = "What the three results hang on: each assumption changed alone"
    table(driver_table(drivers), id="drivers", caption=caption, source=source)


def show_prior(prior: pd.DataFrame, *, source: str) -> None:
    """The outside rate weighed against the reference class."""
    caption = "Chance of the target with the outside growth rate as a prior"
    table(evidence.prior_table(prior), id="prior", caption=caption, source=source, formats=evidence.PRIOR_FORMATS)


def show_models(witness: Witness, *, label: str, source: str) -> None:
    """Point forecasts of the witness by model; nothing when it is silent."""
    if witness.by_model is not None:
        caption = f"{label}: point forecasts of {witness.target_year} by model"
        frame = evidence.model_table(witness)
        table(frame, id="models", caption=caption, source=source, formats=evidence.MODEL_FORMATS)


def show_sources(sources: pd.DataFrame) -> None:
    """Publisher, title, date and address of every source."""
    caption = "Sources of every figure on this page"
    table(evidence.source_table(sources), id="sources", caption=caption, source="data/tables/sources.csv")


def record_arithmetic(odds: ExportOdds, *, required_pct: float, segment_end: float, market_end: float) -> None:
    """What the target takes, and what growth with the segment or the market gives."""
    year = odds.target_year
    record(
        "required_growth_pct",
        required_pct,
        unit="per cent a year",
        meaning="growth the target takes from the base year",
    )
    path = {"unit": "US$ million", "meaning": "exports in the target year if they grow with the segment"}
    record(f"segment_path_{year}_usd_m", segment_end, **path)
    gap = {"unit": "US$ million", "meaning": "target less the segment path; negative if the path passes it"}
    record("segment_shortfall_usd_m", odds.target_usd_m - segment_end, **gap)
    market = {"unit": "US$ million", "meaning": "exports in the target year if they grow with all pharmaceuticals"}
    record(f"market_path_{year}_usd_m", market_end, **market)


def record_position(odds: ExportOdds) -> None:
    """Where exports stand by ``as_of``."""
    start = odds.position
    record("latest_year", start.latest_year, unit="year", meaning="last year of the chosen definition by as_of")
    level = {"unit": "US$ million", "meaning": "base value moved by the definition's growth since the base year"}
    record("latest_value_usd_m", start.latest_usd_m, **level)
    growth = {"unit": "per cent", "meaning": "growth of the chosen definition since the base year"}
    record("growth_since_base_pct", start.growth_since_base_pct, **growth)
    rest = {"unit": "per cent a year", "meaning": "growth the target takes from the latest year"}
    record("growth_still_required_pct", odds.required_growth_pct, **rest)


def record_odds(odds: ExportOdds) -> None:
    """The pooled odds, their range over the classes, and the year of doubling."""
    kind = {"unit": "probability", "rtol": FITTED_RTOL}
    classes = odds.by_class.p_doubling
    record("probability_of_target", odds.p_target, meaning="pooled chance of the target by the target year", **kind)
    record(
        "probability_of_doubling", odds.p_doubling, meaning="pooled chance of twice the base by the target year", **kind
    )
    record("probability_of_doubling_low", classes.min(), meaning="the same in the least hopeful class", **kind)
    record("probability_of_doubling_high", classes.max(), meaning="the same in the most hopeful class", **kind)
    keep = "pooled chance of growing at least with the segment from base year to target year"
    record("probability_of_segment_growth", odds.p_segment, meaning=keep, **kind)
    year = odds.median_doubling_year if isfinite(odds.median_doubling_year) else None
    doubling = {"unit": "year (fraction)", "meaning": "pooled median time of doubling; none if most never double"}
    record("median_doubling_year", year, rtol=FITTED_RTOL, **doubling)


def record_evidence(prior: pd.DataFrame, witness: Witness, before: ExportOdds) -> None:
    """The witnesses beside the pool, and the odds before the latest years were known."""
    middle = evidence.middle(prior.probability)
    rate = {
        "unit": "probability",
        "meaning": "chance of the target with the outside rate at its middle error",
    }
    record("probability_with_outside_rate", middle, rtol=FITTED_RTOL, **rate)
    own = {
        "unit": "probability",
        "meaning": "chance that the witness reaches the multiple of its own base year",
    }
    record("probability_of_target_witness", evidence.witness_chance(witness), rtol=SIMULATED_RTOL, **own)
    base = {"unit": "probability", "meaning": "pooled chance from the base year, with the same reference classes"}
    record("probability_of_target_before_latest_years", before.p_target, rtol=FITTED_RTOL, **base)
