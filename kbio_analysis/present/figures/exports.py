"""Charts of export levels: the definitions side by side, the fan to the target, the monthly witness."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator
from matplotlib.ticker import FuncFormatter, MaxNLocator

from kbio_analysis.models import growth
from kbio_analysis.models.monthly_models import MonthlyOutlook as Witness
from kbio_analysis.present.figures.canvas import (
    AMBER,
    BLUE,
    CYCLE,
    GREEN,
    INK,
    MUTED,
    PAPER,
    RED,
    SLATE,
    chart,
)
from kbio_analysis.present.outputs import DEFAULT_RTOL, SIMULATED_RTOL
from kbio_analysis.present.text import join, usd_bn

_MARKERS = "osD^vP"
_BAND_ALPHAS = (0.16, 0.30)


def _billions(ax: Axes, label: str) -> None:
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v / 1000:,.3g}"))
    ax.set_title(label, loc="left", fontsize=8.5, color=MUTED)


def definitions(frame: pd.DataFrame, *, base_year: int, base_usd_m: float, source: str) -> None:
    """Published definitions on one chart, never joined to one another.

    ``frame`` has the columns definition, label, year, exports_usd_m. Points of one definition are joined only
    across consecutive years.
    """
    groups = list(frame.sort_values(["definition", "year"]).groupby("label", sort=False))

    def draw(ax: Axes, compact: bool) -> None:
        for i, (label, rows) in enumerate(groups):
            line = rows.set_index("year").exports_usd_m
            line = line.reindex(range(line.index.min(), line.index.max() + 1))
            alone = len(rows) == 1
            style = {"color": CYCLE[i % 6], "marker": _MARKERS[i % 6], "ms": 9 if alone else 6}
            ax.plot(line.index, line.to_numpy(), label=label, mfc="none" if alone else None, **style)
        ax.plot(base_year, base_usd_m, "*", ms=13, color=INK, mec=PAPER, label="Strategy's base", ls="none")
        _billions(ax, "US$ billion")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5 if compact else 10))
        ax.set_ylim(bottom=0)
        legend = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.1), "ncols": 1 if compact else 2}
        ax.legend(**legend, handlelength=1.6, columnspacing=1.2)

    last = frame.sort_values("year").groupby("label").tail(1)
    ends = [f"{r.label} {usd_bn(r.exports_usd_m)} in {r.year}" for r in last.itertuples()]
    alt = (
        f"Points and lines of {len(groups)} definitions of Korea's biopharmaceutical exports, none joined to "
        f"another. The last value of each: {join(ends)}. A star marks the strategy's base of "
        f"{usd_bn(base_usd_m)} in {base_year}."
    )
    caption = (
        "Published definitions of Korea's biopharmaceutical exports. Lines join consecutive years of one "
        "definition only."
    )
    chart(draw, id="definitions", alt=alt, caption=caption, source=source, data=frame, height=1.25)


def fan(
    history: pd.Series,
    bands: pd.DataFrame,
    *,
    paths: Mapping[str, pd.Series],
    target_usd_m: float,
    levels: Sequence[int],
    source: str,
    caption: str,
    id: str = "fan",
    rtol: float = DEFAULT_RTOL,
) -> None:
    """History, the predictive fan, the growth paths and the target.

    ``history`` is indexed by year; ``bands`` by year with columns median, lo_L and hi_L for each level L; ``paths``
    maps a label to a series by yearly Period. All in US$ million.
    """
    paths = {label: path.set_axis(path.index.year) for label, path in paths.items()}
    wide_first = sorted(levels, reverse=True)
    last_year = int(history.index[-1])
    target_year = int(bands.index[-1]) if len(bands) else last_year

    def draw(ax: Axes, compact: bool) -> None:
        years = [last_year, *bands.index]
        start = float(history.iloc[-1])
        for rank, level in enumerate(wide_first if len(bands) else ()):
            low = [start, *bands[f"lo_{level}"]]
            high = [start, *bands[f"hi_{level}"]]
            shade = _BAND_ALPHAS[min(rank, 1)]
            ax.fill_between(years, low, high, color=BLUE, alpha=shade, lw=0, label=f"{level}% interval")
        if len(bands):
            ax.plot(years, [start, *bands["median"]], color=BLUE, ls="--", label="Median")
        ax.plot(
            history.index,
            history.to_numpy(),
            color=INK,
            marker="o",
            ms=4,
            label="Record",
        )
        for colour, (label, path) in zip((AMBER, SLATE), paths.items(), strict=False):
            ax.plot(path.index, path.to_numpy(), color=colour, label=label, lw=1.5)
        ax.plot(target_year, target_usd_m, "*", color=RED, ms=13, mec=PAPER, label="Target", ls="none")
        _billions(ax, "US$ billion")
        ax.set_ylim(0, max(bands.filter(like="hi_").max().max() if len(bands) else 0.0, target_usd_m) * 1.05)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5 if compact else 10))
        legend = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.1), "ncols": 1 if compact else 2}
        ax.legend(**legend, handlelength=1.6, columnspacing=1.2)

    tracks = join([f"{label} {usd_bn(path.iloc[-1])}" for label, path in paths.items()])
    now, goal = usd_bn(float(history.iloc[-1])), usd_bn(target_usd_m)
    alt = f"From {now} in {last_year}; target {goal} in {target_year}; {tracks}."
    if len(bands):
        end = bands.iloc[-1]
        spans = [f"{v}% interval {usd_bn(end[f'lo_{v}'])} to {usd_bn(end[f'hi_{v}'])}" for v in sorted(levels)]
        alt = f"Fan chart. {alt} Median {usd_bn(end['median'])} in {target_year}, {join(spans)}."
    data = pd.concat(
        [
            history.rename("published"),
            *([bands] if len(bands) else []),
            *(p.rename(label) for label, p in paths.items()),
        ],
        axis=1,
    ).rename_axis("year")
    spark = [*history.to_numpy(), *(bands["median"] if len(bands) else ())]
    chart(
        draw,
        id=id,
        alt=alt,
        caption=caption,
        source=source,
        data=data.reset_index(),
        spark=spark,
        height=1.3,
        rtol=rtol,
    )


def witness_fan(seen: Witness, *, segment_growth_pct: float, levels: Sequence[int], label: str, source: str) -> None:
    """The witness by calendar year against segment growth and the target's multiple; nothing when it is silent."""
    if seen.chance is None:
        return
    years = seen.target_year - seen.base_year
    path = growth.path(seen.base_total, segment_growth_pct, years, base_year=seen.base_year)
    caption = f"{label} by calendar year: simulated sums, segment growth and the target's multiple of {seen.base_year}."
    fan(
        seen.complete,
        seen.bands,
        paths={"Segment growth": path},
        target_usd_m=seen.level,
        levels=levels,
        source=source,
        caption=caption,
        id="witness-fan",
        rtol=SIMULATED_RTOL,
    )


def monthly_fan(y: pd.Series, ahead: pd.DataFrame | None, *, label: str, levels: Sequence[int], source: str) -> None:
    """A monthly series and one model's rows of the long forecast contract; the record alone where there are none."""
    last = f"{label} by month from {y.index[0]} to {y.index[-1]}, last value {y.iloc[-1]:,.0f} US$ million"
    history = pd.DataFrame({"period": y.index.astype(str), "actual": y.to_numpy()})
    if ahead is None:
        alt, caption, data = f"{last}.", f"{label}: monthly record.", history
    else:
        end = ahead.iloc[-1]
        spans = [f"{v}% interval {end[f'lo_{v}']:,.0f} to {end[f'hi_{v}']:,.0f}" for v in sorted(levels)]
        alt = f"{last}, and its forecast to {end.period}: {end.forecast:,.0f} US$ million a month, {join(spans)}."
        columns = ["period", "forecast", *(f"{side}_{v}" for v in sorted(levels) for side in ("lo", "hi"))]
        data = pd.concat([history, ahead[columns].assign(period=ahead.period.astype(str))], ignore_index=True)
        shown = join([f"{v}%" for v in sorted(levels)])
        caption = f"{label}: monthly record and combined forecast with {shown} intervals."

    def draw(ax: Axes, compact: bool) -> None:
        ax.plot(y.index.to_timestamp(), y.to_numpy(), color=INK, lw=1.2, label="Record")
        top = float(y.max())
        if ahead is not None:
            months = [p.to_timestamp() for p in ahead.period]
            for rank, level in enumerate(sorted(levels, reverse=True)):
                band = (ahead[f"lo_{level}"], ahead[f"hi_{level}"])
                ax.fill_between(
                    months, *band, color=GREEN, alpha=_BAND_ALPHAS[min(rank, 1)], lw=0, label=f"{level}% interval"
                )
            ax.plot(months, ahead.forecast.to_numpy(), color=GREEN, lw=1.4, label="Combined forecast")
            top = max(top, float(ahead[f"hi_{max(levels)}"].max()))
        ax.set_title("US$ million a month", loc="left", fontsize=8.5, color=MUTED)
        ax.set_ylim(0, top * 1.05)
        ax.xaxis.set_major_locator(AutoDateLocator(maxticks=4 if compact else 9))
        legend = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.1), "ncols": 2 if compact else 4}
        ax.legend(**legend, handlelength=1.6, columnspacing=1.2)

    chart(draw, id="monthly", alt=alt, caption=caption, source=source, data=data, rtol=SIMULATED_RTOL)
