"""The what-if page of a batch that is a grid: choose a value of each parameter, see that set's answer and figures.

The grid is read off the reports themselves: the parameters that vary among a batch's reports of one notebook, where
those reports fill at least half of the combinations. What the page shows of a set is taken from its report.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from markupsafe import Markup

from kbio_analysis.errors import KbioError
from kbio_analysis.render.formats import format_setting, format_value
from kbio_analysis.render.parameters import Parameter, read_source
from kbio_analysis.render.results import PAGE, SiteReport, is_number
from kbio_analysis.render.side_by_side import Batch

FEWEST_SETS, MOST_SETS, MOST_CHART_CHARACTERS = 4, 500, 4_000_000

_CHART = re.compile(r'<figure class="chart".*?</figure>', re.DOTALL)


def what_if(batch: Batch, section: Mapping[str, Any], site: Path) -> dict[str, Any] | None:
    """What the page shows of a section of the batch's page; None if its reports are no grid.

    ``axes`` are the parameters with their values as text, ``declared`` what the notebook says of them; ``sets`` has for
    each report its ``key`` (a text a parameter), its ``numbers`` (meaning, text, unit) and its ``chart``.
    """
    reports = [r for r in batch.reports if r.notebook == section["notebook"] and r.parameters]
    axes = _axes(reports)
    combinations = prod(map(len, axes.values()))
    if not axes or not FEWEST_SETS <= len(reports) <= MOST_SETS or combinations > 2 * len(reports):
        return None
    cells, room = {row["report"].set: row["cells"] for row in section["rows"]}, MOST_CHART_CHARACTERS
    sets: dict[tuple[str, ...], dict[str, Any]] = {}
    for report in reports:
        key = tuple(format_setting(report.parameters.get(name)) for name in axes)
        numbers = [_number(*both) for both in zip(section["heads"], cells.get(report.set, ()), strict=False)]
        chart = _chart(site, report) if room > 0 else Markup("")
        room -= len(chart)
        sets.setdefault(key, {"key": key, "report": report, "numbers": numbers, "chart": chart})
    if room < 0:
        sets = {key: one | {"chart": ""} for key, one in sets.items()}
    declared = _declared(site, reports)
    usual = [format_setting(getattr(declared.get(name), "default", None)) for name in axes]
    start = tuple(own if own in values else values[0] for own, values in zip(usual, axes.values(), strict=True))
    shown = {"batch": batch, "question": section["question"], "notebook": section["notebook"], "axes": axes}
    shown |= {"declared": declared, "sets": list(sets.values()), "combinations": combinations}
    return shown | {"start": sets.get(start) or next(iter(sets.values()))}


def _axes(reports: Sequence[SiteReport]) -> dict[str, list[str]]:
    """The parameters that vary and their values as text, numbers by size."""
    found = {}
    for name in reports[0].parameters if reports else ():
        values = {format_setting(value): value for value in (r.parameters.get(name) for r in reports)}
        if len(values) > 1:
            found[name] = sorted(values, key=lambda t: (0, values[t], "") if is_number(values[t]) else (1, 0, t))
    return found


def _declared(site: Path, reports: Sequence[SiteReport]) -> dict[str, Parameter]:
    """What the notebook says of its parameters, from the first report that can be read."""
    for report in reports:
        try:
            source = (site / report.notebook / report.set / "executed.ipynb").read_bytes()
            return {one.name: one for one in read_source(report.notebook, source).parameters}
        except (OSError, KbioError):
            continue
    return {}


def _number(head: Mapping[str, Any], cell: Mapping[str, Any]) -> tuple[str, str, str]:
    """Meaning, text and unit of a result, rounded for a glance: odds in per cent, else three digits and no less than
    its whole part."""
    value, unit, text = cell["sorts"], head["unit"], cell["text"]
    if value is not None and unit == "probability":
        text, unit = f"{100 * value:.0f}%", ""
    elif isinstance(value, float) and abs(value) < 1000:
        text = format_value(float(f"{value:.3g}"), unit)
    return head["meaning"] or head["name"], text or "none", unit


def _chart(site: Path, report: SiteReport) -> Markup:
    """The first chart of a report as it stands on its page, which holds nothing that runs; empty if there is none."""
    try:
        found = _CHART.search((site / report.notebook / report.set / PAGE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        found = None
    return Markup(found[0]) if found and report.good else Markup("")
