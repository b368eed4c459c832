"""When a figure could first be used: the release rules that ``available_from`` follows, read from the passports.

A passport's ``kbio.available_from`` is a list of rules; the first whose ``where`` fits a row decides. A rule is
either ``{"source_published": true}`` (the date of the row's source, a month or year standing for its last day) or
``{"months_after": n, "day": d}`` (day d of the n-th month after the row's month or year has ended).
"""

import calendar
from collections.abc import Mapping
from datetime import date
from typing import Any

from ..errors import DataError


def expected_date(row: Mapping[str, Any], rules: list[dict[str, Any]], published: Mapping[str, str]) -> date | None:
    """The date the rules give for a row (with ``year`` or ``month``), or None if no rule fits.

    ``published`` maps a source_id to its date as YYYY, YYYY-MM or YYYY-MM-DD. Raises DataError if a date is needed
    from a source that has none.
    """
    for rule in rules:
        if any(row[column] not in values for column, values in rule.get("where", {}).items()):
            continue
        if rule.get("source_published"):
            return last_day(published.get(row["source_id"], ""), row["source_id"])
        year, month = (row["month"].year, row["month"].month) if "month" in row else (row["year"], 12)
        months = year * 12 + month - 1 + rule["months_after"]
        return date(months // 12, months % 12 + 1, rule["day"])
    return None


def last_day(published: str, source_id: str) -> date:
    """The last day that a date known to the year, month or day may stand for. Raises DataError if it is blank."""
    parts = [int(part) for part in published.split("-") if part]
    if not parts:
        raise DataError(f"table sources: {source_id} has no date of publication, yet a figure's release rests on it")
    year, month = parts[0], parts[1] if len(parts) > 1 else 12
    day = parts[2] if len(parts) > 2 else calendar.monthrange(year, month)[1]
    return date(year, month, day)
