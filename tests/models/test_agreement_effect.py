"""The study of one agreement: known effects judged as such, nothing judged as nothing, short records silent."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.models import agreement_effect as ae
from kbio_analysis.models.donors import Candidates
from kbio_analysis.models.synthetic_control import METHODS, fit, placebo_in_space

NOISE = 0.15  # log points: four standard deviations of the simulated estimates
CHOICE = {"flow": "exports", "outcome": "value", "rule": "clean", "window": (1990, 2017)}


def candidates(seed: int, *, effect: float = 0.0, n_units: int = 30, first: int = 1990) -> Candidates:
    """Exports to KOR's partners with one common factor; T00 gains ``effect`` from 2010 on."""
    rng = np.random.default_rng(seed)
    years = np.arange(first, 2018)
    common = rng.normal(0.05, 0.1, (len(years), 1)).cumsum(axis=0)
    logs = rng.normal(6.5, 0.3, n_units) + common * rng.normal(1, 0.2, n_units)
    logs = logs + rng.normal(0, 0.03, logs.shape)
    logs[years >= 2010, 0] += effect
    names = [f"T{i:02}" for i in range(n_units)]
    flows = pd.DataFrame(np.exp(logs), index=years, columns=names)
    share = 0.01 + 0 * flows
    share.iloc[:, :] = np.exp(logs - 10)
    share.loc[:2005, "T00"] = np.nan
    disturbed = pd.DataFrame([("T29", "conflict", 2000, 2001)], columns=["iso3", "reason", "first_year", "last_year"])
    return Candidates(
        exports=flows,
        imports=flows,
        import_share=share,
        export_share=share,
        agreements=pd.Series({"T00": 2010, "T01": 2012}),
        disturbed=disturbed,
        flagged={},
        names=pd.Series({n: n for n in names}),
    )


@pytest.mark.parametrize(("effect", "word"), [(0.8, "raised"), (-0.8, "lowered"), (0.0, "cannot_tell")])
def test_the_verdict_follows_a_known_effect(effect: float, word: str) -> None:
    own = candidates(1, effect=effect)
    found = ae.attempt(own, "T00", start=2010, **CHOICE)
    assert found.estimates.loc["demeaned", "effect_log_points"] == pytest.approx(effect, abs=NOISE)
    specs = ae.specifications(own, "T00", flow="exports", start=2010, window=(1990, 2017))
    judged = ae.verdict(found, specs)
    assert judged.word == word
    assert (judged.failed == ()) is (word != "cannot_tell")
    assert ("placebos" in judged.failed) is (word == "cannot_tell")


def test_failing_only_the_outer_tests_is_a_hint() -> None:
    own = candidates(1, effect=0.8)
    found = ae.attempt(own, "T00", start=2010, **CHOICE)
    specs = ae.specifications(own, "T00", flow="exports", start=2010, window=(1990, 2017))
    against = specs.assign(effect_log_points=-specs.effect_log_points)
    assert ae.verdict(found, against).word == "hints_up"
    drifting = replace(found, drift=replace(found.drift, statistic=0.1))
    assert ae.verdict(drifting, specs).failed == ("drift",)
    assert ae.verdict(drifting, specs).word == "hints_up"
    hanging = replace(found, left_out=replace(found.left_out, low=-0.1))
    assert ae.verdict(hanging, specs).word == "cannot_tell"


def test_false_alarms_are_as_rare_as_the_level_says() -> None:
    """Exchangeable partners and no effect: p <= 0.1 in about a tenth of samples, with the other tests in fewer."""
    none = pd.DataFrame(columns=ae.SPECIFICATION + ae.ESTIMATES)  # so that the most to be said is a hint
    words = []
    for seed in range(16):
        found = ae.attempt(candidates(100 + seed, n_units=14), "T00", start=2010, **CHOICE)
        words.append(ae.verdict(found, none).word)
    assert sum(word != "cannot_tell" for word in words) <= 4  # binomial 16, 0.1: four or fewer in 98 of 100


def test_the_table_holds_each_method_with_its_floor() -> None:
    own = candidates(2, effect=0.4)
    found = ae.attempt(own, "T00", start=2010, **CHOICE)
    assert list(found.estimates.index) == list(METHODS)
    for method, row in found.estimates.iterrows():
        single = fit(found.pool.outcomes, "T00", 2010, method=method)
        assert row.effect_log_points == single.effect
        assert row.effect_pct == pytest.approx(100 * np.expm1(single.effect))
        assert row.p == placebo_in_space(single).p_value
        assert 0 < row.p_floor <= row.p <= 1
        assert row.p_floor == pytest.approx(1 / (row.n_placebos + 1))
    observed = own.exports["T00"]
    control = np.exp(found.main.counterfactual)
    extra = sum(observed[y] - control[y] for y in observed.index if y >= 2010)
    assert found.extra_usd_m == pytest.approx(extra)


def test_a_short_record_is_counted_once_and_not_read() -> None:
    own = candidates(3, effect=0.4)
    specs = ae.specifications(own, "T00", flow="exports", start=2010, window=(1990, 2017))
    share = specs[specs.outcome == "share"]
    assert set(share.window) == {"as chosen", "first five years"}
    assert (share.n_pre == 4).all()
    assert set(specs[specs.outcome == "value"].window) == {"as chosen", "from 2000", "first five years"}
    assert len(specs) == 5 * 3 * 5
    only_share = ae.attempt(own, "T00", start=2010, **CHOICE | {"outcome": "share"})
    assert "pre-period" in ae.verdict(only_share, specs).failed
    assert only_share.extra_usd_m is None


@pytest.mark.parametrize(
    ("partner", "window", "words"),
    [("XXX", (1990, 2017), "not in this record"), ("T00", (2008, 2017), "before 2010: 2")],
)
def test_what_cannot_be_estimated_says_why(partner: str, window: tuple[int, int], words: str) -> None:
    own = candidates(4)
    found = ae.attempt(own, partner, start=2010, **CHOICE | {"window": window})
    assert words in found.why
    assert (found.pool is None) is (partner == "XXX")
    specs = ae.specifications(own, partner, flow="exports", start=2010, window=CHOICE["window"])
    assert ae.verdict(found, specs) == ae.Verdict(word="cannot_tell", tests={})
    assert specs.empty is (partner == "XXX")
