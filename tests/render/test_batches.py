"""Batch files: typed by the notebook, judged as a whole, named apart, and never larger than said."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from render.fixtures.built import notebook

from kbio_analysis import reading
from kbio_analysis.errors import UsageError
from kbio_analysis.render.parameters import NotebookSpec, read, read_source
from kbio_analysis.render.requests import ParameterSet, keep_apart, read_batches, requested

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = (
    "from typing import Literal\n"
    "country: str = 'NO'  # code\n"
    "code: str = '1'  # code\n"
    "share: float = 0.5  # share, fraction [0..2000000]\n"
    "size: int = 1  # how many, count [0..100]\n"
    "flag: bool = False  # on or off\n"
    "levels: list[int] = [80]  # levels, per cent [1..99]\n"
    "until: date | None = None  # last day\n"
    "kind: Literal['low', 'high'] = 'low'  # which"
)
MANY_SETS_IN_ALL = 100  # what a batch of the larger kind holds at least


def spec(name: str) -> NotebookSpec:
    if name not in ("10_sample", "12_other"):
        raise UsageError(f"no notebook {name!r}")
    parameters = PARAMETERS if name == "10_sample" else "size: int = 1  # count\nmost: int = 9  # m [> size]"
    return read_source(name, notebook("1", parameters=parameters))


def sets(tmp_path: Path, text: str) -> list[ParameterSet]:
    file = tmp_path / "b.yml"
    file.write_text(text, encoding="utf-8")
    return read_batches([file], spec)[0]


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        sets(tmp_path, text)
    return [line.replace(f"{tmp_path}/", "") for line in str(caught.value).splitlines()]


def test_a_value_means_what_the_declared_type_says(tmp_path: Path) -> None:
    text = """
notebook: 10_sample
sets:
  one: {country: NO, code: 00123, share: 1e6, size: "7", flag: true, levels: [80, 95], until: 2026-01-31, kind: high}
  two: {country: "null", code: "", share: 1, levels: "50,60", until: ~}
  three: {until: null, levels: []}
"""
    one, two, three = sets(tmp_path, text)
    assert (one.notebook, one.set_name, one.batch) == ("10_sample", "one", "b")
    assert list(one.values.values()) == ["NO", "00123", 1e6, 7, True, [80, 95], "2026-01-31", "high"]
    assert list(two.values.values()) == ["null", "", 1.0, 1, False, [50, 60], None, "low"]
    assert (three.values["until"], three.values["levels"]) == (None, [])
    assert {type(value) for one in (one, two, three) for value in one.values.values()} <= {
        *(str, float, int, bool, list, type(None))
    }, "no part of the file's own kind goes on"


def test_a_matrix_is_every_combination_less_the_excluded_plus_the_included(tmp_path: Path) -> None:
    text = """
notebook: 10_sample
matrix:
  size: &sizes [1, 2]
  kind: [low, high]
exclude:
  - {size: 2, kind: high}
include:
  - {size: 9, country: SE}
---
notebook: 12_other
sets: {a: , B b: {size: 3}}
---
"""
    found = {(s.notebook, s.set_name): s.values["size"] for s in sets(tmp_path, text)}
    assert found == {
        ("10_sample", "size-1-low"): 1,
        ("10_sample", "size-1-high"): 1,
        ("10_sample", "size-2-low"): 2,
        ("10_sample", "size-9-se"): 9,
        ("12_other", "a"): 1,
        ("12_other", "b-b"): 3,
    }


def test_every_mistake_is_said_at_once_with_its_place(tmp_path: Path) -> None:
    text = """
notebook: 10_sample
sets:
  a: {sise: 2, size: many}
  b: [1]
  c: {levels: [[1]], kind: {x: y}}
matrix:
  size: [1, 200, 1]
  flag: yes
include: {size: 1}
setts: {}
---
notebook: 99_none
---
sets: {}
---
notebook: 10_sample
sets:
  ../up: {}
matrix: {size: [1, 1]}
"""
    assert mistakes(tmp_path, text) == [
        "b.yml, line 4, sets.a.size: 'many': Input should be a valid integer",
        "b.yml, line 4, sets.a.sise: no such name; did you mean size?",
        "b.yml, line 5, sets.b: ['1']: Input should be a valid dictionary",
        "b.yml, line 6, sets.c.levels.0: ['1']: Input should be a valid integer",
        "b.yml, line 6, sets.c.kind: {'x': 'y'}: not one of low, high",
        "b.yml, line 8, matrix.size.1: '200': Input should be less than or equal to 100",
        "b.yml, line 9, matrix.flag: 'yes': Input should be a valid list",
        "b.yml, line 10, include: {'size': '1'}: Input should be a valid list",
        "b.yml, line 11, setts: no such name; did you mean sets?",
        "b.yml, line 13: no notebook '99_none'",
        "b.yml, line 15: a batch is a mapping: notebook: NAME, then sets: or matrix:",
        "b.yml, line 19, sets.../up: set name '../up' is a path; use a plain name such as high_growth",
        "b.yml, line 20, matrix: would be written to 10_sample/size-1, as b.yml, line 20, matrix; rename one",
    ]


SAMPLE, OTHER = "notebook: 10_sample\n", "notebook: 12_other\n"
AXIS = list(range(100))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: a batch is a mapping"),
        ("- a\n", "line 1: a batch is a mapping"),
        (SAMPLE, "gives no set"),
        (SAMPLE + "matrix: {size: [1]}\nexclude: [{size: 2}]\n", "no combination has {'size': 2}"),
        (SAMPLE + "include: [{}]\n", "set name '' has no letter"),
        (SAMPLE + "sets: {a: {size: 1, size: 2}}\n", "line 2: 'size' is given twice"),
        (SAMPLE + "sets: {a: {size: !!int 1}}\n", "not read"),
        (SAMPLE + "sets: {a: &x {size: 1}, b: {<<: *x}}\n", "line 2: tags and aliases (!, *) are not read"),
        (SAMPLE + "sets: {[a]: {}}\n", "a key must be a plain word"),
        ("notebook: \x07\n", "not YAML"),
        ("a: " + "[" * 100_000, "nested more than 10 deep"),
        (SAMPLE + "sets: {default: {size: 2}}\n", "that name is kept"),
        (
            OTHER + "sets:\n  good: {size: 8}\n  bad: {size: 9}\n",
            "line 4, sets.bad: 12_other: most: 9 must",
        ),
        (SAMPLE + "sets: {a: }\ncolumns: [name]", "line 3, columns: they stand in the ranking; say rank_by: RESULT"),
        (
            SAMPLE + "sets: {a: }\nrank_by: gian\ncolumns: [name]",
            "'gian': not recorded by 10_sample; did you mean gain?",
        ),
        (
            SAMPLE + "sets:\n  High growth: {size: 2}\n  high-growth: {size: 3}\n",
            "line 4, sets.high-growth: would be written to 10_sample/high-growth, as b.yml, line 3, sets.High growth",
        ),
        (SAMPLE + "matrix: {country: [a b, a-b]}\n", "would be written to 10_sample/a-b"),
        (
            SAMPLE + f"matrix: {{size: {AXIS}, share: {AXIS}, code: {AXIS}}}",
            "1,000,000 combinations; the most is 10,000",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str, alarm: None
) -> None:
    monkeypatch.setenv("KBIO_NOTEBOOKS", str(tmp_path))
    (tmp_path / "results.csv").write_text("name,notebook\ngain,10_sample\nname,10_sample\n")
    (line,) = mistakes(tmp_path, text)
    assert line.startswith("b.yml")
    assert words in line


def test_files_that_cannot_be_read_are_named_together(tmp_path: Path) -> None:
    (tmp_path / "latin.yml").write_bytes(b"notebook: \xe9\n")
    (tmp_path / "huge.yml").write_bytes(b"#" * (reading.MOST_BYTES + 1))
    with pytest.raises(UsageError, match=r"none.yml, No such file.*\n.*not UTF-8.*\n.*larger than 5 MB"):
        read_batches([tmp_path / n for n in ("none.yml", "latin.yml", "huge.yml")], spec)


def test_a_set_of_another_batch_is_not_moved(tmp_path: Path) -> None:
    for name, record in (("a", "result.json"), ("b", "failure.json")):
        (tmp_path / "10_sample" / name).mkdir(parents=True)
        (tmp_path / "10_sample" / name / record).write_text('{"batch": "first"}')
    one, *more = (ParameterSet(notebook="10_sample", set_name=n, values={}, batch="second") for n in ("a", "b", "c"))
    with pytest.raises(
        UsageError, match="second: 10_sample/a is a set of the batch first; rename one\nsecond: 10_sample/b"
    ):
        keep_apart([one, *more], tmp_path)
    keep_apart([replace(one, batch="first"), replace(more[0], batch=None), more[1]], tmp_path)


def test_notebooks_and_values_of_the_command_line_count_for_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, more in (("10_sample", "\ncode: str = '1'  # code"), ("12_other", "")):
        parameters = f"size: int = 1  # how many, count{more}"
        (tmp_path / f"{name}.ipynb").write_bytes(notebook("1", parameters=parameters))
    monkeypatch.setenv("KBIO_NOTEBOOKS", str(tmp_path))
    file = tmp_path / "two.yml"
    file.write_text("notebook: 10_sample\nsets: {a: {size: 5}}\n---\nnotebook: 12\nsets: {b: }\n")
    for given, sizes, codes in (({}, [5, 1], ["1", None]), ({"size": "8", "code": "x"}, [8, 8], ["x", None])):
        work, _ = requested([], given, batches=[file])
        assert [job.label for job in work] == ["10_sample/a", "12_other/b"]
        assert [job.parameters["size"] for job in work] == sizes
        assert [job.parameters.get("code") for job in work] == codes
    ((job,), _) = requested(["12"], {"size": "4"}, batches=[file])
    assert (job.label, job.parameters, job.batch) == ("12_other/b", {"size": 4}, "two")
    one = tmp_path / "one.yml"
    one.write_text("notebook: 10_sample\nsets: {a: }\nmatrix: {code: [x, y]}\n")
    for wanted, given, how, words in (
        (["12"], {}, {}, "is for 12_other"),
        (["10"], {}, {"set_name": "x"}, "--set names one set"),
        ([], {"nope": "1"}, {}, "-p nope: no notebook of the batch has such a parameter"),
        ([], {"size": "x"}, {}, "10_sample: size: 'x': Input should be a valid integer"),
        ([], {"code": "z"}, {}, "-p code: sets of the batch one are named by values of it"),
    ):
        with pytest.raises(UsageError, match=words):
            requested(wanted, given, batches=[one], **how)


def ours(name: str) -> NotebookSpec:
    return read(ROOT / "notebooks" / f"{name}.ipynb")


@pytest.mark.parametrize("file", sorted((ROOT / "reports" / "batches").glob("*.yml")), ids=lambda path: path.stem)
def test_the_shipped_batches_fit_their_notebooks(file: Path) -> None:
    found, _ = read_batches([file], ours)
    assert len({(one.notebook, one.set_name) for one in found}) == len(found)
    assert len(found) >= (MANY_SETS_IN_ALL if file.stem == "all_partners" else 1)


def test_the_example_of_the_manual_is_right_and_ranks_by_what_is_recorded(tmp_path: Path) -> None:
    file = tmp_path / "example.yml"
    file.write_text(re.search(r"```yaml\n(.*?)```", (ROOT / "docs" / "batches.md").read_text(), re.DOTALL)[1])
    found, rankings = read_batches([file], ours)
    assert len(found) == 1 + 3 + 1
    assert rankings == {"example": {"11_export_forecast": ("probability_of_target", "required_growth_pct")}}
