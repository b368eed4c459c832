"""Sentences about one agreement stay true at both ends of every number they hold."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.models.agreement_effect import SPEC_COLUMNS, AgreementEffect, Silence, Verdict, estimate
from kbio_analysis.models.donors import DonorPool
from kbio_analysis.models.trade_multiples import multiples
from kbio_analysis.present import india_cepa
from kbio_analysis.present.india_cepa import checks, claims, effects

INDIA = india_cepa.Subject(partner="India", iso3="IND", flow="exports", outcome="value", start=2010, agreed=True)
SILENT = Silence(why="IND: 3 donors, at least 5 are needed; widen the donor rule", pool=None)


def study(effect: float = 0.0, *, seed: int = 0, n_years: int = 28, n_donors: int = 24) -> AgreementEffect:
    rng = np.random.default_rng(seed)
    years = pd.period_range(str(2018 - n_years), "2017", freq="Y-DEC")
    y = rng.normal(7, 0.3, n_donors + 1) + rng.normal(0, 0.05, (n_years, n_donors + 1))
    y[years.year >= 2010, 0] += effect
    columns = ["IND", *(f"D{i:02}" for i in range(n_donors))]
    refused = pd.DataFrame([("AGR", "agreement", "in force from 2011")], columns=["unit", "reason", "detail"])
    pool = DonorPool(
        treated="IND",
        flow="exports",
        outcome="value",
        rule="clean",
        outcomes=pd.DataFrame(y, index=years, columns=columns),
        refused=refused,
    )
    return estimate(pool, 2010)


@pytest.fixture(scope="module")
def nothing() -> AgreementEffect:
    return study(seed=1)


@pytest.fixture(scope="module")
def large() -> AgreementEffect:
    return study(1.5)


def trade(nominal: dict[int, float], world: dict[int, float]):
    bases = {"year before": 2009, "first year": 2010}
    return multiples(pd.Series(nominal), pd.Series(world), pd.Series(1.0, index=list(world)), bases=bases, claimed=2)


WORLD = {2009: 100.0, 2010: 130.0, 2020: 200.0}


@pytest.mark.parametrize(
    ("nominal", "words"),
    [
        ({2009: 10.0, 2010: 12.0, 2020: 30.0}, "it has more than doubled from either base"),
        ({2009: 10.0, 2010: 15.0, 2020: 21.0}, "it has more than doubled only if counted from 2009"),
        ({2009: 10.0, 2010: 15.0, 2020: 20.0}, "it has more than doubled from neither base"),
        ({2010: 15.0, 2020: 31.0}, "it has more than doubled from that base"),
        ({2010: 15.0, 2020: 15.0}, "it has not more than doubled from that base"),
        ({2020: 15.0}, "cannot be compared: no figure for 2009 or 2010"),
    ],
)
def test_the_claim_says_from_which_base_it_holds(nominal: dict[int, float], words: str) -> None:
    assert words in india_cepa.claim_sentence(trade(nominal, WORLD), INDIA)


@pytest.mark.parametrize(("end", "word"), [(23.0, "much the same"), (60.0, "less"), (12.0, "more")])
def test_the_world_is_set_beside_it(end: float, word: str) -> None:
    found = trade({2009: 10.0, 2010: 15.0, 2020: end}, WORLD)
    assert india_cepa.claim_sentence(found, INDIA).endswith(f"was 1.54 times that of 2010, {word}.")


def test_holding_counts_every_combination() -> None:
    found = {"trade": trade({2009: 10.0, 2010: 15.0, 2020: 21.0}, WORLD)}
    assert "more than 2 times in 2 and constant dollars in 2" in india_cepa.holding_sentence(found)
    assert india_cepa.holding_sentence({"trade": trade({2020: 1.0}, WORLD)}) == "No base or end could be compared."


@pytest.mark.parametrize(
    ("last", "words"), [(6000.0, "short of the 4 times"), (8800.0, "about the 4 times"), (12000.0, "above the 4 times")]
)
def test_investment_is_held_by_stocks(last: float, words: str) -> None:
    rows = pd.DataFrame(
        {
            "measure": ["stock", "stock", "flow"],
            "period": ["2009-03", "2018-12", "2011"],
            "amount_usd_m": [2200, last, 9],
        }
    )
    text = india_cepa.investment_sentence(rows, claimed=4.0, start=2010)
    assert words in text
    assert "no yearly flow before it is on record" in text
    assert "cannot be tested" in india_cepa.investment_sentence(rows.iloc[1:], claimed=4.0, start=2010)


class TestVerdict:
    @pytest.mark.parametrize(
        ("word", "words"),
        [
            ("raised", "After the agreement Korea's exports to India rose beyond"),
            ("lowered", "After the agreement Korea's exports to India fell behind"),
            ("hints_up", "The agreement may have raised"),
            ("hints_down", "The agreement may have lowered"),
            ("cannot_tell", "Whether the agreement changed Korea's exports to India cannot be told"),
        ],
    )
    def test_every_word_has_its_sentence(self, nothing: AgreementEffect, word: str, words: str) -> None:
        text = india_cepa.verdict_sentence(nothing, Verdict(word=word, tests={}), INDIA)
        assert words in text
        assert "p = " in text
        assert "smallest possible" in text

    def test_a_pretended_start_is_called_so(self, nothing: AgreementEffect) -> None:
        text = india_cepa.verdict_sentence(nothing, Verdict(word="hints_up", tests={}), replace(INDIA, agreed=False))
        assert text.startswith("An agreement pretended for 2010 may have raised")

    def test_a_silence_says_why(self) -> None:
        text = india_cepa.verdict_sentence(SILENT, Verdict(word="cannot_tell", tests={}), INDIA)
        assert "cannot be estimated: IND: 3 donors" in text

    def test_failed_tests_are_named(self) -> None:
        passed = dict.fromkeys(("pre-period", "placebos", "drift"), True)
        assert "All 3 tests" in india_cepa.reasons_sentence(Verdict(word="raised", tests=passed))
        one = india_cepa.reasons_sentence(Verdict(word="hints_up", tests=passed | {"drift": False}))
        assert "Of 3 tests 1 fails: bounds that hold zero" in one
        assert "None of the tests" in india_cepa.reasons_sentence(Verdict(word="cannot_tell", tests={}))


class TestTreatment:
    def frame(self, *rows: tuple[str, str]) -> pd.DataFrame:
        frame = pd.DataFrame(rows, columns=["agreement", "in_force_earliest"])
        return frame.assign(in_force_earliest=pd.to_datetime(frame.in_force_earliest))

    def test_the_start_is_the_agreements_or_pretended(self) -> None:
        own = self.frame(("CEPA", "2010-01-01"), ("RCEP", "2022-02-01"))
        text = india_cepa.treatment_sentence(own, INDIA)
        assert "CEPA entered into force on 1 January 2010" in text
        assert "RCEP from 2022" in text
        assert "is no agreement's" in india_cepa.treatment_sentence(own, replace(INDIA, start=2012))
        assert "is pretended" in india_cepa.treatment_sentence(own.iloc[:0], INDIA)

    def test_subject_words(self) -> None:
        own = self.frame(("FTA", "2012-03-15"))
        usa = india_cepa.subject(
            "USA", pd.Series({"USA": "United States"}), own, flow="imports", outcome="share", start=2012
        )
        assert str(usa) == "Korea's share in the United States' exports"
        assert str(usa.other) == "Korea's share in the United States' imports"
        assert usa.agreed
        assert str(INDIA.other) == "Korea's imports from India"
        assert (
            india_cepa.subject("XXX", pd.Series(dtype=str), own, flow="exports", outcome="value", start=2010).partner
            == "XXX"
        )


class TestEstimateSentences:
    def test_every_one_bears_a_silence(self) -> None:
        specs = pd.DataFrame(columns=SPEC_COLUMNS)
        for text in (
            india_cepa.fit_sentence(SILENT),
            india_cepa.estimates_sentence(SILENT),
            india_cepa.profile_sentence(SILENT),
            india_cepa.placebo_sentence(SILENT),
            india_cepa.time_sentence(SILENT),
            india_cepa.robustness_sentence(SILENT),
            india_cepa.specification_sentence(specs, SILENT),
        ):
            assert text == effects.NO_ESTIMATE
        assert "No donors were looked for" in india_cepa.donors_sentence(SILENT, INDIA)
        assert "cannot be estimated" in india_cepa.other_sentence(SILENT, INDIA)
        assert india_cepa.main_estimate(SILENT) is None
        assert india_cepa.own_series(SILENT).empty
        assert india_cepa.donor_average(SILENT) is None

    def test_the_size_and_the_small_ps_are_counted(self, nothing: AgreementEffect, large: AgreementEffect) -> None:
        assert "none reaches p ≤ 0.1" in india_cepa.estimates_sentence(nothing)
        assert "5 of 5 reach p ≤ 0.1" in india_cepa.estimates_sentence(large)
        assert "more over 8 years" in india_cepa.estimates_sentence(large)
        assert "less over 8 years" in india_cepa.estimates_sentence(study(-1.5))

    def test_the_fit_is_compared_at_the_printed_precision(self, nothing: AgreementEffect) -> None:
        for typical, words in ((0.5, "nearer than"), (0.001, "farther off than")):
            table = nothing.space.table.assign(pre_rmspe=typical)
            changed = replace(nothing, space=replace(nothing.space, table=table))
            assert words in india_cepa.fit_sentence(changed)
        own = nothing.estimates.loc["demeaned", "pre_rmspe"]
        same = replace(nothing, space=replace(nothing.space, table=nothing.space.table.assign(pre_rmspe=own)))
        assert "about as near as" in india_cepa.fit_sentence(same)

    def test_few_years_before_the_start_are_called_few(self) -> None:
        assert "little to go by" in india_cepa.fit_sentence(study(n_years=14, n_donors=6))
        assert "exactly" in india_cepa.fit_sentence(study(n_years=12, n_donors=60))

    def test_the_gap_opens_late_or_not(self, large: AgreementEffect) -> None:
        assert "opens late" not in india_cepa.profile_sentence(large)
        gap = large.main.gap.copy()
        gap[gap.index.year < 2015] = 0.01
        fits = dict(large.fits) | {"demeaned": replace(large.main, gap=gap)}
        assert "opens late" in india_cepa.profile_sentence(replace(large, fits=fits))

    def test_placebos_rank_it(self, nothing: AgreementEffect, large: AgreementEffect) -> None:
        assert "0 of 24 partners" in india_cepa.placebo_sentence(large)
        assert f"p = {1 / 25:.3f}" in india_cepa.placebo_sentence(large)
        above = int((nothing.space.table.ratio >= nothing.space.statistic).sum())
        assert f"{above} of {len(nothing.space.table)}" in india_cepa.placebo_sentence(nothing)

    def test_earlier_starts(self, large: AgreementEffect) -> None:
        assert "all smaller" in india_cepa.time_sentence(large)
        for sign, words in ((1, "such a gap was there before the start"), (-1, "open where nothing happened")):
            table = large.time.table.assign(effect=sign * 2.0)
            text = india_cepa.time_sentence(replace(large, time=replace(large.time, table=table)))
            assert f"{len(table)} of them at least as large" in text
            assert words in text
        none = replace(large, time=replace(large.time, table=large.time.table.iloc[:0]))
        assert "too few" in india_cepa.time_sentence(none)

    def test_robustness_follows_sign_p_and_bounds(self, nothing: AgreementEffect, large: AgreementEffect) -> None:
        good = india_cepa.robustness_sentence(large)
        assert "the sign stays" in good
        assert "is rejected" in good
        assert "exclude zero" in good
        bad = india_cepa.robustness_sentence(nothing)
        assert "is not rejected" in bad
        assert "hold zero" in bad
        hanging = replace(large, left_out=replace(large.left_out, low=-0.1, high=0.2))
        assert "hangs on a single donor" in india_cepa.robustness_sentence(hanging)
        lone = replace(large, left_out=replace(large.left_out, low=None, high=None))
        assert "No donor can be left out" in india_cepa.robustness_sentence(lone)

    def test_specifications_are_counted_by_sign(self, large: AgreementEffect) -> None:
        row = {"outcome": "value", "window": "as chosen", "rule": "clean", "method": "demeaned", "n_pre": 17}
        row |= {"n_donors": 9, "effect_pct": 1.0, "p": 0.5, "p_floor": 0.1, "pre_rmspe": 0.1, "n_placebos": 9}
        specs = pd.DataFrame([row | {"effect_log_points": e} for e in (0.2, 0.4, -0.1, 0.3)])
        assert "75% share the main" in india_cepa.specification_sentence(specs, large)
        assert "all share" in india_cepa.specification_sentence(specs.iloc[:2], large)
        assert "none share" in india_cepa.specification_sentence(specs.iloc[2:3], large)
        assert "The other 4 have fewer" in india_cepa.specification_sentence(
            pd.concat([specs, specs.assign(n_pre=4)]), large
        )
        assert "none counts" in india_cepa.specification_sentence(specs.assign(n_pre=4), large)
        frame = checks.spec_table(specs)
        assert frame["Lowest, %"].iloc[0] == 1.0

    def test_donors_are_listed_with_weights_and_reasons(self, large: AgreementEffect) -> None:
        text = india_cepa.donors_sentence(large, INDIA)
        assert "24 partners may serve as donors" in text
        assert "1 with an agreement of their own" in text
        frame = effects.donor_table(large.pool, pd.Series({"AGR": "Agraria"}), large.main.weights)
        assert frame.Who.iloc[-1] == "Agraria"
        assert frame.Partners.sum() == 25


class TestInterrupted:
    def fit(self, level: float) -> SimpleNamespace:
        return SimpleNamespace(level_shift=level, p_level=0.03, level_shift_ar1=level)

    def test_the_sign_hangs_on_the_collapse_or_not(self) -> None:
        placebo = SimpleNamespace(p_value=0.4, p_floor=0.01)
        text = india_cepa.monthly_sentence(self.fit(-0.3), self.fit(0.1), placebo, label="L")
        assert "decides nothing" in text
        assert "−26%" in text
        assert "the sign is the same" in india_cepa.monthly_sentence(self.fit(0.3), self.fit(0.1), placebo, label="L")
        assert "is not held" in india_cepa.monthly_sentence(None, None, None, label="L")
        assert "too short" in india_cepa.interrupted_sentence(None, None, label="L")


class TestPublished:
    rows = pd.DataFrame(
        [
            ("customs_2019_exports", "raw_change", "exports", 36.8, "per cent", "2010-2018", "C"),
            ("customs_2019_world_exports", "raw_change", "world_exports", 29.8, "per cent", "2010-2018", "C"),
            ("customs_2019_imports", "raw_change", "imports", 3.5, "per cent", "2010-2018", "C"),
            ("customs_2019_world_imports", "raw_change", "world_imports", 25.9, "per cent", "2010-2018", "C"),
            ("kiep_2009_exports_pct", "ex_ante", "exports", 80.0, "per cent", "once", "K"),
            ("kiep_2009_exports_gain", "ex_ante", "exports", 2800.0, "US$ million a year", "once", "K"),
            ("kiep_2009_imports_pct", "ex_ante", "imports", 30.0, "per cent", "once", "K"),
            ("kiep_2009_imports_gain", "ex_ante", "imports", 500.0, "US$ million a year", "once", "K"),
            ("target", "target", "trade", 50000.0, "US$ million", "2030", "T"),
        ],
        columns=["id", "kind", "flow", "value", "unit", "period", "study"],
    )

    @pytest.mark.parametrize(("own", "words"), [(39.0, "below it"), (120.0, "above it"), (80.4, "equal to it")])
    def test_the_promise_is_held_against_the_estimate(self, own: float, words: str) -> None:
        estimates = {"exports": (own, 3400.0), "imports": (-12.0, -199.0)}
        gap, out, back, target = india_cepa.published_sentences(self.rows, estimates, pd.Series({2023: 24678.0}), INDIA)
        assert "7.0 points more" in gap
        assert words in out
        assert "or US$3,400m a year" in out
        assert "is −12%, below it, or −US$199m a year" in back
        assert "It takes 10.6% a year" in target

    def test_a_reached_target_and_no_estimate(self) -> None:
        none = {"exports": None, "imports": None}
        _, out, back, target = india_cepa.published_sentences(self.rows, none, pd.Series({2023: 60000.0}), INDIA)
        assert "cannot be held against an estimate" in out
        assert "cannot be held against an estimate" in back
        assert "has been reached" in target
        other = india_cepa.published_sentences(self.rows, {}, pd.Series(dtype=float), replace(INDIA, iso3="VNM"))
        assert other == ["Published figures are held for the agreement with India alone."]
        frame = claims.published_table(self.rows, {"exports": (39.0, 1.0), "imports": None})
        assert len(frame) == 6
        assert frame["Our estimate, %"].notna().sum() == 2


def test_investment_shows_a_range_where_only_a_range_is_known() -> None:
    rows = pd.DataFrame(
        [("flow", "2012", np.nan, 300.0, 399.0, ""), ("stock", "2018-12", 5950.0, np.nan, np.nan, "cumulative")],
        columns=["measure", "period", "amount_usd_m", "low_usd_m", "high_usd_m", "note"],
    )
    frame = claims.investment_table(rows)
    assert list(frame["US$ million"]) == ["300 to 399", "5,950"]


def test_limits_name_a_short_or_missing_total(large: AgreementEffect) -> None:
    years = pd.period_range("1993", "2019", freq="Y-DEC")
    share = pd.DataFrame({"IND": 0.03}, index=years)
    assert len(india_cepa.limit_sentences(large, INDIA, share=share)) == 2
    share.loc[:"2005", "IND"] = np.nan
    assert "only from 2006: 4 years before" in " ".join(india_cepa.limit_sentences(large, INDIA, share=share))
    assert "not on record" in " ".join(india_cepa.limit_sentences(SILENT, INDIA, share=share[[]]))
    few = replace(large, pool=replace(large.pool, outcomes=large.pool.outcomes.iloc[:, :8]))
    assert "With 7 donors no p at or below 0.1" in " ".join(india_cepa.limit_sentences(few, INDIA, share=share))
