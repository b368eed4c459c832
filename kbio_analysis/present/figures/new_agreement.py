"""Charts of a new agreement: the effect by method, trade with and without one, and what drives the answer."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from kbio_analysis.models.new_agreement import FLOWS, METHODS, Effects
from kbio_analysis.models.trade_baseline import Baseline
from kbio_analysis.present.figures.canvas import AMBER, BLUE, GREEN, INK, MUTED, chart
from kbio_analysis.present.new_agreement import WHERE, effect_rows, money, span
from kbio_analysis.present.outputs import SIMULATED_RTOL
from kbio_analysis.present.text import join

_COLOURS = {"transfer": BLUE, "tariffs": AMBER, "pooled": INK}
_SHORT = {"exports": "Exports", "imports": "Imports", "trade": "Both flows"}
_BACK = 15  # years of the record shown before the outlook


def effect_by_method(found: Effects, *, source: str) -> None:
    """The effect in the last year by flow and method, median and 90% interval; nothing without an estimate."""
    rows = effect_rows(found)
    if rows.empty:
        return

    def draw(ax: Axes, compact: bool) -> None:
        y, ticks = 0.0, {}
        for flow in rows["flow"].unique():
            mine = rows[rows["flow"] == flow]
            ticks[y + (len(mine) - 1) / 2] = _SHORT[flow]
            for row in mine.itertuples():
                colour = _COLOURS[row.method]
                ax.plot([row.low, row.high], [y, y], color=colour, lw=4, alpha=0.35, solid_capstyle="butt")
                ax.plot(row.median, y, "D" if row.method == "pooled" else "o", color=colour, ms=6)
                y += 1
            y += 0.8
        for method in dict.fromkeys(rows["method"]):
            ax.plot(
                [], [], "D" if method == "pooled" else "o", color=_COLOURS[method], ls="none", label=METHODS[method]
            )
        ax.axvline(0, color=MUTED, lw=0.9)
        ax.set_yticks(list(ticks), list(ticks.values()))
        ax.set_ylim(y - 0.4, -0.8)
        ax.grid(axis="x")
        ax.grid(visible=False, axis="y")
        ax.xaxis.set_major_locator(MaxNLocator(4 if compact else 8))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: money(v)))
        ax.set_title(f"Effect a year in {found.years[-1]}", loc="left", fontsize=8.5, color=MUTED)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=1 if compact else 3, handlelength=1.2)

    parts = [
        f"{WHERE[r.flow]}, {METHODS[r.method].lower()}: {money(r.median)} ({span(r.low, r.high)})"
        for r in rows.itertuples()
    ]
    caption = (
        f"What an agreement adds to trade in {found.years[-1]}, by method. Points: medians; bars: 5 to 95%. The pool "
        "gives each method half the weight."
    )
    alt = f"Effect by flow and method: {'; '.join(parts)}."
    chart(
        draw,
        id="effect-by-method",
        alt=alt,
        caption=caption,
        source=source,
        data=rows,
        spark=list(found.by_year(rows["method"].iloc[-1], rows["flow"].iloc[-1], found.cells[0])[50]),
        rtol=SIMULATED_RTOL,
    )


def trade_paths(
    history: pd.Series, outlook: Baseline, agreed: pd.DataFrame, india: pd.Series, *, start: int, source: str
) -> None:
    """Two-way trade as recorded, without and with an agreement, and India's path re-based; needs both flows."""
    if set(outlook.paths) != set(FLOWS) or agreed.empty:
        return
    total = sum(outlook.paths[flow] for flow in FLOWS)[:, : outlook.years.index(int(agreed.index[-1])) + 1]
    years = list(outlook.years[: total.shape[1]])
    low, middle, high = np.percentile(total, (5, 50, 95), axis=0)
    past = history.dropna().tail(_BACK)
    base_year = max(start - 1, years[0])
    rebased = india / india.loc[2009] * middle[years.index(base_year)]
    rebased.index = [int(y) - 2009 + base_year for y in india.index]
    rebased = rebased[(rebased.index >= base_year) & (rebased.index <= years[-1])]

    def draw(ax: Axes, compact: bool) -> None:
        ax.fill_between(years, low, high, color=BLUE, alpha=0.14, lw=0, label="Without, 90%")
        ax.plot(years, middle, color=BLUE, label="Without an agreement")
        ax.plot(past.index, past, color=INK, marker="o", ms=2.5, label="Recorded")
        ax.plot(agreed.index, agreed[50], color=AMBER, label="With an agreement")
        ax.plot(agreed.index, agreed[[5, 95]], color=AMBER, lw=0.9, ls=":")
        ax.plot(rebased.index, rebased, color=GREEN, lw=1.3, ls="--", label="India from 2009, re-based")
        ax.axvline(start, color=MUTED, lw=0.8, ls=":")
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=9))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: money(v)))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5 if compact else 9))
        ax.set_title("Two-way trade a year, log scale", loc="left", fontsize=8.5, color=MUTED)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=1 if compact else 3)

    columns = {"without_5": low, "without_50": middle, "without_95": high}
    data = pd.DataFrame(columns, index=pd.Index(years, name="year"))
    data = data.join(agreed.set_axis([f"with_{p}" for p in agreed.columns], axis=1)).join(
        rebased.rename("india_rebased")
    )
    data = pd.concat([past.rename("recorded").rename_axis("year").to_frame(), data]).reset_index()
    last = years[-1]
    alt = (
        f"Two-way trade from {money(past.iloc[0])} in {past.index[0]} to {money(past.iloc[-1])} in {past.index[-1]}; "
        f"{last} without an agreement {money(middle[-1])} (90% {span(low[-1], high[-1])}), with one "
        f"{money(agreed.at[last, 50])} ({span(agreed.at[last, 5], agreed.at[last, 95])}); India's path re-based ends "
        "at "
        f"{money(rebased.iloc[-1])} in {rebased.index[-1]}."
    )
    caption = (
        f"Trade in both directions. Band: 5 to 95% without an agreement; dotted: the same with one from {start}. "
        "Dashed: "
        f"India's recorded trade since the year before its agreement, put on this partner's level of {base_year}."
    )
    chart(draw, id="paths", alt=alt, caption=caption, source=source, data=data, height=1.1, rtol=SIMULATED_RTOL)


def driver_bars(table: pd.DataFrame, *, centre: float, source: str) -> None:
    """The pooled median with each input at its low and high end; nothing without inputs."""
    if table.empty:
        return

    def draw(ax: Axes, compact: bool) -> None:
        for y, row in enumerate(table.itertuples()):
            for end, colour in ((row.low, BLUE), (row.high, AMBER)):
                ax.barh(y, end - centre, left=centre, color=colour, height=0.55)
        ax.axvline(centre, color=INK, lw=1)
        ax.set_yticks(range(len(table)), [_fold(name) if compact else name for name in table["input"]])
        ax.invert_yaxis()
        ax.grid(axis="x")
        ax.grid(visible=False, axis="y")
        ax.xaxis.set_major_locator(MaxNLocator(3 if compact else 7))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: money(v)))
        for label, colour in (("Low end", BLUE), ("High end", AMBER)):
            ax.plot([], [], color=colour, lw=6, label=label)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=2)

    parts = [f"{r.input}: {money(r.low)} ({r.low_end}) to {money(r.high)} ({r.high_end})" for r in table.itertuples()]
    ends = [f"{r.input.lower()}, {r.low_end} and {r.high_end}" for r in table.itertuples()]
    caption = f"The median effect with one input at a time at its ends: {join(ends)}. Line: all as chosen."
    alt = f"Median effect {money(centre)}; by input: {'; '.join(parts)}."
    height = 0.5 + 0.07 * len(table)
    chart(draw, id="drivers", alt=alt, caption=caption, source=source, data=table, height=height, rtol=SIMULATED_RTOL)


def _fold(name: str) -> str:
    head, _, tail = name.partition(" ")
    return f"{head}\n{tail}" if len(name) > 14 else name
