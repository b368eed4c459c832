"""Sentences where they are read: ``%%say``, a cell of Markdown whose holes are filled when the cell runs.

    %%say
    Exports stood at {{ usd(latest_usd_m) }}{% if gap_usd_m > 0 %}, {{ usd(gap_usd_m) }} short of the target{% endif %}.

The holes are Jinja2 expressions over the notebook's own names and the words of :mod:`~kbio_analysis.present.words`.
A name that is not there stops the notebook, and a number that no word has formatted is refused, so that none is
printed unrounded. ``%%say answer`` marks the report's answer.
"""

import re
from collections.abc import Mapping
from numbers import Integral
from typing import Any

from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from markupsafe import Markup

from kbio_analysis.errors import UsageError, did_you_mean
from kbio_analysis.present.outputs import show
from kbio_analysis.present.words import WORDS

KINDS = {"": "sentence", "answer": "answer"}

# What Markdown could take for its own in a text that comes from data, and the dollar that starts a formula.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#$])")
_DOLLAR = re.compile(r"(?<!\\)\$")
# JupyterLab looks for formulae once more in the page it has made of the Markdown, where the backslash is gone; it never
# looks across an element's edge.
_LONE_DOLLAR = r"<span>\$</span>"
_ITEM = re.compile(r"[-*] |\d+\. ")


def written(template: str, names: Mapping[str, Any]) -> str:
    """The template as Markdown, its holes filled from ``names``; a blank line parts paragraphs, other breaks do not.

    Raises UsageError for an unknown name, a number that passed through no word, and a template that cannot be read.
    """
    try:
        parsed = _environment.parse(template)
        # Asked of the whole template: a wrong name in a branch not taken today stops the notebook today.
        met = list(parsed.find_all((nodes.Name, nodes.Macro)))
        own = {one.name for one in met if getattr(one, "ctx", "store") != "load"}
        unknown = sorted({one.name for one in met} - own - {*names, *_environment.globals, "loop"})
        if unknown:
            hint = did_you_mean(unknown[0], [*names, *WORDS])
            raise UsageError(f"%%say: the notebook has no {unknown[0]!r}{hint}")
        text = _environment.from_string(parsed).render(names)
    except UndefinedError as error:
        raise UsageError(f"%%say: {error}") from None
    except TemplateSyntaxError as error:
        raise UsageError(f"%%say, line {error.lineno}: {error.message}") from None
    paragraphs = [_paragraph(part) for part in re.split(r"\n[ \t]*\n", text)]
    return _DOLLAR.sub(r"\\$", "\n\n".join(part for part in paragraphs if part))


def say(line: str, cell: str) -> None:
    """Show the cell as prose; ``%%say answer`` makes it the report's answer. Nothing is shown of an empty text."""
    from IPython import get_ipython

    kind = KINDS.get(line.strip())
    if kind is None:
        raise UsageError(f"%%say {line.strip()}: write %%say, or %%say answer for the report's answer")
    text = written(cell, get_ipython().user_ns)
    if text:
        shown = f"**{text}**" if kind == "answer" and "\n\n" not in text else text
        show({"kind": kind, "text": text}, {"text/markdown": shown.replace(r"\$", _LONE_DOLLAR)})


def register() -> None:
    """Make ``%%say`` known to the IPython this runs in, if any, and Hangul readable in figures of its own."""
    import sys

    if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()) is not None:
        shell.register_magic_function(say, "cell")
        if "matplotlib" in sys.modules:
            from kbio_analysis.present.look import plain_figures

            plain_figures()


def escaped(text: str) -> Markup:
    """A text that is to be read as it is, in any Markdown."""
    return Markup(_SPECIAL.sub(r"\\\1", text))


def _filled(value: Any) -> Any:
    """What a hole may hold: text, escaped, and whole numbers. Anything else has yet to pass through a word."""
    if isinstance(value, Markup) or (isinstance(value, Integral) and not isinstance(value, bool)):
        return value
    if isinstance(value, StrictUndefined):
        return str(value)
    if not isinstance(value, str):
        kind = "nothing (None)" if value is None else f"{value!r:.60}"
        raise UsageError(f"%%say: a hole holds {kind}; pass it through a word, such as pct or usd")
    return escaped(value)


def _paragraph(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    listed = bool(lines) and bool(_ITEM.match(lines[0]))
    joined: list[str] = []
    for line in lines:
        if joined and not (listed and _ITEM.match(line)):
            joined[-1] = f"{joined[-1]} {line}"
        else:
            joined.append(line)
    return "\n".join(" ".join(line.split()) for line in joined)


_environment = Environment(undefined=StrictUndefined, finalize=_filled, trim_blocks=True, lstrip_blocks=True)
_environment.optimized = False  # what is written once need not be worked out in advance
_environment.globals = dict(WORDS) | {f.__name__: f for f in (abs, len, max, min, round, sorted, str, sum, zip)}
_environment.filters |= WORDS | {"markdown": Markup}
