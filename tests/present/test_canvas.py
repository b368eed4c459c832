"""The canvas: repeatable drawings that leave everything else alone, shown once, and texts that do not meet."""

import itertools
import re
import warnings
from pathlib import Path

import matplotlib
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.figure import Figure

from kbio_analysis.errors import UsageError
from kbio_analysis.present import canvas, look
from kbio_analysis.present.canvas import spread
from kbio_analysis.present.lines import lines
from kbio_analysis.present.look import fold, measure

SHARED = {"id": "one", "caption": "One chart.", "source": "Somebody"}
TWO = pd.DataFrame({"year": [2020, 2021], "a": [1.0, 2.0]})


def test_an_analysts_own_settings_change_no_chart_and_survive(payloads: list[dict]) -> None:
    plain = lines(TWO, ["a"], x="year", **SHARED).drawing
    with matplotlib.rc_context({"font.size": 23.0, "font.family": "monospace", "axes.grid": True}):
        assert lines(TWO, ["a"], x="year", **SHARED).drawing == plain
        assert matplotlib.rcParams["font.size"] == 23.0


def test_a_drawing_is_the_same_again_and_every_reference_resolves(payloads: list[dict]) -> None:
    drawing, again = (lines(TWO, ["a"], x="year", stars={"Aim": (2021, 3)}, **SHARED).drawing for _ in range(2))
    assert drawing == again, "byte for byte"
    ids = set(re.findall(r'\bid="([^"]+)"', drawing))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', drawing)) <= ids


def test_a_chart_is_shown_once_in_its_cell_and_again_when_asked_for() -> None:
    shell, seen = InteractiveShell(), []
    shell.display_pub.publish = lambda data, **_: seen.append(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("IPython.get_ipython", lambda: shell)
        patch.setattr("IPython.core.interactiveshell.InteractiveShell.instance", lambda: shell)
        patch.setattr("IPython.core.interactiveshell.InteractiveShell.initialized", lambda: True)
        shell.user_ns |= {"lines": lines, "TWO": TWO, "SHARED": SHARED}
        shell.run_cell("chart = lines(TWO, ['a'], x='year', **SHARED)\nchart")
        assert len(seen) == 1
        shell.run_cell("chart")
        assert len(seen) == 2
    assert list(seen[0]) == ["application/vnd.kbio.v1+json", "text/html", "image/svg+xml", "text/plain"]
    assert "<figcaption>One chart.<br>" in seen[0]["text/html"]
    assert "data:image/svg+xml;base64," in seen[0]["text/html"]
    assert seen[0]["image/svg+xml"].startswith("<svg ")


def test_hangul_is_set_by_a_korean_font_or_left_to_the_reader(
    payloads: list[dict], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for module, name in ((canvas, "korean_font"), (look, "korean_font"), (look, "_listed_font")):
        monkeypatch.setattr(module, name, lambda: None)
    frame = TWO.rename(columns={"a": "수출"})
    look._say_once.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        look.plain_figures()
        chart, _ = (lines(frame, ["수출"], x="year", title="수출", **SHARED) for _ in range(2))
        plain = Figure()
        plain.suptitle("수출 전망")
        plain.savefig(tmp_path / "plain.png")
    assert capsys.readouterr().err.count("\n") == 1
    assert "수출</text>" in chart.drawing
    with pytest.raises(UsageError, match="needs a Korean font"):
        chart.png(tmp_path / "one.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lines(TWO, ["a"], x="year", **SHARED).png(tmp_path / "one.png")


def test_texts_fold_between_words_and_labels_move_apart() -> None:
    folded = fold("a long label of many short words", 60)
    assert all(measure(line) <= 60 for line in folded.split("\n"))
    assert folded.replace("\n", " ") == "a long label of many short words"
    placed = spread([5.0, 5.0, 40.0, 6.0], [10.0] * 4)
    gaps = sorted(placed)
    assert all(b - a >= 10 - 1e-9 for a, b in itertools.pairwise(gaps))
    assert placed[2] == 40.0
    assert placed[0] < placed[1] < placed[3]
    assert spread([1.0, 50.0], [10.0, 10.0]) == [1.0, 50.0]
