"""Verdicts follow from numbers: each one flips when its input does, at the width that is named."""

import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.verdicts import (
    CAVEAT,
    NOT_SUPPORTED,
    NOT_TESTABLE,
    SUPPORTED,
    VERDICTS,
    Reading,
    Tolerances,
    counts,
    judge,
    judge_all,
    moved,
    readings,
    standing,
)

PLAIN = {"label": "as stated", "kind": "", "rule": "equals", "tolerance": "printed", "scope": "same"}
T = Tolerances()


def reading(value: float | None, claimed: float = 10.0, step: float = 1.0, **changes) -> Reading:
    return Reading(**PLAIN | {"claimed": claimed, "step": step, "value": value} | changes)


def verdict(value: float | None, tolerances: Tolerances = T, others: tuple[Reading, ...] = (), **changes) -> str:
    return judge("x", [reading(value, **changes), *others], tolerances).verdict


@pytest.mark.parametrize(
    ("rule", "tolerance", "holds", "near", "fails"),
    [
        ("equals", "printed", (9.5, 10.5), (9.49, 10.51, 9.0, 11.0), (8.99, 11.01)),
        ("equals", "about", (9.5, 10.5), (9.0, 11.0), (8.9, 11.1)),
        ("equals", "none", (10.0,), (10.5, 9.5), (11.5, 8.5)),
        ("equals", "exact", (10,), (9, 11), (8, 12)),
        ("equals", "places", (9, 10, 11), (8, 12), (7, 13)),
        ("equals", "year", (10,), (), (9, 11)),
        ("at_least", "printed", (9.5, 30.0), (9.4, 9.0), (8.9, -5.0)),
        ("at_most", "printed", (10.5, -30.0), (10.6, 11.0), (11.1, 50.0)),
        ("more_than", "none", (10.001, 99.0), (10.0, 9.0), (8.99, 0.0)),
        ("odds", "none", (0.67, 1.0), (0.33, 0.66), (0.32, 0.0)),
    ],
)
def test_every_rule_flips_at_its_widths(rule: str, tolerance: str, holds: tuple, near: tuple, fails: tuple) -> None:
    said = {"rule": rule, "tolerance": tolerance}
    assert {verdict(v, **said) for v in holds} == {SUPPORTED}
    assert {verdict(v, **said) for v in near} <= {CAVEAT}
    assert {verdict(v, **said) for v in fails} == {NOT_SUPPORTED}


def test_the_widths_do_the_deciding_not_the_number() -> None:
    assert verdict(10.8) == CAVEAT
    assert verdict(10.8, Tolerances(rounding_steps=1)) == SUPPORTED
    assert verdict(10.8, Tolerances(caveat_pct=5)) == NOT_SUPPORTED
    assert verdict(0.5, Tolerances(likely=0.5, unlikely=0.4), rule="odds") == SUPPORTED
    assert verdict(0.5, Tolerances(likely=0.7, unlikely=0.51), rule="odds") == NOT_SUPPORTED
    assert verdict(8, Tolerances(rank_places=2), tolerance="places") == SUPPORTED


@pytest.mark.parametrize("rule", ["equals", "at_least", "at_most", "more_than", "odds", "untestable"])
def test_nothing_measured_is_not_testable_whatever_the_rule(rule: str) -> None:
    assert verdict(None, rule=rule) == NOT_TESTABLE
    assert verdict(float("nan"), rule=rule) == NOT_TESTABLE


def test_a_claim_that_only_its_speaker_counts_stays_untestable_with_a_number() -> None:
    assert verdict(10.0, rule="untestable") == NOT_TESTABLE


@pytest.mark.parametrize(
    ("scope", "holding", "failing"),
    [
        ("same", SUPPORTED, NOT_SUPPORTED),
        ("near", CAVEAT, NOT_SUPPORTED),
        ("part", CAVEAT, NOT_SUPPORTED),
        ("best_case", NOT_TESTABLE, NOT_SUPPORTED),
        ("lower_bound", SUPPORTED, NOT_TESTABLE),
        ("earlier", CAVEAT, NOT_TESTABLE),
    ],
)
def test_scope_weakens_support_or_refutation(scope: str, holding: str, failing: str) -> None:
    assert verdict(10.0, scope=scope) == holding
    assert verdict(50.0, scope=scope) == failing


def test_a_dissenting_reading_is_a_caveat_and_never_a_verdict() -> None:
    far, same = reading(50.0, label="2010", kind="base year"), reading(10.0, label="2011", kind="base year")
    gone = reading(None, label="gone", kind="definition")
    assert verdict(10.0, others=(same, gone)) == SUPPORTED
    assert verdict(10.0, others=(same, far)) == CAVEAT
    assert verdict(50.0, others=(same,)) == NOT_SUPPORTED
    found = judge("x", [reading(10.0), far, same, gone], T)
    assert [j.reading.label for j in found.differing] == ["2010"]


def test_ends_of_the_interval_are_readings_too() -> None:
    wide = judge("x", [reading(0.7, rule="odds", low=0.1, high=0.9)], T)
    assert wide.verdict == CAVEAT
    assert [(j.reading.label, j.alone) for j in wide.differing] == [("low end", NOT_SUPPORTED)]
    assert verdict(0.7, rule="odds", low=0.68, high=0.9) == SUPPORTED


def test_the_ratio_is_of_found_to_claimed_and_not_of_odds() -> None:
    assert judge("x", [reading(5.0)], T).ratio == 0.5
    assert judge("x", [reading(0.5, rule="odds")], T).ratio is None
    assert judge("x", [reading(None)], T).ratio is None


def test_wider_tolerances_never_lose_support() -> None:
    order = [NOT_SUPPORTED, CAVEAT, SUPPORTED]
    for value in (8.0, 9.2, 9.6, 10.4, 10.9, 12.5):
        said = [order.index(verdict(value, T.scaled(f))) for f in (0.25, 0.5, 1, 2, 4)]
        assert said == sorted(said)


def test_counts_and_moves_agree_with_a_plain_loop() -> None:
    cases = {str(v): [reading(v)] for v in (8.0, 9.2, 10.0, 10.9)} | {"none": [reading(None)]}
    before, after = judge_all(cases, T), judge_all(cases, T.scaled(2))
    assert counts(before) == dict(zip(VERDICTS, (1, 2, 1, 1), strict=True))
    assert moved(before, after) == [c for c in cases if before[c].verdict != after[c].verdict] == ["8.0", "9.2", "10.9"]


ROW = {"claim": "a", "reading": "as stated", "found": 9.0, "found_low": float("nan"), "found_high": float("nan")}
ROW |= {
    "kind": "",
    "rule": "equals",
    "tolerance": "printed",
    "scope": "same",
    "value": 10.0,
    "step": 1.0,
    "why": "",
    "period_found": "2024",
}
FINDINGS = pd.DataFrame([ROW, ROW | {"reading": "2010", "kind": "base year", "found": float("nan"), "why": "gone"}])


def test_readings_come_in_the_order_of_the_rows_and_a_blank_is_none() -> None:
    first, second = readings(FINDINGS)["a"]
    assert (first.label, first.value, first.low, first.period) == ("as stated", 9.0, None, "2024")
    assert (second.value, second.why) == (None, "gone")


def test_a_preferred_reading_decides() -> None:
    chosen = readings(FINDINGS, prefer=["a:2010"])
    assert [r.label for r in chosen["a"]] == ["2010", "as stated"]
    assert judge("a", chosen["a"], T).verdict == NOT_TESTABLE


@pytest.mark.parametrize("wish", ["a:2011", "b:2010", "a", ""])
def test_a_reading_that_does_not_exist_is_refused(wish: str) -> None:
    with pytest.raises(ModelInputError, match="no reading"):
        readings(FINDINGS, prefer=[wish])


def test_a_claim_without_a_test_is_an_oversight() -> None:
    with pytest.raises(ModelInputError, match="add a row to the table claim_tests"):
        judge("x", [], T)


@pytest.mark.parametrize("change", [{"rule": "sounds_right"}, {"scope": "wider"}, {"tolerance": "roughly"}])
def test_unknown_words_are_refused(change: dict[str, str]) -> None:
    with pytest.raises(ModelInputError, match="is not known"):
        standing(reading(10.0, **change), T)


@pytest.mark.parametrize("wrong", [{"caveat_pct": -1}, {"unlikely": 0.7, "likely": 0.6}, {"unlikely": 0.0}])
def test_tolerances_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ModelInputError):
        Tolerances(**wrong)
