"""A batch's page may open with its sets ranked by one result: said in the batch file, noticed when it changes."""

import json
import re
from pathlib import Path

import pytest
from render.fixtures.built import notebook
from render.test_site import report

from kbio_analysis.errors import UsageError
from kbio_analysis.render.batches import rankings, read_batches
from kbio_analysis.render.parameters import NotebookSpec, read, read_source
from kbio_analysis.render.results import remember
from kbio_analysis.render.site import write_site

BY_GAIN = {"world": {"a": ("gain", "name")}}


def batch_file(folder: Path, ranking: str) -> Path:
    file = folder / "world.yml"
    file.write_text(f"notebook: a\nsets: {{one: , two: {{size: 4}}}}\n{ranking}\n", encoding="utf-8")
    return file


def spec(name: str) -> NotebookSpec:
    return read_source(name, notebook("1"))


def mistakes(folder: Path, ranking: str) -> str:
    with pytest.raises(UsageError) as caught:
        read_batches([batch_file(folder, ranking)], spec, {}, lambda name: ["gain", "name"])
    return str(caught.value)


def lay(site: Path, **gains: object) -> None:
    """A site with one batch of a notebook: set name -> the value recorded as its gain, ... for none at all."""
    (site / ".kbio").mkdir(parents=True)
    for name, gain in gains.items():
        results = {"name": {"value": f"Land of {name}", "unit": "", "meaning": "partner"}}
        if gain is not ...:
            results |= {"gain": {"value": gain, "unit": "US$ million", "meaning": "gain in 2036"}}
        report(site, "a", name, batch="world", results=results, answer=f"Answer of {name}.")


def page(site: Path, said: dict = BY_GAIN) -> str:
    remember(site, said)
    write_site(site)
    return (site / "batches" / "world.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rank_buy: gain", "rank_buy: no such part of a batch; did you mean rank_by?"),
        ("columns: [name]", "columns: they stand in the ranking; say rank_by: RESULT too"),
        ("rank_by: gian\ncolumns: [nmae]", "rank_by: a records no gian; did you mean gain?"),
    ],
)
def test_a_wrong_ranking_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    found = mistakes(tmp_path, text)
    assert said in found
    assert re.search(r"world\.yml, line [34], ", found)


def test_the_largest_stands_first_and_what_has_no_number_last_by_name(tmp_path: Path) -> None:
    lay(tmp_path, small=1.5, void=None, large=20_000.0, big=20_000.0, absent=..., word="much", truth=True)
    html = page(tmp_path)
    opening = html[html.index("<main") :]
    rows = re.findall(r'<td class="num" data-value="(\d)">.*?href="\.\./a/(\w+)/index.html"', opening)
    assert rows == [("1", "big"), ("2", "large"), ("3", "small")]
    assert opening.index("<table") == opening.index('<table class="sortable ranking"')
    assert '<td class="num" data-value="20000.0">20,000</td><td class="words">Land of big</td>' in opening
    assert '<span>gain in 2036</span> <span class="key">US$ million</span>' in opening
    assert opening.index("Without a rank: 4") > opening.index("data-value")
    assert "no number</span> " in opening
    assert "Answer of void." in opening


def test_another_unit_has_no_place_in_the_order(tmp_path: Path) -> None:
    lay(tmp_path, one=1.0, two=2.0, three=3.0)
    path = tmp_path / "a" / "three" / "result.json"
    path.write_text(path.read_text().replace("US$ million", "EUR million"))
    html = page(tmp_path)
    assert re.findall(r'<td class="num" data-value="(\d)">.*?href="\.\./a/(\w+)/index.html"', html) == [
        ("1", "two"),
        ("2", "one"),
    ]
    assert "in another unit: EUR million" in html


def test_a_result_nobody_records_is_named_on_the_page(tmp_path: Path) -> None:
    lay(tmp_path, **{f"set{i}": float(i) for i in range(7)})
    said = {"world": {"a": ("gian",)}}
    html = page(tmp_path, said)
    note = "rank_by: no report records gian as a number; did you mean gain?"
    assert note in html
    assert "sortable ranking" not in html
    assert "<table" in html
    said = {"world": {"a": ("gain", "nmae", "name")}}
    note = "columns: no report records nmae; did you mean name?"
    assert note in page(tmp_path, said)


def test_a_change_of_the_ranking_remakes_the_page_and_nothing_else(tmp_path: Path) -> None:
    lay(tmp_path, one=1.0, two=2.0, three=3.0)
    assert "sortable ranking" in page(tmp_path)
    assert "sortable ranking" in page(tmp_path, {"other": {"b": ("x",)}}), "another batch's"
    reports = {p: p.read_bytes() for p in tmp_path.glob("a/*/*")}
    assert "sortable ranking" not in page(tmp_path, {"world": {}})
    assert {p: p.read_bytes() for p in tmp_path.glob("a/*/*")} == reports


def test_the_example_of_the_manual_is_right_and_ranks_by_what_is_recorded(tmp_path: Path, root: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", (root / "docs" / "batches.md").read_text(), re.DOTALL)[1]
    file = tmp_path / "example.yml"
    file.write_text(example)

    def of_the_repository(name: str) -> NotebookSpec:
        return read(root / "notebooks" / f"{name}.ipynb")

    sets = read_batches([file], of_the_repository, {})
    assert len(sets) == 1 + 3 + 1
    ((notebook, ranking),) = rankings([file], of_the_repository)["example"].items()
    reference = json.loads((root / "notebooks" / "references" / f"{notebook}.json").read_text())
    assert {*ranking} <= reference["results"].keys()
