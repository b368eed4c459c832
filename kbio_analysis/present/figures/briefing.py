"""The briefing's five small charts, drawn from what other notebooks recorded; a record without the data gives none."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from kbio_analysis.present.briefing.records import Record, Records, horizon, label, number
from kbio_analysis.present.figures.canvas import (
    AMBER,
    BLUE,
    CYCLE,
    INK,
    MUTED,
    PAPER,
    RED,
    SLATE,
    Draw,
    chart,
    direct_label,
)
from kbio_analysis.present.outputs import SIMULATED_RTOL
from kbio_analysis.present.ranks.words import exporter
from kbio_analysis.present.text import chance, join, pct, usd_bn, usd_m
from kbio_analysis.vocabulary import HOME

_METHODS = {"transfer": "From other agreements", "tariffs": "From the tariffs", "pooled": "Pooled"}
_VERDICTS = {
    "claims_supported": "Supported",
    "claims_with_caveat": "With a caveat",
    "claims_not_supported": "Not supported",
    "claims_not_testable": "Not testable",
}
_LINES = 4  # destinations drawn; the largest of the last year


def briefing_charts(records: Records) -> list[str]:
    """Draw what the records hold; returns what could not be drawn, in words."""
    drawn = {
        "the outlook of exports": _fan(records["11_export_forecast"]),
        "the chances of a place": _places(records["12_top_five"]),
        "what an agreement with Bangladesh would add": _bangladesh(records["22_bangladesh_cepa"]),
        "the destinations of exports": _shares(records["30_diversification"]),
        "the verdicts on the claims": _claims(records["40_claims_ledger"]),
    }
    return [what for what, done in drawn.items() if not done]


def _fan(one: Record) -> bool:
    """Exports to the target year: record, median path with its 80% range, and the target."""
    if "fan" not in one.charts:
        return False
    kept = one.charts["fan"]
    frame = kept.frame().set_index("year")
    known, ahead = frame.published.dropna(), frame[["median", "lo_80", "hi_80"]].dropna()
    target = one.parameters["base_value_usd_m"] * one.parameters["target_multiple"]
    year = int(one.parameters["target_year"])

    def draw(ax: Axes, compact: bool) -> None:
        start = pd.DataFrame(dict.fromkeys(ahead.columns, known.iloc[-1:]))
        path = pd.concat([start, ahead]) / 1000
        ax.fill_between(path.index, path.lo_80, path.hi_80, color=BLUE, alpha=0.18, lw=0)
        ax.plot(path.index, path["median"], color=BLUE, ls="--")
        ax.plot(known.index, known / 1000, color=INK, marker="o", ms=4)
        ax.plot(year, target / 1000, "*", color=RED, ms=13, mec=PAPER)
        direct_label(ax, year, target / 1000, "Target", RED, xytext=(9, 0))
        if len(ahead):
            direct_label(ax, path.index[-1], path["median"].iloc[-1], "Median", BLUE, xytext=(9, 0))
            direct_label(ax, path.index[-1], path.lo_80.iloc[-1], "80%", BLUE, xytext=(9, 0))
        ax.set_xlim(frame.index[0] - 0.2, max(year, frame.index[-1]) + (1.6 if compact else 0.9))
        ax.set_ylim(bottom=0)
        ax.set_xticks([y for y in range(int(frame.index[0]), year + 1) if not compact or (year - y) % 2 == 0])
        ax.set_title("US$ billion", loc="left", fontsize=8.5, color=MUTED)

    ends = "no forecast could be made"
    if len(ahead):
        end = ahead.iloc[-1]
        ends = f"median {usd_bn(end['median'])}, 80% range {usd_bn(end.lo_80)} to {usd_bn(end.hi_80)}"
    alt = f"Exports from {usd_bn(known.iloc[-1])} in {known.index[-1]} to {year}: {ends}; target {usd_bn(target)}."
    caption = f"Biopharmaceutical exports: record, outlook of the reference classes, and the target of {year}."
    data = frame[["published", *ahead.columns]].reset_index()
    spark = [*known, *ahead["median"]]
    return _small(draw, one, id="brief-fan", alt=alt, caption=caption, source=kept.source, data=data, spark=spark)


def _places(one: Record, *, shown: int = 8) -> bool:
    """Chance of the place for the likeliest exporters and Korea."""
    if "rank-chances" not in one.charts:
        return False
    kept = one.charts["rank-chances"]
    field = kept.frame().sort_values(["chance", "usd_m"], ascending=False)
    head = field.head(shown)
    rows = head if HOME in set(head.iso3) else pd.concat([head.iloc[:-1], field[field.iso3 == HOME]])
    place = int(one.parameters["target_rank"])

    def draw(ax: Axes, compact: bool) -> None:
        for y, row in enumerate(rows.iloc[::-1].itertuples()):
            colour = BLUE if row.iso3 == HOME else INK if row.rank_now <= place else SLATE
            ax.plot([0, row.chance], [y, y], color=colour, lw=1.4, alpha=0.5)
            ax.plot(row.chance, y, "o", color=colour, ms=5)
            direct_label(ax, row.chance, y, chance(row.chance), colour, xytext=(7, 0), fontsize=7.5)
        names = [exporter(i) for i in rows.iso3[::-1]]
        ax.set_yticks(range(len(rows)), names, fontsize=7.5)
        ax.set(xlim=(0, 1.3), ylim=(-0.6, len(rows) - 0.4), xticks=[0, 0.5, 1])
        ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        _across(ax)

    parts = [f"{exporter(r.iso3)} {chance(r.chance)}" for r in rows.itertuples()]
    year = one.parameters["target_year"]
    alt = f"Chance of a place among the top {place} in {year}: {join(parts)}."
    caption = f"Chance of a place among the top {place} exporters in {year}. Black: there now; blue: Korea."
    return _small(draw, one, id="brief-places", alt=alt, caption=caption, source=kept.source, data=rows)


def _bangladesh(one: Record) -> bool:
    """What an agreement would add to two-way trade, by method, middle and 90% range."""
    rows = []
    for method, name in _METHODS.items():
        found = [number(one, f"effect_{method}_trade_usd_m_{q}") for q in (5, 50, 95)]
        if None not in found:
            rows.append((name, *found))
    if not rows:
        return False
    data = pd.DataFrame(rows, columns=["method", "low_5", "middle", "high_95"])

    def draw(ax: Axes, compact: bool) -> None:
        for y, row in enumerate(data.iloc[::-1].itertuples()):
            colour = INK if row.method == _METHODS["pooled"] else BLUE
            ax.plot([row.low_5, row.high_95], [y, y], color=colour, lw=2, alpha=0.55)
            ax.plot(row.middle, y, "D" if colour == INK else "o", color=colour, ms=6)
            ax.annotate(row.method, (0.01, y), xycoords=("axes fraction", "data"), xytext=(0, 6), va="bottom",
                        textcoords="offset points", fontsize=7.5, color=INK)  # fmt: skip
        ax.axvline(0, color=MUTED, lw=0.9)
        ax.set(yticks=[], ylim=(-0.5, len(data) - 0.2))
        ax.xaxis.set_major_locator(MaxNLocator(nbins=5))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}".replace("-", "−")))
        ax.set_title("US$ million a year", loc="left", fontsize=8.5, color=MUTED)
        _across(ax)

    parts = [f"{r.method} {usd_m(r.middle)} ({usd_m(r.low_5)} to {usd_m(r.high_95)})" for r in data.itertuples()]
    added = f"What an agreement would add to two-way trade with Bangladesh{horizon(one)}"
    alt, caption = f"{added}: {join(parts)}.", f"{added}, by method: middle and 90% range."
    return _small(draw, one, id="brief-bangladesh", alt=alt, caption=caption, source=_sources(one), data=data)


def _shares(one: Record) -> bool:
    """Shares of exports by destination, the largest of the last year."""
    if "shares" not in one.charts:
        return False
    kept = one.charts["shares"]
    frame = kept.frame().set_index("year")
    largest = frame.iloc[-1].drop(labels=_REST, errors="ignore").nlargest(_LINES).index
    drawn = frame[list(largest)]
    first, last = int(drawn.index[0]), int(drawn.index[-1])

    def draw(ax: Axes, compact: bool) -> None:
        ends, gap = {}, drawn.max().max() * 0.12
        for name in drawn.iloc[-1].sort_values().index:
            ends[name] = max([drawn[name].iloc[-1], *[y + gap for y in ends.values()]])
        for colour, name in zip(CYCLE, drawn.columns, strict=False):
            ax.plot(drawn.index, drawn[name], color=colour, lw=1.7)
            text = f"{name} {pct(drawn[name].iloc[-1], 0)}"
            direct_label(ax, last, ends[name], text, colour, fontsize=7.5)
        ax.set_xlim(first, last + (last - first) * 0.6)
        ax.set_ylim(0, max(drawn.max().max(), *ends.values()) * 1.06)
        ax.set_xticks([y for y in range(first, last + 1) if y % 10 == 0])
        ax.set_title("Per cent of exports", loc="left", fontsize=8.5, color=MUTED)

    parts = [f"{n} {pct(drawn[n].iloc[0])} in {first} and {pct(drawn[n].iloc[-1])} in {last}" for n in drawn]
    alt = f"Shares of Korea's exports: {join(parts)}."
    caption = f"Shares of Korea's exports by destination to {last}, the largest."
    return _small(draw, one, id="brief-shares", alt=alt, caption=caption, source=kept.source, data=drawn.reset_index())


def _claims(one: Record) -> bool:
    """How many claims came out how."""
    counts = [(name, number(one, key)) for key, name in _VERDICTS.items()]
    if any(count is None for _, count in counts):
        return False
    data = pd.DataFrame(counts, columns=["verdict", "claims"])

    def draw(ax: Axes, compact: bool) -> None:
        y = range(len(data) - 1, -1, -1)
        ax.barh(y, data.claims, color=[BLUE, SLATE, AMBER, MUTED], height=0.6)
        for place, count in zip(y, data.claims, strict=True):
            direct_label(ax, count, place, f"{count:.0f}", INK, xytext=(5, 0))
        ax.set_yticks(list(y), data.verdict)
        ax.set(xlim=(0, max(data.claims.max(), 1) * 1.15), ylim=(-0.6, len(data) - 0.4))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        _across(ax)

    parts = [f"{r.verdict.lower()} {r.claims:.0f}" for r in data.itertuples()]
    alt = f"Bars of the article's claims by verdict: {join(parts)}."
    caption = "The article's claims by verdict."
    return _small(draw, one, id="brief-claims", alt=alt, caption=caption, source=one.notebook, data=data)


_REST = ["Other", "Others", "Rest of the world", "All other"]


def _small(
    draw: Draw, one: Record, *, id: str, alt: str, caption: str, source: str, data: pd.DataFrame, **more: Any
) -> bool:
    words = f"{caption} Record {label(one)}."
    chart(draw, id=id, alt=alt, caption=words, source=source, data=data, height=0.5, rtol=SIMULATED_RTOL, **more)
    return True


def _sources(one: Record) -> str:
    """The sources of a record's charts, once each."""
    listed = [part for kept in one.charts.values() for part in kept.source.split("; ") if part]
    return "; ".join(dict.fromkeys(listed)) or one.notebook


def _across(ax: Axes) -> None:
    ax.grid(axis="x")
    ax.grid(visible=False, axis="y")
