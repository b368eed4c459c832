"""Maps and small multiples: every class and panel has its place; what cannot be drawn can be named."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import UsageError
from kbio_analysis.present.maps import without_outline, world_map
from kbio_analysis.present.multiples import multiples

SHARED = {"id": "one", "caption": "One chart.", "source": "Somebody"}
SQUARE = np.array([[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], dtype=float)
OUTLINES = {"AAA": [SQUARE], "BBB": [SQUARE + 20], "CCC": [SQUARE - 30], "SPECK": [SQUARE / 100]}
FOUND = pd.DataFrame({"iso3": ["AAA", "BBB", "SPECK"], "name": ["A", "B", "Speck"], "ratio": [0.5, 2.0, 5.0]})
CLASSES = [(0, "below", "amber", 0.5), (1, "above", "#123456", 0.9)]
PANELS = pd.DataFrame({"year": [2020, 2021] * 3, "v": range(6), "w": range(6), "place": list("aabbcc")})


def test_a_map_colours_by_class_and_its_words_name_the_ends(payloads: list[dict]) -> None:
    how = {"outlines": OUTLINES, "value": "ratio", "classes": CLASSES, "name": "name", "home": {"CCC": "Home"}}
    chart = world_map(FOUND, **how, **SHARED)
    assert "#123456" in chart.drawing
    assert chart.alt.startswith("World map: below 1 place; above 2 places; lowest A, B and Speck;")
    assert payloads[0]["csv"] == FOUND.to_csv(index=False, lineterminator="\n")
    assert without_outline(FOUND.iso3, OUTLINES) == ["SPECK"]
    assert world_map(FOUND, **how | {"home": None}, **SHARED).drawing != chart.drawing
    assert not world_map(FOUND.head(0), **how, **SHARED).drawn
    with pytest.raises(UsageError, match="did you mean ratio"):
        world_map(FOUND, **how | {"value": "ratios"}, **SHARED)


def test_multiples_have_a_panel_a_value_on_one_scale(payloads: list[dict]) -> None:
    how = {"x": "year", "panels": "place"}
    chart = multiples(PANELS, ["v"], **how, **SHARED)
    assert chart.alt.startswith("3 panels of lines: a: v 0 in 2020, 1 in 2021; b:")
    assert chart.drawing.count('id="one-axes_') == 3
    assert multiples(PANELS, ["v", "w"], **how, **SHARED).drawing != chart.drawing
    assert multiples(PANELS, ["v"], **how, columns=3, **SHARED).drawing != chart.drawing
    assert not multiples(PANELS.head(0), ["v"], **how, **SHARED).drawn
    with pytest.raises(UsageError, match="did you mean place"):
        multiples(PANELS, ["v"], x="year", panels="palce", **SHARED)
    with pytest.raises(UsageError, match="no keyword 'colour'"):
        multiples(PANELS, ["v"], **how, colour="red", **SHARED)
