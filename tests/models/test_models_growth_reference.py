"""Base rates by hand, on yearly and on irregular panels."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import growth_reference as reference


def panel(columns: dict[str, list[float]], years: list[int]) -> pd.DataFrame:
    return pd.DataFrame(columns, index=pd.PeriodIndex([str(y) for y in years], freq="Y"), dtype=float)


def at(rate_pct: float, years: int, start: float = 100.0) -> float:
    return start * (1 + rate_pct / 100) ** years


FIVE_YEARLY = [2005, 2010, 2015, 2018, 2020]
IRREGULAR = panel(
    {
        "AAA": [100, at(10, 5), at(10, 5) * at(12, 5, 1), 1, at(10, 5) * at(12, 5, 1) * at(13, 5, 1)],
        "BBB": [100, at(15, 5), at(15, 5) * at(9, 5, 1), 1, at(15, 5) * at(9, 5, 1) * at(2, 5, 1)],
        "CCC": [100, at(30, 5), np.nan, 1, 500],
        "DDD": [np.nan, 50, at(8.5, 5, 50), 1, at(8.5, 5, 50) * at(20, 5, 1)],
    },
    FIVE_YEARLY,
)


def test_windows_match_dates_not_rows() -> None:
    found = reference.growth_windows(IRREGULAR, 5, origins="non_overlapping")
    by_hand = found.set_index(["series", "start"])["growth_pct"]
    assert by_hand["AAA", 2005] == pytest.approx(10)
    assert by_hand["BBB", 2015] == pytest.approx(2)
    assert ("CCC", 2010) not in by_hand.index  # its 2015 is missing
    assert by_hand["CCC", 2005] == pytest.approx(30)
    assert (found["end"] - found["start"] == 5).all()


def test_base_rates_count_who_kept_on() -> None:
    found = reference.base_rates(IRREGULAR, years=5, starts=[2005, 2010])
    cases = found.cases.set_index(["series", "start"])
    assert sorted(cases.index) == [("AAA", 2005), ("AAA", 2010), ("BBB", 2005), ("BBB", 2010), ("DDD", 2010)]
    assert cases.loc[("AAA", 2005), ["first_growth_pct", "next_growth_pct"]].tolist() == pytest.approx([10, 12])
    table = found.table.set_index("threshold_pct")
    assert table["n"].tolist() == [5, 5]
    assert table.loc[11.9, "kept"] == 3  # 12, 13 and 20 per cent
    assert table.loc[12.25, "kept"] == 2
    row = table.loc[12.25]
    assert stats.binom.sf(1, 5, row["clopper_pearson_low"]) == pytest.approx(0.025)
    assert row["jeffreys_high"] == pytest.approx(stats.beta.ppf(0.975, 2.5, 3.5))


def test_last_counts_each_series_once() -> None:
    assert reference.base_rates(IRREGULAR, years=5).cases["series"].is_unique


def test_an_empty_band_gives_no_share_and_the_widest_range() -> None:
    row = reference.base_rates(IRREGULAR, years=5, start_band=(90, 99)).table.iloc[0]
    assert row["n"] == 0
    assert np.isnan(row["share"])
    assert (row["clopper_pearson_low"], row["clopper_pearson_high"]) == (0, 1)


def test_multiples_start_one_horizon_before_the_last_value() -> None:
    yearly = panel(
        {"A": [1, 2, 4, 8, 16], "B": [np.nan, 3, 6, 3, np.nan], "C": [5, 5, 0, 5, 5]}, list(range(2018, 2023))
    )
    found = reference.growth_multiples(yearly, 2)
    assert found.paths.loc["A"].tolist() == [2, 4]
    assert found.paths.loc["B"].tolist() == [2, 1]
    assert "C" not in found.paths.index
    assert [str(p) for p in found.origins] == ["2020", "2019"]
    assert list(reference.growth_multiples(yearly, 2, min_value=3.5).paths.index) == ["A"]


def test_multiples_recover_the_growth_of_a_simulated_class(walks) -> None:
    found = reference.growth_multiples(walks(5, 15, 400, growth=0.06, sd=0.1), 6)
    logs = np.log(found.paths[6])
    assert logs.mean() == pytest.approx(0.36, abs=4 * 0.1 * 6**0.5 / 400**0.5)  # four standard errors
    assert logs.std() == pytest.approx(0.1 * 6**0.5, rel=0.15)  # four standard errors of a spread from 400


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: reference.growth_multiples(IRREGULAR, 2), "no series has 3 positive values in a row"),
        (lambda: reference.base_rates(IRREGULAR, years=5, start_band=(9, 9)), "give"),
        (lambda: reference.growth_windows(IRREGULAR, 5, origins="first"), "'last', 'non_overlapping' or a list"),
        (lambda: reference.growth_windows(IRREGULAR.reset_index(drop=True), 5), "index it by year"),
        (lambda: reference.growth_windows(pd.concat([IRREGULAR, IRREGULAR]), 5), "occurs twice"),
    ],
)
def test_refusals(call, says: str) -> None:
    with pytest.raises(ModelInputError, match=says):
        call()
