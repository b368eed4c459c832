"""Odds of an export target: counted by hand on small panels, recovered from a simulator, and slow twins."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import export_target
from kbio_analysis.models.export_evidence import coverage, drivers, hindcast, prior_odds
from kbio_analysis.models.export_target import MIN_CASES, Position, odds, position

EXACT = 1e-9  # arithmetic on a handful of floats
SIMULATED = 0.04  # three standard errors of a share of 0.5 in 1,500 members
GOAL = {"target_multiple": 2.0, "target_year": 2030, "segment_growth_pct": 11.9, "levels": (80, 95)}


def yearly(values: dict[int, float]) -> pd.Series:
    return pd.Series(list(values.values()), index=pd.PeriodIndex([str(y) for y in values], freq="Y-DEC"), dtype=float)


def panel_of_growth(rates_pct: list[float], years: int = 13, start: float = 100.0) -> pd.DataFrame:
    """Members growing at constant rates, 2012 to 2024."""
    index = pd.period_range("2012", periods=years, freq="Y-DEC")
    return pd.DataFrame(
        {f"m{i}": start * (1 + r / 100) ** np.arange(years) for i, r in enumerate(rates_pct)}, index=index
    )


def at_base() -> Position:
    return position(yearly({2023: 100.0, 2024: 110.0}), base_year=2024, base_usd_m=5800.0, until=2030)


class TestPosition:
    def test_moves_the_base_by_the_growth_of_the_series(self) -> None:
        p = position(yearly({2023: 3900, 2024: 5510, 2025: 6520}), base_year=2024, base_usd_m=5800, until=2030)
        assert p.latest_year == 2025
        assert p.latest_usd_m == pytest.approx(5800 * 6520 / 5510, rel=EXACT)
        assert p.growth_since_base_pct == pytest.approx(100 * (6520 / 5510 - 1), rel=EXACT)
        assert list(p.history.index) == [2024, 2025]
        assert p.pace_pct == pytest.approx(p.growth_since_base_pct, rel=EXACT)

    def test_stops_at_a_gap_and_at_the_last_year_asked_for(self) -> None:
        y = yearly({2024: 100, 2025: 110, 2027: 150})
        assert position(y, base_year=2024, base_usd_m=1.0, until=2030).latest_year == 2025
        assert position(y, base_year=2024, base_usd_m=1.0, until=2024).latest_year == 2024

    def test_a_series_without_the_base_year_leaves_the_base(self) -> None:
        p = position(yearly({2019: 1.0, 2020: 2.0}), base_year=2024, base_usd_m=5800, until=2030)
        assert (p.latest_year, p.latest_usd_m, p.growth_since_base_pct) == (2024, 5800, None)


class TestOdds:
    def test_counts_by_hand(self) -> None:
        rates = [0, 2, 5, 8, 11, 12, 13, 15, 20, 25]
        found = odds(at_base(), {"panel": panel_of_growth(rates)}, **GOAL)
        needed = 100 * (2 ** (1 / 6) - 1)
        hits = sum(r >= needed for r in rates)
        assert found.required_growth_pct == pytest.approx(needed, rel=EXACT)
        assert found.p_target == pytest.approx((1 + hits) / (1 + len(rates)), rel=EXACT)
        assert found.p_segment == pytest.approx((1 + sum(r >= 11.9 for r in rates)) / (1 + len(rates)), rel=EXACT)
        assert found.by_class.loc["panel", "median_growth_pct"] == pytest.approx(11.5, abs=0.01)

    def test_classes_weigh_the_same_however_many_members_they_have(self) -> None:
        classes = {"few": panel_of_growth([20.0] * MIN_CASES), "many": panel_of_growth([0.0] * 99)}
        found = odds(at_base(), classes, **GOAL)
        assert found.p_target == pytest.approx((1.0 + 0.01) / 2, rel=EXACT)
        assert found.bands.loc[2030, "lo_80"] == pytest.approx(5800, rel=EXACT)
        assert found.bands.loc[2030, "hi_80"] == pytest.approx(5800 * 1.2**6, rel=EXACT)

    def test_recovers_the_known_chance_of_a_simulator(self) -> None:
        """Log growth N(mu, s) a year, independent: P(double in 6 years) is a normal tail."""
        from scipy import stats

        rng, mu, s, m = np.random.default_rng(7), 0.10, 0.12, 1500
        logs = np.vstack([np.zeros(m), rng.normal(mu, s, (6, m)).cumsum(axis=0)])
        panel = pd.DataFrame(100 * np.exp(logs), index=pd.period_range("2018", periods=7, freq="Y-DEC"))
        truth = stats.norm.sf((np.log(2) - 6 * mu) / (s * 6**0.5))
        assert odds(at_base(), {"sim": panel}, **GOAL).p_target == pytest.approx(truth, abs=SIMULATED)

    def test_the_window_is_the_latest_and_one_a_member(self) -> None:
        panel = panel_of_growth([0.0] * MIN_CASES, years=20)
        panel.iloc[0] = 1e-3 * panel.iloc[0]  # an early jump that the latest window must not see
        found = odds(at_base(), {"panel": panel}, **GOAL)
        assert found.by_class.loc["panel", "n_cases"] == MIN_CASES
        assert found.paths.to_numpy() == pytest.approx(5800, rel=EXACT)

    def test_a_class_with_few_members_is_silent_and_says_why(self) -> None:
        classes = {"small": panel_of_growth([10.0] * (MIN_CASES - 1)), "whole": panel_of_growth([10.0] * MIN_CASES)}
        found = odds(at_base(), classes, **GOAL)
        assert list(found.by_class.index) == ["whole"]
        assert found.left_out == {"small": MIN_CASES - 1}

    def test_refuses_when_nobody_can_speak_or_the_target_is_past(self) -> None:
        with pytest.raises(ModelInputError, match="earlier target year"):
            odds(at_base(), {"short": panel_of_growth([10.0] * 20, years=5)}, **GOAL)
        with pytest.raises(ModelInputError, match="after the base year"):
            odds(at_base(), {"p": panel_of_growth([10.0] * 20)}, **GOAL | {"target_year": 2024})

    def test_an_observed_target_year_is_certain(self) -> None:
        y = yearly({2024: 100, 2025: 150})
        for multiple, truth in ((1.4, 1.0), (1.6, 0.0)):
            start = position(y, base_year=2024, base_usd_m=10.0, until=2025)
            goal = GOAL | {"target_multiple": multiple, "target_year": 2025}
            found = odds(start, {"p": panel_of_growth([5.0] * 9)}, **goal)
            assert found.p_target == truth
            assert found.required_growth_pct is None

    def test_doubling_year_is_where_constant_growth_doubles(self) -> None:
        for rate in (15.0, 5.0):  # inside the target year, and beyond it
            found = odds(at_base(), {"p": panel_of_growth([rate] * 9)}, **GOAL)
            assert found.median_doubling_year == pytest.approx(2024 + np.log(2) / np.log1p(rate / 100), abs=1e-6)
        shrinking = odds(at_base(), {"p": panel_of_growth([-3.0] * 9)}, **GOAL)
        assert shrinking.median_doubling_year == float("inf")


def test_weighted_quantile_agrees_with_repeating_the_values() -> None:
    rng = np.random.default_rng(3)
    values, counts = rng.normal(size=40), rng.integers(1, 6, 40)
    for level in (0.025, 0.1, 0.5, 0.9, 0.975):
        slow = np.quantile(np.repeat(values, counts), level, method="inverted_cdf")
        assert export_target.weighted_quantile(values, counts.astype(float), level) == slow


class TestPrior:
    def test_a_certain_rate_rules_and_a_doubtful_one_yields_to_the_class(self) -> None:
        rng = np.random.default_rng(11)
        steps = rng.normal(0.03, 0.10, (12, 40))
        panel = pd.DataFrame(100 * np.exp(np.vstack([np.zeros(40), steps.cumsum(axis=0)])))
        panel.index = pd.period_range("2012", periods=13, freq="Y-DEC")
        kw = {"growth_pct": 11.9, "target_usd_m": 11600.0, "target_year": 2030}
        prior = prior_odds(at_base(), panel, errors_points=[0.01, 300.0], **kw)
        assert prior.weight_rate.iloc[0] > 0.99
        assert prior.growth_pct.iloc[0] == pytest.approx(11.9, abs=0.05)
        assert prior.growth_pct.iloc[1] == pytest.approx(100 * np.expm1(steps.mean()), abs=0.8)

    def test_says_nothing_when_no_year_is_left(self) -> None:
        kw = {"growth_pct": 5.0, "errors_points": [1.0], "target_usd_m": 1.0, "target_year": 2024}
        assert prior_odds(at_base(), panel_of_growth([1.0] * 9), **kw).empty


class TestHindcast:
    def test_agrees_with_a_loop_over_members(self) -> None:
        rng = np.random.default_rng(9)
        panel = pd.DataFrame(10_000 * np.exp(rng.normal(0.08, 0.2, (15, 12)).cumsum(axis=0)))
        panel.index = pd.period_range("2010", periods=15, freq="Y-DEC")
        found = hindcast({"p": panel}, years=5, multiple=1.5, levels=(80,)).loc["p"]
        chances, hits, inside = [], [], 0
        for member in panel:
            others = [float(panel[o].iloc[9] / panel[o].iloc[4]) for o in panel if o != member]
            outcome = float(panel[member].iloc[14] / panel[member].iloc[9])
            chances.append((1 + sum(g >= 1.5 for g in others)) / 12)
            hits.append(float(outcome >= 1.5))
            inside += sorted(others)[0] <= outcome <= sorted(others)[-1]  # 11 others: 80% needs ranks 1 and 11
        assert found.predicted == pytest.approx(np.mean(chances), rel=EXACT)
        assert found.observed == pytest.approx(np.mean(hits), rel=EXACT)
        assert found.covered_80 == inside

    def test_intervals_cover_what_they_promise_when_nothing_changes(self) -> None:
        rng = np.random.default_rng(21)
        panel = pd.DataFrame(1000 * np.exp(rng.normal(0.05, 0.2, (11, 400)).cumsum(axis=0)))
        panel.index = pd.period_range("2014", periods=11, freq="Y-DEC")
        row = hindcast({"p": panel}, years=5, multiple=2.0, levels=(80, 95)).loc["p"]
        assert row.covered_80 / row.n == pytest.approx(0.80, abs=0.06)
        assert row.covered_95 / row.n == pytest.approx(0.95, abs=0.03)
        assert not coverage(row.to_frame().T, (80, 95))[["too_few", "too_many"]].any(axis=None)

    def test_coverage_says_on_which_side_it_misses(self) -> None:
        found = coverage(pd.DataFrame({"n": [50, 50], "covered_50": [50, 48], "covered_95": [40, 40]}), (95, 50))
        assert found.loc[50, ["covered", "too_few", "too_many"]].tolist() == [98, False, True]
        assert found.loc[95, ["covered", "too_few", "too_many"]].tolist() == [80, True, False]

    def test_a_short_class_is_left_out(self) -> None:
        assert hindcast({"p": panel_of_growth([5.0] * 20, years=7)}, years=5, multiple=2.0, levels=(80,)).empty


def test_drivers_bracket_the_chosen_case() -> None:
    classes = {"a": panel_of_growth(list(range(0, 30, 2))), "b": panel_of_growth(list(range(-5, 10)))}
    start = position(yearly({2024: 100.0, 2025: 118.0}), base_year=2024, base_usd_m=5800.0, until=2030)
    chosen = odds(start, classes, **GOAL)
    found = drivers(start, classes, GOAL, nearest_usd_m=5510.0)
    assert (found.p_target_low <= chosen.p_target).all()
    assert (found.p_target_high >= chosen.p_target).all()
    assert found.loc["Reference class", "p_target_high"] > found.loc["Reference class", "p_target_low"]
