"""docs/toolbox.md runs as written and names every estimator; what models accept and refuse: time in its usual forms,
levels in per cent, and the examples with one slip each."""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import diversification, interrupted, pipeline, reference_class, revisions, season
from kbio_analysis.models.checks import check_levels, check_names, check_years, checked_level, moment, years_index

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "toolbox.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^### `(.*?)`$.*?```python\n(.*?)```", TEXT, re.DOTALL | re.MULTILINE))
FRAMES: dict[str, Any] = {}
exec(re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1], FRAMES)
MAX_LINES = 5  # beside the imports
PARTS = {"__init__", "checks"}
"""What the estimators are made of: nothing that an analyst calls."""
YEARS = [2010, 2011, 2012, 2013]

SLIPS = {
    "growth.required_growth_pct": [
        ("total[2024], 2 * ", "0.0, 2 * ", "base = 0.0: give a number above zero"),
        ("total[2024], 6)", "total[2024], 0)", "years = 0"),
        ("11.9", "-100", "above -100"),
        ("11.9, 6", "11.9, 2.5", "whole number of years"),
    ],
    "growth_predictive.predictive": [
        ('exports.drop(columns="IND")', "exports.iloc[-4:, :3]", "9 yearly growth rates; at least 15"),
        ("3.0)]", "0.0)]", "never certain"),
        ("found, 5", "found, 0", "at least one year"),
        ("interval(80)", "interval(0.8)", r"did you mean 80\?"),
    ],
    "nowcast.nowcast": [("years.loc[:2023])", "years.loc[:2023], year=2030)", "no value for 2029")],
    "export_target.forecast": [
        ("total[2022],", "0.0,", "base value 0.0"),
        ("total[2022], 2030", "total[2022], 2199", "covers 2025 to"),
    ],
    "season.decompose": [
        ("smoother=13", "smoother=8", "odd number"),
        ("decompose(monthly", "decompose(monthly.drop(monthly.index[10])", "gap"),
        ("decompose(monthly", "decompose(-monthly", "positive"),
    ],
    "export_record.code_match": [
        ("0.1)", "0.0)", "above zero"),
        ('"3004"], "all"', '*(["3004"] * 15)], "all"', "17 codes: give 1 to 16"),
    ],
    "ranks.ladder": [
        ("standings(exports)", "standings(pd.concat([exports, exports]))", "each once"),
        ('ladder(exports, "IND"', 'ladder(exports, "XXX"', "XXX is not held in 2024"),
        ('"IND", 5)\ndoubled', '"IND", 12)\ndoubled', "fewer than 12"),
    ],
    "ranks.entry_rates": [("[6, 10]", "[]", "give ranks")],
    "ranks.simulate": [
        ('"IND"', '"XXX"', "XXX is not held in 2024"),
        ("exports,", "exports.iloc[-1:],", "0 yearly growth rates"),
        ('"IND")', '"IND", rule="guess")', "unknown rule 'guess'; choose among"),
        ("place=5", "place=12", "give 1 to"),
        ("target_year=2030", "target_year=2024", "years to the target"),
        ("n_paths=500", "n_paths=10", "n_paths = 10"),
    ],
    "synthetic_control.fit": [
        ("2010)", "1997)", r"periods before 1997: 2 \(at least 4"),
        ("2010)", "2030)", "from it on: 0"),
        ('"IND"', '"XXX"', "XXX is not in the panel"),
        ("log(exports)", "log(exports[partners[:5]])", "4 donors, at least 5 are needed"),
        ("2010)", '2010, method="magic")', "unknown model 'magic'"),
        ("log(exports)", "log(exports.assign(USA=np.nan))", "missing or infinite outcomes for USA"),
        ("log(exports)", "log(pd.concat([exports, exports]))", "a period or a unit occurs twice"),
        ("np.log(exports)", "[1, 2]", "outcomes: list was given"),
    ],
    "donors.screen": [
        ('"clean"', '"large_"', "unknown donor rule 'large_'; did you mean large"),
        ("(1996,", "(2011,", "no figure for 2009 and 2010"),
        ('candidates, "IND"', 'candidates, "XXX"', "XXX: not in this record"),
    ],
    "agreement_effect.estimate": [("(pool,", "({},", "pool: dict was given")],
    "growth.multiples": [("base=2010", "base=1980", "no price level for 1980")],
    "interrupted.its": [("2010)", "1997)", "give at least 4 on either side")],
    "event_study.staggered": [
        ('pd.Series({"IND": 2010, "USA": 2012})', "pd.Series(2010, index=partners)", "0 never-treated"),
        ("(exports,", "(0 * exports,", "complete positive record"),
    ],
    "event_study.drift_bounds": [("2012}))", "2012}), leads=1)", "leads of 2 or more")],
    "agreement_record.record": [
        ("[4:]", "[4:7]", "3 partners without an agreement, 4 are needed"),
        ("exports},", "exports.assign(AUS=0.0)},", "no trade before any agreement"),
        ("exports},", "exports[partners[4:]]},", "widen the window"),
    ],
    "reference_class.pool": [
        ("(effects, errors)", "(effects[:3], errors.iloc[:3, :3])", "3 cases are too few"),
        ("errors)", "errors, covariates=errors.iloc[:, :3])", "take at most 2"),
        ("(effects,", "(effects.where(effects > effects.min()),", "leave that case out"),
        ("errors)", "-errors)", "symmetric 10 x 10"),
    ],
    "agreement_record.reassign": [
        ("n_draws=99", "n_draws=5", "n_draws = 5"),
        ("reassign(**panels", "reassign(**panels | {'outcomes': {'exports': exports.loc[2008:]}}", "start earlier"),
    ],
    "gravity.ppml": [
        ('["agreement"], ["partner"', '["z"], ["partner"', "no column z"),
        ('["agreement"], ["partner"', '[], ["partner"', "no regressor named"),
        ("(rows,", "(rows.assign(trade=-rows.trade),", "missing or negative"),
        ("(rows,", "(rows.assign(trade=0.0),", "trade is zero in every row"),
        ("(rows,", "(rows.assign(agreement=1.0),", "absorb every regressor"),
    ],
    "structural_gravity.effects": [
        ('home="USA"', 'home="XXX"', "holds no XXX"),
        (", entered,", ", pd.concat([entered, entered]),", "a partner stands twice"),
        ("[2008, 2010]", "[2030, 2030]", "no agreement of USA"),
        ("(world,", '(world.drop(columns="agreement"),', "no column agreement"),
        ("(world,", "(world.replace({2003: np.nan}),", "a cell is empty"),
        ("(world,", "(pd.concat([world, world.head(1)]),", "stand twice"),
        ("(world,", "(world.assign(trade_usd_m=-1.0),", "0 or more"),
        ("(world,", "(world.assign(agreement=2),", "agreement 0 or 1"),
        ("(world,", "(world.assign(exporter=world.importer, agreement=1, year=range(len(world))),", "domestic rows"),
        ("(world,", '(world.assign(trade_usd_m="1"),', "plain numbers"),
    ],
    "tariffs.simulate": [
        ("rd_pct=0.0", "rd=0.0", "no column rd_pct; did you mean sd_pct"),
        ("(lines,", "({},", "lines: dict was given"),
        ("[10.0, 25.0]", "[10.0, np.nan]", "duties are missing"),
        ("[10.0, 25.0]", "[10.0, -1.0]", "must not be negative"),
        ("[60.0, 40.0]", "[60.0, -1.0]", "trade_usd_m must be 0 or more"),
        ("[60.0, 40.0]", "[0.0, 0.0]", "no line has trade"),
        ("share=0.05", "share=1.2", "supplier_share"),
        ("sigma_median=5.0", "sigma_median=0.9", "exceed 1"),
        ("[39, 61]", "[39, 39]", "stands twice"),
        ("today=MFN", "today=MFN, utilisation_sd=0.6", "Beta"),
        ("today=MFN", "today=MFN, horizon=-1", "years after entry"),
        ("today=MFN", "today=MFN, eps_median=0.0", "eps_median must be positive"),
        ("today=MFN", "today=MFN, sigma_cap=1.0", "sigma_cap must exceed"),
        ("today=MFN", "today=MFN, supply=()", "supply needs"),
        ('"cd"', '"vat"', "unknown kind of cuts 'vat'"),
        ("phase_years=5", "coverage=1.5", "fractions from 0 to 1"),
        ("n_draws=500", "n_draws=10", "n_draws = 10"),
    ],
    "trade_baseline.baseline": [
        ("(flows,", "(exports,", "trade: DataFrame was given"),
        ("growth_pct,", "growth_pct.iloc[:, :2],", "fewer than three partners"),
        ("horizon=8", "horizon=30", "30 years after it; shorten the horizon"),
        (
            'exports, "imports": 0.6 * exports',
            'exports.iloc[:, :6], "imports": exports.iloc[:, 6:]',
            "no partner has every flow",
        ),
    ],
    "new_agreement.effects": [("start=2026, horizon=5", "start=2026, horizon=50", "lengthen its horizon")],
    "reference_class.from_structural": [('"weight"]', '"heft"]', "no column weight")],
    "diversification.hhi": [
        ("diversification.shares(exports.loc[2024])", "exports.loc[2024]", "add up to 1"),
        ("shares(exports.loc[2024])", "shares(0 * exports.loc[2024])", "zero or more and not all zero"),
        ("exports.loc[2015]", "exports.loc[2015, partners[1:]]", "same destinations"),
        ("exports.loc[2015]", "np.nan * exports.loc[2015]", "none missing"),
    ],
    "diversification.market_gaps": [
        ("(markets)", '(markets.drop(columns="distance_km"))', "no column distance_km"),
        ("(markets)", "(markets[:10])", "10 markets, at least 20"),
        ("(markets)", "(markets.assign(gdp_usd_m=0.0))", "above zero and known"),
    ],
    "diversification.episodes": [
        ("fall_pct=10", "fall_pct=0", "above 0 and at most 100"),
        ("level=90", "level=0.9", r"did you mean 90\?"),
    ],
    "pipeline.at_least": [
        ("counts, success)", "counts, 20 * success)", "chances from 0 to 1"),
        ("counts, success)", "'many', success)", "counts and p: str and Series were given"),
        ("needed(3,", "needed(0,", "k of 1 or more"),
    ],
    "reform_clock.simulate": [
        ("before_days=406", "before_days=0", "days above zero"),
        ("(0.1, 0.2, 0.3)", "(0.3, 0.2, 0.3)", "rising order"),
        ("(0.1, 0.2, 0.3)", "(-0.1, 0.2, 0.3)", "zero or more"),
        ("(0.1, 0.2, 0.3)", "(0.0, 0.2, 0.3)", "years_to_peak must be above zero"),
        ("(0.1, 0.2, 0.3)", "(0.1, 0.2, 100)", "price_fall_pct must stay below 100"),
        ("in ASSUMPTIONS}", 'in ASSUMPTIONS if name != "peak_usd_m"}', "no peak_usd_m"),
        ("0.6, 1.0)", "0.6, 0.9)", "uptake must end at 1"),
        ("(track,", "({},", "track: dict was given"),
    ],
    "trial_hub.rank_chance": [
        ("(history,", "(history[:1],", "two are needed"),
        ("target_rank=3", "target_rank=0", "ranks from 1"),
        ("target_year=2030", "target_year=2020", "after the target year"),
    ],
    "growth.segment_share": [
        ("1600, 480", "480, 1600", "smaller than its market"),
        ("target_year=2030", "target_year=2024", "give a later one"),
    ],
    "verdicts.judged": [
        ('"equals"', '"sounds_right"', "rule 'sounds_right' is not known"),
        ('"printed"', '"roughly"', "roughly"),
        ('"same"', '"wider"', "wider"),
        ("Tolerances()", "Tolerances(caveat_pct=-1)", "a tolerance is negative"),
        ("Tolerances())", "Tolerances(), prefer=['c1:2010'])", "no reading 'c1:2010'; known: c1:as stated"),
    ],
}  # example of the toolbox -> (what it says, what is written instead, what is then said)


@pytest.mark.parametrize("name", SLIPS)
@pytest.mark.filterwarnings("ignore")
def test_an_example_with_a_slip_is_refused_and_says_what_to_do(name: str) -> None:
    for written, instead, said in SLIPS[name]:
        assert written in EXAMPLES[name], written
        with pytest.raises(ModelInputError, match=said):
            exec(EXAMPLES[name].replace(written, instead, 1), dict(FRAMES))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda y: interrupted.valley(y.index, "2017-08", "2017-02", "2018-03"), "three rising dates"),
        (lambda y: diversification.track_record(y[:5], y), "5 markets with both dates"),
        (lambda y: diversification.shares(y.to_frame()), "values: DataFrame was given"),
        (lambda y: pipeline.updated_share(0.5, 5, passed=2, approved=1), "no more passed than approved"),
        (lambda y: pipeline.share_needed(3, [5], [0.5], 1.0), "between 0 and 1"),
        (lambda y: season.rank_test([1.0], 12), "y: list was given"),
        (lambda y: reference_class.crps_t(0.0, 0.0, 1.0, 1), "more than one degree of freedom"),
        (lambda y: check_levels([]), "no interval level given"),
        (lambda y: check_names([], ["a", "b"]), "no model named; choose among a, b"),
        (lambda y: check_years([2010], "treatment"), "treatment: list was given"),
        (lambda y: revisions.pending_months(None, "a", level=80), "revisions: NoneType was given"),
    ],
)
def test_what_the_examples_do_not_call_refuses_too(call, said: str) -> None:
    with pytest.raises(ModelInputError, match=said):
        call(FRAMES["monthly"].to_period("M"))


@pytest.mark.parametrize(
    ("index", "frequency"),
    [
        (YEARS, "Y"),
        (np.array(YEARS, dtype=float), "Y"),
        ([str(year) for year in YEARS], "Y"),
        (pd.date_range("2010", periods=4, freq="YE"), "Y"),
        (pd.date_range("2010", periods=4, freq="ME"), "M"),
        (["2010-01", "2010-02", "2010-03", "2010-04"], "M"),
        (pd.period_range("2010-01", periods=4, freq="M"), "M"),
    ],
)
def test_time_is_taken_as_an_analyst_holds_it(index, frequency: str) -> None:
    found = years_index(pd.Series([1.0, 2, 3, 4], index=index))
    assert (found.index.freqstr[0], found.index[0].year) == (frequency, 2010)


@pytest.mark.parametrize("index", [range(4), list("abcd"), [2010.5, 2011.5, 2012.5, 2013.5]])
def test_an_index_that_is_no_time_is_refused(index) -> None:
    with pytest.raises(ModelInputError, match=r"panel: the index is \w+ and holds .*; index it by year"):
        years_index(pd.DataFrame({"a": [1.0, 2, 3, 4]}, index=index), "panel")


@pytest.mark.parametrize(("level", "hint"), [(0.95, "did you mean 95?"), (1, "such as 80"), (100, "80"), ("95", "80")])
def test_a_level_is_in_per_cent(level, hint: str) -> None:
    with pytest.raises(ModelInputError, match=hint):
        checked_level(level)
    with pytest.raises(ModelInputError, match=hint):
        check_levels([80, level])


def test_levels_are_sorted_and_one_may_stand_alone() -> None:
    assert check_levels([95, 80, 80]) == (80, 95)
    assert check_levels(90) == (90,)
    assert checked_level(np.float64(99.5)) == 99.5


def test_a_moment_is_named_in_the_terms_of_its_index() -> None:
    assert moment(pd.Index(YEARS), pd.Period("2011")) == 2011
    assert moment(pd.period_range("2010", periods=4, freq="Y"), 2011) == pd.Period("2011")
    assert moment(pd.date_range("2010", periods=4, freq="YE"), 2011) == pd.Timestamp("2011-01-01")
    with pytest.raises(ModelInputError, match="start = 'soon': give a time of the index, such as 2012"):
        moment(pd.Index(YEARS), "soon")


@pytest.mark.parametrize(("name", "block"), EXAMPLES.items(), ids=list(EXAMPLES))
@pytest.mark.filterwarnings("ignore")
def test_the_example_runs(name: str, block: str) -> None:
    exec(block, dict(FRAMES))
    module, function = name.split(".")
    assert callable(getattr(model(module), function))
    assert function in block
    assert len([line for line in block.splitlines() if line and not line.startswith("from ")]) <= MAX_LINES


def test_every_estimator_is_in_the_table_once_and_the_readme_leads_here() -> None:
    listed = re.findall(r"\| \[`(.*?)`\]\(#.*?\) \|", TEXT)
    assert listed == list(EXAMPLES)
    modules = {path.stem for path in (ROOT / "kbio_analysis" / "models").glob("*.py")}
    assert modules - PARTS == {name.split(".")[0] for name in EXAMPLES}
    assert "(docs/toolbox.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


def model(name: str) -> Any:
    return import_module(f"kbio_analysis.models.{name}")


ENTERED = pd.DataFrame({"agreement": list("ABCD"), "entry_year": [2008, 2010, 2012, 2014]}, index=list("abcd"))
"""Of panels whose columns are a to l."""


PANELS: dict[str, Callable[[Any], Any]] = {
    "growth_predictive": lambda p: [model("growth_predictive").components(p).mean],
    "ranks.standings": lambda p: model("ranks").standings(p),
    "ranks.fit": lambda p: model("ranks").fit(p, "a").field,
    "agreement_record": lambda p: model("agreement_record").record({"x": p}, ENTERED, {"x": list("efghijkl")}).table,
    "synthetic_control": lambda p: [model("synthetic_control").fit(p, "a", 2010).effect],
    "event_study": lambda p: model("event_study").staggered(p, ENTERED["entry_year"]).profile,
    "diversification.over_time": lambda p: model("diversification").over_time(p).reset_index(drop=True),
    "diversification.episodes": lambda p: model("diversification").episodes(p, FALLS, fall_pct=5, min_share_pct=5),
    "trade_baseline": lambda p: model("trade_baseline").recent_growth(model("checks").whole_years(p), 2020),
}
SERIES: dict[str, Callable[[Any], Any]] = {
    "export_target": lambda y: model("export_target").position(y, base_year=2022, base_usd_m=1.0, until=2030).history,
    "interrupted": lambda y: model("interrupted").its(y, 2010).level_shift,
}
RANDOM = np.random.default_rng(3)
PANEL = pd.DataFrame(np.exp(RANDOM.normal(0.05, 0.1, (30, 12)).cumsum(axis=0)), range(1995, 2025), list("abcdefghijkl"))
FALLS = 20 * PANEL.rolling(3, min_periods=1).mean()


@pytest.mark.parametrize("name", [*PANELS, *(f"{name}:series" for name in SERIES)])
@pytest.mark.filterwarnings("ignore")
def test_years_may_be_numbers_dates_or_periods_and_a_wrong_type_is_named(name: str) -> None:
    stem, series = name.removesuffix(":series"), name.endswith(":series")
    call, frame = (SERIES[stem], np.log(10 + PANEL["a"])) if series else (PANELS[stem], PANEL)
    plain = np.asarray(call(frame), dtype=object)
    dates = pd.to_datetime([f"{year}-12-31" for year in frame.index])
    for index in (dates, dates.to_period("Y")):
        found = np.asarray(call(frame.set_axis(index, axis=0)), dtype=object)
        assert ((found == plain) | (pd.isna(found) & pd.isna(plain))).all()
    for wrong in (None, {"a": 1.0}):
        with pytest.raises(ModelInputError, match=r"was given|give a non-empty frame"):
            call(wrong)
