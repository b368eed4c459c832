"""How often trade has multiplied since an agreement: every base, every end, nominal and at constant prices."""

from collections.abc import Mapping

import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import checked_frame, whole_years

FLOWS = {"trade": "trade_usd_m", "exports": "exports_usd_m", "imports": "imports_usd_m"}
"""Flows whose multiples are counted, and their columns."""

COLUMNS = ["flow", "base", "base_year", "end", "end_year", "base_usd_m", "end_usd_m", "nominal", "real", "world"]


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
    found = pd.DataFrame(rows, columns=COLUMNS)
    return found.assign(relative=found["nominal"] / found["world"])
