"""Verdicts follow from numbers: each one flips when its input does, at the width that is named."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.models.verdicts import (
    AIM,
    CAVEAT,
    DISAGREE,
    NOT_SUPPORTED,
    NOT_TESTABLE,
    SUPPORTED,
    WRONG_YEAR,
    Tolerances,
    judged,
    verdicts,
)

PLAIN = {"claim": "x", "reading": "as stated", "kind": "", "rule": "equals", "tolerance": "printed", "scope": "same"}
PLAIN |= {"value": 10.0, "step": 1.0, "found": np.nan, "found_low": np.nan, "found_high": np.nan}
T = Tolerances()


def row(found: float | None, **changes) -> dict:
    return PLAIN | {"found": np.nan if found is None else found} | changes


def other(found: float | None, reading: str) -> dict:
    return row(found, reading=reading, kind="base year")


def readings(*rows: dict, tolerances: Tolerances = T, **options) -> pd.DataFrame:
    return judged(pd.DataFrame(rows), tolerances, **options)


def verdict(found: float | None, tolerances: Tolerances = T, others: tuple[dict, ...] = (), **changes) -> str:
    return verdicts(readings(row(found, **changes), *others, tolerances=tolerances)).verdict["x"]


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
    order = [NOT_SUPPORTED, CAVEAT, SUPPORTED]
    for value in (8.0, 9.2, 9.6, 10.4, 10.9, 12.5):
        said = [order.index(verdict(value, T.scaled(f))) for f in (0.25, 0.5, 1, 2, 4)]
        assert said == sorted(said), "wider tolerances never lose support"


def test_nothing_measured_is_not_testable_and_an_untestable_claim_stays_so_with_a_number() -> None:
    for rule in ("equals", "at_least", "at_most", "more_than", "untestable"):
        assert {verdict(found, rule=rule) for found in (None, float("inf"))} == {NOT_TESTABLE}
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


def test_a_dissenting_reading_or_end_of_the_interval_is_a_caveat_and_never_a_verdict() -> None:
    far, same, gone = other(50.0, "2010"), other(10.0, "2011"), other(None, "gone")
    assert verdict(10.0, others=(same, gone)) == SUPPORTED
    assert verdict(10.0, others=(same, far)) == CAVEAT
    assert verdict(50.0, others=(same,)) == NOT_SUPPORTED
    found = readings(row(10.0), far, same, gone)
    assert found.reading[found.differs].tolist() == ["2010"]
    wide = readings(row(10.0, found_low=2.0, found_high=10.2))
    assert verdicts(wide).verdict["x"] == CAVEAT
    assert wide[wide.differs][["reading", "alone"]].to_numpy().tolist() == [["low end", NOT_SUPPORTED]]
    assert verdict(10.0, found_low=9.8, found_high=10.2) == SUPPORTED


def test_an_aim_is_an_aim_at_any_odds_and_never_unsupported_and_has_no_ratio() -> None:
    for odds in (0.0, 0.04, 0.5, 1.0):
        own = row(odds, rule="odds", found_low=0.0, found_high=1.0)
        found = readings(own, other(0.9, "2010") | {"rule": "odds"})
        assert verdicts(found).verdict["x"] == AIM
        assert not found.differs.any()
    found = verdicts(readings(row(5.0, claim="a"), row(0.5, claim="b", rule="odds"), row(None, claim="c")))
    assert found.ratio["a"] == 0.5
    assert found.ratio[["b", "c"]].isna().all()


def test_what_is_true_of_another_year_or_by_another_source_is_said_so() -> None:
    year, source = (row(10.0, reading=k, kind=k) for k in ("other year", "source"))
    off = row(50.0, reading="second", kind="source")
    assert verdict(50.0, others=(year,)) == verdict(10.8, others=(year,)) == WRONG_YEAR
    assert verdict(50.0, others=(source, off)) == DISAGREE
    assert verdict(50.0, others=(off,)) == NOT_SUPPORTED
    assert verdict(10.0, others=(year, source)) == SUPPORTED
    assert verdict(None, others=(year, source)) == NOT_TESTABLE


def test_a_preferred_reading_decides_and_claims_keep_their_order() -> None:
    rows = (row(9.0, claim="b"), row(9.0, claim="a"), other(None, "2010") | {"claim": "a"})
    assert list(verdicts(readings(*rows)).index) == ["b", "a"]
    chosen = readings(*rows, prefer=["a:2010"])
    assert chosen.reading[chosen.claim == "a"].tolist() == ["2010", "as stated"]
    assert verdicts(chosen).verdict["a"] == NOT_TESTABLE
