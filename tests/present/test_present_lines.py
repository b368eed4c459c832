"""The plain line chart says in words what it draws, keeps gaps, and refuses to draw nothing."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import UsageError
from kbio_analysis.present import figures
from kbio_analysis.present.figures import canvas

RECORD = pd.Series([2.0, 3.0, 5.0], index=pd.PeriodIndex(["2018", "2019", "2022"], freq="Y"))
PATH = pd.Series([5.0, 6.0], index=[2022, 2023])
WORDS = {"id": "plain", "caption": "A record and a path.", "unit": "US$ million", "source": "S"}


@pytest.fixture
def charts(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    shown: list[dict] = []
    monkeypatch.setattr(canvas, "show", lambda payload, fallback: shown.append(payload))
    return shown


def test_words_data_and_the_line_of_the_index_are_the_values(charts: list[dict]) -> None:
    figures.lines({"Record": RECORD, "Path": PATH}, **WORDS)
    (shown,) = charts
    assert (
        shown["alt"] == "Lines in US$ million: Record from 2 in 2018 to 5 in 2022 and Path from 5 in 2022 to 6 in 2023."
    )
    assert shown["csv"].splitlines() == ["year,Record,Path", "2018,2.0,", "2019,3.0,", "2022,5.0,5.0", "2023,,6.0"]
    assert shown["spark"] == [2.0, 3.0, 5.0]


def test_a_single_value_is_a_point_in_words_too(charts: list[dict]) -> None:
    figures.lines({"Record": RECORD[:1], "Nothing": RECORD * np.nan}, **WORDS)
    assert charts[0]["alt"] == "Lines in US$ million: Record 2 in 2018."
    assert charts[0]["spark"] is None


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no value to draw"):
        figures.lines({"Nothing": RECORD * np.nan}, **WORDS)
