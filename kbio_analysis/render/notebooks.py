"""Where the notebooks are, what they are called, how a person may shorten a name, and how a file is read.

Whatever lists, renders or checks a notebook reads it here, so that all of them accept the same files.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import unicodedata
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from kbio_analysis.errors import ParameterError, UsageError
from kbio_analysis.render.documents import DocumentError, read_json

NAME = re.compile(r"\d\d_[a-z0-9_]+")
"""What a notebook is called: ``NN_noun``, the tens being its topic."""

MOST_BYTES = 100_000_000
MOST_IMAGE_BYTES = 5_000_000
IMAGES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp"}
_IMAGE = re.compile(r"(!\[[^\]\n]{0,1000}\]\()([^\s()<>\"]{1,500})(?=[\s)])")


def notebooks_dir() -> Path:
    """The folder of notebooks: KBIO_NOTEBOOKS, else ``notebooks`` in the nearest parent that has one, else beside us.

    Raises UsageError when there is none.
    """
    named = os.environ.get("KBIO_NOTEBOOKS")
    if named:
        folder = Path(named)
        if not folder.is_dir():
            raise UsageError(f"KBIO_NOTEBOOKS is {named!r}, which is not a folder")
        return folder.resolve()
    here = Path.cwd()
    beside_the_package = Path(__file__).resolve().parents[2]
    for parent in (here, *here.parents, beside_the_package):
        if any(NAME.fullmatch(path.stem) for path in (parent / "notebooks").glob("*.ipynb")):
            return (parent / "notebooks").resolve()
    raise UsageError("no folder of notebooks here or above; go to the repository or set KBIO_NOTEBOOKS")


def available(folder: Path) -> dict[str, Path]:
    """Notebook name -> file, in order; only names of the form ``NN_noun`` count."""
    return {path.stem: path for path in sorted(folder.glob("*.ipynb")) if NAME.fullmatch(path.stem) and path.is_file()}


def select(folder: Path, wanted: list[str]) -> dict[str, Path]:
    """The notebooks asked for by name or unique beginning; all of them when none is asked for.

    Raises UsageError naming every request that fits none or several.
    """
    known = available(folder)
    if not known:
        raise UsageError(f"no notebook named NN_noun.ipynb in {folder}")
    mistakes, names = [], []
    for request in wanted:
        stem = unicodedata.normalize("NFC", request).removesuffix(".ipynb").rsplit("/", 1)[-1]
        fitting = [stem] if stem in known else [name for name in known if stem and name.startswith(stem)]
        if len(fitting) == 1:
            names.append(fitting[0])
        elif fitting:
            mistakes.append(f"notebook {request!r} may be {' or '.join(fitting)}: write more of the name")
        else:
            near = get_close_matches(stem, list(known), n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}?" if near else "see `kbio list`"
            mistakes.append(f"no notebook {request!r}; {hint}")
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return {name: known[name] for name in dict.fromkeys(names or known)}


def read_notebook(path: Path) -> bytes:
    """The notebook of a file as nbformat 4 JSON, complete as far as we rely on it, its own images taken along.

    Raises ParameterError for what is no notebook of that format.
    """
    try:
        content = read_json(path.read_bytes(), most_bytes=MOST_BYTES)
        _complete(content)
    except OSError as problem:
        raise ParameterError(f"{path.stem}: cannot be read: {problem.strerror or problem}") from None
    except DocumentError as problem:
        raise ParameterError(f"{path.stem}: not a notebook file (nbformat 4 expected): {problem}") from None
    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            _take_images_along(cell, path.parent.resolve())
    return json.dumps(content, ensure_ascii=False).encode()


def _complete(content: dict[str, Any]) -> None:
    """Fill in, in place, what other programs leave out. Raises DocumentError for what cannot be filled in."""
    if content.setdefault("nbformat", 4) != 4:
        raise DocumentError(f"its nbformat is {content['nbformat']!r}; save it in format 4")
    content.setdefault("nbformat_minor", 5)
    content["metadata"] = content.get("metadata") or {}
    cells = content.get("cells")
    if not isinstance(cells, list) or not isinstance(content["metadata"], dict):
        raise DocumentError("it has no list of cells, or metadata that is no mapping")
    for number, cell in enumerate(cells, start=1):
        kind = cell.get("cell_type") if isinstance(cell, dict) else None
        source = cell.get("source", "") if kind in ("code", "markdown", "raw") else None
        lines = [source] if isinstance(source, str) else source
        metadata = cell.get("metadata") or {} if source is not None else None
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise DocumentError(f"cell {number} has no known type or no text")
        if not isinstance(metadata, dict) or not isinstance(metadata.get("tags", []), list):
            raise DocumentError(f"cell {number} has metadata that cannot be read")
        cell |= {"source": "".join(lines), "metadata": metadata}
        if kind == "code":
            cell |= {"outputs": cell.get("outputs") or [], "execution_count": cell.get("execution_count")}


def _take_images_along(cell: dict[str, Any], folder: Path) -> None:
    """Attach to a Markdown cell the images that lie in the notebook's folder; others keep their address.

    The attachment is named after its content, so that another picture is another text.
    """
    attachments = cell.get("attachments") or {}

    def attached(match: re.Match[str]) -> str:
        file = (folder / unquote(match[2])).resolve()
        kind = IMAGES.get(file.suffix.lower())
        if ":" in match[2] or kind is None or not file.is_relative_to(folder) or not file.is_file():
            return match[0]
        content = file.read_bytes() if file.stat().st_size <= MOST_IMAGE_BYTES else b""
        if not content:
            return match[0]
        name = f"{hashlib.sha256(content).hexdigest()[:12]}{file.suffix.lower()}"
        attachments[name] = {kind: base64.b64encode(content).decode()}
        return f"{match[1]}attachment:{name}"

    cell["source"] = _IMAGE.sub(attached, cell["source"])
    if attachments:
        cell["attachments"] = attachments
