"""Pretended agreements: the p-value is never 0, is fair when nothing happens, and small when something does."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.agreement_record import record, two_way
from kbio_analysis.models.randomisation import p_of_mean, reassign

YEARS = np.arange(1990, 2012)


def world(seed: int, effect: float, n_never: int = 24, members: int = 6):
    rng = np.random.default_rng(seed)
    names = [f"C{i:02d}" for i in range(n_never)] + [f"M{i}" for i in range(members)]
    y = np.exp(rng.normal(4, 0.5, len(names)) + np.cumsum(rng.normal(0, 0.1, (len(YEARS), len(names))), axis=0))
    for i in range(members):
        y[2001 + i % 3 <= YEARS, n_never + i] *= np.exp(effect)
    treatment = pd.DataFrame(
        {"agreement": [f"A{i}" for i in range(members)], "entry_year": [2001 + i % 3 for i in range(members)]},
        index=names[n_never:],
    )
    return {"x": pd.DataFrame(y, index=YEARS, columns=names)}, treatment, {"x": names[:n_never]}


def drawn(seed: int, effect: float, n_draws: int = 199):
    arguments = world(seed, effect)
    found = record(*arguments)
    return found, reassign(*arguments, found, n_draws=n_draws, seed=seed)


def test_an_enormous_effect_reaches_the_floor_and_not_zero() -> None:
    found, placebos = drawn(1, 3.0, 99)
    test = placebos.test(found.table)
    assert test.p_value == test.floor == 1 / 100


def test_p_is_fair_when_nothing_happens() -> None:
    """30 null worlds: p spreads over the unit interval (mean one half, standard error .053)."""
    values = np.array([placebos.test(found.table).p_value for found, placebos in (drawn(s, 0.0) for s in range(30))])
    assert values.mean() == pytest.approx(0.5, abs=0.16)
    assert (values < 0.05).sum() <= 5


def test_p_of_other_panels_is_that_of_the_draws_or_none() -> None:
    outcomes, treatment, comparisons = world(1, 0.5)
    found, placebos = drawn(1, 0.5)
    panels = {"outcomes": outcomes, "treatment": treatment, "comparisons": comparisons}
    assert p_of_mean(panels, n_draws=199, seed=1) == placebos.test(found.table).p_value
    assert p_of_mean(panels | {"comparisons": {"x": []}}, n_draws=199, seed=1) is None


def test_draws_agree_with_a_slow_loop() -> None:
    outcomes, treatment, comparisons = world(3, 0.0, n_never=9, members=2)
    treatment = treatment.assign(agreement="one", entry_year=[2001, 2004])
    found = record(outcomes, treatment, comparisons)
    fast = reassign(outcomes, treatment, comparisons, found, n_draws=20, seed=5).draws[("one", "x")]
    panel = outcomes["x"][comparisons["x"]]
    picks = np.random.default_rng(5).random((20, 9)).argsort(axis=1)[:, :2]
    for draw in range(20):
        total, count = 0.0, 0
        for year in YEARS[YEARS >= 2001]:
            observed = foretold = 0.0
            live = 0
            for partner, entry in zip(picks[draw], (2001, 2004), strict=True):
                if not entry <= year < entry + 10:
                    continue
                others = panel.drop(columns=panel.columns[partner])
                effects = two_way(others.to_numpy(), np.ones(others.shape, dtype=bool))[0]
                before = (entry > YEARS) & (entry - 10 <= YEARS)
                own = panel.iloc[:, partner].to_numpy()
                scale = own[before].sum() / effects[before].sum()
                observed, foretold = observed + own[year == YEARS][0], foretold + scale * effects[year == YEARS][0]
                live += 1
            if live:
                total, count = total + live * np.log(observed / foretold), count + live
        assert fast[draw] == pytest.approx(total / count, abs=1e-9)


def test_spread_test_is_one_sided() -> None:
    found, placebos = drawn(4, 0.0, 99)
    assert placebos.spread_test(found.effects * 100).p_value == 1 / 100
    assert placebos.spread_test(found.effects * 0).p_value == 1.0


def test_refuses_too_few_draws() -> None:
    with pytest.raises(ModelInputError, match="n_draws = 5"):
        drawn(7, 0.0, 5)
