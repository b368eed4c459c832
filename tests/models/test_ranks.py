"""Places among exporters: counted by hand, matched against enumeration and a closed form, known effects recovered."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import rank_race, ranks

EXACT = 1e-9  # arithmetic on a handful of floats
PATHS = 40_000
SIMULATED = 4 * 0.5 / PATHS**0.5  # four standard errors of a share of one half
MEMBERS = ("AAA", "BBB", "KOR")


def panel(values: dict[str, list[float]], years: list[int]) -> pd.DataFrame:
    return pd.DataFrame(values, index=pd.PeriodIndex([str(y) for y in years], freq="Y-DEC"), dtype=float)


def race(levels: list[float], drift: list[float], volatility: list[float], drift_sd: float = 0.0) -> pd.DataFrame:
    """Three exporters whose growth is known exactly."""
    columns = {"usd_m": levels, "drift": drift, "drift_sd": drift_sd, "volatility": volatility, "freedom": np.inf}
    frame = pd.DataFrame(columns, index=list(MEMBERS))
    frame.attrs = {"origin_year": 2024, "observed_correlation": None}
    return frame


def coin(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    """Shocks of plus or minus one, equally likely."""
    return 2.0 * rng.integers(0, 2, size) - 1.0


def enumerated(r: pd.DataFrame, years: int, rho: float) -> np.ndarray:
    """Exact shares (member, rank) by walking through every outcome of every coin: the slow obvious way."""
    shares, outcomes = np.zeros((3, 3)), list(product((-1, 1), repeat=4 * years))
    for faces in outcomes:
        end = []
        for i in range(3):
            level = np.log(r.usd_m.iloc[i])
            for year in range(years):
                common, own = faces[4 * year], faces[4 * year + 1 + i]
                level += r.drift.iloc[i] + r.volatility.iloc[i] * (rho**0.5 * common + (1 - rho) ** 0.5 * own)
            end.append(level)
        for i in range(3):
            shares[i, sum(other > end[i] for other in end)] += 1 / len(outcomes)
    return shares


class TestSimulate:
    @pytest.mark.parametrize("rho", [0.0, 0.37, 0.9])
    def test_matches_exact_enumeration_of_discrete_growth(self, rho: float) -> None:
        r = race([130.0, 101.0, 80.0], [0.02, -0.01, 0.05], [0.11, 0.23, 0.31])
        truth = enumerated(r, 2, rho)
        terms = {"target_year": 2026, "correlation": rho, "n_paths": PATHS, "seed": 3, "shocks": coin}
        for place in (1, 2):
            found = rank_race.simulate(r, home="KOR", place=place, **terms)
            assert found.probability == pytest.approx(truth[2, :place].sum(), abs=SIMULATED)
            assert found.field.chance.to_numpy() == pytest.approx(truth[:, :place].sum(axis=1), abs=SIMULATED)
        shares = np.bincount(found.ranks, minlength=4)[1:] / PATHS
        assert shares == pytest.approx(truth[2], abs=SIMULATED)

    @pytest.mark.parametrize(("rho", "sd"), [(0.0, 0.0), (0.6, 0.0), (0.3, 0.08)])
    def test_overtaking_one_rival_is_a_normal_tail(self, rho: float, sd: float) -> None:
        """Phi((log(K/A) + h d) / sqrt(h (sK^2 + sA^2 - 2 rho sK sA) + 2 h^2 sd^2)); B is out of reach."""
        s_a, s_k, h, d = 0.12, 0.30, 6, 0.03
        r = race([100.0, 1e-30, 60.0], [0.0, 0.0, d], [s_a, 0.1, s_k], drift_sd=sd)
        spread = (h * (s_a**2 + s_k**2 - 2 * rho * s_a * s_k) + 2 * (h * sd) ** 2) ** 0.5
        truth = stats.norm.cdf((np.log(0.6) + h * d) / spread)
        terms = {"home": "KOR", "place": 1, "target_year": 2024 + h, "correlation": rho, "n_paths": PATHS, "seed": 5}
        for every_year in (True, False):
            found = rank_race.simulate(r, **terms, every_year=every_year)
            assert found.probability == pytest.approx(truth, abs=SIMULATED)

    def test_drawn_variances_make_the_tail_that_of_students_t(self) -> None:
        """One year, a rival that stands still: log growth over s is t with the variance's degrees of freedom."""
        r = race([100.0, 1e-30, 60.0], [0.0] * 3, [1e-12, 1e-12, 0.2])
        r["freedom"] = [np.inf, np.inf, 4.0]
        terms = {"home": "KOR", "place": 1, "target_year": 2025, "correlation": 0.0, "n_paths": PATHS, "seed": 1}
        truth = stats.t.sf(np.log(1 / 0.6) / 0.2, df=4)
        assert rank_race.simulate(r, **terms).probability == pytest.approx(truth, abs=SIMULATED)

    @settings(max_examples=15, deadline=None)
    @given(st.floats(0, 1), st.floats(0.01, 100), st.integers(1, 2), st.integers(0, 2**31))
    def test_scale_and_common_growth_move_no_rank(self, rho: float, scale: float, place: int, seed: int) -> None:
        terms = {"home": "KOR", "place": place, "target_year": 2028, "correlation": rho, "n_paths": 400, "seed": seed}
        plain = rank_race.simulate(race([120.0, 90.0, 70.0], [0.0] * 3, [0.2] * 3), **terms)
        moved = rank_race.simulate(race([v * scale for v in (120.0, 90.0, 70.0)], [0.07] * 3, [0.2] * 3), **terms)
        assert moved.probability == pytest.approx(plain.probability, abs=3 / 400)  # rounding may tip a path
        assert plain.field.chance.sum() == pytest.approx((400 * place + 3) / 402, rel=EXACT)  # someone holds each place
        assert 0 < plain.probability < 1
        assert (plain.fan.lo_95 <= plain.fan.lo_80).all()
        assert (plain.fan.hi_80 <= plain.fan.hi_95).all()

    def test_the_places_level_is_that_of_the_others(self) -> None:
        r = race([120.0, 90.0, 500.0], [0.0] * 3, [1e-12] * 3)
        found = rank_race.simulate(r, home="KOR", place=1, target_year=2026, correlation=0, n_paths=100, seed=1)
        assert found.place_usd_m == pytest.approx(120.0, rel=1e-6)
        assert found.chance_of(0) == pytest.approx(1 / 102, rel=EXACT)
        assert found.levels(10.0) == pytest.approx(120.0 * 1.21, rel=1e-6)
        assert found.enough(121.0, 0.0) == pytest.approx(101 / 102, rel=EXACT)

    def test_refuses_what_it_cannot_rank(self) -> None:
        r = race([120.0, 90.0, 70.0], [0.0] * 3, [0.3] * 3)
        terms = {"home": "KOR", "place": 1, "target_year": 2030, "correlation": 0.2, "n_paths": 500, "seed": 1}
        for wrong, words in (
            ({"correlation": 1.2}, "from 0 to 1"),
            ({"place": 3}, "give 1 to 2"),
            ({"home": "JPN"}, "for JPN"),
            ({"target_year": 2024}, "years to the target"),
            ({"n_paths": 10}, "n_paths"),
        ):
            with pytest.raises(ModelInputError, match=words):
                rank_race.simulate(r, **terms | wrong)
        with pytest.raises(ModelInputError, match="no column drift"):
            rank_race.simulate(r.drop(columns="drift"), **terms)


def walks(seed: int, members: int, years: int, drift: np.ndarray, volatility: np.ndarray) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    logs = np.cumsum(drift + volatility * rng.standard_normal((years, members)), axis=0)
    index = pd.period_range("2000", periods=years, freq="Y-DEC")
    return pd.DataFrame(1000 * np.exp(logs), index=index, columns=["KOR", *(f"M{i:02}" for i in range(members - 1))])


class TestFit:
    def test_recovers_lasting_leads_from_a_long_record_and_gives_them_up_on_a_short_one(self) -> None:
        drift = np.linspace(-0.06, 0.06, 13)
        for years, keeps in ((400, 0.9), (6, 0.0)):
            found = rank_race.fit(walks(1, 13, years, drift, np.full(13, 0.15)).clip(lower=1e-30), "KOR").drift
            slope = np.polyfit(pd.Series(drift, walks(1, 13, 2, drift, np.ones(13)).columns)[found.index], found, 1)[0]
            assert (slope > keeps) if keeps else (slope < 0.8)

    def test_recovers_the_prior_of_the_variances(self) -> None:
        """Smyth's simulator: 1/sigma^2 ~ chi-square(d0)/(d0 s0^2), s^2 ~ sigma^2 chi-square(d)/d."""
        rng, d0, s0, d = np.random.default_rng(8), 6.0, 0.04, np.full(4000, 7.0)
        sigma2 = d0 * s0 / rng.chisquare(d0, 4000)
        sample = sigma2 * rng.chisquare(7, 4000) / 7
        moderated, common, prior = rank_race.moderated_variances(sample, d)
        assert prior == pytest.approx(d0, rel=0.15)
        assert common == pytest.approx(s0, rel=0.05)
        assert ((moderated - sigma2) ** 2).mean() < ((sample - sigma2) ** 2).mean()

    def test_spans_of_unequal_length_give_yearly_volatility(self) -> None:
        whole = walks(4, 30, 301, np.zeros(30), np.full(30, 0.2)) * 1.0
        sparse = whole.iloc[[*range(0, 200, 5), *range(200, 301)]]
        found = rank_race.fit(sparse.where(sparse > 0), sparse.iloc[-1].idxmin())
        assert found.volatility.median() == pytest.approx(0.2, rel=0.05)

    def test_drifts_are_relative_and_rules_differ(self) -> None:
        p = walks(2, 12, 15, np.full(12, 0.3), np.full(12, 0.1))
        equal, own, shrunken = (rank_race.fit(p, "KOR", rule=r) for r in ("equal", "own", "shrunken"))
        assert (equal.drift == 0).all()
        assert own.drift.mean() == pytest.approx(0, abs=0.02)
        assert own.drift.std() > shrunken.drift.std()
        assert (own.drift_sd >= shrunken.drift_sd).all()

    def test_far_smaller_exporters_are_no_contenders(self) -> None:
        p = walks(3, 12, 15, np.zeros(12), np.full(12, 0.01))
        p["M03"] /= 1000
        assert "M03" not in rank_race.fit(p, "KOR").index

    def test_a_newcomer_gets_what_is_common(self) -> None:
        p = walks(5, 12, 15, np.zeros(12), np.full(12, 0.1))
        p.loc[: p.index[-2], "KOR"] = np.nan
        found = rank_race.fit(p, "KOR")
        assert np.isfinite(found.volatility["KOR"])
        assert found.drift_sd["KOR"] == found.drift_sd.max()

    def test_refuses_a_home_not_held_and_too_short_a_record(self) -> None:
        p = walks(6, 12, 15, np.zeros(12), np.full(12, 0.1))
        with pytest.raises(ModelInputError, match="not held"):
            rank_race.fit(p, "JPN")
        with pytest.raises(ModelInputError, match="no span of years"):
            rank_race.fit(p.iloc[-1:], "KOR")
        with pytest.raises(ModelInputError, match="two spans"):
            rank_race.fit(p.iloc[-2:], "KOR")
        with pytest.raises(ModelInputError, match="give one of"):
            rank_race.fit(p, "KOR", rule="guess")


class TestChecksOfTheRace:
    def test_hindcast_sees_nothing_after_its_origin(self) -> None:
        p = walks(7, 12, 20, np.zeros(12), np.full(12, 0.2))
        terms = {"years": 6, "place": 3, "correlation": 0.2, "n_paths": 500, "seed": 1}
        first = rank_race.hindcast(p, "KOR", **terms)
        changed = p.copy()
        changed.iloc[-6:-1] *= 50.0
        assert rank_race.hindcast(changed, "KOR", **terms).chance.equals(first.chance)
        assert (first.attrs["origin_year"], first.attrs["end_year"]) == (2013, 2019)
        assert first.attrs["error"] == pytest.approx(((first.chance - first.hit) ** 2).mean(), rel=EXACT)
        assert first.hit.sum() == 3

    def test_hindcast_is_calibrated_where_nothing_changes(self) -> None:
        found = [
            rank_race.hindcast(
                walks(s, 12, 26, np.zeros(12), np.full(12, 0.2)),
                "KOR", years=6, place=4, correlation=0.0, n_paths=500, seed=s,
            )
            for s in range(40)
        ]  # fmt: skip
        every = pd.concat(found)
        assert every.chance.mean() == pytest.approx(every.hit.mean(), abs=0.02)
        assert every.inside_80.mean() > 0.75  # whole ranks cover at least what is asked
        sure = every[every.chance > 0.7]
        assert sure.hit.mean() == pytest.approx(sure.chance.mean(), abs=0.12)

    def test_hindcast_is_silent_before_the_record(self) -> None:
        p = walks(7, 12, 20, np.zeros(12), np.full(12, 0.2))
        terms = {"place": 3, "correlation": 0.2, "n_paths": 500, "seed": 1}
        for years in (18, 19, 25):
            assert rank_race.hindcast(p, "KOR", years=years, **terms) is None


class TestHistory:
    LADDER = panel(
        {"AAA": [50, 60, 70, 80], "BBB": [40, 30, 90, 20], "CCC": [None, 35, 40, 45], "KOR": [5, 10, 20, 30]},
        [2020, 2021, 2022, 2023],
    )

    def test_places_and_gap_by_hand(self) -> None:
        rungs = ranks.ladder(self.LADDER, "KOR", 1)
        assert list(rungs.rival) == ["AAA", "AAA", "BBB", "AAA"]
        assert list(rungs.home_rank) == [3, 4, 4, 3]
        assert list(rungs.multiple) == pytest.approx([10, 6, 4.5, 80 / 30], rel=EXACT)
        assert rungs.home_share_pct.iloc[-1] == pytest.approx(100 * 30 / 175, rel=EXACT)
        assert rungs.rival_share_pct.iloc[-1] == pytest.approx(100 * 80 / 175, rel=EXACT)

    def test_a_year_before_a_large_exporter_was_read_does_not_compare(self) -> None:
        assert ranks.first_comparable_year(self.LADDER, 1) == 2020
        assert ranks.first_comparable_year(self.LADDER, 2) == 2021
        assert ranks.comparable_standings(self.LADDER, 2).index[0] == 2021

    def test_placements_by_hand(self) -> None:
        found = ranks.placements(self.LADDER, "KOR", {"high": 46.0, "low": 34.0}, 2)
        assert list(found.would_rank) == [2, 3]
        assert list(found.last_year_enough) == [2023, None]
        assert found.share_of_place_pct["low"] == pytest.approx(100 * 34 / 45, rel=EXACT)

    def test_years_may_be_integers_or_dates(self) -> None:
        for index in (self.LADDER.index.year, self.LADDER.index.to_timestamp()):
            assert ranks.ladder(self.LADDER.set_axis(index, axis=0), "KOR", 1).equals(
                ranks.ladder(self.LADDER, "KOR", 1)
            )
        with pytest.raises(ModelInputError, match="dict was given"):
            ranks.standings({"KOR": 1.0})
        with pytest.raises(ModelInputError, match="each once"):
            ranks.standings(pd.concat([self.LADDER, self.LADDER]))

    def test_refuses_a_home_not_held_and_a_place_nobody_has(self) -> None:
        with pytest.raises(ModelInputError, match="not held"):
            ranks.ladder(self.LADDER, "CHN", 1)
        with pytest.raises(ModelInputError, match="fewer than 4"):
            ranks.ladder(self.LADDER, "KOR", 4)

    def test_entries_agree_with_a_loop(self) -> None:
        rng = np.random.default_rng(12)
        p = pd.DataFrame(np.exp(rng.normal(0, 1, (14, 9)).cumsum(axis=0) / 3)).set_axis(list("ABCDEFGHI"), axis=1)
        p.index = pd.period_range("2010", periods=14, freq="Y-DEC")
        found = ranks.entries(p, ranks=(4, 6), place=2, within_years=3)
        slow = []
        for origin in range(14 - 3):
            order = p.iloc[origin].sort_values(ascending=False).index
            for member in order[3:6]:
                best = min(
                    list(p.iloc[t].sort_values(ascending=False).index).index(member) + 1
                    for t in range(origin + 1, origin + 4)
                )
                slow.append((member, 2010 + origin, best <= 2))
        assert sorted(zip(found.member, found.origin, found.entered, strict=True)) == sorted(slow)
        starts = sorted(set(found.origin[found.apart]))
        assert np.diff(starts).min() >= 3
        assert max(starts) == 2020
        counted = ranks.entry_rates({"p": p}, ranks=(4, 6), place=2, within_years=3).loc["p"]
        assert (counted.starts, counted.entered) == (len(slow), sum(hit for *_, hit in slow))
        assert counted.low <= counted.entered_apart / counted.starts_apart <= counted.high

    def test_entries_keep_out_of_the_place_itself(self) -> None:
        p = walks(3, 12, 15, np.zeros(12), np.full(12, 0.3))
        assert ranks.entries(p, ranks=(1, 6), place=4, within_years=3)["rank"].min() == 5
        none = ranks.entry_rates({"p": p}, ranks=(2, 3), place=4, within_years=3).loc["p"]
        assert (none.starts, none.low, none.high) == (0, 0.0, 1.0)
        with pytest.raises(ModelInputError, match="give ranks"):
            ranks.entries(p, ranks=(), place=4, within_years=3)


class TestClimb:
    def test_growth_needed_closes_the_gap(self) -> None:
        found = ranks.growth_needed(50.0, 200.0, 6, {"still": 0.0, "fast": 10.0})
        assert 50 * (1 + found.needed_growth_pct["still"] / 100) ** 6 == pytest.approx(200, rel=EXACT)
        assert found.rival_usd_m["fast"] == pytest.approx(200 * 1.1**6, rel=EXACT)
        ratio = (1 + found.needed_growth_pct["fast"] / 100) / (1 + found.needed_growth_pct["still"] / 100)
        assert ratio == pytest.approx(1.1, rel=EXACT)

    def test_past_growth_takes_the_last_year_far_enough_back(self) -> None:
        y = panel({"A": [100, 120, 150, 200]}, [2000, 2005, 2010, 2020]).A
        assert ranks.past_growth(y, 6) == pytest.approx(100 * ((200 / 150) ** 0.1 - 1), rel=EXACT)
        assert ranks.past_growth(y.set_axis(y.index.year), 21) is None
        with pytest.raises(ModelInputError, match="list was given"):
            ranks.past_growth([1.0, 2.0], 1)

    def test_a_forecast_needs_eight_unbroken_years(self) -> None:
        y = pd.Series(np.linspace(100, 170, 8), index=pd.period_range("2010", periods=8, freq="Y-DEC"))
        growth = ranks.forecast_growth(y, 2, seed=1)
        assert 0 < growth < 100 * ((190 / 170) ** 0.5 - 1) + 0.2  # between standing still and the straight line
        assert ranks.forecast_growth(y.iloc[1:], 2, seed=1) is None
        assert ranks.forecast_growth(y.drop(y.index[4]), 2, seed=1) is None
