"""Market gaps: elasticities come back from a simulator, fitted sums equal actual ones, a slow twin agrees."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.market_gaps import MIN_MARKETS, by_group, market_gaps, track_record

GDP, DISTANCE = 0.8, -0.6
SOLVER = 1e-5  # two Poisson solvers that stop at tolerances of their own


def simulate(n: int = 120, years: int = 4, *, noise: float = 0.2, seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    size, far = rng.normal(11, 1.5, n), rng.normal(8.8, 0.5, n)
    rows = []
    for j in range(n):
        for t in range(years):
            gdp, distance = np.exp(size[j] + 0.03 * t), np.exp(far[j])
            mean = np.exp(1 + 0.1 * t) * gdp**GDP * distance**DISTANCE
            rows.append((f"M{j:03d}", 2000 + t, mean * rng.gamma(1 / noise**2, noise**2), gdp, distance))
    return pd.DataFrame(rows, columns=["iso3", "year", "exports_usd_m", "gdp_usd_m", "distance_km"])


def test_known_elasticities_come_back_and_sums_are_equal() -> None:
    fit, markets = market_gaps(simulate())
    b, se = fit.coefficients, fit.standard_errors
    assert b["log_gdp"] == pytest.approx(GDP, abs=4 * se["log_gdp"])
    assert b["log_distance"] == pytest.approx(DISTANCE, abs=4 * se["log_distance"])
    assert np.log(markets.ratio).abs().median() < 0.2
    assert markets.expected_usd_m.sum() == pytest.approx(markets.actual_usd_m.sum(), rel=1e-9)
    groups = pd.Series({c: "even" if int(c[1:]) % 2 == 0 else "odd" for c in markets.index})
    table = by_group(markets, groups)
    assert set(table.index) == {"even", "odd"}
    assert table.gap_usd_m.sum() == pytest.approx(0, abs=1e-6 * table.actual_usd_m.sum())
    assert (table.ratio == table.actual_usd_m / table.expected_usd_m).all()


def test_the_fit_equals_a_plain_poisson_model_with_year_dummies() -> None:
    panel = simulate(60)
    dummies = pd.get_dummies(panel.year).to_numpy(dtype=float)
    x = np.column_stack([np.log(panel.gdp_usd_m), np.log(panel.distance_km), dummies])
    twin = sm.GLM(panel.exports_usd_m, x, family=sm.families.Poisson()).fit(tol=1e-12, maxiter=200)
    expected = pd.Series(twin.fittedvalues.to_numpy()).groupby(panel.iso3).mean()
    fit, markets = market_gaps(panel)
    assert fit.coefficients.to_list() == pytest.approx(twin.params.iloc[:2].to_list(), abs=SOLVER)
    assert markets.expected_usd_m.to_list() == pytest.approx(expected.to_list(), rel=10 * SOLVER)


def test_a_market_cut_to_a_third_shows_a_third() -> None:
    panel = simulate(noise=0.05)
    panel.loc[panel.iso3 == "M007", "exports_usd_m"] /= 3
    assert market_gaps(panel)[1].ratio["M007"] == pytest.approx(1 / 3, rel=0.15)


def test_bad_panels_are_refused() -> None:
    panel = simulate()
    with pytest.raises(ModelInputError, match="no column distance_km"):
        market_gaps(panel.drop(columns="distance_km"))
    with pytest.raises(ModelInputError, match=f"at least {MIN_MARKETS}"):
        market_gaps(panel[panel.iso3 < "M005"])
    with pytest.raises(ModelInputError, match="above zero"):
        market_gaps(panel.assign(gdp_usd_m=0.0))


def test_a_residual_that_closes_is_seen_and_one_that_tells_nothing_is_not() -> None:
    rng = np.random.default_rng(4)
    early = pd.Series(np.exp(rng.normal(0, 0.6, 200)))
    closing, luck = 2 / early, pd.Series(np.exp(rng.normal(0.5, 0.4, 200)))
    closed, nothing = track_record(early, closing), track_record(early, luck)
    assert closed.correlation == pytest.approx(-1)
    assert closed.faster_share > 0.9
    assert abs(nothing.correlation) < 0.25
    assert 0.35 < nothing.faster_share < 0.65
    with pytest.raises(ModelInputError, match="both dates"):
        track_record(early.iloc[:5], luck)
