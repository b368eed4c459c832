"""Charts: repeatable, unique ids, theme colours, alt text with the numbers, the data beside them."""

import re

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from kbio_analysis.present import figures
from kbio_analysis.present.figures import canvas
from kbio_analysis.present.figures import exports as chart_module
from kbio_analysis.present.outputs import MIME


@pytest.fixture
def charts(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    shown: list[dict] = []
    monkeypatch.setattr(canvas, "show", lambda payload, fallback: shown.append(payload | {"fallback": fallback}))
    return shown


@pytest.fixture
def odds_frame() -> pd.DataFrame:
    rows = [("A", "pool", 0.3, 0.1, 0.5), ("Pool", "pooled", 0.4, 0.3, 0.5), ("W", "witness", 0.6, 0.5, 0.7)]
    return pd.DataFrame(rows, columns=["method", "role", "probability", "low", "high"])


def test_two_drawings_are_the_same_bytes(charts: list[dict], odds_frame: pd.DataFrame) -> None:
    for _ in range(2):
        figures.odds_by_method(odds_frame, event="it happens", source="S")
    assert charts[0] == charts[1]


def test_ids_are_unique_and_every_reference_resolves(charts: list[dict], odds_frame: pd.DataFrame) -> None:
    figures.odds_by_method(odds_frame, event="it happens", source="S")
    ids = [set(re.findall(r'\bid="([^"]+)"', charts[0][k])) for k in ("svg", "svg_narrow")]
    assert not ids[0] & ids[1]
    for own, key in zip(ids, ("svg", "svg_narrow"), strict=True):
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', charts[0][key])) <= own


def test_no_colour_outside_the_theme(charts: list[dict], odds_frame: pd.DataFrame) -> None:
    figures.odds_by_method(odds_frame, event="it happens", source="S")
    bare = re.sub(r"var\(--chart-[\w-]+, #[0-9a-f]{6}\)", "", charts[0]["svg"])
    assert re.findall(r"(?:fill|stroke): #[0-9a-f]{6}", bare) == []


def test_alt_text_states_the_values_and_the_csv_holds_them(charts: list[dict], odds_frame: pd.DataFrame) -> None:
    figures.odds_by_method(odds_frame, event="it happens", source="S")
    assert "A 30%, Pool 40% and W 60%" in charts[0]["alt"]
    assert charts[0]["csv"].splitlines()[1] == "A,pool,0.3,0.1,0.5"


def test_an_analysts_own_settings_survive(charts: list[dict], odds_frame: pd.DataFrame) -> None:
    with matplotlib.rc_context({"font.size": 23.0}):
        figures.odds_by_method(odds_frame, event="it happens", source="S")
        assert matplotlib.rcParams["font.size"] == 23.0


def test_fan_alt_text_follows_the_numbers(charts: list[dict]) -> None:
    history = pd.Series([5800.0, 6860.0], index=[2024, 2025])
    bands = pd.DataFrame({"median": [7000.0], "lo_80": [6000.0], "hi_80": [9000.0]}, index=[2026])
    track = {"Segment growth": pd.Series([5800.0, 6490.0, 7262.0], index=pd.period_range("2024", periods=3, freq="Y"))}
    figures.fan(history, bands, paths=track, target_usd_m=8000.0, levels=[80], source="S", caption="C")
    assert "Median US$7.0bn in 2026, 80% interval US$6.0bn to US$9.0bn" in charts[0]["alt"]
    assert charts[0]["spark"] == [5800.0, 6860.0, 7000.0]
    figures.fan(history, bands.iloc[:0], paths=track, target_usd_m=8000.0, levels=[80], source="S", caption="C")
    assert "Median" not in charts[1]["alt"]


def test_definitions_are_never_joined_across_missing_years(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list = []
    monkeypatch.setattr(chart_module, "chart", lambda draw, **_: drawn.append(draw))
    rows = [("a", "A", 2015, 1.0), ("a", "A", 2017, 2.0), ("b", "B", 2016, 3.0)]
    frame = pd.DataFrame(rows, columns=["definition", "label", "year", "exports_usd_m"])
    figures.definitions(frame, base_year=2017, base_usd_m=5.0, source="S")
    ax = Figure().subplots()
    drawn[0](ax, compact=False)
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    assert np.isnan(lines["A"][1])
    assert list(lines["B"]) == [3.0]


def test_the_mime_is_the_one_the_renderer_reads() -> None:
    assert MIME == "application/vnd.kbio.v1+json"
