"""The uncertain inputs of a tariff simulation, drawn so that scenarios share them, and what each one is worth."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from .tariff_scenario import Scenario

Array = NDArray[np.float64]

SIGMA_FLOOR = 1.1
"""Lowest elasticity of substitution: at 1 the nest is no longer CES."""

_BINS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """One row a line or one for all, one column a draw.

    ``sigma`` and ``eps`` lines x draws; ``utilisation`` (fraction), ``cost_pct`` (per cent of value),
    ``inverse_supply`` (1/mu, 0 for infinite) and ``base`` (multiple of the base value) 1 x draws.
    """

    sigma: Array
    eps: Array
    utilisation: Array
    cost_pct: Array
    inverse_supply: Array
    base: Array

    def block(self, draws: slice) -> "Inputs":
        """The same for some of the draws."""
        return Inputs(**{f.name: getattr(self, f.name)[:, draws] for f in fields(self)})


def draw_inputs(lines: pd.DataFrame, scenario: Scenario, n_draws: int, seed: int) -> Inputs:
    """Draw every input from a stream of its own, so that changing one leaves the others as they were.

    log sigma ~ N(log(scale x median), spread of the line), log eps ~ N(log median, spread), each line's deviation
    sqrt(rho) z + sqrt(1 - rho) z_line; sigma is held between SIGMA_FLOOR and the scenario's cap.
    """
    s = scenario
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(6)]
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
    return Inputs(
        sigma=np.clip(sigma, SIGMA_FLOOR, s.sigma_cap),
        eps=np.exp(np.log(s.eps_median) + s.eps_log_sd * _correlated(streams[1], shape, s.rho)),
        utilisation=used[None, :],
        cost_pct=streams[3].uniform(0, 2, n_draws)[None, :] * s.compliance_cost_pct,
        inverse_supply=supply[streams[4].integers(len(supply), size=n_draws)][None, :],
        base=np.array(s.base_factors, dtype=float)[streams[5].integers(len(s.base_factors), size=n_draws)][None, :],
    )


def tornado(inputs: Inputs, total: Array, trade: Array) -> pd.DataFrame:
    """What drives the spread of ``total`` (one value a draw), by input: rank_correlation and variance_share.

    rank_correlation is Spearman's; variance_share the first-order index Var(E[total | input]) / Var(total), from
    equal-count bins of the input with the bias of binning taken off (Saltelli et al. 2008, ch. 1). Shares need not
    sum to one: the rest belongs to single lines and to interactions. Lines' elasticities enter as the mean of their
    logs weighted by ``trade`` (lines x 1). Sorted by absolute rank correlation.
    """
    weights = (trade / trade.sum()).T
    drivers = {
        "sigma": (weights @ np.log(inputs.sigma))[0],
        "eps": (weights @ np.log(inputs.eps))[0],
        "utilisation": inputs.utilisation[0],
        "compliance_cost": inputs.cost_pct[0],
        "supply": -inputs.inverse_supply[0],
        "base": inputs.base[0],
    }
    rows = {name: (_rank_correlation(x, total), _first_order(x, total)) for name, x in drivers.items()}
    found = pd.DataFrame.from_dict(rows, orient="index", columns=["rank_correlation", "variance_share"])
    return found.sort_values("rank_correlation", key=np.abs, ascending=False, kind="stable").rename_axis("input")


def _correlated(rng: np.random.Generator, shape: tuple[int, int], rho: float) -> Array:
    shared = rng.standard_normal(shape[1])
    return np.sqrt(rho) * shared + np.sqrt(1 - rho) * rng.standard_normal(shape)


def _rank_correlation(x: Array, y: Array) -> float:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def _first_order(x: Array, y: Array) -> float:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    values, codes = np.unique(x, return_inverse=True)
    if len(values) > _BINS:
        codes = np.minimum(_BINS * (rankdata(x, method="ordinal") - 1).astype(int) // len(x), _BINS - 1)
    sizes = np.bincount(codes)
    means = np.bincount(codes, weights=y) / sizes
    between = (sizes * (means - y.mean()) ** 2).sum()
    within = ((y - y.mean()) ** 2).sum() - between
    k, n = len(sizes), len(y)
    explained = between - (k - 1) * within / (n - k)
    return float(np.clip(explained / (between + within), 0.0, 1.0))
