"""Charts of the export record: definitions, revisions, pending months, season, year to date."""

import calendar
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from kbio_analysis.models.export_record import YearToDate
from kbio_analysis.models.revisions import PendingMonths, Revisions
from kbio_analysis.models.season import Season
from kbio_analysis.present.figures.canvas import (
    AMBER,
    BLUE,
    CYCLE,
    GREEN,
    INK,
    MUTED,
    PAPER,
    PURPLE,
    RED,
    SLATE,
    chart,
    spread,
)
from kbio_analysis.present.text import join, signed_pct, usd_bn

_COLOURS = {"biopharma": BLUE, "heading": PURPLE, "code": SLATE, "pharma": AMBER, "bio-health": GREEN}
_SCOPES = {
    "biopharma": "biopharmaceuticals",
    "heading": "HS heading 3002",
    "code": "one code of it",
    "pharma": "all pharmaceuticals",
    "bio-health": "with medical devices",
}
_MARKERS = "osD^vP"
_UNDER = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.1), "handlelength": 1.6, "columnspacing": 1.2}


def _title(ax: Axes, text: str) -> None:
    ax.set_title(text, loc="left", fontsize=8.5, color=MUTED)


def _months(ax: Axes, index: pd.PeriodIndex, most: int) -> None:
    """At most ``most`` labelled months, evenly spaced in whole quarters."""
    step = next(s for s in (3, 6, 12, 24, 36, 60, 120) if len(index) / s < most)
    shown = index[::step]
    ax.set_xticks(shown.to_timestamp(), [str(p) for p in shown])


def _percent(value: float, _: int) -> str:
    return "0%" if abs(value) < 1e-9 else signed_pct(value, 0)


def record_definitions(shown: pd.DataFrame, *, year: int, value_usd_m: float, break_year: int, source: str) -> None:
    """All definitions on one logarithmic chart, joined only within themselves and across consecutive years.

    ``shown`` has the columns definition, label, family, year, exports_usd_m. Colour says what is counted, the marker
    and the number at the line's end whose count it is.
    """
    groups = list(shown.sort_values("year").groupby("label", sort=False))
    groups = sorted(groups, key=lambda g: (list(_COLOURS).index(g[1].family.iloc[0]), g[0]))
    taken = dict.fromkeys(_COLOURS, 0)
    if shown.empty:
        return
    first, last = min(int(shown.year.min()), year), max(int(shown.year.max()), year)

    def draw(ax: Axes, compact: bool) -> None:
        seen = dict(taken)
        ax.set_yscale("log")
        ends = []
        for number, (label, rows) in enumerate(groups, start=1):
            family = rows.family.iloc[0]
            line = rows.set_index("year").exports_usd_m
            line = line.reindex(range(int(line.index.min()), int(line.index.max()) + 1))
            marker = _MARKERS[seen[family] % len(_MARKERS)]
            seen[family] += 1
            style = {"color": _COLOURS[family], "marker": marker, "ms": 5, "lw": 1.4}
            ax.plot(
                line.index, line.to_numpy(), label=f"{number}  {label}", mfc=PAPER if len(rows) == 1 else None, **style
            )
            ends.append((float(rows.exports_usd_m.iloc[-1]), int(rows.year.iloc[-1]), number, _COLOURS[family]))
        ax.plot(year, value_usd_m, "*", ms=13, color=INK, mec=PAPER, label="Headline", ls="none", zorder=5)
        for at in {e[1] for e in ends}:
            here = [e for e in ends if e[1] == at]
            spots = spread([np.log10(e[0]) for e in here], 0.062 if compact else 0.048)
            for (_, _, number, colour), spot in zip(here, spots, strict=True):
                tag = ax.text(at + 0.18, 10**spot, str(number), color=colour, fontsize=8, va="center", weight="bold")
                tag.set_path_effects([withStroke(linewidth=2.5, foreground=PAPER)])
        if first < break_year <= last:
            ax.axvline(break_year - 0.5, color=MUTED, lw=0.8, ls=":")
        ax.set_xlim(first - 0.4, last + (1.0 if compact else 0.7))
        low, high = min(shown.exports_usd_m.min(), value_usd_m), max(shown.exports_usd_m.max(), value_usd_m)
        ax.set_ylim(low * 0.85, high * 1.2)
        ticks = [
            t
            for t in (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000)
            if low * 0.85 <= t <= high * 1.2
        ]
        ax.set_yticks(ticks)
        ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v / 1000:,.3g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5 if compact else 10))
        _title(ax, "US$ billion, logarithmic scale")
        ax.legend(ncols=1 if compact else 2, **_UNDER | {"bbox_to_anchor": (0.5, -0.06)})

    ends = [f"{label} {usd_bn(rows.exports_usd_m.iloc[-1])} in {rows.year.iloc[-1]}" for label, rows in groups]
    alt = (
        f"Lines and points of {len(groups)} definitions of Korean exports on a logarithmic scale, none joined to "
        f"another. The last value of each: {join(ends)}. A star marks the headline of {usd_bn(value_usd_m)} in {year}."
    )
    families = list(dict.fromkeys(rows.family.iloc[0] for _, rows in groups))
    names = {BLUE: "blue", PURPLE: "purple", SLATE: "grey", AMBER: "brown", GREEN: "green"}
    colours = join([f"{names[_COLOURS[f]]} {_SCOPES[f]}" for f in families])
    dotted = f" The dotted line is the break of classification in {break_year}." if first < break_year <= last else ""
    caption = (
        f"Published definitions, each its own series: {colours}. Lines join consecutive years of one definition only."
        f"{dotted}"
    )
    height = 1.25 + 0.05 * len(groups)
    chart(draw, id="record-definitions", alt=alt, caption=caption, source=source, data=shown, height=height)


def revision_dots(found: Revisions, *, source: str) -> None:
    """Every revision as a dot, one row a kind of count; nothing without a pair."""
    if found.pairs.empty:
        return
    labels = list(found.by_count.index)[::-1]

    def draw(ax: Axes, compact: bool) -> None:
        for y, label in enumerate(labels):
            own = found.pairs[found.pairs["label"] == label]
            colour = CYCLE[y % 5]
            ax.plot(own.revision_pct, [y] * len(own), "o", ms=6, color=colour, alpha=0.55, mec="none")
            place = {"xycoords": ax.get_yaxis_transform(), "xytext": (0, 8), "textcoords": "offset points"}
            ax.annotate(f"{label} (n = {len(own)})", (0.0, y), fontsize=8, color=INK, ha="left", **place)
        worst = found.pairs.loc[found.pairs.revision_pct.abs().idxmax()]
        ax.annotate(
            str(worst.last_month), (worst.revision_pct, labels.index(worst.label)), xytext=(0, -13),
            textcoords="offset points", fontsize=8, ha="left" if worst.revision_pct < 0 else "right", color=MUTED,
        )  # fmt: skip
        ax.axvline(0, color=MUTED, lw=0.8)
        ax.set(yticks=[], ylim=(-0.6, len(labels) - 0.3))
        ax.grid(axis="x")
        ax.grid(visible=False, axis="y")
        ax.spines["left"].set_visible(False)
        ax.xaxis.set_major_formatter(FuncFormatter(_percent))
        ax.xaxis.set_major_locator(MaxNLocator(nbins=5 if compact else 8))

    parts = [
        f"{label}: {int(r.n)} from {signed_pct(r.low_pct)} to {signed_pct(r.high_pct)}"
        for label, r in found.by_count.iterrows()
    ]
    alt = f"Dots of revisions from the first to the latest count, by kind: {join(parts)}."
    caption = "Revision from first to latest count, each dot a month (or a period to date), per cent of the first."
    data = found.pairs.astype({"first_month": str, "last_month": str})
    height = 0.35 + 0.16 * len(labels)
    chart(draw, id="revision-dots", alt=alt, caption=caption, source=source, data=data, height=height)


def pending_chart(
    first: pd.Series, latest: pd.Series, pending: PendingMonths | None, *, label: str, source: str
) -> None:
    """First and latest counts since the first month that has both, with intervals on the months that wait.

    Nothing when there is no interval to show.
    """
    if pending is None or latest.empty:
        return
    first = first[first.index >= latest.index[0]]
    waiting = pending.months

    def draw(ax: Axes, compact: bool) -> None:
        days = first.index.to_timestamp()
        ax.plot(days, first.to_numpy(), "o", ms=5, mfc=PAPER, color=AMBER, label="First count", ls="none")
        ax.plot(latest.index.to_timestamp(), latest.to_numpy(), color=BLUE, marker="o", ms=4, label="Latest count")
        if len(waiting):
            at = waiting.index.to_timestamp()
            ax.vlines(at, waiting.low_usd_m, waiting.high_usd_m, color=AMBER, lw=4, alpha=0.3, label="Where it may end")
        _title(ax, "US$ million a month")
        ax.set_ylim(0, max(first.max(), waiting.high_usd_m.max() if len(waiting) else 0) * 1.08)
        _months(ax, first.index, 4 if compact else 8)
        ax.legend(ncols=2 if compact else 3, **_UNDER)

    spans = [f"{m} {r.low_usd_m:,.0f} to {r.high_usd_m:,.0f}" for m, r in waiting.iterrows()]
    tail = f" Months with a first count only, US$ million: {join(spans)}." if spans else ""
    alt = f"First and latest monthly counts of {label} from {first.index[0]} to {first.index[-1]}.{tail}"
    caption = (
        f"{label}: first counts, latest counts, and for months without a later count the interval of past revisions "
        f"({pending.n} pairs, covering {pending.coverage_pct:.0f}%)."
    )
    data = pd.concat([first.rename("first"), latest.rename("latest"), waiting[["low_usd_m", "high_usd_m"]]], axis=1)
    data = data.rename_axis("month").reset_index().astype({"month": str})
    chart(draw, id="pending", alt=alt, caption=caption, source=source, data=data)


def trend_chart(season: Season | None, *, label: str, source: str) -> None:
    """The series, its trend, and trend with season; nothing without a decomposition."""
    if season is None:
        return
    fitted = season.trend * np.exp(season.seasonal)

    def draw(ax: Axes, compact: bool) -> None:
        days = season.observed.index.to_timestamp()
        ax.plot(days, season.observed.to_numpy(), color=INK, lw=1.1, label="Record")
        ax.plot(days, fitted.to_numpy(), color=BLUE, lw=1.1, ls="--", label="Trend and season")
        ax.plot(days, season.trend.to_numpy(), color=AMBER, lw=2.2, label="Trend")
        _title(ax, "US$ million a month")
        ax.set_ylim(0, season.observed.max() * 1.08)
        _months(ax, season.observed.index, 5 if compact else 10)
        ax.legend(ncols=2 if compact else 3, **_UNDER)

    y, trend = season.observed, season.trend
    alt = (
        f"{label} by month from {y.index[0]} to {y.index[-1]} with its trend, which goes from {trend.iloc[0]:,.0f} to "
        f"{trend.iloc[-1]:,.0f} US$ million a month, lowest {trend.min():,.0f} in {trend.idxmin()}."
    )
    caption = f"{label}: record, trend, and trend with season (STL in logs, one definition throughout)."
    data = pd.DataFrame({"month": y.index.astype(str), "observed": y.to_numpy(), "trend": trend.to_numpy()})
    data = data.assign(seasonal_log=season.seasonal.to_numpy(), remainder_log=season.remainder.to_numpy())
    spark = list(trend.to_numpy())
    chart(draw, id="trend", alt=alt, caption=caption, source=source, data=data, spark=spark)


def season_chart(season: Season | None, *, label: str, source: str) -> None:
    """Distance from the trend by calendar month, every year a dot; nothing without a decomposition."""
    if season is None:
        return
    away = 100 * np.expm1(season.seasonal + season.remainder)

    def draw(ax: Axes, compact: bool) -> None:
        ends = [m % 3 == 0 for m in season.effect_pct.index]
        colours = [AMBER if end else SLATE for end in ends]
        ax.bar(season.effect_pct.index, season.effect_pct.to_numpy(), color=colours, alpha=0.35, width=0.7)
        ax.plot(away.index.month, away.to_numpy(), "o", ms=4, color=INK, alpha=0.6, mec="none")
        ax.axhline(0, color=MUTED, lw=0.8)
        names = [calendar.month_abbr[m][0] if compact else calendar.month_abbr[m] for m in range(1, 13)]
        ax.set_xticks(range(1, 13), names)
        ax.yaxis.set_major_formatter(FuncFormatter(_percent))
        _title(ax, "From the trend, per cent")

    parts = [f"{calendar.month_abbr[m]} {signed_pct(v, 0)}" for m, v in season.effect_pct.items()]
    alt = f"Average distance of {label} from its trend by calendar month: {join(parts)}."
    caption = f"{label}: average distance from the trend (bars; brown: last month of a quarter) and each year (dots)."
    data = pd.DataFrame({"month": away.index.astype(str), "from_trend_pct": away.to_numpy()})
    chart(draw, id="season", alt=alt, caption=caption, source=source, data=data)


def to_date_chart(seen: Mapping[str, YearToDate | None], *, series: str, source: str) -> None:
    """Sums from January of one series by year, with the target path; nothing where there is no year to date."""
    found = seen.get(series)
    if found is None:
        return
    sums = found.cumulative
    years = [y for y in sums.columns if y != "path" and y >= found.base_year]

    def draw(ax: Axes, compact: bool) -> None:
        shades = {found.base_year: SLATE, found.year: INK}
        for year in years:
            line = sums[year].dropna()
            heavy = 2.4 if year == found.year else 1.3
            ax.plot(line.index, line.to_numpy(), color=shades.get(year, BLUE), lw=heavy, label=str(year))
        ax.plot(sums.index, sums["path"].to_numpy(), color=RED, ls="--", lw=1.4, label=f"Path for {found.year}")
        names = [calendar.month_abbr[m][0] if compact else calendar.month_abbr[m] for m in range(1, 13)]
        ax.set_xticks(range(1, 13), names)
        ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v / 1000:,.3g}"))
        ax.set_ylim(bottom=0)
        _title(ax, "US$ billion since January")
        ax.legend(ncols=2 if compact else 4, **_UNDER)

    alt = (
        f"Sums from January, {series}. After {found.n_months} months of {found.year}: {usd_bn(found.to_date)}; "
        f"target path {usd_bn(found.path)}, the same months of {found.base_year} {usd_bn(found.base)}."
    )
    caption = f"{series}: sums from January, and {found.base_year} grown along the target path."
    data = sums.rename(columns=str).reset_index()
    chart(draw, id="to-date", alt=alt, caption=caption, source=source, data=data)
