"""Staggered adoption: the single dummy is biased when effects grow, the others are not; leads see what is there."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.event_study import METHODS, drift_bounds, staggered

UNBIASED = 0.03  # about three standard errors of the simulator's mean effect
BIAS = 0.10  # what the single dummy misses at the least here


def growing(*, pretrend: float = 0.0, seed: int = 5, noise: float = 0.05) -> tuple[pd.DataFrame, pd.Series, float]:
    """Cohorts entering in 2000, 2004, 2008; effects grow by 0.1 log points a year; the truth over ten years."""
    rng = np.random.default_rng(seed)
    years, rows, entry, truth = np.arange(1988, 2016), [], {}, []
    common = np.cumsum(rng.normal(0.03, 0.05, len(years)))
    for i in range(60):
        start = [None, 2000, 2004, 2008][i % 4] if i >= 12 else None
        level = rng.normal(4, 0.7)
        for t, year in enumerate(years):
            event = year - start if start else -99
            effect = 0.1 * (event + 1) if event >= 0 else pretrend * max(event + 6, 0) if start else 0.0
            if 0 <= event < 10 and start:
                truth.append(effect)
            shock = rng.normal(-(noise**2) / 2, noise)
            rows.append((f"U{i:02d}", year, float(np.exp(level + common[t] + effect + shock))))
        if start:
            entry[f"U{i:02d}"] = start
    frame = pd.DataFrame(rows, columns=["unit", "period", "outcome"])
    return frame, pd.Series(entry), float(np.mean(truth))


@pytest.fixture(scope="module")
def parallel() -> tuple[pd.DataFrame, pd.Series, float]:
    return growing()


@pytest.mark.parametrize("method", [m for m in METHODS if m != "twfe"])
def test_growing_effects_are_recovered(parallel: tuple, method: str) -> None:
    frame, entry, truth = parallel
    study = staggered(frame, entry, method=method)
    assert study.overall == pytest.approx(truth, abs=UNBIASED)
    assert study.profile.loc[4, "effect_log_points"] == pytest.approx(0.5, abs=UNBIASED)
    assert study.p_leads > 0.01


def test_the_single_dummy_is_biased_by_growing_effects_and_the_extended_model_is_not(parallel: tuple) -> None:
    """Few never-treated units and the whole record: early entrants then serve as comparisons for late ones."""
    frame, entry, _ = parallel
    never = [u for u in frame.unit.unique() if u not in entry.index]
    few = frame[~frame.unit.isin(never[6:])]
    event = few.period - few.unit.map(entry)
    truth = 0.1 * (event[event >= 0] + 1).mean()
    whole = {"pre": 28, "post": 28}
    assert staggered(few, entry, method="twfe", **whole).overall < truth - BIAS
    assert staggered(few, entry, method="etwfe_ppml", **whole).overall == pytest.approx(truth, abs=UNBIASED)


@pytest.mark.parametrize("method", [m for m in METHODS if m != "twfe"])
def test_leads_see_an_early_departure(method: str) -> None:
    frame, entry, _ = growing(pretrend=0.06)
    assert staggered(frame, entry, method=method).p_leads < 0.01


def test_callaway_santanna_agrees_with_a_loop_of_differences_in_means(parallel: tuple) -> None:
    frame, entry, _ = parallel
    logs = np.log(frame.pivot(index="period", columns="unit", values="outcome"))
    never = [u for u in logs if u not in entry.index]
    for event in (0, 3, 7):
        values = []
        for start in (2000, 2004, 2008):
            members = entry.index[entry == start]
            moved = logs.loc[start + event] - logs.loc[start - 1]
            values += [moved[members].mean() - moved[never].mean()] * len(members)
        found = staggered(frame, entry, method="callaway_santanna").profile.loc[event, "effect_log_points"]
        assert found == pytest.approx(np.mean(values), abs=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_units_treated_throughout_are_left_out_and_counted(method: str) -> None:
    """A true effect of .5; thirty units treated since before the panel begins would pull it to .27."""
    rng = np.random.default_rng(0)
    entry = pd.Series({f"u{i}": 1998 if i >= 60 else 2004 + i % 8 for i in range(30, 90)})
    level = rng.normal(4, 0.5, 90)
    rows = []
    for i in range(90):
        for year in range(2000, 2016):
            effect = 0.5 * (year >= entry.get(f"u{i}", 9999))
            rows.append((f"u{i}", year, np.exp(level[i] + 0.03 * (year - 2000) + effect + rng.normal(0, 0.05))))
    panel = pd.DataFrame(rows, columns=["unit", "period", "outcome"])
    study = staggered(panel, entry, method=method)
    assert study.overall == pytest.approx(0.5, abs=UNBIASED)
    assert (study.n_treated, study.n_never, study.n_left_out) == (30, 30, 30)
    dated = panel.assign(period=pd.to_datetime(panel.period.astype(str)))
    assert staggered(dated, entry, method=method).overall == pytest.approx(study.overall, rel=1e-6)


def test_refusals_say_what_to_do(parallel: tuple) -> None:
    frame, entry, _ = parallel
    with pytest.raises(ModelInputError, match="did you mean 'twfe'"):
        staggered(frame, entry, method="twfee")
    with pytest.raises(ModelInputError, match="stand twice"):
        staggered(pd.concat([frame, frame.head(1)]), entry, method="twfe")
    everyone = pd.Series(2004, index=frame.unit.unique())
    with pytest.raises(ModelInputError, match="0 never-treated"):
        staggered(frame, everyone, method="etwfe_ppml")
    holes = frame.assign(outcome=frame.outcome.where(frame.period != 2001, 0.0))
    with pytest.raises(ModelInputError, match="complete positive record"):
        staggered(holes, entry, method="callaway_santanna")


class TestDrift:
    def test_bounds_grow_with_the_step_and_hold_the_estimate_in_the_middle(self, parallel: tuple) -> None:
        frame, entry, _ = parallel
        study = staggered(frame, entry, method="callaway_santanna")
        none, one, two = drift_bounds(study, (0.0, 1.0, 2.0), horizon=3).itertuples()
        assert none.low == pytest.approx(none.high)
        steps = np.abs(np.diff([*study.profile.loc[[-5, -4, -3, -2], "effect_log_points"], 0.0]))
        assert one.high - one.low == pytest.approx(2 * steps.max() * (1 + 2 + 3) / 3)
        assert two.high - two.low == pytest.approx(2 * (one.high - one.low))
        assert none.low_95 < none.low <= none.high < none.high_95

    def test_the_identified_set_is_that_of_the_package(self, parallel: tuple) -> None:
        """Identified set under relative magnitudes, from diff-diff's own linear programme on the same effects."""
        from diff_diff import CallawaySantAnna, HonestDiD

        frame, entry, _ = parallel
        short = frame[frame.period.between(1995, 2010)]
        coded = short.assign(outcome=np.log(short.outcome), g=short.unit.map(entry).fillna(0).astype(int))
        coded = coded[coded.g.isin([0, 2004])]
        one = entry[entry == 2004]
        study = staggered(coded.assign(outcome=np.exp(coded.outcome)), one, method="callaway_santanna", leads=9, post=7)
        (ours,) = drift_bounds(study, (1.0,), horizon=7).itertuples()
        with pytest.warns(FutureWarning):
            fit = CallawaySantAnna(base_period="universal").fit(
                coded, "outcome", "unit", "period", "g", aggregate="event_study"
            )
        theirs = HonestDiD(method="relative_magnitude", M=1.0).fit(fit)
        assert (ours.low, ours.high) == (pytest.approx(theirs.lb, abs=1e-6), pytest.approx(theirs.ub, abs=1e-6))

    def test_refuses_leads_measured_from_elsewhere(self, parallel: tuple) -> None:
        frame, entry, _ = parallel
        with pytest.raises(ModelInputError, match="use callaway_santanna"):
            drift_bounds(staggered(frame, entry, method="etwfe_ppml"), horizon=3)
