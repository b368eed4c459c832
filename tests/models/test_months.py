"""Months and first counts: a published rank test and break, known seasons and coverage recovered, slow twins."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kbio_analysis.models import export_record
from kbio_analysis.models.revisions import compare, pending_months
from kbio_analysis.models.season import decompose, rank_test, strengths

EXACT = 1e-9  # arithmetic on a handful of floats


ROUNDING_FIRST_BASE = """5.40 5.50 5.55 5.85 5.70 5.75 5.20 5.60 5.50 5.55 5.50 5.40 5.90 5.85 5.70 5.45 5.55 5.60
5.40 5.40 5.35 5.45 5.50 5.35 5.25 5.15 5.00 5.85 5.80 5.70 5.25 5.20 5.10 5.65 5.55 5.45 5.60 5.35 5.45 5.05 5.00 4.95
5.50 5.50 5.40 5.45 5.55 5.50 5.55 5.55 5.35 5.45 5.50 5.55 5.50 5.45 5.25 5.65 5.60 5.40 5.70 5.65 5.55
6.30 6.30 6.25"""
"""Hollander & Wolfe (1973, p. 140): 22 runners, three ways of rounding first base, seconds."""


def months(values: np.ndarray, start: str = "2018-01") -> pd.Series:
    return pd.Series(values, index=pd.period_range(start, periods=len(values), freq="M"), name="simulated")


def test_friedman_of_the_base_runners_is_the_published_one() -> None:
    test = rank_test(months(np.array(ROUNDING_FIRST_BASE.split(), dtype=float)), 3)
    assert test.n_blocks == 22
    assert test.p_value == pytest.approx(0.003805, abs=5e-7)  # of the published statistic, 11.143


def test_rank_test_agrees_with_ranks_counted_one_by_one() -> None:
    y = months(np.random.default_rng(2).lognormal(size=40), start="2020-03")  # starts inside a quarter and a year
    ranks = np.zeros(12)
    for block in y["2021-01":"2022-12"].to_numpy().reshape(2, 12):
        ranks += [sum(other < v for other in block) + 1 for v in block]
    slow = 12 / (2 * 12 * 13) * (ranks**2).sum() - 3 * 2 * 13
    test = rank_test(y, 12)
    assert (test.n_blocks, test.p_value) == (2, pytest.approx(stats.chi2.sf(slow, 11), rel=EXACT))
    assert rank_test(y["2020-03":"2021-12"], 12) is None


def test_a_pure_season_has_strength_one_and_its_own_pattern_and_a_short_series_none() -> None:
    pattern = 0.2 * np.sin(np.arange(72) * 2 * np.pi / 12)
    y = months(np.exp(6 + pattern))
    found = decompose(y, smoother=13, n_shuffles=99, seed=1)
    assert found.strength == strengths(y, (7, 13)).loc[13, "ordinary"] == pytest.approx(1.0, abs=1e-3)
    assert decompose(y.iloc[:23], smoother=7, n_shuffles=99, seed=5) is None
    assert found.p_value == pytest.approx(1 / 100)
    assert found.effect_pct.to_numpy() == pytest.approx(100 * np.expm1(pattern[:12]), abs=0.5)
    assert found.by_month.p_value < 0.001
    parts = found.parts
    assert parts.fitted.to_numpy() == pytest.approx(parts.trend * np.exp(parts.seasonal_log), rel=EXACT)
    assert (parts.trend * (1 + parts.from_trend_pct / 100)).to_numpy() == pytest.approx(parts.observed, rel=EXACT)


def test_p_agrees_with_shuffled_series_taken_apart_one_by_one() -> None:
    y = months(np.exp(np.random.default_rng(3).normal(0, 0.1, 48)))
    found, rng = decompose(y, smoother=7, n_shuffles=99, seed=4), np.random.default_rng(4)
    trend, rest = np.log(found.parts.trend), (found.parts.seasonal_log + found.parts.remainder_log).to_numpy()
    drawn = (np.concatenate([rng.permutation(part) for part in np.split(rest, 4)]) for _ in range(99))
    slow = [strengths(np.exp(trend + other), (7,)).ordinary.iloc[0] >= found.strength for other in drawn]
    assert found.p_value == (1 + sum(slow)) / 100 > 0.05


def test_a_quarter_end_effect_is_recovered_under_noise_and_trend() -> None:
    rng, t = np.random.default_rng(6), np.arange(72)
    logs = 6 + 0.01 * t + 0.12 * (t % 3 == 2) + rng.normal(0, 0.05, 72)
    test = rank_test(months(np.exp(logs)), 3)
    assert int(test.effect_pct.idxmax()) == 3
    gap = np.log1p(test.effect_pct[3] / 100) - np.log1p(test.effect_pct[1] / 100)
    assert gap == pytest.approx(0.12 + 0.02, abs=0.03)
    assert test.p_value < 0.001


def test_noise_is_called_a_season_no_more_often_than_the_level() -> None:
    rng = np.random.default_rng(12)
    small = [
        decompose(months(np.exp(rng.normal(0, 0.1, 60))), smoother=13, n_shuffles=99, seed=i).p_value <= 0.1
        for i in range(60)
    ]
    assert sum(small) <= 12  # 60 tries at 0.1: more than twelve has a chance of 1%


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


def test_pairs_by_hand() -> None:
    """Of ``a`` a later print is no first count; a period counts with all its months; ``m`` has no later series."""
    rows = [("a", "2025-01", "2025-01", 100.0, "2025-02-01"), ("a", "2025-01", "2025-01", 90.0, "2025-06-01")]
    rows += [("a", "2025-02", "2025-02", 200.0, "2025-03-01"), ("a", "2025-03", "2025-03", 50.0, "2025-04-01")]
    rows += [("k", "2025-01", "2025-02", 300.0, "2025-04-01"), ("k", "2025-01", "2025-03", 500.0, "2025-05-01")]
    days = {797.0: "2025-02-01", 696.0: "2025-03-01", 760.0: "2026-02-02"}
    rows += [("m", "2025-01", "2025-01", value, day) for value, day in days.items()]
    known = {"a": monthly({"2025-01": 80.0, "2025-02": 201.0}), "k": monthly({"2025-01": 100.0, "2025-02": 170.0})}
    found = compare(prints([*rows, ("m", "2025-02", "2025-02", 9.0, "2025-03-01")]), known, max_delay_days=60)
    assert found.of("a").revision_pct.tolist() == pytest.approx([-20.0, 0.5], rel=EXACT)
    assert found.of("a").delay_days.tolist() == [1, 1]
    assert found.by_count.loc["A", ["n", "n_moved"]].tolist() == [2, 1]
    assert found.by_count.loc["A", "total_pct"] == pytest.approx(100 * (281 / 300 - 1), rel=EXACT)
    assert found.of("k").latest_usd_m.tolist() == [270.0]
    assert found.of("m").latest_usd_m.tolist() == [760.0]
    assert found.pending[["count", "last_month"]].astype(str).to_numpy().tolist() == [
        ["a", "2025-03"],
        ["k", "2025-03"],
    ]


def test_a_late_print_is_left_out_and_old_months_do_not_wait_for_a_count() -> None:
    rows = [("a", m, m, 1.0, f"{m}-28") for m in ("2024-11", "2025-01", "2025-02")]
    rows = prints([*rows, ("b", "2025-01", "2025-01", 100.0, "2025-06-01")])
    found = compare(rows, {name: monthly({"2025-01": 1.0}) for name in "ab"}, max_delay_days=60)
    assert (len(found.pairs), found.n_late, list(found.by_count.index)) == (1, 1, ["A"])
    assert found.pending.last_month.astype(str).tolist() == ["2025-02"]


def test_bounds_are_order_statistics_by_a_slow_count() -> None:
    ratios = np.random.default_rng(4).lognormal(0, 0.1, 29)
    rows, latest = panel(ratios)
    found, months = pending_months(compare(rows, latest, max_delay_days=60), "a", level=80)
    ordered = sorted(ratios)
    assert months.low_usd_m.iloc[0] == pytest.approx(100 * ordered[2], rel=EXACT)  # floor(30 x 0.1) = 3
    assert months.high_usd_m.iloc[0] == pytest.approx(100 * ordered[26], rel=EXACT)  # ceil(30 x 0.9) = 27
    assert found.coverage_pct == pytest.approx(100 * 24 / 30, rel=EXACT)
    assert found.attainable


def test_few_pairs_promise_little_and_say_so() -> None:
    rows, latest = panel(np.linspace(0.8, 1.1, 13))
    found, _ = pending_months(compare(rows, latest, max_delay_days=60), "a", level=95)
    assert not found.attainable
    assert found.coverage_pct == pytest.approx(100 * 12 / 14, rel=EXACT)
    assert (found.low_pct, found.high_pct) == pytest.approx((-20.0, 10.0), abs=1e-6)
    rows, latest = panel(np.array([0.9, 1.0]))
    assert pending_months(compare(rows, latest, max_delay_days=60), "a", level=80)[0].empty


def counts(rows: list[tuple[str, int, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["definition", "year", "exports_usd_m"])
    return frame.assign(label=frame.definition.str.upper(), family="biopharma")


OFFICIAL = counts([("old", 2021, 6070.0), ("restated", 2021, 3377.0), ("new", 2022, 3630.0), ("new", 2023, 3900.0)])


def test_the_published_break_and_one_without_a_side_or_a_restatement() -> None:
    sides = {"old": "old", "restated": "restated", "new": "new"}
    found = export_record.classification_break(OFFICIAL, **sides, year=2022)
    assert found["apparent_pct"] == pytest.approx(-40.2, abs=0.05)
    assert found["like_for_like_pct"] == pytest.approx(7.5, abs=0.05)  # as KHIDI printed it with the figure of 2022
    assert found["moved_out_usd_m"] == pytest.approx(2693.0, rel=EXACT)
    assert export_record.classification_break(OFFICIAL, **sides, year=2023) is None
    found = export_record.classification_break(OFFICIAL, **sides | {"restated": "nobody"}, year=2022)
    assert (found["like_for_like_pct"], found["moved_out_usd_m"]) == (None, None)


def test_sums_of_codes_agree_with_a_loop_over_every_choice() -> None:
    def match(parts: dict[str, float], figure: float, tolerance_usd_m: float) -> pd.DataFrame | None:
        rows = counts([(name, 2025, value) for name, value in (parts | {"whole": figure}).items()])
        return export_record.code_match(rows, list(parts), "whole", year=2025, tolerance_usd_m=tolerance_usd_m)

    parts = dict(zip("abcdefgh", np.random.default_rng(3).uniform(1, 100, 8).round(1), strict=True))
    found = match(parts, 150.0, 2.0)
    slow = {
        tuple(name.upper() for name, taken in zip(parts, pick, strict=True) if taken)
        for pick in product((0, 1), repeat=8)
        if any(pick) and abs(sum(p * v for p, v in zip(pick, parts.values(), strict=True)) - 150.0) <= 2.0
    }
    assert slow
    assert set(found.codes) == slow
    assert (found.attrs["n_sums"], found.attrs["n_near"] >= len(slow)) == (2**8 - 1, True)
    assert found.gap_usd_m.abs().is_monotonic_increasing
    none = match({"a": 275.33, "b": 4.99, "c": 4431.45, "d": 2084.74}, 3000.0, 5.0)
    assert (len(none), none.attrs["nearest"][0]) == (0, ("A", "B", "D"))
    for missing in ({"parts": ["nobody"], "whole": "old"}, {"parts": ["old"], "whole": "nobody"}):
        assert export_record.code_match(OFFICIAL, **missing, year=2021, tolerance_usd_m=1.0) is None


def test_a_year_to_date_by_hand_and_none_without_its_base_a_later_year_or_january() -> None:
    values, index = [*[10.0] * 12, *[11.0] * 12, *[13.0] * 5], pd.period_range("2024-01", periods=29, freq="M")
    y, path = pd.Series(values, index=index), {"base_year": 2024, "growth_pct": 10.0}
    found, sums = export_record.year_to_date(y, **path)
    assert [getattr(found, name) for name in ("n_months", "to_date", "year_before", "base")] == [5, 65.0, 55.0, 50.0]
    assert found.path == pytest.approx(50 * 1.21, rel=EXACT)
    assert found.ahead_pct == pytest.approx(100 * (65 / 60.5 - 1), rel=EXACT)
    assert sums.loc[12, 2025] == pytest.approx(132.0, rel=EXACT)
    assert np.isnan(sums.loc[6, 2026])
    for short in (y[:0], y[:12], y[1:], y.drop(pd.Period("2026-01", "M"))):
        assert export_record.year_to_date(short, **path)[0].empty
    rows = counts([("a", 2024, 100.0), ("a", 2026, 132.0), ("b", 2024, 5.0), ("c", 2025, 5.0)])
    whole = export_record.full_years(rows, **path).set_index("label").ahead_pct
    assert whole.to_dict() == {"A": pytest.approx(100 * (132 / 121 - 1), rel=EXACT)}  # each on its own base
