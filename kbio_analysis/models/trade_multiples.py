"""How often trade has multiplied since an agreement: every base, every end, nominal and at constant prices."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from kbio_analysis.errors import ModelInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeMultiples:
    """``table``: one row a base and an end with base_year, end_year, end (latest or peak), base_usd_m, end_usd_m,
    nominal, real (multiples), world (the world total's multiple over the same years) and relative (nominal over
    world). ``claimed`` is the multiple that was claimed."""

    table: pd.DataFrame
    claimed: float

    @property
    def holding(self) -> pd.DataFrame:
        """Rows in which nominal trade exceeds the claimed multiple."""
        return self.table[self.table.nominal > self.claimed]

    @property
    def holding_real(self) -> pd.DataFrame:
        return self.table[self.table.real > self.claimed]


def price_level(gdp_usd_m: pd.Series, real_growth_pct: pd.Series, *, base: int) -> pd.Series:
    """GDP deflator by year, 1 in ``base``: nominal growth over real growth, chained (both indexed by year)."""
    inflation = (gdp_usd_m / gdp_usd_m.shift()) / (1 + real_growth_pct / 100)
    level = inflation.fillna(1.0).cumprod()
    if base not in level.index:
        raise ModelInputError(f"no price level for {base}; choose a base from {level.index.min()} on")
    return (level / level[base]).rename("price_level")


def multiples(
    trade: pd.Series, world: pd.Series, prices: pd.Series, *, bases: Mapping[str, int], claimed: float
) -> TradeMultiples:
    """Multiples of ``trade`` (US$ million by year) from each base to its latest and its highest later year.

    ``bases`` label -> year; a base that is missing, or that no later year follows, has no row.
    """
    rows = []
    for label, base in bases.items():
        later = trade[trade.index > base].dropna()
        if base not in trade.index or pd.isna(trade[base]) or trade[base] <= 0 or later.empty:
            continue
        for end, year in (("latest", int(later.index.max())), ("peak", int(later.idxmax()))):
            nominal = float(trade[year] / trade[base])
            grown = float(world[year] / world[base])
            rows.append(
                {
                    "base": label,
                    "base_year": base,
                    "end": end,
                    "end_year": year,
                    "base_usd_m": float(trade[base]),
                    "end_usd_m": float(trade[year]),
                    "nominal": nominal,
                    "real": nominal * float(prices[base] / prices[year]),
                    "world": grown,
                    "relative": nominal / grown,
                }
            )
    columns = [
        "base",
        "base_year",
        "end",
        "end_year",
        "base_usd_m",
        "end_usd_m",
        "nominal",
        "real",
        "world",
        "relative",
    ]
    return TradeMultiples(table=pd.DataFrame(rows, columns=columns), claimed=claimed)
