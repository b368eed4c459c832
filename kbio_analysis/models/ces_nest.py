"""One importer, one line, two sources: the exact response of a CES nest to a change of one source's duty.

Armington (1969) demand with the supply of each source isoelastic. Because all sources share one supply elasticity the
system has a closed form: no iteration, so a Monte Carlo over lines and draws is a handful of array operations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class NestResponse:
    """Logs of relative changes (0 = unchanged), arrays of the broadcast shape of the inputs.

    ``log_price_index`` of the nest as the importer pays it; ``log_price`` and ``log_quantity`` of the supplier at the
    border, ``log_other_price`` and ``log_other_quantity`` of all others.
    """

    log_price_index: Array
    log_price: Array
    log_quantity: Array
    log_other_price: Array
    log_other_quantity: Array


def respond(
    log_cut: ArrayLike, share: ArrayLike, sigma: ArrayLike, eps: ArrayLike, inverse_supply: ArrayLike
) -> NestResponse:
    """Response to the supplier's duty power changing by the factor exp(``log_cut``), others' unchanged.

    ``share``: the supplier's part of the importer's spending, duty paid (0..1); ``sigma`` > 1: elasticity of
    substitution; ``eps`` > 0: elasticity of import demand; ``inverse_supply`` = 1/mu >= 0, 0 for infinite supply.
    With That the duty factor and hats for relative changes: demand qhat = (That phat)^-sigma Phat^(sigma-eps),
    Phat^(1-sigma) = sum share (That phat)^(1-sigma), supply qhat = phat^mu. Solving for phat leaves
    Phat^((1-sigma)(mu+eps)/(mu+sigma)) = sum share That^(mu(1-sigma)/(mu+sigma)).
    """
    log_cut, share, sigma, eps, inv = (np.asarray(x, dtype=float) for x in (log_cut, share, sigma, eps, inverse_supply))
    slope = 1 + sigma * inv
    log_sum = np.log(1 + share * (np.exp((1 - sigma) / slope * log_cut) - 1))  # plain log and exp: far faster in numpy
    log_index = log_sum * slope / ((1 - sigma) * (1 + eps * inv))
    common = (sigma - eps) * log_index
    log_quantity = (common - sigma * log_cut) / slope
    log_other = common / slope
    return NestResponse(
        log_price_index=log_index,
        log_price=log_quantity * inv,
        log_quantity=log_quantity,
        log_other_price=log_other * inv,
        log_other_quantity=log_other,
    )


def surplus_change(spending: ArrayLike, log_price_index: ArrayLike, eps: ArrayLike) -> Array:
    """Consumer surplus, in the unit of ``spending`` (duty paid): the area left of demand V P^-eps between 1 and Phat.

    V (1 - Phat^(1-eps)) / (1-eps), or -V log Phat at eps = 1; to second order -(dP/P) V (1 - eps dP/2P).
    """
    spending, log_index, eps = (np.asarray(x, dtype=float) for x in (spending, log_price_index, eps))
    gap = 1 - eps
    safe = np.where(np.abs(gap) < 1e-9, 1.0, gap)
    return -spending * np.where(np.abs(gap) < 1e-9, log_index, np.expm1(safe * log_index) / safe)
