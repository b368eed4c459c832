"""Every sentence on the agreements at both ends of the number it reads."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.models.agreement_record import AgreementRecord
from kbio_analysis.models.agreement_reference import AgreementReference
from kbio_analysis.models.event_study import EventStudy, LeadTest
from kbio_analysis.models.gravity import GravityFit
from kbio_analysis.models.randomisation import RandomisationTest
from kbio_analysis.models.reference_class import PooledEffect, half_normal_twin, pool
from kbio_analysis.models.reference_class_checks import LeaveOneOut
from kbio_analysis.models.trend_drift import DriftBound
from kbio_analysis.present import fta_record as words
from kbio_analysis.present.fta_record.effects import in_pct, p_text


def pooled(mean: float, *, wide: bool, k: int = 8) -> PooledEffect:
    b = mean + (0.4 if wide else 0.01) * np.linspace(-1, 1, k)
    labels = pd.MultiIndex.from_tuples([(f"A{i}", d) for i in range(k // 2) for d in ("exports", "imports")])
    return pool(pd.Series(b, index=labels), pd.DataFrame(1e-4 * np.eye(k), index=labels, columns=labels))


def reference(mean: float, *, wide: bool) -> AgreementReference:
    found = pooled(mean, wide=wide)
    index = found.estimates.index.set_names(["agreement", "direction"])
    table = pd.DataFrame({"effect_log_points": found.estimates.to_numpy(), "n_partners": 1}, index=index)
    record = AgreementRecord(table=table, covariance=found.covariance, n_comparisons={"exports": 9, "imports": 9})
    return AgreementReference(
        record=record, pooled=found, by_direction={"exports": found}, twin=half_normal_twin(found)
    )


def chance(p: float, value: float = 0.2) -> RandomisationTest:
    return RandomisationTest(value=value, p_value=p, floor=0.001, low=-0.3, high=0.3, n_draws=999)


def study(method: str, overall: float, p: float | None) -> EventStudy:
    leads = None if p is None else LeadTest(statistic=1.0, degrees=4, p_value=p)
    empty = pd.DataFrame(columns=["effect_log_points", "se_log_points", "n_treated"])
    return EventStudy(
        method=method,
        overall=overall,
        overall_se=0.1,
        profile=empty,
        covariance=pd.DataFrame(),
        leads=leads,
        n_treated=9,
        n_never=9,
        n_obs=99,
        dropped=0,
        base="the year before entry",
    )


class TestAnswer:
    def test_a_clear_gain(self) -> None:
        text = words.answer_sentence(reference(0.4, wide=False), chance(0.001), outcome="trade", post_years=10)
        assert "49% more than partners" in text
        assert "seldom match (p = 0.001)" in text
        assert "cannot be told" not in text

    def test_a_loss_that_chance_explains(self) -> None:
        text = words.answer_sentence(reference(-0.4, wide=True), chance(0.6), outcome="share", post_years=1)
        assert "33% less than partners" in text
        assert "in the year of entry" in text
        assert "cannot be told from chance (p = 0.600)" in text

    def test_nothing_at_all(self) -> None:
        text = words.answer_sentence(reference(0.0, wide=True), chance(1.0), outcome="trade", post_years=10)
        assert "was what partners without an agreement foretell" in text


class TestMean:
    def test_the_interval_and_the_other_outcome(self) -> None:
        clear, vague = pooled(0.3, wide=False), pooled(0.05, wide=True)
        assert "lies wholly above no change" in words.mean_sentence(clear, None, outcome="trade")
        assert "do not lead to the same reading" in words.mean_sentence(clear, vague, outcome="trade")
        assert "includes no change" in words.mean_sentence(vague, vague, outcome="trade")
        assert "two lead to the same reading" in words.mean_sentence(vague, vague, outcome="trade")
        low = words.mean_sentence(pooled(-0.3, wide=False), clear, outcome="share")
        assert "lies wholly below no change" in low
        assert "do not lead" in low


def test_spread_is_ascribed_to_luck_only_when_luck_spreads_as_widely() -> None:
    wide = pooled(0.1, wide=True)
    assert "more than partners' own luck" in words.spread_sentence(wide, chance(0.01))
    assert "no other cause than partners' own luck" in words.spread_sentence(wide, chance(0.9))


def test_cases_outside_chance_are_counted() -> None:
    table = reference(0.1, wide=True).record.table
    assert "none lies" in words.cases_sentence(table, pd.Series(5.0, index=table.index))
    assert "8 lie" in words.cases_sentence(table, pd.Series(0.001, index=table.index))


def test_one_agreement_is_shown_or_missed() -> None:
    found = reference(0.1, wide=True)
    spread = pd.Series(0.2, index=found.record.effects.index)
    assert words.own_sentence(found, spread, agreement="A1").startswith("A1: Korea's exports")
    assert "not among the agreements" in words.own_sentence(found, spread, agreement="Atlantis")


def test_prediction_and_net_at_both_ends() -> None:
    up, down = pooled(1.0, wide=False), pooled(-1.0, wide=False)
    assert "positive is over 99%" in words.prediction_sentence(up, levels=[80])
    assert "positive is under 1%" in words.prediction_sentence(down, levels=[95, 80])
    still = pool(pd.Series([0.1] * 6), pd.DataFrame(np.eye(6)))
    assert "nothing is left" in words.net_sentence(still, half_normal_twin(still))
    assert "log points is left" in words.net_sentence(pooled(0.1, wide=True), half_normal_twin(pooled(0.1, wide=True)))


def test_directions_apart_or_not_at_all() -> None:
    found = reference(0.1, wide=True)
    assert "Korea's exports +11%" in words.direction_sentence(found, {"exports": chance(0.2)})
    none = AgreementReference(record=found.record, pooled=found.pooled, by_direction={}, twin=found.twin)
    assert "Neither direction" in words.direction_sentence(none, {})


def test_coverage_is_called_good_only_within_its_range() -> None:
    table = pd.DataFrame({"crps": [0.1], "crps_no_effect": [0.2], "crps_nothing": [0.3]})
    good = pd.DataFrame({"share": [0.8], "low": [0.6], "high": [0.9], "n": [30]}, index=[80])
    bad = good.assign(share=0.3, low=0.2, high=0.5)
    assert "as it should" in words.leave_out_sentence(LeaveOneOut(table=table, coverage=good))
    assert "not as it should" in words.leave_out_sentence(LeaveOneOut(table=table, coverage=bad))
    assert "50% better than" in words.leave_out_sentence(LeaveOneOut(table=table, coverage=good))
    worse, same = table.assign(crps=0.3), table.assign(crps=0.2)
    assert "50% worse than" in words.leave_out_sentence(LeaveOneOut(table=worse, coverage=good))
    assert "no better than" in words.leave_out_sentence(LeaveOneOut(table=same, coverage=good))


def test_covariates_or_none() -> None:
    assert "No covariate" in words.covariate_sentence(pooled(0.1, wide=True))


class TestStudies:
    def test_the_naive_dummy_is_set_beside_the_model(self) -> None:
        pair = {
            ("exports", "etwfe_ppml"): study("etwfe_ppml", 0.3, None),
            ("exports", "twfe"): study("twfe", 0.1, None),
        }
        assert "+11% (0.20 log points less)" in words.methods_sentence(pair)

    def test_leads_fail_hold_or_are_missing(self) -> None:
        key = ("exports", "callaway_santanna")
        assert "already differed" in words.leads_sentence({key: study(key[1], 0.1, 0.001)})
        assert "None of 1 joint test" in words.leads_sentence({key: study(key[1], 0.1, 0.4)})
        assert "cannot be checked" in words.leads_sentence({key: study(key[1], 0.1, None)})

    def test_drift_bounds_clear_or_not(self) -> None:
        clear = DriftBound(relative_magnitude=1.0, low=0.2, high=0.4, low_95=0.1, high_95=0.5)
        not_clear = DriftBound(relative_magnitude=1.0, low=-0.2, high=0.4, low_95=-0.3, high_95=0.5)
        assert "clear of zero up to 1 times" in words.drift_sentence({"exports": [clear]}, horizon=3)
        assert "never clear" in words.drift_sentence({"exports": [not_clear]}, horizon=1)
        assert "No bound" in words.drift_sentence({}, horizon=3)


def test_specifications_are_counted() -> None:
    frame = words.specification_table({"a": pooled(0.3, wide=False), "b": pooled(0.0, wide=True), "c": None})
    text = words.specification_sentence(frame)
    assert "Over 2 specifications" in text
    assert "in 1 of them" in text


def test_data_sentences() -> None:
    columns = {"agreement": "EU", "iso3": "DEU", "rank": 1, "precision": "year"}
    sharp = pd.DataFrame([columns | {"first_possible": 2011, "last_possible": 2011}])
    vague = pd.DataFrame([columns | {"first_possible": 2011, "last_possible": 2012}])
    members = pd.DataFrame({"agreement": ["EU"]}, index=["DEU"])
    assert "one possible entry year" in words.dates_sentence(sharp, members, dating="early")
    assert "later end is used" in words.dates_sentence(vague, members, dating="late")
    later = pd.DataFrame({"agreement": ["RCEP"], "iso3": ["CHN"], "entry_year": [2022]})
    assert "1 later entry of 1 partner (RCEP)" in words.overlap_sentence(later, 2023)
    assert "No partner entered a second" in words.overlap_sentence(later, 2020)
    left = pd.DataFrame({"iso3": ["LBR", "ARE"], "direction": "exports", "reason": ["ships", "customs_area"]})
    text = words.left_out_sentence(left, {"LBR": "Liberia"})
    assert "Trade with Liberia is mostly ships" in text
    assert "customs area (1)" in text
    assert words.left_out_sentence(left.iloc[:0], {}) == "Nobody else is left out."


def test_world_panel_or_none() -> None:
    fit = GravityFit(
        coefficients=pd.Series({"agreement": 0.4}),
        standard_errors=pd.Series({"agreement": 0.05}),
        covariance=pd.DataFrame(),
        n_obs=1234,
        dropped=5,
        n_clusters=9,
    )
    assert "+49%" in words.world_sentence(fit)
    assert "`world_panel` runs" in words.world_sentence(None)


def test_limits_follow_the_outcome() -> None:
    comparisons = {"exports": ["a"] * 7, "imports": ["b"] * 5}
    assert "cannot carry partner-year effects" in words.limit_sentences(comparisons, outcome="trade")[0]
    assert "takes out the partner's own demand" in words.limit_sentences(comparisons, outcome="share")[0]
    assert "number 5" in words.limit_sentences(comparisons, outcome="share")[1]


@pytest.mark.parametrize(("value", "text"), [(0.0, "0%"), (-0.001, "0%"), (0.108, "+11%"), (-0.4, "−33%")])
def test_per_cent_never_says_minus_nothing(value: float, text: str) -> None:
    assert in_pct(value) == text


def test_p_is_never_printed_as_zero() -> None:
    assert p_text(1e-9) == "p below 0.001"
    assert p_text(0.0148) == "p = 0.015"
