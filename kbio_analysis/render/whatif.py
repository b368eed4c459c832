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

FEWEST_SETS, MOST_CHART_CHARACTERS = 4, 4_000_000

_CHART = re.compile(r'<figure class="chart".*?</figure>', re.DOTALL)


def what_if(batch: Batch, section: Mapping[str, Any], site: Path) -> dict[str, Any] | None:
    """What the page shows of a section of the batch's page; None if its reports are no grid.

    ``choices`` are the parameters with their values as text; ``sets`` has for each report its ``key`` (a text a
    choice), and what it says: its answer, ``numbers`` (meaning, text, unit) and ``chart``.
    """
    reports = [r for r in batch.reports if r.notebook == section["notebook"] and r.parameters]
    axes = _axes(reports)
    combinations = prod(map(len, axes.values()))
    if not axes or len(reports) < FEWEST_SETS or combinations > 2 * len(reports):
        return None
    cells = {row["report"].set: row["cells"] for row in section["rows"]}
    sets = {}
    for report in reports:
        key = tuple(format_setting(report.parameters.get(name)) for name in axes)
        numbers = [_number(*both) for both in zip(section["heads"], cells.get(report.set, ()), strict=False)]
        sets.setdefault(key, {"key": key, "report": report, "numbers": numbers, "chart": _chart(site, report)})
    if sum(len(one["chart"]) for one in sets.values()) > MOST_CHART_CHARACTERS:
        sets = {key: one | {"chart": ""} for key, one in sets.items()}
    declared = _declared(site, reports)
    start = _start(axes, declared, sets)
    choices = [
        {
            "name": name,
            "meaning": getattr(declared.get(name), "meaning", "") or name,
            "unit": getattr(declared.get(name), "unit", "") or "",
            "values": values,
            "start": start[i],
        }
        for i, (name, values) in enumerate(axes.items())
    ]
    shown = {"choices": choices, "sets": list(sets.values()), "start": sets[start], "combinations": combinations}
    return shown | {"question": section["question"], "notebook": section["notebook"], "batch": batch}


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


def _start(axes: Mapping[str, Sequence[str]], declared: Mapping[str, Parameter], sets: Mapping[Any, Any]) -> Any:
    """The choice to begin with: the notebook's own values where the grid has them, if there is such a set."""
    usual = {name: format_setting(getattr(declared.get(name), "default", None)) for name in axes}
    key = tuple(usual[name] if usual[name] in values else values[0] for name, values in axes.items())
    return key if key in sets else next(iter(sets))


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
