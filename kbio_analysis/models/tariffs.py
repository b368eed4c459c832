"""What a change of duties does to one flow of goods: partial equilibrium by product line, with its uncertainty.

Each line is a CES nest of one supplier and all others (Armington 1969), facing the whole duty wedge
T = (1 + cd + rd)(1 + sd). All sources share one supply elasticity, so the response has a closed form. Value added tax
leaves the relative price of imports alone and is left out. Lines without trade stay without.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf, isfinite
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_count, check_names, checked_frame

Array = NDArray[np.float64]

OUTCOMES = {
    "exports": "Change of the flow",
    "creation": "of it creation",
    "diversion": "of it diversion",
    "price": "of it better prices",
    "smart": "Creation by SMART's linear rule",
    "revenue": "Importer's duty revenue",
    "consumer_surplus": "Importer's consumer surplus",
}
"""What is simulated, as a table names it."""

BANDS = (5, 50, 95)
"""Percentiles given for every outcome."""

SIGMA_FLOOR = 1.1
"""Lowest elasticity of substitution: at 1 the nest is no longer CES."""

_BLOCK = 100  # draws at a time: arrays that fit the processor's cache are quicker
_COLUMNS = ("trade_usd_m", "cd_pct", "rd_pct", "sd_pct", "supplier_share", "sigma_median", "sigma_log_sd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """Terms of entry: which duties a preference takes off, for which part of each line, and how fast.

    ``coverage`` is the fraction of a line's value that may claim it, ``depth`` the fraction of the duty that is taken
    off in the end, ``at_entry`` the part of it at entry into force, ``phase_years`` the number of equal yearly cuts of
    the rest, the first at entry (0: all at once).
    """

    cuts: Literal["none", "cd", "cd+rd", "cd+rd+sd"] = "none"
    coverage: float = 1.0
    depth: float = 1.0
    at_entry: float = 0.0
    phase_years: int = 0

    def __post_init__(self) -> None:
        check_names(self.cuts, ("none", "cd", "cd+rd", "cd+rd+sd"), "kind of cuts")
        fractions = (self.coverage, self.depth, self.at_entry)
        if not (all(0 <= part <= 1 for part in fractions) and self.phase_years >= 0):
            raise ModelInputError("coverage, depth and at_entry are fractions from 0 to 1, phase_years a count from 0")

    def stage(self, year: int) -> float:
        """Fraction of the duty taken off in ``year`` after entry (0 is the year of entry)."""
        phased = min(1.0, (year + 1) / max(self.phase_years, 1))
        return self.depth * (self.at_entry + (1 - self.at_entry) * phased)


MFN = Regime()
"""No preference."""

DFQF = Regime(cuts="cd", coverage=0.95)
"""Korea's duty-free entry for least developed countries, about 95% of lines."""

LAG_START, LAG_YEARS = 0.38, 10
"""Part of the whole response to a duty in the first year, and the year in which it is whole: Boehm, Levchenko and
Pandalai-Nayar (2023) find 0.76 after one year against 1.75 to 2.25 after seven to ten."""


def response(years: ArrayLike) -> Array:
    """Part of the response that trade has made to a duty changed ``years`` ago (0: its first year)."""
    years = np.asarray(years, dtype=float)
    felt = LAG_START + (1 - LAG_START) * np.minimum(years / (LAG_YEARS - 1), 1)
    return np.where(years < 0, 0.0, felt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is compared, and the assumptions that no table gives.

    The trade data were observed under ``today``; the change reported is ``agreement`` less ``without`` (None: today's
    terms go on), which replaces ``today`` ``without_from`` years after entry (a graduation, say; below 0: before it).
    Traders always take the better of what is open to them, and respond over years (``response``) if ``lagged``.
    ``horizon``: last year after entry. ``utilisation`` is the mean and
    ``utilisation_sd`` the spread of a Beta; a preference is used only where its margin exceeds the compliance cost,
    drawn evenly from 0 to twice ``compliance_cost_pct`` of the value. ``eps_median``, ``eps_log_sd``: elasticity of
    import demand, log-normal. ``rho``: correlation of lines' elasticities. ``supply``: supply elasticities, equally
    likely. ``sigma_scale`` multiplies and ``sigma_cap`` bounds the elasticities of substitution.
    """

    today: Regime
    agreement: Regime
    without: Regime | None = None
    without_from: int = 0
    horizon: int = 10
    utilisation: float = 0.70
    utilisation_sd: float = 0.12
    compliance_cost_pct: float = 2.0
    eps_median: float = 1.5
    eps_log_sd: float = 0.4
    rho: float = 0.5
    supply: Sequence[float] = (5.0, 20.0, inf)
    sigma_scale: float = 1.0
    sigma_cap: float = 12.0
    lagged: bool = False

    def __post_init__(self) -> None:
        mean, sd = self.utilisation, self.utilisation_sd
        if not (0 <= mean <= 1 and sd >= 0 and (sd == 0 or sd * sd < mean * (1 - mean))):
            raise ModelInputError(f"no Beta has mean {mean} and spread {sd}: lower utilisation_sd or set it to 0")
        if self.horizon < 0:
            raise ModelInputError("horizon counts years after entry: give 0 or more")
        if not (self.eps_median > 0 and self.eps_log_sd >= 0 and 0 <= self.rho <= 1 and self.compliance_cost_pct >= 0):
            raise ModelInputError(
                "eps_median must be positive, eps_log_sd and compliance_cost_pct not negative, rho 0..1"
            )
        if not (self.sigma_cap > SIGMA_FLOOR and self.sigma_scale > 0):
            raise ModelInputError(f"sigma_cap must exceed {SIGMA_FLOOR} and sigma_scale be positive")
        if not self.supply or min(self.supply) <= 0:
            raise ModelInputError("supply needs at least one value, all positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffSimulation:
    """Change between two regimes in the year ``scenario.horizon`` after entry, US$ million a year on the base's trade,
    with which everything scales.

    ``draws``: outcome -> all draws of its total; ``totals``: outcomes x 5, 50, 95. ``exports`` of the supplier at world
    prices = ``creation`` (what the importer buys more, from all) + ``diversion`` (what the supplier takes from the
    others) + ``price`` (better prices); ``smart`` is the linear creation M eps dt/(1+t) of the same cut; ``revenue``
    (duties) and ``consumer_surplus`` are the importer's. ``per_line``: lines x 5, 50, 95 of exports; ``year_draws``:
    exports, years after entry x draws; ``without_draws`` the same without the agreement, less today's, from the year in
    which those terms change if that lies before entry. ``wedge``: lines x today, without, agreement, duty in per cent
    of value at mean utilisation; ``average_duty`` the same weighted by trade.
    """

    totals: pd.DataFrame
    draws: Mapping[str, Array]
    per_line: pd.DataFrame
    year_draws: Array
    without_draws: Array
    wedge: pd.DataFrame
    average_duty: pd.Series


def simulate(lines: pd.DataFrame, scenario: Scenario, *, n_draws: int = 10_000, seed: int) -> TariffSimulation:
    """Simulate ``scenario`` on product lines.

    ``lines``: index HS chapter; trade_usd_m (US$ million at world prices), cd_pct, rd_pct, sd_pct (per cent),
    supplier_share (fraction of the importer's purchases of the line), sigma_median, sigma_log_sd. The same seed,
    draws and lines give the same inputs in every scenario, so draws of two runs may be subtracted.
    Raises ModelInputError for lines it cannot use.
    """
    market = _Market(_checked(lines, n_draws), scenario, n_draws, seed)
    parts = [market.change(block) for block in market.blocks]
    values = {name: np.concatenate([part[0][name] for part in parts], axis=1) for name in OUTCOMES}
    years = np.concatenate([part[1] for part in parts], axis=2)
    draws = {name: values[name].sum(axis=0) for name in OUTCOMES}
    rows, end = market.rows, scenario.horizon
    mean = np.array([[scenario.utilisation]]), np.array([[scenario.compliance_cost_pct]])
    today, (without,), (agreed,) = market.worlds([end], *mean)
    worlds = [100 * (world * market.full - 1)[:, 0] for world in (today, without, agreed)]
    wedge = pd.DataFrame(dict(zip(("today", "without", "agreement"), worlds, strict=True)), index=rows.index)
    return TariffSimulation(
        totals=pd.DataFrame({name: np.percentile(draws[name], BANDS) for name in OUTCOMES}, index=list(BANDS)).T,
        draws=draws,
        per_line=pd.DataFrame(np.percentile(values["exports"], BANDS, axis=1).T, index=rows.index, columns=list(BANDS)),
        year_draws=years[0, -end - 1 :],
        without_draws=years[1],
        wedge=wedge,
        average_duty=wedge.mul(rows["trade_usd_m"] / rows["trade_usd_m"].sum(), axis=0).sum(),
    )


def last_exports(lines: pd.DataFrame, scenario: Scenario, *, n_draws: int, seed: int) -> Array:
    """The draws of ``exports`` that :func:`simulate` gives, alone."""
    market = _Market(_checked(lines, n_draws), scenario, n_draws, seed)
    return np.concatenate([_gained(market.followed(block, last_only=True)[3])[0] for block in market.blocks])


def respond(
    log_cut: ArrayLike, share: ArrayLike, sigma: ArrayLike, eps: ArrayLike, inverse_supply: ArrayLike
) -> tuple[Array, Array, Array]:
    """Response of one line to the supplier's duty power changing by the factor exp(``log_cut``), others' unchanged.

    Logs of relative changes: the nest's price index as the importer pays it, and the quantities of the supplier and of
    all others, whose prices at the border change by these times ``inverse_supply``.
    ``share``: the supplier's part of the importer's spending, duty paid (0..1); ``sigma`` > 1: elasticity of
    substitution; ``eps`` > 0: elasticity of import demand; ``inverse_supply`` = 1/mu >= 0, 0 for infinite supply.
    With That the duty factor and hats for relative changes: demand qhat = (That phat)^-sigma Phat^(sigma-eps),
    Phat^(1-sigma) = sum share (That phat)^(1-sigma), supply qhat = phat^mu. Solving for phat leaves
    Phat^((1-sigma)(mu+eps)/(mu+sigma)) = sum share That^(mu(1-sigma)/(mu+sigma)).
    """
    log_cut, share, sigma, eps, inv = (np.asarray(x, dtype=float) for x in (log_cut, share, sigma, eps, inverse_supply))
    slope = 1 + sigma * inv
    log_sum = np.log(1 + share * (np.exp((1 - sigma) / slope * log_cut) - 1))  # plain log and exp: far faster in numpy
    index = log_sum * (slope / ((1 - sigma) * (1 + eps * inv)))
    other = index * ((sigma - eps) / slope)
    return index, other - log_cut * (sigma / slope), other


def surplus_change(spending: ArrayLike, log_price_index: ArrayLike, eps: ArrayLike) -> Array:
    """Consumer surplus, in the unit of ``spending`` (duty paid): the area left of demand V P^-eps between 1 and Phat.

    V (1 - Phat^(1-eps)) / (1-eps), or -V log Phat at eps = 1; to second order -(dP/P) V (1 - eps dP/2P).
    """
    spending, log_index, eps = (np.asarray(x, dtype=float) for x in (spending, log_price_index, eps))
    gap = 1 - eps
    safe = np.where(np.abs(gap) < 1e-9, 1.0, gap)
    return -spending * np.where(np.abs(gap) < 1e-9, log_index, np.expm1(safe * log_index) / safe)


def draw_inputs(lines: pd.DataFrame, scenario: Scenario, n_draws: int, seed: int) -> dict[str, Array]:
    """Draw every input from a stream of its own, so that changing one leaves the others as they were.

    sigma and eps lines x draws; utilisation (fraction), cost_pct (per cent of value) and inverse_supply (1/mu, 0 for
    infinite) 1 x draws. log sigma ~ N(log(scale x median), spread of the line), log eps ~ N(log median, spread), each
    line's deviation sqrt(rho) z + sqrt(1 - rho) z_line; sigma is held between SIGMA_FLOOR and the scenario's cap.
    """
    s = scenario
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(5)]
    shape = (len(lines), n_draws)
    middle = np.log(s.sigma_scale * lines["sigma_median"].to_numpy(dtype=float))[:, None]
    spread = lines["sigma_log_sd"].to_numpy(dtype=float)[:, None]
    sigma = np.exp(middle + spread * _correlated(streams[0], shape, s.rho))
    if s.utilisation_sd > 0:
        weight = s.utilisation * (1 - s.utilisation) / s.utilisation_sd**2 - 1
        used = streams[2].beta(s.utilisation * weight, (1 - s.utilisation) * weight, n_draws)
    else:
        used = np.full(n_draws, s.utilisation)
    supply = np.array([1 / mu for mu in s.supply])
    return {
        "sigma": np.clip(sigma, SIGMA_FLOOR, s.sigma_cap),
        "eps": np.exp(np.log(s.eps_median) + s.eps_log_sd * _correlated(streams[1], shape, s.rho)),
        "utilisation": used[None, :],
        "cost_pct": streams[3].uniform(0, 2, n_draws)[None, :] * s.compliance_cost_pct,
        "inverse_supply": supply[streams[4].integers(len(supply), size=n_draws)][None, :],
    }


def _correlated(rng: np.random.Generator, shape: tuple[int, int], rho: float) -> Array:
    shared = rng.standard_normal(shape[1])
    return np.sqrt(rho) * shared + np.sqrt(1 - rho) * rng.standard_normal(shape)


class _Market:
    """The traded lines (rows) by draws (columns), and the two worlds compared; ``full`` is the power of all duties."""

    def __init__(self, rows: pd.DataFrame, scenario: Scenario, n_draws: int, seed: int) -> None:
        self.rows, self.scenario = rows, scenario
        self.trade = rows["trade_usd_m"].to_numpy(dtype=float)[:, None]
        self.duties = rows[["cd_pct", "rd_pct", "sd_pct"]].to_numpy(dtype=float).T[:, :, None] / 100
        self.full = _power(self.duties)
        self.others = self.trade * (1 / rows["supplier_share"].to_numpy(dtype=float)[:, None] - 1)
        inputs, starts = draw_inputs(rows, scenario, n_draws, seed), range(0, n_draws, _BLOCK)
        self.blocks = [{name: drawn[:, at : at + _BLOCK] for name, drawn in inputs.items()} for at in starts]

    def relative(self, regime: Regime, stage: float, used: Array, cost_pct: Array) -> Array:
        """Average duty power under ``regime`` over the full one: 1 + u k (T1/T0 - 1) where the margin pays the cost."""
        if regime.cuts == "none" or stage == 0:
            return np.ones_like(self.full)
        taken = [duty in regime.cuts.split("+") for duty in ("cd", "rd", "sd")]
        preferred = _power(self.duties * (1 - stage * np.array(taken, dtype=float))[:, None, None])
        claimed = used * (100 * (self.full - preferred) > cost_pct)
        return 1 + claimed * (regime.coverage * (preferred / self.full - 1))

    def worlds(self, years: Sequence[int], used: Array, cost_pct: Array) -> tuple[Array, list[Array], list[Array]]:
        """Relative duty power today, and by year without and with the agreement; before entry there is none."""
        s, relative = self.scenario, cache(lambda regime, stage: self.relative(regime, stage, used, cost_pct))
        without = dict.fromkeys(years, today := relative(s.today, 1.0))
        if s.without is not None:
            later = [year for year in years if year >= s.without_from]
            without |= {year: relative(s.without, s.without.stage(year - s.without_from)) for year in later}
        agreed = {y: np.minimum(relative(s.agreement, s.agreement.stage(y)), without[y]) for y in years if y >= 0}
        return today, list(without.values()), list((without | agreed).values())

    def followed(self, drawn: Mapping[str, Array], last_only: bool = False) -> tuple[Array, Array, tuple, Array]:
        """Relative duty power today; and of the worlds without (where that is not today's) and with the agreement, by
        year from the first change: that power, how trade responds to it, and the change of exports over all lines."""
        s, shape, nest = self.scenario, drawn["sigma"].shape, [drawn[n] for n in ("sigma", "eps", "inverse_supply")]
        years = np.arange(min(0, s.without_from if s.without is not None else 0), s.horizon + 1)
        today, *worlds = self.worlds(years.tolist(), drawn["utilisation"], drawn["cost_pct"])
        worlds = worlds if s.without is not None else worlds[1:]
        powers = np.array([[np.broadcast_to(power, shape) for power in world] for world in worlds])
        since = years[-1:, None] - years if last_only else years[:, None] - years
        # What trade responds to: past powers, weighted by how much of each has been felt.
        felt = response(since) - response(since - 1) if s.lagged else (since == 0).astype(float)
        logs = felt @ np.log(powers / today).reshape(len(worlds), len(years), -1)
        spent = self.trade * today * self.full
        share = spent / (spent + self.others * self.full)
        responses = respond(logs.reshape(len(worlds), -1, *shape), share, *nest)
        gain = np.exp(responses[1] * (1 + drawn["inverse_supply"])) - 1
        return today, powers, responses, (self.trade * gain).sum(axis=2)

    def change(self, drawn: Mapping[str, Array]) -> tuple[dict[str, Array], Array]:
        """Outcomes of the last year with the agreement less those without, lines x draws; and exports by year: with
        less without, and without less today's, (2, years from the first change, draws). US$ million."""
        today, powers, responses, sold = self.followed(drawn)
        now, (index, quantity, other) = powers[:, -1], (response[:, -1] for response in responses)
        trade, full, others, prices, eps = self.trade, self.full, self.others, 1 + drawn["inverse_supply"], drawn["eps"]
        gain, bought = np.exp(quantity * prices) - 1, trade * (np.exp(quantity) - 1)
        created = (trade + others) * (np.exp(-eps * index) - 1)
        displaced = others * (np.exp(other * prices) - 1) * (full - 1)
        ends = {
            "exports": trade * gain,
            "creation": created,
            "diversion": bought - created,
            "price": trade * gain - bought,
            "smart": trade * eps * (1 - now / today),
            "revenue": trade * ((1 + gain) * (now * full - 1) - (today * full - 1)) + displaced,
            "consumer_surplus": surplus_change(trade * today * full + others * full, index, eps),
        }
        gained = _gained(sold)
        return {name: _gained(values) for name, values in ends.items()}, np.stack([gained, sold[-1] - gained])


def _gained(worlds: Array) -> Array:
    """With the agreement less without, where that is another world than today's."""
    return worlds[1] - worlds[0] if len(worlds) > 1 else worlds[0]


def _power(duties: Array) -> Array:
    """(1 + cd + rd)(1 + sd), lines x 1."""
    return (1 + duties[0] + duties[1]) * (1 + duties[2])


def _checked(lines: pd.DataFrame, n_draws: int) -> pd.DataFrame:
    check_count(n_draws, "n_draws", least=100)
    checked_frame(lines, _COLUMNS, "lines")
    rows = lines.loc[~(lines["trade_usd_m"] == 0), list(_COLUMNS)]
    trade, *duties, share, sigma, spread = rows.to_numpy(dtype=float).T
    for holds, said in (
        (lines.index.is_unique, "a chapter stands twice in lines: give each line once"),
        ((trade > 0).all() and isfinite(trade.sum()), "trade_usd_m must be 0 or more"),
        (len(rows), "no line has trade: there is nothing to simulate"),
        (not np.isnan(duties).any(), "duties are missing: no tariff is held for this importer"),
        ((np.array([*duties, spread]) >= 0).all(), "duties and spreads must not be negative"),
        ((sigma > 1).all(), "sigma_median must exceed 1"),
        (((share > 0) & (share <= 1)).all(), "supplier_share must be above 0, at most 1"),
    ):
        if not holds:
            raise ModelInputError(said)
    return rows
