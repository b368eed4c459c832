"""Trade without an agreement, the pool of opinions, and a new agreement put together from known parts."""

from dataclasses import replace
from math import exp, log

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import gravity, opinion_pool, trade_baseline
from kbio_analysis.models.new_agreement import (
    TariffFlow,
    TariffTerms,
    disagreement,
    doubling,
    drivers,
    effects,
    net_predictions,
    tariff_study,
    top_chapters,
    trade_paths,
)
from kbio_analysis.models.reference_class import MixturePrediction

SOLVER = 1e-4  # the packaged solver stops at a deviance change of 1e-8
SIMULATED_ELASTICITY = 0.15  # three of the simulator's own standard errors
COVERAGE = 0.07  # three binomial errors of 90% over 150 partners
YEARS = np.arange(1990, 2024)


def world(elasticity: float = 1.5, n: int = 150, noise: float = 0.2, seed: int = 5):
    """Partners whose trade follows real income with a known elasticity, common years and a random walk of their own."""
    rng = np.random.default_rng(seed)
    names = [f"P{i:03d}" for i in range(n)]
    growth = rng.normal(3, 1, (len(YEARS), n)) + rng.normal(0, 2.5, n)
    income = np.cumsum(np.log1p(growth / 100), axis=0)
    year = np.cumsum(rng.normal(0, 0.05, len(YEARS)))[:, None]
    walk = np.cumsum(rng.normal(0, noise, (len(YEARS), n)), axis=0) * 0.3
    trade = np.exp(rng.normal(5, 1, n) + year + elasticity * income + walk)
    frame = lambda values: pd.DataFrame(values, index=YEARS, columns=names)  # noqa: E731
    return frame(trade), frame(growth)


class TestElasticity:
    def test_a_known_one_is_recovered(self) -> None:
        found = trade_baseline.income_elasticity(*world())
        assert found.value == pytest.approx(1.5, abs=SIMULATED_ELASTICITY)
        assert abs(found.value - 1.5) < 4 * found.se

    def test_it_equals_the_packaged_estimator(self) -> None:
        trade, growth = world(n=40)
        trade.iloc[:6, 0] = np.nan
        trade.iloc[3, 1] = 0.0
        ours = trade_baseline.income_elasticity(trade, growth)
        income = trade_baseline.income_index(growth)
        rows = pd.DataFrame({"trade": trade.stack(), "income": income.stack()}).dropna()
        rows = rows.rename_axis(["year", "iso3"]).reset_index()
        theirs = gravity.ppml(rows, "trade", ["income"], ["iso3", "year"], "iso3")
        assert ours.value == pytest.approx(theirs.coefficients["income"], rel=SOLVER)
        assert ours.se == pytest.approx(theirs.standard_errors["income"], rel=1e-3)

    def test_years_may_be_dates_and_what_cannot_be_used_is_refused(self) -> None:
        trade, growth = world(n=20)
        dated = trade.set_axis(pd.to_datetime([f"{y}-12-31" for y in YEARS]), axis=0)
        assert trade_baseline.income_elasticity(dated, growth) == trade_baseline.income_elasticity(trade, growth)
        growth.iloc[:3, 0], growth.iloc[10, 1] = np.nan, np.nan
        assert list(trade_baseline.income_index(growth))[:2] == ["P000", "P002"]  # a gap inside leaves no income
        with pytest.raises(ModelInputError, match="three partners"):
            trade_baseline.income_elasticity(trade.iloc[:, :2], growth)
        with pytest.raises(ModelInputError, match="trade: dict was given"):
            trade_baseline.income_elasticity(trade.to_dict(), growth)


def hindcast(n: int) -> trade_baseline.Hindcast:
    trade, growth = world(n=n)
    return trade_baseline.hindcast({"exports": trade, "imports": trade**0.9}, growth, _both(1.5), 10)


@pytest.fixture(scope="module")
def found() -> trade_baseline.Hindcast:
    return hindcast(150)


class TestHindcast:
    def test_an_error_equals_the_rule_written_out(self, found) -> None:
        trade, growth = world()
        y, g, origin = trade["P007"], growth["P007"], 2005
        steps = np.log(trade).diff().abs().loc[:origin].mean()
        scale = (steps["P007"] * steps.median()) ** 0.5
        base = log(np.median(y.loc[origin - 2 : origin]))
        expected = base + 1.5 * log(1 + g.loc[origin - 4 : origin].mean() / 100) * 4
        error = found.errors["exports"].loc[("P007", origin), 4]
        assert error == pytest.approx((log(y.loc[origin + 4]) - expected) / scale)

    def test_intervals_cover_partners_left_out(self, found) -> None:
        table = trade_baseline.coverage(found)
        assert table.share.to_numpy() == pytest.approx(0.9, abs=COVERAGE)

    def test_coverage_equals_a_loop(self) -> None:
        few = hindcast(12)
        assert trade_baseline.coverage(few).share["exports"] == pytest.approx(_slow_coverage(few, "exports"))

    def test_drawn_paths_have_the_quantiles_of_all_origins(self, found) -> None:
        drawn = found.draw(40_000, np.random.default_rng(1))
        errors = found.errors["exports"]
        for k in (1, 10):
            known = errors[k].dropna()
            weights = found.weight[known.index]
            order = known.sort_values().index
            middle = known[order].iloc[int(np.searchsorted(weights[order].cumsum() / weights.sum(), 0.5))]
            assert np.median(drawn["exports"][:, k - 1]) == pytest.approx(middle, abs=0.1)

    def test_too_long_a_horizon_and_a_share_for_a_level_are_refused(self, found) -> None:
        trade, growth = world(n=10)
        with pytest.raises(ModelInputError, match="shorten the horizon"):
            trade_baseline.hindcast({"exports": trade}, growth, _both(1.0), 30)
        with pytest.raises(ModelInputError, match="did you mean 90"):
            trade_baseline.coverage(found, level=0.9)


def paths(partner: str = "P001", given: float | None = 3.0, n: int = 500) -> trade_baseline.Baseline:
    trade, growth = world(n=20)
    trade["P003"] = growth["P003"] = np.nan
    flows, rng = {"exports": trade, "imports": trade * 0.5}, np.random.default_rng(1)
    return trade_baseline.baseline(flows, growth, partner, horizon=14, n=n, rng=rng, given_growth_pct=given)


def test_paths_follow_growth_and_a_partner_without_record_has_none() -> None:
    slow, fast, empty = paths(), paths(given=10.0), paths("P003", None)
    assert (empty.paths, empty.growth_basis, empty.years) == ({}, "median", tuple(range(2024, 2038)))
    assert (fast.growth_pct, fast.growth_basis, paths(given=None).growth_basis) == (10.0, "given", "own")
    faster = (1.10 / 1.03) ** (14 * slow.fits["exports"].value)
    assert fast.paths["exports"][:, -1] == pytest.approx(faster * slow.paths["exports"][:, -1])
    assert slow.median(2037, "exports", 10.0) == pytest.approx(fast.band("exports").at[2037, 50])
    assert slow.base_usd_m["exports"] == pytest.approx(np.median(world(n=20)[0]["P001"].tail(3)))


class TestOpinionPool:
    def test_the_distribution_function_is_the_mean_of_the_two(self) -> None:
        low, high = np.arange(0.0, 100.0), np.arange(1000.0, 1010.0)
        pool = opinion_pool.pool({"a": low, "b": high})
        assert pool.p_above(500) == pytest.approx(0.5)
        assert pool.percentile(25) == 49.0
        assert pool.percentile(100) == 1009.0
        assert opinion_pool.pool({"a": low, "b": high}, {"a": 3, "b": 1}).p_above(500) == pytest.approx(0.25)

    @pytest.mark.parametrize("draws", [{}, {"a": np.array([])}, {"a": np.array([np.nan])}])
    def test_nothing_to_pool_is_refused(self, draws) -> None:
        with pytest.raises(ModelInputError):
            opinion_pool.pool(draws)

    def test_weights_must_fit(self) -> None:
        with pytest.raises(ModelInputError, match="weight"):
            opinion_pool.pool({"a": np.ones(3)}, {"b": 1.0})
        with pytest.raises(ModelInputError, match="list was given"):
            opinion_pool.pool([1.0, 2.0])


LINES = pd.DataFrame(
    {
        "trade_usd_m": [0.6, 0.4],
        "cd_pct": [10.0, 20.0],
        "rd_pct": [5.0, 0.0],
        "sd_pct": [0.0, 10.0],
        "supplier_share": [0.05, 0.1],
        "sigma_median": [5.0, 4.0],
        "sigma_log_sd": [0.2, 0.2],
    },
    index=[39, 61],
).assign(group=["a", "b"], share_pct=[60.0, 40.0])
TERMS = TariffTerms(cuts="cd", coverage=0.9, phase_years=5, utilisation=0.7)
RUN = {"horizon": 10, "n_draws": 500, "seed": 3}


def _prediction(centre: float) -> MixturePrediction:
    one = np.array([1.0])
    return MixturePrediction(tau=one * 0.01, weight=one, centre=one * centre, scale=one * 1e-6)


def _study(*, ends: int | None = 2, centre: float = log(1.2)):
    outlook = paths()
    cells = {"graduation_2026": 0, "graduation_2029": ends}
    tariff = {
        "exports": TariffFlow(lines=LINES, access="mfn", ends_after=cells),
        "imports": TariffFlow(lines=LINES, access="dfqf", ends_after=cells),
    }
    studies = {(f, c): tariff_study(t, TERMS, cell=c, **RUN) for f, t in tariff.items() for c in cells}
    predictions = {"exports": _prediction(centre), "imports": _prediction(centre)}
    rng = np.random.default_rng(4)
    found = effects(outlook, predictions, studies, start=2027, horizon=10, cells=tuple(cells), rng=rng)
    return outlook, tariff, studies, found


class TestEffects:
    def test_the_transfer_multiplies_trade(self) -> None:
        outlook, _, _, found = _study()
        trade = outlook.paths["exports"][:, outlook.years.index(2037)]
        assert found.draws["transfer", "exports", "graduation_2026"][:, -1] == pytest.approx(0.2 * trade, rel=1e-4)

    def test_cells_differ_before_graduation_only(self) -> None:
        _, _, _, found = _study()
        early, late = (found.loss[f"graduation_{year}"] for year in (2026, 2029))
        assert (late[:, :2] == 0).all()
        assert (early[:, 0] < 0).all()
        assert early[:, 2:] == pytest.approx(late[:, 2:])
        gain = {c: found.draws["tariffs", "imports", c] for c in found.cells}
        assert np.median(gain["graduation_2026"].sum(axis=1)) > np.median(gain["graduation_2029"].sum(axis=1))

    def test_the_pool_lies_between_its_methods(self) -> None:
        _, _, _, found = _study()
        one = [found.pooled(m, "trade", "graduation_2026").percentile(50) for m in ("transfer", "pooled", "tariffs")]
        assert min(one[0], one[2]) <= one[1] <= max(one[0], one[2])
        assert found.has("pooled", "trade")
        assert found.by_year("pooled", "trade", "graduation_2026").shape == (11, 3)
        assert found.headline == ("pooled", "trade")
        rows = found.summary().set_index(["flow", "method"])
        assert rows.at[("trade", "pooled"), "median"] == one[1]
        assert rows["p_positive"].isna().sum() == 3  # of cuts, which add by construction
        apart = disagreement(found.summary())
        assert list(apart.index) == ["exports", "imports"]
        assert apart.at["exports", "transfer"] == rows.at[("exports", "transfer"), "median"]

    def test_what_graduation_takes_and_an_agreement_saves(self) -> None:
        _, _, studies, found = _study()
        losses, cases = found.losses(), found.graduation()
        assert (losses.saved <= losses.lost).all()
        assert losses.lost.is_monotonic_decreasing
        none = cases[~cases.agreement].set_index("cell")
        assert -none.change.to_numpy() == pytest.approx(losses.lost.to_numpy())
        gains = {"imports": studies["imports", "graduation_2026"].gain}
        top = top_chapters(gains, {"imports": LINES}, {"imports": 50.0}, n=1)
        assert top.gain_usd_m.iloc[0] == pytest.approx(50 * gains["imports"].per_line[50].max())

    def test_paths_with_one_lie_above_and_another_partner_starts_at_the_same_level(self) -> None:
        outlook, _, _, found = _study()
        years = pd.Series(np.arange(1.0, 35.0), index=YEARS)
        drawn = trade_paths(outlook, found, "graduation_2026", years, years)
        assert drawn.at[2037, "with_50"] > drawn.at[2037, "without_50"]
        assert drawn.at[2026, "india_rebased"] == drawn.at[2026, "without_50"]
        assert drawn["recorded"].count() == 15

    def test_doubling_counts_draws(self) -> None:
        outlook, _, _, found = _study()
        none, agreed = doubling(outlook, found, start=2027)
        trade = sum(outlook.paths.values())
        by_hand = (1 + (trade[:, 13] >= 2 * trade[:, 2]).sum()) / 501
        assert none == pytest.approx(by_hand)
        assert 0 < none <= agreed < 1

    def test_a_partner_without_record_has_no_effect_but_no_crash(self) -> None:
        empty = paths("P003")
        found = effects(empty, {}, {}, start=2027, horizon=5, cells=("x",), rng=np.random.default_rng(1))
        assert (found.headline, found.cells, len(found.summary())) == (None, (), 0)
        assert doubling(empty, found, start=2027) is None
        assert trade_paths(empty, found, "x", pd.Series(dtype=float), pd.Series(dtype=float)).empty
        assert drivers(found, empty, {}, TERMS, cell="x", seed=1).empty


def test_drivers_order_by_swing_and_respect_signs() -> None:
    outlook, tariff, _, found = _study()
    table = drivers(found, outlook, tariff, TERMS, cell="graduation_2026", seed=3)
    swing = (table.high - table.low).abs()
    assert swing.is_monotonic_decreasing
    rows = table.set_index("input")
    for name in ("Trade without an agreement", "Partner's growth", "Use of the preference", "Method"):
        assert rows.at[name, "low"] < rows.at[name, "high"], name
    assert rows.at["Duties cut", "high"] >= rows.at["Duties cut", "low"]


def test_net_predictions_take_chance_out() -> None:
    index = pd.MultiIndex.from_product([[f"A{i}" for i in range(12)], ["exports"]], names=["agreement", "direction"])
    values = pd.Series(0.1 + 0.3 * np.linspace(-1, 1, 12), index=index)
    covariance = pd.DataFrame(1e-4 * np.eye(12), index=index, columns=index)

    class Found:
        effects = values

    Found.covariance = covariance
    narrow = net_predictions(Found, pd.Series(0.3, index=index))["exports"]
    wide = net_predictions(Found, pd.Series(1e-6, index=index))["exports"]
    assert narrow.weight @ narrow.tau < wide.weight @ wide.tau
    assert narrow.quantile(0.5) == pytest.approx(0.1, abs=0.02)
    assert exp(wide.quantile(0.5)) == pytest.approx(exp(0.1), abs=0.02)


def _both(value: float) -> dict[str, float]:
    return {"exports": value, "imports": value}


def _slow_coverage(found, flow: str) -> float:
    errors, weight = found.errors[flow], found.weight
    partners = errors.index.get_level_values("partner")
    total = 0.0
    for key in errors.index:
        held = []
        for k in (1, 3, 5, 10):
            if np.isnan(errors.at[key, k]):
                continue
            others = errors.loc[(partners != key[0]), k].dropna().sort_values(kind="stable")
            mass = weight[others.index].cumsum() / weight[others.index].sum()
            low, high = (others[mass >= q - 1e-12].iloc[0] for q in (0.05, 0.95))
            held.append(low <= errors.at[key, k] <= high)
        total += weight[key] * np.mean(held)
    return total


def test_what_graduation_costs_grows_with_what_was_free() -> None:
    flow = TariffFlow(lines=LINES, access="dfqf", ends_after={"graduation_2026": 0})
    losses = [
        np.median(tariff_study(flow, replace(TERMS, duty_free=free), cell="graduation_2026", **RUN).loss[:, -1])
        for free in (0.0, 0.5, 0.95)
    ]
    assert losses[0] == 0
    assert losses[2] < losses[1] < 0
