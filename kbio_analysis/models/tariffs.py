"""What a change of duties does to one flow of goods: partial equilibrium by product line, with its uncertainty.

Each line is a CES nest of one supplier and all others (``ces_nest``), facing the whole duty wedge
T = (1 + cd + rd)(1 + sd). Value added tax leaves the relative price of imports alone and is left out. Lines without
trade stay without: a preference that opens a market is not in these numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ModelInputError
from .ces_nest import respond, surplus_change
from .tariff_draws import Inputs, draw_inputs, tornado
from .tariff_scenario import DFQF as DFQF
from .tariff_scenario import MFN as MFN
from .tariff_scenario import Regime as Regime
from .tariff_scenario import Scenario as Scenario

Array = NDArray[np.float64]

BANDS = (5, 50, 95)
"""Percentiles given for every outcome."""

OUTCOMES = ("exports", "creation", "diversion", "price", "smart", "revenue", "consumer_surplus")
HS_CHAPTERS = 96
"""Chapters of the Harmonized System; 77 is reserved."""

_BLOCK = 500
_COLUMNS = ("trade_usd_m", "cd_pct", "rd_pct", "sd_pct", "supplier_share", "sigma_median", "sigma_log_sd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One outcome in US$ million a year: ``total`` (index 5, 50, 95), ``per_line`` (lines x 5, 50, 95), all ``draws``.

    ``simulation_error`` is the standard error of the total's median that comes from drawing.
    """

    total: pd.Series
    per_line: pd.DataFrame
    draws: Array
    simulation_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffSimulation:
    """Change between two regimes in the year ``scenario.horizon`` after entry, on the base year's trade.

    ``exports`` of the supplier at world prices = ``creation`` (what the importer buys more, from all) + ``diversion``
    (what the supplier takes from the others) + ``price`` (better prices); ``smart`` is the linear creation
    M eps dt/(1+t) of the same cut; ``revenue`` (duties) and ``consumer_surplus`` are the importer's. ``by_year``:
    year after entry x 5, 50, 95 of exports, from ``year_draws`` (years x draws). ``wedge``: lines x today, without,
    agreement, duty in per cent of value at mean utilisation. ``tornado``: see ``tariff_draws.tornado``.
    ``zero_lines``: chapters without trade, which stay so. Everything scales with trade.
    """

    exports: Outcome
    creation: Outcome
    diversion: Outcome
    price: Outcome
    revenue: Outcome
    consumer_surplus: Outcome
    smart: Outcome
    by_year: pd.DataFrame
    year_draws: Array
    wedge: pd.DataFrame
    tornado: pd.DataFrame
    zero_lines: int
    scenario: Scenario
    n_draws: int
    seed: int
    average_duty: pd.Series

    @property
    def totals(self) -> pd.DataFrame:
        """Outcomes x 5, 50, 95, US$ million a year."""
        return pd.DataFrame({name: getattr(self, name).total for name in OUTCOMES}).T


def simulate(lines: pd.DataFrame, scenario: Scenario, *, n_draws: int = 10_000, seed: int) -> TariffSimulation:
    """Simulate ``scenario`` on product lines; equations in ``ces_nest``, draws in ``tariff_draws``.

    ``lines``: index HS chapter; trade_usd_m (US$ million at world prices), cd_pct, rd_pct, sd_pct (per cent),
    supplier_share (fraction of the importer's purchases of the line), sigma_median, sigma_log_sd. The same seed,
    draws and lines give the same inputs in every scenario, so draws of two runs may be subtracted.
    Raises ModelInputError for lines it cannot use.
    """
    rows = _checked(lines, n_draws)
    market = _Market.of(rows, scenario, draw_inputs(rows, scenario, n_draws, seed))
    end = scenario.horizon
    values = market.blockwise(end, OUTCOMES)
    outcomes = {name: _outcome(values[name], market.index) for name in OUTCOMES}
    totals = {market.terms(end): outcomes["exports"].draws}
    for year in range(end):
        if market.terms(year) not in totals:
            totals[market.terms(year)] = market.blockwise(year, ("exports",))["exports"].sum(axis=0)
    year_draws = np.array([totals[market.terms(year)] for year in range(end + 1)])
    by_year = pd.DataFrame(np.percentile(year_draws, BANDS, axis=1).T, columns=list(BANDS)).rename_axis("year")
    return TariffSimulation(
        **outcomes,
        by_year=by_year,
        year_draws=year_draws,
        wedge=(wedge := market.wedge(end)),
        average_duty=wedge.mul(rows["trade_usd_m"] / rows["trade_usd_m"].sum(), axis=0).sum(),
        tornado=tornado(market.inputs, outcomes["exports"].draws, market.trade),
        zero_lines=max(0, HS_CHAPTERS - len(market.index)),
        scenario=scenario,
        n_draws=n_draws,
        seed=seed,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Market:
    """The traded lines (rows) by draws (columns), and the two worlds compared."""

    index: pd.Index
    trade: Array
    duties: Array
    share: Array
    covered: Array
    inputs: Inputs
    scenario: Scenario

    @classmethod
    def of(cls, rows: pd.DataFrame, scenario: Scenario, inputs: Inputs) -> "_Market":
        return cls(
            index=rows.index,
            trade=rows["trade_usd_m"].to_numpy(dtype=float)[:, None],
            duties=rows[["cd_pct", "rd_pct", "sd_pct"]].to_numpy(dtype=float).T[:, :, None] / 100,
            share=rows["supplier_share"].to_numpy(dtype=float)[:, None],
            covered=(~rows.index.isin(list(scenario.excluded))).astype(float)[:, None],
            inputs=inputs,
            scenario=scenario,
        )

    def terms(self, year: int) -> tuple[float, Regime, float]:
        """What distinguishes one year from another: the agreement's stage, the terms without it, and their stage."""
        s = self.scenario
        if s.without is None or year < s.without_from:
            return s.agreement.stage(year), s.today, s.today.depth
        return s.agreement.stage(year), s.without, s.without.stage(year - s.without_from)

    def relative(self, regime: Regime, stage: float, used: Array, cost_pct: Array, covered: Array | float = 1) -> Array:
        """Average duty power under ``regime`` over the full one: 1 + u k (T1/T0 - 1) where the margin pays the cost."""
        full = _power(self.duties)
        if regime.cuts == "none" or stage == 0:
            return np.ones_like(full)
        taken = [duty in regime.cuts.split("+") for duty in ("cd", "rd", "sd")]
        preferred = _power(self.duties * (1 - stage * np.array(taken, dtype=float))[:, None, None])
        claimed = used * (100 * (full - preferred) > cost_pct)
        return 1 + claimed * regime.coverage * covered * (preferred / full - 1)

    def worlds(self, year: int, used: Array, cost_pct: Array) -> tuple[Array, Array, Array]:
        """Relative duty power today, without and with the agreement in ``year``."""
        s = self.scenario
        stage, other, other_stage = self.terms(year)
        today = self.relative(s.today, s.today.depth, used, cost_pct)
        without = today if other is s.today else self.relative(other, other_stage, used, cost_pct)
        agreed = self.relative(s.agreement, stage, used, cost_pct, self.covered)
        return today, without, np.minimum(agreed, without)

    def blockwise(self, year: int, names: Sequence[str]) -> dict[str, Array]:
        """As ``change``, a block of draws at a time: arrays that fit the processor's cache are quicker."""
        n = self.inputs.sigma.shape[1]
        parts = []
        for start in range(0, n, _BLOCK):
            inputs = self.inputs.block(slice(start, min(start + _BLOCK, n)))
            parts.append(replace(self, inputs=inputs).change(year, names))
        return {name: np.concatenate([part[name] for part in parts], axis=1) for name in names}

    def change(self, year: int, names: Sequence[str]) -> dict[str, Array]:
        """Outcomes ``names`` with the agreement less those without, lines x draws, US$ million."""
        today, without, agreed = self.worlds(year, self.inputs.utilisation, self.inputs.cost_pct)
        after = self.level(today, agreed, names)
        if without is today:
            return after
        before = self.level(today, without, names)
        return {name: after[name] - before[name] for name in names}

    def level(self, today: Array, now: Array, names: Sequence[str]) -> dict[str, Array]:
        """Outcomes at duty power ``now`` less those ``today``."""
        i, trade, full = self.inputs, self.trade * self.inputs.base, _power(self.duties)
        others = trade * (1 / self.share - 1)
        spent, spent_others = trade * today * full, others * full
        r = respond(np.log(now / today), spent / (spent + spent_others), i.sigma, i.eps, i.inverse_supply)
        gain = np.exp(r.log_price + r.log_quantity) - 1
        found = {"exports": trade * gain}
        if set(names) - {"exports"}:
            sold = trade * (np.exp(r.log_quantity) - 1)
            found["creation"] = (trade + others) * (np.exp(-i.eps * r.log_price_index) - 1)
            found["diversion"] = sold - found["creation"]
            found["price"] = found["exports"] - sold
            displaced = others * (np.exp(r.log_other_price + r.log_other_quantity) - 1) * (full - 1)
            found["revenue"] = trade * ((1 + gain) * (now * full - 1) - (today * full - 1)) + displaced
            found["consumer_surplus"] = surplus_change(spent + spent_others, r.log_price_index, i.eps)
            found["smart"] = trade * i.eps * (1 - now / today)
        return {name: np.broadcast_to(found[name], i.sigma.shape) for name in names}

    def wedge(self, year: int) -> pd.DataFrame:
        s = self.scenario
        mean = np.array([[s.utilisation]]), np.array([[s.compliance_cost_pct]])
        worlds = [100 * (w * _power(self.duties) - 1)[:, 0] for w in self.worlds(year, *mean)]
        return pd.DataFrame(dict(zip(("today", "without", "agreement"), worlds, strict=True)), index=self.index)


def _power(duties: Array) -> Array:
    """(1 + cd + rd)(1 + sd), lines x 1."""
    return (1 + duties[0] + duties[1]) * (1 + duties[2])


def _outcome(values: Array, index: pd.Index) -> Outcome:
    draws = values.sum(axis=0)
    half = 0.5 / np.sqrt(len(draws))
    low, high = np.quantile(draws, [0.5 - half, 0.5 + half])
    return Outcome(
        total=pd.Series(np.percentile(draws, BANDS), index=list(BANDS)),
        per_line=pd.DataFrame(np.percentile(values, BANDS, axis=1).T, index=index, columns=list(BANDS)),
        draws=draws,
        simulation_error=float(high - low) / 2,
    )


def _checked(lines: pd.DataFrame, n_draws: int) -> pd.DataFrame:
    missing = [column for column in _COLUMNS if column not in lines]
    if missing:
        raise ModelInputError(f"lines lack {', '.join(missing)}: take them from data.tariff_lines(...).scaled(...)")
    if n_draws < 100:
        raise ModelInputError(f"{n_draws} draws say little: give 100 or more")
    if not lines.index.is_unique:
        raise ModelInputError("a chapter stands twice in lines: give each line once")
    if not (lines["trade_usd_m"] >= 0).all() or not isfinite(lines["trade_usd_m"].sum()):
        raise ModelInputError("trade_usd_m must be a number and not negative in every line")
    rows = lines.loc[lines["trade_usd_m"] > 0, list(_COLUMNS)]
    if rows.empty:
        raise ModelInputError("no line has trade: there is nothing to simulate")
    duties = rows[["cd_pct", "rd_pct", "sd_pct"]].to_numpy(dtype=float)
    if np.isnan(duties).any():
        raise ModelInputError("duties are missing: no tariff is held for this importer, so nothing can be simulated")
    if not ((duties >= 0).all() and (rows["sigma_log_sd"] >= 0).all() and (rows["sigma_median"] > 1).all()):
        raise ModelInputError("duties and spreads must not be negative, and sigma_median must exceed 1")
    if not rows["supplier_share"].between(0, 1, inclusive="right").all():
        raise ModelInputError("supplier_share must be a fraction above 0 and at most 1 in every traded line")
    return rows
