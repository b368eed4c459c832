"""The charts notebooks show; importing this package imports matplotlib."""

from kbio_analysis.present.figures.canvas import chart
from kbio_analysis.present.figures.fta_record import event_profile, forest

__all__ = [
    "chart",
    "event_profile",
    "forest",
]
