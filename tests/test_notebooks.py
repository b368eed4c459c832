"""Every notebook reads like a short paper, and its regression cell is a guard that bites."""

import ast
import csv
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from kbio_analysis.errors import ParameterError
from kbio_analysis.notebooks import known_results
from kbio_analysis.render.parameters import coerce, read

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("[0-9]*.ipynb"))
MAX_CODE_LINES = 180  # of Python; prose cells do not count
MAX_CELL_LINES = 25
MEDIAN_CELL_LINES = 6
MAX_LAMBDA = 60  # characters: a key or a one-word rule, not a function of its own
HEADINGS = {
    "en": ("Answer", "Data", "Design", "Estimate", "Checks", "Limits", "Sources"),
    "ko": ("답", "자료", "설계", "추정", "점검", "한계", "출처"),
}
ANSWER_WORDS = 40
ANSWER_NUMBERS = 3  # years and codes of classifications are names, not numbers
FIGURE = re.compile(r"(?<![\w.–-])(?:US\$\s?\d|\d[\d,]*\.\d+|\d+(?:\.\d+)?\s?(?:%|per cent|bn|billion|million))")
NUMBER = re.compile(r"(?<![\w.–-])(?!(?:19|20)\d\d\b)(?<!HS )(?<!SITC )(?:US\$\s?)?\d[\d,]*(?:\.\d+)?")
MANNERED = re.compile(
    r"\b(witness|testif|foretell|foretold|twin\b|silent|silence|alike\b|not to be had|leans? (?:against|towards))",
    re.IGNORECASE,
)
LEVEL = re.compile(r"\b(?:\d*[05]%|US\$1bn)")  # "the 80% interval", "90% of GDP", the sales of a blockbuster
HOLE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
NBVAL_SECONDS = 300


def _load(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def _cells(path: Path, kind: str = "code") -> list[dict]:
    return [cell | {"source": "".join(cell["source"])} for cell in _load(path)["cells"] if cell["cell_type"] == kind]


def _markdown(path: Path) -> list[str]:
    return [cell["source"] for cell in _cells(path, "markdown")]


def _said(path: Path) -> list[str]:
    return [cell["source"] for cell in _cells(path) if cell["source"].startswith("%%say")]


def _reference(path: Path) -> dict:
    return _load(path.parent / "references" / f"{path.stem}.json")


def _codebook() -> list[dict[str, str]]:
    with (NOTEBOOKS[0].parent / "results.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestStyle:
    def test_the_title_is_the_question_and_the_sections_of_a_paper_are_there(self, path: Path) -> None:
        markdown = _markdown(path)
        (title,) = re.findall(r"^# .+$", "\n".join(markdown), re.MULTILINE)
        assert title.endswith("?")
        assert markdown[0].startswith(title)
        headings = re.findall(r"^## (.+)$", "\n".join(markdown), re.MULTILINE)
        for wanted in HEADINGS[_load(path)["metadata"].get("kbio", {}).get("lang", "en")[:2]]:
            assert any(wanted in heading for heading in headings), wanted

    def test_code_is_short_and_names_nothing_of_its_own(self, path: Path) -> None:
        cells = [cell["source"] for cell in _cells(path) if not cell["source"].startswith("%%")]
        sizes = [sum(bool(line.strip()) and not line.startswith("#") for line in c.splitlines()) for c in cells]
        assert max(sizes) <= MAX_CELL_LINES
        assert sum(sizes) <= MAX_CODE_LINES
        assert statistics.median(sizes) <= MEDIAN_CELL_LINES
        nodes = list(ast.walk(ast.parse("\n".join(cells))))
        assert not [n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        assert [t for n in nodes if isinstance(n, ast.Lambda) and len(t := ast.unparse(n)) > MAX_LAMBDA] == []

    def test_the_parameters_come_first_and_only_the_regression_cell_keeps_output(self, path: Path) -> None:
        cells = _cells(path)
        tags = [cell["metadata"].get("tags", []) for cell in cells]
        assert [i for i, tagged in enumerate(tags) if "parameters" in tagged] == [0]
        assert [i for i, cell in enumerate(cells) if cell["outputs"]] == [len(cells) - 1]
        assert {"keep_output", "nbval-check-output"} <= set(tags[-1])
        assert "".join(cells[-1]["outputs"][0]["text"]).count("\n") >= 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestProse:
    def test_the_answer_is_one_cell_short_and_holds_few_numbers(self, path: Path) -> None:
        kinds = [text.splitlines()[0].removeprefix("%%say").strip() for text in _said(path)]
        assert sorted(filter(None, kinds)) == ["answer"]
        if not (path.parent / "references" / f"{path.stem}.json").is_file():
            pytest.skip("a new notebook: its reference has yet to be accepted")
        answer = _reference(path)["answer"].replace("\\", "")
        assert len(answer.split()) <= ANSWER_WORDS
        assert len(NUMBER.findall(answer)) <= ANSWER_NUMBERS

    def test_no_result_is_typed_and_words_are_plain(self, path: Path) -> None:
        """Figures come from a cell, in a sentence through a hole; there, round levels and thresholds may be named."""
        said = [LEVEL.sub("", HOLE.sub("", text)) for text in _said(path)]
        for text in [*_markdown(path), *said]:
            prose = re.sub(r"\$\$.*?\$\$|(?<!S)\$[^$\n]+\$|^# .*$|`[^`]*`", "", text, flags=re.DOTALL | re.MULTILINE)
            assert FIGURE.findall(prose) == []
        for text in [*_markdown(path), *_said(path)]:
            assert MANNERED.findall(text) == [], text

    def test_dollars_make_no_formula_by_accident(self, path: Path) -> None:
        """Two bare "US$" in a paragraph of Markdown read as a formula in JupyterLab; a sentence's cell escapes them."""
        for paragraph in (part for text in _markdown(path) for part in re.split(r"\n\s*\n", text)):
            assert len(re.findall(r"(?<!\\)US\$", paragraph)) == 0 or paragraph.count("$") == 1, paragraph


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("10_export_record", {"headline_year": "2030", "target_year": "2025"}, "must be more than headline_year, 2030"),
        ("10_export_record", {"first_year": "2026", "last_year": "2020"}, "2020 must be at least first_year, 2026"),
        ("11_export_forecast", {"base_year": "2026", "target_year": "2025"}, "2025 must be more than base_year, 2026"),
        ("12_top_five", {"base_rate_ranks": "[9]"}, "at least 2 items"),
        ("13_reform_clock", {"new_drug_peak_usd_m": "[11, 9, 10]"}, "not in rising order"),
        ("13_reform_clock", {"start_date": "2035-01-01"}, "2030 must be at least start_date, 2035-01-01"),
        ("20_india_cepa", {"partner": "XXX"}, "did you mean FXX"),
        ("22_bangladesh_cepa", {"partner": "KOR"}, "'KOR': not in iso3 of data/tables/korea_exports_by_partner"),
        ("30_diversification", {"base_year": "1990", "first_year": "2010"}, "1990 must be at least first_year, 2010"),
    ],
)
def test_bounds_between_parameters_are_checked_before_anything_runs(name: str, given: dict, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        coerce(read(NOTEBOOKS[0].parent / f"{name}.ipynb"), given)


def test_the_codebook_describes_what_is_recorded_and_nothing_else() -> None:
    """In both directions, in the order of notebooks and results; a row names every notebook that records it."""
    recorded: dict[str, dict[str, str]] = {}
    for path in NOTEBOOKS:
        for name, result in _reference(path)["results"].items():
            same = {"name": name, "unit": result["unit"], "meaning": result["meaning"]}
            before = recorded.get(name, same | {"notebook": ""})
            assert same.items() <= before.items(), f"{path.stem}: {name} is another thing than in another notebook"
            recorded[name] = same | {"notebook": f"{before['notebook']} {path.stem}".strip()}
    described = [{key: row[key] for key in row if key != "rtol"} for row in _codebook()]
    assert described == [{key: row[key] for key in described[0]} for row in recorded.values()]
    for path in NOTEBOOKS:
        assert set(known_results(path.parent, path.stem)) == _reference(path)["results"].keys()


def test_no_meaning_holds_a_year_that_a_parameter_may_change() -> None:
    """A year in a meaning is part of the result's name too, or of an event that no parameter moves."""
    for row in _codebook():
        assert row["unit"], row
        assert not row["rtol"] or 0 < float(row["rtol"]) < 1, row
        years = set(re.findall(r"\b20[2-4]\d\b", row["meaning"]))
        assert row["name"].startswith("published_") or all(year in row["name"] for year in years), row


def test_nbval_catches_a_doctored_result(tmp_path: Path, root: Path) -> None:
    notebook, copy = _load(NOTEBOOKS[0]), tmp_path / NOTEBOOKS[0].name
    (output,) = notebook["cells"][-1]["outputs"]
    output["text"] = re.sub(r"\d(?=\D*\n)", lambda digit: str(9 - int(digit[0])), "".join(output["text"]), count=1)
    copy.write_text(json.dumps(notebook), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    command += [str(copy)]
    environment = os.environ | {"KBIO_DATA": str(root / "data")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=NBVAL_SECONDS, check=False)
    assert done.returncode == 1, done.stdout
    assert "Cell outputs differ" in done.stdout or "mismatch" in done.stdout
