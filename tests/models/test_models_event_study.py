"""Staggered adoption: growing effects are recovered, the years before entry are seen, and drift is bounded."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.event_study import drift_bounds, staggered

UNBIASED = 0.03  # about three standard errors of the simulator's mean effect


def growing(*, pretrend: float = 0.0, seed: int = 5, noise: float = 0.05) -> tuple[pd.DataFrame, pd.Series, float]:
    """Cohorts entering in 2000, 2004, 2008; effects grow by 0.1 log points a year; the truth over ten years."""
    rng = np.random.default_rng(seed)
    years, truth, columns = np.arange(1988, 2016), [], {}
    entry = {f"U{i:02d}": [2000, 2004, 2008][i % 4 - 1] for i in range(12, 60) if i % 4}
    common = np.cumsum(rng.normal(0.03, 0.05, len(years)))
    for unit in (f"U{i:02d}" for i in range(60)):
        event = years - entry.get(unit, 9999)
        effect = np.where(event >= 0, 0.1 * (event + 1), pretrend * np.maximum(event + 6, 0))
        truth += list(effect[(event >= 0) & (event < 10)])
        columns[unit] = np.exp(rng.normal(4, 0.7) + common + effect + rng.normal(0, noise, len(years)))
    return pd.DataFrame(columns, index=years), pd.Series(entry), float(np.mean(truth))


@pytest.fixture(scope="module")
def parallel() -> tuple[pd.DataFrame, pd.Series, float]:
    return growing()


def test_growing_effects_are_recovered_and_years_may_be_dates(parallel: tuple) -> None:
    outcomes, entry, truth = parallel
    study = staggered(outcomes, entry)
    assert study.overall == pytest.approx(truth, abs=UNBIASED)
    assert study.interval[0] < study.overall < study.interval[1]
    assert study.profile.loc[4, "effect_log_points"] == pytest.approx(0.5, abs=UNBIASED)
    assert study.p_leads > 0.01
    dated = outcomes.set_axis(pd.to_datetime([f"{y}-12-31" for y in outcomes.index]))
    assert staggered(dated, entry).overall == study.overall


def test_leads_see_an_early_departure() -> None:
    assert staggered(*growing(pretrend=0.06)[:2]).p_leads < 0.01


def test_it_agrees_with_a_loop_of_differences_in_means(parallel: tuple) -> None:
    outcomes, entry, _ = parallel
    logs = np.log(outcomes)
    never = [u for u in logs if u not in entry.index]
    profile = staggered(outcomes, entry).profile
    for event in (0, 3, 7):
        values = []
        for start in (2000, 2004, 2008):
            members = entry.index[entry == start]
            moved = logs.loc[start + event] - logs.loc[start - 1]
            values += [moved[members].mean() - moved[never].mean()] * len(members)
        assert profile.loc[event, "effect_log_points"] == pytest.approx(np.mean(values), abs=1e-10)


def test_units_treated_throughout_are_left_out() -> None:
    """A true effect of .5; thirty units treated since before the panel begins would pull it to .27."""
    rng, years = np.random.default_rng(0), np.arange(2000, 2016)
    entry = pd.Series({f"u{i}": 1998 if i >= 60 else 2004 + i % 8 for i in range(30, 90)})
    on = {f"u{i}": 0.5 * (years >= entry.get(f"u{i}", 9999)) for i in range(90)}
    logs = {
        u: rng.normal(4, 0.5) + 0.03 * (years - 2000) + effect + rng.normal(0, 0.05, 16) for u, effect in on.items()
    }
    study = staggered(np.exp(pd.DataFrame(logs, index=years)), entry)
    assert study.overall == pytest.approx(0.5, abs=UNBIASED)
    assert (study.n_treated, study.n_never) == (30, 30)


def test_refusals_say_what_to_do(parallel: tuple) -> None:
    outcomes, entry, _ = parallel
    with pytest.raises(ModelInputError, match="0 never-treated"):
        staggered(outcomes, pd.Series(2004, index=outcomes.columns))
    with pytest.raises(ModelInputError, match="complete positive record"):
        staggered(outcomes.assign(**{u: outcomes[u].where(outcomes.index != 2001, 0.0) for u in outcomes}), entry)
    with pytest.raises(ModelInputError, match="leads of 2 or more"):
        drift_bounds(staggered(outcomes, entry, leads=1), horizon=3)


def test_bounds_grow_with_the_step_and_hold_the_estimate_in_the_middle(parallel: tuple) -> None:
    study = staggered(*parallel[:2])
    none, one, two = drift_bounds(study, (0.0, 1.0, 2.0), horizon=3).itertuples()
    assert none.low == pytest.approx(none.high)
    steps = np.abs(np.diff([*study.profile.loc[[-5, -4, -3, -2], "effect_log_points"], 0.0]))
    assert one.high - one.low == pytest.approx(2 * steps.max() * (1 + 2 + 3) / 3)
    assert two.high - two.low == pytest.approx(2 * (one.high - one.low))
    assert none.low_95 < none.low <= none.high < none.high_95


def test_the_identified_set_is_that_of_the_package(parallel: tuple) -> None:
    """Identified set under relative magnitudes, from diff-diff's own linear programme on the same effects."""
    from diff_diff import CallawaySantAnna, HonestDiD

    outcomes, entry, _ = parallel
    one = entry[entry == 2004]
    short = outcomes.loc[1995:2010, [u for u in outcomes if u not in entry.index or u in one.index]]
    (ours,) = drift_bounds(staggered(short, one, leads=9, post=7), (1.0,), horizon=7).itertuples()
    long = (
        np.log(short).rename_axis(index="year", columns="unit").melt(ignore_index=False, value_name="y").reset_index()
    )
    long["g"] = long.unit.map(one).fillna(0).astype(int)
    with pytest.warns(FutureWarning):
        fit = CallawaySantAnna(base_period="universal").fit(long, "y", "unit", "year", "g", aggregate="event_study")
    theirs = HonestDiD(method="relative_magnitude", M=1.0).fit(fit)
    assert (ours.low, ours.high) == (pytest.approx(theirs.lb, abs=1e-6), pytest.approx(theirs.ub, abs=1e-6))
