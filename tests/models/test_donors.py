"""Who may be compared: each reason refuses what it names, in its order, and never looks past the start."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.donors import Candidates, screen

YEARS = range(1996, 2016)
UNITS = ["IND", "AGR", "LAT", "SHP", "WAR", "OLD", "GAP", "SML", "MID", "OIL", "FIN"]


def candidates() -> Candidates:
    exports = pd.DataFrame(1000.0, index=YEARS, columns=UNITS)
    exports["SML"], exports["MID"] = 20.0, 100.0
    exports.loc[2012, "GAP"] = np.nan
    imports = exports.copy()
    imports["OIL"] = 9000.0
    share = pd.DataFrame(0.03, index=YEARS, columns=UNITS)
    share.loc[:2005, "IND"] = np.nan
    disturbed = [("WAR", "conflict", 2011, 2013), ("OLD", "sanctions", 1990, 1995)]
    parts = {"exports": exports, "imports": imports, "import_share": share, "export_share": share}
    parts |= {"agreements": pd.Series({"IND": 2010, "AGR": 2011, "LAT": 2016}), "flagged": {"SHP": "ships"}}
    parts["disturbed"] = pd.DataFrame(disturbed, columns=["iso3", "reason", "first_year", "last_year"])
    return Candidates(**parts, names=pd.Series({u: u.title() for u in UNITS}))


def chosen(own: Candidates | None = None, **changes):
    usual = {"treated": "IND", "flow": "exports", "outcome": "value", "start": 2010, "window": (1996, 2015)}
    return screen(own or candidates(), **usual | {"rule": "clean"} | changes)


def test_each_reason_refuses_what_it_names() -> None:
    pool = chosen()
    assert pool.kept == ("LAT", "OLD", "MID", "OIL", "FIN")
    reasons = pool.refused.set_index("unit").reason.to_dict()
    assert reasons == {"AGR": "agreement", "SHP": "other record", "WAR": "disturbed", "GAP": "gaps", "SML": "small"}
    assert set(pool.kept) | set(reasons) | {"IND"} == set(UNITS)
    assert pool.outcomes.FIN.to_numpy() == pytest.approx(np.log(1000))


def test_rules_and_windows_change_the_pool() -> None:
    assert "MID" not in chosen(rule="large").kept
    assert "OIL" not in chosen(rule="no_resources").kept
    assert {"AGR", "WAR", "GAP"} <= set(chosen(window=(1996, 2010)).kept)
    assert "detail" in chosen().refused.columns
    assert "in force from 2011" in chosen().refused.detail.to_list()


def test_what_happens_after_the_start_does_not_choose_donors() -> None:
    late = candidates()
    late.exports.loc[2010:, "FIN"] = 1e-3
    assert "FIN" in chosen(late, rule="large").kept


def test_the_window_shrinks_to_the_partners_own_record() -> None:
    pool = chosen(outcome="share")
    assert pool.years == (2006, 2015)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rule": "large_"}, "unknown donor rule 'large_'; did you mean 'large'"),
        ({"window": (2011, 2015)}, "no figure for 2009 and 2010"),
        ({"window": (2015, 1996)}, "no figure for 2009 and 2010"),
        ({"treated": "XXX"}, "not in this record"),
    ],
)
def test_refusals_say_what_to_do(changes: dict, words: str) -> None:
    with pytest.raises(ModelInputError, match=words):
        chosen(**changes)
