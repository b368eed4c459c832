"""Poisson pseudo-maximum-likelihood with high-dimensional fixed effects.

X = exp(b'x + fixed effects) x e, estimated by PPML (Santos Silva & Tenreyro 2006) through pyfixest; standard errors are
clustered or heteroskedastic, without a correction for the number of regressors, which would widen them once pair
effects are counted. The fit starts from effects that match their margins once, so that its iterations are half as many:
X over that start s, weighted by s, has the same estimates for any s that is a product of fixed effects.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from warnings import catch_warnings, simplefilter

import numpy as np
import pandas as pd
import pyfixest as pf
from pyfixest.estimation.models import fepois_  # with the rest of it, which it would import at the first fit

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import checked_frame

SUNK = 0.25
"""Part of its start that a mean keeps which nothing drives to zero; fewer than three iterations settle no fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GravityFit:
    """``coefficients`` and ``standard_errors`` (log points) by regressor, ``covariance`` the same on both sides.

    ``n_obs`` observations used: those fitted perfectly (separation) or alone in a fixed effect are left out.
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

    Errors are clustered by ``cluster``, or heteroskedastic without it. Raises :class:`ModelInputError` for a missing
    column, an outcome that is negative, missing or zero throughout, no regressor, or when every regressor is absorbed.
    """
    regressors, fixed_effects = (
        [names] if isinstance(names, str) else list(names) for names in (regressors, fixed_effects)
    )
    effects = [part for effect in fixed_effects for part in effect.split("^")]
    needed = sorted({outcome, *regressors, *effects, *([cluster] if cluster else [])})
    checked_frame(frame, needed, "PPML")
    if not regressors:
        raise ModelInputError("PPML: no regressor named")
    y = pd.to_numeric(frame[outcome], errors="coerce").to_numpy(dtype=float)
    if not (np.isfinite(y).all() and (y >= 0).all()):
        raise ModelInputError(f"PPML: {outcome} has missing or negative values; leave those rows out")
    if not (y > 0).any():
        raise ModelInputError(f"PPML: {outcome} is zero in every row; there is nothing to fit")
    start = np.ones(len(y))
    for effect in fixed_effects:
        groups = frame.groupby(effect.split("^"), sort=False, dropna=False).ngroup().to_numpy()
        margin, matched = np.bincount(groups, y), np.bincount(groups, start)
        start *= np.divide(margin, matched, out=np.zeros_like(margin), where=margin > 0)[groups]
    data = frame[needed].assign(**{outcome: y / np.where(start > 0, start, 1), "start_of_ppml": start})
    run = partial(
        pf.fepois,
        f"{outcome} ~ {' + '.join(regressors)}" + (f" | {' + '.join(fixed_effects)}" if fixed_effects else ""),
        data=data[start > 0],  # the others are zero throughout an effect, which fits them perfectly
        weights="start_of_ppml",
        vcov={"CRV1": cluster} if cluster else "hetero",
        ssc=pf.ssc(k_adj=False),
        store_data=False,
    )
    absorbed = ModelInputError("PPML: the fixed effects absorb every regressor; take one of them out")
    with catch_warnings():
        simplefilter("ignore")  # what is separated is missing from n_obs
        try:
            fit = _settled(run) or run(separation_check=["ir"])
        except ValueError as fault:
            raise (absorbed if "collinear" in str(fault) else fault) from None
    coefficients = fit.coef().rename_axis("regressor").drop("Intercept", errors="ignore")
    if coefficients.empty:
        raise absorbed
    names = fit.coef().index.rename(None)
    covariance = pd.DataFrame(np.asarray(fit._vcov), index=names, columns=names)
    return GravityFit(
        coefficients=coefficients,
        standard_errors=fit.se().rename_axis("regressor")[coefficients.index],
        covariance=covariance.loc[list(coefficients.index), list(coefficients.index)],
        n_obs=int(fit._N),
    )


def _settled(run: Callable[..., fepois_.Fepois]) -> fepois_.Fepois | None:
    """The fit if plainly nothing is separated by a regressor, which the packaged check takes as long as half a fit to
    see: of what is, some observation's mean falls by a factor e with every iteration. None if in doubt."""
    with suppress(ValueError, np.linalg.LinAlgError):
        fit = run(separation_check=[])  # None would be the package's default
        if fit.predict(type="response").min() > SUNK:
            return fit
    return None
