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
    found = reference.growth_windows(IRREGULAR, 5).set_index("series")
    assert list(found.index) == ["AAA", "BBB", "DDD"]  # CCC lacks 2015
    assert found.loc["AAA"].tolist() == pytest.approx([2010, 12, 13])
    assert found.loc["DDD"].tolist() == pytest.approx([2010, 8.5, 20])


def test_base_rates_count_who_kept_on() -> None:
    table = reference.base_rates(IRREGULAR, years=5, band_pct=(8, 16), thresholds=(11.9, 15)).set_index("threshold_pct")
    assert table["n"].tolist() == [3, 3]
    assert table["kept"].tolist() == [2, 1]  # 13 and 20 per cent; 2 did not keep on
    assert stats.binom.sf(0, 3, table.loc[15, "low"]) == pytest.approx(0.025)


def test_an_empty_band_gives_no_share_and_the_widest_range() -> None:
    row = reference.base_rates(IRREGULAR, years=5, band_pct=(90, 99), thresholds=(11.9,)).iloc[0]
    assert row["n"] == 0
    assert np.isnan(row["share"])
    assert (row["low"], row["high"]) == (0, 1)


def test_multiples_start_one_horizon_before_the_last_value() -> None:
    yearly = panel(
        {"A": [1, 2, 4, 8, 16], "B": [np.nan, 3, 6, 3, np.nan], "C": [5, 5, 0, 5, 5]}, list(range(2018, 2023))
    )
    found = reference.growth_multiples(yearly, 2)
    assert found.T.to_dict("list") == {"A": [2, 4], "B": [2, 1]}
    assert list(reference.growth_multiples(yearly, 2, min_value=3.5).index) == ["A"]


def test_multiples_recover_the_growth_of_a_simulated_class(walks) -> None:
    found = reference.growth_multiples(walks(5, 15, 400, growth=0.06, sd=0.1), 6)
    logs = np.log(found[6])
    assert logs.mean() == pytest.approx(0.36, abs=4 * 0.1 * 6**0.5 / 400**0.5)  # four standard errors
    assert logs.std() == pytest.approx(0.1 * 6**0.5, rel=0.15)  # four standard errors of a spread from 400


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: reference.growth_multiples(IRREGULAR, 2), "no series has 3 positive values in a row"),
        (lambda: reference.base_rates(IRREGULAR, years=5, band_pct=(9, 9), thresholds=(1,)), "give"),
        (lambda: reference.growth_windows(pd.concat([IRREGULAR, IRREGULAR]), 5), "occurs twice"),
    ],
)
def test_refusals(call, says: str) -> None:
    with pytest.raises(ModelInputError, match=says):
        call()
