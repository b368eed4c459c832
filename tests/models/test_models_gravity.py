"""PPML: a known agreement effect comes back, twins agree, bad panels are refused."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.gravity import check_world, ppml

TRUTH = 0.4
SOLVER = 1e-6  # the packaged solver stops at a deviance change of 1e-8


def world(seed: int = 2) -> pd.DataFrame:
    """A panel of four economies with domestic sales, its trade exp(TRUTH x agreement) times noise."""
    rng, names = np.random.default_rng(seed), ["A", "B", "C", "D"]
    rows = pd.MultiIndex.from_product([names, names, range(2000, 2020)], names=["exporter", "importer", "year"])
    frame = rows.to_frame(index=False)
    agreed = (frame.exporter != frame.importer) & (frame.year > 2008) & frame.exporter.isin(["A", "B"])
    trade = np.exp(2 + TRUTH * agreed) * rng.gamma(20, 1 / 20, len(frame))
    return frame.assign(trade_usd_m=trade, agreement=agreed.astype(int))


def test_agrees_with_dummies_written_out() -> None:
    """The slow twin: Newton steps on every dummy, cluster sandwich with G/(G-1)."""
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"unit": np.repeat(range(12), 9), "t": np.tile(range(9), 12), "x": rng.normal(size=108)})
    frame["y"] = rng.poisson(np.exp(1 + 0.3 * frame.x + 0.1 * frame.t))
    fit = ppml(frame, "y", ["x"], ["unit", "t"], "unit")
    units, times = pd.get_dummies(frame.unit), pd.get_dummies(frame.t).iloc[:, 1:]
    X, y = np.column_stack([frame.x, units, times]).astype(float), frame.y.to_numpy()
    beta = np.linalg.lstsq(X, np.log(y + 0.5), rcond=None)[0]
    for _ in range(60):
        mu = np.exp(X @ beta)
        beta = beta + np.linalg.solve(X.T @ (X * mu[:, None]), X.T @ (y - mu))
    inverse = np.linalg.inv(X.T @ (X * np.exp(X @ beta)[:, None]))
    scores = X * (y - np.exp(X @ beta))[:, None]
    meat = sum(np.outer(s, s) for s in (scores[frame.unit == u].sum(axis=0) for u in range(12)))
    assert fit.coefficients["x"] == pytest.approx(beta[0], abs=SOLVER)
    assert fit.standard_errors["x"] == pytest.approx(np.sqrt((inverse @ meat @ inverse * 12 / 11)[0, 0]), rel=1e-5)


def test_separated_observations_are_dropped_and_counted() -> None:
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"unit": np.repeat(range(10), 8), "t": np.tile(range(8), 10), "x": rng.normal(size=80)})
    frame["y"] = rng.poisson(np.exp(1 + 0.3 * frame.x)).astype(float)
    frame.loc[frame.unit == 3, "y"] = 0.0
    fit = ppml(frame, "y", ["x"], ["unit", "t"], "unit")
    assert fit.n_obs == 72


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.drop(columns="agreement"), "no column agreement"),
        (lambda w: w.assign(trade_usd_m=w.trade_usd_m.where(w.index != 3)), "a cell is empty"),
        (lambda w: pd.concat([w, w.head(1)]), "stand twice"),
        (lambda w: w.assign(trade_usd_m=-w.trade_usd_m), "0 or more"),
        (lambda w: w.assign(agreement=2), "agreement 0 or 1"),
        (lambda w: w.assign(agreement=1), "domestic rows"),
        (lambda w: w.assign(trade_usd_m=w.trade_usd_m.astype(str)), "plain numbers"),
    ],
)
def test_a_world_panel_that_breaks_its_schema_is_refused(change, message: str) -> None:
    with pytest.raises(ModelInputError, match=message):
        check_world(change(world()))


def test_ppml_refuses_what_it_cannot_fit() -> None:
    frame = pd.DataFrame({"unit": [1, 1, 2, 2], "y": [1.0, 2.0, -1.0, 3.0], "x": [0.0, 1.0, 0.0, 1.0]})
    with pytest.raises(ModelInputError, match="no column z"):
        ppml(frame, "y", ["z"], ["unit"], "unit")
    with pytest.raises(ModelInputError, match="no regressor named"):
        ppml(frame, "y", [], ["unit"], "unit")
    with pytest.raises(ModelInputError, match="missing or negative"):
        ppml(frame, "y", ["x"], ["unit"], "unit")
    with pytest.raises(ModelInputError, match="y is zero in every row"):
        ppml(frame.assign(y=0.0), "y", ["x"], ["unit"], "unit")


def test_without_fixed_effects_it_is_a_poisson_regression_with_robust_errors() -> None:
    import statsmodels.api as sm

    frame = world().assign(distance=lambda f: np.arange(len(f)) % 7 / 7.0)
    ours = ppml(frame, "trade_usd_m", ["distance", "agreement"])
    x = sm.add_constant(frame[["distance", "agreement"]])
    theirs = sm.GLM(frame["trade_usd_m"], x, family=sm.families.Poisson()).fit(cov_type="HC1")
    names = ["distance", "agreement"]
    assert ours.coefficients[names].to_numpy() == pytest.approx(theirs.params[names].to_numpy(), rel=1e-4)
    assert ours.standard_errors[names].to_numpy() == pytest.approx(theirs.bse[names].to_numpy(), rel=1e-2)
    assert ppml(frame, "trade_usd_m", "agreement", "year").n_obs == len(frame)
