"""Numbers from the literature on single-unit designs, ours beside theirs; data from packages, or written out."""

import pandas as pd
import pytest
import statsmodels.api as sm

from kbio_analysis.models import interrupted, synthetic_control

CENT = 0.0051  # half of the last printed digit


def test_difference_in_differences_of_card_and_krueger() -> None:
    """Card & Krueger (1994), table 3: employment in New Jersey 20.44 to 21.03, Pennsylvania 23.33 to 21.17: 2.76.

    The printed difference is of unrounded means; from the printed means it is 2.75.
    """
    index = range(1990, 1995)
    control = [23.33] * 4 + [21.17]
    panel = pd.DataFrame({"NJ": [20.44] * 4 + [21.03]} | {f"PA{i}": control for i in range(5)}, index=index)
    found = synthetic_control.fit(panel, "NJ", 1994, method="did")
    assert found.effect == pytest.approx(2.76, abs=2 * CENT + 0.005)
    # With parallel pasts every estimator that removes levels must give the same.
    for method in set(synthetic_control.METHODS) - {"simplex", "ridge"}:
        assert synthetic_control.fit(panel, "NJ", 1994, method=method).effect == pytest.approx(found.effect)


def test_break_of_the_nile_in_1899() -> None:
    """Cobb (1978): mean flow 1097.75 in 1871-98 and 849.97 in 1899-1970 (printed 1098 and 850)."""
    nile = sm.datasets.nile.load_pandas().data
    y = pd.Series(nile.volume.to_numpy(), index=nile.year.astype(int), name="Nile")
    before, after = y.loc[:1898].mean(), y.loc[1899:].mean()
    assert (round(before), round(after)) == (1098, 850)
    found = interrupted.its(y, 1899)
    # A trend is estimated as well, so the break at the date is not the difference of means; it is near it and clear.
    assert found.level_shift == pytest.approx(after - before, abs=2 * found.se_level)
    assert found.p_level < 0.001
    assert interrupted.placebo_dates(y, found).p_value <= 0.1
