"""Charts of places among exporters: the bump chart with its fan, the gap to the place, the chances of the field."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from kbio_analysis.models.rank_race import RankOdds
from kbio_analysis.present.figures.canvas import (
    AMBER,
    BLUE,
    GREEN,
    INK,
    MUTED,
    PAPER,
    PURPLE,
    RED,
    SLATE,
    chart,
    direct_label,
)
from kbio_analysis.present.ranks.words import exporter, money, ordinal, place_name, places
from kbio_analysis.present.text import chance, join, usd_bn
from kbio_analysis.vocabulary import HOME, SHORT_CLASSIFICATIONS

_BELOW = 4
"""Places below the one aimed at whose holders are still drawn."""

_CASES = ((SLATE, ":"), (AMBER, "--"), (GREEN, "--"), (PURPLE, "--"), (INK, "-."))
"""Colour and line of each thing the holder of the place may do."""


def rank_bump(ranks: pd.DataFrame, odds: RankOdds, *, classification: str, source: str) -> None:
    """Ranks by year (rows int years, columns ISO3) of the leaders and Korea, and the fan of Korea's simulated rank."""
    last = ranks.iloc[-1]
    drawn = [i for i in last.sort_values().index if last[i] <= odds.place + _BELOW and i != HOME]
    ours, year = ranks[HOME].dropna(), ranks.index[-1]
    depth = max(ours.max(), odds.fan.hi_95.max(), ranks[drawn].max().max()) + 0.6
    ends = [year, *odds.fan.index]

    def draw(ax: Axes, compact: bool) -> None:
        for iso in drawn:
            line = ranks[iso].dropna()
            leads = last[iso] <= odds.place
            ax.plot(line.index, line, color=INK if leads else MUTED, lw=1.3, alpha=0.75 if leads else 0.5)
            text = iso if compact else exporter(iso)
            direct_label(ax, year, last[iso], text, INK, fontsize=7.5)
        for level, alpha in ((95, 0.14), (80, 0.26)):
            low, high = ([ours.iloc[-1], *odds.fan[f"{side}_{level}"]] for side in ("lo", "hi"))
            ax.fill_between(ends, low, high, color=BLUE, alpha=alpha, lw=0, label=f"Korea, {level}% range")
        ax.plot(ends, [ours.iloc[-1], *odds.fan["median"]], color=BLUE, ls="--", label="Korea, middle case")
        ax.plot(ours.index, ours, color=BLUE, lw=2.8, marker="o", ms=5, label="Korea")
        ax.plot(odds.target_year, odds.place, "*", color=RED, ms=13, mec=PAPER, ls="none", label="The aim")
        ax.set_ylim(depth, 0.4)
        ax.set_xlim(ranks.index[0] - 0.3, odds.target_year + 0.5)
        ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5 if compact else 9))
        ax.set_title("Rank among the exporters held", loc="left", fontsize=8.5, color=MUTED)
        legend = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.08), "ncols": 2 if compact else 5}
        ax.legend(**legend, handlelength=1.6, columnspacing=1.2)

    name, end = SHORT_CLASSIFICATIONS[classification], odds.fan.iloc[-1]
    order = last.sort_values()
    leaders = join([exporter(i) for i in order.index[: odds.place]])
    alt = (
        f"Bump chart of ranks in {name}. In {year} the first places were those of {leaders}; Korea was "
        f"{ordinal(int(last[HOME]))}, after {ordinal(int(ours.iloc[0]))} in {ours.index[0]}. A fan of Korea's "
        f"simulated rank runs to {odds.target_year}: middle {ordinal(int(end['median']))}, 80% range "
        f"{places(int(end.lo_80), int(end.hi_80))}, 95% range {places(int(end.lo_95), int(end.hi_95))}. A star marks "
        f"{place_name(odds.place)}."
    )
    caption = f"Ranks in {name} and the simulated rank of Korea to {odds.target_year}."
    data = pd.concat([ranks[[HOME, *drawn]], odds.fan.add_prefix("korea_")]).rename_axis("year").reset_index()
    spark = [-float(v) for v in (*ours, *odds.fan["median"])]
    chart(draw, id="ranks-bump", alt=alt, caption=caption, source=source, data=data, spark=spark, height=1.35)


def place_gap(
    rungs: pd.DataFrame,
    needed: pd.DataFrame,
    *,
    aim_usd_m: float,
    aim_label: str,
    place: int,
    target_year: int,
    classification: str,
    source: str,
) -> None:
    """Korea's exports and those of the place's holder by year, the cases for the latter, and the aim."""
    last, year = rungs.iloc[-1], int(rungs.index[-1])
    ahead = np.arange(year, target_year + 1)
    paths = {case: last.rival_usd_m * (1 + r.rival_growth_pct / 100) ** (ahead - year) for case, r in needed.iterrows()}

    def draw(ax: Axes, compact: bool) -> None:
        for (colour, style), (case, path) in zip(_CASES, paths.items(), strict=False):
            ax.plot(ahead, path, color=colour, ls=style, lw=1.5, label=f"Its holder: {case}")
        holder = place_name(place).capitalize()
        ax.plot(rungs.index, rungs.rival_usd_m, color=INK, marker="o", ms=4, label=f"{holder} among the others")
        ax.plot(rungs.index, rungs.home_usd_m, color=BLUE, marker="o", ms=4, lw=2.4, label="Korea")
        ax.plot(
            target_year,
            aim_usd_m,
            "*",
            color=RED,
            ms=13,
            mec=PAPER,
            ls="none",
            label=f"{aim_label[0].upper()}{aim_label[1:]}",
        )
        ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v / 1000:,.3g}"))
        ax.set_title("US$ billion", loc="left", fontsize=8.5, color=MUTED)
        ax.set_ylim(bottom=0)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5 if compact else 9))
        legend = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.1), "ncols": 1 if compact else 2}
        ax.legend(**legend, handlelength=1.6, columnspacing=1.2)

    ends = join([f"{case} {usd_bn(path[-1])}" for case, path in paths.items()])
    name = SHORT_CLASSIFICATIONS[classification]
    alt = (
        f"Exports in {name}: Korea {usd_bn(last.home_usd_m)} and {place_name(place)} among the others "
        f"{usd_bn(last.rival_usd_m)} in {year}. By {target_year} that place takes, by case: {ends}. A star marks "
        f"{aim_label}, {money(aim_usd_m)}."
    )
    caption = (
        f"{name}: Korea, {place_name(place)} among the others, and what its present holder may do to {target_year}."
    )
    data = pd.concat(
        [rungs[["home_usd_m", "rival", "rival_usd_m"]], pd.DataFrame(paths, index=ahead)], axis=1
    ).rename_axis("year")
    chart(draw, id="place-gap", alt=alt, caption=caption, source=source, data=data.reset_index(), height=1.3)


def rank_chances(odds: RankOdds, *, classification: str, source: str, shown: int = 12) -> None:
    """Chance of the place for the likeliest exporters, Korea always among them."""
    ordered = odds.field.sort_values(["chance", "usd_m"], ascending=False)
    keep = ordered.head(shown)
    rows = keep if HOME in keep.index else pd.concat([keep, ordered.loc[[HOME]]])

    def draw(ax: Axes, compact: bool) -> None:
        for y, (iso, row) in enumerate(rows.iloc[::-1].iterrows()):
            colour = BLUE if iso == HOME else INK if row.rank_now <= odds.place else SLATE
            ax.plot([0, row.chance], [y, y], color=colour, lw=1.4, alpha=0.5)
            ax.plot(row.chance, y, "o", color=colour, ms=6)
            direct_label(ax, row.chance, y, chance(row.chance), colour, xytext=(8, 0))
        labels = [f"{exporter(i)} ({int(r.rank_now)})" for i, r in rows.iloc[::-1].iterrows()]
        ax.set_yticks(range(len(rows)), labels)
        ax.set_xlim(0, 1.15)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
        ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.grid(axis="x")
        ax.grid(visible=False, axis="y")

    name = SHORT_CLASSIFICATIONS[classification]
    parts = join([f"{exporter(i)} {chance(r.chance)}" for i, r in rows.iterrows()])
    alt = f"Chance of {place_name(odds.place)} or better in {name} in {odds.target_year}: {parts}."
    caption = (
        f"Simulated chance of {place_name(odds.place)} or better in {odds.target_year}; in brackets the rank now. "
        "Black: there now; blue: Korea."
    )
    data = rows.rename_axis("iso3").reset_index()
    height = max(0.7, 0.25 + 0.075 * len(rows))
    chart(draw, id="rank-chances", alt=alt, caption=caption, source=source, data=data, height=height)
