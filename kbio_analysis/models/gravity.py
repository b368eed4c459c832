"""Poisson pseudo-maximum-likelihood with high-dimensional fixed effects, and the columns of a world panel.

X = exp(b'x + fixed effects) x e, estimated by PPML (Santos Silva & Tenreyro 2006); standard errors are clustered or
heteroskedastic, without a correction for the number of regressors, which would widen them once pair effects are
counted. For given b the effects follow from matching the margins of X in turn, whatever their number; b then takes
Newton steps on the regressors net of the effects, weighted by the fit (Correia, Guimaraes & Zylkin 2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

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
    b, told, mu, net = _settled(y, x, [_groups(frame, effect) for effect in effects or [[]]])
    if not told.any():
        raise ModelInputError("PPML: the fixed effects absorb every regressor; take one of them out")
    names, net = [name for name, kept in zip(regressors, told, strict=True) if kept], net[:, told]
    by_cluster = _groups(frame, [cluster]).T if cluster else sparse.identity(len(y))
    scores, n = by_cluster @ (net * (y - mu)[:, None]), int((by_cluster @ mu > 0).sum())
    bread = np.linalg.inv(net.T @ (net * mu[:, None]))
    covariance = bread @ (scores.T @ scores) @ bread * n / (n - 1)
    index = pd.Index(names, name="regressor")
    return GravityFit(
        coefficients=pd.Series(b[told], index),
        standard_errors=pd.Series(np.sqrt(np.diag(covariance)), index),
        covariance=pd.DataFrame(covariance, index=names, columns=names),
        n_obs=int((mu > 0).sum()),
    )


def _settled(y: np.ndarray, x: np.ndarray, groups: list[sparse.csr_matrix]) -> tuple[np.ndarray, ...]:
    """Coefficients (K,), which of them are told (K,), fit (n,) and regressors net of the effects (n, K)."""
    sides = [(group.indices, group.T.tocsr(), group.T @ y) for group in groups]
    mu = np.prod([total[code] > 0 for code, _, total in sides], axis=0).astype(float)
    b, move, columns = np.zeros(x.shape[1]), 1.0, sparse.csr_matrix(x)
    within = [np.zeros((len(total), len(b) + 1)) for _, _, total in sides]
    for _ in range(MAX_STEPS):
        for _ in range(MAX_SWEEPS):
            gap = 0.0
            for code, _, total in sides:
                sums = np.bincount(code, mu)
                factor = np.divide(total, sums, out=np.ones_like(sums), where=sums > 0)
                gap, mu = max(gap, np.abs(factor - 1).max()), mu * factor[code]
            if gap < MATCHED:
                break
        weighted, tolerance = sparse.diags(mu) @ columns, max(SETTLED, move) / 1000
        # The last column is (y - mu) / mu, of which the sweeps have left little to the effects.
        own = [np.column_stack([(side @ weighted).toarray(), side @ (y - mu)]) for _, side, _ in sides]
        net = np.column_stack([(columns.T @ weighted).toarray(), x.T @ (y - mu)])
        scale = np.sqrt(np.where(net.diagonal() > 0, net.diagonal(), 1.0))
        for o, w, fitted in zip(own, within, _demean(own, mu, groups, within, tolerance), strict=True):
            net -= o[:, :-1].T @ w + w[:, :-1].T @ (o - fitted)
        told = _independent(net[:, :-1] / np.outer(scale, scale))
        step = np.zeros(len(b))
        step[told] = np.linalg.solve(net[:, :-1][np.ix_(told, told)], net[told, -1])
        effects = [w[:, -1] - w[:, :-1] @ step for w in within]
        shift = np.where(mu > 0, x @ step + sum(e[code] for e, (code, _, _) in zip(effects, sides, strict=True)), 0.0)
        move = np.abs(shift).max()
        if move < SETTLED and tolerance < SETTLED:
            return b + step, told, mu, x - sum(g @ w[:, :-1] for g, w in zip(groups, within, strict=True))
        shorter = min(1.0, LONGEST_STEP / move)
        b, mu = b + shorter * step, mu * np.exp(shorter * shift)
        mu[(y == 0) & (mu < NOTHING * y.mean())] = 0.0
    raise ModelInputError("PPML: the fit does not settle; the panel may fall apart into unconnected parts")


def _demean(
    own: list[np.ndarray], mu: np.ndarray, groups: list[sparse.csr_matrix], within: list[np.ndarray], tolerance: float
) -> list[np.ndarray]:
    """Bring the effects ``within`` of columns whose sums by group are ``own`` nearest to them, weighted by ``mu``, one
    kind of effects after the other, in place; returns the sums by group of the effects together."""
    sizes = [(group.T @ mu)[:, None] for group in groups]
    pairs = permutations(range(len(groups)), 2)
    shared = {(f, g): (groups[f].T @ sparse.diags(mu) @ groups[g]).tocsr() for f, g in pairs}

    def others(f: int) -> np.ndarray | int:
        return sum(crossed @ within[g] for (side, g), crossed in shared.items() if side == f)

    for _ in range(MAX_SWEEPS):
        before = within[0]
        for f, size in enumerate(sizes):
            within[f] = (own[f] - others(f)) / np.where(size > 0, size, 1.0)
        if np.abs(within[0] - before).max() < tolerance:
            break
    return [size * within[f] + others(f) for f, size in enumerate(sizes)]


def _independent(products: np.ndarray) -> np.ndarray:
    """Which regressors have variance that those before them do not share, by their scaled products."""
    told = np.zeros(len(products), dtype=bool)
    for k, row in enumerate(products):
        shared = row[told] @ np.linalg.solve(products[np.ix_(told, told)], row[told])
        told[k] = row[k] - shared > NOTHING
    return told


def _groups(frame: pd.DataFrame, names: list[str]) -> sparse.csr_matrix:
    """Rows x groups, 1 where a row is of a group of equal values of ``names``; one group without names."""
    n = len(frame)
    codes = frame.groupby(names, sort=False, dropna=False).ngroup().to_numpy() if names else np.zeros(n, dtype=int)
    return sparse.csr_matrix((np.ones(n), codes, np.arange(n + 1)), (n, codes.max() + 1))


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
