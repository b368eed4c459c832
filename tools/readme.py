"""The parts of the README that are computed: answers from the references, and where the tables come from.

``make readme`` writes them; ``python tools/readme.py --check`` says which are out of date, with exit code 1.

A block is ``<!-- answer: NOTEBOOK -->`` or ``<!-- provenance -->``, its text, and ``<!-- /answer -->`` or
``<!-- /provenance -->``.
"""

import json
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 120
MOST_PUBLISHERS = 6
ANSWER = re.compile(r"<!-- answer: (\w+) -->\n(.*?)<!-- /answer -->", re.DOTALL)
PROVENANCE = re.compile(r"<!-- provenance -->\n(.*?)<!-- /provenance -->", re.DOTALL)


def answer(notebook: str) -> str:
    """The answer on record of a notebook, as a quotation."""
    reference = json.loads((ROOT / "notebooks" / "references" / f"{notebook}.json").read_text(encoding="utf-8"))
    return textwrap.fill(reference["answer"], WIDTH, initial_indent="> ", subsequent_indent="> ") + "\n"


def provenance() -> str:
    """A row for each kind of terms: the tables whose first terms they are, and who published them."""
    package = json.loads((ROOT / "data" / "datapackage.json").read_text(encoding="utf-8"))
    groups: dict[str, list[dict]] = {}
    for table in package["resources"]:
        if table["name"] != "sources":
            groups.setdefault(table["licenses"][0]["title"], []).append(table)
    rows = ["| tables | published by | terms |", "|---|---|---|"]
    for terms, tables in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
        names = ", ".join(f"`{table['name']}`" for table in tables)
        rows.append(f"| {names} | {_publishers(tables)} | {terms} |")
    return "\n".join(rows) + "\n"


def _publishers(tables: list[dict]) -> str:
    counted: dict[str, int] = {}
    for table in tables:
        for name in dict.fromkeys(source["publisher"] for source in table["sources"]):
            counted[name] = counted.get(name, 0) + 1
    names = sorted(counted, key=lambda name: (-counted[name], name))
    more = len(names) - MOST_PUBLISHERS
    return "; ".join(names[:MOST_PUBLISHERS]) + (f"; {more} more" if more > 0 else "")


def written(text: str) -> str:
    """The README with its computed parts as they are today."""
    text = ANSWER.sub(lambda m: f"<!-- answer: {m[1]} -->\n{answer(m[1])}<!-- /answer -->", text)
    return PROVENANCE.sub(lambda _: f"<!-- provenance -->\n{provenance()}<!-- /provenance -->", text)


def main() -> int:
    """Write the README, or with ``--check`` only compare; a README may be named."""
    named = [Path(word) for word in sys.argv[1:] if word != "--check"]
    path = named[0] if named else ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    today = written(text)
    if "--check" not in sys.argv:
        path.write_text(today, encoding="utf-8")
    elif today != text:
        stale = [m[1] for m, now in zip(ANSWER.finditer(text), ANSWER.finditer(today), strict=True) if m[0] != now[0]]
        stale += ["provenance"] if PROVENANCE.search(text)[0] != PROVENANCE.search(today)[0] else []
        print(f"out of date in {path.name}: {', '.join(stale)}; run `make readme`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
