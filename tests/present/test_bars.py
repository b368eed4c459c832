"""Bars and tornadoes: lengths from the frame, colours by row, series, sign or side; nothing dropped."""

import pandas as pd
import pytest

from kbio_analysis.errors import UsageError
from kbio_analysis.present.bars import bars, tornado
from kbio_analysis.present.words import plain, usd

SHARED = {"id": "one", "caption": "One chart.", "source": "Somebody"}
GROWTH = pd.DataFrame(
    {"where": ["North", "South", "East"], "up": [3.0, -2, 1], "pace": [1.0, 1, 2], "old": [True, False, True]}
)
INPUTS = pd.DataFrame(
    {"input": ["rate", "years"], "low": [1.0, 5], "high": [9.0, 6], "from": [2, 10], "to": ["3%", "many"]}
)


def drawn(**options: object) -> str:
    return bars(GROWTH, **{"label": "where", "value": "up"} | options, **SHARED).drawing


def test_data_are_the_frame_and_every_wish_shows(payloads: list[dict]) -> None:
    changed = [drawn(**more) for more in (
        {}, {"colours": {"South": "#123456"}}, {"title": "Points"}, {"by": "old"},
        {"points": {"North": [1, 2]}}, {"values": "+.1f"}, {"upright": True},
        {"scale": 10}, {"x_range": (-5, 5)}, {"x_ticks": [0, 1]},
        {"value": {"A": "up", "B": "pace"}}, {"value": {"A": "up", "B": "pace"}, "stacked": True},
        {"value": {"A": "up", "B": "pace"}, "stacked": True, "upright": True, "values": True},
    )]  # fmt: skip
    assert len(set(changed)) == len(changed)
    assert "#123456" in changed[1]
    assert {p["csv"] for p in payloads} == {GROWTH.to_csv(index=False, lineterminator="\n")}
    assert payloads[0]["alt"] == "Bars: North 3; South −2; East 1."


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"label": "were"}, "did you mean where"),
        ({"value": {"A": "down"}}, "the frame has no 'down'"),
        ({"points": {"Nord": [1]}}, "did you mean North"),
        ({"colours": {"Nord": "red"}}, "did you mean North"),
        ({"valeus": True}, "did you mean values"),
    ],
)
def test_what_is_unknown_is_refused_with_the_nearest_name(options: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        drawn(**options)


def test_without_a_value_nothing_is_shown(payloads: list[dict]) -> None:
    for frame in (None, GROWTH.head(0), GROWTH.assign(up=float("nan"))):
        assert not bars(frame, label="where", value="up", **SHARED).drawn
    assert not tornado(INPUTS.head(0), label="input", low="low", high="high", **SHARED).drawn
    assert payloads == []


def test_a_tornado_names_its_ends_and_says_the_widest_first(payloads: list[dict]) -> None:
    how = {"label": "input", "low": "low", "high": "high", "x_format": usd}
    ranged = tornado(INPUTS, **how, ends=("from", "to", plain), by="input", **SHARED)
    centred = tornado(INPUTS, **how, centre=4, **SHARED)
    assert ranged.drawing != centred.drawing
    assert centred.alt == "Bars, the widest first: rate US$1.0m to US$9.0m; years US$5.0m to US$6.0m."
    assert payloads[0]["csv"] == INPUTS.to_csv(index=False, lineterminator="\n")
    with pytest.raises(UsageError, match="did you mean from"):
        tornado(INPUTS, **how, ends=("form", "to"), **SHARED)
