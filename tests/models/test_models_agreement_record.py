"""Effects of agreements by saturated PPML: recovered from a simulator, equal to slow twins, refused when hopeless."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.agreement_record import net_of_chance, pooled_or_none, record

TWIN = 1e-7  # two routes to the same optimum, each settled to about 1e-10
SOLVER = 1e-5  # the packaged solver stops at a deviance change of 1e-8
SIMULATED = 0.06  # three standard errors of a mean over 8 agreements in the simulator below

YEARS = np.arange(1990, 2016)


def simulate(effects: dict[str, float], *, entry: int = 2005, noise: float = 0.1, seed: int = 3, n_never: int = 30):
    """Partners with year and partner effects, lognormal noise of mean one, and a known effect from entry on."""
    rng = np.random.default_rng(seed)
    names = [f"C{i:02d}" for i in range(n_never)] + [f"M{i}" for i in range(len(effects))]
    mean = np.exp(rng.normal(5, 1, len(names)) + np.cumsum(rng.normal(0.05, 0.1, len(YEARS)))[:, None])
    y = mean * np.exp(rng.normal(-(noise**2) / 2, noise, mean.shape))
    entries = {}
    for i, (agreement, effect) in enumerate(effects.items()):
        start = entry + i % 4
        y[start <= YEARS, n_never + i] *= np.exp(effect)
        entries[f"M{i}"] = (agreement, start)
    treatment = pd.DataFrame.from_dict(entries, orient="index", columns=["agreement", "entry_year"])
    return pd.DataFrame(y, index=YEARS, columns=names), treatment, names[:n_never]


def test_known_effects_are_recovered() -> None:
    truth = {f"A{i}": e for i, e in enumerate([-0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 0.2])}
    panel, treatment, never = simulate(truth)
    found = record({"exports": panel}, treatment, {"exports": never}).effects.droplevel("direction")
    assert found.to_numpy() == pytest.approx([truth[a] for a in found.index], abs=3 * 0.1 * np.sqrt(1 / 8 + 1 / 10))
    assert found.mean() == pytest.approx(np.mean(list(truth.values())), abs=SIMULATED)


def test_agrees_with_a_dense_poisson_regression_and_its_cluster_sandwich() -> None:
    """The slow twin writes out every dummy, one effect a treated partner and year, and averages them."""
    panel, treatment, never = simulate({"one": 0.3, "two": -0.1, "twin": 0.2}, n_never=8)
    treatment.loc["M2", "agreement"] = "two"
    fast = record({"x": panel}, treatment, {"x": never}, pre_years=8, post_years=6)
    rows = []
    for unit in panel:
        start = treatment.entry_year.get(unit, 9999)
        for year in YEARS:
            if start == 9999 or start - 8 <= year < start + 6:
                rows.append((unit, year, panel.at[year, unit], year >= start))
    frame = pd.DataFrame(rows, columns=["unit", "year", "y", "treated"])
    free = frame[~frame.treated]
    X = pd.get_dummies(free.unit).join(pd.get_dummies(free.year).iloc[:, 1:]).to_numpy(dtype=float)
    beta, y = np.linalg.lstsq(X, np.log(free.y), rcond=None)[0], free.y.to_numpy()
    for _ in range(50):
        mu = np.exp(X @ beta)
        beta = beta + np.linalg.solve(X.T @ (X * mu[:, None]), X.T @ (y - mu))
    inverse = np.linalg.inv(X.T @ (X * np.exp(X @ beta)[:, None]))
    units, years = sorted(free.unit.unique()), sorted(free.year.unique())

    def expected(b: np.ndarray, unit: str, year: int) -> float:
        return float(np.exp(b[units.index(unit)] + (0 if year == years[0] else b[len(units) + years.index(year) - 1])))

    def effect(b: np.ndarray, agreement: str) -> float:
        members, total, n = treatment.index[treatment.agreement == agreement], 0.0, 0
        for year in YEARS:
            live = [m for m in members if treatment.entry_year[m] <= year < treatment.entry_year[m] + 6]
            if live:
                ratio = sum(panel.at[year, m] for m in live) / sum(expected(b, m, year) for m in live)
                total, n = total + len(live) * np.log(ratio), n + len(live)
        return total / n

    scores = X * (y - np.exp(X @ beta))[:, None]
    clusters = np.array([scores[(free.unit == u).to_numpy()].sum(axis=0) for u in units])
    step, gradients = 1e-6, []
    for agreement in ("one", "two"):
        assert fast.effects[agreement, "x"] == pytest.approx(effect(beta, agreement), abs=TWIN)
        bumps = np.eye(len(beta)) * step
        gradients.append([(effect(beta + e, agreement) - effect(beta - e, agreement)) / (2 * step) for e in bumps])
    influence = clusters @ inverse @ np.array(gradients).T
    sandwich = influence.T @ influence * len(units) / (len(units) - 1)
    assert fast.covariance.to_numpy() == pytest.approx(sandwich, rel=1e-4)  # numerical derivatives


def test_missing_years_count_for_nothing_and_zeros_stay() -> None:
    panel, treatment, never = simulate({"a": 0.4, "b": 0.1}, n_never=10)
    panel.loc[:1999, "M0"] = np.nan
    panel.loc[2010, "M1"] = 0.0
    found = record({"x": panel}, treatment, {"x": never}).table
    assert found.loc[("a", "x"), "n_partners"] == 1
    assert found.loc[("b", "x"), "n_observations"] == 9  # a year without any trade has no logarithm of a ratio
    assert np.isfinite(found.effect_log_points).all()


def test_refusals_say_what_to_do() -> None:
    panel, treatment, never = simulate({"a": 0.4}, n_never=10)
    with pytest.raises(ModelInputError, match="3 partners without an agreement, 4 are needed"):
        record({"x": panel}, treatment, {"x": never[:3]})
    with pytest.raises(ModelInputError, match="no trade before any agreement"):
        record({"x": panel.assign(C00=0.0)}, treatment, {"x": never})
    with pytest.raises(ModelInputError, match="widen the window"):
        record({"x": panel.drop(columns="M0")}, treatment, {"x": never})


class TestPool:
    def test_the_mean_and_spread_of_many_agreements_come_back(self) -> None:
        rng = np.random.default_rng(8)
        truth = {f"A{i}": e for i, e in enumerate(rng.normal(0.2, 0.3, 60))}
        panel, treatment, never = simulate(truth, noise=0.05)
        found = record({"exports": panel}, treatment, {"exports": never})
        pooled = found.pooled(direction="exports")
        assert pooled.mean == found.pooled().mean == pytest.approx(np.mean(list(truth.values())), abs=0.05)
        assert pooled.tau == pytest.approx(np.std(list(truth.values()), ddof=1), abs=0.05)
        assert len(found.pooled(without="A3").estimates) == 59
        net, averaged = net_of_chance(found, pd.Series(0.3, index=found.effects.index))
        assert net.tau < pooled.tau  # what chance explains is no spread between agreements
        assert averaged.weight @ averaged.tau > 0

    def test_too_few_agreements_give_none(self) -> None:
        panel, treatment, never = simulate({"a": 0.1, "b": 0.2})
        assert pooled_or_none({"x": panel}, treatment, {"x": never}) is None
