"""Charts of the record of agreements: the forest of effects with its prediction, and effects by years from entry."""

from math import log1p

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from kbio_analysis.models.agreement_reference import AgreementReference
from kbio_analysis.models.event_study import METHODS, EventStudy
from kbio_analysis.present.figures.canvas import AMBER, BLUE, INK, MUTED, PAPER, chart
from kbio_analysis.present.fta_record import DIRECTIONS
from kbio_analysis.present.fta_record.effects import in_pct, span
from kbio_analysis.present.text import join

_COLOURS = {"exports": BLUE, "imports": AMBER}
_RTOL = 1e-6
_SOLVER_RTOL = 1e-4
_EDGE = 1.45  # log points shown; wider chance bands run out of the frame


def forest(reference: AgreementReference, spread: pd.Series, *, source: str) -> None:
    """Every agreement's measured and shrunken effect, the chance band of each, the pooled mean and the prediction."""
    found, pooled = reference.record.table, reference.pooled
    shrunken = pooled.shrunken
    order = found.groupby(level="agreement").entry_year.min().sort_values(kind="stable", ascending=False)
    data = found[["effect_log_points", "entry_year"]].assign(
        shrunken_log_points=shrunken, chance_95=1.96 * spread.reindex(found.index)
    )
    mean_span, next_span = pooled.confidence_interval(95), pooled.prediction_interval(80)

    def draw(ax: Axes, compact: bool) -> None:
        for y, name in enumerate(order.index):
            for direction, lift in (("exports", 0.17), ("imports", -0.17)):
                if (name, direction) not in data.index:
                    continue
                row, colour = data.loc[(name, direction)], _COLOURS[direction]
                band = min(row.chance_95, _EDGE)
                ax.plot([-band, band], [y + lift] * 2, color=colour, lw=4, alpha=0.16, solid_capstyle="butt")
                ax.plot(row.effect_log_points, y + lift, "o", color=colour, ms=5)
                ax.plot(row.shrunken_log_points, y + lift, "o", color=colour, ms=5, mfc="none", mew=0.9)
        ax.plot(next_span, [-1.5, -1.5], color=MUTED, lw=5, alpha=0.45, solid_capstyle="butt")
        ax.plot(mean_span, [-1.5, -1.5], color=INK, lw=1.8)
        ax.plot(pooled.mean, -1.5, "D", color=INK, mec=PAPER, ms=7)
        ax.axvline(0, color=MUTED, lw=0.9)
        ax.axhline(-0.75, color=MUTED, lw=0.6, ls=":")
        labels = [f"{name} {order[name]}" for name in order.index]
        ax.set_yticks([-1.5, *range(len(order))], ["Pooled and next", *labels])
        ax.set(xlim=(-_EDGE, _EDGE), ylim=(-2.2, len(order) - 0.4))
        ax.grid(axis="x")
        ax.grid(visible=False, axis="y")
        marks = (-50, 0, 100) if compact else (-75, -50, -25, 0, 50, 100, 200)
        ax.set_xticks([log1p(m / 100) for m in marks])
        _percent_axis(ax, compact)
        for direction, colour in _COLOURS.items():
            ax.plot([], [], "o", color=colour, label=direction.capitalize(), ls="none")
        legend = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.05), "ncols": 2}
        ax.legend(**legend, handlelength=1.2)

    parts = [f"{a} {d} {in_pct(v)}" for (a, d), v in found.effect_log_points.items()]
    alt = (
        f"Forest of {len(found)} effects: {join(parts)}. Pooled mean {in_pct(pooled.mean)} (95% {span(mean_span)}); "
        f"80% prediction interval for a next agreement {span(next_span)}."
    )
    caption = (
        "Effects over the years from entry. Filled: measured; hollow: shrunken, shared error taken out; pale bars at "
        "zero: what pretended agreements of the same dates and size show in 95% of draws. Diamond: pooled mean and its "
        "95% interval; grey bar: 80% prediction interval for the next agreement. Years: first entry."
    )
    flat = data.reset_index()
    chart(
        draw,
        id="forest",
        alt=alt,
        caption=caption,
        source=source,
        data=flat,
        height=0.45 + 0.105 * len(order),
        rtol=_RTOL,
    )


def event_profile(main: EventStudy, rival: EventStudy, *, direction: str, source: str) -> None:
    """Effects by years from entry: the extended model with its 95% band, and one estimator on logs beside it."""
    first, second = main.profile, rival.profile
    data = pd.concat([first.assign(method=main.method), second.assign(method=rival.method)]).reset_index()

    def draw(ax: Axes, compact: bool) -> None:
        for frame, colour, label in (
            (first, _COLOURS[direction], METHODS[main.method]),
            (second, MUTED, METHODS[rival.method]),
        ):
            if frame.empty:
                continue
            strong = colour != MUTED
            for part in (frame[frame.index < 0], frame[frame.index >= 0]):
                if strong:
                    low, high = (part.effect_log_points + s * 1.96 * part.se_log_points for s in (-1, 1))
                    ax.fill_between(part.index, low, high, color=colour, alpha=0.16, lw=0)
                style = {"color": colour, "marker": "o" if strong else "s", "ms": 4.5 if strong else 3.5}
                ax.plot(part.index, part.effect_log_points, lw=1.6 if strong else 1.1, **style)
            ax.plot([], [], color=colour, marker="o" if strong else "s", ms=4, label=label)
        ax.axhline(0, color=MUTED, lw=0.9)
        ax.axvline(-0.5, color=MUTED, lw=0.8, ls=":")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6 if compact else 12))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: in_pct(v)))
        ax.set_title("Against the path foretold, by years from entry", loc="left", fontsize=8.5, color=MUTED)
        legend = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.1), "ncols": 1 if compact else 2}
        ax.legend(**legend)

    after = first[first.index >= 0]
    ends = [f"{in_pct(v)} in year {e}" for e, v in after.effect_log_points.iloc[[0, -1]].items()] if len(after) else []
    before = [f"{in_pct(v)} {-e} years before" for e, v in first[first.index < 0].effect_log_points.iloc[:1].items()]
    alt = f"{DIRECTIONS[direction]} by years from entry, {METHODS[main.method]}: {join([*before, *ends])}."
    caption = (
        f"{DIRECTIONS[direction]} with partners by years from entry, mean over treated partner-years; band: 95%. "
        f"Coloured points are measured from {main.base}; grey squares from {rival.base}."
    )
    chart(draw, id=f"profile-{direction}", alt=alt, caption=caption, source=source, data=data, rtol=_SOLVER_RTOL)


def _percent_axis(ax: Axes, compact: bool) -> None:
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: in_pct(v)))
    title = "Change, log scale" if compact else "Change against the path foretold (log scale)"
    ax.set_title(title, loc="left", fontsize=8.5, color=MUTED)
