"""Growth and targets: by hand, variances recovered, slow twins, coverage on simulated panels, years under way."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.models import export_target as et
from kbio_analysis.models import growth
from kbio_analysis.models import growth_predictive as gp
from kbio_analysis.models.nowcast import hindcast, nowcast

TRUE = {"mean": 0.10, "year": 0.08, "exporter": 0.05, "residual": 0.20}
SCATTER, GAP = 0.25, 0.12
DRAWS = 200_000


def test_doubling_5800_in_six_years_takes_12_246_pct_and_the_segment_falls_short() -> None:
    """1.119 squared is 1.252161; times 1.119 is 1.401168159; squared is 1.963272 (long multiplication)."""
    assert growth.required_growth_pct(5800, 11600, 6) == pytest.approx(12.246, abs=5e-4)  # the last printed digit
    path = growth.path(1, 11.9, 6, base_year=2024)
    assert path[2030] == pytest.approx(1.963272, abs=5e-7)
    assert list(path.index) == list(range(2024, 2031))


def simulated(rng: np.random.Generator, *, years: int, exporters: int, gaps: float = 0.0) -> pd.DataFrame:
    """Values whose log growth is mean + exporter + year + residual, all normal, with the standard deviations TRUE."""
    growth = TRUE["mean"] + rng.normal(0, TRUE["year"], (years, 1)) + rng.normal(0, TRUE["exporter"], (1, exporters))
    growth = growth + rng.normal(0, TRUE["residual"], (years, exporters))
    values = pd.DataFrame(100 * np.exp(np.vstack([np.zeros(exporters), growth.cumsum(axis=0)])))
    return values.mask(rng.random(values.shape) < gaps).set_axis(range(2000, 2001 + years))


@pytest.mark.parametrize(
    ("years", "gaps", "held"), [(40, 0.1, range(41)), (80, 0.0, [*range(0, 40, 4), *range(40, 81)])]
)
def test_the_components_are_recovered_over_gaps_and_from_rows_some_years_apart(years: int, gaps: float, held) -> None:
    rng = np.random.default_rng(1)
    panels = [simulated(rng, years=years, exporters=60, gaps=gaps).iloc[list(held)] for _ in range(40)]
    found = [gp.components(panel) for panel in panels]
    for name, truth in (("s2_year", "year"), ("s2_exporter", "exporter"), ("s2_residual", "residual")):
        assert np.sqrt(np.mean([getattr(f, name) for f in found])) == pytest.approx(TRUE[truth], rel=0.1)
    means = np.array([f.mean for f in found])
    assert means.mean() == pytest.approx(TRUE["mean"], abs=0.01)
    # The exporters drawn differ from panel to panel; that part is not an error of the years' mean.
    between = TRUE["exporter"] ** 2 / 60
    assert means.var() == pytest.approx(np.mean([f.s2_mean for f in found]) + between, rel=0.5)


def test_a_slow_loop_agrees() -> None:
    panel = simulated(np.random.default_rng(3), years=9, exporters=7, gaps=0.15)
    growth = {
        (t, i): np.log(panel.at[t, i] / panel.at[t - 1, i])
        for t in panel.index[1:]
        for i in panel
        if np.isfinite(panel.at[t, i] / panel.at[t - 1, i])
    }
    years, units = sorted({t for t, _ in growth}), sorted({i for _, i in growth})
    by_year = {t: np.mean([g for (s, _), g in growth.items() if s == t]) for t in years}
    left = {key: g - by_year[key[0]] for key, g in growth.items()}
    s2 = np.mean([v**2 for v in left.values()]) - np.mean(list(left.values())) ** 2
    own = [[v for (_, j), v in left.items() if j == i] for i in units]
    middle, n = sum(sum(v) for v in own) / len(growth), [len(v) for v in own]
    between = sum(len(v) * (np.mean(v) - middle) ** 2 for v in own) - (len(own) - 1) * s2
    s2_unit = between / (sum(n) - sum(k**2 for k in n) / sum(n))
    noise = {t: s2 / sum(s == t for s, _ in growth) for t in years}
    s2_year = np.var(list(by_year.values()), ddof=1) - np.mean(list(noise.values()))
    weights = {t: 1 / (s2_year + noise[t]) for t in years}
    found = gp.components(panel)
    assert found.s2_residual == pytest.approx(s2)
    assert found.s2_exporter == pytest.approx(s2_unit)
    assert found.s2_year == pytest.approx(s2_year)
    assert min(s2_unit, s2_year) > gp.FLOOR
    assert found.mean == pytest.approx(sum(weights[t] * by_year[t] for t in years) / sum(weights.values()))


def test_a_short_record_is_shrunk_to_the_mean_and_a_newcomers_jump_is_no_lasting_lead() -> None:
    panel = simulated(np.random.default_rng(3), years=12, exporters=15)
    fast = pd.Series(100 * 1.8 ** np.arange(3), index=[2010, 2011, 2012])
    long = pd.Series(100 * 1.8 ** np.arange(13), index=range(2000, 2013))
    one, many = gp.components(panel, own=fast), gp.components(panel, own=long)
    lead = np.log(1.8) - one.mean
    assert 0 < one.own < many.own < lead
    assert many.s2_own < one.s2_own < one.s2_exporter
    newcomers = pd.DataFrame({"jump": [100.0, 230.0], "none": [np.nan, 5.0]}, index=[2011, 2012])
    found = gp.leads(one, panel, newcomers)
    assert found.years.to_dict() == {"jump": 1, "none": 0}
    assert 0 < found.at["jump", "own"] < 0.1 * found.at["jump", "lead"]
    assert found.loc["none", ["own", "s2_own"]].tolist() == [0.0, one.s2_exporter]


def test_coverage_on_panels_that_obey_the_model() -> None:
    rng = np.random.default_rng(5)
    panels = {str(i): simulated(rng, years=16, exporters=14) for i in range(60)}
    found = gp.compared(panels, origins=[2012], horizons=[1, 4], event_pct=8.9)[0].groupby("rule").mean()
    assert found.at["components", "cover_80"] == pytest.approx(80, abs=6)
    assert found.at["components", "cover_95"] == pytest.approx(95, abs=4)
    assert found.at["components", "brier"] < found.at["class share", "brier"]
    assert found.at["components", "crps"] < found.at["no change", "crps"]


def in_months(rng: np.random.Generator, years: range) -> tuple[dict[str, pd.Series], pd.Series]:
    """Two monthly series whose months scatter around a yearly path, each with a gap to the annual figure."""
    growth = np.cumsum(rng.normal(0.1, 0.2, len(years)))
    monthly = {}
    for name in ("one", "other"):
        own = growth + np.cumsum(rng.normal(0, GAP, len(years)))
        values = np.exp(np.repeat(own, 12) + rng.normal(0, SCATTER, 12 * len(years)))
        monthly[name] = pd.Series(values, index=pd.period_range(f"{years[0]}-01", periods=len(values), freq="M"))
    return monthly, pd.Series(100 * np.exp(growth), index=list(years))


def test_the_measured_errors_agree_with_a_slow_loop() -> None:
    monthly, annual = in_months(np.random.default_rng(1), range(2015, 2021))
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
    whole = nowcast(monthly, annual, year=2020, months=12).by_series
    assert whole.sd_rest.to_numpy() == pytest.approx(0)
    assert whole.sd.to_numpy() == pytest.approx(whole.sd_gap.to_numpy())


def test_nothing_of_a_year_enters_its_own_nowcast() -> None:
    monthly, annual = in_months(np.random.default_rng(3), range(2014, 2021))
    before = nowcast(monthly, annual, year=2018, months=4)
    annual.loc[2018] *= 50
    monthly = {name: series.where([p < pd.Period("2018-05", "M") or p.year > 2018 for p in series.index], 1e6)
               for name, series in monthly.items()}  # fmt: skip
    after = nowcast(monthly, annual, year=2018, months=4)
    assert after.value == pytest.approx(before.value)
    assert after.by_series.sd_gap.to_numpy() == pytest.approx(before.by_series.sd_gap.to_numpy())


def test_coverage_on_simulated_years() -> None:
    rng = np.random.default_rng(4)
    cases = pd.concat([hindcast(*in_months(rng, range(2012, 2020)), months=6) for _ in range(80)])
    assert 100 * cases.in_80.mean() == pytest.approx(82, abs=8)
    assert 100 * cases.in_95.mean() == pytest.approx(96, abs=4)
    assert cases.error.mean() == pytest.approx(0, abs=0.03)


def stepwise(first: str, last: str) -> pd.Series:
    """Months that stand a fifth higher every January."""
    index = pd.period_range(first, last, freq="M")
    return pd.Series(1.2 ** (index.year - index.year[0]), index=index)


def test_a_wholly_known_series_without_gap_or_scatter_gives_the_year() -> None:
    annual = pd.Series([100.0, 120.0, 144.0, 172.8], index=pd.period_range("2020", "2023", freq="Y"))
    found = nowcast({"flat": stepwise("2020-01", "2024-06")}, annual)
    assert (found.year, found.value) == (2024, pytest.approx(207.36))
    assert found.growth_pct == pytest.approx(20)
    assert found.interval(95) == pytest.approx((207.36, 207.36))


def test_without_months_or_years_to_measure_their_error_by_there_is_no_nowcast() -> None:
    monthly, annual = in_months(np.random.default_rng(6), range(2014, 2018))
    short = {"short": monthly["one"]["2016-01":"2017-06"]}
    for held, years in ((monthly, annual), ({}, annual), (short, annual.loc[:2016])):
        assert nowcast(held, years) is None


FOUND = gp.components(simulated(np.random.default_rng(1), years=12, exporters=12))
YEARLY = pd.Series([3.9, 5.5, 6.5], index=[2023, 2024, 2025])
COUNTED = {2022: 3.6, 2023: 3.9, 2024: 5.5, 2025: 6.5}


def start(**changed: object) -> et.Position:
    return et.position(YEARLY, **({"base_year": 2024, "base_usd_m": 5800.0} | changed))


def test_the_position_moves_with_the_definition() -> None:
    found = start()
    assert found.latest_usd_m == pytest.approx(5800 * 6.5 / 5.5)
    assert (found.latest_year, found.own) == (2025, 5.5)
    assert found.growth_since_base_pct == pytest.approx(100 * (6.5 / 5.5 - 1))
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


def forecast(yearly: dict[int, float] = COUNTED, **changed: object) -> et.Outlook:
    terms = {"home": "KOR", "base_year": 2024, "base_usd_m": 5800.0, "until": 2030}
    terms |= {"opinions": [(4.7, 3.0), (11.9, 3.0)]}
    panel = simulated(np.random.default_rng(1), years=12, exporters=12).rename(columns={0: "KOR"})
    return et.forecast(pd.Series(yearly), {"one": stepwise("2022-01", "2026-06")}, panel, **(terms | changed))


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
    curve = et.curve(made, [5, 100 * np.expm1(made.rate), 15], level_usd_m=11600, year=2030).probability
    assert curve[0] < curve[1] < curve[2]
    assert curve[1] == pytest.approx(table.p["As chosen"])


def test_scenarios_are_arithmetic_in_the_middle() -> None:
    made = forecast()
    plan = et.scenarios(made, [4.7, 11.9], level_usd_m=11600, year=2030)
    for row in plan.itertuples():
        by_hand = made.start.latest_usd_m * (1 + row.first_pct / 100) * (1 + row.after_pct / 100) ** 4
        assert row.median_usd_m == pytest.approx(by_hand)
        assert (row.probability >= 0.5 - 1e-9) == (by_hand >= 11600 * (1 - 1e-9))
    assert et.scenarios(made, [4.7], level_usd_m=11600, year=2026).empty
