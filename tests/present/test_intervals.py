"""Rows of intervals: every row and mark asked for is there, in its place, and the data stay the frame."""

import pandas as pd
import pytest

from kbio_analysis.errors import UsageError
from kbio_analysis.present.intervals import intervals
from kbio_analysis.present.words import chance, usd

SHARED = {"id": "one", "caption": "One chart.", "source": "Somebody"}
ODDS = pd.DataFrame(
    [("First", "class", 0.3, 0.1, 0.5), ("Second", "class", 0.4, 0.3, 0.5), ("Pool", "pool", 0.35, None, None)],
    columns=["method", "role", "p", "low", "high"],
)
BY_FLOW = pd.DataFrame(
    {"flow": ["out", "out", "in"], "method": ["a", "b", "a"], "effect": [1.0, -2.0, 9.0], "sure": [True, False, True]}
)


def drawn(**options: object) -> str:
    return intervals(ODDS, **{"label": "method", "point": "p"} | options, **SHARED).drawing


def test_data_are_the_frame_and_colours_titles_and_marks_show(payloads: list[dict]) -> None:
    whole = {"low": "low", "high": "high", "by": "role", "x_format": ".0%"}
    plain = drawn(**whole)
    assert payloads[0]["csv"] == ODDS.to_csv(index=False, lineterminator="\n")
    changed = [drawn(**whole, **more) for more in (
        {"colours": {"pool": "#123456"}}, {"title": "Chance"}, {"markers": {"pool": "D"}}, {"verticals": {0.5: ""}},
        {"hollow": {"Pool": [0.2, 0.6]}}, {"values": chance}, {"stems": True},
        {"bars": [("low", "high", "range")]}, {"summary": {"All": (0.3, 0.2, 0.4)}},

        {"x_range": (0, 1)}, {"scale": 100}, {"legend": False},
    )]  # fmt: skip
    assert len({plain, *changed}) == len(changed) + 1
    assert "#123456" in changed[0]
    assert all(p["csv"] == payloads[0]["csv"] for p in payloads)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"label": "methods"}, "did you mean method"),
        ({"point": "prob"}, "the frame has no 'prob'"),
        ({"low": "lo", "high": "high"}, "did you mean low"),
        ({"by": "roles"}, "did you mean role"),
        ({"by": "role", "colours": {"pol": "red"}}, "did you mean pool"),
        ({"hollow": {"Pol": [0.1]}}, "did you mean Pool"),
        ({"markers": {"pool": "?"}}, "markers: there is no"),
        ({"bars": [("low", "high", "", {"color": "red"})]}, "did you mean colour"),
        ({"values": chance, "x_fromat": chance}, "did you mean x_format"),
    ],
)
def test_what_is_unknown_is_refused_with_the_nearest_name(options: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        drawn(**options)


def test_several_marks_of_a_row_stand_apart_or_on_one_line(payloads: list[dict]) -> None:
    how = {"label": "flow", "point": "effect", "by": "method"}
    apart = intervals(BY_FLOW, **how, **SHARED)
    together = intervals(BY_FLOW, **how, dodge=False, **SHARED)
    assert apart.drawing != together.drawing
    assert apart.alt == "Points: out, a 1; out, b −2; in, a 9."


def test_two_points_a_row_have_their_names_in_legend_and_words(payloads: list[dict]) -> None:
    found = pd.DataFrame({"market": ["A", "B"], "actual": [1000.0, 2000], "expected": [3000.0, 500]})
    pair = {"Actual": "actual", "Expected": "expected"}
    chart = intervals(found, label="market", point=pair, x_format=usd, **SHARED)
    assert chart.alt == "Points: A Actual US$1.0bn, Expected US$3.0bn; B Actual US$2.0bn, Expected US$500m."


def test_the_words_name_the_ends_of_many_rows(payloads: list[dict]) -> None:
    many = pd.DataFrame({"row": [f"A rather long name number {i}" for i in range(40)], "v": range(40)})
    chart = intervals(many, label="row", point="v", **SHARED)
    assert chart.alt.startswith("Points, 40 values in 40 rows: lowest A rather long name number 0 0;")
    assert len(chart.alt.split()) <= 62


@pytest.mark.parametrize("frame", [None, ODDS.head(0), ODDS.assign(p=None)])
def test_without_a_value_nothing_is_shown(frame: pd.DataFrame | None, payloads: list[dict]) -> None:
    assert not intervals(frame, label="method", point="p", **SHARED).drawn
    assert payloads == []
