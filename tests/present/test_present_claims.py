"""Sentences of the ledger: each says its verdict, its figures and what dissents, at both ends."""

import itertools

import pytest

from kbio_analysis.models.verdicts import NOT_TESTABLE, SCOPES, VERDICTS, Reading, Tolerances, judge
from kbio_analysis.present import claims
from kbio_analysis.present.claims.words import claimed_figure, figure, found_figure

T = Tolerances()
UNITS = [
    *("US$ million", "US$ billion", "per cent", "per cent a year", "multiple", "rank", "count", "days"),
    *("million people", "year", "true or false"),
]


def reading(value, rule="equals", scope="same", claimed=10.0, step=1.0, tolerance="printed", **more):
    defaults = {"label": "as stated", "kind": "", "why": ""}
    more = defaults | more
    return Reading(rule=rule, scope=scope, claimed=claimed, step=step, tolerance=tolerance, value=value, **more)


def sentence(*readings, unit="per cent"):
    return claims.verdict_sentence(judge("x", readings, T), unit)


@pytest.mark.parametrize(
    ("value", "unit", "step", "said"),
    [
        (10.88, "US$ billion", 0.1, "US$10.88bn"),
        (5510.0, "US$ million", 100, "US$5,510m"),
        (2.0303, "multiple", 1, "2.03 times"),
        (171.47, "million people", 10, "171m people"),
        (6.6045, "per cent a year", 1, "6.6% a year"),
        (4.6696, "per cent a year", 0.1, "4.67% a year"),
        (21.0, "rank", 1, "21st"),
        (2009.0, "year", 1, "2009"),
        (150.0, "count", 100, "150"),
        (1.2477, "true or false", 1, "a ratio of 1.25"),
    ],
)
def test_figures_are_one_digit_finer_than_the_claim(value, unit, step, said):
    assert figure(value, unit, step) == said


def test_the_claim_is_said_at_its_own_precision():
    assert claimed_figure(reading(1, claimed=11.0, step=0.1), "US$ billion") == "US$11.0bn"
    assert claimed_figure(reading(1, claimed=2.0, rule="more_than"), "multiple") == "more than 2 times"
    assert claimed_figure(reading(1, claimed=25.0, step=5, tolerance="about"), "per cent") == "about 25%"
    assert claimed_figure(reading(1, claimed=2010.0), "year") == "2010"


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("value", [-1e7, -0.04, 0.0, 9.4, 10.0, 10.6, 1e12, None])
def test_a_sentence_opens_with_its_verdict_and_survives_any_value(unit, value):
    for rule, scope in itertools.product(("equals", "at_least", "at_most", "more_than"), SCOPES):
        found = judge("x", [reading(value, rule=rule, scope=scope, why="12_top_five is missing")], T)
        said = claims.verdict_sentence(found, unit)
        assert said.startswith(found.verdict.capitalize() + ": ")
        assert said.endswith(".")
        assert not any(bad in said for bad in ("nan", "None", "..", "  ", "-0", "−0.0%"))
        if value is None:
            assert "12_top_five is missing" in said
        elif found.verdict == NOT_TESTABLE:
            assert f"which cannot {'confirm' if scope == 'best_case' else 'refute'} it" in said


@pytest.mark.parametrize("probability", [0.0, 0.004, 0.33, 0.5, 0.67, 0.999, 1.0])
def test_odds_are_never_said_as_certain(probability):
    said = sentence(reading(probability, rule="odds", claimed=5, tolerance="none"), unit="rank")
    assert "claimed 5th, at odds of " in said
    assert not any(bad in said for bad in (" 0%", "100%"))
    verdict = VERDICTS[0] if probability >= 0.67 else VERDICTS[2] if probability < 0.33 else VERDICTS[1]
    assert said.startswith(verdict.capitalize() + ":")


def test_dissent_is_said_with_its_figure_and_only_where_there_is_any():
    far = reading(50.0, label="from 2010", kind="base year")
    assert sentence(reading(10.0)) == "Supported: claimed 10%, found 10.0%."
    assert "read as “from 2010” (50.0%) it would be not supported" in sentence(reading(10.0), far)
    near = reading(10.9, label="2023", kind="base year")
    said = sentence(reading(10.0), near)
    assert said.startswith("Supported with a caveat:")
    assert said.endswith("it holds only nearly read as “2023” (10.9%).")
    assert "read as" not in sentence(reading(50.0), far)


def test_an_interval_is_said_with_what_was_found():
    assert found_figure(reading(0.26, rule="odds", low=0.067, high=0.571), "multiple") == "26% (7–57%)"
    assert found_figure(reading(6.6, low=5.78, high=7.1), "per cent a year") == "6.6% a year (5.8% to 7.1%)"


def cases(values):
    return {f"c{i}": judge(f"c{i}", [reading(v)], T) for i, v in enumerate(values)}


def test_the_answer_counts_every_verdict_and_names_what_fails():
    found = cases([10.0, 10.9, 50.0, None])
    labels = {claim: f"Claim {claim}" for claim in found}
    said = claims.answer_sentence(found, labels)
    assert "Of 4 claims the data support 1, 1 with a caveat, do not support 1 and cannot test 1 here" in said
    assert said.endswith("; not supported is “Claim c2”.")
    assert said.count(". ") == 0
    assert claims.answer_sentence(cases([10.0]), {"c0": "a"}).endswith("cannot test 0 here.")
    many = cases([50.0] * 12)
    assert "and 4 more." in claims.answer_sentence(many, {c: c for c in many})
    assert claims.untestable_sentence(cases([10.0]), {"c0": "a"}) == "Every claim could be tested."


def test_upstream_is_named_when_it_is_not_fresh():
    fine = {"10_a": ("fresh", ""), "11_b": ("fresh", "")}
    assert claims.upstream_sentence(fine) == "The records of 2 other papers that the tests rest on are fresh."
    assert "10_a is missing" in claims.upstream_sentence(fine | {"10_a": ("missing", "")})
    assert "11_b is stale (table x has changed)" in claims.upstream_sentence(
        fine | {"11_b": ("stale", "table x has changed")}
    )


def test_readings_and_widths_are_counted():
    far = reading(50.0, label="2010", kind="base year")
    turned = {"a": judge("a", [reading(10.0), far], T), "b": judge("b", [reading(10.0)], T)}
    assert claims.readings_sentence(turned).startswith("1 claim can be read in more than one way")
    assert claims.readings_sentence({"b": turned["b"]}) == "No claim is read in more than one way."
    said = claims.widths_sentence({"half": ["a"], "double": []}, {"a": "A"})
    assert said == "At half the width 1 verdict changes (“A”), and at double the width none does."


@pytest.mark.parametrize("extreme", [(0, 0, 0, 0, 0.5, 0.01), (5, 50, 100, 10, 0.99, 0.5)])
def test_tolerances_are_said_as_they_are(extreme):
    names = ("rounding_steps", "about_pct", "caveat_pct", "rank_places", "likely", "unlikely")
    said = claims.tolerance_sentence(Tolerances(**dict(zip(names, extreme, strict=True))))
    assert f"{extreme[3]} places" in said
    assert f"{100 * extreme[4]:.0f}% or more" in said


def test_charts_say_every_claim_and_survive_none(monkeypatch):
    from kbio_analysis.present import figures
    from kbio_analysis.present.figures import canvas

    said = []
    monkeypatch.setattr(canvas, "show", lambda payload, fallback: said.append(payload["alt"]))

    found = {"a": judge("a", [reading(9.0), reading(500.0, label="2010", kind="base year")], T)}
    found |= {"b": judge("b", [reading(1.0, rule="odds", low=0.5, high=1.0)], T)}
    labels = {"a": "Apples", "b": "Bets"}
    for chosen, ratios, odds in (
        (found, "for 1 claim: Apples 0.90, supported with a caveat", "Bets over 99%"),
        ({}, "for 0 claims: none", "No aim has odds on record."),
    ):
        figures.claims_measured(chosen, labels, T, source="s")
        figures.claims_odds(chosen, labels, T, source="s")
        assert ratios in said[-2]
        assert odds in said[-1]
