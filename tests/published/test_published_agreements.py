"""Numbers printed by others for the estimators behind the record of agreements, ours beside theirs."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kbio_analysis.models.event_study import staggered
from kbio_analysis.models.reference_class import crps_t, pool

PRINTED = 6e-5  # published to four decimals
BOOTSTRAPPED_SE = 5e-4  # the published standard error is bootstrapped, ours analytic

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

# Trials of BCG against tuberculosis, cases and others: among the vaccinated, then controls (Colditz et al. 1994).
BCG = [
    [4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],
    [119, 300, 228, 13536, 5036, 1361, 2537, 87886, 7470, 1699, 50448, 2493, 16886],
    [11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
    [128, 274, 209, 12619, 5761, 1079, 619, 87892, 7232, 1600, 27197, 2338, 17825],
]


@pytest.fixture(scope="module")
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


def test_minimum_wage_effects_of_callaway_and_santanna(counties: tuple) -> None:
    """Published: dynamic overall -0.0772 (0.0203); by event time -0.0199, -0.0510, -0.1373, -0.1008; simple average
    over group-times -0.0400 (0.0119)."""
    study = staggered(*counties, leads=2)
    after = list(study.profile.index[study.profile.index >= 0])
    effects = study.profile.loc[after, "effect_log_points"]
    se = np.sqrt(study.covariance.loc[after, after].to_numpy().sum()) / len(after)
    assert effects.to_numpy() == pytest.approx([-0.0199, -0.0510, -0.1373, -0.1008], abs=PRINTED)
    assert effects.mean() == pytest.approx(-0.0772, abs=PRINTED)
    assert se == pytest.approx(0.0203, abs=BOOTSTRAPPED_SE)
    assert study.overall == pytest.approx(-0.0400, abs=PRINTED)
    assert study.overall_se == pytest.approx(0.0119, abs=BOOTSTRAPPED_SE)


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
