"""20_india_cepa at its ends: the verdict follows the checks, and no partner stops it."""

import math
import re

import pytest
from running import Said, answered

NAME = "20_india_cepa"


@pytest.fixture(scope="module")
def default() -> Said:
    return answered(NAME)


def test_the_default_records_are_those_of_customs(default: Said) -> None:
    r = default.results
    assert r["trade_multiple_from_year_before"] == pytest.approx(24678.0 / 12154.9, rel=1e-4)
    assert r["trade_multiple_from_first_year"] == pytest.approx(24678.0 / 17109.1, rel=1e-4)
    for method in ("simplex", "demeaned", "ridge", "sdid", "did"):
        assert 0 < r[f"p_floor_{method}"] <= r[f"p_{method}"] <= 1
        assert r[f"pre_rmspe_{method}"] > 0
        assert r[f"effect_pct_{method}"] == pytest.approx(100 * math.expm1(r[f"effect_log_points_{method}"]))


def test_the_default_answer_prints_its_records_and_its_doubt(default: Said) -> None:
    r = default.results
    assert "It has more than doubled only if counted from 2009" in default.text
    assert f"{r['trade_multiple_from_first_year']:.2f} times what it was in 2010" in default.text
    assert r["verdict"] == "cannot_tell"
    assert "A comparison with partners without one cannot tell" in default.answer
    assert "changed by +13% after the agreement (range −3% to +31%)" in default.answer
    assert abs(r["structural_break_log_points"]) < r["structural_break_se"]
    assert "no break stands out at the start" in default.text
    assert "the collapse of oil prices (2014–2016)" in default.text
    assert f"p = {r['p_demeaned']:.2f}" in default.text
    assert r["p_demeaned"] > 0.1
    assert r["largest_earlier_effect"] > r["effect_log_points_demeaned"]
    assert "an agreement pretended to have come earlier shows as large a gap" in default.text
    assert "its sign hangs on that choice" in default.text
    assert "can be trusted only from 2006" in default.text


def test_the_share_of_few_years_is_not_leant_on() -> None:
    share = answered(NAME, outcome="share", flow="imports", donor_rule="large", claimed_multiple="1.2")
    assert share.results["verdict"] == "cannot_tell"
    assert "too few years before the start" in share.text
    assert "No earlier start can be pretended" in share.text
    assert "It has grown more than 1.2 times from either base" in share.text
    assert share.results["extra_flow_usd_m"] is None
    assert share.results["drift_breakdown"] is None


def test_another_agreement_can_pass_every_test() -> None:
    other = answered(NAME, partner="VNM", start="2007")
    r = other.results
    assert "Samsung's telephone plants came in the same years" in other.answer
    assert "They outran partners without one, as did Vietnam's imports from others" in other.answer
    assert "This estimate takes that out and is the one to go by" in other.text
    assert "The ASEAN-Korea FTA entered into force on 1 June 2007" in other.text
    assert "India" not in re.sub(r"agreement with India alone", "", other.text)
    assert r["interrupted_level_shift_monthly"] is None


def test_a_start_that_is_no_agreements_is_called_none() -> None:
    pretended = answered(NAME, start="2007")
    assert pretended.answer.startswith("No agreement with India counts from 2007; its own is of 2010.")
    assert "the synthetic control finds" not in pretended.text  # what was promised of 2010 is not held against it


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"partner": "TWN", "outcome": "share"}, "not in this record"),
        ({"partner": "PSE", "first_year": "1990", "last_year": "2010"}, "no figure for 2009 and 2010"),
        ({"start": "2022", "first_year": "2020", "last_year": "2022"}, "periods before 2022: 2 (at least 4 needed)"),
    ],
)
def test_what_cannot_be_estimated_is_said_and_recorded_as_nothing(parameters: dict[str, str], words: str) -> None:
    silent = answered(NAME, **parameters)
    assert words in silent.answer
    assert silent.results["verdict"] == "cannot_tell"
    assert silent.results["p_demeaned"] is None
    assert silent.results["n_donors"] is None
    assert "paths-exports" not in silent.tables
