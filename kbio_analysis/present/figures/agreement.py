"""Charts of one agreement: the flows, the control, the placebos, the specifications, and the monthly break."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator
from matplotlib.ticker import MaxNLocator

from kbio_analysis.models.agreement_effect import ALPHA, MAIN_METHOD, AgreementEffect, Silence
from kbio_analysis.models.interrupted import InterruptedFit
from kbio_analysis.present.figures.canvas import AMBER, BLUE, GREEN, INK, MUTED, RED, SLATE, chart
from kbio_analysis.present.text import join, usd_bn

SHORT_METHODS = {"simplex": "Simplex", "demeaned": "Demeaned", "ridge": "Ridge", "sdid": "SDID", "did": "DiD"}

RTOL = 1e-4
"""Fitted paths differ in the last digits between machines."""

EXTRAPOLATED = 24
"""Months for which the line without the break is drawn: farther out a trend of three years means nothing."""

_BELOW = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.1), "handlelength": 1.6, "columnspacing": 1.2}


def agreement_flows(trade: pd.DataFrame, *, partner: str, start: int, source: str) -> None:
    """Exports and imports by year in US$ billion, with the start marked; nothing without two figures."""
    shown = trade[["exports_usd_m", "imports_usd_m"]].dropna(how="all")
    if len(shown) < 2:
        return

    def draw(ax: Axes, compact: bool) -> None:
        for colour, column, label in ((BLUE, "exports_usd_m", "Korea's exports"), (AMBER, "imports_usd_m", "Imports")):
            ax.plot(shown.index, shown[column] / 1000, color=colour, label=label)
        _mark(ax, start - 0.5)
        ax.set_title("US$ billion, current prices", loc="left", fontsize=8.5, color=MUTED)
        ax.set_ylim(0, None)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5 if compact else 9))
        ax.legend(ncols=2, **_BELOW)

    def said(column: str, name: str) -> str:
        own = shown[column].dropna()
        if own.empty:
            return f"{name} not on record"
        return f"{name} {usd_bn(own.iloc[0])} in {own.index[0]} and {usd_bn(own.iloc[-1])} in {own.index[-1]}"

    alt = (
        f"Korea's trade with {partner} by year: {said('exports_usd_m', 'exports')}, {said('imports_usd_m', 'imports')}."
    )
    caption = f"Korea's trade with {partner}; the line marks the start in {start}."
    data = shown.reset_index()
    spark = (shown.sum(axis=1) / 1000).to_numpy()
    chart(draw, id="flows", alt=alt, caption=caption, source=source, data=data, spark=spark, height=0.8)


def agreement_paths(found: AgreementEffect | Silence, *, subject: object, source: str) -> None:
    """Observed and counterfactual paths of every estimator: the fit before the start, and what opens after it.

    Nothing when nothing was estimated.
    """
    if isinstance(found, Silence):
        return
    main, unit = found.main, "US$ billion" if found.pool.is_flow else "per cent of the partner's total"
    scale = 1e-3 if found.pool.is_flow else 100.0
    observed = np.exp(main.outcomes.iloc[:, 0]) * scale
    controls = {m: np.exp(f.counterfactual) * scale for m, f in found.fits.items()}
    years = [p.year for p in observed.index]

    def draw(ax: Axes, compact: bool) -> None:
        ax.plot(years, observed, color=INK, lw=2.2, label="Observed")
        for colour, (m, path) in zip((SLATE, RED, GREEN, AMBER, BLUE), controls.items(), strict=True):
            style = {"lw": 2.0, "ls": "--"} if m == MAIN_METHOD else {"lw": 1.0, "ls": "-", "alpha": 0.85}
            ax.plot(years, path, color=colour, label=SHORT_METHODS[m], **style)
        _mark(ax, found.start - 0.5)
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(_ticks(observed, *controls.values()))
        ax.yaxis.set_major_formatter(lambda v, _: f"{v:g}")
        ax.yaxis.set_minor_formatter(lambda *_: "")
        ax.set_title(f"{unit}, log scale", loc="left", fontsize=8.5, color=MUTED)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5 if compact else 9))
        ax.legend(ncols=3 if compact else 6, **_BELOW)

    ends = join([f"{SHORT_METHODS[m]} {c.iloc[-1]:.3g}" for m, c in controls.items()])
    before = main.gap[main.gap.index < main.start].abs().max()
    alt = (
        f"{subject} from {years[0]} to {years[-1]}, observed and as five controls would have it. Last year: observed "
        f"{observed.iloc[-1]:.3g}, controls {ends} {unit}. "
        f"Largest miss of the main control before the start: {100 * np.expm1(before):.0f}%."
    )
    caption = f"{subject}: observed, and what each estimator would have expected (dashed: the main one)."
    data = pd.DataFrame(
        {"year": years, "observed": observed.to_numpy()} | {m: c.to_numpy() for m, c in controls.items()}
    )
    chart(
        draw, id=f"paths-{found.pool.flow}", alt=alt, caption=caption, source=source, data=data, height=1.05, rtol=RTOL
    )


def agreement_placebos(found: AgreementEffect | Silence, *, subject: object, source: str) -> None:
    """The main gap against the gaps of partners without an agreement; nothing when nothing was estimated."""
    if isinstance(found, Silence) or found.space.paths.empty:
        return
    gap, placebo_gaps = found.main.gap, found.space.paths
    years = [p.year for p in gap.index]

    def draw(ax: Axes, compact: bool) -> None:
        for unit in placebo_gaps:
            ax.plot(years, placebo_gaps[unit], color=SLATE, lw=0.7, alpha=0.45)
        ax.plot(years, gap, color=RED, lw=2.2)
        ax.axhline(0, color=MUTED, lw=0.8)
        _mark(ax, found.start - 0.5)
        ax.set_title("Observed less control, log points", loc="left", fontsize=8.5, color=MUTED)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5 if compact else 9))

    after = np.array(years) >= found.start
    wide = placebo_gaps[after].mean()
    alt = (
        f"Gap of {subject} (red) among {placebo_gaps.shape[1]} placebo gaps (grey), {years[0]} to {years[-1]}. "
        f"Average gap from {found.start}: {gap[after].mean():+.2f}; "
        f"placebos {wide.min():+.2f} to {wide.max():+.2f} log points."
    )
    caption = f"{subject} less its main control (red) and the same for every donor (grey)."
    data = placebo_gaps.assign(treated=gap.to_numpy(), year=years)
    chart(draw, id="placebos", alt=alt, caption=caption, source=source, data=data, rtol=RTOL)


def agreement_specifications(specs: pd.DataFrame, *, subject: object, source: str) -> None:
    """Every specification as a point, by outcome and window; a filled one has a small p. No rows, no chart."""
    if specs.empty:
        return
    groups = list(dict.fromkeys(zip(specs.outcome, specs.window, strict=True)))
    methods = list(dict.fromkeys(specs.method))
    colours = dict(zip(methods, (SLATE, RED, GREEN, AMBER, BLUE), strict=False))

    def draw(ax: Axes, compact: bool) -> None:
        for y, (outcome, window) in enumerate(reversed(groups)):
            own = specs[(specs.outcome == outcome) & (specs.window == window)]
            for k, method in enumerate(methods):
                rows = own[own.method == method]
                small = rows.p <= ALPHA
                place = np.full(len(rows), y + 0.28 - 0.14 * k)
                ax.plot(rows.effect_pct[~small], place[~small], "o", mfc="none", color=colours[method], ms=4)
                ax.plot(rows.effect_pct[small], place[small], "o", color=colours[method], ms=5)
        for method in methods:
            ax.plot([], [], "o", color=colours[method], ms=5, label=SHORT_METHODS[method])
        ax.axvline(0, color=MUTED, lw=0.8)
        gap = "\n" if compact else ", "
        ax.set_yticks(range(len(groups)), [f"{o}{gap}{w}" for o, w in reversed(groups)])
        ax.grid(axis="x")
        ax.grid(visible=False, axis="y")
        ax.set_title("Effect, per cent", loc="left", fontsize=8.5, color=MUTED)
        ax.legend(ncols=3 if compact else 5, **_BELOW)

    small = int((specs.p <= ALPHA).sum())
    alt = (
        f"Effect on {subject} in {len(specs)} specifications: {specs.effect_pct.min():+.0f}% to "
        f"{specs.effect_pct.max():+.0f}%, median {specs.effect_pct.median():+.0f}%; {small} have p at or below "
        f"{ALPHA:g}."
    )
    caption = f"Every outcome, window, donor rule and estimator; filled points have p ≤ {ALPHA:g}."
    height = max(0.6, 0.25 + 0.12 * len(groups))
    chart(draw, id="spec-curve", alt=alt, caption=caption, source=source, data=specs, height=height, rtol=RTOL)


def monthly_break(y: pd.Series, found: InterruptedFit | None, *, label: str, source: str) -> None:
    """A monthly flow with the fitted line, and the line without the break (US$ million a month); nothing if None."""
    if found is None:
        return
    months = y.index.to_timestamp()
    fitted, without = np.exp(found.fitted), np.exp(found.without)
    after = (found.fitted.index >= found.start) & (found.fitted.index < found.start + EXTRAPOLATED)

    def draw(ax: Axes, compact: bool) -> None:
        ax.plot(months, y, color=INK, lw=0.9, label="Record")
        ax.plot(found.fitted.index.to_timestamp(), fitted, color=RED, lw=1.2, label="Fit")
        ax.plot(
            without[after].index.to_timestamp(), without[after], color=BLUE, lw=1.2, ls="--", label="Without the break"
        )
        _mark(ax, found.start.to_timestamp())
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(_ticks(y, fitted, without[after]))
        ax.yaxis.set_major_formatter(lambda v, _: f"{v:,.0f}")
        ax.yaxis.set_minor_formatter(lambda *_: "")
        ax.set_title("US$ million a month, log scale", loc="left", fontsize=8.5, color=MUTED)
        ax.xaxis.set_major_locator(AutoDateLocator(maxticks=4 if compact else 9))
        ax.legend(ncols=3, **_BELOW)

    alt = (
        f"{label} by month, {y.index[0]} to {y.index[-1]}, last value {y.iloc[-1]:,.0f} US$ million; "
        f"the level breaks by {100 * np.expm1(found.level_shift):+.0f}% at {found.start}."
    )
    caption = f"{label}: record, fit, and for two years the fit without the break at the start."
    data = pd.concat([y.rename("record"), fitted, without], axis=1).rename_axis("month").reset_index()
    chart(
        draw,
        id="monthly-break",
        alt=alt,
        caption=caption,
        source=source,
        data=data.assign(month=data.month.astype(str)),
        rtol=RTOL,
    )


def _mark(ax: Axes, x: object) -> None:
    ax.axvline(x, color=MUTED, lw=1.0, ls=":")


def _ticks(*series: pd.Series):
    """Round values on a log axis that lie within the data: 1, 2, 5 and their tens."""
    from matplotlib.ticker import FixedLocator

    low, high = min(float(s.min()) for s in series), max(float(s.max()) for s in series)
    decades = range(int(np.floor(np.log10(low))) - 1, int(np.ceil(np.log10(high))) + 1)
    rounds = [m * 10.0**d for d in decades for m in (1, 2, 5)]
    return FixedLocator([v for v in rounds if low * 0.8 <= v <= high * 1.25])
