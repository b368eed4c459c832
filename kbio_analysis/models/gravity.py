"""Poisson pseudo-maximum-likelihood with high-dimensional fixed effects, and the columns of a world panel.

X = exp(b'x + fixed effects) x e, estimated by PPML (Santos Silva & Tenreyro 2006); standard errors are clustered or
heteroskedastic, without a correction for the number of regressors, which would widen them once pair effects are
counted. For given b the effects follow from matching the margins of X in turn, whatever their number; b then takes
Newton steps on the regressors net of the effects, weighted by the fit (Correia, Guimaraes & Zylkin 2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import checked_frame

WORLD_COLUMNS = {
    "exporter": "ISO 3166-1 alpha-3 of the exporter",
    "importer": "ISO 3166-1 alpha-3 of the importer; equal to the exporter for domestic sales",
    "year": "calendar year",
    "trade_usd_m": "value of the flow, US$ million, zero or more",
    "agreement": "1 from the year in which an agreement between the two counts, else 0",
}
"""The columns a world panel needs, with what each means; others are ignored."""


MATCHED, SETTLED = 1e-10, 1e-7
"""Relative gap of margins and move of the fit (log points) that count as none."""

NOTHING = 1e-9
"""Share of a regressor's variance below which the effects and the regressors before it absorb it, and part of the mean
outcome below which the fit of an outcome of zero is perfect: such a row says nothing more."""

LONGEST_STEP = 3.0
"""Most that one step moves the fit of any row, log points."""

MAX_SWEEPS, MAX_STEPS = 100, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class GravityFit:
    """``coefficients`` and ``standard_errors`` (log points) by regressor, ``covariance`` the same on both sides.

    ``n_obs`` observations used: zeros that a fixed effect or regressor fits perfectly are left out.
    """

    coefficients: pd.Series
    standard_errors: pd.Series
    covariance: pd.DataFrame
    n_obs: int


def ppml(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    fixed_effects: Sequence[str] = (),
    cluster: str | None = None,
) -> GravityFit:
    """Fit ``outcome`` (zero or more) on ``regressors`` with ``fixed_effects`` such as ``exporter^year``, or none.

    Errors are clustered by ``cluster``, or heteroskedastic without it. A regressor that the effects and those before it
    absorb has no coefficient. Raises :class:`ModelInputError` for a missing column or value, an outcome that is
    negative or zero throughout, no regressor, all of them absorbed, or a fit that does not settle.
    """
    regressors, fixed_effects = (
        [names] if isinstance(names, str) else list(names) for names in (regressors, fixed_effects)
    )
    effects = [effect.split("^") for effect in fixed_effects]
    named = [part for effect in effects for part in effect]
    checked_frame(frame, [outcome, *regressors, *named, *([cluster] if cluster else [])], "PPML")
    if not regressors:
        raise ModelInputError("PPML: no regressor named")
    y = pd.to_numeric(frame[outcome], errors="coerce").to_numpy(dtype=float)
    if not (np.isfinite(y).all() and (y >= 0).all()):
        raise ModelInputError(f"PPML: {outcome} has missing or negative values; leave those rows out")
    if not (y > 0).any():
        raise ModelInputError(f"PPML: {outcome} is zero in every row; there is nothing to fit")
    x = frame[regressors].to_numpy(dtype=float)
    if not np.isfinite(x).all():
        raise ModelInputError("PPML: a regressor has missing or infinite values; leave those rows out")
    codes = [frame.groupby(effect, sort=False, dropna=False).ngroup().to_numpy() for effect in effects]
    b, told, mu, net = _settled(y, x, codes or [np.zeros(len(y), dtype=int)])
    if not told.any():
        raise ModelInputError("PPML: the fixed effects absorb every regressor; take one of them out")
    names, net = [name for name, kept in zip(regressors, told, strict=True) if kept], net[:, told]
    groups = frame.groupby(cluster, sort=False, dropna=False).ngroup().to_numpy() if cluster else np.arange(len(y))
    scores = _indicator(groups).T @ (net * (y - mu)[:, None])
    bread, n = np.linalg.inv(net.T @ (net * mu[:, None])), len(np.unique(groups[mu > 0]))
    covariance = bread @ (scores.T @ scores) @ bread * n / (n - 1)
    index = pd.Index(names, name="regressor")
    return GravityFit(
        coefficients=pd.Series(b[told], index),
        standard_errors=pd.Series(np.sqrt(np.diag(covariance)), index),
        covariance=pd.DataFrame(covariance, index=names, columns=names),
        n_obs=int((mu > 0).sum()),
    )


def _settled(y: np.ndarray, x: np.ndarray, codes: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Coefficients (K,), which of them are told (K,), fit (n,) and regressors net of the effects (n, K)."""
    totals = [np.bincount(code, y) for code in codes]
    mu = np.prod([total[code] > 0 for code, total in zip(codes, totals, strict=True)], axis=0).astype(float)
    b, move = np.zeros(x.shape[1]), 1.0
    within = [np.zeros((len(total), x.shape[1] + 1)) for total in totals]
    for _ in range(MAX_STEPS):
        for _ in range(MAX_SWEEPS):
            gap = 0.0
            for code, total in zip(codes, totals, strict=True):
                sums = np.bincount(code, mu)
                factor = np.divide(total, sums, out=np.ones_like(sums), where=sums > 0)
                gap, mu = max(gap, np.abs(factor - 1).max()), mu * factor[code]
            if gap < MATCHED:
                break
        miss = (y - mu) / np.where(mu > 0, mu, 1.0)  # its effects are what the sweeps have left to do
        both = np.column_stack([x, miss])
        _demean(both, mu, codes, within, max(SETTLED / 100, move / 1000))
        net = both - sum(_indicator(code) @ effect for code, effect in zip(codes, within, strict=True))
        net, left = net[:, :-1], net[:, -1]
        hessian, size = net.T @ (net * mu[:, None]), np.einsum("nk,nk,n->k", x, x, mu)
        scale = np.sqrt(np.where(size > 0, size, 1.0))
        told = _independent(hessian / np.outer(scale, scale))
        step = np.zeros(len(b))
        step[told] = np.linalg.solve(hessian[np.ix_(told, told)], net[:, told].T @ (mu * left))
        shift = np.where(mu > 0, miss - left + net @ step, 0.0)
        move = np.abs(shift).max()
        if move < SETTLED:
            return b + step, told, mu, net
        shorter = min(1.0, LONGEST_STEP / move)
        b, mu = b + shorter * step, mu * np.exp(shorter * shift)
        mu[(y == 0) & (mu < NOTHING * y.mean())] = 0.0
    raise ModelInputError("PPML: the fit does not settle; the panel may fall apart into unconnected parts")


def _demean(x: np.ndarray, mu: np.ndarray, codes: list[np.ndarray], within: list[np.ndarray], tolerance: float) -> None:
    """Bring the effects ``within`` nearest to ``x``, weighted by ``mu``: one kind after the other, in place."""
    weighted, ways = x * mu[:, None], range(len(codes))
    sums = [np.bincount(code, mu) for code in codes]
    inverse = [1 / np.where(total > 0, total, 1.0)[:, None] for total in sums]
    own = [_indicator(code).T @ weighted for code in codes]
    shared = {
        (f, g): sparse.csr_matrix((mu, (codes[f], codes[g])), (len(sums[f]), len(sums[g])))
        for f in ways
        for g in ways
        if f != g
    }
    for _ in range(MAX_SWEEPS):
        before = within[0]
        for f in ways:
            within[f] = inverse[f] * (own[f] - sum(shared[f, g] @ within[g] for g in ways if g != f))
        if np.abs(within[0] - before).max() < tolerance:
            return


def _independent(products: np.ndarray) -> np.ndarray:
    """Which regressors have variance that those before them do not share; ``products`` of all of them, scaled."""
    told = np.zeros(len(products), dtype=bool)
    for k, row in enumerate(products):
        shared = row[told] @ np.linalg.solve(products[np.ix_(told, told)], row[told])
        told[k] = row[k] - shared > NOTHING
    return told


def _indicator(codes: np.ndarray) -> sparse.csr_matrix:
    """Rows x groups, 1 where a row is of a group."""
    rows = np.arange(len(codes) + 1)
    return sparse.csr_matrix((np.ones(len(codes)), codes, rows), (len(codes), codes.max() + 1))


def check_world(world: pd.DataFrame) -> None:
    """Refuse a world panel that breaks :data:`WORLD_COLUMNS`, naming the first thing to mend."""
    checked_frame(world, WORLD_COLUMNS, "world panel")
    if world[list(WORLD_COLUMNS)].isna().any(axis=None):
        raise ModelInputError("world panel: a cell is empty; leave the row out, or put 0 where no trade was recorded")
    if world.duplicated(["exporter", "importer", "year"]).any():
        raise ModelInputError("world panel: an exporter, importer and year stand twice; add the flows up")
    if not all(pd.api.types.is_numeric_dtype(world[name]) for name in ("year", "trade_usd_m", "agreement")):
        raise ModelInputError("world panel: year, trade_usd_m and agreement must be plain numbers")
    if (world["trade_usd_m"] < 0).any() or not world["agreement"].isin([0, 1]).all():
        raise ModelInputError("world panel: trade_usd_m must be 0 or more and agreement 0 or 1")
    if world.loc[world["exporter"] == world["importer"], "agreement"].any():
        raise ModelInputError("world panel: domestic rows cannot have an agreement; set it to 0")
