"""Scenarios side by side: the right reports, true differences, and pages and tables that say what the records say."""

import csv
import io
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from render.fixtures.built import HOSTILE, words_of
from render.test_site import report

from kbio_analysis.errors import UsageError
from kbio_analysis.render.compare import Comparison, resolve
from kbio_analysis.render.results import read_reports
from kbio_analysis.render.site import write_comparison, write_site

ROUNDING = 1e-12  # differences of floats of size one, taken twice


def lay(site: Path, label: str, *, results: dict | None = None, **changes) -> Path:
    """Lay one good report; ``results`` are name -> value or (value, unit)."""
    given = {n: v if isinstance(v, tuple) else (v, "US$ million") for n, v in (results or {"size": 1.0}).items()}
    records = {n: {"value": v, "unit": u, "meaning": f"what {n} means"} for n, (v, u) in given.items()}
    return report(site, *label.split("/"), results=records, **changes)


def beside(site: Path):
    return Comparison(resolve(read_reports(site), ("default", "late")))


def lay_two(site: Path, first: object, other: object) -> None:
    """Two sets of a notebook, each with one result of its own."""
    lay(site, "a/default", results={"size": first})
    lay(site, "a/late", results={"size": other})


# ---- which reports are meant


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        (["default", "late"], "11_forecast/default 11_forecast/late"),
        (["early", "default"], "12_rank/early 12_rank/default"),
        (["12/default", "12_rank/early/"], "12_rank/default 12_rank/early"),
        (["default"], "two sets or more"),
        (["default", "lat"], "no set 'lat'; did you mean late?"),
        (["late", "early"], "of one notebook, here no single notebook: write NOTEBOOK/SET"),
    ],
)
def test_a_set_is_found_by_as_little_as_is_clear(tmp_path: Path, wanted: list[str], meant: str) -> None:
    for label in ("11_forecast/default", "11_forecast/late", "12_rank/default", "12_rank/early"):
        lay(tmp_path, label)
    try:
        found = " ".join(report.label for report in resolve(read_reports(tmp_path), wanted))
    except UsageError as refusal:
        found = str(refusal)
    assert meant in found


def test_a_set_not_rendered_yet_is_told_by_the_command_that_makes_it(tmp_path: Path) -> None:
    wanted = ["11/default", "22_bangladesh_cepa/vut", "none/such"]
    with pytest.raises(UsageError) as caught:
        resolve(read_reports(tmp_path), wanted)
    for line, name in zip(str(caught.value).splitlines(), wanted, strict=True):
        assert line.startswith(f"no set {name!r}; make it by: kbio render NOTEBOOK, with -p NAME=VALUE or --batch FILE")


# ---- what differs


def test_only_what_differs_is_a_parameter_line_and_every_result_has_its_difference(tmp_path: Path) -> None:
    results = {"chance": (0.25, "probability"), "size": 6800.0, "pace": (12.0, "per cent a year")}
    lay(tmp_path, "a/default", results=results, parameters={"year": 2030, "series": "x", "levels": [80, 95]})
    other = {"chance": (0.31, "probability"), "size": 6800.0, "pace": (11.5, "per cent a year")}
    lay(tmp_path, "a/late", results=other, parameters={"year": 2035, "series": "x", "levels": [80, 95]})
    c = beside(tmp_path)
    assert [(line.name, line.values) for line in c.parameters] == [("year", [2030, 2035])]
    assert c.same_parameters == 2
    differences = {line.name: line.less[1] for line in c.results}
    assert differences == pytest.approx({"chance": 0.06, "size": 0.0, "pace": -0.5}, abs=ROUNDING)
    assert [line.differences[1] for line in c.results] == ["+0.06", "same", "\N{MINUS SIGN}0.5"]
    assert c.notes == ["A difference between two percentages is in percentage points."]


@pytest.mark.parametrize(
    ("first", "other", "words"),
    [
        (1.0, 1.0 + 1e-9, "+1e-09"),
        (10_000.0, 9_999.5, "\N{MINUS SIGN}0.5"),
        (2030, 2031, "+1"),
        (True, False, "differs"),
        ("up", "up", "same"),
        (None, None, "same"),
        ((5.8, "US$ billion"), (5800.0, "US$ million"), ""),
    ],
)
def test_a_difference_is_never_rounded_away_nor_made_up(tmp_path: Path, first, other, words: str) -> None:
    lay_two(tmp_path, first, other)
    (line,) = beside(tmp_path).results
    assert line.differences[1] == words
    assert words or line.texts == ["5.8", "5800 US$ million"]


def test_a_report_without_results_is_refused_and_an_old_good_one_is_marked(tmp_path: Path) -> None:
    lay(tmp_path, "a/default")
    folder = lay(tmp_path, "a/late", parameters={"year": 2035})
    failure = {"status": "failed", "parameters": {"year": 2099}, "error": {"type": "E", "message": "no", "cell": 1}}
    (folder / "failure.json").write_text(json.dumps(failure))
    c = beside(tmp_path)
    assert c.parameters[0].values == [2030, 2035]
    assert c.notes == ["a/late: its last run failed; shown is the good run before it."]
    (folder / "result.json").unlink()
    with pytest.raises(UsageError, match="a/late has no results to compare"):
        beside(tmp_path)


def test_csv_holds_exact_values_and_text_is_aligned_and_obeys_no_terminal_code(tmp_path: Path) -> None:
    lay(tmp_path, "a/default", results={"size": 1.5, "x": 0.1}, parameters={"name": "\x1b[31mred\nnext", "n": [1, 2]})
    lay(tmp_path, "a/late", results={"size": 12.25, "x": 0.1 + 0.2}, parameters={"name": "plain", "n": [1]})
    rows = list(csv.DictReader(io.StringIO(beside(tmp_path).csv)))
    assert [r["default"] for r in rows[1:]] == ["[1, 2]", "1.5", "0.1"]
    assert (rows[3]["late"], float(rows[3]["late less default"])) == ("0.30000000000000004", 0.1 + 0.2 - 0.1)
    lines = beside(tmp_path).text.splitlines()
    assert "\x1b" not in "".join(lines)
    assert "red next" in lines[1]
    shown = next(line for line in lines if line.startswith("size"))
    assert shown.split() == ["size", "US$", "million", "1.5", "12.25", "+10.75"]
    assert lines[0].split() == ["unit", "default", "late", "difference"]


# ---- pages


def test_comparison_page_says_what_the_text_says_and_follows_its_reports(tmp_path: Path) -> None:
    lay_two(tmp_path, 1.5, 2.0)
    late = tmp_path / "a" / "late" / "result.json"
    page = write_comparison(tmp_path, beside(tmp_path))
    record, link = page.with_suffix(".json"), 'href="compare/a-default-vs-late.html"'
    kept = record.read_text()
    assert "what size means US$ million size 1.5 2 +0.5" in words_of(page.read_text())
    record.write_text(kept[:-4])
    write_site(tmp_path)
    assert "its record is damaged; compare the sets again" in words_of(page.read_text())
    assert link in (tmp_path / "index.html").read_text()
    record.write_text(kept)
    late.write_text(late.read_text().replace('"value": 2.0', '"value": 2.5'))
    write_site(tmp_path)
    assert "1.5 2.5 +1" in words_of(page.read_text())
    late.unlink()
    write_site(tmp_path)
    assert not page.exists()


def test_batch_names_cannot_leave_their_folder_nor_meet(tmp_path: Path) -> None:
    for i, name in enumerate(["../../evil", "A b", "a-b", "A-b", HOSTILE, "a"]):
        lay(tmp_path, f"n/s{i}", batch=name)
    lay(tmp_path, "a/default")
    lay(tmp_path, "a/late")
    write_site(tmp_path)
    made = [p.name for p in (tmp_path / "batches").iterdir()]
    assert len({name.lower() for name in made}) == 7
    assert all(re.fullmatch(r"[\w.-]+\.html", name) and not name.startswith(".") for name in made)
    addresses = re.findall(r'href="(batches/[^"]+)"', (tmp_path / "index.html").read_text())
    assert sorted(set(addresses)) == sorted(f"batches/{name}" for name in made)


def test_a_batch_is_a_row_a_set_with_what_varies_below_its_failures(tmp_path: Path) -> None:
    for i in range(3):
        lay(tmp_path, f"many/s{i}", results={"size": float(i), "still": 1.0}, parameters={"year": 2030 + i, "kept": 1})
    error = {"cell": 2, "type": "DataError", "message": "no table"}
    lay(tmp_path, "many/bad", failure={"error": error}, parameters={"year": 2030, "kept": 1})
    write_site(tmp_path)
    html = (tmp_path / "batches" / "many.html").read_text()
    assert html.count('<th scope="row">') == 3
    assert "what still means" not in re.sub(r'href="data:[^"]*"', "", html)
    assert ">year<" in html
    assert ">kept<" not in html
    text = words_of(html)
    assert "4 reports 3 complete 1 failed" in text
    assert text.index("Cell 2, DataError: no table") < text.index("Question of many?") < text.index("what size means")


# ---- all results as a table


def test_results_are_tidy_and_the_same_in_both_files(tmp_path: Path) -> None:
    results = {"size": 0.1 + 0.2, "year": (2031, "year"), "flag": (True, ""), "word": ("up", ""), "none": (None, "")}
    lay(tmp_path, "a/default", results=results, parameters={"b": [1, 2], "a": "é"}, batch="growth")
    lay(tmp_path, "b/late")
    bad = lay(tmp_path, "b/bad")
    (bad / "failure.json").write_text(json.dumps({"status": "killed", "parameters": {"year": 1}}))
    write_site(tmp_path)
    table = pq.read_table(tmp_path / "results.parquet")
    rows = table.to_pylist()
    assert str(table.schema.field("value").type) == "double"
    assert {r["name"]: (r["value"], r["text_value"], r["unit"]) for r in rows if r["notebook"] == "a"} == {
        "size": (0.30000000000000004, None, "US$ million"),
        "year": (2031.0, None, "year"),
        "flag": (None, "true", None),
        "word": (None, "up", None),
        "none": (None, None, None),
    }
    assert {(r["batch"], r["parameters"]) for r in rows[:5]} == {("growth", '{"a": "é", "b": [1, 2]}')}
    failed = next(r for r in rows if r["set"] == "bad")
    assert (failed["status"], failed["name"], failed["parameters"]) == ("killed", None, '{"year": 1}')
    with (tmp_path / "results.csv").open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert [{k: "" if v is None else str(v) for k, v in row.items()} for row in rows] == written


def test_no_field_of_a_table_is_a_formula_or_breaks_its_line(tmp_path: Path) -> None:
    words = {"cmd": ("=cmd|' /C calc'!A1", "@x"), "sum": ("+1+2", ""), "minus": ("-5.2%", ""), "line": ("a\rb", "")}
    lay(tmp_path, "a/default", results=words, parameters={"=p": "=1"})
    lay(tmp_path, "a/late", results=words, parameters={"=p": "=2"})
    write_site(tmp_path)
    for text in ((tmp_path / "results.csv").read_bytes().decode(), beside(tmp_path).csv):
        assert "\r" not in text
        fields = [field for row in csv.reader(io.StringIO(text)) for field in row]
        assert not [field for field in fields if field[:1] in ("=", "@", "+")]
        assert {"'=cmd|' /C calc'!A1", "'+1+2", "-5.2%", "a\nb"} <= set(fields)


# ---- the order that a batch's file asks for


def ranked(site: Path, said: dict) -> str:
    """The batch's page, its file asking for that ranking."""
    write_site(site, said)
    html = (site / "batches" / "world.html").read_text(encoding="utf-8")
    return html[html.index("<main") :]


def test_the_largest_stands_first_and_what_has_no_number_last_by_name(tmp_path: Path) -> None:
    gains = {"small": 1.5, "void": None, "large": 2e4, "big": 2e4, "word": "much", "euro": (3.0, "EUR million")}
    for name, gain in gains.items():
        results = {"gain": gain, "name": (f"Land of {name}", "")}
        lay(tmp_path, f"a/{name}", batch="world", results=results, answer=f"Answer of {name}.")
    lay(tmp_path, "a/absent", batch="world")
    said = {"world": {"a": ("gain", "name")}}
    opening = ranked(tmp_path, said)
    rows = re.findall(r'<td class="num" data-value="(\d)">.*?href="\.\./a/(\w+)/index.html"', opening)
    assert rows == [("1", "big"), ("2", "large"), ("3", "small")]
    assert opening.index("<table") == opening.index('<table class="sortable ranking"')
    assert '<td class="num" data-value="20000.0">20,000</td><td class="words">Land of big</td>' in opening
    assert opening.index("Without a rank: 4") > opening.index("data-value")
    for why in ("none</span> ", "much</span>", "not recorded</span>", "3 EUR million</span>", "Answer of void."):
        assert why in opening
    reports = {p: p.read_bytes() for p in tmp_path.glob("a/*/*")}
    assert "sortable ranking" in ranked(tmp_path, {"other": {"b": ("x",)}}), "another batch's"
    assert "columns: no report records nmae" in ranked(tmp_path, {"world": {"a": ("gain", "nmae", "name")}})
    assert "sortable ranking" not in ranked(tmp_path, {"world": {}})
    html = ranked(tmp_path, {"world": {"a": ("gian",)}})
    assert "rank_by: no report records gian as a number" in html
    assert "sortable ranking" not in html
    assert "<table" in html
    assert {p: p.read_bytes() for p in tmp_path.glob("a/*/*")} == reports
