"""Places among exporters: counted by hand, simulated against a slow loop and a closed form, known effects recovered."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kbio_analysis.models import ranks
from kbio_analysis.models.growth_predictive import Components, components, predictive

EXACT = 1e-9  # arithmetic on a handful of floats
PATHS = 40_000
SIMULATED = 4 * 0.5 / PATHS**0.5  # four standard errors of a share of one half


def race(
    levels: list[float], own: list[float], *, residual: float, year: float = 0.0, own_sd: float = 0.0
) -> ranks.Race:
    """Three exporters whose leads are known to ``own_sd``, around a mean of nothing."""
    field = pd.DataFrame({"usd_m": levels, "own": own, "own_sd": own_sd}, index=["AAA", "BBB", "KOR"])
    variances = {"s2_mean": 0.0, "s2_year": year**2, "s2_exporter": 0.0, "s2_residual": residual**2, "s2_own": 0.0}
    common = Components(mean=0.0, own=0.0, n_years=10, **variances)
    return ranks.Race(field=field, common=common, origin_year=2024, home="KOR")


def slow(r: ranks.Race, years: int, paths: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Home's rank and log growth, path by path and year by year: the slow obvious way."""
    rng, ranked, grown = np.random.default_rng(seed), [], []
    for _ in range(paths):
        scale = (4 / rng.chisquare(6)) ** 0.5
        leads = r.field.own + scale * r.field.own_sd * rng.standard_normal(3)
        mean, logs = r.common.mean + scale * r.common.s2_mean**0.5 * rng.standard_normal(), np.log(r.field.usd_m)
        for _ in range(years):
            shared = scale * r.common.s2_year**0.5 * rng.standard_normal()
            logs = logs + mean + leads + shared + scale * r.common.s2_residual**0.5 * rng.standard_normal(3)
        ranked.append(1 + int((logs > logs["KOR"]).sum()))
        grown.append(logs["KOR"] - np.log(r.field.usd_m["KOR"]))
    return np.array(ranked), np.array(grown)


def test_matches_the_slow_loop() -> None:
    r = race([130.0, 101.0, 80.0], [0.02, -0.01, 0.05], residual=0.2, year=0.1, own_sd=0.03)
    r = replace(r, common=replace(r.common, mean=0.05, s2_mean=0.02**2))
    ranked, grown = slow(r, 3, 4000, 1)
    found = ranks.simulate(r, place=2, target_year=2027, n_paths=PATHS, seed=3)
    for place in (1, 2):
        assert found.chance_of(place) == pytest.approx((ranked <= place).mean(), abs=0.03)
    joint = found.together(1.3)
    assert joint["multiple"] == pytest.approx((grown >= np.log(1.3)).mean(), abs=0.03)
    assert joint["place_given_multiple"] == pytest.approx((ranked[grown >= np.log(1.3)] <= 2).mean(), abs=0.04)
    assert joint["multiple_given_place"] == pytest.approx((grown[ranked <= 2] >= np.log(1.3)).mean(), abs=0.04)


@pytest.mark.parametrize(("year", "sd"), [(0.0, 0.0), (0.3, 0.0), (0.1, 0.05)])
def test_overtaking_one_rival_is_a_student_tail(year: float, sd: float) -> None:
    """The difference of two is t with 6 degrees of freedom and variance 2 h s^2 + 2 h^2 sd^2; B is out of reach."""
    h, d, s = 6, 0.03, 0.2
    r = race([100.0, 1e-30, 60.0], [0.0, 0.0, d], residual=s, year=year, own_sd=sd)
    spread = (2 * h * s**2 + 2 * (h * sd) ** 2) ** 0.5
    truth = stats.t.cdf((np.log(0.6) + h * d) / (spread * (4 / 6) ** 0.5), df=6)
    found = ranks.simulate(r, place=1, target_year=2024 + h, n_paths=PATHS, seed=5)
    assert found.probability == pytest.approx(truth, abs=SIMULATED)


def walks(seed: int, members: int, years: int, drift: np.ndarray, volatility: np.ndarray) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    logs = np.cumsum(drift + volatility * rng.standard_normal((years, members)), axis=0)
    index = pd.period_range("2000", periods=years, freq="Y-DEC")
    return pd.DataFrame(1000 * np.exp(logs), index=index, columns=["KOR", *(f"M{i:02}" for i in range(members - 1))])


def test_homes_own_growth_is_the_predictive_of_the_forecast() -> None:
    p = walks(2, 12, 15, np.full(12, 0.08), np.full(12, 0.2))
    r = ranks.fit(p, "KOR")
    own = components(p.iloc[-13:].drop(columns="KOR"), own=p["KOR"].iloc[-13:])
    law = predictive(own, 6)
    found = ranks.simulate(r, place=3, target_year=r.origin_year + 6, n_paths=PATHS, seed=2)
    for multiple in (0.7, 1.5, 2.0, 4.0):
        assert found.together(multiple)["multiple"] == pytest.approx(law.above(np.log(multiple)), abs=SIMULATED)


def test_growth_that_is_known_is_taken_as_known() -> None:
    r = race([120.0, 90.0, 70.0], [0.0] * 3, residual=0.2)
    known = pd.DataFrame({"log_growth": [0.3, 0.2], "sd": [0.0, 0.0], "gap_sd": [0.0, 0.5]}, index=[2025, 2026])
    found = ranks.simulate(r, place=1, target_year=2026, n_paths=PATHS, seed=1, known=known)
    assert found.growth == pytest.approx(0.5, rel=EXACT)
    assert found.levels.loc[2025, ["home_lo_80", "home_hi_80"]].to_numpy() == pytest.approx(70 * np.exp(0.3))
    assert found.levels.at[2026, "home_hi_80"] == pytest.approx(70 * np.exp(0.5 + 0.5 * 1.2816), rel=0.02)


def test_scale_and_common_growth_move_no_rank() -> None:
    terms = {"place": 2, "target_year": 2028, "n_paths": 400, "seed": 7}
    plain = ranks.simulate(race([120.0, 90.0, 70.0], [0.0] * 3, residual=0.2), **terms)
    moved = race([v * 37.0 for v in (120.0, 90.0, 70.0)], [0.0] * 3, residual=0.2)
    moved = ranks.simulate(moved, **terms, rate=(0.07, 0.0))
    assert moved.probability == pytest.approx(plain.probability, abs=3 / 400)  # rounding may tip a path
    assert plain.field.chance.sum() == pytest.approx((400 * 2 + 3) / 402, rel=EXACT)  # someone holds each place
    assert (plain.fan.lo_95 <= plain.fan.lo_80).all()
    assert moved.place_at(0.0) == pytest.approx(37.0 * plain.place_at(0.0), rel=1e-6)


def test_the_places_level_is_that_of_the_others() -> None:
    r = race([120.0, 90.0, 500.0], [0.0] * 3, residual=1e-12)
    found = ranks.simulate(r, place=1, target_year=2026, n_paths=100, seed=1)
    assert found.place_usd_m == pytest.approx(120.0, rel=1e-6)
    assert found.chance_of(0) == pytest.approx(1 / 102, rel=EXACT)
    assert found.place_at(10.0) == pytest.approx(120.0 * 1.21, rel=1e-6)
    assert found.enough(121.0) == pytest.approx(101 / 102, rel=EXACT)
    assert found.together(5.0)["place_given_multiple"] is None


def test_rules_differ_and_far_smaller_exporters_are_no_contenders() -> None:
    p = walks(2, 12, 13, np.linspace(-0.1, 0.1, 12), np.full(12, 0.1))
    p["M03"] /= 1e6
    equal, own, shrunken = (ranks.fit(p, "KOR", rule=r).field for r in ("equal", "own", "shrunken"))
    assert "M03" not in own.index
    assert (equal[["own", "own_sd"]] == 0).all().all()
    assert own.own.std() > shrunken.own.std()
    assert (own.own_sd >= shrunken.own_sd).all()


def test_opinions_are_weighed_by_their_errors() -> None:
    r = race([120.0, 90.0, 70.0], [0.0] * 3, residual=0.3)
    r = replace(r, common=replace(r.common, mean=0.1, s2_mean=0.06**2))
    rate, s2 = r.rate([(100 * np.expm1(0.04), 3 * np.exp(0.04))])
    assert rate == pytest.approx(0.2 * 0.1 + 0.8 * 0.04, rel=EXACT)
    assert s2 == pytest.approx(0.8 * 0.03**2, rel=EXACT)


def test_growth_counted_elsewhere_by_hand() -> None:
    years = pd.period_range("2021", periods=4, freq="Y-DEC")
    own = pd.Series([100.0, 110.0, 121.0], index=years[:3])
    other = pd.Series([50.0, 60.0, 60.0, 90.0], index=years)
    found = ranks.known_growth(own, other, {})
    gaps = [np.log(1.2) - np.log(1.1), 0 - np.log(1.1)]
    assert found.log_growth.to_dict() == pytest.approx({2024: np.log(1.5)}, rel=EXACT)
    assert (found.sd[2024], found.attrs["nowcast_year"]) == (0.0, None)
    assert found.gap_sd.unique() == pytest.approx([np.mean(np.square(gaps)) ** 0.5], rel=EXACT)
    months = pd.period_range("2021-01", "2025-06", freq="M")
    monthly = {"x": pd.Series(np.exp(0.1 * (months.year - 2021)), index=months)}
    ahead = ranks.known_growth(own, other, monthly)
    assert ahead.attrs["nowcast_year"] == 2025
    assert ahead.log_growth[2025] == pytest.approx(0.1, rel=1e-6)
    assert ranks.known_growth(own, other.iloc[:2], {}) is None
    assert ranks.known_growth(own.iloc[2:], other, {}) is None


TERMS = {"years": 6, "place": 3, "n_paths": 500, "seed": 1}


def test_hindcast_sees_nothing_after_its_origin() -> None:
    p = walks(7, 12, 20, np.zeros(12), np.full(12, 0.2))
    first = ranks.hindcast(p, **TERMS)
    changed = p.copy()
    changed.iloc[-6:-1] *= 50.0
    again = ranks.hindcast(changed, **TERMS)
    last = first.origin == 2013
    assert again[again.origin == 2013].chance.tolist() == first[last].chance.tolist()
    assert ranks.hindcast(p, **TERMS | {"years": 25}).empty
    assert first.groupby("origin").hit.sum().eq(3).all()


def test_hindcast_is_calibrated_where_nothing_changes() -> None:
    found = [ranks.hindcast(walks(s, 12, 26, np.zeros(12), np.full(12, 0.2)), **TERMS) for s in range(6)]
    every = pd.concat(found)
    assert every.chance.mean() == pytest.approx(every.hit.mean(), abs=0.02)
    assert every.inside_80.mean() > 0.75  # whole ranks cover at least what is asked
    sure = every[every.chance > 0.7]
    assert sure.hit.mean() == pytest.approx(sure.chance.mean(), abs=0.12)


LADDER = pd.DataFrame(
    {"AAA": [50, 60, 70, 80], "BBB": [40, 30, 90, 20], "CCC": [np.nan, 35, 40, 45], "KOR": [5, 10, 20, 30]},
    [2020, 2021, 2022, 2023],
)


def test_places_gaps_and_placements_by_hand() -> None:
    rungs = ranks.ladder(LADDER, "KOR", 1)
    assert list(rungs.rival) == ["AAA", "AAA", "BBB", "AAA"]
    assert list(rungs.home_rank) == [3, 4, 4, 3]
    assert list(rungs.multiple) == pytest.approx([10, 6, 4.5, 80 / 30], rel=EXACT)
    assert rungs.gap_points.iloc[-1] == pytest.approx(100 * 50 / 175, rel=EXACT)
    # At the second place the year before a large exporter was read does not compare.
    assert (ranks.first_comparable_year(LADDER, 1), ranks.comparable_standings(LADDER, 2).index[0]) == (2020, 2021)
    found = ranks.placements(LADDER, "KOR", {"high": 46.0, "low": 34.0}, 2)
    assert list(found.would_rank) == [2, 3]
    assert list(found.last_year_enough) == [2023, None]
    assert found.share_of_place_pct["low"] == pytest.approx(100 * 34 / 45, rel=EXACT)


@pytest.mark.parametrize(("band", "place"), [((4, 6), 2), ((1, 6), 4)])
def test_entries_agree_with_a_loop(band: tuple[int, int], place: int) -> None:
    rng = np.random.default_rng(12)
    p = pd.DataFrame(np.exp(rng.normal(0, 1, (14, 9)).cumsum(axis=0) / 3)).set_axis(list("ABCDEFGHI"), axis=1)
    p.index = pd.period_range("2010", periods=14, freq="Y-DEC")
    terms = {"place": place, "within_years": 3}
    found = ranks.entry_cases(p, ranks=band, **terms)
    slow = []
    for origin in range(14 - 3):
        order = p.iloc[origin].sort_values(ascending=False).index
        for member in order[max(band[0] - 1, place) : band[1]]:
            best = min(
                list(p.iloc[t].sort_values(ascending=False).index).index(member) + 1
                for t in range(origin + 1, origin + 4)
            )
            slow.append((member, 2010 + origin, best <= place))
    assert sorted(zip(found.member, found.origin, found.entered, strict=True)) == sorted(slow)
    starts = sorted(set(found.origin[found.apart]))
    assert np.diff(starts).min() >= 3
    assert max(starts) == 2020
    counted = ranks.entry_rates({"p": p}, ranks=band, **terms).loc["p"]
    assert (counted.starts, counted.entered) == (len(slow), sum(hit for *_, hit in slow))
    assert counted.low <= counted.entered_apart / counted.starts_apart <= counted.high
    none = ranks.entry_rates({"p": p}, ranks=(1, place), **terms).loc["p"]
    assert (none.starts, none.low, none.high) == (0, 0.0, 1.0)
