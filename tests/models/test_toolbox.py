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
import yaml

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import diversification, growth_predictive, interrupted, pipeline, revisions, season
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

SLIPS = yaml.safe_load((Path(__file__).parent / "slips.yml").read_text(encoding="utf-8"))


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
        (lambda y: growth_predictive.crps_t(0.0, 0.0, 1.0, 1), "more than one degree of freedom"),
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
