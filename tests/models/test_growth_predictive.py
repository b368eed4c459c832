"""The predictive of growth: variances recovered, a slow twin, coverage on simulated panels."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import growth_predictive as gp

TRUE = {"mean": 0.10, "year": 0.08, "exporter": 0.05, "residual": 0.20}


def simulated(rng: np.random.Generator, *, years: int, exporters: int, gaps: float = 0.0) -> pd.DataFrame:
    """Values whose log growth is mean + exporter + year + residual, all normal, with the standard deviations TRUE."""
    growth = TRUE["mean"] + rng.normal(0, TRUE["year"], (years, 1)) + rng.normal(0, TRUE["exporter"], (1, exporters))
    growth = growth + rng.normal(0, TRUE["residual"], (years, exporters))
    values = pd.DataFrame(100 * np.exp(np.vstack([np.zeros(exporters), growth.cumsum(axis=0)])))
    return values.mask(rng.random(values.shape) < gaps).set_axis(range(2000, 2001 + years))


@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_the_components_are_recovered(gaps: float) -> None:
    rng = np.random.default_rng(1)
    found = [gp.components(simulated(rng, years=40, exporters=60, gaps=gaps)) for _ in range(60)]
    for name, truth in (("s2_year", "year"), ("s2_exporter", "exporter"), ("s2_residual", "residual")):
        assert np.sqrt(np.mean([getattr(f, name) for f in found])) == pytest.approx(TRUE[truth], rel=0.1)
    means = np.array([f.mean for f in found])
    assert means.mean() == pytest.approx(TRUE["mean"], abs=0.01)
    # The exporters drawn differ from panel to panel; that part is not an error of the years' mean.
    between = TRUE["exporter"] ** 2 / 60
    assert means.var() == pytest.approx(np.mean([f.s2_mean for f in found]) + between, rel=0.5)


def test_a_slow_loop_agrees() -> None:
    panel = simulated(np.random.default_rng(2), years=9, exporters=7, gaps=0.15)
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
    unit_means = [np.mean([v for (_, j), v in left.items() if j == i]) for i in units]
    s2_unit = np.var(unit_means, ddof=1) - np.mean([s2 / sum(j == i for _, j in growth) for i in units])
    noise = {t: s2 / sum(s == t for s, _ in growth) for t in years}
    s2_year = max(np.var(list(by_year.values()), ddof=1) - np.mean(list(noise.values())), gp.FLOOR)
    weights = {t: 1 / (s2_year + noise[t]) for t in years}
    found = gp.components(panel)
    assert found.s2_residual == pytest.approx(s2)
    assert found.s2_exporter == pytest.approx(max(s2_unit, gp.FLOOR))
    assert found.s2_year == pytest.approx(s2_year)
    assert found.mean == pytest.approx(sum(weights[t] * by_year[t] for t in years) / sum(weights.values()))


def test_chance_and_interval_belong_together() -> None:
    ahead = gp.Predictive(centre=0.2, sd=0.4)
    low, high = ahead.interval(80)
    assert (ahead.above(high), ahead.above(low)) == pytest.approx((0.1, 0.9))
    assert ahead.above(8) < 1e-4


def test_a_short_record_is_shrunk_to_the_mean() -> None:
    panel = simulated(np.random.default_rng(3), years=12, exporters=15)
    fast = pd.Series(100 * 1.8 ** np.arange(3), index=[2010, 2011, 2012])
    long = pd.Series(100 * 1.8 ** np.arange(13), index=range(2000, 2013))
    one, many = gp.components(panel, own=fast), gp.components(panel, own=long)
    lead = np.log(1.8) - one.mean
    assert 0 < one.own < many.own < lead
    assert many.s2_own < one.s2_own < one.s2_exporter


def test_opinions_pull_by_their_precision() -> None:
    found = gp.components(simulated(np.random.default_rng(4), years=12, exporters=15))
    vague, vague_s2 = gp.combined_rate(found, [(50.0, 100.0)])
    sure, sure_s2 = gp.combined_rate(found, [(50.0, 0.01)])
    assert vague == pytest.approx(found.rate, abs=0.005)
    assert sure == pytest.approx(np.log(1.5), abs=0.001)
    assert sure_s2 < vague_s2
    with pytest.raises(ModelInputError, match="never certain"):
        gp.combined_rate(found, [(11.9, 0.0)])


def test_coverage_on_panels_that_obey_the_model() -> None:
    rng = np.random.default_rng(5)
    panels = {str(i): simulated(rng, years=16, exporters=14) for i in range(60)}
    found = gp.compared(panels, origins=[2012], horizons=[1, 4], event_pct=8.9)[0].groupby("rule").mean()
    assert found.at["components", "cover_80"] == pytest.approx(80, abs=6)
    assert found.at["components", "cover_95"] == pytest.approx(95, abs=4)
    assert found.at["components", "brier"] < found.at["class share", "brier"]
    assert found.at["components", "crps"] < found.at["no change", "crps"]


def test_refusals() -> None:
    panel = simulated(np.random.default_rng(6), years=4, exporters=3)
    with pytest.raises(ModelInputError, match="12 yearly growth rates"):
        gp.components(panel)
    found = gp.components(simulated(np.random.default_rng(6), years=9, exporters=9))
    with pytest.raises(ModelInputError, match="at least one year"):
        gp.predictive(found, 0)
    with pytest.raises(ModelInputError, match="between 1 and 100"):
        gp.predictive(found, 1).interval(0.8)


def test_rows_some_years_apart_give_the_components_of_a_year() -> None:
    rng = np.random.default_rng(4)
    whole = [simulated(rng, years=80, exporters=60) for _ in range(20)]
    found = [gp.components(panel.iloc[[*range(0, 40, 4), *range(40, 81)]]) for panel in whole]
    for name, truth in (("s2_year", "year"), ("s2_exporter", "exporter"), ("s2_residual", "residual")):
        assert np.sqrt(np.mean([getattr(f, name) for f in found])) == pytest.approx(TRUE[truth], rel=0.1)


def test_a_newcomers_single_jump_is_not_taken_for_a_lasting_lead() -> None:
    rng = np.random.default_rng(5)
    panel = pd.DataFrame(100 * np.exp(np.cumsum(rng.normal(0.05, 0.25, (12, 14)), axis=0)), index=range(2008, 2020))
    panel[14] = np.nan
    panel.loc[[2018, 2019], 14] = [100.0, 230.0]
    found = gp.leads(gp.components(panel), panel, panel)
    assert found.at[14, "years"] == 1
    assert found.at[14, "lead"] > 0.5
    assert found.at[14, "own"] < 0.1 * found.at[14, "lead"]
    late = panel[[0]].where(np.arange(12)[:, None] == 11)
    newcomer = gp.leads(gp.components(panel), panel, late).loc[0]
    assert (newcomer.own, newcomer.s2_own) == (0.0, gp.components(panel).s2_exporter)
