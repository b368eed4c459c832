"""Arithmetic of the record: by hand, against slow twins, and at the published break."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.export_record import (
    both_years,
    classification_break,
    code_match,
    full_years,
    nearness,
    year_to_date,
)

EXACT = 1e-9  # arithmetic on a handful of floats


def counts(rows: list[tuple[str, int, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["definition", "year", "exports_usd_m"])
    return frame.assign(label=frame.definition.str.upper(), family="biopharma")


OFFICIAL = counts([("old", 2021, 6070.0), ("restated", 2021, 3377.0), ("new", 2022, 3630.0), ("new", 2023, 3900.0)])


def test_the_published_break() -> None:
    found = classification_break(OFFICIAL, old="old", restated="restated", new="new", year=2022)
    assert found["apparent_pct"] == pytest.approx(-40.2, abs=0.05)
    assert found["like_for_like_pct"] == pytest.approx(7.5, abs=0.05)  # as KHIDI printed it with the figure of 2022
    assert found["moved_out_usd_m"] == pytest.approx(2693.0, rel=EXACT)


def test_a_break_without_a_side_or_a_restatement() -> None:
    assert classification_break(OFFICIAL, old="old", restated="restated", new="new", year=2023) is None
    found = classification_break(OFFICIAL, old="old", restated="nobody", new="new", year=2022)
    assert (found["like_for_like_pct"], found["moved_out_usd_m"]) == (None, None)


def test_nearness_orders_by_distance_either_way() -> None:
    rows = nearness(counts([("a", 2024, 90.0), ("b", 2024, 104.0), ("c", 2023, 100.0)]), year=2024, value_usd_m=100.0)
    assert rows.definition.tolist() == ["b", "a"]
    assert rows.gap_pct.tolist() == pytest.approx([4.0, -10.0], rel=EXACT)
    assert nearness(OFFICIAL, year=1999, value_usd_m=1.0).empty


def test_both_years_leaves_out_counts_with_one_of_them() -> None:
    rows = both_years(counts([("a", 2021, 100.0), ("a", 2022, 80.0), ("b", 2022, 5.0), ("c", 2021, 1.0)]), year=2022)
    assert rows.index.tolist() == ["A"]
    assert rows.change_pct.tolist() == pytest.approx([-20.0], rel=EXACT)
    assert both_years(counts([("b", 2022, 5.0)]), year=2022).empty


class TestCodes:
    @staticmethod
    def match(parts: dict[str, float], figure: float, tolerance_usd_m: float):
        rows = counts([(name, 2025, value) for name, value in (parts | {"whole": figure}).items()])
        return code_match(rows, list(parts), "whole", year=2025, tolerance_usd_m=tolerance_usd_m)

    def test_agrees_with_a_loop_over_every_choice(self) -> None:
        parts = dict(zip("abcdefgh", np.random.default_rng(3).uniform(1, 100, 8).round(1), strict=True))
        found = self.match(parts, 150.0, 2.0)
        slow = {
            tuple(name.upper() for name, taken in zip(parts, pick, strict=True) if taken)
            for pick in product((0, 1), repeat=8)
            if any(pick) and abs(sum(p * v for p, v in zip(pick, parts.values(), strict=True)) - 150.0) <= 2.0
        }
        assert slow
        assert set(found.codes) == slow
        assert (found.attrs["n_sums"], found.attrs["n_near"] >= len(slow)) == (2**8 - 1, True)
        assert found.gap_usd_m.abs().is_monotonic_increasing

    def test_finds_a_planted_sum_and_says_when_there_is_none(self) -> None:
        parts = {"a": 275.33, "b": 4.99, "c": 4431.45, "d": 2084.74}
        assert self.match(parts, 6520.0, 5.0).codes.tolist() == [("B", "C", "D"), ("C", "D")]
        none = self.match(parts, 3000.0, 5.0)
        assert none.empty
        assert none.attrs["nearest"][0] == ("A", "B", "D")

    def test_nothing_without_the_figure_and_refusals(self) -> None:
        rows = counts([("p", 2025, 1.0), ("w", 2024, 1.0)])
        assert code_match(rows, ["p"], "w", year=2025, tolerance_usd_m=1.0) is None
        assert code_match(rows, ["p"], "w", year=2024, tolerance_usd_m=1.0) is None
        with pytest.raises(ModelInputError, match="1 to 16"):
            self.match({f"c{i}": 1.0 for i in range(17)}, 5.0, 1.0)
        with pytest.raises(ModelInputError, match="above zero"):
            self.match({"a": 1.0}, 5.0, 0.0)


class TestYearToDate:
    y = pd.Series(
        [*[10.0] * 12, *[11.0] * 12, *[13.0] * 5], index=pd.period_range("2024-01", periods=29, freq="M"), name="s"
    )

    def test_by_hand(self) -> None:
        found = year_to_date(self.y, base_year=2024, growth_pct=10.0, ratios=(0.8, 1.1))
        assert (found.year, found.n_months, found.to_date, found.year_before, found.base) == (2026, 5, 65.0, 55.0, 50.0)
        assert found.path == pytest.approx(50 * 1.21, rel=EXACT)
        assert found.ahead_pct == pytest.approx(100 * (65 / 60.5 - 1), rel=EXACT)
        assert (found.low, found.high) == pytest.approx((52.0, 71.5), rel=EXACT)
        assert found.cumulative.loc[12, 2025] == pytest.approx(132.0, rel=EXACT)
        assert np.isnan(found.cumulative.loc[6, 2026])

    def test_silent_without_base_later_year_or_january(self) -> None:
        for y in (self.y[:0], self.y[:12], self.y[1:], self.y.drop(pd.Period("2026-01", "M"))):
            assert year_to_date(y, base_year=2024, growth_pct=10.0) is None

    def test_full_years_uses_each_definitions_own_base(self) -> None:
        rows = full_years(
            counts([("a", 2024, 100.0), ("a", 2026, 132.0), ("b", 2024, 5.0), ("c", 2025, 5.0)]),
            base_year=2024,
            growth_pct=10.0,
        )
        assert rows.label.tolist() == ["A"]
        assert rows.ahead_pct.tolist() == pytest.approx([100 * (132 / 121 - 1)], rel=EXACT)
