"""Small multiples: one panel of lines for every value of a column, on scales that can be compared."""

from types import SimpleNamespace
from typing import Any

from kbio_analysis.present.canvas import Chart
from kbio_analysis.present.frames import Asked, Framed, told
from kbio_analysis.present.lines import LOOK, Drawing


def multiples(frame: Framed, y: Any, *, panels: str, columns: int = 2, **options: Any) -> Chart:
    """One small panel of lines for each value of the column ``panels``, in order, ``columns`` beside one another.

    The rest is as for :func:`~kbio_analysis.present.lines.lines`; a label has one colour and one scale in all panels.
    """
    shared = {k: v for k, v in options.items() if k not in LOOK}
    asked = Asked(multiples, frame, shared)
    look = SimpleNamespace(**LOOK | {k: v for k, v in options.items() if k in LOOK})
    if asked.frame.empty:
        return asked.nothing()
    group = asked.column(panels, "panels")
    names = list(group.dropna().unique())
    whole = Drawing(asked, asked.frame, y, look)
    drawings = {name: Drawing(asked, asked.frame[group == name], y, look, hues=whole.hues) for name in names}
    drawings = {name: drawing for name, drawing in drawings.items() if drawing.lines}
    if not drawings:
        return asked.nothing()
    plots = [drawing.plot() for drawing in drawings.values()]
    common = whole.plot()
    for name, plot in zip(drawings, plots, strict=True):
        plot.title = f"{name}" + (f" ({asked.title})" if asked.title and name == next(iter(drawings)) else "")
        plot.tall *= 0.62
        plot.x.low, plot.x.high = common.x.low, common.x.high
        plot.y.low, plot.y.high = min(p.y.low for p in plots), max(p.y.high for p in plots)
    said = [f"{name}: {drawing.said().partition(': ')[2].rstrip('.')}" for name, drawing in drawings.items()]
    return asked.finish(plots, told(asked.begin(f"{len(plots)} panels of lines"), said), columns=columns)
