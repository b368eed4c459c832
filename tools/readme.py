"""The parts of the READMEs that are computed: answers from the references, where the tables come from, and their list.

``make readme`` writes them; ``python tools/readme.py --check`` says which are out of date, with exit code 1.

A block is ``<!-- answer: NOTEBOOK -->``, ``<!-- provenance -->`` or ``<!-- tables -->``, its text, and the same word
closed: ``<!-- /answer -->``.
"""

import json
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 120
MOST_PUBLISHERS = 6
BLOCK = re.compile(r"<!-- (answer|provenance|tables)(?:: (\w+))? -->\n(.*?)<!-- /\1 -->", re.DOTALL)


def answer(notebook: str) -> str:
    """The answer on record of a notebook, as a quotation."""
    reference = json.loads((ROOT / "notebooks" / "references" / f"{notebook}.json").read_text(encoding="utf-8"))
    return textwrap.fill(reference["answer"], WIDTH, initial_indent="> ", subsequent_indent="> ") + "\n"


def provenance() -> str:
    """A row for each kind of terms: the tables whose first terms they are, and who published them."""
    groups: dict[str, list[dict]] = {}
    for table in _resources():
        if table["name"] != "sources":
            groups.setdefault(table["licenses"][0]["title"], []).append(table)
    rows = ["| tables | published by | terms |", "|---|---|---|"]
    for terms, tables in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
        names = ", ".join(f"`{table['name']}`" for table in tables)
        rows.append(f"| {names} | {_publishers(tables)} | {terms} |")
    return "\n".join(rows) + "\n"


def tables() -> str:
    """A row for each table: what it is, who published it, and its terms."""
    rows = ["| table | what | publishers | terms |", "|---|---|---|---|"]
    for table in _resources():
        publishers = "; ".join(dict.fromkeys(source["publisher"] for source in table["sources"]))
        terms = "; ".join(licence["title"] for licence in table["licenses"])
        rows.append(f"| {table['name']} | {table['title']} | {publishers} | {terms} |")
    return "\n".join(rows) + "\n"


def _resources() -> list[dict]:
    return json.loads((ROOT / "data" / "datapackage.json").read_text(encoding="utf-8"))["resources"]


def _publishers(tables: list[dict]) -> str:
    counted: dict[str, int] = {}
    for table in tables:
        for name in dict.fromkeys(source["publisher"] for source in table["sources"]):
            counted[name] = counted.get(name, 0) + 1
    names = sorted(counted, key=lambda name: (-counted[name], name))
    more = len(names) - MOST_PUBLISHERS
    return "; ".join(names[:MOST_PUBLISHERS]) + (f"; {more} more" if more > 0 else "")


def written(block: re.Match[str]) -> str:
    """A block as it is today."""
    kind, named, _ = block.groups()
    text = answer(named) if kind == "answer" else {"provenance": provenance, "tables": tables}[kind]()
    return f"<!-- {kind}{f': {named}' if named else ''} -->\n{text}<!-- /{kind} -->"


def main() -> int:
    """Write the READMEs, or with ``--check`` only compare; others may be named."""
    named = [Path(word) for word in sys.argv[1:] if word != "--check"]
    stale = []
    for path in named or [ROOT / "README.md", ROOT / "data" / "README.md"]:
        text = path.read_text(encoding="utf-8")
        if "--check" not in sys.argv:
            path.write_text(BLOCK.sub(written, text), encoding="utf-8")
        elif old := [block[2] or block[1] for block in BLOCK.finditer(text) if block[0] != written(block)]:
            stale.append(f"out of date in {path.name}: {', '.join(old)}; run `make readme`")
    print("\n".join(stale), end="\n" * bool(stale))
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
