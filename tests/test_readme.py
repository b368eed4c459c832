"""What README and the galleries list is what is there, and the answer they quote is today's."""

import json
import re
from pathlib import Path

ANSWER = re.compile(r"<!-- answer:.*?-->\n(.*?)\n<!-- /answer -->", re.DOTALL)


def _gallery(text: str) -> dict[str, str]:
    return dict(re.findall(r"^\| \[(\d\d_\w+)\]\([^)]+\) \| (.+?) \|$", text, re.MULTILINE))


def _questions(root: Path) -> dict[str, str]:
    found = {}
    for path in sorted((root / "notebooks").glob("[0-9]*.ipynb")):
        first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
        found[path.stem] = "".join(first["source"]).splitlines()[0].removeprefix("# ")
    return found


def test_both_galleries_list_every_notebook_and_its_question(root: Path) -> None:
    wanted = _questions(root)
    assert _gallery((root / "README.md").read_text()) == wanted
    assert _gallery((root / "notebooks" / "README.md").read_text()) == wanted


def test_the_module_map_names_every_room_and_folder(root: Path) -> None:
    listed = set(re.findall(r"^\| `([\w/.]+)` \|", (root / "README.md").read_text(), re.MULTILINE))
    rooms = {
        f"kbio_analysis/{p.name}{'/' if p.is_dir() else ''}"
        for p in (root / "kbio_analysis").iterdir()
        if (p.is_dir() and p.name != "__pycache__") or (p.suffix == ".py" and not p.name.startswith("__"))
    }
    folders = {
        f"{n}/" for n in ("data", "notebooks", "reports", "tests", "bench", "docs", "tools") if (root / n).is_dir()
    }
    assert listed == rooms | folders


def test_the_answer_in_the_readme_is_the_recorded_one(root: Path) -> None:
    reference = json.loads((root / "notebooks" / "references" / "11_export_forecast.json").read_text())
    quoted = ANSWER.search((root / "README.md").read_text())[1].replace("\n", " ").removeprefix("> ")
    assert re.sub(r" > ?", " ", quoted) == reference["answer"]


def test_the_commands_in_the_readme_exist(root: Path) -> None:
    text = (root / "README.md").read_text()
    makefile = (root / "Makefile").read_text()
    for target in re.findall(r"^make (\w[\w-]*)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
