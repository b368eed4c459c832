"""Charts of destinations: shares over time, what made exports grow, one month among months, and market gaps."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from kbio_analysis.models.concentration import ShiftShare
from kbio_analysis.present.figures.canvas import (
    AMBER,
    BLUE,
    CYCLE,
    GREEN,
    INK,
    MUTED,
    PAPER,
    RED,
    chart,
    direct_label,
    spread,
)
from kbio_analysis.present.text import join, pct, usd_bn

_RTOL = 1e-6
_COLOURS = {"United States": BLUE, "China": RED, "ASEAN": GREEN}


def destination_shares(shares: pd.DataFrame, spark: pd.Series, *, source: str) -> None:
    """Per cent of exports by destination over the years; ``spark`` is the joint share of the two largest."""
    first, last = shares.index[0], shares.index[-1]
    spare = [c for c in CYCLE if c not in _COLOURS.values()]
    others = [name for name in shares.columns if name not in _COLOURS]
    colours = _COLOURS | {name: spare[i % len(spare)] for i, name in enumerate(others)}
    dashed = set(others[len(spare) :])

    def draw(ax: Axes, compact: bool) -> None:
        top = max(shares.max().max() * 1.05, 1)
        low = top * 0.025  # the lowest label stays clear of the axis
        placed = spread(shares.iloc[-1].to_list(), top * (0.062 if compact else 0.052))
        lift = max(0.0, low - min(placed))
        places = {name: y + lift for name, y in zip(shares.columns, placed, strict=True)}
        for name in shares.columns:
            strong = name in _COLOURS
            style = {"lw": 2.2 if strong else 1.2, "ls": "--" if name in dashed else "-"}
            ax.plot(shares.index, shares[name], color=colours[name], **style)
            direct_label(ax, last, places[name], f"{name} {pct(shares[name].iloc[-1], 0)}", colours[name], fontsize=7.5)
        span = max(last - first, 8)
        ax.set_xlim(first, last + span * (0.72 if compact else 0.33))
        ax.set_ylim(0, max(top, *places.values()))
        step = 10 if span > 20 else 5
        ax.set_xticks([y for y in range(first, last + 1) if y % step == 0 and last - y >= step / 2] + [last])
        ax.set_title("Per cent of Korea's exports", loc="left", fontsize=8.5, color=MUTED)

    ends = [f"{n} {pct(shares[n].iloc[0])} in {first} and {pct(shares[n].iloc[-1])} in {last}" for n in shares.columns]
    chart(
        draw,
        id="shares",
        alt=f"Lines of the share of Korea's exports by destination: {join(ends)}.",
        caption="Share of Korea's exports by destination, customs values at current prices; groups of 2026 in every "
        "year.",
        source=source,
        data=shares.rename_axis("year").reset_index(),
        spark=list(spark),
        height=1.2,
    )


def growth_contributions(decomposed: ShiftShare, *, base_year: int, last_year: int, source: str) -> None:
    """What each destination added to growth, beside what it would have added at the average pace."""
    table = decomposed.table[decomposed.table[["contribution", "at_average_pace"]].abs().max(axis=1) > 0.005]
    table = table.sort_values("contribution")

    def draw(ax: Axes, compact: bool) -> None:
        y = np.arange(len(table))
        ax.barh(y, table.contribution, color=[BLUE if v >= 0 else AMBER for v in table.contribution], height=0.62)
        ax.plot(table.at_average_pace, y, "|", color=INK, ms=11, mew=1.8, label="At the average pace")
        ax.axvline(0, color=MUTED, lw=0.8)
        ax.set_yticks(y, table.index, fontsize=7.5 if compact else 8.5)
        ax.grid(axis="x")
        ax.grid(visible=False, axis="y")
        ax.xaxis.set_major_locator(MaxNLocator(nbins=5 if compact else 9))
        ax.set_title("Percentage points of growth", loc="left", fontsize=8.5, color=MUTED)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.06), handlelength=1)

    parts = [f"{n} {v:+.1f}".replace("-", "−") for n, v in table.contribution.iloc[::-1].items()]
    chart(
        draw,
        id="contributions",
        alt=f"Bars of contributions to export growth from {base_year} to {last_year}, percentage points: "
        f"{join(parts)}.",
        caption=f"Contributions to the growth of exports from {base_year} to {last_year}; the mark is what a "
        "destination would have added had it grown as the total.",
        source=source,
        data=decomposed.table.rename_axis("destination").reset_index(),
        height=1.15,
    )


def month_ratios(ratios: pd.DataFrame, month: str, *, source: str) -> None:
    """Exports to ASEAN over those to the United States and to China, month by month, the month of the claim marked."""
    data = ratios.set_axis(["asean_over_usa", "asean_over_china"], axis=1)
    labels = [f"{p.year}-{p.month:02d}" for p in data.index]
    at = labels.index(month)

    def draw(ax: Axes, compact: bool) -> None:
        x = np.arange(len(data))
        for column, colour, name in (("asean_over_usa", BLUE, "United States"), ("asean_over_china", RED, "China")):
            ax.plot(x, data[column], color=colour, marker="o", ms=3.5, label=f"ASEAN over {name}")
            ax.plot(at, data[column].iloc[at], "o", color=colour, ms=9, mfc="none", mew=1.6)
        ax.axhline(1, color=MUTED, lw=0.9)
        ax.axvline(at, color=MUTED, lw=0.8, ls=":")
        shown = [i for i in x if i % (4 if compact else 2) == at % (4 if compact else 2)]
        ax.set_xticks(shown, [labels[i] for i in shown], fontsize=7.5)
        ax.set_title("Ratio of monthly exports; circles: the month of the claim", loc="left", fontsize=8, color=MUTED)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=1 if compact else 2)

    rows = [f"{m} {a:.2f} and {b:.2f}" for m, a, b in zip(labels, data.iloc[:, 0], data.iloc[:, 1], strict=True)]
    chart(
        draw,
        id="months",
        alt=f"Exports to ASEAN over those to the United States and to China by month: {join(rows)}.",
        caption="Above one ASEAN takes more. Customs counts by region, not the groups of the yearly record.",
        source=source,
        data=data.assign(month=labels)[["month", *data.columns]],
    )


def market_gap_bars(found: pd.DataFrame, *, source: str) -> None:
    """Actual and expected exports of the markets with the widest gaps; nothing if there are none."""
    if found.empty:
        return
    table = found.iloc[::-1]

    def draw(ax: Axes, compact: bool) -> None:
        y = np.arange(len(table))
        ax.hlines(y, table.actual_usd_m / 1000, table.expected_usd_m / 1000, color=MUTED, lw=1.6, alpha=0.6)
        ax.plot(table.actual_usd_m / 1000, y, "o", color=BLUE, ms=6, label="Actual")
        ax.plot(table.expected_usd_m / 1000, y, "D", color=AMBER, mec=PAPER, ms=6, label="By size and distance")
        ax.set_yticks(y, table.partner, fontsize=7.5 if compact else 8.5)
        ax.set_xlim(0, None)
        ax.grid(axis="x")
        ax.grid(visible=False, axis="y")
        ax.set_title("US$ billion a year", loc="left", fontsize=8.5, color=MUTED)
        ax.legend(loc="lower right")

    parts = [f"{r.partner} {usd_bn(r.actual_usd_m)} against {usd_bn(r.expected_usd_m)}" for r in found.itertuples()]
    chart(
        draw,
        id="candidates",
        alt=f"Actual exports against those that size and distance suggest, yearly means: {join(parts)}.",
        caption="Markets with the widest gaps below what their size and distance suggest. The gap holds everything "
        "the two leave out; it is not what could be sold.",
        source=source,
        data=found[["partner", "actual_usd_m", "expected_usd_m", "ratio"]].reset_index(),
        height=0.5 + 0.055 * len(table),
        rtol=_RTOL,
    )
