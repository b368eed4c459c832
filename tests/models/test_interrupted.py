"""The interrupted series: a known break recovered, statsmodels as the twin, and refusals."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import interrupted as it

EXACT = 1e-9  # relative: the same normal equations
FOUR_ERRORS = 0.06  # log points: four standard errors of the mean over repetitions


def series(seed: int, *, freq: str = "Y-DEC", n: int = 40, jump: float = 0.0, slope: float = 0.0, rho: float = 0.3):
    rng = np.random.default_rng(seed)
    noise, u = rng.normal(0, 0.05, n), np.zeros(n)
    for t in range(1, n):
        u[t] = rho * u[t - 1] + noise[t]
    time = np.arange(n)
    after = time >= n // 2
    y = 3 + 0.02 * time + jump * after + slope * (time - n // 2) * after + u
    index = pd.period_range("2000-01", periods=n, freq=freq)
    if freq == "M":
        y = y + 0.2 * np.sin(2 * np.pi * index.month / 12)
    return pd.Series(y, index=index, name="y"), index[n // 2]


@pytest.mark.parametrize(("freq", "n"), [("Y-DEC", 40), ("M", 120)])
def test_recovers_a_known_break(freq: str, n: int) -> None:
    found = [it.its(*series(s, freq=freq, n=n, jump=0.4, slope=-0.01)) for s in range(40)]
    assert np.mean([f.level_shift for f in found]) == pytest.approx(0.4, abs=FOUR_ERRORS)


def test_agrees_with_statsmodels() -> None:
    y, start = series(3, freq="M", n=90, jump=0.2)
    control = pd.DataFrame({"z": np.cos(np.arange(90))}, index=y.index)
    found = it.its(y, start, controls=control)
    time = np.arange(90) - 45
    x = np.column_stack([np.ones(90), time, time >= 0, np.maximum(time, 0)])
    months = np.column_stack([(y.index.month == m) for m in range(2, 13)])
    x = np.column_stack([x, months, control.z]).astype(float)
    assert found.lags == int(4 * 0.9 ** (2 / 9))
    twin = sm.OLS(y.to_numpy(), x).fit(cov_type="HAC", cov_kwds={"maxlags": found.lags, "use_correction": True})
    assert found.level_shift == pytest.approx(twin.params[2], rel=EXACT)
    assert found.se_level == pytest.approx(twin.bse[2], rel=1e-6)


def test_a_missing_month_keeps_its_place_in_time() -> None:
    y, start = series(5, freq="M", n=60, rho=0.0)
    straight = pd.Series(np.arange(60) * 0.01, index=y.index, name="y")
    found = it.its(straight.drop(straight.index[17]), start)
    assert len(found.fitted) == 59
    assert found.level_shift == pytest.approx(0, abs=1e-9)
    assert len(it.its(straight.where(straight.index != straight.index[17]), start).fitted) == 59


def test_placebo_dates_are_away_from_the_true_one_and_rank_it() -> None:
    y, start = series(6, freq="M", n=120, jump=1.5)
    found = it.its(y, start)
    check = it.placebo_dates(y, found)
    assert check.p_value >= check.p_floor > 0
    assert check.p_value == check.p_floor
    assert min(abs((d - start).n) for d in check.table.index) == 12
    fake = it.its(y, check.table.index[0])
    assert check.table.t.iloc[0] == pytest.approx(fake.level_shift / fake.se_level, rel=EXACT)


def test_the_valley_falls_and_recovers() -> None:
    index = pd.period_range("2008-01", "2010-12", freq="M")
    v = it.valley(index, "2008-08", "2009-02", "2010-03")
    assert v["2008-08"] == 0
    assert v["2009-02"] == 1
    assert v["2008-11"] == pytest.approx(0.5)
    assert (v["2010-03":] == 0).all()
    with pytest.raises(ModelInputError, match="three rising dates"):
        it.valley(index, "2009-02", "2008-08", "2010-03")


@pytest.mark.parametrize("cut", [slice(0, 22), slice(17, 40)])
def test_a_side_too_short_is_refused(cut: slice) -> None:
    y, start = series(8)
    with pytest.raises(ModelInputError, match="give at least 4 on either side"):
        it.its(y.iloc[cut], start)
    assert it.attempt(y.iloc[cut], start) is None
    assert it.attempt(y, start).level_shift == it.its(y, start).level_shift
