"""Multiples by base and end, deflated and against the world."""

import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.trade_multiples import multiples, price_level

EXACT = 1e-12  # relative: arithmetic


def test_the_price_level_is_nominal_over_real_growth() -> None:
    gdp = pd.Series({2009: 100.0, 2010: 110.0, 2011: 121.0})
    real = pd.Series({2009: 1.0, 2010: 5.0, 2011: 0.0})
    level = price_level(gdp, real, base=2010)
    assert level[2010] == 1
    assert level[2009] == pytest.approx(1.05 / 1.10, rel=EXACT)
    assert level[2011] == pytest.approx(1.1, rel=EXACT)
    with pytest.raises(ModelInputError, match="no price level for 1980"):
        price_level(gdp, real, base=1980)


def test_every_base_has_a_latest_and_a_peak() -> None:
    flows = {2009: 10.0, 2010: 16.0, 2011: 40.0, 2012: 24.0}
    trade = pd.DataFrame({f"{way}_usd_m": flows for way in ("trade", "exports", "imports")})
    world = trade.assign(trade_usd_m=[100.0, 120.0, 150.0, 180.0])
    prices = pd.Series({2009: 0.8, 2010: 1.0, 2011: 1.0, 2012: 1.2})
    bases = {"a": 2009, "b": 2010, "never": 1999, "last": 2012}
    found = multiples(trade, world, prices, bases=bases)
    rows = found[found.flow == "trade"].set_index(["base", "end"])
    assert list(rows.index) == [("a", "latest"), ("a", "peak"), ("b", "latest"), ("b", "peak")]
    assert rows.nominal["a", "latest"] == pytest.approx(2.4)
    assert rows.real["a", "latest"] == pytest.approx(2.4 * 0.8 / 1.2)
    assert rows.world["a", "latest"] == pytest.approx(1.8)
    assert rows.relative["b", "peak"] == pytest.approx(2.5 / 1.25)
    assert list(found.flow.unique()) == ["trade", "exports", "imports"]
    periods = trade.set_axis(pd.period_range("2009", periods=4, freq="Y"))
    pd.testing.assert_frame_equal(multiples(periods, world, prices, bases=bases), found)
    assert multiples(trade.loc[:2009].reindex(trade.index), world, prices, bases=bases).empty
