"""What README and the galleries list is what is there, and the answer they quote is today's."""

import json
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kbio_analysis.render.site import read_front

ANSWER = re.compile(r"<!-- answer: (\w+) -->")
MOST_PICTURE_BYTES = 200_000
LEAST_PICTURE_WIDTH = 900
MOST_LINES = 140  # a reader finds the two commands without searching


def test_both_galleries_list_every_notebook_and_its_question(root: Path) -> None:
    wanted = {}
    for path in sorted((root / "notebooks").glob("[0-9]*.ipynb")):
        first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
        wanted[path.stem] = "".join(first["source"]).splitlines()[0].removeprefix("# ")
    for folder in (root, root / "notebooks"):
        rows = re.findall(r"^\| \[(\d\d_\w+)\]\([^)]+\) \| (.+?) \|$", (folder / "README.md").read_text(), re.MULTILINE)
        assert dict(rows) == wanted


def test_the_module_map_names_every_room_and_folder(root: Path) -> None:
    section = (root / "README.md").read_text().split("\n## How it is built\n")[1].split("\n## ")[0]
    listed = set(re.findall(r"^\| `([\w/.]+)` \|", section, re.MULTILINE))
    house = [p for p in (root / "kbio_analysis").iterdir() if p.suffix in ("", ".py") and not p.name.startswith("__")]
    folders = [root / name for name in ("data", "notebooks", "reports", "tests", "bench", "docs", "tools")]
    assert listed == {f"{p.relative_to(root)}{'/' if p.is_dir() else ''}" for p in [*house, *folders]}


def _checked(root: Path, readme: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "tools" / "readme.py"), "--check", str(readme)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_computed_parts_are_today_s_and_answer_for_both_halves(root: Path) -> None:
    for readme in ("README.md", "data/README.md"):
        done = _checked(root, root / readme)
        assert done.returncode == 0, done.stdout
    assert {name[0] for name in ANSWER.findall((root / "README.md").read_text())} == {"1", "2"}  # exports, agreements


@pytest.mark.parametrize(
    ("old", "new", "named"), [("US$11.6bn", "US$11.5bn", "11_export_forecast"), ("`us_gdp`", "`gdp`", "provenance")]
)
def test_a_doctored_part_is_named(root: Path, tmp_path: Path, old: str, new: str, named: str) -> None:
    text = (root / "README.md").read_text()
    assert old in text
    (tmp_path / "README.md").write_text(text.replace(old, new, 1))
    done = _checked(root, tmp_path / "README.md")
    assert done.returncode == 1
    assert named in done.stdout


def test_the_picture_is_there_small_and_said_in_words(root: Path) -> None:
    alt, path = re.search(r"!\[([^\]]+)\]\(([^)]+)\)", (root / "README.md").read_text()).groups()
    assert len(alt) > 40
    content = (root / path).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) < MOST_PICTURE_BYTES
    width, height = struct.unpack(">II", content[16:24])
    assert LEAST_PICTURE_WIDTH <= width < 2 * height


def test_the_citation_is_the_one_of_its_file(root: Path) -> None:
    cited = yaml.safe_load((root / "CITATION.cff").read_text())
    quoted = " ".join((root / "README.md").read_text().replace("\n> ", " ").split())
    year = cited["date-released"].year
    assert f"{cited['authors'][0]['name']} ({year}). *{cited['title']}* (version {cited['version']})" in quoted


def test_the_readme_stays_short_and_its_links_and_commands_lead_somewhere(root: Path) -> None:
    text, makefile = (root / "README.md").read_text(), (root / "Makefile").read_text()
    assert len(text.splitlines()) <= MOST_LINES
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert links
    assert [link for link in links if not (root / link).exists()] == []
    targets = re.findall(r"^make (\w[\w-]*)", text, re.MULTILINE)
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_the_front_page_answers_as_the_readme_does_and_has_a_word_for_every_topic(root: Path) -> None:
    front = read_front()
    assert list(front.answers) == ANSWER.findall((root / "README.md").read_text())
    assert {path.name[0] for path in (root / "notebooks").glob("[0-9]*.ipynb")} == set(front.topics)
