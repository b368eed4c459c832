"""The nowcast: errors measured as defined, nothing of a year used to forecast it, coverage on simulated years."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.nowcast import hindcast, nowcast

SCATTER, GAP = 0.25, 0.12


def simulated(rng: np.random.Generator, years: range) -> tuple[dict[str, pd.Series], pd.Series]:
    """Two monthly series whose months scatter around a yearly path, each with a gap to the annual figure."""
    growth = np.cumsum(rng.normal(0.1, 0.2, len(years)))
    monthly = {}
    for name in ("one", "other"):
        own = growth + np.cumsum(rng.normal(0, GAP, len(years)))
        values = np.exp(np.repeat(own, 12) + rng.normal(0, SCATTER, 12 * len(years)))
        monthly[name] = pd.Series(values, index=pd.period_range(f"{years[0]}-01", periods=len(values), freq="M"))
    return monthly, pd.Series(100 * np.exp(growth), index=list(years))


def test_the_measured_errors_agree_with_a_slow_loop() -> None:
    monthly, annual = simulated(np.random.default_rng(1), range(2015, 2021))
    known = {name: series[:"2020-05"] for name, series in monthly.items()}
    found = nowcast(known, annual.loc[:2019])
    misses = {n: [] for n in range(1, 12)}
    for series in known.values():
        for year in (2016, 2017, 2018, 2019):
            now, before = series[str(year)].to_numpy(), series[str(year - 1)].to_numpy()
            for n in misses:
                misses[n].append(np.log(now.sum() / before.sum()) - np.log(now[:n].sum() / before[:n].sum()))
    s2 = np.mean([e**2 / (1 / n - 1 / 12) for n, errors in misses.items() for e in errors])
    assert found.by_series.sd_rest.to_numpy() == pytest.approx(np.sqrt(s2 * (1 / 5 - 1 / 12)))
    assert set(found.by_series.n_months) == {5}
    assert found.by_series.weight.sum() == pytest.approx(1)
    assert found.ahead.sd >= found.by_series.sd.min()


def test_the_error_shrinks_with_every_month_and_ends_with_the_gap() -> None:
    monthly, annual = simulated(np.random.default_rng(2), range(2012, 2021))
    spread = [nowcast(monthly, annual, year=2020, months=n).ahead.sd for n in range(1, 13)]
    assert np.all(np.diff(spread) < 0)
    last = nowcast(monthly, annual, year=2020, months=12).by_series
    assert last.sd_rest.to_numpy() == pytest.approx(0)
    assert last.sd.to_numpy() == pytest.approx(last.sd_gap.to_numpy())


def test_nothing_of_a_year_enters_its_own_nowcast() -> None:
    monthly, annual = simulated(np.random.default_rng(3), range(2014, 2021))
    before = nowcast(monthly, annual, year=2018, months=4)
    annual.loc[2018] *= 50
    monthly = {name: series.where([p < pd.Period("2018-05", "M") or p.year > 2018 for p in series.index], 1e6)
               for name, series in monthly.items()}  # fmt: skip
    after = nowcast(monthly, annual, year=2018, months=4)
    assert after.value == pytest.approx(before.value)
    assert after.by_series.sd_gap.to_numpy() == pytest.approx(before.by_series.sd_gap.to_numpy())


def test_coverage_on_simulated_years() -> None:
    rng = np.random.default_rng(4)
    cases = pd.concat([hindcast(*simulated(rng, range(2012, 2020)), months=6) for _ in range(80)])
    assert 100 * cases.in_80.mean() == pytest.approx(82, abs=8)
    assert 100 * cases.in_95.mean() == pytest.approx(96, abs=4)
    assert cases.error.mean() == pytest.approx(0, abs=0.03)


def test_a_wholly_known_series_without_gap_or_scatter_gives_the_year() -> None:
    index = pd.period_range("2020-01", "2024-06", freq="M")
    flat = pd.Series([1.2 ** (p.year - 2020) for p in index], index=index)
    annual = pd.Series([100.0, 120.0, 144.0, 172.8], index=pd.period_range("2020", "2023", freq="Y"))
    found = nowcast({"flat": flat}, annual)
    assert (found.year, found.value) == (2024, pytest.approx(207.36))
    assert found.growth_pct == pytest.approx(20)
    assert found.interval(95) == pytest.approx((207.36, 207.36))


def test_without_months_there_is_no_nowcast_and_without_a_start_a_refusal() -> None:
    monthly, annual = simulated(np.random.default_rng(6), range(2014, 2018))
    assert nowcast(monthly, annual) is None
    assert nowcast({}, annual) is None
    with pytest.raises(ModelInputError, match="no value for 2018"):
        nowcast(monthly, annual, year=2019)
    short = {"short": monthly["one"]["2016-01":"2017-06"]}
    assert nowcast(short, annual.loc[:2016]) is None  # no two whole years to measure the error of months by
