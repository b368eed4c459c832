"""Charts of the claims ledger: found over claimed with tolerances, the odds of aims, verdicts by topic."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from kbio_analysis.models.verdicts import VERDICTS, ClaimVerdict, Tolerances, counts
from kbio_analysis.present.figures.canvas import AMBER, GREEN, MUTED, PAPER, RED, chart
from kbio_analysis.present.text import chance, count, join

_COLOURS = dict(zip(VERDICTS, (GREEN, AMBER, RED, MUTED), strict=True))
_MARKERS = dict(zip(VERDICTS, ("o", "D", "X", "s"), strict=True))
_EDGES = (1 / 4, 4.0)
"""Ratios shown; one further out stands at the edge."""

_RTOL = 5e-3


def claims_measured(
    verdicts: Mapping[str, ClaimVerdict], labels: Mapping[str, str], tolerances: Tolerances, *, source: str
) -> None:
    """What was found over what was claimed, a row a claim, with the widths that hold and that earn a caveat."""
    rows = [_ratio_row(claim, v, labels, tolerances) for claim, v in verdicts.items() if v.ratio is not None]
    columns = ["claim", "label", "verdict", "ratio", "held_from", "held_to", "near_from", "near_to"]
    data = pd.DataFrame(rows, columns=columns)
    others = {
        c: [j.reading.value / j.reading.claimed for j in v.others if j.reading.value] for c, v in verdicts.items()
    }

    def draw(ax: Axes, compact: bool) -> None:
        for y, row in enumerate(data[::-1].itertuples()):
            for low, high, alpha in ((row.near_from, row.near_to, 0.15), (row.held_from, row.held_to, 0.3)):
                low, high = _inside(low), _inside(high)
                ax.plot([low, high], [y, y], color=MUTED, lw=7, alpha=alpha, solid_capstyle="butt")
            colour = _COLOURS[row.verdict]
            dots = [_inside(r) for r in others[row.claim]]
            ax.plot(dots, [y] * len(dots), "o", color=colour, ms=4, mfc="none", mew=0.8)
            ax.plot(_inside(row.ratio), y, _MARKERS[row.verdict], color=colour, ms=6)
        ax.axvline(1, color=MUTED, lw=0.9)
        ax.set_xscale("log")
        ticks = [0.25, 0.5, 1, 2, 4]
        ax.xaxis.set_major_locator(FixedLocator(ticks))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set(xlim=(_EDGES[0] * 0.92, _EDGES[1] * 1.08), ylim=(-0.7, len(data) - 0.3))
        _rows(ax, data["label"])
        ax.set_title("Found over claimed, log scale", loc="left", fontsize=8.5, color=MUTED)
        _legend(ax, data["verdict"], compact)

    parts = [f"{row.label} {row.ratio:.2f}, {row.verdict}" for row in data.itertuples()]
    alt = f"Found over claimed for {count(len(data), 'claim')}: {join(parts)}."
    caption = (
        "Filled marks: found over claimed by the reading that decides; hollow: other readings of the same claim. Dark "
        "bars hold the claim, pale ones earn a caveat; for “more than” and “at least” they run on to the right."
    )
    height = 0.35 + 0.055 * len(data)
    chart(draw, id="claims-measured", alt=alt, caption=caption, source=source, data=data, height=height, rtol=_RTOL)


def claims_odds(
    verdicts: Mapping[str, ClaimVerdict], labels: Mapping[str, str], tolerances: Tolerances, *, source: str
) -> None:
    """The odds of each aim with its range and other readings, over the cut points of a verdict."""
    rows = []
    for claim, v in verdicts.items():
        if v.main.reading.rule == "odds" and v.main.reading.value is not None:
            r = v.main.reading
            rows.append((claim, labels[claim], "", v.verdict, r.value, r.low, r.high))
            rows += [
                (claim, labels[claim], j.reading.label, v.verdict, j.reading.value, None, None)
                for j in v.others
                if j.reading.value is not None and j.reading.kind != "interval"
            ]
    data = pd.DataFrame(rows, columns=["claim", "label", "reading", "verdict", "probability", "low", "high"])
    main = data[data["reading"] == ""]

    def draw(ax: Axes, compact: bool) -> None:
        ax.axvspan(0, 100 * tolerances.unlikely, color=RED, alpha=0.07, lw=0)
        ax.axvspan(100 * tolerances.likely, 100, color=GREEN, alpha=0.09, lw=0)
        for y, row in enumerate(main[::-1].itertuples()):
            colour = _COLOURS[row.verdict]
            if pd.notna(row.low) and pd.notna(row.high):
                ax.plot([100 * row.low, 100 * row.high], [y, y], color=colour, lw=2.5, alpha=0.5)
            dots = 100 * data[(data["claim"] == row.claim) & (data["reading"] != "")]["probability"]
            ax.plot(dots, [y] * len(dots), "o", color=colour, ms=4.5, mfc="none", mew=0.9)
            ax.plot(100 * row.probability, y, _MARKERS[row.verdict], color=colour, ms=6.5)
        ax.set(xlim=(-1, 101), ylim=(-0.7, max(len(main), 1) - 0.3))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.0f}%"))
        _rows(ax, main["label"])
        ax.set_title("Chance that the aim is met", loc="left", fontsize=8.5, color=MUTED)
        _legend(ax, main["verdict"], compact)

    parts = [f"{row.label} {chance(row.probability)}, {row.verdict}" for row in main.itertuples()]
    alt = f"Chance of each aim: {join(parts)}." if parts else "No aim has odds on record."
    caption = (
        f"Filled marks: the odds that decide, with their range; hollow: other readings. Below "
        f"{chance(tolerances.unlikely)} an aim is not supported, from {chance(tolerances.likely)} it is."
    )
    height = 0.35 + 0.07 * max(len(main), 1)
    chart(draw, id="claims-odds", alt=alt, caption=caption, source=source, data=data, height=height, rtol=_RTOL)


def claims_verdicts(verdicts: Mapping[str, ClaimVerdict], topics: Mapping[str, str], *, source: str) -> None:
    """How many claims of each topic have each verdict."""
    groups = {t: {c: v for c, v in verdicts.items() if topics[c] == t} for t in dict.fromkeys(topics.values())}
    data = pd.DataFrame([{"topic": topic} | counts(found) for topic, found in groups.items()])

    def draw(ax: Axes, compact: bool) -> None:
        for y, row in enumerate(data[::-1].to_dict("records")):
            left = 0
            for name in VERDICTS:
                if row[name]:
                    ax.barh(y, row[name], left=left, color=_COLOURS[name], height=0.6)
                    ax.text(left + row[name] / 2, y, str(row[name]), ha="center", va="center", color=PAPER)
                left += row[name]
        for name in VERDICTS:
            ax.barh(0, 0, color=_COLOURS[name], label=name.capitalize())
        _rows(ax, data["topic"])
        ax.grid(visible=False, axis="x")
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
        ax.set_title("Claims by verdict", loc="left", fontsize=8.5, color=MUTED)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=1 if compact else 4, handlelength=1)

    parts = [
        f"{topic}: {join([f'{n} {name}' for name, n in counts(found).items() if n])}" for topic, found in groups.items()
    ]
    alt = f"Verdicts by topic. {'. '.join(parts)}."
    chart(
        draw, id="claims-verdicts", alt=alt, caption="Verdicts on the claims, by topic.", source=source, data=data,
        height=0.75, spark=[float(n) for n in counts(verdicts).values()],
    )  # fmt: skip


def _ratio_row(claim: str, v: ClaimVerdict, labels: Mapping[str, str], tolerances: Tolerances) -> tuple:
    r = v.main.reading
    held, near = (w / r.claimed for w in tolerances.widths(r.tolerance, r.claimed, r.step))
    spans = {
        "equals": (1 - held, 1 + held, 1 - near, 1 + near),
        "at_most": (_EDGES[0], 1 + held, _EDGES[0], 1 + near),
    }
    above = (1 - held, _EDGES[1], 1 - near, _EDGES[1])
    return (claim, labels[claim], v.verdict, v.ratio, *spans.get(r.rule, above))


def _inside(ratio: float) -> float:
    return min(max(ratio, _EDGES[0]), _EDGES[1])


def _rows(ax: Axes, labels: pd.Series) -> None:
    ax.set_yticks(range(len(labels)), list(labels)[::-1])
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")


def _legend(ax: Axes, verdicts: pd.Series, compact: bool) -> None:
    shown = [name for name in VERDICTS if name in set(verdicts)]
    for name in shown:
        ax.plot([], [], _MARKERS[name], color=_COLOURS[name], label=name.capitalize(), ls="none")
    if shown:
        anchor = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.06 if len(verdicts) > 8 else -0.14)}
        ax.legend(**anchor, ncols=1 if compact else 4, handlelength=1.2)
