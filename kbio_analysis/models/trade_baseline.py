"""Trade with a partner if nothing is agreed: its growth times an income elasticity, with the panel's own errors.

log y_{T+k} = log y_T + k e log(1 + g) + c + error: y_T the last year (a median of three missed more at past origins), g
the partner's real growth, e from a Poisson fit of trade on partners' real income with partner and year effects. The
errors are those of the same rule at every past origin of every partner, scaled by how unsteady the flow is, so they
hold the doubt about growth, elasticity and shocks common to all partners. Their median is taken out: it is the boom of
the 2000s, and no common trend is carried forward. c is the partner's own record: by how much the rule missed it more
than others over five years, times a weight below one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.agreement_record import two_way
from kbio_analysis.models.checks import check_count, whole_years

GROWTH_YEARS = 5
MIN_TRADE_USD_M = 5.0
"""Flow at a past origin below which its errors are not counted."""

MIN_STEPS = 8
"""Yearly changes a flow must have shown before its unsteadiness is read from them."""

FIRST_ORIGIN_AFTER = 9
"""Years of the record before the first past origin."""

PERCENTILES = (5, 50, 95)
LEVEL = 90
"""Per cent that the intervals tried on the past are to hold."""

JUDGED_YEARS = (1, 3, 5, 10)
"""Years ahead, beside the last, at which coverage is measured."""

OWN_YEARS, OWN_ORIGINS = 5, 10
"""Years ahead at which a partner's own record is read, over so many of its latest origins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindcast:
    """Errors of the rule at past origins.

    ``errors``: flow -> rows (partner, origin) x years ahead 1..K, in units of the flow's scale, NaN where the record
    ends; ``weight`` of each row (sums to 1, equal by partner); ``scale`` of each row by flow, log points. All flows
    have the same rows.
    """

    errors: Mapping[str, pd.DataFrame]
    weight: pd.Series
    scale: Mapping[str, pd.Series]

    def own_record(self, flow: str, partner: str) -> float:
        """How much further than others' the partner's trade lay from the rule after OWN_YEARS, in units of its scale:
        the mean over its latest origins of its error less the median error of the same year; 0 without a record."""
        errors = self.errors[flow].get(OWN_YEARS, pd.Series(dtype=float)).dropna()
        own, middle = _of(partner, errors), errors.groupby(level="origin").median()
        return float((own - middle.reindex(own.index)).tail(OWN_ORIGINS).mean()) if len(own) else 0.0

    def tried(self, partner: str, trade: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """What the rule would have said of ``partner`` and what came, OWN_YEARS after each origin: columns flow,
        origin, year, expected_usd_m, came_usd_m, miss_pct (what came against what was expected)."""
        parts = []
        for flow, errors in self.errors.items():
            miss = _of(partner, (errors.get(OWN_YEARS, np.nan) * self.scale[flow]).dropna())
            came = trade[flow].reindex(index=miss.index + OWN_YEARS, columns=[partner])[partner].to_numpy()
            own = {"flow": flow, "origin": miss.index, "year": miss.index + OWN_YEARS}
            said = {"expected_usd_m": came / np.exp(miss), "came_usd_m": came, "miss_pct": 100 * np.expm1(miss)}
            parts.append(pd.DataFrame(own | said))
        return pd.concat(parts, ignore_index=True)

    def draw(self, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """``n`` error paths by flow (n, K): whole cases with K years lend the paths their order, the same for every
        flow; each year's values are the quantiles of all origins known that far ahead (Clark et al. 2004)."""
        whole = np.all([errors.notna().all(axis=1) for errors in self.errors.values()], axis=0)
        weight, drawn = self.weight.to_numpy(), {}
        rows = rng.choice(int(whole.sum()), size=n, p=weight[whole] / weight[whole].sum())
        for flow, frame in self.errors.items():
            errors = frame.to_numpy()
            found = np.empty((int(whole.sum()), errors.shape[1]))
            for k in range(errors.shape[1]):
                order = np.argsort(errors[whole, k], kind="stable")
                mass = weight[whole][order]
                rank = (np.cumsum(mass) - mass / 2) / mass.sum()
                known = np.isfinite(errors[:, k])
                values, at = np.sort(errors[known, k]), np.argsort(errors[known, k], kind="stable")
                cumulated = np.cumsum(weight[known][at])
                places = (cumulated - weight[known][at] / 2) / cumulated[-1]
                found[order, k] = np.interp(rank, places, values) - np.interp(0.5, places, values)
            drawn[flow] = found[rows]
        return drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """``years`` ahead; ``base_usd_m``, ``middle`` (years) and ``paths`` (n, years; US$ million) by flow that has enough
    record. ``middle`` is the rule's own path; paths lie about it.

    ``own_log_points``: what the partner's own record moves the middle by from the fifth year on. ``growth_pct`` assumed
    a year, and where from: ``growth_basis`` given, own or median; ``fits`` and ``errors`` are the elasticities and the
    past errors that the paths rest on.
    """

    years: tuple[int, ...]
    base_usd_m: Mapping[str, float]
    middle: Mapping[str, np.ndarray]
    paths: Mapping[str, np.ndarray]
    own_log_points: Mapping[str, float]
    growth_pct: float
    growth_basis: str
    fits: Mapping[str, float]
    errors: Hindcast

    def band(self, flow: str) -> pd.DataFrame:
        """Years x percentiles 5, 50, 95, US$ million; ``trade``: of the sum of all flows."""
        flows = self.paths.values() if flow == "trade" else [self.paths[flow]]
        values = np.percentile(sum(flows), PERCENTILES, axis=0).T
        return pd.DataFrame(values, index=list(self.years), columns=list(PERCENTILES))

    def at(self, year: int, flow: str = "trade", growth_pct: float | None = None) -> float:
        """The middle path in ``year``, US$ million; ``trade``: of all flows. ``growth_pct``: at another growth."""
        at = self.years.index(year)
        assumed = self.growth_pct if growth_pct is None else growth_pct
        step = (np.log1p(assumed / 100) - np.log1p(self.growth_pct / 100)) * (at + 1)
        flows = list(self.middle) if flow == "trade" else [flow]
        return float(sum(self.middle[f][at] * np.exp(self.fits[f] * step) for f in flows))


def income_index(growth_pct: pd.DataFrame) -> pd.DataFrame:
    """Log of real income by partner, 0 before the first year of growth; partners with gaps inside have none."""
    steps = np.log1p(growth_pct / 100)
    known = steps.notna().to_numpy()
    turns = np.abs(np.diff(np.pad(known, ((1, 1), (0, 0))).astype(int), axis=0)).sum(axis=0)
    return steps.loc[:, turns == 2].cumsum()


def income_elasticity(trade: pd.DataFrame, growth_pct: pd.DataFrame) -> float:
    """Per cent more trade for one per cent more real income of the partner, by Poisson pseudo-maximum likelihood.

    ``trade`` (years x partners, US$ million) on log real income, with partner and year effects. Raises
    :class:`ModelInputError` if partners' incomes do not differ enough to tell.
    """
    trade = whole_years(trade, "trade")
    income = income_index(whole_years(growth_pct, "growth_pct"))
    both = [c for c in trade if c in income]
    x = income.reindex(index=trade.index, columns=both).to_numpy()
    y = trade[both].to_numpy(dtype=float)
    used = np.isfinite(x) & np.isfinite(y)
    keep = (used.sum(axis=0) >= 2) & (np.where(used, y, 0).sum(axis=0) > 0)
    if keep.sum() < 3:
        raise ModelInputError("fewer than three partners have both trade and growth: no elasticity can be told")
    x, y, used = x[:, keep], y[:, keep], used[:, keep]
    x = np.where(used, x - np.nanmean(np.where(used, x, np.nan), axis=0), 0.0)
    y = np.where(used, y, 0.0)

    def score(e: float) -> float:
        weight = used * np.exp(e * x)
        return float((x * (y - weight * np.outer(*two_way(y, weight)))).sum())

    noise = 1e-9 * np.abs(x * y).sum()  # all that is left of incomes that grow alike, which the year effects take up
    if not score(-5.0) > noise > -noise > score(10.0):
        raise ModelInputError("income and trade do not vary enough between partners to tell an elasticity")
    return float(optimize.brentq(score, -5.0, 10.0, xtol=1e-9))


def hindcast(
    trade: Mapping[str, pd.DataFrame], growth_pct: pd.DataFrame, elasticities: Mapping[str, float], horizon: int
) -> Hindcast:
    """Run the rule at every past origin with ``horizon`` years after it, for flows of MIN_TRADE_USD_M or more.

    ``trade``: flow -> years x partners. Raises :class:`ModelInputError` if no origin leaves so many years.
    """
    trade = {flow: whole_years(values, flow) for flow, values in trade.items()}
    growth_pct, years = whole_years(growth_pct, "growth_pct"), next(iter(trade.values())).index
    first, last = int(years[0]) + FIRST_ORIGIN_AFTER, int(years[-1])
    if first > last - horizon:
        raise ModelInputError(f"no past origin has {horizon} years after it; shorten the horizon")
    ahead, found = np.arange(1, horizon + 1), {}
    for flow, values in trade.items():
        logs, parts, kept = _logs(values), [], []
        for origin in range(first, last):
            at, seen = origin - int(years[0]), min(horizon, last - origin)
            growth = np.log1p(recent_growth(growth_pct, origin) / 100).reindex(values.columns).to_numpy()
            base, scale = _base_and_scale(logs, at)
            errors = np.full((values.shape[1], horizon), np.nan)
            errors[:, :seen] = logs[at + 1 : at + 1 + seen].T
            errors = (errors - base[:, None] - np.outer(elasticities[flow] * growth, ahead)) / scale[:, None]
            kept.append(np.isfinite(errors[:, :seen]).all(axis=1) & (base >= np.log(MIN_TRADE_USD_M)))
            parts.append(np.column_stack([errors, scale]))
        index = pd.MultiIndex.from_product([range(first, last), values.columns], names=["origin", "partner"])
        frame = pd.DataFrame(np.vstack(parts), index=index.swaplevel(), columns=[*ahead, "scale"])
        found[flow] = frame[np.concatenate(kept)]
    index = pd.concat(found.values(), axis=1, join="inner").sort_index().index
    if not (index.get_level_values("origin") <= int(years[-1]) - horizon).any():
        raise ModelInputError(f"no partner has every flow for {horizon} years after an origin; shorten the horizon")
    weight = 1 / pd.Series(1.0, index=index).groupby(level="partner").transform("sum")
    return Hindcast(
        errors={flow: frame.loc[index, ahead] for flow, frame in found.items()},
        weight=weight / weight.sum(),
        scale={flow: frame.loc[index, "scale"] for flow, frame in found.items()},
    )


def _of(partner: str, values: pd.Series) -> pd.Series:
    """The values of one partner, by origin."""
    return values[values.index.get_level_values("partner") == partner].droplevel("partner").sort_index()


def _logs(values: pd.DataFrame) -> np.ndarray:
    return np.log(values.where(values > 0)).to_numpy(dtype=float)


def _base_and_scale(logs: np.ndarray, at: int) -> tuple[np.ndarray, np.ndarray]:
    """Log base and scale of every column at row ``at`` of ``logs`` (years x partners), NaN where the record is short.

    The scale is the geometric mean of the flow's own mean yearly change (log points) and the median partner's.
    """
    steps = np.abs(np.diff(logs[: at + 1], axis=0))
    count = np.isfinite(steps).sum(axis=0)
    own = np.where(count >= MIN_STEPS, np.nansum(steps, axis=0) / np.maximum(count, 1), np.nan)
    return np.where(np.isfinite(own), logs[at], np.nan), np.sqrt(own * np.nanmedian(own))


def recent_growth(growth_pct: pd.DataFrame, origin: int) -> pd.Series:
    """Mean real growth of the last five years to ``origin``, per cent; NaN with fewer than three of them."""
    recent = growth_pct.loc[origin - GROWTH_YEARS + 1 : origin]
    return recent.mean().where(recent.notna().sum() >= 3)


def baseline(
    trade: Mapping[str, pd.DataFrame],
    growth_pct: pd.DataFrame,
    partner: str,
    *,
    horizon: int,
    n: int,
    rng: np.random.Generator,
    given_growth_pct: float | None = None,
    base_usd_m: Mapping[str, float] | None = None,
    base_year: int | None = None,
    own_record: float = 0.0,
) -> Baseline:
    """``n`` paths of the flows of ``partner`` over ``horizon`` years after the base, from elasticities and errors.

    ``trade``: flow -> years x partners, US$ million; ``growth_pct``: years x partners. Growth is as given, else the
    partner's own of late, else the median partner's. ``base_usd_m`` of ``base_year`` takes the place of the last year
    on record, flow by flow. ``own_record``: weight of the partner's own record. A flow without enough record, or none
    in the base, has no path.
    """
    if not isinstance(trade, Mapping) or not trade:
        raise ModelInputError(f"trade: {type(trade).__name__} was given; pass flow -> frame of years x partners")
    check_count(horizon, "horizon")
    check_count(n, "n")
    trade = {flow: whole_years(values, flow) for flow, values in trade.items()}
    growth_pct = whole_years(growth_pct, "growth_pct")
    fits = {flow: income_elasticity(values, growth_pct) for flow, values in trade.items()}
    errors = hindcast(trade, growth_pct, fits, horizon)
    drawn = errors.draw(n, rng)
    recent = recent_growth(growth_pct, int(growth_pct.index[-1]))
    known = recent.get(partner, np.nan) if given_growth_pct is None else given_growth_pct
    basis = "given" if given_growth_pct is not None else "own" if np.isfinite(known) else "median"
    assumed = float(recent.median() if basis == "median" else known)
    last_year = int(next(iter(trade.values())).index[-1])
    ahead, bases, middle, paths, own = np.arange(1, horizon + 1), {}, {}, {}, {}
    for flow, values in trade.items():
        base, scale = _base_and_scale(_logs(values), len(values) - 1)
        if partner not in values or not np.isfinite(base[at := values.columns.get_loc(partner)]):
            continue
        bases[flow] = float(np.exp(base[at])) if base_usd_m is None else float(base_usd_m.get(flow, 0.0))
        if bases[flow] <= 0:
            del bases[flow]
            continue
        own[flow] = own_record * errors.own_record(flow, partner) * scale[at]
        income = fits[flow] * np.log1p(assumed / 100) * ahead
        middle[flow] = bases[flow] * np.exp(income + own[flow] * np.minimum(ahead / OWN_YEARS, 1))
        paths[flow] = middle[flow] * np.exp(scale[at] * drawn[flow])
    first = (last_year if base_year is None else base_year) + 1
    return Baseline(
        years=tuple(range(first, first + horizon)),
        base_usd_m=bases,
        middle=middle,
        paths=paths,
        own_log_points=own,
        growth_pct=assumed,
        growth_basis=basis,
        fits=fits,
        errors=errors,
    )


def coverage(found: Hindcast, *, origin: int | None = None) -> pd.DataFrame:
    """How often errors fall inside the LEVEL per cent interval made from others, its median taken out; one row a flow:
    share, and n partners judged.

    By default each partner is judged by all the others, its origins and years ahead (JUDGED_YEARS) averaged.
    With ``origin``, its errors are judged by those known by then, as a forecaster of that year would have.
    """
    partner, origins = (found.weight.index.get_level_values(name) for name in ("partner", "origin"))
    codes, names = pd.factorize(partner)
    weight = found.weight.to_numpy()
    rows = {}
    for flow, errors in found.errors.items():
        values = errors.to_numpy()
        if origin is None:
            others, judged = np.arange(len(names))[:, None] != codes, codes
        else:
            others, judged = np.ones((1, len(codes)), dtype=bool), np.where(origins == origin, 0, -1)
        inside, counted = np.zeros(len(codes)), np.zeros(len(codes))
        for k in sorted({*(year - 1 for year in JUDGED_YEARS if year < values.shape[1]), values.shape[1] - 1}):
            known = np.isfinite(values[:, k])
            used = others & known if origin is None else others & known & (np.asarray(origins) <= origin - k - 1)
            asked = known & (judged >= 0)
            if not (asked.any() and used.any(axis=1).all()):
                continue
            order = np.argsort(values[:, k], kind="stable")
            mass = np.cumsum(used[:, order] * weight[order], axis=1)
            mass /= mass[:, -1:]
            ends = ((1 - LEVEL / 100) / 2, 0.5, (1 + LEVEL / 100) / 2)
            low, middle, high = (values[order, k][np.argmax(mass >= q - 1e-12, axis=1)] for q in ends)
            at = judged[asked]
            centred = values[asked, k] + middle[at]  # against low - middle and high - middle
            inside[asked] += (centred >= low[at]) & (centred <= high[at])
            counted[asked] += 1
        held = counted > 0
        share = float(np.average(inside[held] / counted[held], weights=weight[held]))
        rows[flow] = (share, len(set(codes[held])))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["share", "n"]).rename_axis("flow")
