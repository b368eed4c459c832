"""The charts notebooks show; importing this package imports matplotlib."""

from kbio_analysis.present.figures.canvas import chart
from kbio_analysis.present.figures.exports import definitions, fan, monthly_fan, witness_fan
from kbio_analysis.present.figures.odds import model_scores, odds_by_method, odds_by_vintage

__all__ = [
    "chart",
    "definitions",
    "fan",
    "model_scores",
    "monthly_fan",
    "odds_by_method",
    "odds_by_vintage",
    "witness_fan",
]
