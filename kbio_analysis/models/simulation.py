"""Predictive draws: a block bootstrap of a model's own errors, and a structural simulation of growth.

Both carry two sources of error: the shocks still to come and the doubt about the step estimated from n of them.
"""

import numpy as np

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.members import MemberFit

MIN_RESIDUALS = 5
"""Fewest one-step errors worth resampling."""


def bootstrap_draws(fit: MemberFit, y: np.ndarray, n_paths: int, rng: np.random.Generator) -> np.ndarray:
    """Paths (n_paths, horizon) of ``fit``, a model of ``y`` (n,), by moving-block bootstrap of its one-step errors.

    Error at horizon k: sum_j impulse_j e_{k-j} + slope_response_k d, with e drawn in blocks of n^(1/3) (Kunsch 1989)
    from the model's centred errors, scaled by sqrt(n/(n-p)), and d normal with the standard error of a mean step.
    Errors are in logs when ``y`` is positive, so no path is negative; otherwise in the data's unit.
    """
    logs = bool((y > 0).all())
    errors = one_step_errors(fit, y)
    horizon, n = len(fit.forecast), len(errors)
    shocks = _blocks(errors, n_paths, horizon, rng)
    # lag[k, i] is the response at horizon k+1 to the shock of step i+1.
    lag = np.arange(horizon)[:, None] - np.arange(horizon)[None, :]
    response = np.where(lag >= 0, fit.impulse[np.clip(lag, 0, None)], 0.0)
    step_error = errors.std() * min(1.0, float(fit.impulse[-1])) / np.sqrt(n)
    doubt = rng.standard_normal((n_paths, 1)) * step_error * fit.slope_response
    total = shocks @ response.T + doubt
    return fit.forecast * np.exp(total) if logs else fit.forecast + total


def one_step_errors(fit: MemberFit, y: np.ndarray) -> np.ndarray:
    """Centred one-step errors of the sample, scaled up for the parameters they were fitted with; log if ``y`` > 0.

    Raises :class:`ModelInputError` if fewer than five errors exist.
    """
    errors = np.log(y) - np.log(fit.fitted) if (y > 0).all() else y - fit.fitted
    errors = errors[np.isfinite(errors)]
    n = len(errors)
    if n < MIN_RESIDUALS:
        raise ModelInputError(
            f"{n} one-step errors are too few to resample, {MIN_RESIDUALS} are needed; use a longer series"
        )
    return (errors - errors.mean()) * np.sqrt(n / max(n - fit.n_parameters, 1))


def structural_draws(
    y: np.ndarray,
    horizon: int,
    n_paths: int,
    rng: np.random.Generator,
    *,
    growing: bool = True,
    period: int = 1,
    level: float | None = None,
) -> np.ndarray:
    """Paths (n_paths, horizon) of ``y`` (n,) with t-distributed steps and parameter uncertainty.

    Steps are log growth when ``y`` is positive, differences otherwise.

    The predictive variance of h steps is h s^2 + h^2 s^2/n (n steps observed): s^2 is drawn from its
    scaled inverse chi-square, the mean from N(gbar, s^2/n), both once a path. ``growing`` False fixes the mean at
    zero (too few points for a trend: a random walk). For ``period`` > 1, s^2 is the long-run variance (Bartlett
    window one season long), because month-to-month noise cancels; the noise itself is added back at each horizon
    and the path starts at ``level`` instead of the last, noisy, value.
    """
    logs = bool((y > 0).all())
    values = np.log(y) if logs else y
    steps = np.diff(values)
    mean = float(steps.mean()) if growing else 0.0
    variance, freedom, noise = _growth_variance(steps - mean, period, used=int(growing))
    s = np.sqrt(variance * freedom / rng.chisquare(freedom, size=(n_paths, 1)))
    drift = mean + (rng.standard_normal((n_paths, 1)) * s / np.sqrt(len(steps)) if growing else 0.0)
    total = np.cumsum(drift + s * rng.standard_normal((n_paths, horizon)), axis=1)
    total = total + noise * rng.standard_normal((n_paths, horizon))
    if level is not None:
        return level * np.exp(total) if logs else level + total
    return y[-1] * np.exp(total) if logs else y[-1] + total


def _growth_variance(deviations: np.ndarray, period: int, *, used: int) -> tuple[float, float, float]:
    """Variance a step, its degrees of freedom, and the standard deviation of noise round the level."""
    n = len(deviations)
    ordinary = float(deviations @ deviations) / (n - used)
    if period == 1:
        return ordinary, float(n - used), 0.0
    bandwidth = min(period, n - 1)
    weights = 1 - np.arange(1, bandwidth) / bandwidth
    autocovariances = [float(deviations[lag:] @ deviations[:-lag]) / n for lag in range(1, bandwidth)]
    long_run = ordinary + 2 * float(weights @ autocovariances)
    # A random walk seen through noise: var(step) = long-run variance + 2 var(noise). Bartlett's long-run estimate at
    # frequency zero has 1.5 n / bandwidth degrees of freedom (Priestley 1981, table 6.1, halved at the origin).
    long_run = min(max(long_run, ordinary / bandwidth), ordinary)
    return long_run, max(1.5 * n / bandwidth, 2.0), float(np.sqrt((ordinary - long_run) / 2))


def _blocks(errors: np.ndarray, n_paths: int, horizon: int, rng: np.random.Generator) -> np.ndarray:
    """Moving-block resamples (n_paths, horizon) of ``errors``."""
    from arch.bootstrap import MovingBlockBootstrap

    n = len(errors)
    bootstrap = MovingBlockBootstrap(int(np.ceil(n ** (1 / 3))), errors, seed=rng)
    per_path = -(-horizon // n)
    rows = np.array([data[0][0] for data in bootstrap.bootstrap(n_paths * per_path)])
    return rows.reshape(n_paths, per_path * n)[:, :horizon]
