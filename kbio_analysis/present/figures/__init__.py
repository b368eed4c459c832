"""The charts notebooks show; importing this package imports matplotlib."""

from kbio_analysis.present.figures.agreement import (
    agreement_flows,
    agreement_paths,
    agreement_placebos,
    agreement_specifications,
    monthly_break,
)
from kbio_analysis.present.figures.canvas import chart
from kbio_analysis.present.figures.export_record import (
    pending_chart,
    record_definitions,
    revision_dots,
    season_chart,
    to_date_chart,
    trend_chart,
)
from kbio_analysis.present.figures.exports import definitions, fan, monthly_fan, witness_fan
from kbio_analysis.present.figures.fta_record import event_profile, forest
from kbio_analysis.present.figures.odds import model_scores, odds_by_method, odds_by_vintage
from kbio_analysis.present.figures.ranks import place_gap, rank_bump, rank_chances
from kbio_analysis.present.figures.reform import biologics_share, candidates, clock_times, rank_fan, tornado

__all__ = [
    "agreement_flows",
    "agreement_paths",
    "agreement_placebos",
    "agreement_specifications",
    "biologics_share",
    "candidates",
    "chart",
    "clock_times",
    "definitions",
    "event_profile",
    "fan",
    "forest",
    "model_scores",
    "monthly_break",
    "monthly_fan",
    "odds_by_method",
    "odds_by_vintage",
    "pending_chart",
    "place_gap",
    "rank_bump",
    "rank_chances",
    "rank_fan",
    "record_definitions",
    "revision_dots",
    "season_chart",
    "to_date_chart",
    "tornado",
    "trend_chart",
    "witness_fan",
]
