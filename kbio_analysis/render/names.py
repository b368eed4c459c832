"""What a set of parameters is called when nobody gave it a name."""

from __future__ import annotations

from collections.abc import Mapping

from kbio_analysis.render.parameters import to_text
from kbio_analysis.render.publish import slug

DEFAULT_SET = "default"


def named_after(values: Mapping[str, object]) -> str:
    """A set's name from its parameters: ``target_year-2031-series-mfds``. Raises UsageError if nothing is left."""
    return slug("-".join(f"{name}-{_in_a_name(value)}" for name, value in values.items()))


def briefly_named(values: Mapping[str, object]) -> str:
    """As ``named_after``, but a word stands for itself: ``mfds_biopharma-target_year-2031``."""
    speaks = {name: isinstance(value, str) and value[:1].isalpha() for name, value in values.items()}
    parts = [_in_a_name(v) if speaks[name] else f"{name}-{_in_a_name(v)}" for name, v in values.items()]
    return slug("-".join(parts))


def _in_a_name(value: object) -> str:
    text = "-".join(to_text(item) for item in value) if isinstance(value, list) else to_text(value)
    return text.replace("/", "-").replace("\\", "-").replace("\0", "-") or "empty"
