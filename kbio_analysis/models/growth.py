"""Growth arithmetic: what a target requires, where one rate or two lead, and how often trade has multiplied.

Rates are per cent a year; values keep the unit they come in.
"""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import checked_frame, typed, whole_years

FLOWS = {"trade": "trade_usd_m", "exports": "exports_usd_m", "imports": "imports_usd_m"}
"""Flows whose multiples are counted, and their columns."""

MULTIPLES = ["flow", "base", "base_year", "end", "end_year", "base_usd_m", "end_usd_m", "nominal", "real", "world"]


@typed
def required_growth_pct(base: float, target: float, years: float) -> float:
    """Constant growth that turns ``base`` into ``target`` in ``years``: 100((target/base)^(1/years) - 1), % a year.

    Raises :class:`ModelInputError` if base or target is not positive or years is not positive.
    """
    _require_positive(base=base, target=target, years=years)
    return 100 * math.expm1(math.log(target / base) / years)


@typed
def path(base: float, growth_pct: float, years: int, *, base_year: int | None = None) -> pd.Series:
    """``base`` compounding at ``growth_pct`` for ``years``: years + 1 values starting at the base.

    Indexed 0..years, or by calendar year when ``base_year`` is given. Unit of ``base``.
    """
    if years < 0 or int(years) != years:
        raise ModelInputError(f"years = {years}: give a whole number of years, 0 or more")
    steps = np.arange(int(years) + 1)
    index = pd.Index(steps + (base_year or 0), name="year")
    return pd.Series(value_at(base, growth_pct, steps), index=index, name="path", dtype=float)


def value_at(base: float, growth_pct: float, years: float | np.ndarray) -> float | np.ndarray:
    """``base`` after ``years`` (fractions allowed) at ``growth_pct`` a year."""
    _require_positive(base=base)
    if not (math.isfinite(growth_pct) and growth_pct > -100):
        raise ModelInputError(f"growth of {growth_pct} % a year: give a finite rate above -100")
    return base * (1 + growth_pct / 100) ** years


@typed
def segment_share(
    market: float, segment: float, *, base_year: int, target_year: int, market_pct: float, segment_pct: float
) -> pd.DataFrame:
    """A segment in its market when both grow at constant rates, by year: market, segment (one unit) and share_pct.

    ``attrs``: rest_growth_pct, growth of the rest of the market, per cent a year, None once the segment is larger than
    the market; whole_year, the moment at which the segment passes the whole market, None if it never does.
    Raises :class:`ModelInputError` unless 0 < segment < market and the target year is after the base.
    """
    if not 0 < segment < market:
        raise ModelInputError(f"segment {segment}, market {market}: a segment must be smaller than its market")
    years = target_year - base_year
    if years < 1:
        raise ModelInputError(f"target year {target_year} is not after {base_year}; give a later one")
    paths = pd.DataFrame({"market": path(market, market_pct, years), "segment": path(segment, segment_pct, years)})
    paths = paths.set_axis(pd.RangeIndex(base_year, target_year + 1, name="year"), axis=0)
    paths["share_pct"] = 100 * paths.segment / paths.market
    rest = float(paths.market.iloc[-1] - paths.segment.iloc[-1])
    drift = np.log1p(segment_pct / 100) - np.log1p(market_pct / 100)
    paths.attrs = {
        "rest_growth_pct": required_growth_pct(market - segment, rest, years) if rest > 0 else None,
        "whole_year": base_year + float(np.log(market / segment) / drift) if drift > 0 else None,
    }
    return paths


def price_level(gdp_usd_m: pd.Series, real_growth_pct: pd.Series, *, base: int) -> pd.Series:
    """GDP deflator by year, 1 in ``base``: nominal growth over real growth, chained (both indexed by year)."""
    gdp_usd_m, real_growth_pct = whole_years(gdp_usd_m, "GDP"), whole_years(real_growth_pct, "real growth")
    inflation = (gdp_usd_m / gdp_usd_m.shift()) / (1 + real_growth_pct / 100)
    level = inflation.fillna(1.0).cumprod()
    if base not in level.index:
        raise ModelInputError(f"no price level for {base}; choose a base from {level.index.min()} on")
    return (level / level[base]).rename("price_level")


def multiples(trade: pd.DataFrame, world: pd.DataFrame, prices: pd.Series, *, bases: Mapping[str, int]) -> pd.DataFrame:
    """Multiples of ``trade`` (US$ million by year) from each base to its latest and its highest later year.

    ``trade`` and ``world`` hold the columns of FLOWS; ``bases`` label -> year. One row a flow, base and end
    (latest or peak) with base_year, end_year, base_usd_m, end_usd_m, nominal and real multiples, the ``world`` total's
    multiple over the same years, and ``relative``, nominal over world. A base that is missing, or that no later year
    follows, has no row.
    """
    trade, world = (
        whole_years(checked_frame(frame, FLOWS.values(), label), label)
        for frame, label in ((trade, "trade"), (world, "world trade"))
    )
    rows = []
    for flow, column in FLOWS.items():
        own, total = trade[column], world[column]
        for label, base in bases.items():
            later = own[own.index > base].dropna()
            if later.empty or not own.get(base, 0) > 0:
                continue
            for end, year in (("latest", int(later.index.max())), ("peak", int(later.idxmax()))):
                nominal = own[year] / own[base]
                real, grown = nominal * prices[base] / prices[year], total[year] / total[base]
                rows.append((flow, label, base, end, year, own[base], own[year], nominal, real, grown))
    found = pd.DataFrame(rows, columns=MULTIPLES)
    return found.assign(relative=found["nominal"] / found["world"])


def _require_positive(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ModelInputError(f"{name} = {value}: give a number above zero")
