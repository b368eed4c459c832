"""What a new agreement could add to trade with one partner: one counterfactual, two methods that are never pooled.

For each date on which a preference may end there is one path without an agreement, with the loss of that preference in
it, and one path with an agreement a method. An effect is the second less the first. The transfer multiplies trade by
what past agreements did, from entry, or, where goods enter free already, from the day on which they cease to. The
tariff method multiplies it by what a partial equilibrium finds for the duties. Effects are read on the middle path, so
that without + effect = with; their ranges hold the doubt of the method alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import typed
from kbio_analysis.models.tariffs import DFQF, MFN, Regime, Scenario, TariffSimulation, simulate
from kbio_analysis.models.trade_baseline import Baseline
from kbio_analysis.models.transfer import Transfer

METHODS = {"transfer": "Past agreements", "tariffs": "Duties cut"}
FLOWS = ("exports", "imports")
PERCENTILES = (5, 50, 95)
OUTCOMES = {
    "exports": "Change of the flow",
    "creation": "of it creation",
    "diversion": "of it diversion",
    "price": "of it better prices",
    "smart": "Creation by SMART's linear rule",
    "revenue": "Importer's duty revenue",
    "consumer_surplus": "Importer's consumer surplus",
}
"""Outcomes of the tariff simulation, in its order, as a table names them."""

ASSUMED = {
    "Use of the preference": ("utilisation", 0.5, 0.9),
    "Elasticity of substitution": ("sigma_scale", 0.75, 1.25),
    "Part of every line covered": ("coverage", 0.5, 1.0),
    "Years until duties are gone": ("phase_years", 15, 1),
}
"""Input of the tariff method -> its field of TariffTerms, and the two ends it is put at (elasticities: multiples)."""

_RERUN_DRAWS = 400  # where an assumption is moved
_RECORDED_YEARS = 15  # of the record beside the paths ahead

Cell = str
"""Which graduation date is assumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffTerms:
    """Terms of the agreement and the assumptions on its use; see ``tariffs.Regime`` and ``tariffs.Scenario``.

    ``at_entry`` and ``phase_years`` of the partner's duties (``exports``) and of Korea's may differ: ``partner_stages``
    holds the former where they do. ``duty_free``: fraction of every line that enters free today where access is dfqf;
    ``partial``: fraction of lines, and of their duty, that a partial preference takes off.
    """

    cuts: str
    coverage: float
    phase_years: int
    utilisation: float
    sigma_scale: float = 1.0
    excluded: tuple[int, ...] = ()
    duty_free: float = DFQF.coverage
    partial: tuple[float, float] = (0.0, 0.0)
    partner_stages: tuple[float, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffFlow:
    """One flow as the tariff method takes it: ``lines`` scaled to a total of one, ``access`` today (mfn, apta, dfqf),
    ``partial``: whether a partial preference is left when duty-free entry ends, ``ends_after``: cell -> years from
    entry after which it ends (below 0: before entry; absent or None: it does not)."""

    lines: pd.DataFrame
    access: str
    partial: bool = False
    ends_after: Mapping[Cell, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One flow and cell, US$ million by year: ``without`` its middle, ``added`` method -> draws (n, years) of what an
    agreement adds to it, ``factor`` (n, years) by which draws of the baseline are multiplied to hold the loss."""

    without: np.ndarray
    added: Mapping[str, np.ndarray]
    factor: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """``paths``: (flow, cell) -> path over ``years``, from entry to the horizon; the first cell is the chosen one."""

    years: tuple[int, ...]
    cells: tuple[Cell, ...]
    paths: Mapping[tuple[str, Cell], Path]

    @property
    def flows(self) -> tuple[str, ...]:
        """Flows with a path, and trade if both have one."""
        held = tuple(flow for flow in FLOWS if (flow, self.cells[0]) in self.paths)
        return (*held, "trade") if len(held) == len(FLOWS) else held

    @property
    def main(self) -> str | None:
        """The flow that answers: trade, else what there is, else None."""
        return self.flows[-1] if self.flows else None

    def has(self, method: str, flow: str) -> bool:
        """Whether a method reaches a flow; ``trade``: both, but that the transfer adds nothing to goods that enter
        free."""
        parts = [self.paths[f, self.cells[0]] for f in self._parts(flow) if (f, self.cells[0]) in self.paths]
        enough = any if method == "transfer" else all
        return flow in self.flows and enough(method in part.added for part in parts)

    def without(self, flow: str, cell: Cell | None = None) -> np.ndarray:
        """Middle path without an agreement, by year."""
        return sum(self.paths[f, cell or self.cells[0]].without for f in self._parts(flow))

    def draws(self, method: str, flow: str, cell: Cell | None = None) -> np.ndarray:
        """What an agreement adds by ``method``, (n, years); a flow that the method does not reach adds nothing."""
        parts = [self.paths[f, cell or self.cells[0]].added for f in self._parts(flow)]
        return sum(part[method] for part in parts if method in part)

    def table(self, cell: Cell | None = None) -> pd.DataFrame:
        """One row a flow and method: flow, method, without, low, median, high (5, 50, 95 per cent) and with_agreement,
        US$ million in the last year; with_agreement = without + median. And p_positive."""
        rows = []
        for flow, method in [(f, m) for f in self.flows for m in METHODS if self.has(m, f)]:
            last, without = self.draws(method, flow, cell)[:, -1], self.without(flow, cell)[-1]
            low, middle, high = np.percentile(last, PERCENTILES)
            rows.append((flow, method, without, low, middle, high, without + middle, float((last > 0).mean())))
        columns = ["flow", "method", "without", "low", "median", "high", "with_agreement", "p_positive"]
        return pd.DataFrame(rows, columns=columns)

    def cases(self) -> pd.DataFrame:
        """:meth:`table` of every cell, the chosen one first, with a column cell."""
        return pd.concat([self.table(cell).assign(cell=cell) for cell in self.cells], ignore_index=True)

    def records(self, other: str) -> dict[str, float]:
        """What is recorded of the last year, US$ million: effects by method, flow and percentile, and of two-way trade
        without and with_ by method; two-way trade again for the other date, ``other`` in the name."""
        ends, found = {"low": 5, "median": 50, "high": 95}, {}
        for row in self.cases().itertuples():
            mark = "" if row.cell == self.cells[0] else f"{other}_"
            if mark and row.flow != "trade":
                continue
            found |= {f"effect_{row.method}_{row.flow}_usd_m_{mark}{p}": getattr(row, end) for end, p in ends.items()}
            if row.flow == "trade":
                found |= {
                    f"without_usd_m_{mark}50": row.without,
                    f"with_{row.method}_usd_m_{mark}50": row.with_agreement,
                }
        return found

    def by_year(self, flow: str, cell: Cell | None = None) -> pd.DataFrame:
        """Years x without, and with_ and the ends of the effect a method that reaches the flow."""
        frame = pd.DataFrame({"without": self.without(flow, cell)}, index=list(self.years))
        for method in [m for m in METHODS if self.has(m, flow)]:
            low, middle, high = np.percentile(self.draws(method, flow, cell), PERCENTILES, axis=0)
            columns = {"with": frame["without"] + middle, "effect": middle, "low": low, "high": high}
            frame = frame.assign(**{f"{name}_{method}": values for name, values in columns.items()})
        return frame

    def lost(self, outlook: Baseline) -> pd.DataFrame:
        """Cells x lost (imports without an agreement against no graduation, summed over the years), lost_last (in the
        last year), saved (by an agreement, tariff method, summed). US$ million, middle."""
        at, rows = [outlook.years.index(y) for y in self.years], {}
        for cell in [c for c in self.cells if ("imports", c) in self.paths]:
            path = self.paths["imports", cell]
            loss = outlook.middle["imports"][at] - path.without
            saved = np.median(path.added["tariffs"].sum(axis=1)) if "tariffs" in path.added else 0.0
            rows[cell] = (loss.sum(), loss[-1], saved)
        return pd.DataFrame.from_dict(rows, orient="index", columns=["lost", "lost_last", "saved"])

    @staticmethod
    def _parts(flow: str) -> tuple[str, ...]:
        return FLOWS if flow == "trade" else (flow,)


def taken(duties: Mapping[str, Any], ends_after: Mapping[Cell, int | None]) -> dict[str, TariffFlow]:
    """Flows as the tariff method takes them, from ``data.tariffs.flows`` and ``graduation_cells``."""
    shared = {"ends_after": dict(ends_after)}
    return {
        f: TariffFlow(lines=held.scaled(1.0), access=held.access, partial=held.partial, **shared)
        for f, held in duties.items()
    }


def tariff_study(
    flows: Mapping[str, TariffFlow], flow: str, terms: TariffTerms, *, cell: Cell, horizon: int, n_draws: int, seed: int
) -> TariffSimulation:
    """Simulate one of ``flows`` per dollar of its trade at one date."""
    compared = scenario(flows[flow], terms, cell=cell, horizon=horizon, partner_duties=flow == "exports")
    return simulate(flows[flow].lines, compared, n_draws=n_draws, seed=seed)


def scenario(flow: TariffFlow, terms: TariffTerms, *, cell: Cell, horizon: int, partner_duties: bool) -> Scenario:
    """What the tariff method compares for one flow and cell."""
    lines, depth = terms.partial
    partial = Regime(cuts="cd", coverage=lines, depth=depth) if lines * depth > 0 else MFN
    free = Regime(cuts=DFQF.cuts, coverage=terms.duty_free)
    today = free if flow.access == "dfqf" else partial if flow.partial else MFN
    at_entry, years = (0.0, terms.phase_years)
    if partner_duties and terms.partner_stages is not None:
        at_entry, years = terms.partner_stages
    agreed = Regime(cuts=terms.cuts, coverage=terms.coverage, at_entry=at_entry, phase_years=years)
    ends = flow.ends_after.get(cell) if flow.access == "dfqf" else None
    after = {} if ends is None else {"without": partial if flow.partial else MFN, "without_from": ends}
    return Scenario(
        today=today,
        agreement=agreed,
        horizon=horizon,
        utilisation=terms.utilisation,
        sigma_scale=terms.sigma_scale,
        excluded=terms.excluded,
        lagged=True,
        **after,
    )


@typed
def effects(
    outlook: Baseline,
    past: Transfer,
    flows: Mapping[str, TariffFlow],
    studies: Mapping[tuple[str, Cell], TariffSimulation],
    *,
    start: int,
    horizon: int,
    cells: tuple[Cell, ...],
    rng: np.random.Generator,
) -> Effects:
    """Put the parts together for the years ``start`` to ``start + horizon``.

    ``studies``: (flow, cell) -> simulation per dollar of trade, for the flows whose duties are held; ``flows`` says on
    what terms each enters today. Raises :class:`ModelInputError` for years outside the outlook.
    """
    years = np.arange(start, start + horizon + 1)
    if years[0] not in outlook.years or years[-1] not in outlook.years:
        raise ModelInputError(f"{years[0]} to {years[-1]} is not within the outlook; lengthen its horizon")
    at, paths = [outlook.years.index(year) for year in years], {}
    for flow, middle in outlook.middle.items():
        n, held = len(outlook.paths[flow]), flows.get(flow)
        state = rng.bit_generator.state
        for cell in cells:
            rng.bit_generator.state = state  # the same draws for every date
            study = studies.get((flow, cell))
            kept = 1 + study.without_draws.T if study is not None else np.ones((n, len(years)))
            without = middle[at] * np.median(kept, axis=0)
            added = {} if study is None else {"tariffs": middle[at] * study.year_draws.T}
            since = _years_since(held, cell, years - start)
            if flow in past.predictions and since is not None:
                added["transfer"] = without * np.expm1(past.draw(flow, since, n, rng))
            paths[flow, cell] = Path(without=without, added=added, factor=kept)
    return Effects(years=tuple(int(y) for y in years), cells=cells, paths=paths)


def _years_since(flow: TariffFlow | None, cell: Cell, after: np.ndarray) -> np.ndarray | None:
    """Years since the agreement began to matter to a flow; None where it enters free for good."""
    if flow is None or flow.access != "dfqf":
        return after
    ends = flow.ends_after.get(cell)
    return None if ends is None else after - max(ends, 0)


def doubling(
    outlook: Baseline, found: Effects, *, start: int, years: int = 10, multiple: float = 2.0
) -> dict[str, float] | None:
    """Chance that two-way trade ``years`` after entry is ``multiple`` times that of the year before it: ``without`` an
    agreement, and with one by each method. Effects of the last year found stand for later ones. Each counts
    (1 + hits)/(1 + draws). None without both flows."""
    if "trade" not in found.flows or start - 1 not in outlook.years:
        return None
    before, after = outlook.years.index(start - 1), outlook.years.index(start + years)
    base = multiple * sum(outlook.paths[flow][:, before] for flow in FLOWS)
    trade = dict.fromkeys(("without", *(m for m in METHODS if found.has(m, "trade"))), 0.0)
    for flow in FLOWS:
        path = found.paths[flow, found.cells[0]]
        own = outlook.paths[flow][:, after] * path.factor[:, -1]
        for name in trade:
            added = path.added[name][:, -1] / path.without[-1] if name in path.added else 0.0
            trade[name] = trade[name] + own * (1 + added)
    return {name: float((1 + (values >= base).sum()) / (1 + len(base))) for name, values in trade.items()}


def trade_paths(
    outlook: Baseline, found: Effects, flow: str, history: pd.Series, other: pd.Series, *, other_entry: int = 2010
) -> pd.DataFrame:
    """By year, US$ million: recorded (the last years of ``history``); without, with its 5 and 95 per cent, and with_ by
    method, at the chosen date; and ``other``, a partner with an agreement since ``other_entry``, moved in time and
    level so that the years before both entries meet (india_rebased)."""
    paths, first = found.by_year(flow), found.years[0]
    ahead = pd.DataFrame({"without": [outlook.at(y, flow) for y in outlook.years]}, index=list(outlook.years))
    ahead = ahead.loc[: found.years[-1]]
    ahead.loc[list(found.years), "without"] = paths["without"]
    shift = ahead["without"] / [outlook.at(y, flow) for y in ahead.index]
    band = outlook.band(flow).loc[: found.years[-1]]
    ahead = ahead.assign(without_5=band[5] * shift, without_95=band[95] * shift)
    ahead = ahead.join(paths.filter(like="with_"))
    moved = other / other.loc[other_entry - 1] * ahead.at[first - 1, "without"]
    moved.index = [int(year) - other_entry + first for year in other.index]
    ahead = ahead.assign(india_rebased=moved.reindex(ahead.index).where(ahead.index >= first - 1))
    return pd.concat([history.dropna().tail(_RECORDED_YEARS).to_frame("recorded"), ahead]).rename_axis("year")


def chapters(
    studies: Mapping[str, TariffSimulation],
    lines: Mapping[str, pd.DataFrame],
    base_usd_m: Mapping[str, float],
    n: int = 5,
) -> pd.DataFrame:
    """The ``n`` chapters of each flow that gain most: flow, chapter, group, share_pct, without and agreement (duties,
    per cent), gain_usd_m (middle, on the base year's trade)."""
    columns = ["flow", "chapter", "group", "share_pct", "without", "agreement", "gain_usd_m"]
    parts = [pd.DataFrame(columns=columns)]
    for flow, simulated in studies.items():
        gain = simulated.per_line[50].sort_values(ascending=False).head(n)
        found = lines[flow].loc[gain.index, ["group", "share_pct"]].join(simulated.wedge[["without", "agreement"]])
        parts.append(found.assign(flow=flow, gain_usd_m=gain * base_usd_m[flow]).rename_axis("chapter").reset_index())
    return pd.concat(parts[1:] or parts, ignore_index=True)[columns]


def drivers(
    outlook: Baseline,
    flows: Mapping[str, TariffFlow],
    terms: TariffTerms,
    variants: Mapping[str, Mapping[str, tuple[str, Mapping[str, Any]]]],
    *,
    cell: Cell,
    year: int,
    horizon: int,
    seed: int,
) -> pd.DataFrame:
    """What moves the tariff method: one input at a time at its two ends, widest swing first.

    Columns input, low, high (US$ million in ``year``, all flows), low_end, high_end. ``variants``: further inputs ->
    end (low, high) -> its name and the duties as they then are.
    """
    dates = next(iter(flows.values())).ends_after if flows else {}

    def total(changed: TariffTerms, held: Mapping[str, TariffFlow] = flows) -> float:
        run = {"cell": cell, "horizon": horizon, "n_draws": _RERUN_DRAWS, "seed": seed}
        ends = {flow: tariff_study(held, flow, changed, **run).year_draws[-1] for flow in held}
        return sum(outlook.at(year, flow) * float(np.median(last)) for flow, last in ends.items())

    rows = []
    for name, (attribute, *ends) in ASSUMED.items() if flows else ():
        values = [end * terms.sigma_scale if attribute == "sigma_scale" else end for end in ends]
        said = [f"{end:.0%}" if attribute in ("utilisation", "coverage") else f"{end:g}" for end in ends]
        rows.append((name, *(total(replace(terms, **{attribute: value})) for value in values), *said))
    for name, ends in variants.items() if flows else ():
        moved = [total(terms, taken(ends[end][1], dates)) for end in ("low", "high")]
        rows.append((name, *moved, ends["low"][0], ends["high"][0]))
    frame = pd.DataFrame(rows, columns=["input", "low", "high", "low_end", "high_end"])
    swing = (frame["high"] - frame["low"]).abs()
    return frame.loc[swing.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
