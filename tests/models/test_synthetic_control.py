"""One treated unit: closed forms, a simulator with a known effect, slow twins, and another package."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from kbio_analysis.models import synthetic_control as sc
from kbio_analysis.models.synthetic_control import METHODS, PENALTY_GRID, relative_magnitudes, simplex_weights

EXACT = 1e-9  # absolute: one optimum, solved by an active-set method
SEARCH = 2e-4  # absolute: a general optimiser on the same problem stops a little short
OTHER_PACKAGE = 5e-3  # relative: diff-diff stops its Frank-Wolfe search at a tolerance of its own
NOISE = 0.12  # log points: four standard errors of the simulated effect's mean over repetitions


def simulated(
    seed: int, *, effect: float = 0.0, n_units: int = 31, n_years: int = 28, n_pre: int = 20, **spread: float
):
    """Logs driven by two common factors; unit u0 is a mixture of others and gains ``effect`` after ``n_pre`` years."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(0, spread.get("factor", 0.15), (n_years, 2)).cumsum(axis=0)
    loadings = rng.normal(0, 1, (2, n_units))
    loadings[:, 0] = loadings[:, 1:5] @ rng.dirichlet(np.ones(4))
    level = rng.normal(5, 1, n_units)
    y = level + factors @ loadings + rng.normal(0, spread.get("noise", 0.05), (n_years, n_units))
    y[n_pre:, 0] += effect
    return pd.DataFrame(y, index=range(1990, 1990 + n_years), columns=[f"u{i}" for i in range(n_units)])


@pytest.mark.parametrize("penalty", [0.0, 0.7])
def test_a_general_optimiser_agrees(penalty: float) -> None:
    rng = np.random.default_rng(3)
    for _ in range(10):
        y, donors = rng.normal(size=15), rng.normal(size=(15, 6))
        slow = minimize(
            lambda w, y=y, d=donors: ((y - d @ w) ** 2).sum() + penalty * (w**2).sum(),
            np.full(6, 1 / 6),
            method="SLSQP",
            bounds=[(0, 1)] * 6,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            options={"ftol": 1e-14, "maxiter": 500},
        )
        assert simplex_weights(y, donors, penalty=penalty) == pytest.approx(slow.x, abs=SEARCH)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("truth", [0.0, 0.4, -0.3])
def test_recovers_a_known_effect(method: str, truth: float) -> None:
    # Plain difference in differences assumes what the simulator breaks: it is held to the truth only on average.
    found = [sc.fit(simulated(s, effect=truth), "u0", 2010, method=method).effect for s in range(25)]
    spread = NOISE if method not in ("did", "simplex") else 6 * NOISE
    assert np.mean(found) == pytest.approx(truth, abs=spread)


def test_sdid_agrees_with_diff_diff() -> None:
    from diff_diff import SyntheticDiD

    for seed in (6, 7):
        panel = simulated(seed, effect=0.3)
        long = panel.rename_axis("year").reset_index()
        long = long.melt("year", var_name="unit", value_name="y")
        long["treated"] = (long.unit == "u0").astype(int)
        other = SyntheticDiD(variance_method="placebo", n_bootstrap=2, seed=1).fit(
            long, "y", "treated", "unit", "year", post_periods=list(range(2010, 2018))
        )
        assert sc.fit(panel, "u0", 2010, method="sdid").effect == pytest.approx(other.att, rel=OTHER_PACKAGE)


def test_the_ridge_agrees_with_its_formula_written_out() -> None:
    panel = simulated(8, effect=0.3)
    found = sc.fit(panel, "u0", 2010, method="ridge")
    x1, x = panel.iloc[:20, 0].to_numpy(), panel.iloc[:20, 1:].to_numpy().T
    centre = x.mean(axis=0)
    grid = PENALTY_GRID * np.linalg.svd(x - centre, compute_uv=False)[0] ** 2

    def weights(keep: np.ndarray, penalty: float) -> np.ndarray:
        w = simplex_weights(x1[keep], x[:, keep].T)
        xc = x[:, keep] - centre[keep]
        inner = np.linalg.inv(xc.T @ xc + penalty * np.eye(keep.sum()))
        return w + xc @ inner @ (x1[keep] - centre[keep] - xc.T @ w)

    errors = np.empty((20, len(grid)))
    for s in range(20):
        keep = np.arange(20) != s
        for k, penalty in enumerate(grid):
            errors[s, k] = (x1[s] - x[:, s] @ weights(keep, penalty)) ** 2
    best = errors.mean(axis=0).argmin()
    limit = errors.mean(axis=0)[best] + errors[:, best].std(ddof=1) / np.sqrt(20)
    penalty = grid[errors.mean(axis=0) <= limit].max()
    assert found.weights.to_numpy() == pytest.approx(weights(np.full(20, True), penalty), abs=1e-6)


@pytest.mark.parametrize("jitter", [0.0, 1e-9])
def test_donors_that_are_alike_leave_the_ridge_nothing_to_correct_by(jitter: float) -> None:
    """Their differences, however small, would otherwise be blown up to weights of 1e12."""
    panel = simulated(24)
    panel.iloc[:, 1:] = panel[["u1"]].to_numpy() + jitter * panel.iloc[:, 1:].to_numpy()
    found = sc.fit(panel, "u0", 2010, method="ridge")
    assert found.weights.between(0, 1).all()
    assert found.weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("method", METHODS)
def test_placebos_agree_with_a_loop_of_fits(method: str) -> None:
    panel = simulated(12, n_units=9, n_years=16, n_pre=10)
    found = sc.fit(panel, "u0", 2000, method=method)
    check = sc.placebo_in_space(found)
    for unit, row in check.table.iterrows():
        single = sc.fit(panel, unit, 2000, method=method)
        assert row.effect == pytest.approx(single.effect, abs=1e-7)
        assert row.ratio == pytest.approx(single.ratio, rel=1e-5)
        assert check.paths[unit].to_numpy() == pytest.approx(single.gap.to_numpy(), abs=1e-7)
    assert check.p_value == (1 + (check.table.ratio >= found.ratio).sum()) / (1 + len(check.table))


def test_under_the_null_p_is_about_uniform() -> None:
    values = []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        y = rng.normal(size=(16, 10)).cumsum(axis=0)
        panel = pd.DataFrame(y, index=range(2000, 2016), columns=list("abcdefghij"))
        values.append(sc.placebo_in_space(sc.fit(panel, "a", 2010)).p_value)
    # Exchangeable units: P(p <= 0.2) is 0.2; 120 draws have a standard error of 0.037.
    assert np.mean(np.array(values) <= 0.2) == pytest.approx(0.2, abs=0.11)


def test_placebos_that_fit_far_worse_are_dropped_and_named() -> None:
    panel = simulated(14)
    wild = panel.assign(u7=panel.u7 + np.random.default_rng(0).normal(0, 20, len(panel)))
    check = sc.placebo_in_space(sc.fit(wild, "u0", 2010))
    assert "u7" in check.dropped
    assert "u7" not in check.table.index


def test_earlier_starts_see_a_jump_only_where_it_was() -> None:
    found = sc.fit(simulated(16, effect=1.0, noise=0.02), "u0", 2010)
    check = sc.placebo_in_time(found, [2003, 2005, 2007])
    assert list(check.table.index) == [2003, 2005, 2007]
    assert check.statistic < 0.2 < found.effect
    assert check.extreme == 0
    assert "1991" in sc.placebo_in_time(found, [1991]).dropped
    assert np.isnan(sc.placebo_in_time(found, [1991]).statistic)


def test_leave_one_out_agrees_with_refitting() -> None:
    panel = simulated(18, n_units=9)
    found = sc.fit(panel, "u0", 2010)
    check = sc.leave_one_out(found)
    for donor, row in check.table.iterrows():
        assert row.effect == pytest.approx(sc.fit(panel.drop(columns=donor), "u0", 2010).effect, abs=EXACT)
    assert check.low <= found.effect <= check.high or (found.weights > 0).all()


def test_the_conformal_p_agrees_with_a_loop_over_shifts() -> None:
    panel = simulated(21, effect=0.3, n_units=8)
    found = sc.fit(panel, "u0", 2010, method="demeaned")
    own, donors = panel.u0.to_numpy(), panel.drop(columns="u0").to_numpy()
    w = simplex_weights(own - own.mean(), donors - donors.mean(axis=0))
    u = own - own.mean() - (donors - donors.mean(axis=0)) @ w
    size, count = np.abs(u[20:]).sum(), 0
    for shift in range(28):
        moved = [u[(t - shift) % 28] for t in range(28)]
        count += sum(abs(v) for v in moved[20:]) >= size - 1e-9
    check = sc.conformal(found)
    assert (check.p_value, check.p_floor) == (pytest.approx(count / 28), pytest.approx(1 / 28))


def test_the_conformal_test_finds_a_large_effect() -> None:
    # Donors that hardly move: with wild ones the refit under the null can imitate any jump, and nothing is found.
    null, large = (sc.fit(simulated(20, effect=e, factor=0.01), "u0", 2010) for e in (0.0, 3.0))
    assert sc.conformal(null).p_value > 0.1
    assert sc.conformal(large).p_value == sc.conformal(large).p_floor
    # p counts the treated unit: it is never zero, and with thirty donors never below 1/31.
    assert sc.placebo_in_space(large).p_value == sc.placebo_in_space(large).p_floor == pytest.approx(1 / 31)


def test_bounds_are_the_average_of_a_growing_bias() -> None:
    found = sc.fit(simulated(22, effect=0.5), "u0", 2010)
    bounds = relative_magnitudes(found, multiples=(0.5, 2.0))
    move = max(abs(b - a) for a, b in zip(found.gap[:19], found.gap[1:20], strict=True))
    for mbar, row in bounds.table.iterrows():
        bias = np.mean([mbar * move * k for k in range(1, 9)])
        assert row.low == pytest.approx(found.effect - bias)
        assert row.high == pytest.approx(found.effect + bias)
    edge = relative_magnitudes(found, multiples=(bounds.statistic,)).table.iloc[0]
    assert min(abs(edge.low), abs(edge.high)) == pytest.approx(0, abs=EXACT)
