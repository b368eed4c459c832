"""Charts of odds and of forecast accuracy."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from kbio_analysis.present.figures.canvas import AMBER, BLUE, CYCLE, INK, MUTED, SLATE, chart, direct_label
from kbio_analysis.present.outputs import DEFAULT_RTOL, SIMULATED_RTOL
from kbio_analysis.present.text import chance, join


def odds_by_method(frame: pd.DataFrame, *, event: str, source: str) -> None:
    """Probability of one event by method, with the range its sample size allows.

    ``frame`` has the columns method, role (pool, pooled or witness), probability, low, high. Rows are drawn in
    the given order, first on top.
    """
    colours = {"pool": BLUE, "pooled": INK, "witness": AMBER}

    def draw(ax: Axes, compact: bool) -> None:
        for y, row in enumerate(reversed(list(frame.itertuples()))):
            colour = colours[row.role]
            ax.plot([row.low, row.high], [y, y], color=colour, lw=1.6, alpha=0.55)
            ax.plot(row.probability, y, "D" if row.role == "pooled" else "o", color=colour, ms=6)
            ax.annotate(
                row.method,
                (0, y),
                xytext=(0, 7),
                textcoords="offset points",
                fontsize=8,
                color=INK,
                va="bottom",
            )
        ax.axvline(0.5, color=MUTED, lw=0.8, ls=":")
        ax.set(xlim=(0, 1), ylim=(-0.5, len(frame) - 0.2), yticks=[])
        ax.grid(axis="x")
        ax.grid(visible=False, axis="y")
        ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.spines["left"].set_visible(False)

    parts = [f"{r.method} {chance(r.probability)}" for r in frame.itertuples()]
    alt = f"Probability that {event}, by method: {join(parts)}."
    caption = (
        f"Probability that {event}. Blue: the reference classes that are pooled; black: their equal-weight pool; "
        "brown: witnesses kept outside the pool. Bars: for a class the 95% range that its number of cases allows, "
        "for the pool and the witnesses the range over their parts."
    )
    rtol = SIMULATED_RTOL if (frame.role == "witness").any() else DEFAULT_RTOL
    height = max(0.55, 0.2 + 0.13 * len(frame))
    chart(draw, id="odds-by-method", alt=alt, caption=caption, source=source, data=frame, height=height, rtol=rtol)


def odds_by_vintage(frame: pd.DataFrame, *, event: str, source: str) -> None:
    """How the odds moved with what was known: columns as_of (ISO date), method, probability."""
    wide = frame.pivot(index="as_of", columns="method", values="probability")
    order = list(dict.fromkeys(frame.method))

    def draw(ax: Axes, compact: bool) -> None:
        for i, name in enumerate(order):
            line = wide[name].dropna()
            ax.plot(range(len(line)), line.to_numpy(), color=CYCLE[i % 6], marker="o", ms=5, label=name)
        ax.set_xticks(range(len(wide)), wide.index)
        ax.set_xlim(-0.2, len(wide) - 0.8)
        ax.set_ylim(0, 1)
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        legend = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.1), "ncols": 1 if compact else 2}
        ax.legend(**legend, handlelength=1.6)

    moves = [
        f"{name} from {chance(wide[name].dropna().iloc[0])} to {chance(wide[name].dropna().iloc[-1])}" for name in order
    ]
    alt = f"Probability that {event} as known on {join(list(wide.index))}: {join(moves)}."
    caption = f"Probability that {event}, using only what had been published by each date."
    chart(draw, id="odds-by-vintage", alt=alt, caption=caption, source=source, data=frame, height=1.1)


def model_scores(frame: pd.DataFrame, *, series: str, source: str) -> None:
    """Rolling-origin accuracy by model: columns model (label), mase, naive (bool). No rows, no chart."""
    if frame.empty:
        return
    ordered = frame.sort_values("mase", ascending=False)

    def draw(ax: Axes, compact: bool) -> None:
        for y, row in enumerate(ordered.itertuples()):
            colour = SLATE if row.naive else BLUE
            ax.plot([0, row.mase], [y, y], color=colour, lw=1.2, alpha=0.5)
            ax.plot(row.mase, y, "o", color=colour, ms=6)
            direct_label(ax, row.mase, y, f"{row.mase:.2f}", colour, xytext=(7, 0))
        ax.set_yticks(range(len(ordered)), ordered.model)
        ax.set_xlim(0, ordered.mase.max() * 1.15)
        ax.grid(axis="x")
        ax.grid(visible=False, axis="y")
        ax.set_title("Mean absolute scaled error", loc="left", fontsize=8.5, color=MUTED)

    best, worst = ordered.iloc[-1], ordered.iloc[0]
    alt = (
        f"Mean absolute scaled error of {len(ordered)} models on {series}: best {best.model} {best.mase:.2f}, "
        f"worst {worst.model} {worst.mase:.2f}."
    )
    caption = f"Out-of-sample error on {series}, all origins and horizons; grey: naive benchmarks. Lower is better."
    chart(draw, id="model-scores", alt=alt, caption=caption, source=source, data=frame, rtol=SIMULATED_RTOL)
