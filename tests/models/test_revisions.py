"""Revisions of first counts: paired by hand, bounds from order statistics, coverage recovered from a simulator."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.revisions import compare, pending_months

EXACT = 1e-9  # arithmetic on a handful of floats


def prints(rows: list[tuple[str, str, str, float, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["count", "first_month", "last_month", "exports_usd_m", "available_from"])
    for column in ("first_month", "last_month"):
        frame[column] = [pd.Period(m, "M") for m in frame[column]]
    return frame.assign(label=frame["count"].str.upper(), available_from=pd.to_datetime(frame["available_from"]))


def monthly(values: dict[str, float]) -> pd.Series:
    return pd.Series(list(values.values()), index=pd.PeriodIndex(list(values), freq="M"), dtype=float)


def panel(ratios: np.ndarray, waiting: int = 1) -> tuple[pd.DataFrame, dict[str, pd.Series]]:
    """First counts of 100 that become ratio x 100, then ``waiting`` months without a later count."""
    months = pd.period_range("2020-01", periods=len(ratios) + waiting, freq="M")
    rows = [("a", str(m), str(m), 100.0, str((m + 1).start_time.date())) for m in months]
    return prints(rows), {"a": pd.Series(100 * ratios, index=months[: len(ratios)])}


class TestCompare:
    def test_pairs_by_hand(self) -> None:
        found = compare(
            prints(
                [
                    ("a", "2025-01", "2025-01", 100.0, "2025-02-01"),
                    ("a", "2025-01", "2025-01", 90.0, "2025-06-01"),  # a later print is not a first count
                    ("a", "2025-02", "2025-02", 200.0, "2025-03-01"),
                    ("a", "2025-03", "2025-03", 50.0, "2025-04-01"),
                ]
            ),
            {"a": monthly({"2025-01": 80.0, "2025-02": 201.0})},
            max_delay_days=60,
        )
        assert found.pairs.revision_pct.tolist() == pytest.approx([-20.0, 0.5], rel=EXACT)
        assert found.by_count.loc["A", ["n", "n_moved"]].tolist() == [2, 1]
        assert found.by_count.loc["A", "total_pct"] == pytest.approx(100 * (281 / 300 - 1), rel=EXACT)
        assert found.pending.last_month.astype(str).tolist() == ["2025-03"]
        assert found.pairs.delay_days.tolist() == [1, 1]

    def test_a_period_is_held_against_the_sum_of_its_months_and_only_if_all_are_there(self) -> None:
        rows = prints(
            [("k", "2025-01", "2025-02", 300.0, "2025-04-01"), ("k", "2025-01", "2025-03", 500.0, "2025-05-01")]
        )
        found = compare(rows, {"k": monthly({"2025-01": 100.0, "2025-02": 170.0})}, max_delay_days=60)
        assert found.pairs.latest_usd_m.tolist() == [270.0]

    def test_a_count_without_a_series_is_held_against_its_own_last_print(self) -> None:
        rows = [
            ("m", "2025-01", "2025-01", v, day)
            for v, day in ((797, "2025-02-01"), (696, "2025-03-01"), (760, "2026-02-02"))
        ]
        found = compare(prints([*rows, ("m", "2025-02", "2025-02", 9.0, "2025-03-01")]), {}, max_delay_days=60)
        assert found.pairs.latest_usd_m.tolist() == [760.0]
        assert found.pending.empty

    def test_a_late_print_is_left_out_and_old_months_do_not_wait_for_a_count(self) -> None:
        rows = [("a", m, m, 1.0, f"{m}-28") for m in ("2024-11", "2025-01", "2025-02")]
        rows = prints([*rows, ("b", "2025-01", "2025-01", 100.0, "2025-06-01")])
        found = compare(rows, {name: monthly({"2025-01": 1.0}) for name in "ab"}, max_delay_days=60)
        assert (len(found.pairs), found.n_late, list(found.by_count.index)) == (1, 1, ["A"])
        assert found.pending.last_month.astype(str).tolist() == ["2025-02"]


class TestPending:
    def test_bounds_are_order_statistics_by_a_slow_count(self) -> None:
        ratios = np.random.default_rng(4).lognormal(0, 0.1, 29)
        rows, latest = panel(ratios)
        found = pending_months(compare(rows, latest, max_delay_days=60), "a", level=80)
        ordered = sorted(ratios)
        assert found.months.low_usd_m.iloc[0] == pytest.approx(100 * ordered[2], rel=EXACT)  # floor(30 x 0.1) = 3
        assert found.months.high_usd_m.iloc[0] == pytest.approx(100 * ordered[26], rel=EXACT)  # ceil(30 x 0.9) = 27
        assert found.coverage_pct == pytest.approx(100 * 24 / 30, rel=EXACT)
        assert found.attainable
        inside = 0
        for i, r in enumerate(ratios):
            others = sorted(np.delete(ratios, i))  # 28 others: floor(2.9) = 2 and ceil(26.1) = 27
            inside += others[1] <= r <= others[26]
        assert found.held == inside

    def test_few_pairs_promise_little_and_say_so(self) -> None:
        rows, latest = panel(np.linspace(0.8, 1.1, 13))
        found = pending_months(compare(rows, latest, max_delay_days=60), "a", level=95)
        assert not found.attainable
        assert found.coverage_pct == pytest.approx(100 * 12 / 14, rel=EXACT)
        assert (found.low_pct, found.high_pct) == pytest.approx((-20.0, 10.0), abs=1e-6)

    def test_silent_with_two_pairs_and_refuses_a_level_that_is_none(self) -> None:
        rows, latest = panel(np.array([0.9, 1.0]))
        moves = compare(rows, latest, max_delay_days=60)
        assert pending_months(moves, "a", level=80) is None
        with pytest.raises(ModelInputError, match="between 1 and 100"):
            pending_months(moves, "a", level=100)
