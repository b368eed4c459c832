"""Where the notebooks and their references are, what they are called, how a person may shorten a name, and how a file
is read.

Whatever lists, renders, checks or cites a notebook reads it here, so that all of them accept the same files.
"""

import base64
import csv
import hashlib
import json
import os
import re
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from kbio_analysis.errors import ParameterError, UsageError, did_you_mean
from kbio_analysis.reading import DocumentError, read_json, rows_of

NAME = re.compile(r"\d\d_[a-z0-9_]+")
"""What a notebook is called: ``NN_noun``, the tens being its topic."""

RESERVED = ("batches", "compare", "go", "whatif")
"""What no notebook may be called: a site has folders of these names that hold no reports."""

LONGEST_NAME = 80
MOST_BYTES = 100_000_000
_PICTURES = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "gif": "gif", "webp": "webp", "svg": "svg+xml"}
MOST_PICTURE_BYTES = 5_000_000
_RELATIVE = re.compile(r"!\[[^\[\]]*\]\(\s*<?(?![/#]|[a-z]+:)([^()<>\s\"]+)", re.IGNORECASE)


def notebooks_dir() -> Path:
    """KBIO_NOTEBOOKS, else ``notebooks`` in the nearest parent that has one, else beside us; UsageError if none."""
    named, here = os.environ.get("KBIO_NOTEBOOKS"), Path.cwd()
    above = [place / "notebooks" for place in (here, *here.parents, Path(__file__).resolve().parents[1])]
    for folder in [Path(named)] if named else above:
        if folder.is_dir() and (named or available(folder)):
            return folder.resolve()
    raise UsageError(f"no folder of notebooks {named or 'here or above'}; go to the repository or set KBIO_NOTEBOOKS")


def available(folder: Path) -> dict[str, Path]:
    """Notebook name -> file, in order; only names of the form ``NN_noun`` count."""
    return {path.stem: path for path in sorted(folder.glob("*.ipynb")) if NAME.fullmatch(path.stem) and path.is_file()}


def select(folder: Path, wanted: list[str]) -> dict[str, Path]:
    """The notebooks asked for by name, unique beginning or path; all of the folder's when none is asked for.

    One that lies elsewhere is named after its file. Raises UsageError naming every request that fits none or several.
    """
    known = available(folder)
    if not known and not wanted:
        raise UsageError(f"no notebook named NN_noun.ipynb in {folder}")
    ours, mistakes, found = {path.resolve() for path in known.values()}, [], {}
    for request in wanted:
        path, stem = Path(request), unicodedata.normalize("NFC", request).removesuffix(".ipynb").rsplit("/", 1)[-1]
        fitting = [stem] if stem in known else [name for name in known if stem and name.startswith(stem)]
        if path.suffix == ".ipynb" and path.is_file() and path.resolve() not in ours:
            name = slug(stem)
            if name in (*known, *RESERVED) or found.setdefault(name, path) != path:
                mistakes.append(f"notebook {request!r}: the name {name} is taken; rename the file")
        elif "/" in request and not path.is_file():
            mistakes.append(f"there is no notebook file {request}")
        elif len(fitting) == 1:
            found[fitting[0]] = known[fitting[0]]
        else:
            several = f"; it may be {' or '.join(fitting)}" if fitting else ""
            names = "; names are like 31_services, two digits and small letters: see `kbio list`"
            mistakes.append(f"no notebook {request!r}{several or did_you_mean(stem, known) or names}")
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return found if wanted else known


def slug(name: str) -> str:
    """A set's name as a folder: letters of any script, digits, ``_``, ``-`` and ``.``; lower case; at most 80 long.

    It starts with a letter or digit. Raises UsageError for a name that means another place or leaves nothing.
    """
    if re.search(r"[/\\\0]", name) or name.strip() in (".", ".."):
        raise UsageError(f"set name {name!r} is a path; use a plain name such as high_growth")
    folded = unicodedata.normalize("NFC", name).strip().lower()
    plain = re.sub(r"[^\w.-]+", "-", folded).lstrip("-._").rstrip("-.")
    if not plain:
        raise UsageError(f"set name {name!r} has no letter or digit in it")
    if len(plain.encode()) > LONGEST_NAME:
        mark = hashlib.sha256(folded.encode()).hexdigest()[:8]
        plain = plain.encode()[: LONGEST_NAME - 9].decode(errors="ignore").rstrip("-.") + "-" + mark
    return plain


def reference_file(notebooks: Path, notebook: str) -> Path:
    """Where a notebook's reference lies."""
    return notebooks / "references" / f"{notebook}.json"


def known_results(notebooks: Path, notebook: str) -> list[str]:
    """The names of a notebook's results in the codebook; empty if it knows none."""
    with suppress(OSError, KeyError, csv.Error):
        codebook = rows_of((notebooks / "results.csv").read_bytes())
        return [row["name"] for row in codebook if notebook in row["notebook"].split()]
    return []


def read_notebook(path: Path) -> bytes:
    """The file as nbformat 4 JSON, complete as far as we rely on it; ParameterError if it is no such notebook."""
    try:
        content = completed(path.stem, path.read_bytes())
    except OSError as problem:
        raise ParameterError(f"{path.stem}: cannot be read: {problem.strerror or problem}") from None
    for cell in (cell for cell in content["cells"] if cell["cell_type"] == "markdown"):
        # Pictures beside the notebook, which prose names by a relative address, travel as its attachments.
        for address in _RELATIVE.findall(cell["source"]):
            if address not in cell.setdefault("attachments", {}) and (found := _picture(path.parent, address)):
                cell["attachments"][address] = found
    return json.dumps(content, ensure_ascii=False).encode()


def completed(name: str, raw: bytes) -> dict[str, Any]:
    """The content of a notebook file, what other programs leave out filled in, outputs left out.

    Raises ParameterError.
    """
    place = "the file"
    try:
        content = read_json(raw, most_bytes=MOST_BYTES)
        if content.setdefault("nbformat", 4) != 4:
            raise DocumentError(f"its nbformat is {content['nbformat']!r}; save it in format 4")
        content |= {"metadata": _metadata(content), "nbformat_minor": max(content.get("nbformat_minor", 5), 5)}
        for number, cell in enumerate(content["cells"], start=1):
            place = f"cell {number}"
            source, metadata = "".join(cell.get("source", "")), _metadata(cell)
            cell |= {"id": cell.get("id", f"cell-{number}"), "source": source, "metadata": metadata}
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
            elif cell["cell_type"] not in ("markdown", "raw"):
                raise DocumentError(f"{place} has no known type")
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        why = problem if isinstance(problem, DocumentError) else f"{place} has not the parts it needs"
        raise ParameterError(f"{name}: not a notebook file (nbformat 4): {why}") from None
    return content


def _metadata(part: dict[str, Any]) -> dict[str, Any]:
    metadata = dict(part.get("metadata") or {})
    return metadata | {"tags": list(metadata["tags"])} if "tags" in metadata else metadata


def _picture(folder: Path, address: str) -> dict[str, str] | None:
    """A picture in the notebook's own ``folder`` as a cell's attachment; None if it may not travel."""
    try:
        path = (folder / unquote(address)).resolve()
        inside = path.is_relative_to(folder.resolve()) and path.is_file() and path.stat().st_size <= MOST_PICTURE_BYTES
        content = path.read_bytes() if inside else b""
    except (OSError, ValueError):
        return None
    kind = _PICTURES.get(path.suffix.lower()[1:])
    return {f"image/{kind}": base64.b64encode(content).decode()} if kind and content else None
