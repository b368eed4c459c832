"""Numbers printed by others for trade policy in partial equilibrium, ours beside theirs."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.models.gsim import solve

PRINTED = 6e-5  # published to four decimals
NAMES = ["US", "JP", "EU", "RW"]

# Francois & Hall (2003), "Global Simulation Analysis of Industry-Level Trade Policy", version 3.0, the four-country
# example: trade at world prices (exporters by row), duty powers, an agreement between the US and the EU.
TRADE = [[0, 50, 200, 300], [500, 0, 150, 200], [300, 100, 200, 200], [50, 100, 110, 20]]
DUTIES = [[1.00, 1.21, 1.41, 1.22], [1.37, 1.00, 1.31, 1.23], [1.32, 1.36, 1.00, 1.18], [1.57, 1.41, 1.25, 1.15]]
DEMAND, SUPPLY, SUBSTITUTION = -1.25, 1.5, 5.0
WORLD_PRICES = [0.0792, -0.0316, 0.0480, -0.0184]


def economies(values) -> pd.DataFrame:
    return pd.DataFrame(values, index=NAMES, columns=NAMES, dtype=float)


@pytest.fixture(scope="module")
def example():
    before = economies(DUTIES)
    after = before.copy()
    after.loc["US", "EU"] = after.loc["EU", "US"] = 1.0
    same = {k: pd.Series(v, NAMES) for k, v in (("demand", DEMAND), ("supply", SUPPLY), ("substitution", SUBSTITUTION))}
    return economies(TRADE), before, after, same


def test_world_prices_of_the_gsim_example(example):
    trade, before, after, elasticities = example
    found = solve(trade, before, after, **elasticities)
    assert found.world_prices.to_numpy() == pytest.approx(WORLD_PRICES, abs=PRINTED)


def test_gsim_clears_every_market_counted_the_slow_way(example):
    trade, before, after, elasticities = example
    price = solve(trade, before, after, **elasticities).world_prices
    spending = trade * before
    for r in NAMES:
        demanded = 0.0
        for v in NAMES:
            change = 0.0
            for s in NAMES:
                theta = spending.loc[s, v] / spending[v].sum()
                reaction = theta * (DEMAND + SUBSTITUTION) - (SUBSTITUTION if s == r else 0.0)
                change += reaction * (price[s] + after.loc[s, v] / before.loc[s, v] - 1)
            demanded += trade.loc[r, v] / trade.loc[r].sum() * change
        assert demanded == pytest.approx(SUPPLY * price[r], abs=1e-12)


def test_gsim_leaves_a_world_without_change_alone(example):
    trade, before, _, elasticities = example
    found = solve(trade, before, before, **elasticities)
    assert np.abs(found.world_prices).max() == 0
    assert found.welfare.abs().max() == 0
    pd.testing.assert_frame_equal(found.trade, trade)


def test_gsim_members_gain_sales_and_outsiders_lose_them(example):
    trade, before, after, elasticities = example
    found = solve(trade, before, after, **elasticities)
    assert (found.producer_surplus[["US", "EU"]] > 0).all()
    assert (found.producer_surplus[["JP", "RW"]] < 0).all()
    assert found.trade.loc["US", "EU"] > trade.loc["US", "EU"]
    assert found.trade.loc["JP", "EU"] < trade.loc["JP", "EU"]
