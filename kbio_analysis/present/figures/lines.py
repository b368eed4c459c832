"""The plain chart: one or several series as lines, for whatever has no chart of its own."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from kbio_analysis.errors import UsageError
from kbio_analysis.present.figures.canvas import CYCLE, chart
from kbio_analysis.present.text import join


def lines(series: Mapping[str, pd.Series], *, id: str, caption: str, unit: str, source: str) -> None:
    """Draw each series (label -> values by year or yearly period, in ``unit``); years without a value stay gaps.

    The first series is the one that the index draws beside the report's answer. Raises UsageError without any value.
    """
    frame = pd.DataFrame({label: _by_year(values) for label, values in series.items()}).rename_axis("year")
    frame = frame.dropna(how="all").sort_index()
    if frame.empty:
        raise UsageError(f"chart {id!r}: there is no value to draw")
    whole = frame.reindex(range(frame.index[0], frame.index[-1] + 1))

    def draw(ax: Axes, compact: bool) -> None:
        for colour, label in zip(CYCLE * len(whole.columns), whole.columns, strict=False):
            ax.plot(whole.index, whole[label], color=colour, marker="o", ms=3.5, label=label)
        ax.set_title(unit, loc="left", fontsize=8.5)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5 if compact else 10))
        if len(whole.columns) > 1:
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=1 if compact else 2)

    ends = [_ends(label, frame[label].dropna()) for label in frame.columns]
    first = frame.iloc[:, 0].dropna()
    alt = f"Lines in {unit}: {join([e for e in ends if e])}."
    spark = first.to_list() if len(first) > 1 else None
    chart(draw, id=id, alt=alt, caption=caption, source=source, data=frame.reset_index(), spark=spark)


def _by_year(values: pd.Series) -> pd.Series:
    index = values.index.year if isinstance(values.index, pd.PeriodIndex) else values.index.astype(int)
    return values.set_axis(index).astype(float)


def _ends(label: str, values: pd.Series) -> str:
    if values.empty:
        return ""
    first, last = (f"{values.iloc[i]:,.4g} in {values.index[i]}" for i in (0, -1))
    return f"{label} {first}" if len(values) == 1 else f"{label} from {first} to {last}"
