"""What a new agreement could add to trade with one partner, by two methods and their pool, year by year.

The transfer multiplies trade without an agreement by exp(b) from the first year, b from what past agreements
themselves added (the mean over their first ten years, so no phase-in is claimed). The tariff method multiplies it by
what a partial equilibrium finds per dollar of trade. Both share the same draws of trade without an agreement.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.agreement_record import AgreementRecord
from kbio_analysis.models.checks import typed
from kbio_analysis.models.opinion_pool import OpinionPool, pool
from kbio_analysis.models.reference_class import MixturePrediction, averaged_over_tau
from kbio_analysis.models.reference_class import pool as pool_effects
from kbio_analysis.models.tariffs import DFQF, MFN, Regime, Scenario, TariffSimulation, simulate
from kbio_analysis.models.trade_baseline import Baseline

METHODS = {"transfer": "Past agreements", "tariffs": "Tariff cuts", "pooled": "Both, pooled"}
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
    "Duties cut": ("cuts", "cd", "cd+rd+sd"),
}
"""Input of the tariff method -> its field of TariffTerms, and the two ends it is put at."""

GROWTH_POINTS = 2.0
"""Percentage points a year by which the partner's growth is moved."""

_SHARE = 0.2  # a drawn input is put at an end by keeping the fifth of the draws that lie there
_RERUN_DRAWS = 400  # where an assumption is moved
_BOTH = ("transfer", "tariffs")
_RECORDED_YEARS = 15  # of the record beside the paths ahead

Cell = str
"""Which graduation date is assumed, by the name its records carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffTerms:
    """Terms of the agreement and the assumptions on its use; see ``tariffs.Regime`` and ``tariffs.Scenario``.

    ``duty_free``: fraction of every line that enters free today where access is dfqf.
    """

    cuts: str
    coverage: float
    phase_years: int
    utilisation: float
    sigma_scale: float = 1.0
    excluded: tuple[int, ...] = ()
    duty_free: float = DFQF.coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffFlow:
    """One flow as the tariff method takes it: ``lines`` scaled to a total of one, ``access`` today (mfn, apta, dfqf;
    partial preferences, APTA, are taken as none), ``ends_after``: cell -> years from entry after which duty-free entry
    ends (absent or None: it does not). An agreement in force has no method here."""

    lines: pd.DataFrame
    access: str
    ends_after: Mapping[Cell, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffStudy:
    """Per dollar of trade: ``gain`` the simulation of the agreement; ``loss`` (n, years) what is lost without it when
    a preference ends, None if none does."""

    gain: TariffSimulation
    loss: np.ndarray | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Yearly effects in US$ million, agreement less none.

    ``years`` from entry to the horizon; ``draws``: (method, flow, cell) -> (n, years), methods transfer and, where
    tariffs are held, tariffs; ``loss``: cell -> (n, years), what Korea's imports lose without an agreement once a
    preference ends, absent where none does; ``imports`` (n, years) the imports that loss is taken from.
    """

    years: tuple[int, ...]
    draws: Mapping[tuple[str, str, Cell], np.ndarray]
    loss: Mapping[Cell, np.ndarray]
    imports: np.ndarray | None

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(dict.fromkeys(key[2] for key in self.draws))

    @property
    def headline(self) -> tuple[str, str] | None:
        """The method and the flow that answer: both of each if they can be had, else what there is, else None."""
        flows = ("trade", *FLOWS)
        return next(((m, f) for f in flows for m in ("pooled", "transfer") if self.has(m, f)), None)

    def has(self, method: str, flow: str) -> bool:
        """Whether a method reaches a flow (``trade``: both of them)."""
        wanted = [(m, f, c) for m in _methods(method) for f in _flows(flow) for c in self.cells]
        return bool(self.draws) and all(key in self.draws for key in wanted)

    def pooled(self, method: str, flow: str, cell: Cell, *, year: int | None = None) -> OpinionPool:
        """Distribution in ``year`` (default the last) by one method or both pooled."""
        at = -1 if year is None else self.years.index(year)
        return pool({m: sum(self.draws[m, f, cell] for f in _flows(flow))[:, at] for m in _methods(method)})

    def by_year(self, method: str, flow: str, cell: Cell) -> pd.DataFrame:
        """Years x percentiles."""
        rows = {y: self.pooled(method, flow, cell, year=y).percentiles(PERCENTILES) for y in self.years}
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(PERCENTILES))

    def summary(self) -> pd.DataFrame:
        """One row a flow and method that can be had: flow, method, low, median, high (5, 50, 95 per cent; US$ million
        in the last year, first cell) and p_positive; cuts add by construction, so the tariff method has no p."""
        rows = []
        for flow, method in [(f, m) for f in (*FLOWS, "trade") for m in METHODS if self.has(m, f)]:
            one = self.pooled(method, flow, self.cells[0])
            rows.append((flow, method, *one.percentiles(PERCENTILES), None if method == "tariffs" else one.p_above(0)))
        columns = ["flow", "method", "low", "median", "high", "p_positive"]
        return pd.DataFrame(rows, columns=columns).astype({"p_positive": float})

    def graduation(self) -> pd.DataFrame:
        """Imports by cell, without and with the agreement (tariff method): columns cell, agreement (bool), 5, 50, 95
        (last year), summed and change (medians of the sum over all years, and of its change against today's terms)."""
        rows = []
        for cell, loss in sorted(self.loss.items()):
            without = self.imports + loss
            for agreed, flow in ((False, without), (True, without + self.draws["tariffs", "imports", cell])):
                last, change = np.percentile(flow[:, -1], PERCENTILES), (flow - self.imports).sum(axis=1)
                rows.append((cell, agreed, *last, np.median(flow.sum(axis=1)), np.median(change)))
        return pd.DataFrame(rows, columns=["cell", "agreement", *PERCENTILES, "summed", "change"])

    def losses(self) -> pd.DataFrame:
        """Medians by cell, the chosen one first, US$ million: lost by imports without an agreement, saved by one (both
        summed over the years), and lost_last in the last year."""
        rows = {}
        for cell, loss in self.loss.items():
            lost, back = (np.median(v.sum(axis=1)) for v in (-loss, self.draws["tariffs", "imports", cell]))
            rows[cell] = (lost, min(back, lost), np.median(-loss[:, -1]))
        return pd.DataFrame.from_dict(rows, orient="index", columns=["lost", "saved", "lost_last"])


def _methods(method: str) -> tuple[str, ...]:
    return _BOTH if method == "pooled" else (method,)


def _flows(flow: str) -> tuple[str, ...]:
    return FLOWS if flow == "trade" else (flow,)


def net_predictions(found: AgreementRecord, spread: pd.Series) -> dict[str, MixturePrediction]:
    """By direction, what a next agreement itself adds (log points): each effect's chance spread counts as its error.

    ``spread`` from ``Reassignment.spread``. Restricted likelihood may put the rest at zero, so tau is averaged over.
    """
    predictions = {}
    directions = found.effects.index.get_level_values("direction")
    for direction in directions.unique():
        mine = found.effects[directions == direction]
        own = np.diag(spread.reindex(mine.index).to_numpy(dtype=float) ** 2)
        try:
            pooled = pool_effects(mine, found.covariance.loc[mine.index, mine.index] + own)
        except ModelInputError:
            continue
        predictions[direction] = averaged_over_tau(pooled)
    return predictions


def tariff_study(
    flow: TariffFlow, terms: TariffTerms, *, cell: Cell, horizon: int, n_draws: int, seed: int
) -> TariffStudy:
    """Simulate one flow per dollar of its trade: the agreement's effect, and what is lost without it."""
    free = flow.access == "dfqf"
    today = Regime(cuts=DFQF.cuts, coverage=terms.duty_free) if free else MFN
    agreed = Regime(cuts=terms.cuts, coverage=terms.coverage, phase_years=terms.phase_years)
    ends = flow.ends_after.get(cell) if free else None
    shared = {"today": today, "horizon": horizon, "utilisation": terms.utilisation, "excluded": terms.excluded}
    shared |= {"sigma_scale": terms.sigma_scale}
    shared |= {} if ends is None else {"without": MFN, "without_from": max(ends, 0)}
    gain = simulate(flow.lines, Scenario(agreement=agreed, **shared), n_draws=n_draws, seed=seed)
    if ends is None:
        return TariffStudy(gain=gain, loss=None)
    kept = simulate(flow.lines, Scenario(agreement=today, **shared), n_draws=n_draws, seed=seed)
    return TariffStudy(gain=gain, loss=-kept.year_draws.T)


@typed
def effects(
    outlook: Baseline,
    predictions: Mapping[str, MixturePrediction],
    tariff: Mapping[tuple[str, Cell], TariffStudy],
    *,
    start: int,
    horizon: int,
    cells: tuple[Cell, ...],
    rng: np.random.Generator,
) -> Effects:
    """Put the parts together for the years ``start`` to ``start + horizon``; ``tariff``: (flow, cell) -> study."""
    years = tuple(range(start, start + horizon + 1))
    columns = [outlook.years.index(year) for year in years]
    draws, loss = {}, {}
    for flow, paths in outlook.paths.items():
        trade = paths[:, columns]
        if flow in predictions:
            p = predictions[flow]
            at = rng.choice(len(p.weight), size=len(trade), p=p.weight)
            added = trade * np.expm1(p.centre[at] + p.scale[at] * rng.standard_normal(len(trade)))[:, None]
            draws |= {("transfer", flow, cell): added for cell in cells}
        if all((flow, cell) in tariff for cell in cells):
            studies = {cell: tariff[flow, cell] for cell in cells}
            draws |= {("tariffs", flow, cell): trade * study.gain.year_draws.T for cell, study in studies.items()}
            loss |= {cell: trade * study.loss for cell, study in studies.items() if study.loss is not None}
    imports = outlook.paths["imports"][:, columns] if "imports" in outlook.paths else None
    return Effects(years=years, draws=draws, loss=loss, imports=imports)


def doubling(
    outlook: Baseline, found: Effects, *, start: int, years: int = 10, multiple: float = 2.0
) -> tuple[float, float] | None:
    """Chance that two-way trade ``years`` after entry is ``multiple`` times that of the year before it.

    Without and with an agreement (transfer); each counts (1 + hits)/(1 + draws). None without both flows.
    """
    if not found.has("transfer", "trade") or start - 1 not in outlook.years:
        return None
    before, last, after = (outlook.years.index(year) for year in (start - 1, found.years[-1], start + years))
    draws = {flow: found.draws["transfer", flow, found.cells[0]][:, -1:] for flow in FLOWS}
    agreed = sum(outlook.paths[f] * (1 + draws[f] / outlook.paths[f][:, [last]]) for f in FLOWS)
    trade = sum(outlook.paths[f] for f in FLOWS)
    base = multiple * trade[:, before]
    return tuple(float((1 + (t[:, after] >= base).sum()) / (1 + len(base))) for t in (trade, agreed))


def trade_paths(
    outlook: Baseline, found: Effects, cell: Cell, history: pd.Series, other: pd.Series, *, other_entry: int = 2010
) -> pd.DataFrame:
    """Two-way trade by year, US$ million: recorded (the last years of ``history``), without_5, _50 and _95, with_5, _50
    and _95 (methods pooled), and ``other``, a partner with an agreement since ``other_entry``, moved in time and level
    so that the years before both entries meet (india_rebased). Empty without both flows."""
    methods = [m for m in _BOTH if found.has(m, "trade")]
    if not methods:
        return pd.DataFrame()
    agreed = {}
    for at, year in enumerate(found.years):
        trade = sum(outlook.paths[flow][:, outlook.years.index(year)] for flow in FLOWS)
        added = {m: trade + sum(found.draws[m, f, cell][:, at] for f in FLOWS) for m in methods}
        agreed[year] = pool(added).percentiles(PERCENTILES)
    agreed = pd.DataFrame.from_dict(agreed, orient="index", columns=list(PERCENTILES))
    last, before = found.years[-1], found.years[0] - 1
    band = outlook.band("trade").loc[:last]
    moved = other / other.loc[other_entry - 1] * band.at[before, 50]
    moved.index = [int(year) - other_entry + 1 + before for year in other.index]
    columns = {f"without_{p}": band[p] for p in PERCENTILES} | {f"with_{p}": agreed[p] for p in PERCENTILES}
    ahead = pd.DataFrame(columns | {"india_rebased": moved.loc[before:last]})
    return pd.concat([history.dropna().tail(_RECORDED_YEARS).to_frame("recorded"), ahead]).rename_axis("year")


def disagreement(summary: pd.DataFrame) -> pd.DataFrame:
    """Exports and imports that both methods reach, from :meth:`Effects.summary`: the medians transfer and tariffs, and
    whether each lies within the other's interval: transfer_inside, tariffs_inside."""
    by, rows = summary.set_index(["method", "flow"]), {}
    for flow in FLOWS:
        if ("pooled", flow) in by.index:
            past, cuts = by.loc[("transfer", flow)], by.loc[("tariffs", flow)]
            inside = cuts["low"] <= past["median"] <= cuts["high"], past["low"] <= cuts["median"] <= past["high"]
            rows[flow] = (past["median"], cuts["median"], *inside)
    columns = ["transfer", "tariffs", "transfer_inside", "tariffs_inside"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def top_chapters(
    gains: Mapping[str, TariffSimulation],
    lines: Mapping[str, pd.DataFrame],
    base_usd_m: Mapping[str, float],
    n: int = 5,
) -> pd.DataFrame:
    """The ``n`` chapters of each flow that gain most at the base years' trade, duties in per cent: columns flow,
    chapter, group, share_pct, without, agreement, gain_usd_m (median)."""
    parts = [pd.DataFrame(columns=["flow", "chapter", "group", "share_pct", "without", "agreement", "gain_usd_m"])]
    for flow, simulated in gains.items():
        gain = simulated.per_line[50].sort_values(ascending=False).head(n)
        found = lines[flow].loc[gain.index, ["group", "share_pct"]].join(simulated.wedge[["without", "agreement"]])
        parts.append(found.assign(flow=flow, gain_usd_m=gain * base_usd_m[flow]).rename_axis("chapter").reset_index())
    return pd.concat(parts[1:] or parts, ignore_index=True)[list(parts[0])]


def drivers(
    found: Effects, outlook: Baseline, flows: Mapping[str, TariffFlow], terms: TariffTerms, *, cell: Cell, seed: int
) -> pd.DataFrame:
    """What moves the pooled median: one input at a time at its low and its high end, widest swing first.

    Columns input, low, high (US$ million in the last year), low_end, high_end. Covers the flows for which the transfer
    is held; empty where there is none. Assumptions of the tariff method are re-run with few draws, and enter as the
    ratio of its medians.
    """
    columns = ["input", "low", "high", "low_end", "high_end"]
    reached = [flow for flow in FLOWS if ("transfer", flow, cell) in found.draws]
    if not reached:
        return pd.DataFrame(columns=columns)
    held = [m for m in _BOTH if all((m, f, cell) in found.draws for f in reached)]
    parts = {m: {f: found.draws[m, f, cell][:, -1] for f in reached} for m in held}
    total = {m: sum(by_flow.values()) for m, by_flow in parts.items()}
    at = outlook.years.index(found.years[-1])
    trade = sum(outlook.paths[f][:, at] for f in reached)
    fifths, growth = (
        ("lowest fifth", "highest fifth"),
        [outlook.growth_pct + d for d in (-GROWTH_POINTS, GROWTH_POINTS)],
    )
    step = [(np.log1p(pct / 100) - np.log1p(outlook.growth_pct / 100)) * (at + 1) for pct in growth]
    grown = [
        {m: sum(v * np.exp(outlook.fits[f].value * s) for f, v in by_flow.items()) for m, by_flow in parts.items()}
        for s in step
    ]
    rows = [
        ("Trade without an agreement", *_ends(total, trade, held), *fifths),
        ("What agreements do", *_ends(total, total["transfer"] / trade, ["transfer"]), *fifths),
        ("Partner's growth", *map(_middle, grown), *(f"{pct:.1f}% a year" for pct in growth)),
    ]
    if "tariffs" in total:
        labels = {"transfer": "past agreements", "tariffs": "tariff cuts"}
        (low, first), *_, (high, last) = sorted((float(np.median(values)), m) for m, values in total.items())
        rows.append(("Method", low, high, labels[first], labels[last]))
        run = {"cell": cell, "horizon": len(found.years) - 1, "n_draws": _RERUN_DRAWS, "seed": seed}
        rows += _assumptions(total, parts["tariffs"], flows, terms, run)
    frame = pd.DataFrame(rows, columns=columns)
    swing = (frame["high"] - frame["low"]).abs()
    return frame.loc[swing.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def _middle(total: Mapping[str, np.ndarray]) -> float:
    return pool(total).percentile(50)


def _ends(total: Mapping[str, np.ndarray], driver: np.ndarray, moved: list[str]) -> list[float]:
    """The pool's median over the draws at either end of ``driver``, which only the methods ``moved`` know."""
    low, high = np.quantile(driver, [_SHARE, 1 - _SHARE])
    return [
        _middle({m: v[mask] if m in moved else v for m, v in total.items()}) for mask in (driver <= low, driver >= high)
    ]


def _assumptions(
    total: Mapping[str, np.ndarray],
    tariffs: Mapping[str, np.ndarray],
    flows: Mapping[str, TariffFlow],
    terms: TariffTerms,
    run: Mapping[str, object],
) -> list[tuple[object, ...]]:
    def medians(changed: TariffTerms) -> dict[str, float]:
        return {f: float(np.median(tariff_study(flows[f], changed, **run).gain.year_draws[-1])) for f in tariffs}

    basis, rows = medians(terms), []
    for name, (attribute, *ends) in ASSUMED.items():
        middles = []
        for end in ends:
            value = end * terms.sigma_scale if attribute == "sigma_scale" else end
            moved = medians(replace(terms, **{attribute: value}))
            ratio = {f: moved[f] / basis[f] if basis[f] else 1 for f in tariffs}
            middles.append(_middle({**total, "tariffs": sum(v * ratio[f] for f, v in tariffs.items())}))
        if middles[0] != middles[1]:
            rows.append((name, *middles, *(_end_label(attribute, end) for end in ends)))
    return rows


def _end_label(attribute: str, end: object) -> str:
    if attribute == "cuts":
        return "customs duty only" if end == "cd" else "all three duties"
    return f"{end:.0%}" if attribute == "utilisation" else f"{end:g} times"
