"""The outlook of exports: positions over gaps, known years, chances against simulated paths, smoothness, choices."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import export_target as et
from kbio_analysis.models import growth_predictive as gp

DRAWS = 200_000


def panel(seed: int = 1, years: int = 13, exporters: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    growth = 0.1 + rng.normal(0, 0.08, (years - 1, 1)) + rng.normal(0, 0.2, (years - 1, exporters))
    return pd.DataFrame(
        100 * np.exp(np.vstack([np.zeros(exporters), growth.cumsum(axis=0)])), range(2012, 2012 + years)
    )


FOUND = gp.components(panel())
YEARLY = pd.Series([3.9, 5.5, 6.5], index=[2023, 2024, 2025])


def start(**changed: object) -> et.Position:
    return et.position(YEARLY, **({"base_year": 2024, "base_usd_m": 5800.0} | changed))


def test_the_position_moves_with_the_definition_over_gaps() -> None:
    found = start()
    assert found.latest_usd_m == pytest.approx(5800 * 6.5 / 5.5)
    assert (found.latest_year, found.own) == (2025, 5.5)
    assert found.growth_since_base_pct == pytest.approx(100 * (6.5 / 5.5 - 1))
    # MFDS left out 2016, 2020 and 2023 in dollars: 789.15 in 2015, 3216.59 in 2024.
    mfds = pd.Series([789.15, 1368.51, 3216.59], index=[2015, 2017, 2024])
    gaps = et.position(mfds, base_year=2015, base_usd_m=789.0)
    assert (gaps.latest_year, list(gaps.history.index)) == (2024, [2015, 2017, 2024])
    assert gaps.latest_usd_m == pytest.approx(789 * 3216.59 / 789.15)
    unknown = et.position(YEARLY, base_year=2020, base_usd_m=100.0)
    assert (unknown.latest_year, unknown.own, unknown.growth_since_base_pct) == (2020, None, None)


def test_a_known_year_is_known() -> None:
    ahead = et.Outlook(start=start(), found=FOUND)
    assert ahead.chance(start().latest_usd_m, 2025) == 1
    assert ahead.chance(7000, 2025) == 0
    assert ahead.bands([80], until=2025).empty
    assert ahead.even_year(5800) == 2024


def test_the_law_is_that_of_simulated_paths() -> None:
    """Shocks of the yearly law drawn one after the other, the lasting rate and the year under way once a path."""
    rng, rate, s2_rate, now = np.random.default_rng(2), 0.09, 0.03**2, gp.Predictive(centre=0.18, sd=0.19)
    ahead = et.Outlook(start=start(), found=FOUND, under_way=[now], rate=rate, s2_rate=s2_rate)
    shocks = rng.normal(0, np.sqrt(FOUND.s2_residual + FOUND.s2_year), (DRAWS, 4)).sum(axis=1)
    logs = now.centre + rng.normal(0, now.sd, DRAWS) + 4 * rng.normal(rate, np.sqrt(s2_rate), DRAWS) + shocks
    law = ahead.law(2030)
    assert law.centre == pytest.approx(logs.mean(), abs=0.01)
    assert law.sd == pytest.approx(logs.std(), rel=0.01)
    # A t of six degrees with the same spread is a little more peaked than a normal law.
    slow = np.mean(start().latest_usd_m * np.exp(logs) >= 11600)
    assert ahead.chance(11600, 2030) == pytest.approx(slow, abs=0.02)


def test_chance_and_fan_are_smooth_and_agree() -> None:
    ahead = et.Outlook(start=start(), found=FOUND, under_way=[gp.Predictive(centre=0.18, sd=0.19)])
    chances = [ahead.chance(5800 * m, 2030) for m in np.linspace(1.01, 20, 400)]
    assert (np.diff(chances) < 0).all()
    assert chances[-1] < 0.005
    bands = ahead.bands([50, 80, 95], until=2045)
    assert (bands.hi_95.pct_change().dropna() > -0.05).all()
    assert (bands.lo_95 < bands.lo_80).all()
    assert ahead.chance(bands.hi_80[2030], 2030) == pytest.approx(0.1)
    even = ahead.even_year(11600)
    assert ahead.chance(11600, int(np.floor(even))) < 0.5 <= ahead.chance(11600, int(np.ceil(even)))
    with pytest.raises(ModelInputError, match="covers 2026 to"):
        ahead.chance(1.0, 2199)


def monthly(years: range, growth: float, months: int) -> pd.Series:
    index = pd.period_range(f"{years[0]}-01", periods=12 * len(years) + months, freq="M")
    season = 1 + 0.1 * np.sin(np.arange(len(index)) * np.pi / 6)
    return pd.Series([100 * (1 + growth) ** (m.year - years[0]) for m in index] * season, index=index)


COUNTED = {2022: 3.6, 2023: 3.9, 2024: 5.5, 2025: 6.5}


def forecast(yearly: dict[int, float] = COUNTED, **changed: object) -> et.Outlook:
    terms = {"home": "KOR", "base_year": 2024, "base_usd_m": 5800.0, "until": 2030}
    terms |= {"opinions": [(4.7, 3.0), (11.9, 3.0)]}
    series = {"one": monthly(range(2022, 2026), 0.2, 6)}
    return et.forecast(pd.Series(yearly), series, panel().rename(columns={0: "KOR"}), **(terms | changed))


def test_years_under_way_come_from_their_months_on_the_scale_of_the_base() -> None:
    known = {2022: 1.0, 2023: 1.2, 2024: 1.5}
    found = forecast(known).nowcasts
    assert [now.year for now in found] == [2025, 2026]
    assert found[0].value == pytest.approx(5800 * 1.2, rel=0.01)
    assert found[1].start == pytest.approx(found[0].value)
    for none in (forecast(known, until=2024), forecast(known, base_year=2020), forecast({2024: 1.5})):
        assert none.nowcasts == []  # no year to come, no value in the base year, no error of months to measure


def test_every_choice_is_changed_alone() -> None:
    made = forecast()
    assert made.last_year == 2026
    table = et.alternatives(made, [4.7, 11.9], [1.0, 6.0], "KHIDI", levels={"p": 11600.0}, year=2030)
    assert table.p["As chosen"] == made.chance(11600, 2030)
    assert table.p["Growth after: 4.7% a year"] < table.p["As chosen"] < table.p["Growth after: 11.9% a year"]
    assert table.p["KHIDI: its own figures"] < table.p["As chosen"]
    assert "2026 from one alone" in table.index


def test_the_curve_rises_through_the_expected_rate() -> None:
    made = forecast()
    rate_pct = 100 * np.expm1(made.rate)
    curve = et.curve(made, [rate_pct - 5, rate_pct, rate_pct + 5], level_usd_m=11600, year=2030)
    assert curve.probability.is_monotonic_increasing
    assert curve.probability[1] == pytest.approx(made.chance(11600, 2030))


def test_scenarios_are_arithmetic_in_the_middle() -> None:
    made = forecast()
    plan = et.scenarios(made, [4.7, 11.9], level_usd_m=11600, year=2030)
    for row in plan.itertuples():
        by_hand = made.start.latest_usd_m * (1 + row.first_pct / 100) * (1 + row.after_pct / 100) ** 4
        assert row.median_usd_m == pytest.approx(by_hand)
        assert (row.probability >= 0.5 - 1e-9) == (by_hand >= 11600 * (1 - 1e-9))
    assert et.scenarios(made, [4.7], level_usd_m=11600, year=2026).empty


def test_refusals() -> None:
    with pytest.raises(ModelInputError, match="above zero"):
        start(base_usd_m=0.0)
