"""Numbers printed by others for trade policy in partial equilibrium, and the response of one line beside them."""

import numpy as np
import pytest

from kbio_analysis.models.tariffs import respond

PRINTED = 6e-5  # published to four decimals

# Francois & Hall (2003), "Global Simulation Analysis of Industry-Level Trade Policy", version 3.0, the four-country
# example (US, Japan, EU, rest): trade at world prices, exporters by row; duty powers; the US and the EU cut theirs.
TRADE = [[0, 50, 200, 300], [500, 0, 150, 200], [300, 100, 200, 200], [50, 100, 110, 20]]
DUTIES = [[1.00, 1.21, 1.41, 1.22], [1.37, 1.00, 1.31, 1.23], [1.32, 1.36, 1.00, 1.18], [1.57, 1.41, 1.25, 1.15]]
WORLD_PRICES = [0.0792, -0.0316, 0.0480, -0.0184]


def world_prices(trade: np.ndarray, before: np.ndarray, after: np.ndarray, *, eps: float, mu: float, sigma: float):
    """Relative changes of world prices by exporter that clear all markets to first order (equations 4-6 and 17)."""
    cut, spending = after / before - 1, trade * before
    theta, phi = spending / spending.sum(axis=0), trade / trade.sum(axis=1, keepdims=True)
    weight = phi * (sigma - eps)
    reaction = weight @ theta.T - sigma * np.eye(len(trade))
    push = weight @ (theta * cut).sum(axis=0) - sigma * (phi * cut).sum(axis=1)
    return np.linalg.solve(mu * np.eye(len(trade)) - reaction, push)


def test_the_gsim_example_and_one_market_of_it_as_a_line():
    trade, before = np.array(TRADE, dtype=float), np.array(DUTIES)
    after = before.copy()
    after[0, 2] = after[2, 0] = 1.0
    assert world_prices(trade, before, after, eps=1.25, mu=1.5, sigma=5.0) == pytest.approx(WORLD_PRICES, abs=PRINTED)
    # Two suppliers of one buyer: for a small cut the linear model is our closed form.
    trade = np.array([[0, 0, 20], [0, 0, 80], [1e-9, 1e-9, 1e-9]])
    before, after = np.full((3, 3), 1.1), np.full((3, 3), 1.1)
    after[0, 2] *= 0.999
    _, own, other = respond(np.log(0.999), 0.2, 6.0, 1.5, 0.2)
    prices = world_prices(trade, before, after, eps=1.5, mu=5.0, sigma=6.0)
    assert [0.2 * own, 0.2 * other] == pytest.approx(prices[:2], rel=2e-3)
