"""The study of one agreement: who may be compared, known effects judged as such, a break of one series, multiples."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from kbio_analysis.models import agreement_effect as ae
from kbio_analysis.models import interrupted as it
from kbio_analysis.models.donors import Candidates, screen
from kbio_analysis.models.growth import multiples, price_level

NOISE = 0.15  # log points: four standard deviations of the simulated estimates
EXACT = 1e-9  # relative: the same normal equations, or arithmetic
FOUR_ERRORS = 0.06  # log points: four standard errors of the mean over repetitions
YEARS = range(1996, 2016)
UNITS = ["IND", "AGR", "LAT", "SHP", "WAR", "OLD", "GAP", "SML", "MID", "OIL", "FIN"]
PERIODS = ["iso3", "reason", "first_year", "last_year"]


def candidates(
    exports: pd.DataFrame, imports: pd.DataFrame, share: pd.DataFrame, *clashes: tuple, **terms
) -> Candidates:
    parts = {"exports": exports, "imports": imports, "import_share": share, "export_share": share}
    parts |= {"disturbed": pd.DataFrame(clashes, columns=PERIODS), "names": pd.Series({u: u for u in exports})}
    return Candidates(**parts, **{"flagged": {}} | terms)


def listed() -> Candidates:
    """One partner for every reason to refuse one."""
    exports = pd.DataFrame(1000.0, index=YEARS, columns=UNITS)
    exports["SML"], exports["MID"] = 20.0, 100.0
    exports.loc[2012, "GAP"] = np.nan
    share = pd.DataFrame(0.03, index=YEARS, columns=UNITS)
    share.loc[:2005, "IND"] = np.nan
    disturbed = [("WAR", "conflict", 2011, 2013), ("OLD", "sanctions", 1990, 1995)]
    terms = {"agreements": pd.Series({"IND": 2010, "AGR": 2011, "LAT": 2016}), "flagged": {"SHP": "ships"}}
    return candidates(exports, exports.assign(OIL=9000.0), share, *disturbed, **terms)


def chosen(own: Candidates | None = None, **changes):
    usual = {"treated": "IND", "flow": "exports", "outcome": "value", "start": 2010, "window": (1996, 2015)}
    return screen(own or listed(), **usual | {"rule": "clean"} | changes)


def test_each_reason_refuses_what_it_names() -> None:
    pool = chosen()
    assert pool.kept == ("LAT", "OLD", "MID", "OIL", "FIN")
    reasons = pool.refused.set_index("unit").reason.to_dict()
    assert reasons == {"AGR": "agreement", "SHP": "other record", "WAR": "disturbed", "GAP": "gaps", "SML": "small"}
    assert set(pool.kept) | set(reasons) | {"IND"} == set(UNITS)
    assert "in force from 2011" in pool.refused.detail.to_list()
    assert pool.outcomes.FIN.to_numpy() == pytest.approx(np.log(1000))


def test_rules_and_windows_change_the_pool_and_what_happens_after_the_start_does_not() -> None:
    assert "MID" not in chosen(rule="large").kept
    assert "OIL" not in chosen(rule="no_resources").kept
    assert {"AGR", "WAR", "GAP"} <= set(chosen(window=(1996, 2010)).kept)
    assert chosen(outcome="share").years == (2006, 2015)  # the partner's own record
    late = listed()
    late.exports.loc[2010:, "FIN"] = 1e-3
    assert "FIN" in chosen(late, rule="large").kept


def simulated(seed: int, *, effect: float = 0.0, n_units: int = 30) -> Candidates:
    """Exports to partners with one common factor; T00 gains ``effect`` from 2010 on."""
    rng = np.random.default_rng(seed)
    years = np.arange(1990, 2018)
    common = rng.normal(0.05, 0.1, (len(years), 1)).cumsum(axis=0)
    logs = rng.normal(6.5, 0.3, n_units) + common * rng.normal(1, 0.2, n_units)
    logs = logs + rng.normal(0, 0.03, logs.shape)
    logs[years >= 2010, 0] += effect
    flows = pd.DataFrame(np.exp(logs), index=years, columns=[f"T{i:02}" for i in range(n_units)])
    share = flows * np.exp(-10)
    share.loc[:2005, "T00"] = np.nan
    agreements = pd.Series({"T00": 2010, "T01": 2012})
    return candidates(flows, flows, share, ("T29", "conflict", 2000, 2001), agreements=agreements)


def attempt(own: Candidates, partner: str = "T00", **changes: object) -> ae.AgreementEffect:
    choice = {"flow": "exports", "outcome": "value", "rule": "clean", "window": (1990, 2017)}
    return ae.attempt(own, partner, start=2010, **choice | changes)


@cache
def specified(effect: float) -> tuple[Candidates, ae.AgreementEffect, pd.DataFrame]:
    own = simulated(1, effect=effect)
    return own, attempt(own), ae.specifications(own, "T00", flow="exports", start=2010, window=(1990, 2017))


@pytest.mark.parametrize(("effect", "word"), [(0.8, "raised"), (-0.8, "lowered"), (0.0, "cannot_tell")])
def test_the_verdict_follows_a_known_effect(effect: float, word: str) -> None:
    _, found, specs = specified(effect)
    assert found.estimates.loc["demeaned", "effect_log_points"] == pytest.approx(effect, abs=NOISE)
    judged = ae.verdict(found, specs)
    assert judged.word == word
    assert (judged.failed == ()) is (word != "cannot_tell")
    assert ("placebos" in judged.failed) is (word == "cannot_tell")


def test_failing_only_the_outer_tests_is_a_hint() -> None:
    _, found, specs = specified(0.8)
    against = specs.assign(effect_log_points=-specs.effect_log_points)
    assert ae.verdict(found, against).word == "hints_up"
    drifting = replace(found, drift=replace(found.drift, statistic=0.1))
    assert (ae.verdict(drifting, specs).failed, ae.verdict(drifting, specs).word) == (("drift",), "hints_up")
    hanging = replace(found, left_out=replace(found.left_out, low=-0.1))
    assert ae.verdict(hanging, specs).word == "cannot_tell"


def test_false_alarms_are_as_rare_as_the_level_says() -> None:
    """Exchangeable partners and no effect: p <= 0.1 in about a tenth of samples, with the other tests in fewer."""
    none = pd.DataFrame(columns=ae.SPECIFICATION + ae.ESTIMATES)  # so that the most to be said is a hint
    words = []
    for seed in range(16):
        found = attempt(simulated(100 + seed, n_units=14))
        words.append(ae.verdict(found, none).word)
    assert sum(word != "cannot_tell" for word in words) <= 4  # binomial 16, 0.1: four or fewer in 98 of 100


def test_a_short_record_is_counted_once_and_not_read() -> None:
    own, _, specs = specified(0.8)
    share = specs[specs.outcome == "share"]
    assert set(share.window) == {"as chosen", "first five years"}
    assert (share.n_pre == 4).all()
    assert len(specs) == 5 * 3 * 5
    only_share = attempt(own, outcome="share")
    assert "pre-period" in ae.verdict(only_share, specs).failed
    assert only_share.extra_usd_m is None
    for silent in (attempt(own, "XXX"), attempt(own, window=(2008, 2017))):
        assert silent.why
        assert ae.verdict(silent, specs) == ae.Verdict(word="cannot_tell", tests={})


def series(seed: int, *, freq: str = "Y-DEC", n: int = 40, jump: float = 0.0, slope: float = 0.0, rho: float = 0.3):
    rng = np.random.default_rng(seed)
    noise, u = rng.normal(0, 0.05, n), np.zeros(n)
    for t in range(1, n):
        u[t] = rho * u[t - 1] + noise[t]
    time = np.arange(n)
    after = time >= n // 2
    y = 3 + 0.02 * time + jump * after + slope * (time - n // 2) * after + u
    index = pd.period_range("2000-01", periods=n, freq=freq)
    if freq == "M":
        y = y + 0.2 * np.sin(2 * np.pi * index.month / 12)
    return pd.Series(y, index=index, name="y"), index[n // 2]


@pytest.mark.parametrize(("freq", "n"), [("Y-DEC", 40), ("M", 120)])
def test_recovers_a_known_break(freq: str, n: int) -> None:
    found = [it.its(*series(s, freq=freq, n=n, jump=0.4, slope=-0.01)) for s in range(40)]
    assert np.mean([f.level_shift for f in found]) == pytest.approx(0.4, abs=FOUR_ERRORS)


def test_agrees_with_statsmodels() -> None:
    y, start = series(3, freq="M", n=90, jump=0.2)
    control = pd.DataFrame({"z": np.cos(np.arange(90))}, index=y.index)
    found = it.its(y, start, controls=control)
    time = np.arange(90) - 45
    x = np.column_stack([np.ones(90), time, time >= 0, np.maximum(time, 0)])
    months = np.column_stack([(y.index.month == m) for m in range(2, 13)])
    x = np.column_stack([x, months, control.z]).astype(float)
    assert found.lags == int(4 * 0.9 ** (2 / 9))
    twin = sm.OLS(y.to_numpy(), x).fit(cov_type="HAC", cov_kwds={"maxlags": found.lags, "use_correction": True})
    assert found.level_shift == pytest.approx(twin.params[2], rel=EXACT)
    assert found.se_level == pytest.approx(twin.bse[2], rel=1e-6)


def test_a_missing_month_keeps_its_place_in_time() -> None:
    y, start = series(5, freq="M", n=60)
    straight = pd.Series(np.arange(60) * 0.01, index=y.index, name="y")
    for found in (it.its(straight.drop(y.index[17]), start), it.its(straight.where(y.index != y.index[17]), start)):
        assert len(found.levels) == 59
        assert found.level_shift == pytest.approx(0, abs=1e-9)
    assert it.attempt(straight.iloc[28:], start) is None


def test_placebo_dates_are_away_from_the_true_one_and_rank_it() -> None:
    y, start = series(6, freq="M", n=120, jump=1.5)
    found = it.its(y, start)
    check = it.placebo_dates(y, found)
    assert check.p_value >= check.p_floor > 0
    assert check.p_value == check.p_floor
    assert min(abs((d - start).n) for d in check.table.index) == 12
    fake = it.its(y, check.table.index[0])
    assert check.table.t.iloc[0] == pytest.approx(fake.level_shift / fake.se_level, rel=EXACT)


def test_the_valley_falls_and_recovers() -> None:
    v = it.valley(pd.period_range("2008-01", "2010-12", freq="M"), "2008-08", "2009-02", "2010-03")
    assert [v["2008-08"], v["2008-11"], v["2009-02"]] == pytest.approx([0, 0.5, 1])
    assert (v["2010-03":] == 0).all()


def test_multiples_of_every_base_have_a_latest_and_a_peak_at_constant_prices_and_against_the_world() -> None:
    gdp, real = pd.Series({2009: 100.0, 2010: 110.0, 2011: 121.0}), pd.Series({2009: 1.0, 2010: 5.0, 2011: 0.0})
    assert price_level(gdp, real, base=2010).to_list() == pytest.approx([1.05 / 1.10, 1.0, 1.1], rel=EXACT)
    flows = {2009: 10.0, 2010: 16.0, 2011: 40.0, 2012: 24.0}
    trade = pd.DataFrame({f"{way}_usd_m": flows for way in ("trade", "exports", "imports")})
    world = trade.assign(trade_usd_m=[100.0, 120.0, 150.0, 180.0])
    prices = pd.Series({2009: 0.8, 2010: 1.0, 2011: 1.0, 2012: 1.2})
    bases = {"a": 2009, "b": 2010, "never": 1999, "last": 2012}
    found = multiples(trade, world, prices, bases=bases)
    rows = found[found.flow == "trade"].set_index(["base", "end"])
    assert list(rows.index) == [("a", "latest"), ("a", "peak"), ("b", "latest"), ("b", "peak")]
    latest = [rows.at[("a", "latest"), name] for name in ("nominal", "real", "world")]
    assert latest == pytest.approx([2.4, 2.4 * 0.8 / 1.2, 1.8])
    assert rows.relative["b", "peak"] == pytest.approx(2.5 / 1.25)
    assert list(found.flow.unique()) == ["trade", "exports", "imports"]
    assert multiples(trade.loc[:2009].reindex(trade.index), world, prices, bases=bases).empty
