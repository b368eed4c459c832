"""Many markets at once: the linear world model of one product (GSIM).

Francois & Hall (2003), "Global Simulation Analysis of Industry-Level Trade Policy": national varieties, one composite
demand a market, isoelastic export supply; world prices clear, to first order, in one linear solve.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError


class GsimSolution(NamedTuple):
    """``economies``: relative changes as fractions, values in the unit of trade: world_price and producer_surplus of
    the exporter; consumer_price (of the composite), revenue and consumer_surplus of the importer (areas to second
    order); welfare, their sum. ``trade``: exporters x importers after the change, at world prices."""

    economies: pd.DataFrame
    trade: pd.DataFrame


def solve(
    trade: pd.DataFrame,
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    demand: pd.Series,
    supply: pd.Series,
    substitution: pd.Series,
) -> GsimSolution:
    """World prices when duty powers move from ``before`` to ``after``.

    ``trade``: exporters (rows) x importers (columns) at world prices, own sales on the diagonal; duty powers 1 + t of
    the same shape; ``demand`` (negative) and ``substitution`` by importer, ``supply`` by exporter. With spending
    shares theta (duty paid) and export shares phi, demand for r in v reacts to the price of s there by
    theta_s (demand + substitution), less substitution where s = r (equations 4-6); excess demand of each r, summed
    over markets with phi, is zero (equation 17). Raises ModelInputError if the inputs do not fit together.
    """
    if not all(isinstance(f, pd.DataFrame) for f in (trade, before, after)):
        raise ModelInputError("trade, before and after: pass pandas frames, exporters in rows and importers in columns")
    if not all(isinstance(x, pd.Series) for x in (demand, supply, substitution)):
        raise ModelInputError("demand, supply and substitution: pass pandas Series indexed by economy")
    names = list(trade.index)
    aligned = all(list(f.index) == names and list(f.columns) == names for f in (trade, before, after))
    if not aligned or any(list(x.index) != names for x in (demand, supply, substitution)):
        raise ModelInputError("trade, before, after and the elasticities must list the same economies in one order")
    m, t0, t1 = (f.to_numpy(dtype=float) for f in (trade, before, after))
    if (m < 0).any() or (m.sum(axis=0) <= 0).any() or (m.sum(axis=1) <= 0).any():
        raise ModelInputError("trade must not be negative, and every economy must both buy and sell")
    if (t0 <= 0).any() or (t1 <= 0).any() or (demand >= 0).any() or (supply <= 0).any() or (substitution <= 0).any():
        raise ModelInputError("duty powers, supply and substitution must be positive, demand negative")
    eps, mu, sigma = (x.to_numpy(dtype=float) for x in (demand, supply, substitution))
    spending, cut = m * t0, t1 / t0 - 1
    theta, phi = spending / spending.sum(axis=0), m / m.sum(axis=1, keepdims=True)
    weight = phi * (eps + sigma)
    reaction = weight @ theta.T - np.diag((phi * sigma).sum(axis=1))
    push = weight @ (theta * cut).sum(axis=0) - (phi * sigma * cut).sum(axis=1)
    price = np.linalg.solve(np.diag(mu) - reaction, push)
    paid = cut + price[:, None]
    quantity = (theta * paid).sum(axis=0) * (eps + sigma) - sigma * paid
    sold = m * (1 + quantity) * (1 + price[:, None])
    composite = (theta * ((1 + price[:, None]) * t1 / t0 - 1)).sum(axis=0)
    found = pd.DataFrame({"world_price": price, "consumer_price": composite}, index=names)
    found["producer_surplus"] = m.sum(axis=1) * price * (1 + 0.5 * mu * price)
    found["consumer_surplus"] = -spending.sum(axis=0) * composite * (1 + 0.5 * eps * composite)
    found["revenue"] = (sold * (t1 - 1) - m * (t0 - 1)).sum(axis=0)
    found["welfare"] = found[["producer_surplus", "consumer_surplus", "revenue"]].sum(axis=1)
    return GsimSolution(found, pd.DataFrame(sold, index=names, columns=names))
