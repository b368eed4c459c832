"""docs/toolbox.md runs as written, names every estimator, and what it promises of years, levels and types holds."""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "toolbox.md").read_text(encoding="utf-8")
SETUP, *BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
NAMES = re.findall(r"^### `(.*)`$", TEXT, re.MULTILINE)
MAX_LINES = 5  # beside the imports

# What the estimators are made of: nothing that an analyst calls.
PARTS = {"__init__", "checks"}


FRAMES: dict[str, Any] = {}
exec(SETUP, FRAMES)


@pytest.mark.parametrize(("name", "block"), list(zip(NAMES, BLOCKS, strict=True)), ids=NAMES)
@pytest.mark.filterwarnings("ignore")
def test_the_example_runs(name: str, block: str) -> None:
    exec(block, dict(FRAMES))
    module, function = name.split(".")
    assert callable(getattr(model(module), function))
    assert function in block
    assert len([line for line in block.splitlines() if line and not line.startswith("from ")]) <= MAX_LINES


def test_every_estimator_is_in_the_table_once_and_the_readme_leads_here() -> None:
    listed = re.findall(r"\| \[`(.*?)`\]\(#.*?\) \|", TEXT)
    assert listed == NAMES
    modules = {path.stem for path in (ROOT / "kbio_analysis" / "models").glob("*.py")}
    assert modules - PARTS == {name.split(".")[0] for name in NAMES}
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
    "diversification.over_time": lambda p: model("diversification").over_time(p).reset_index(drop=True),
    "diversification.episodes": lambda p: model("diversification").episodes(p, FALLS, fall_pct=5, min_share_pct=5),
    "trade_baseline": lambda p: model("trade_baseline").recent_growth(model("checks").whole_years(p), 2020),
}
SERIES: dict[str, Callable[[Any], Any]] = {
    "export_target": lambda y: model("export_target").position(y, base_year=2022, base_usd_m=1.0, until=2030).history,
    "interrupted": lambda y: model("interrupted").its(y, 2010)["level_shift"],
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
