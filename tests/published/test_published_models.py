"""Numbers printed by others, ours beside theirs; data from packages, or written out."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from bench import published_gravity
from kbio_analysis.models import interrupted, synthetic_control
from kbio_analysis.models.event_study import staggered
from kbio_analysis.models.gravity import ppml
from kbio_analysis.models.growth_predictive import crps_t
from kbio_analysis.models.reference_class import pool
from kbio_analysis.models.tariffs import respond

CENT = 0.0051  # half of the last printed digit
PRINTED = 6e-5  # published to four decimals
BOOTSTRAPPED_SE = 5e-4  # the published standard error is bootstrapped, ours analytic


def test_difference_in_differences_of_card_and_krueger() -> None:
    """Card & Krueger (1994), table 3: employment in New Jersey 20.44 to 21.03, Pennsylvania 23.33 to 21.17: 2.76.

    The printed difference is of unrounded means; from the printed means it is 2.75.
    """
    index = range(1990, 1995)
    control = [23.33] * 4 + [21.17]
    panel = pd.DataFrame({"NJ": [20.44] * 4 + [21.03]} | {f"PA{i}": control for i in range(5)}, index=index)
    found = synthetic_control.fit(panel, "NJ", 1994, method="did")
    assert found.effect == pytest.approx(2.76, abs=2 * CENT + 0.005)
    # With parallel pasts every estimator that removes levels must give the same.
    for method in set(synthetic_control.METHODS) - {"simplex", "ridge"}:
        assert synthetic_control.fit(panel, "NJ", 1994, method=method).effect == pytest.approx(found.effect)


def test_break_of_the_nile_in_1899() -> None:
    """Cobb (1978): mean flow 1097.75 in 1871-98 and 849.97 in 1899-1970 (printed 1098 and 850)."""
    nile = sm.datasets.nile.load_pandas().data
    y = pd.Series(nile.volume.to_numpy(), index=nile.year.astype(int), name="Nile")
    before, after = y.loc[:1898].mean(), y.loc[1899:].mean()
    assert (round(before), round(after)) == (1098, 850)
    found = interrupted.its(y, 1899)
    # A trend is estimated as well, so the break at the date is not the difference of means; it is near it and clear.
    assert found.level_shift == pytest.approx(after - before, abs=2 * found.se_level)
    assert found.p_level < 0.001
    assert interrupted.placebo_dates(y, found).p_value <= 0.1


# Log teen employment of US counties, 2003-2007, by the year the minimum wage rose first (0: never): number of counties,
# yearly means, Cholesky factor of the covariance by row. Computed from the county panel of Callaway & Sant'Anna (2021,
# Journal of Econometrics 225), which estimates without covariates depend on through these figures alone.
MINIMUM_WAGE = [
    (0, 309, "5.65463 5.592 5.604808 5.638896 5.661133", """
     1.470874 1.493174 0.17054 1.499479 0.114291 0.13967 1.481577 0.128489 0.105034
     0.195786 1.488161 0.131357 0.096582 0.13201 0.149453"""),
    (2004, 20, "6.179697 6.106564 6.059452 6.026704 6.085388", """
     1.444703 1.46506 0.092104 1.504453 0.057484 0.100825 1.525542 0.065716 0.080025
     0.07087 1.481614 0.015541 0.095883 0.031035 0.086815"""),
    (2006, 40, "6.573994 6.517884 6.527941 6.557435 6.543041", """
     1.253623 1.239934 0.133225 1.260512 0.152877 0.107479 1.275753 0.153267 0.079518
     0.080066 1.28439 0.14825 0.096367 0.04448 0.090737"""),
    (2007, 131, "5.842906 5.810783 5.820866 5.823866 5.820048", """
     1.508503 1.510853 0.130616 1.507351 0.104762 0.157818 1.506074 0.117431 0.11638
     0.151685 1.49009 0.126461 0.117034 0.103848 0.149894"""),
]  # fmt: skip


def counties() -> tuple[pd.DataFrame, pd.Series]:
    """Counties whose cohort means and covariances are exactly the published ones."""
    rng = np.random.default_rng(1)
    rows, entry = {}, {}
    for cohort, n, means, factor in MINIMUM_WAGE:
        draws = rng.normal(size=(n, 5))
        draws -= draws.mean(axis=0)
        white = np.linalg.solve(np.linalg.cholesky(draws.T @ draws / n), draws.T).T
        mean, lower = np.array(means.split(), dtype=float), np.zeros((5, 5))
        lower[np.tril_indices(5)] = factor.split()
        for i, logs in enumerate(white @ lower.T + mean):
            unit = f"{cohort}_{i}"
            rows[unit] = np.exp(logs)
            if cohort:
                entry[unit] = cohort
    return pd.DataFrame(rows, index=range(2003, 2008)), pd.Series(entry)


def test_minimum_wage_effects_of_callaway_and_santanna() -> None:
    """Published: dynamic overall -0.0772 (0.0203); by event time -0.0199, -0.0510, -0.1373, -0.1008; simple average
    over group-times -0.0400 (0.0119)."""
    study = staggered(*counties(), leads=2)
    after = list(study.profile.index[study.profile.index >= 0])
    effects = study.profile.loc[after, "effect_log_points"]
    se = np.sqrt(study.covariance.loc[after, after].to_numpy().sum()) / len(after)
    assert effects.to_numpy() == pytest.approx([-0.0199, -0.0510, -0.1373, -0.1008], abs=PRINTED)
    assert effects.mean() == pytest.approx(-0.0772, abs=PRINTED)
    assert se == pytest.approx(0.0203, abs=BOOTSTRAPPED_SE)
    assert study.overall == pytest.approx(-0.0400, abs=PRINTED)
    assert study.overall_se == pytest.approx(0.0119, abs=BOOTSTRAPPED_SE)


# Trials of BCG against tuberculosis, cases and others: among the vaccinated, then controls (Colditz et al. 1994).
BCG = [
    [4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],
    [119, 300, 228, 13536, 5036, 1361, 2537, 87886, 7470, 1699, 50448, 2493, 16886],
    [11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
    [128, 274, 209, 12619, 5761, 1079, 619, 87892, 7232, 1600, 27197, 2338, 17825],
]


def test_bcg_pooled_risk_ratio_and_prediction_interval() -> None:
    """Published (Viechtbauer 2010, Journal of Statistical Software 36): tau2 .3132, mean -.7145, .1546 to 1.5490."""
    a, b, c, d = np.array(BCG, dtype=float)
    logs = pd.Series(np.log(a / (a + b)) - np.log(c / (c + d)))
    variance = 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)
    pooled = pool(logs, pd.DataFrame(np.diag(variance)))
    assert pooled.tau2 == pytest.approx(0.3132, abs=PRINTED)
    assert pooled.mean == pytest.approx(-0.7145, abs=PRINTED)
    # The published interval is normal, with the plain standard error of the mean.
    half = stats.norm.ppf(0.975) * np.sqrt(pooled.tau2 + 1 / (1 / (variance + pooled.tau2)).sum())
    assert np.exp([pooled.mean - half, pooled.mean + half]) == pytest.approx([0.1546, 1.5490], abs=PRINTED)


def test_crps_of_the_standard_normal_at_zero() -> None:
    """Closed form (Gneiting & Raftery 2007): (sqrt 2 - 1)/sqrt pi = .2336950; a t with many degrees comes to it."""
    assert crps_t(0.0, 0.0, 1.0, 10_000_000) == pytest.approx(0.2336950, abs=1e-7)


def test_poisson_with_an_effect_absorbed_of_dobson() -> None:
    """Dobson (1990), An Introduction to Generalized Linear Models, p. 93, as R prints it: -0.4543 and -0.2930.

    Counts of a trial by outcome and treatment; the treatments are absorbed as fixed effects, theirs are dummies.
    """
    rows = [(count, i % 3, i // 3) for i, count in enumerate((18, 17, 15, 20, 10, 20, 25, 13, 12))]
    trial = pd.DataFrame(rows, columns=["count", "outcome", "treatment"])
    trial = trial.assign(second=(trial.outcome == 1) * 1.0, third=(trial.outcome == 2) * 1.0)
    found = ppml(trial.rename(columns={"count": "cases"}), "cases", ["second", "third"], ["treatment"]).coefficients
    assert found.to_numpy() == pytest.approx([-0.4543, -0.2930], abs=PRINTED)


@pytest.mark.skipif(
    not os.environ.get(published_gravity.FOLDER),
    reason="the authors' data are not ours to keep: name their folder in KBIO_PUBLISHED_DATA (bench/README.md)",
)
def test_the_log_of_gravity_and_the_advanced_guide() -> None:
    """Santos Silva & Tenreyro (2006), tables 3 and 5; Yotov and others (2016), ch. 1, table 1: to three decimals."""
    for name, rows in published_gravity.tables(Path(os.environ[published_gravity.FOLDER]).expanduser()).items():
        assert rows.agrees.all(), f"{name}\n{rows}"


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
