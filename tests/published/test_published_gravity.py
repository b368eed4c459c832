"""Gravity and Poisson regressions printed by others, ours beside theirs."""

import os
from pathlib import Path

import pandas as pd
import pytest

from bench import published_gravity
from kbio_analysis.models.gravity import ppml

PRINTED = 6e-5  # published to four decimals


def test_poisson_with_an_effect_absorbed_of_dobson() -> None:
    """Dobson (1990), An Introduction to Generalized Linear Models, p. 93, as R prints it: -0.4543 and -0.2930.

    Counts of a trial by outcome and treatment; the treatments are absorbed as fixed effects, theirs are dummies.
    """
    rows = [(count, i % 3, i // 3) for i, count in enumerate((18, 17, 15, 20, 10, 20, 25, 13, 12))]
    trial = pd.DataFrame(rows, columns=["count", "outcome", "treatment"])
    trial = trial.assign(second=(trial.outcome == 1) * 1.0, third=(trial.outcome == 2) * 1.0)
    found = ppml(trial.rename(columns={"count": "cases"}), "cases", ["second", "third"], ["treatment"]).coefficients
    assert found.to_numpy() == pytest.approx([-0.4543, -0.2930], abs=PRINTED)


@pytest.mark.skipif(
    not os.environ.get(published_gravity.FOLDER),
    reason="the authors' data are not ours to keep: name their folder in KBIO_PUBLISHED_DATA (bench/README.md)",
)
def test_the_log_of_gravity_and_the_advanced_guide() -> None:
    """Santos Silva & Tenreyro (2006), tables 3 and 5; Yotov and others (2016), ch. 1, table 1: to three decimals."""
    for name, rows in published_gravity.tables(Path(os.environ[published_gravity.FOLDER]).expanduser()).items():
        assert rows.agrees.all(), f"{name}\n{rows}"
