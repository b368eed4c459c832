"""What a new agreement could add to trade with one partner: one counterfactual, two methods that are never pooled.

For each date on which a preference may end there is one path without an agreement, with the loss of that preference in
it, and one path with an agreement a method. An effect is the second less the first. The transfer multiplies trade by
what past agreements did, from entry, or, where goods enter free already, from the day on which they cease to. The
tariff method multiplies it by what a partial equilibrium finds for the duties. Effects are read on the middle path, so
that without + effect = with; their ranges hold the doubt of the method alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import typed
from kbio_analysis.models.reference_class import Transfer
from kbio_analysis.models.tariffs import DFQF, MFN, Regime, Scenario, TariffSimulation, last_exports, simulate
from kbio_analysis.models.trade_baseline import Baseline

METHODS = {"transfer": "Past agreements", "tariffs": "Duties cut"}
FLOWS = ("exports", "imports")
PERCENTILES = (5, 50, 95)

ASSUMED = {
    "Use of the preference": ("utilisation", "{:.0%}", 0.5, 0.9),
    "Elasticity of substitution": ("sigma_scale", "×{:g}", 0.75, 1.25),
    "Part of every line covered": ("coverage", "{:.0%}", 0.5, 1.0),
    "Years until duties are gone": ("phase_years", "{:g}", 15, 1),
}
"""Input of the tariff method -> its name in the terms, how an end is written, and its two ends (elasticities:
multiples)."""

_RERUN_DRAWS = 400  # where an assumption is moved
_RECORDED_YEARS = 15  # of the record beside the paths ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One flow and cell, US$ million by year: ``without`` its middle, ``added`` method -> draws (n, years) of what an
    agreement adds to it, ``factor`` (n, years) by which draws of the baseline are multiplied to hold the loss; of a
    flow, not of trade."""

    without: np.ndarray
    added: Mapping[str, np.ndarray]
    factor: np.ndarray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """``paths``: (flow, cell: which graduation date) -> path over ``years``, from entry in ``start``, or from when a
    preference ends if earlier, to the horizon, and of trade where both flows have one. The first of ``cells`` is the
    chosen one."""

    start: int
    years: tuple[int, ...]
    cells: tuple[str, ...]
    paths: Mapping[tuple[str, str], Path]

    @property
    def main(self) -> str | None:
        """The flow that answers: trade, else what there is, else None."""
        return next((flow for flow in ("trade", *FLOWS) if (flow, self.cells[0]) in self.paths), None)

    def cases(self) -> pd.DataFrame:
        """One row a cell (the chosen one first), flow and method: without, low, median, high (5, 50, 95 per cent) and
        with_agreement, US$ million in the last year; with_agreement = without + median. And p_positive."""
        rows = []
        for cell, flow in [(c, f) for c in self.cells for f in (*FLOWS, "trade") if (f, c) in self.paths]:
            path = self.paths[flow, cell]
            for method, draws in path.added.items():
                last, without = draws[:, -1], path.without[-1]
                low, middle, high = np.percentile(last, PERCENTILES)
                chance = float((last > 0).mean())
                rows.append((flow, method, without, low, middle, high, without + middle, chance, cell))
        columns = ["flow", "method", "without", "low", "median", "high", "with_agreement", "p_positive", "cell"]
        return pd.DataFrame(rows, columns=columns)

    def records(self) -> dict[str, float]:
        """What is recorded of the last year, US$ million: effects by method, flow and percentile, and of two-way trade
        without and with_ by method; two-way trade again for the other date, other_graduation in the name."""
        ends, found = {"low": 5, "median": 50, "high": 95}, {}
        for row in self.cases().itertuples():
            mark = "" if row.cell == self.cells[0] else "other_graduation_"
            if row.flow == "trade" or not mark:
                name = f"effect_{row.method}_{row.flow}_usd_m_{mark}"
                found |= {f"{name}{p}": getattr(row, end) for end, p in ends.items()}
            if row.flow == "trade":
                found[f"without_usd_m_{mark}50"] = row.without
                found[f"with_{row.method}_usd_m_{mark}50"] = row.with_agreement
        return found

    def lost(self, outlook: Baseline) -> pd.DataFrame:
        """Cells x lost (imports without an agreement against no graduation, summed over the years) and saved (by an
        agreement, tariff method, summed). US$ million, middle."""
        at, rows = [outlook.years.index(y) for y in self.years], {}
        for cell in [c for c in self.cells if ("imports", c) in self.paths]:
            path = self.paths["imports", cell]
            saved = np.median(path.added["tariffs"].sum(axis=1)) if "tariffs" in path.added else 0.0
            rows[cell] = ((outlook.middle["imports"][at] - path.without).sum(), saved)
        return pd.DataFrame.from_dict(rows, orient="index", columns=["lost", "saved"])


def tariff_study(
    flow: str, held: Any, terms: Mapping[str, Any], *, ends: int | None, horizon: int, run: Any = simulate, **draws: int
) -> TariffSimulation:
    """``tariffs.simulate`` one flow per dollar of its trade, or ``run`` another; they take ``draws``. ``ends``: years
    from entry after which duty-free entry ends (below 0: before entry; None: it does not).

    ``held`` has the lines as ``frame``, their trade adding up to one, ``access`` today (mfn, dfqf) and
    ``partial``: whether a partial preference is left when duty-free entry ends. ``terms``: cuts, coverage and
    phase_years as in ``tariffs.Regime``, utilisation and sigma_scale as in ``tariffs.Scenario``, duty_free (fraction of
    every line that enters free today where access is dfqf), partial (fraction of lines, and of their duty, that a
    partial preference takes off) and partner_stages: at_entry and phase_years of the partner's duties (``exports``)
    where they are its own, else None.
    """
    lines, depth = terms["partial"]
    partial = Regime(cuts="cd", coverage=lines, depth=depth) if lines * depth > 0 and held.partial else MFN
    free = held.access == "dfqf"
    at_entry, years = (flow == "exports" and terms["partner_stages"]) or (0.0, terms["phase_years"])
    compared = Scenario(
        today=Regime(cuts=DFQF.cuts, coverage=terms["duty_free"]) if free else partial,
        agreement=Regime(cuts=terms["cuts"], coverage=terms["coverage"], at_entry=at_entry, phase_years=years),
        without=partial if free and ends is not None else None,
        without_from=ends or 0,
        horizon=horizon,
        utilisation=terms["utilisation"],
        sigma_scale=terms["sigma_scale"],
        lagged=True,
    )
    return run(held.frame, compared, **draws)


@typed
def effects(
    outlook: Baseline,
    past: Transfer,
    flows: Mapping[str, Any],
    studies: Mapping[tuple[str, str], TariffSimulation],
    *,
    start: int,
    horizon: int,
    cells: Mapping[str, int | None],
    rng: np.random.Generator,
) -> Effects:
    """Put the parts together to ``start + horizon``, from ``start`` or the earlier year in which a preference ends.

    ``studies``: (flow, cell) -> simulation per dollar of trade, for the flows whose duties are held; ``flows`` says on
    what terms each enters today; ``cells``: dates -> years from entry after which duty-free entry ends, the chosen one
    first. Raises :class:`ModelInputError` for years outside the outlook.
    """
    free = {flow for flow, held in flows.items() if held.access == "dfqf"}
    lead = max(0, -min((ends for ends in cells.values() if free and ends is not None), default=0))
    years = np.arange(start - lead, start + horizon + 1)
    if years[0] not in outlook.years or years[-1] not in outlook.years:
        raise ModelInputError(f"{years[0]} to {years[-1]} is not within the outlook; lengthen its horizon")
    at, paths = [outlook.years.index(year) for year in years], {}
    for flow, middle in outlook.middle.items():
        n, state = len(outlook.paths[flow]), rng.bit_generator.state
        for cell, ends in cells.items():
            rng.bit_generator.state = state  # the same draws for every date
            study, kept, added = studies.get((flow, cell)), np.ones((n, len(years))), {}
            if study is not None:
                kept[:, -len(study.without_draws) :] += study.without_draws.T
            without = middle[at] * np.median(kept, axis=0)
            if flow in past.predictions and not (flow in free and ends is None):
                since = years - start - (max(ends, 0) if flow in free else 0)
                added["transfer"] = without * np.expm1(past.draw(flow, since, n, rng))
            if study is not None:
                added["tariffs"] = middle[at] * np.pad(study.year_draws.T, ((0, 0), (lead, 0)))
            paths[flow, cell] = Path(without=without, added=added, factor=kept)
    for cell in cells if len(outlook.middle) == len(FLOWS) else ():
        parts = [paths[flow, cell] for flow in FLOWS]
        held = {m: [part.added[m] for part in parts if m in part.added] for m in METHODS}
        # The transfer adds nothing to goods that enter free; duties must be held both ways.
        added = {m: sum(draws) for m, draws in held.items() if len(draws) >= (1 if m == "transfer" else len(FLOWS))}
        paths["trade", cell] = Path(without=sum(part.without for part in parts), added=added)
    return Effects(start=start, years=tuple(int(y) for y in years), cells=tuple(cells), paths=paths)


def doubling(outlook: Baseline, found: Effects) -> dict[str, float] | None:
    """Chance that two-way trade ten years after entry is twice that of the year before it: ``without`` an agreement,
    and with one by each method. Effects of the last year found stand for later ones. Each counts (1 + hits)/(1 +
    draws). None without both flows."""
    last = found.start - 1
    if found.main != "trade" or last not in outlook.years:
        return None
    before, after, base = outlook.years.index(last), outlook.years.index(last + 11), 0.0
    trade = dict.fromkeys(("without", *found.paths["trade", found.cells[0]].added), 0.0)
    for flow in FLOWS:
        path, draws = found.paths[flow, found.cells[0]], outlook.paths[flow]
        lost_before = path.factor[:, found.years.index(last)] if last in found.years else 1.0
        base = base + 2 * draws[:, before] * lost_before
        own = draws[:, after] * path.factor[:, -1]
        for name in trade:
            added = path.added[name][:, -1] / path.without[-1] if name in path.added else 0.0
            trade[name] = trade[name] + own * (1 + added)
    return {name: float((1 + (values >= base).sum()) / (1 + len(base))) for name, values in trade.items()}


def trade_paths(outlook: Baseline, found: Effects, flow: str, history: pd.Series, other: pd.Series) -> pd.DataFrame:
    """By year, US$ million: recorded (the last years of ``history``); without, with its 5 and 95 per cent, and with_ by
    method, at the chosen date; and ``other``, a partner with an agreement since 2010 (India), moved in time and level
    so that the years before both entries meet (india_rebased)."""
    path, years, start = found.paths[flow, found.cells[0]], list(found.years), found.start
    middle = pd.Series({y: outlook.at(y, flow) for y in outlook.years}).loc[: years[-1]]
    ahead = pd.DataFrame({"without": middle})
    ahead.loc[years, "without"] = path.without
    band = outlook.band(flow).loc[: years[-1]].mul(ahead["without"] / middle, axis=0)
    ahead = ahead.assign(without_5=band[5], without_95=band[95])
    for method, draws in path.added.items():
        ahead[f"with_{method}"] = pd.Series(path.without + np.median(draws, axis=0), index=years).loc[start:]
    moved = other / other.loc[2009] * ahead.at[start - 1, "without"]
    moved.index = [int(year) - 2010 + start for year in other.index]
    ahead = ahead.assign(india_rebased=moved.reindex(ahead.index).where(ahead.index >= start - 1))
    return pd.concat([history.dropna().tail(_RECORDED_YEARS).to_frame("recorded"), ahead]).rename_axis("year")


def chapters(
    studies: Mapping[str, TariffSimulation], flows: Mapping[str, Any], base_usd_m: Mapping[str, float]
) -> pd.DataFrame:
    """The five chapters of each flow that gain most: flow, chapter, group, share_pct, without and agreement (duties,
    per cent), gain_usd_m (middle, on the base year's trade)."""
    columns = ["flow", "chapter", "group", "share_pct", "without", "agreement", "gain_usd_m"]
    parts = [pd.DataFrame(columns=columns)]
    for flow, simulated in studies.items():
        gain = simulated.per_line[50].sort_values(ascending=False).head(5)
        lines = flows[flow].frame.loc[gain.index, ["group", "share_pct"]].join(simulated.wedge)
        parts.append(lines.assign(flow=flow, gain_usd_m=gain * base_usd_m[flow]).rename_axis("chapter").reset_index())
    return pd.concat(parts[1:] or parts, ignore_index=True)[columns]


def drivers(
    outlook: Baseline,
    flows: Mapping[str, Any],
    terms: Mapping[str, Any],
    variants: Mapping[str, Mapping[str, tuple[str, Mapping[str, Any]]]],
    *,
    ends: int | None,
    year: int,
    horizon: int,
    seed: int,
) -> pd.DataFrame:
    """What moves the tariff method: one input at a time at its two ends, widest swing first.

    Columns input, low, high (US$ million in ``year``, all flows), low_end, high_end. ``variants``: further inputs ->
    end (low, high) -> its name and the duties as they then are.
    """
    run = {"ends": ends, "horizon": horizon, "n_draws": _RERUN_DRAWS, "seed": seed, "run": last_exports}

    def total(changed: Mapping[str, Any], held: Mapping[str, Any] = flows) -> float:
        last = {flow: tariff_study(flow, own, changed, **run) for flow, own in held.items()}
        return sum(outlook.at(year, flow) * float(np.median(draws)) for flow, draws in last.items())

    rows = []
    for name, (attribute, how, *both) in ASSUMED.items() if flows else ():
        values = [end * terms["sigma_scale"] if attribute == "sigma_scale" else end for end in both]
        rows.append((name, *(total({**terms, attribute: value}) for value in values), *map(how.format, both)))
    for name, cases in variants.items() if flows else ():
        moved = [total(terms, cases[end][1]) for end in ("low", "high")]
        rows.append((name, *moved, cases["low"][0], cases["high"][0]))
    frame = pd.DataFrame(rows, columns=["input", "low", "high", "low_end", "high_end"])
    swing = (frame["high"] - frame["low"]).abs()
    return frame.loc[swing.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
