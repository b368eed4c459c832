"""Gravity: known effects recovered where simpler designs miss them, and twins with every dummy written out."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import agreement_record
from kbio_analysis.models import structural_gravity as sg
from kbio_analysis.models.diversification import market_gaps, track_record
from kbio_analysis.models.gravity import ppml

SOLVER = 1e-6  # the packaged solver stops at a deviance change of 1e-8
GDP, DISTANCE = 0.8, -0.6
EFFECT = {"exports": 0.30, "imports": -0.15}
AGREEMENTS = pd.DataFrame({"iso3": ["B", "C"], "agreement": ["B", "C"], "entry_year": [2005, 2005]})


def dense(design: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Poisson coefficients and means on every dummy, by weighted least squares, of least norm if some are redundant."""
    mu = y + y.mean()
    for _ in range(100):
        weight = np.sqrt(mu)
        working = (np.log(mu) + (y - mu) / mu) * weight
        b = np.linalg.lstsq(design * weight[:, None], working, rcond=1e-11)[0]
        mu = np.exp(np.clip(design @ b, -30, 30))
    return b, mu


def test_ppml_agrees_with_dummies_written_out_and_drops_what_is_separated() -> None:
    """The slow twin: every dummy, cluster sandwich with G/(G-1)."""
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"unit": np.repeat(range(12), 9), "t": np.tile(range(9), 12), "x": rng.normal(size=108)})
    frame["y"] = rng.poisson(np.exp(1 + 0.3 * frame.x + 0.1 * frame.t))
    fit = ppml(frame, "y", ["x"], ["unit", "t"], "unit")
    units, times = pd.get_dummies(frame.unit), pd.get_dummies(frame.t).iloc[:, 1:]
    X, y = np.column_stack([frame.x, units, times]).astype(float), frame.y.to_numpy()
    beta, mu = dense(X, y)
    inverse, scores = np.linalg.inv(X.T @ (X * mu[:, None])), X * (y - mu)[:, None]
    meat = sum(np.outer(s, s) for s in (scores[frame.unit == u].sum(axis=0) for u in range(12)))
    assert fit.coefficients["x"] == pytest.approx(beta[0], abs=SOLVER)
    assert fit.standard_errors["x"] == pytest.approx(np.sqrt((inverse @ meat @ inverse * 12 / 11)[0, 0]), rel=1e-5)
    assert ppml(frame.assign(y=frame.y.where(frame.unit != 3, 0.0)), "y", ["x"], ["unit", "t"], "unit").n_obs == 11 * 9


@pytest.mark.parametrize("alone", [True, False])
def test_what_a_regressor_separates_is_left_out_and_the_regressor_too(alone: bool) -> None:
    """A pair whose trade begins with its agreement tells nothing of it, however few rows that are."""
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"unit": np.repeat(range(40), 10), "t": np.tile(range(10), 40), "x": rng.normal(size=400)})
    frame["y"] = rng.gamma(2, 1, 400) * np.exp(0.3 * frame.x)
    frame["on"] = ((frame.t > 1) & (frame.unit == 7) | (frame.t > 4) & (frame.unit == 8) & (not alone)).astype(float)
    frame.loc[(frame.unit == 7) & (frame.t <= 1), "y"] = 0.0
    fit = ppml(frame, "y", ["x", "on"], ["unit", "t"], "unit")
    assert fit.n_obs == (398 if alone else 400)
    assert list(fit.coefficients.index) == (["x"] if alone else ["x", "on"])


def test_without_fixed_effects_it_is_a_poisson_regression_with_robust_errors() -> None:
    rng, names = np.random.default_rng(2), ["distance", "agreement"]
    frame = pd.DataFrame({"distance": np.arange(320) % 7 / 7.0, "agreement": rng.integers(0, 2, 320)})
    frame["trade"] = np.exp(2 + 0.4 * frame.agreement) * rng.gamma(20, 1 / 20, 320)
    ours = ppml(frame, "trade", names)
    theirs = sm.GLM(frame.trade, sm.add_constant(frame[names]), family=sm.families.Poisson()).fit(cov_type="HC1")
    assert ours.coefficients[names].to_numpy() == pytest.approx(theirs.params[names].to_numpy(), rel=1e-4)
    assert ours.standard_errors[names].to_numpy() == pytest.approx(theirs.bse[names].to_numpy(), rel=1e-2)


def of_markets(n: int = 120, years: int = 4, *, noise: float = 0.2) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    size, far = rng.normal(11, 1.5, n), rng.normal(8.8, 0.5, n)
    keys = [(f"M{j:03d}", 2000 + t, np.exp(size[j] + 0.03 * t), np.exp(far[j])) for j in range(n) for t in range(years)]
    frame = pd.DataFrame(keys, columns=["iso3", "year", "gdp_usd_m", "distance_km"])
    mean = np.exp(1 + 0.1 * (frame.year - 2000)) * frame.gdp_usd_m**GDP * frame.distance_km**DISTANCE
    return frame.assign(exports_usd_m=mean * rng.gamma(1 / noise**2, noise**2, len(frame)))


def test_known_elasticities_come_back_and_a_market_cut_to_a_third_shows_a_third() -> None:
    fit, markets = market_gaps(of_markets())
    b, se = fit.coefficients, fit.standard_errors
    assert b["log_gdp"] == pytest.approx(GDP, abs=4 * se["log_gdp"])
    assert b["log_distance"] == pytest.approx(DISTANCE, abs=4 * se["log_distance"])
    assert np.log(markets.ratio).abs().median() < 0.2
    assert markets.gap_usd_m.sum() == pytest.approx(0, abs=1e-6 * markets.actual_usd_m.sum())
    assert (markets.ratio == markets.actual_usd_m / markets.expected_usd_m).all()
    panel = of_markets(noise=0.05)
    panel.loc[panel.iso3 == "M007", "exports_usd_m"] /= 3
    assert market_gaps(panel)[1].ratio["M007"] == pytest.approx(1 / 3, rel=0.15)


def test_a_residual_that_closes_is_seen_and_one_that_tells_nothing_is_not() -> None:
    rng = np.random.default_rng(4)
    early = pd.Series(np.exp(rng.normal(0, 0.6, 200)))
    closing, luck = 2 / early, pd.Series(np.exp(rng.normal(0.5, 0.4, 200)))
    closed, nothing = track_record(early, closing), track_record(early, luck)
    assert closed.correlation == pytest.approx(-1)
    assert closed.faster_share > 0.9
    assert abs(nothing.correlation) < 0.25
    assert 0.35 < nothing.faster_share < 0.65


def simulated(rng: np.random.Generator, *, economies: int = 14, noise: float = 0.3) -> pd.DataFrame:
    """A world in which A's agreements with B and C of 2005 change trade by EFFECT, while demand in B and C booms and
    partners that trade little sign: what a plain comparison would call an effect."""
    names, rows = [chr(65 + i) for i in range(economies)], []
    size = {n: rng.normal(3, 1) for n in names}
    pair = {(i, j): rng.normal(0, 1) - 1.5 * ({i, j} <= {"A", "B", "C"}) for i in names for j in names}
    for year in range(1995, 2016, 5):
        supply = {n: size[n] + 0.04 * (year - 1995) + rng.normal(0, 0.2) for n in names}
        demand = {n: size[n] + (0.8 if n in "BC" and year >= 2005 else 0.0) + rng.normal(0, 0.2) for n in names}
        for i, j in ((i, j) for i in names for j in names if i != j):
            log = supply[i] + demand[j] + pair[i, j]
            if year >= 2005:
                log += EFFECT["exports"] if i == "A" and j in "BC" else 0.0
                log += EFFECT["imports"] if j == "A" and i in "BC" else 0.0
            rows.append((i, j, year, float(np.exp(log + rng.normal(0, noise) - noise**2 / 2)), 0))
    return pd.DataFrame(rows, columns=["exporter", "importer", "year", "trade_usd_m", "agreement"])


def test_the_effect_is_recovered_from_its_year_on_where_simpler_designs_are_biased() -> None:
    rng = np.random.default_rng(1)
    found, single, own, years = [], [], [], []
    for _ in range(12):
        world = simulated(rng, noise=0.1)
        found.append(sg.effects(world, AGREEMENTS, home="A").table["effect_log_points"].groupby("direction").mean())
        treated = (world.exporter == "A") & world.importer.isin(["B", "C"]) & (world.year >= 2005)
        frame = world.assign(on=treated.astype(float), pair=world.exporter + world.importer)
        single.append(ppml(frame, "trade_usd_m", ["on"], ["year"]).coefficients["on"])
        sold = frame[frame.exporter == "A"].pivot(index="year", columns="importer", values="trade_usd_m")
        never = {"exports": [name for name in sold if name not in "BC"]}
        own.append(agreement_record.record({"exports": sold}, AGREEMENTS.set_index("iso3"), never).effects.mean())
        years.append(sg.event_study(world, AGREEMENTS, home="A", partner="B", base_until=1995)[0])
    mean = pd.DataFrame(found).mean()
    assert mean["exports"] == pytest.approx(EFFECT["exports"], abs=0.1)
    assert mean["imports"] == pytest.approx(EFFECT["imports"], abs=0.1)
    by_year = pd.concat(years).query("direction == 'exports'").groupby("year").effect_log_points.mean()
    assert by_year[[2000, 2005]].tolist() == pytest.approx([0, EFFECT["exports"]], abs=0.1)
    assert abs(np.mean(single) - EFFECT["exports"]) > 0.3  # small partners sign: a single dummy takes size for effect
    assert np.mean(own) - EFFECT["exports"] > 0.3  # the partners' boom is credited to the agreement


def test_a_slow_twin_with_every_dummy_agrees() -> None:
    world = simulated(np.random.default_rng(2), economies=6)
    found = sg.effects(world, AGREEMENTS, home="A")
    sides = {"exports": ("exporter", "importer"), "imports": ("importer", "exporter")}
    ours = {(a, d): (world[one] == "A") & (world[other] == a) for a in "BC" for d, (one, other) in sides.items()}
    first = {str(key): (pair & world.year.between(2005, 2014)).astype(float) for key, pair in ours.items()}
    later = {f"{key} later": (pair & (world.year >= 2015)).astype(float) for key, pair in ours.items()}
    dummies = [
        pd.get_dummies(world[key].astype(str) + world.year.astype(str), dtype=float) for key in ("exporter", "importer")
    ]
    dummies.append(pd.get_dummies(world.exporter + world.importer, dtype=float))
    design = pd.concat([pd.DataFrame(first | later), *dummies], axis=1)
    slow = dict(zip(design.columns, dense(design.to_numpy(), world.trade_usd_m.to_numpy())[0], strict=True))
    for key, value in found.table["effect_log_points"].items():
        assert value == pytest.approx(slow[str(key)], abs=1e-5)
    assert found.covariance.shape == (4, 4)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(found.table.se_log_points.to_numpy())


def test_what_surrounds_a_break_leaves_home_out() -> None:
    step = {"before_from": 1995, "before_to": 2000, "after_from": 2005, "after_to": 2015}
    pairs = [("B", "C", 1.0), ("A", "C", 50.0), ("C", "B", 7.0), ("A", "B", 90.0), ("B", "A", 90.0)]
    rows = [(*pair, year) for year in (1995, 2000, 2005, 2015) for pair in pairs]
    world = pd.DataFrame(rows, columns=["exporter", "importer", "trade_usd_m", "year"])
    world.loc[(world.importer == "C") & (world.year >= 2005), "trade_usd_m"] *= 3
    around = sg.elsewhere(world, step, home="A", partner="C", direction="exports")
    assert around.to_dict() == {"theirs": 3.0, "world": (3 + 7) / 8}
    assert sg.elsewhere(world, None, home="A", partner="C", direction="exports") is None


def test_one_agreement_stands_by_itself() -> None:
    world = simulated(np.random.default_rng(3))
    found = sg.of_partner(world, AGREEMENTS, home="A", partner="B", start=2005)
    own = found.table.loc["exports"]
    assert own.high - own.effect_log_points == pytest.approx(1.96 * own.se_log_points)
    for nothing in ({"partner": "B", "start": None}, {"partner": "ZZ", "start": 2005}):
        empty = sg.of_partner(world, AGREEMENTS, home="A", **nothing)
        assert set(empty.records(empty.step("exports", 2005)).values()) == {None}
    for partner, until, said in (("ZZ", 1995, "holds no ZZ"), ("B", 1990, "no year of the panel lies before 1990")):
        with pytest.raises(ModelInputError, match=said):
            sg.event_study(world, AGREEMENTS, home="A", partner=partner, base_until=until)
