"""What models accept and refuse: time in any of its usual forms, levels in per cent, frames with named columns."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_levels, checked_frame, checked_level, moment, years_index

YEARS = [2010, 2011, 2012, 2013]


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


def test_a_wrong_type_is_refused_by_name() -> None:
    with pytest.raises(ModelInputError, match="outcomes: list was given"):
        years_index([1, 2, 3], "outcomes")
    with pytest.raises(ModelInputError, match="world: dict was given"):
        checked_frame({}, ["year"], "world")
    with pytest.raises(ModelInputError, match="world: no column exporter; is it 'exportr'"):
        checked_frame(pd.DataFrame({"exportr": []}), ["exporter"], "world")


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
