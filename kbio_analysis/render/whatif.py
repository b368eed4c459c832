"""The what-if page of a batch that is a grid: choose a value of each parameter, see that set's answer and figures.

The grid is read off the reports themselves: the parameters that vary among a batch's reports of one notebook, where
those reports fill at least half of the combinations. What the page shows of a set is taken from its report.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import prod
from typing import Any

from markupsafe import Markup

from kbio_analysis.errors import KbioError
from kbio_analysis.render.compare import Batch, Line
from kbio_analysis.render.formats import format_setting, format_value
from kbio_analysis.render.parameters import Parameter, read_source
from kbio_analysis.render.publish import WHAT_IF
from kbio_analysis.render.results import SiteReport, is_number

FEWEST_SETS, MOST_SETS, MOST_CHART_CHARACTERS = 4, 500, 4_000_000

_CHART = re.compile(r'<figure class="chart".*?</figure>', re.DOTALL)


def what_if(batch: Batch, section: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the page shows of a section of the batch's page; None if its reports are no grid.

    ``axes`` are the parameters with their values as text, ``declared`` what the notebook says of them; ``sets`` has for
    each report its ``key`` (a text a parameter), its ``numbers`` (meaning, text, unit) and its ``chart``.
    """
    notebook = section["reports"][0].notebook
    reports = [r for r in batch.reports if r.notebook == notebook and r.parameters]
    axes = _axes(reports)
    combinations = prod(map(len, axes.values()))
    if not axes or not FEWEST_SETS <= len(reports) <= MOST_SETS or combinations > 2 * len(reports):
        return None
    rows, sets = {report.label: i for i, report in enumerate(section["reports"])}, {}
    for report in reports:
        key = tuple(format_setting(report.parameters.get(name)) for name in axes)
        lines = section["lines"] if report.label in rows else ()
        numbers = [_number(line, rows[report.label]) for line in lines]
        # The first chart as it stands on its page, which holds nothing that runs.
        found = _CHART.search(report.html()) if report.good else None
        chart = Markup(found[0] if found else "")
        sets.setdefault(key, {"key": key, "report": report, "numbers": numbers, "chart": chart})
    if sum(len(one["chart"]) for one in sets.values()) > MOST_CHART_CHARACTERS:
        sets = {key: one | {"chart": ""} for key, one in sets.items()}
    declared: dict[str, Parameter] = {}
    with suppress(OSError, KbioError):
        source = (section["reports"][0].folder / "executed.ipynb").read_bytes()
        declared = {one.name: one for one in read_source(notebook, source).parameters}
    usual = [format_setting(getattr(declared.get(name), "default", None)) for name in axes]
    start = tuple(own if own in values else values[0] for own, values in zip(usual, axes.values(), strict=True))
    question = next((r.question for r in reports if r.question), notebook)
    shown = {"batch": batch, "reports": reports, "notebook": notebook, "axes": axes, "combinations": combinations}
    shown |= {"question": question, "title": f"What if? {question}", "declared": declared, "sets": list(sets.values())}
    shown |= {"address": f"{WHAT_IF}/{batch.stem}-{notebook}.html"}
    return shown | {"start": sets.get(start) or next(iter(sets.values()))}


def _axes(reports: Sequence[SiteReport]) -> dict[str, list[str]]:
    """The parameters that vary and their values as text, numbers by size."""
    found = {}
    for name in reports[0].parameters if reports else ():
        values = {format_setting(value): value for value in (r.parameters.get(name) for r in reports)}
        if len(values) > 1:
            found[name] = sorted(values, key=lambda t: (0, values[t], "") if is_number(values[t]) else (1, 0, t))
    return found


def _number(line: Line, i: int) -> tuple[str, str, str]:
    """Meaning, text and unit of a result, rounded for a glance: odds in per cent, else three digits at the least."""
    value, unit, text = line.values[i], line.unit or "", line.texts[i]
    if is_number(value) and unit == "probability":
        text, unit = f"{100 * value:.0f}%", ""
    elif isinstance(value, float) and line.unit is not None and abs(value) < 1000:
        text = format_value(float(f"{value:.3g}"), unit)
    return line.meaning or line.name, text, unit
