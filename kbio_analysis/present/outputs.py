"""How anything that is shown travels: one MIME bundle, its structured form beside what each front end can show."""

from collections.abc import Mapping
from html import escape
from typing import Any

MIME = "application/vnd.kbio.v1+json"
"""The structured form of every kbio output; its ``kind`` is answer, sentence, record, chart or table."""

DEFAULT_RTOL = 1e-9
"""Relative tolerance of a recorded result or a charted figure when ``kbio check`` compares it with its reference."""

SIMULATED_RTOL = 5e-3
"""Tolerance of what rests on fitted or simulated models: optimisers end a little apart on other machines."""


def show(payload: Mapping[str, Any], fallback: Mapping[str, str]) -> None:
    """Emit one structured output; outside IPython print its plain form, so that scripts can use these modules too."""
    from IPython import get_ipython
    from IPython.display import publish_display_data

    if get_ipython() is None:
        print(list(fallback.values())[-1])
        return
    publish_display_data({MIME: dict(payload), **fallback})


def as_html(text: str) -> str:
    """A text as HTML that reads the same in every front end: JupyterLab takes what stands between two dollars of one
    element for a formula, so each has an element of its own."""
    return escape(text).replace("$", "<span>$</span>")


def caption_html(caption: str, source: str) -> str:
    """What stands under a chart or a table in a front end that shows the plain form."""
    cited = f"<br><small>Source: {as_html(source)}</small>" if source else ""
    return f"<figcaption>{as_html(caption)}{cited}</figcaption>"
