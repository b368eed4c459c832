"""Pooling and prediction: known spread recovered, slow twins, coverage, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.reference_class import averaged_over_tau, crps_t, leave_one_out, pool, restricted_loglik

TWIN = 1e-6  # an optimiser against a fine grid or a closed form
SHARE = 0.04  # three binomial standard errors of 1,000 simulated intervals at 80%


def cases(seed: int, k: int, *, mean: float = 0.2, tau: float = 0.3, own: float = 0.1, shared: float = 0.05):
    """Effects with spread ``tau``, own error ``own`` and an error all share; returns estimates and covariance."""
    rng = np.random.default_rng(seed)
    V = own**2 * np.eye(k) + shared**2
    b = rng.normal(mean, tau, k) + rng.multivariate_normal(np.zeros(k), V)
    names = [f"c{i}" for i in range(k)]
    return pd.Series(b, index=names), pd.DataFrame(V, index=names, columns=names)


def test_restricted_likelihood_is_maximised() -> None:
    b, V = cases(2, 15)
    pooled, X = pool(b, V), np.ones((15, 1))
    grid = np.linspace(0, 1, 20_001)
    values = [restricted_loglik(b.to_numpy(), V.to_numpy(), X, t) for t in grid]
    assert pooled.tau2 == pytest.approx(grid[int(np.argmax(values))], abs=1e-4)


def test_equal_variances_have_closed_forms() -> None:
    """With V = s2 I: tau2 = max(0, sample variance - s2), mean = average, KH variance = sample variance / k."""
    rng = np.random.default_rng(3)
    b = pd.Series(rng.normal(0.1, 0.5, 12))
    pooled = pool(b, pd.DataFrame(0.04 * np.eye(12)))
    assert pooled.tau2 == pytest.approx(b.var() - 0.04, abs=TWIN)
    assert pooled.mean == pytest.approx(b.mean(), abs=TWIN)
    assert pooled.se**2 == pytest.approx(b.var() / 12, rel=TWIN)
    half = stats.t.ppf(0.9, 10) * np.sqrt(pooled.tau2 + pooled.se**2)
    assert pooled.prediction_interval(80) == pytest.approx((b.mean() - half, b.mean() + half), abs=TWIN)


def test_shrinking_follows_the_textbook_when_errors_are_independent() -> None:
    b, _ = cases(4, 10)
    s2 = np.linspace(0.01, 0.2, 10)
    pooled = pool(b, pd.DataFrame(np.diag(s2), index=b.index, columns=b.index))
    expected = (b / s2 + pooled.mean / pooled.tau2) / (1 / s2 + 1 / pooled.tau2)
    assert pooled.shrunken.to_numpy() == pytest.approx(expected.to_numpy(), abs=TWIN)


def test_prediction_intervals_cover_new_cases() -> None:
    hits = 0
    for seed in range(1000):
        rng = np.random.default_rng(10_000 + seed)
        low, high = pool(*cases(seed, 16, shared=0.0)).prediction_interval(80)
        hits += low <= rng.normal(0.2, 0.3) <= high
    assert hits / 1000 == pytest.approx(0.80, abs=SHARE)


def test_what_covariates_go_with_is_recovered() -> None:
    rng = np.random.default_rng(6)
    x = pd.DataFrame({"size": rng.normal(3, 1, 40)})
    b = 0.1 + 0.5 * (x["size"] - 3) + rng.normal(0, 0.05, 40)
    pooled = pool(b, pd.DataFrame(1e-4 * np.eye(40)), covariates=x)
    assert pooled.coefficients["size"] == pytest.approx(0.5, abs=0.03)
    t = pooled.coefficients["size"] / pooled.coefficient_covariance.loc["size", "size"] ** 0.5
    assert pooled.slopes.p_value["size"] == pytest.approx(2 * stats.t.sf(abs(t), 38))


class TestAveragedOverTau:
    def test_it_is_wider_where_restricted_likelihood_says_zero(self) -> None:
        pooled = pool(pd.Series([0.1, 0.12, 0.08, 0.1, 0.11, 0.09]), pd.DataFrame(0.04 * np.eye(6)))
        low, high = averaged_over_tau(pooled).interval(80)
        assert pooled.tau2 == 0
        assert high - low > np.diff(pooled.prediction_interval(80))[0]

    def test_it_agrees_with_numerical_integration(self) -> None:
        b, V = cases(12, 9)
        pooled, X = pool(b, V), np.ones((9, 1))
        averaged = averaged_over_tau(pooled)

        def kernel(tau: float) -> float:
            return np.exp(restricted_loglik(b.to_numpy(), V.to_numpy(), X, tau**2) - 0.5 * (tau / 0.5) ** 2)

        total = integrate.quad(kernel, 0, 2)[0]
        mean = integrate.quad(lambda t: t * kernel(t), 0, 2)[0] / total
        assert averaged.weight @ averaged.tau == pytest.approx(mean, abs=1e-3)
        assert averaged.cdf(averaged.quantile(0.3)) == pytest.approx(0.3, abs=TWIN)


class TestLeaveOneOut:
    def test_it_agrees_with_refitting_by_hand(self) -> None:
        b, V = cases(14, 9)
        pooled = pool(b, V)
        groups = ["a", "a", "b", "b", "c", "c", "d", "d", "e"]
        found = leave_one_out(pooled, groups, levels=(80,))[0]
        keep = [2, 3, 4, 5, 6, 7, 8]
        rest = pool(b.iloc[keep], V.iloc[keep, keep])
        assert found.centre.iloc[:2].to_numpy() == pytest.approx([rest.mean] * 2)
        half = stats.t.ppf(0.9, 5) * np.sqrt(rest.tau2 + rest.se**2 + V.iat[0, 0])
        assert bool(found.inside_80.iloc[0]) == (abs(b.iloc[0] - rest.mean) <= half)

    def test_coverage_and_score_when_the_model_is_true(self) -> None:
        pooled = pool(*cases(15, 70, mean=0.4, shared=0.0))
        tested, coverage = leave_one_out(pooled, range(70))
        assert coverage.loc[80, "share"] == pytest.approx(0.80, abs=0.145)  # three binomial errors
        assert tested.crps.mean() < tested.crps_no_effect.mean()


def test_crps_of_a_t_is_its_integral() -> None:
    y, centre, scale, degrees = 0.7, 0.1, 0.4, 6

    def gap(x: float) -> float:
        return (stats.t.cdf((x - centre) / scale, degrees) - (x >= y)) ** 2

    slow = integrate.quad(gap, -20, y, limit=200)[0] + integrate.quad(gap, y, 20, limit=200)[0]
    assert crps_t(y, centre, scale, degrees) == pytest.approx(slow, abs=TWIN)


def test_refusals_say_what_to_do() -> None:
    b, V = cases(20, 8)
    with pytest.raises(ModelInputError, match="3 cases are too few"):
        pool(b.iloc[:3], V.iloc[:3, :3])
    with pytest.raises(ModelInputError, match="take at most 2"):
        pool(b, V, covariates=pd.DataFrame(np.eye(8)[:, :3], index=b.index))
    with pytest.raises(ModelInputError, match="leave that case out"):
        pool(b.where(b.index != "c3"), V)
    with pytest.raises(ModelInputError, match="symmetric 8 x 8"):
        pool(b, -V)
    with pytest.raises(ModelInputError, match="per cents between 1 and 100"):
        pool(b, V).prediction_interval(100)
