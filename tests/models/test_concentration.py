"""Concentration against its closed form, a printed example and a slow twin; growth taken apart adds up."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import concentration

EXACT = 1e-12  # sums of a few hundred floats

VALUES = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=60)


def test_the_example_the_justice_department_gives() -> None:
    """Four firms of 30, 30, 20 and 20 per cent give 2,600 points (US Department of Justice, page on the index)."""
    assert 10_000 * concentration.hhi(pd.Series([0.3, 0.3, 0.2, 0.2])) == pytest.approx(2600, abs=1e-9)


@settings(deadline=None)
@given(VALUES)
def test_the_index_equals_a_slow_loop_and_stays_within_its_bounds(values: list[float]) -> None:
    found = concentration.hhi(concentration.shares(pd.Series(values)))
    assert found == pytest.approx(sum((value / sum(values)) ** 2 for value in values), rel=1e-9)
    assert 1 / len(values) - EXACT <= found <= 1 + EXACT


@pytest.mark.parametrize("bad", [[0.5, 0.6], [1.2, -0.2], [np.nan, 1.0], []])
def test_what_is_no_share_is_refused(bad: list[float]) -> None:
    with pytest.raises(ModelInputError, match="add up to 1"):
        concentration.hhi(pd.Series(bad, dtype=float))


@pytest.mark.parametrize("bad", [[0.0, 0.0], [-1.0, 3.0]])
def test_no_trade_has_no_shares(bad: list[float]) -> None:
    with pytest.raises(ModelInputError, match="zero or more"):
        concentration.shares(pd.Series(bad))
    with pytest.raises(ModelInputError, match="DataFrame was given"):
        concentration.shares(pd.DataFrame({"A": bad}))


def test_over_time_is_the_index_of_every_row() -> None:
    panel = pd.DataFrame({"A": [1.0, 3.0], "B": [1.0, 1.0]}, index=[2000, 2001])
    table = concentration.over_time(panel)
    assert table.hhi.to_list() == pytest.approx([0.5, 0.625])
    assert table.effective_partners.to_list() == pytest.approx([2.0, 1.6])


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 1e5), st.floats(0, 1e5)), min_size=2, max_size=30))
def test_shift_share_adds_up(pairs: list[tuple[float, float]]) -> None:
    before, after = (pd.Series(side) for side in zip(*pairs, strict=True))
    found = concentration.shift_share(before, after)
    growth_pct = 100 * (after.sum() / before.sum() - 1)
    scale = 1 + abs(growth_pct)
    assert found.contribution.sum() == pytest.approx(growth_pct, abs=1e-6 * scale)
    assert found["shift"].sum() == pytest.approx(0, abs=1e-6 * scale)
    for i, (x0, x1) in enumerate(pairs):  # s0 (g_i - G), by hand
        g = 100 * (x1 / x0 - 1)
        slow = x0 / before.sum() * (g - growth_pct)
        assert found["shift"][i] == pytest.approx(slow, abs=1e-6 * (scale + abs(g)))


def test_shift_share_refuses_different_destinations_and_gaps() -> None:
    with pytest.raises(ModelInputError, match="same destinations"):
        concentration.shift_share(pd.Series([1.0], index=["A"]), pd.Series([1.0], index=["B"]))
    with pytest.raises(ModelInputError, match="none missing"):
        concentration.shift_share(pd.Series([1.0, np.nan]), pd.Series([1.0, 2.0]))


def test_group_shares_count_absent_partners_as_nothing() -> None:
    panel = pd.DataFrame({"A": [1.0], "B": [3.0]}, index=[2000])
    table = concentration.group_shares(panel, {"first": ["A", "Z"], "all": ["A", "B"]})
    assert table.loc[2000].to_dict() == {"first": 25.0, "all": 100.0}
