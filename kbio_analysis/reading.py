"""YAML and JSON that others wrote, read with bounds on size and depth, and the rows of a CSV file; a failure is one
sentence.

In YAML a scalar is the text that was written, and nothing (``~``, ``null``, unquoted) is None: no guessed types, no
tags, no aliases.
"""

import csv
import gzip
import io
import re
import unicodedata
import zlib
from pathlib import Path
from typing import Any

from kbio_analysis.errors import DataError, mistakes_in

MOST_BYTES = 5_000_000
DEEPEST = 10


class DocumentError(ValueError):
    """What is wrong with a document, in one sentence."""


class Text(str):
    """A scalar of YAML, or a key, as it was written (in NFC); ``line`` is where it stands."""

    line = 0

    def __new__(cls, node: Any) -> "Text":
        text = super().__new__(cls, unicodedata.normalize("NFC", node.value))
        text.line = node.start_mark.line + 1
        return text


def read_json(raw: bytes, *, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """A JSON object. Raises DocumentError, also for what no page could hold: NaN, half a character."""
    from pydantic_core import from_json

    text = _text(raw, most_bytes)
    try:
        content = from_json(text, allow_inf_nan=False)
    except ValueError as problem:
        raise DocumentError(f"not JSON: {problem}") from None
    if not isinstance(content, dict):
        raise DocumentError("not a JSON object")
    return content


def read_as(model: Any, content: Any) -> Any:
    """What was read, as a pydantic model says it has to be. Raises DocumentError with all that is wrong."""
    from pydantic import ValidationError

    try:
        return model.model_validate(content)
    except ValidationError as problem:
        wrong = [f"{'.'.join(map(str, place)) or 'the file'}: {why}" for place, why in mistakes_in(problem)]
        raise DocumentError("; ".join(wrong)) from None


def _text(raw: bytes, most_bytes: int) -> str:
    if len(raw) > most_bytes:
        raise DocumentError(f"larger than {most_bytes / 1e6:g} MB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DocumentError("not UTF-8 text") from None


def read_yaml(raw: bytes) -> list[Any]:
    """The documents of a file, in order: text, lists, mappings, None. Raises DocumentError for what is not plain."""
    import yaml

    text, loader = _text(raw, MOST_BYTES), getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        # Composing nests as deep as the text does, so the depth is judged by the flat run of events first.
        depth = 0
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            tagged = isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None
            if depth > DEEPEST or tagged:
                why = "tags and aliases (!, *) are not read" if tagged else f"nested more than {DEEPEST} deep"
                raise DocumentError(f"line {event.start_mark.line + 1}: {why}")
        return [_plain(composed) for composed in yaml.compose_all(text, Loader=loader)]
    except yaml.YAMLError as mistake:
        mark = getattr(mistake, "problem_mark", None) or getattr(mistake, "context_mark", None)
        place = f"line {mark.line + 1}: " if mark else ""
        why = getattr(mistake, "problem", None) or " ".join(str(mistake).split())
        raise DocumentError(f"{place}not YAML: {why}") from None


def _plain(node: Any) -> Any:
    """What a composed node says."""
    if node.id == "scalar":
        return Text(node) if node.style or node.value not in ("", "~", "null") else None
    if node.id == "sequence":
        return [_plain(item) for item in node.value]
    found: dict[Text, Any] = {}
    for key, item in node.value:
        line = f"line {key.start_mark.line + 1}"
        if key.id != "scalar":
            raise DocumentError(f"{line}: a key must be a plain word")
        if key.value in found:
            raise DocumentError(f"{line}: {key.value!r} is given twice")
        found[Text(key)] = _plain(item)
    return found


def unpacked(raw: bytes) -> bytes:
    """The text of a table that lies compressed (.csv.gz), any other as it is. Raises DataError if it is damaged."""
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"a compressed table is damaged ({error}); restore the file") from None


def rows_of(raw: bytes) -> list[dict[str, str]]:
    """The rows of a table as they are written, cells as text, whatever is wrong with them."""
    text = unpacked(raw).decode("utf-8", errors="replace")
    return list(csv.DictReader(io.StringIO(text, newline=""), restval=""))


def file_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a file that a person gives, any line endings, with or without a mark at its head.

    Raises DataError if it is no UTF-8 text, has no rows, names a column twice or not at all, or has a row too wide.
    """
    try:
        text = io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")
        reader = csv.DictReader(text, restval="", strict=True)
        head, found = list(reader.fieldnames or ()), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise DataError(f"{path.name} cannot be read as CSV in UTF-8 ({problem})") from None
    if not found:
        raise DataError(f"{path.name} has no rows below a header")
    if len(set(head)) < len(head) or "" in head or (len(head) == 1 and re.search("[;\t|]", head[0])):
        raise DataError(f"{path.name}: every column needs a name of its own, and commas part them")
    for number, row in enumerate(found, start=2):
        if None in row:
            raise DataError(f"{path.name}, row {number}: more cells than the {len(head)} columns; quote a comma")
    return found
