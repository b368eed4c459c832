"""The what-if page: a grid read off the reports, every choice answered or said to be missing."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from render.fixtures.built import HOSTILE, words_of
from render.test_site import report

from kbio_analysis.render.site import write_site

CHART = '<figure class="chart" id="fig-a"><img src="data:,"><figcaption>Figure 1 {}</figcaption></figure>'
PARAMETERS = (
    'year: int = 2035  # the year of the aim\ngrowth: float = 7.1  # growth, per cent\nfixed: str = "x"  # same'
)


def lay(site: Path, year: int, growth: float, **changes) -> Path:
    """A report of a grid, with its chart and its notebook."""
    values = {"year": year, "growth": growth, "fixed": "x"}
    results = {"odds": {"value": growth / 20, "unit": "probability", "meaning": "chance"}}
    results["size"] = {"value": year * 1.23456 - 2000, "unit": "US$", "meaning": ""}
    name = changes.pop("name", f"s{year}-{growth}")
    folder = report(site, "a", name, **{"parameters": values, "results": results, "batch": "grid"} | changes)
    cell = {"cell_type": "code", "source": PARAMETERS, "metadata": {"tags": ["parameters"]}}
    (folder / "executed.ipynb").write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": [cell]}))
    if (folder / "index.html").exists():
        (folder / "index.html").write_text(f"<h1>a</h1>{CHART.format(name)}{CHART.format('second')}")
    return folder


def grid(site: Path) -> str:
    """The page, made anew."""
    for made in (".kbio/site.json", "whatif/grid-a.html"):
        (site / made).unlink(missing_ok=True)
    write_site(site)
    return (site / "whatif" / "grid-a.html").read_text(encoding="utf-8")


def sets(html: str) -> dict[tuple[str, ...], str]:
    found = re.findall(r'<template data-key="([^"]*)">(.*?)</template>', html, re.S)
    return {tuple(json.loads(unescape(key))): shown for key, shown in found}


def test_every_choice_has_its_answer_numbers_and_chart(tmp_path: Path) -> None:
    for year in (2100, 2035, 990):
        for growth in (7.1, 11.9):
            lay(tmp_path, year, growth)
    html = grid(tmp_path)
    assert list(re.findall(r'name="(\w+)" value="([^"]*)"( checked)?', html)) == [
        *(("year", "990", ""), ("year", "2035", " checked"), ("year", "2100", "")),
        *(("growth", "7.1", " checked"), ("growth", "11.9", "")),
    ], "values by size, the notebook's own chosen"
    assert len(sets(html)) == 6
    shown = sets(html)["2100", "11.9"]
    said = "chance 60% 36% at the start size 593 US$ 512 at the start Figure 1 s2100-11.9"
    assert f"Answer of US$ s2100-11.9. {said} The whole report" in words_of(shown)
    assert 'href="../a/s2100-11.9/index.html"' in shown
    assert "<legend>the year of the aim</legend>" in html
    assert 'href="whatif/grid-a.html"' in (tmp_path / "index.html").read_text()
    assert 'href="../whatif/grid-a.html"' in (tmp_path / "batches" / "grid.html").read_text()


def test_a_missing_and_a_failed_set_are_said(tmp_path: Path) -> None:
    for year, growth in ((2030, 7.1), (2030, 11.9), (2035, 7.1), (2040, 7.1)):
        lay(tmp_path, year, growth)
    error = {"error": {"cell": 1, "type": "DataError", "message": "table is missing"}}
    lay(tmp_path, 2035, 11.9, page=False, failure=error)
    html = grid(tmp_path)
    assert ("2040", "11.9") not in sets(html)
    assert "the batch leaves it out" in html
    assert "5 of 6 combinations" in html
    assert "did not end well: DataError: table is missing" in words_of(sets(html)["2035", "11.9"])
    assert "<img" not in sets(html)["2035", "11.9"]


@pytest.mark.parametrize(
    "pairs", [[(1, 1.0), (2, 2.0)], [(i, float(i)) for i in range(6)], [(i, 7.1) for i in (1, 1, 1)]]
)
def test_what_is_no_grid_gets_no_page(tmp_path: Path, pairs: list[tuple[int, float]]) -> None:
    for number, (year, growth) in enumerate(pairs):
        lay(tmp_path, year, growth, name=f"s{number}")
    write_site(tmp_path)
    assert not (tmp_path / "whatif").exists()


def test_hostile_text_is_only_text(tmp_path: Path) -> None:
    for number, value in enumerate([HOSTILE, "b", "c", "d"]):
        lay(tmp_path, 2030, 7.1, name=f"s{number}", answer=HOSTILE, question=HOSTILE, parameters={HOSTILE: value})
    html = grid(tmp_path)
    assert html.count("<script>") == html.count("</script>") == 1
    assert "<img src=x" not in html
    assert (HOSTILE,) in sets(html)


def test_many_values_are_a_list_many_charts_are_left_out_and_many_sets_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for year in range(2030, 2037):
        lay(tmp_path, year, 7.1)
    html = grid(tmp_path)
    assert re.search(r'<label for="c1">the year of the aim</label>\s*<select id="c1" name="year">', html)
    assert '<option selected value="2035">' in html
    assert "<img" in html
    monkeypatch.setattr("kbio_analysis.render.site.MOST_CHART_CHARACTERS", 300)
    assert "<img" not in grid(tmp_path)
    monkeypatch.setattr("kbio_analysis.render.site.MOST_SETS", 6)
    with pytest.raises(FileNotFoundError):
        grid(tmp_path)
