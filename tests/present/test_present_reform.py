"""Sentences of the reform notebook stay true at both ends of every number they hold."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.models.pipeline import PHASES, candidates_needed, chances_of, prospects, shares_needed
from kbio_analysis.models.reform_clock import Step, Track, simulate, tornado
from kbio_analysis.models.segment_share import segment_share
from kbio_analysis.models.trial_hub import hub_race
from kbio_analysis.present import figures, reform
from kbio_analysis.present.figures import canvas
from kbio_analysis.present.reform import clock
from kbio_analysis.present.reform.hub import place

UPTAKE = (0.11, 0.31, 0.58, 0.76, 0.89, 1.0)
ASSUMED = {
    "delivered_pct": (25, 75, 100),
    "launch_lag_days": (30, 90, 270),
    "peak_usd_m": (353, 510, 816),
    "clock_share_pct": (1, 1.4, 10),
    "years_to_peak": (4, 6, 9),
    "sales_years": (10, 13.5, 16),
    "price_fall_pct": (0, 0, 0),
    "discount_pct": (9, 10.5, 11),
}


def gain(years: float = 4.5, **changes: tuple[float, float, float]):
    step = Step(before_days=330, after_days=150, spread=(0.72, 0.9, 1.2))
    track = Track(name="New drug", steps=(step,), assumptions=ASSUMED | changes, uptake=UPTAKE)
    return simulate(track, years_to_target=years, n=400, seed=1)


class TestClock:
    def test_gain_and_value_print_the_medians(self) -> None:
        found = gain()
        assert f"{found.draws.months_gained.median():.1f} months sooner" in reform.gain_sentence(found)
        assert clock.money(found.draws.npv_usd_m.median()) in reform.value_sentence(found, target_year=2030)
        assert "the announced cut is 5.9 months" in reform.gain_sentence(found)

    def test_nothing_delivered_reads_as_nothing(self) -> None:
        none = gain(delivered_pct=(0, 0, 0))
        assert "gains no time" in reform.gain_sentence(none)
        assert "worth nothing at these values" in reform.value_sentence(none, target_year=2030)
        assert "none can be priced" in reform.day_sentence([none], published_day_usd_m=0.5)
        assert "no time and no present value" in reform.answer_clock([none])
        assert "no assumption alone" in reform.tornado_sentence("New drug", tornado(none.track, years_to_target=4.5))

    def test_a_start_after_the_target_brings_no_revenue_in_time_but_value(self) -> None:
        text = reform.value_sentence(gain(years=-1), target_year=2026)
        assert "adds no revenue by the end of 2026" in text
        assert "US$" in text

    def test_sales_that_do_not_wait_bring_no_value_though_the_ceiling_stands(self) -> None:
        text = reform.value_sentence(gain(clock_share_pct=(0, 0, 0)), target_year=2030)
        assert "no present value on the sales" in text
        assert "if all of its sales in the world waited, the present value would be US$" in text

    @pytest.mark.parametrize(
        ("days", "where"), [(50.0, "below both"), (330.0, "between the two"), (900.0, "above both")]
    )
    def test_the_listing_time_is_placed_beside_the_measured_ones(self, days: float, where: str) -> None:
        keys = [("listing_mean", f"{a} to decision 2014-2016") for a in ("application", "approval")]
        published = pd.Series([4.79, 13.4], index=pd.MultiIndex.from_tuples(keys))
        assert where in reform.listing_check_sentence(published, before_days=days)

    @pytest.mark.parametrize(
        ("triple", "basis"),
        [
            ((4, 6, 9), "published range"),
            ((2, 6, 9), "reaches beyond"),
            ((10, 12, 20), "away from the published"),
        ],
    )
    def test_a_range_is_called_published_only_if_it_is(self, triple: tuple, basis: str) -> None:
        key = ("new_drug", "years_to_peak")
        table = reform.assumption_table({key: triple}, {key: (4.0, 9.0)})
        assert table.Basis.tolist() == [basis]
        assert reform.assumption_table({key: triple}, {}).Basis.tolist() == ["our assumption"]
        assert reform.assumption_table({key: (5, 6, 7)}, {key: (6.0, 6.0)}).Basis.tolist() == ["one published figure"]
        assert "The page assumes 1 range: 1 " in reform.assumption_sentence(table)

    @pytest.mark.parametrize(
        ("value", "text"),
        [(0.001, "nothing"), (0.07, "US$0.07m"), (3.42, "US$3.4m"), (97.3, "US$97m"), (-2.0, "−US$2.0m")],
    )
    def test_money_keeps_small_values_readable(self, value: float, text: str) -> None:
        assert clock.money(value) == text

    def test_dates_as_years(self) -> None:
        assert reform.year_fraction(date(2026, 1, 1)) == 2026
        assert reform.years_left(date(2029, 12, 31), 2030) == pytest.approx(1, abs=0.001)
        assert reform.years_left(date(2031, 12, 31), 2030) < 0


def pipeline(share=(0.026, 0.118, 0.39), *, rates=(0.47, 0.28, 0.55, 0.92), counts=(209, 158, 54, 12), **changes):
    frame = pd.DataFrame(
        {"candidates": counts, "success": rates, "years": (1.5, 2.5, 2.5, 0.9)}, index=pd.Index(PHASES, name="phase")
    )
    terms = {"today": 2026.5, "total_years_long": 10.5, "phase_done": 0.5, "years_to_mark": 3, "target_year": 2030}
    found, cases = prospects(frame, **terms | changes), reform.case_shares([100 * s for s in share])
    return found, candidates_needed(found, 3, cases), chances_of(found, 3, cases), list(cases)[1]


class TestBlockbusters:
    def test_numbers_in_the_sentence_are_those_of_the_table(self) -> None:
        found, needed, chances, case = pipeline()
        assert f"{int(needed.loc[('phase3', case), 0.5])} in phase III alone" in reform.needed_sentence(needed, 3, case)
        assert "75 approvals" in reform.pipeline_sentence(found, chances, 3)
        assert "fits only 2.6%" in reform.answer_blockbusters(found, needed, chances, 3, case, new_drugs=36)

    def test_no_time_left_is_said(self) -> None:
        found, needed, chances, case = pipeline(target_year=2027)
        text = reform.deadline_sentence(found, chances, 3)
        assert text.count("no candidate can") == 2
        assert "is none on the shortest" in reform.answer_blockbusters(found, needed, chances, 3, case, new_drugs=36)

    def test_impossible_shares_are_refused_in_words(self) -> None:
        found, needed, chances, case = pipeline(share=(0.0, 0.0, 0.0))
        assert "not even a million" in reform.needed_sentence(needed, 3, case)
        assert "over a million" in reform.answer_blockbusters(found, needed, chances, 3, case, new_drugs=36)
        assert "fits what was tried" in reform.answer_blockbusters(found, needed, chances, 3, case, new_drugs=36)

    def test_certain_shares_leave_no_doubt(self) -> None:
        found, needed, chances, case = pipeline(share=(1.0, 1.0, 1.0))
        text = reform.answer_blockbusters(found, needed, chances, 3, case, new_drugs=36)
        assert "fits nothing tried" in text
        assert "over 99%" in text

    @pytest.mark.parametrize(("share", "words"), [([1, 2, 5], "compatible with"), ([5, 20, 40], "hard to square with")])
    def test_the_record_is_held_against_the_likely_share(self, share: list[float], words: str) -> None:
        assert words in reform.record_sentence(new_drugs=36, best_usd_m=950, share_pct=share)

    def test_a_small_pipeline_cannot_give_three(self) -> None:
        found, *_ = pipeline(counts=(0, 0, 0, 2))
        assert "Even if every approval" in reform.share_needed_sentence(shares_needed(found, 3), 3)

    def test_rates_are_compared_with_their_total(self) -> None:
        totals = pd.Series({("success_phase1_to_approval", "A"): 6.7, ("success_phase1_to_approval", "B"): 9.6})
        found, *_ = pipeline()
        assert "as its publisher says" in reform.rates_sentence(found, totals, "A")
        assert "where its publisher says 9.6%" in reform.rates_sentence(found, totals, "B")


def hub(latest: int = 6, own: float = 3.46, until: int = 2024, **goal: float):
    ranks = {2019: 8, 2020: 6, 2021: 6, 2022: 5, 2023: 4, 2024: latest}
    ranks = {year: rank for year, rank in ranks.items() if year <= until}
    rows = [("all_trials", "rank", "KOR", y, r) for y, r in ranks.items()]
    shares = {"USA": 21.15, "CHN": 14.59, "AUS": 4.24, "KOR": own}
    rows += [("all_trials", "share_pct", g, until, v) for g, v in shares.items()]
    rows += [("single_country", "rank", "KOR", y, 3) for y in (2023, 2024)]
    trials = pd.DataFrame(rows, columns=["scope", "measure", "geo", "year", "value"])
    terms = {"home": "KOR", "target_rank": 3, "target_year": 2030, "rival_growth_pct": 0.0, "seed": 1}
    return hub_race(trials, **terms | goal)


class TestHub:
    def test_behind_and_ahead(self) -> None:
        assert "0.78 points more" in reform.gap_sentence(hub(), rival_growth_pct=0.0)
        assert "must grow 3.4% a year" in reform.gap_sentence(hub(), rival_growth_pct=0.0)
        ahead = reform.gap_sentence(hub(own=5.0), rival_growth_pct=0.0)
        assert "0.76 points less" in ahead
        assert "and still meet it" in ahead

    def test_the_chance_reads_with_its_error_and_the_second_reading_or_its_absence(self) -> None:
        text = reform.chance_sentence(hub())
        assert "5 yearly moves" in text
        assert "too few for a second reading" in text

    def test_scopes_that_met_the_aim_are_named(self) -> None:
        assert "By single-country trials the aim has been met" in reform.scope_sentence(hub())
        best = reform.scope_sentence(hub(latest=3))
        assert "all industry-sponsored drug trials and single-country trials" in best

    def test_vintages_up_down_and_unchanged(self) -> None:
        earlier = hub(until=2023)
        assert "points down" in reform.vintage_sentence(earlier, hub(latest=9))
        assert "points up" in reform.vintage_sentence(hub(until=2022), hub(latest=2))
        assert "unchanged" in reform.vintage_sentence(hub(), hub())

    def test_base_rate_counts_the_years_held(self) -> None:
        assert "In none of the 6 years" in reform.base_rate_sentence(hub())
        assert "In 1 of the 6 years" in reform.base_rate_sentence(hub(latest=2))

    def test_places_in_words(self) -> None:
        assert [place(n) for n in (1, 3, 6, 11, 12, 21, 22)] == [
            "first",
            "third",
            "6th",
            "11th",
            "12th",
            "21st",
            "22nd",
        ]


RATES = {"market_pct": 4.7, "segment_pct": 11.9}


def market(**changes: float):
    rates = RATES | changes
    return segment_share(1748.7, 564.9, base_year=2023, target_year=2030, **rates), rates


class TestMarket:
    def test_path_reads_for_growth_equal_growth_and_the_impossible(self) -> None:
        found, rates = market()
        assert "from 32.3% in 2023 to 51.5% in 2030" in reform.path_sentence(found, **rates)
        assert "shrink 0.2% a year" in reform.path_sentence(found, **rates)
        same, rates = market(segment_pct=4.7)
        assert "never reach the whole" in reform.path_sentence(same, **rates)
        assert "leave biologics at 32%" in reform.answer_market(same)
        over, rates = market(segment_pct=40.0)
        assert "cannot both hold" in reform.path_sentence(over, **rates)
        assert "cannot both hold" in reform.answer_market(over)

    @pytest.mark.parametrize(
        ("implied", "words"),
        [
            ([42.0, 50.0], "run ahead of every one, by 7 to 20 points"),
            ([30.0, 20.0], "fall short of every one, by 5 to 10 points"),
            ([35.2, 30.1], "agree with that"),
            ([42.0, 20.0], "ahead of 1, behind 1 and level with 0"),
            ([400.0, 900.0], "implied more than the whole"),
        ],
    )
    def test_consistency_follows_the_gaps(self, implied: list[float], words: str) -> None:
        frame = pd.DataFrame({"label": ["A", "B"], "year": [2027, 2030], "published_pct": [35.0, 30.0]})
        frame["implied_pct"] = implied
        frame["gap_points"] = frame.implied_pct - frame.published_pct
        assert words in reform.consistency_sentence(frame)
        assert "there is none" in reform.consistency_sentence(frame.iloc[:0])

    def test_dating_compares_or_declines(self) -> None:
        found, rates = market()
        terms = {"quoted_bn": 1740.0, "quoted_year": 2024}
        other = reform.as_dated(found, **terms, target_year=2030, **rates)
        assert "points more" in reform.dating_sentence(found, other, **terms)
        assert "cannot be read" in reform.dating_sentence(found, None, **terms)
        assert reform.as_dated(found, quoted_bn=100.0, quoted_year=2024, target_year=2030, **rates) is None

    def test_the_whole_market_is_held_against_a_forecast_or_not(self) -> None:
        found, _ = market()
        sizes = pd.Series({("pharmaceuticals", 2030): 2406.9})
        assert "the same to within one per cent" in reform.forecast_sentence(found, sizes, target_year=2030)
        assert "+100.4% against it" in reform.forecast_sentence(found, sizes / 2, target_year=2030)
        assert "No published size" in reform.forecast_sentence(found, sizes, target_year=2029)


class TestCharts:
    @pytest.fixture
    def charts(self, monkeypatch: pytest.MonkeyPatch) -> list[dict]:
        shown: list[dict] = []
        monkeypatch.setattr(canvas, "show", lambda payload, fallback: shown.append(payload))
        return shown

    def test_alt_texts_hold_the_numbers(self, charts: list[dict]) -> None:
        found = gain()
        swings = {"New drug": tornado(found.track, years_to_target=4.5)}
        figures.clock_times([found], source="S")
        figures.tornado(reform.tornado_table(swings), source="S")
        prospect, _, _, case = pipeline()
        figures.candidates(prospect, share=0.118, k=3, source="S")
        figures.rank_fan(hub(), source="S")
        share, _ = market()
        none = pd.DataFrame({"label": [], "year": [], "published_pct": []})
        figures.biologics_share(share, none, source="S")
        by_id = {c["id"]: c for c in charts}
        assert f"{found.draws.before_days.median():.0f} days before" in by_id["clock-times"]["alt"]
        assert f"{swings['New drug'].value_high.iloc[0]:.2f} US$ million" in by_id["tornado"]["alt"]
        assert "in phase III" in by_id["candidates"]["alt"]
        assert "6 in 2024" in by_id["rank-fan"]["alt"]
        assert "51.5% in 2030" in by_id["biologics-share"]["alt"]
        assert case.startswith("likely")
        assert np.isfinite(by_id["rank-fan"]["spark"]).all()
