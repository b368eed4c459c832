"""Numbers printed by others for trade policy in partial equilibrium, ours beside theirs."""

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


def test_world_prices_of_the_gsim_example_and_who_gains():
    trade, before = (pd.DataFrame(v, index=NAMES, columns=NAMES, dtype=float) for v in (TRADE, DUTIES))
    after = before.copy()
    after.loc["US", "EU"] = after.loc["EU", "US"] = 1.0
    same = {k: pd.Series(v, NAMES) for k, v in (("demand", DEMAND), ("supply", SUPPLY), ("substitution", SUBSTITUTION))}
    found = solve(trade, before, after, **same)
    assert found.economies["world_price"].to_numpy() == pytest.approx(WORLD_PRICES, abs=PRINTED)
    assert (found.economies.loc[["US", "EU"], "producer_surplus"] > 0).all()
    assert (found.economies.loc[["JP", "RW"], "producer_surplus"] < 0).all()
    assert found.trade.loc["US", "EU"] > trade.loc["US", "EU"]
    assert found.trade.loc["JP", "EU"] < trade.loc["JP", "EU"]
    unchanged = solve(trade, before, before, **same)
    assert unchanged.economies.abs().max(axis=None) == 0
    pd.testing.assert_frame_equal(unchanged.trade, trade)
