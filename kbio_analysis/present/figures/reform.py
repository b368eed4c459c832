"""Charts of the reform notebook: times, tornado, candidates needed, the rank fan, the biologics share."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter
from scipy import stats

from kbio_analysis.models.pipeline import Prospects
from kbio_analysis.models.reform_clock import ClockGain
from kbio_analysis.models.segment_share import SegmentShare
from kbio_analysis.models.trial_hub import MAIN_SCOPE, HubRace
from kbio_analysis.present.figures.canvas import AMBER, BLUE, CYCLE, INK, MUTED, PAPER, RED, chart
from kbio_analysis.present.reform.blockbusters import PHASE_LABELS, wanted
from kbio_analysis.present.reform.clock import plain
from kbio_analysis.present.reform.hub import SCOPES
from kbio_analysis.present.text import chance, join, pct

_SIMULATED_RTOL = 1e-6
_LEGEND = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.1), "handlelength": 1.6, "columnspacing": 1.2}
_GRID = np.linspace(0.02, 0.98, 49)


def clock_times(gains: Sequence[ClockGain], *, source: str) -> None:
    """Days from the start of the step to launch, before and after: share of cases launched by each day."""
    rows = []
    for gain in gains:
        for column, when in (("before_days", "before"), ("after_days", "after")):
            days = gain.draws[column].quantile(_GRID)
            rows.append(pd.DataFrame({"product": gain.track.name, "when": when, "share": _GRID, "days": days}))
    frame = pd.concat(rows, ignore_index=True)
    styles = {"before": "--", "after": "-"}

    def draw(ax: Axes, compact: bool) -> None:
        for colour, (name, own) in zip(CYCLE, frame.groupby("product", sort=False), strict=False):
            for when, line in own.groupby("when", sort=False):
                ax.plot(line.days, line.share, color=colour, ls=styles[when], label=f"{name}, {when}")
        ax.set(xlim=(0, float(frame[frame.share <= 0.95].days.max()) * 1.05), ylim=(0, 1))
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.xaxis.set_major_locator(MaxNLocator(nbins=5 if compact else 9))
        ax.set_title("Share of cases on the market by each day", loc="left", fontsize=8.5, color=MUTED)
        ax.legend(**_LEGEND, ncols=1 if compact else 2)

    parts = []
    for gain in gains:
        before, after = (gain.draws[c].median() for c in ("before_days", "after_days"))
        parts.append(f"{gain.track.name.lower()} {before:.0f} days before and {after:.0f} after in the median")
    alt = f"Share of cases on the market by days since the step began: {join(parts)}."
    caption = "Days from the start of the reformed step to the first sale, before (dashed) and after (solid)."
    chart(
        draw, id="clock-times", alt=alt, caption=caption, source=source, data=frame, height=1.15, rtol=_SIMULATED_RTOL
    )


def tornado(frame: pd.DataFrame, *, source: str) -> None:
    """Present value at the low and high of each assumption: columns track, label, value_low, value_high, at_*."""
    tracks = list(dict.fromkeys(frame.track))

    def draw(ax: Axes, compact: bool) -> None:
        place, ticks = 0, []
        for colour, track in zip(CYCLE, tracks, strict=False):
            for row in frame[frame.track == track].itertuples():
                low, high = sorted((row.value_low, row.value_high))
                ax.barh(-place, high - low, left=low, color=colour, height=0.55, alpha=0.8)
                ends = f"{plain(row.at_low)} to {plain(row.at_high)}"
                ax.annotate(f"{row.label}: {ends}", (0, -place + 0.36), fontsize=7.5, color=INK, va="bottom")
                ticks.append(-place)
                place += 1.35
            ax.plot([], [], color=colour, lw=6, label=track)
        ax.set(yticks=[], ylim=(-place + 0.6, 1.0), xlim=(0, max(frame[["value_low", "value_high"]].max().max(), 0.01)))
        ax.spines["left"].set_visible(False)
        ax.grid(axis="x")
        ax.grid(visible=False, axis="y")
        ax.xaxis.set_major_locator(MaxNLocator(nbins=4 if compact else 8))
        ax.set_title("Present value a product, US$ million", loc="left", fontsize=8.5, color=MUTED)
        ax.legend(**_LEGEND | {"bbox_to_anchor": (0.5, -0.04)}, ncols=2)

    firsts = [frame[frame.track == t].iloc[0] for t in tracks]
    parts = [f"{r.track.lower()} {r.label}, {r.value_low:.2f} to {r.value_high:.2f} US$ million" for r in firsts]
    alt = f"Tornado of the present value of the time gained. Widest bars: {join(parts)}."
    caption = "Present value of the time gained by one product when one assumption alone goes from its low to its high."
    height = max(1.0, 0.14 * len(frame))
    chart(draw, id="tornado", alt=alt, caption=caption, source=source, data=frame, height=height, rtol=_SIMULATED_RTOL)


def candidates(found: Prospects, *, share: float, k: int, source: str) -> None:
    """P(at least k) against the number of candidates in one phase alone."""
    sizes = np.unique(np.round(np.geomspace(k, 2000, 60)).astype(int))
    frame = pd.DataFrame({"candidates": sizes})
    for phase, row in found.table.iterrows():
        frame[PHASE_LABELS[phase]] = stats.binom.sf(k - 1, sizes, row.approval * share)

    def draw(ax: Axes, compact: bool) -> None:
        for colour, label in zip(CYCLE, frame.columns[1:], strict=False):
            ax.plot(frame.candidates, frame[label], color=colour, label=f"In {label}")
        for level in (0.1, 0.5, 0.9):
            ax.axhline(level, color=MUTED, lw=0.7, ls=":")
        ax.set_xscale("log")
        ticks = [3, 10, 30, 100, 300, 1000]
        ax.set_xticks(ticks, [f"{t:,}" for t in ticks])
        ax.set(xlim=(sizes[0], sizes[-1]), ylim=(0, 1))
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.set_title("Chance, by candidates in one phase", loc="left", fontsize=8.5, color=MUTED)
        ax.legend(**_LEGEND, ncols=2 if compact else 4)

    at = min(100, sizes[-1])
    near = frame.iloc[(frame.candidates - at).abs().argmin()]
    parts = [f"{chance(near[label])} in {label}" for label in frame.columns[1:]]
    alt = f"Chance of {wanted(k)} against the number of candidates: with {int(near.candidates)} it is {join(parts)}."
    caption = f"Chance of at least {wanted(k)} if {pct(100 * share)} of approvals pass US$1bn; dotted: 10, 50 and 90%."
    chart(draw, id="candidates", alt=alt, caption=caption, source=source, data=frame, rtol=_SIMULATED_RTOL)


def rank_fan(race: HubRace, *, source: str) -> None:
    """Ranks by scope, each its own line, and the fan of the main scope to the target year."""
    main = race.by_scope[MAIN_SCOPE]
    parts = [
        pd.DataFrame({"scope": scope, "year": h.index, "rank": h.to_numpy()}) for scope, h in race.histories.items()
    ]
    frame = pd.concat([*parts, main.fan.reset_index().assign(scope=MAIN_SCOPE)], ignore_index=True)

    def draw(ax: Axes, compact: bool) -> None:
        fan = main.fan
        ax.fill_between(fan.index, fan.low, fan.high, color=BLUE, alpha=0.18, lw=0, label="80% range, all trials")
        ax.plot(fan.index, fan["median"], color=BLUE, ls="--", lw=1.2)
        for colour, marker, (scope, history) in zip(CYCLE, "osD^", race.histories.items(), strict=False):
            whole = history.reindex(range(history.index.min(), history.index.max() + 1))
            ax.plot(whole.index, whole.to_numpy(), color=colour, marker=marker, ms=5, label=SCOPES[scope].capitalize())
        ax.plot(race.target_year, race.target_rank, "*", color=RED, ms=13, mec=PAPER, ls="none", label="Target")
        ax.set_ylim(max(frame["rank"].max(), fan.high.max()) + 0.7, 0.5)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5 if compact else 10))
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_title("Rank (first on top)", loc="left", fontsize=8.5, color=MUTED)
        ax.legend(**_LEGEND, ncols=1 if compact else 2)

    last = [f"{SCOPES[s]} {int(h.iloc[-1])} in {h.index[-1]}" for s, h in race.histories.items()]
    end = main.fan.iloc[-1]
    alt = (
        f"Korea's rank among places of clinical trials, each scope its own line: {join(last)}. In {race.target_year} "
        f"the 80% range for all trials is {int(end.low)} to {int(end.high)}; the target is {race.target_rank}."
    )
    caption = (
        "Korea's rank by scope; lines break where no rank was published and are never joined between scopes. The band "
        "continues all trials by the moves seen."
    )
    spark = [-float(v) for v in race.histories[MAIN_SCOPE]]
    chart(
        draw, id="rank-fan", alt=alt, caption=caption, source=source, data=frame, spark=spark, height=1.25,
        rtol=_SIMULATED_RTOL,
    )  # fmt: skip


def biologics_share(found: SegmentShare, frame: pd.DataFrame, *, source: str) -> None:
    """The share's path under the two rates, and published forecasts: frame label, year, published_pct."""
    path = found.share_pct.rename("implied_pct").rename_axis("year").reset_index().assign(label="both rates")
    path = path[path.implied_pct <= 100]
    data = pd.concat([path, frame[["label", "year", "published_pct"]]], ignore_index=True)
    markers: Mapping[int, str] = dict(enumerate("osD^"))

    def draw(ax: Axes, compact: bool) -> None:
        ax.plot(path.year, path.implied_pct, color=BLUE, marker=".", ms=6, label="Both growth rates")
        for i, row in enumerate(frame.itertuples()):
            colour = (AMBER, RED, INK)[i % 3]
            ax.plot(row.year, row.published_pct, markers[i % 4], color=colour, ms=7, ls="none", label=row.label)
        ax.set_ylim(0, 100 if path.implied_pct.max() > 70 else 75)
        ax.yaxis.set_major_formatter(PercentFormatter(100.0, decimals=0))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5 if compact else 8))
        ax.set_title("Biologics' share of the market", loc="left", fontsize=8.5, color=MUTED)
        ax.legend(**_LEGEND, ncols=1 if compact else 4)

    first, last = path.iloc[0], path.iloc[-1]
    points = [f"{r.label} {pct(r.published_pct)} in {r.year}" for r in frame.itertuples()]
    alt = (
        f"Biologics' share if both growth rates hold: {pct(first.implied_pct)} in {int(first.year)} to "
        f"{pct(last.implied_pct)} in {int(last.year)}, as long as it is a share. Published forecasts: {join(points)}."
    )
    caption = "Biologics' share of the pharmaceutical market if both quoted growth rates hold, and published forecasts."
    chart(draw, id="biologics-share", alt=alt, caption=caption, source=source, data=data)
