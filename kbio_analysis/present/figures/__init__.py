"""The charts notebooks show; importing this package imports matplotlib."""

from kbio_analysis.present.figures.agreement import (
    agreement_flows,
    agreement_paths,
    agreement_placebos,
    agreement_specifications,
    monthly_break,
)
from kbio_analysis.present.figures.canvas import chart
from kbio_analysis.present.figures.fta_record import event_profile, forest
from kbio_analysis.present.figures.lines import lines
from kbio_analysis.present.figures.ranks import place_gap, rank_bump, rank_chances

__all__ = [
    "agreement_flows",
    "agreement_paths",
    "agreement_placebos",
    "agreement_specifications",
    "chart",
    "event_profile",
    "forest",
    "lines",
    "monthly_break",
    "place_gap",
    "rank_bump",
    "rank_chances",
]
