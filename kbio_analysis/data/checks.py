"""What a table must hold beyond its schema: the checks that its passport declares under ``kbio.checks``, each a mapping
with ``check``, a name, and what it needs. ``data/README.md`` says what each of them asks.
"""

import calendar
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from .package import PACKAGE_FILE, Passport
from .schemas import place

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    Load = Callable[[str], DataFrame]

Spec = dict[str, Any]
Found = Iterator[tuple[int, str, str]]
"""Line, column and what is wrong there."""


def check_table(frame: "DataFrame", passport: Passport, load: "Load | None" = None) -> None:
    """Hold a typed table (index: line of the file) against its own checks, or against other tables as ``load`` gives
    them. Raises DataError for the first failure.
    """
    specs, kinds = passport.kbio.get("checks", []), _ACROSS if load else _WITHIN
    if load and "available_from" in frame and passport.kbio.get("available_from"):
        specs = [*specs, {"check": "release", "rules": passport.kbio["available_from"]}]
    for spec in specs:
        name, chosen, where = spec.get("check"), frame, f"{PACKAGE_FILE}: table {passport.name}"
        if name not in (known := _WITHIN | _ACROSS):
            raise DataError(f"{where} declares a check {name!r}; known are {', '.join(known)}")
        if name not in kinds:
            continue
        try:
            for column, values in spec.get("where", {}).items():
                chosen = chosen[chosen[column].isin(values)]
            given = [chosen, {"columns": passport.primary_key} | spec, *([load] if load else [])]
            found = sorted(kinds[name](*given), key=lambda one: one[0])
        except (KeyError, TypeError, ValueError, AttributeError, NotImplementedError) as problem:
            said = f"the check {name!r} does not work ({type(problem).__name__}: {problem})"
            raise DataError(f"{where}: {said}") from None
        if found:
            line, column, said = found[0]
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            raise DataError(f"{place(passport.name, line, column)}: {said}{more}")


def due_date(row: Mapping[str, Any], rules: list[dict[str, Any]], published: Mapping[str, str]) -> date | None:
    """The date the rules give for a row (with ``year`` or ``month``, typed or as text), or None if no rule fits.

    ``published`` maps a source_id to its date as YYYY, YYYY-MM or YYYY-MM-DD. Raises DataError if a date is needed
    from a source that has none.
    """
    for rule in rules:
        if any(str(row[column]) not in map(str, values) for column, values in rule.get("where", {}).items()):
            continue
        if rule.get("released"):
            return date.fromisoformat(rule["released"])
        if not rule.get("source_published"):
            return _day(str(row.get("month") or row["year"]), rule["months_after"], rule["day"])
        if not published.get(row["source_id"]):
            said = "has no date of publication, yet a figure's release rests on it"
            raise DataError(f"table sources: {row['source_id']} {said}")
        return _day(published[row["source_id"]])
    return None


def _day(text: str, months: int = 0, day: int = 31) -> date:
    """``day`` of the month that ends ``months`` after a month or a year, or the last of it; of a date, that date."""
    given = [int(part) for part in text.split("-")]
    year, month, day = [*given, *[12, day][len(given) - 1 :]]
    year, month = divmod(year * 12 + month - 1 + months, 12)
    return date(year, month + 1, min(day, calendar.monthrange(year, month + 1)[1]))


def _order(frame: "DataFrame", spec: Spec) -> Found:
    ordered = frame.sort_values(spec["columns"], kind="stable").index
    for line in frame.index[ordered != frame.index][:1]:  # the first row that stands where another belongs
        yield line, ", ".join(spec["columns"]), "the row stands out of order; sort the table"


def _calendar(frame: "DataFrame", spec: Spec) -> Found:
    column, spans, known = spec["column"], spec.get("spans", {}), spec.get("gaps", [])
    groups: dict[str, dict[int, int]] = {}
    for line, name, value in zip(frame.index, _names(frame, spec.get("by", [])), frame[column].tolist(), strict=True):
        groups.setdefault(name, {})[_ordinal(value)] = line
    monthly = "-" in str(frame[column].iloc[0])
    for name in groups.keys() - spec.get("except", {}):
        held, who = groups[name], f" of {name}" if name else ""
        ends = spans.get(name, (spec.get("first"), spec.get("last")))
        first, last = (pick(held) if end is None else _ordinal(end) for end, pick in zip(ends, (min, max), strict=True))
        gaps = {_ordinal(gap) for gap in (known.get(name, []) if isinstance(known, dict) else known)}
        for step in {*range(first, last + 1)} - held.keys() - gaps:
            said = f"{step // 12}-{step % 12 + 1:02d}" if monthly else step
            yield held[min((n for n in held if n > step), default=max(held))], column, f"{said}{who} is missing here"
        for step in held.keys() - {*range(first, last + 1)}:
            yield held[step], column, f"the record{who} runs from {ends[0]} to {ends[1]}, says the passport"
    for name in spans.keys() - groups.keys():
        yield frame.index[0], column, f"nothing is held of {name}, whose span the passport states"


def _jump(frame: "DataFrame", spec: Spec) -> Found:
    import numpy as np

    column, along, by = spec["column"], spec["along"], spec.get("by", [])
    held = frame.dropna(subset=[column]).sort_values([*by, along])
    value = held[column]
    before = value.groupby([held[name] for name in by] or np.zeros(len(held))).shift(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.maximum(value / before, before / value)
    wide = (np.maximum(value, before) >= spec.get("at_least", 0)) & (times > spec["factor"])
    names = _names(held[wide], [*by, along])
    for line in names.index[~names.isin(spec.get("explained", {}))]:
        said = f"{value[line]:,g} after {before[line]:,g}, more than {spec['factor']:g} times"
        yield line, column, f"{said}; if it is so, say why under explained, {names[line]!r}"


def _parts(frame: "DataFrame", spec: Spec) -> Found:
    total, names = spec["total"], _names(frame, spec["by"])
    if "part" not in spec:
        return _shares(frame, names, dict.fromkeys(names.unique(), float(total)), spec)
    whole = frame[spec["part"]] == total
    return _shares(frame[~whole], names, frame[spec["column"]].groupby(names[whole]).first(), spec)


def _sums(frame: "DataFrame", spec: Spec, load: "Load") -> Found:
    if "year" in spec["by"] and "year" not in frame:
        frame = frame.assign(year=frame["month"].dt.year)
    totals = load(spec["table"])
    for name, values in spec.get("of", {}).items():
        totals = totals[totals[name].isin(values)]
    totals = totals.groupby(totals[spec["by"][0]].astype(str))[spec["total"]].sum()
    return _shares(frame, _names(frame, spec["by"]), totals, spec)


def _shares(frame: "DataFrame", names: "Series", totals: Mapping[str, float], spec: Spec) -> Found:
    """The groups whose values do not add up to a share of their total between ``low`` and ``high``."""
    column, low, high = spec["column"], spec.get("low", 0), spec["high"]
    for name, part in frame[column].groupby(names):
        found, total = part.sum(), totals.get(name, 0.0)
        if name in totals and not low * total <= found <= high * total and name not in spec.get("explained", {}):
            share = f"{100 * found / total:.2f}%" if total else "more"
            said = f"{name}: the parts make {share} of the total, not {100 * low:g} to {100 * high:g}%"
            yield part.index[0], column, said


def _dates(frame: "DataFrame", spec: Spec) -> Found:
    for line, text in frame[spec["column"]].items():
        try:
            date(*(int(part) for part in [*(text or "2000").split("-"), "1", "1"][:3]))
        except ValueError:
            yield line, spec["column"], f"{text!r} is no date of the calendar"


def _known(frame: "DataFrame", spec: Spec, load: "Load") -> Found:
    values = frame[spec["column"]]
    for line, value in values[~values.isin([*load(spec["table"])[spec["in"]], *spec.get("also", []), ""])].items():
        yield line, spec["column"], f"{value!r} is not in the table {spec['table']}"


def _sides(frame: "DataFrame", spec: Spec, load: "Load") -> Found:
    import numpy as np

    columns = (first, second) = spec["columns"]
    held = frame.assign(line=frame.index)
    for side, (table, column) in zip("ab", spec["tables"].items(), strict=True):
        held = held.merge(load(table)[[*spec["by"], column]].rename(columns={column: side}), on=spec["by"])
    held = held[(held[[*columns, "a", "b"]] > spec.get("at_least", 0)).all(axis=1)]
    log = np.log(held[[*columns, "a", "b"]])
    straight = (log[first] - log["a"]).abs() + (log[second] - log["b"]).abs()
    crossed = (log[first] - log["b"]).abs() + (log[second] - log["a"]).abs()
    names = _names(held, spec["by"])
    swapped = (straight - crossed > np.log(spec["factor"])) & ~names.isin(spec.get("explained", {}))
    for line, name in zip(held["line"][swapped], names[swapped], strict=True):
        said = f"{name}: {first} and {second} fit the other record better when they are swapped"
        yield line, f"{first}, {second}", said


def _release(frame: "DataFrame", spec: Spec, load: "Load") -> Found:
    published = load("sources").set_index("source_id")["published"]
    for line, row in zip(frame.index, frame.to_dict("records"), strict=True):
        due, found = due_date(row, spec["rules"], published), row["available_from"].date()
        if due != found:
            said = f"the release rule gives {due}" if due else "no release rule fits the row"
            yield line, "available_from", f"{found}, but {said}"


def _names(frame: "DataFrame", by: list[str]) -> "Series":
    """What the group of each row is called, by line; all are one where nothing tells rows apart."""
    import pandas as pd

    texts = [frame[column].astype(str).to_numpy() for column in by]
    return pd.Series([" ".join(parts) for parts in zip(*texts, strict=True)] if by else "", frame.index, dtype=object)


def _ordinal(value: Any) -> int:
    """A year, or a month, as a number that grows by one."""
    text = str(value)
    return int(text[:4]) * 12 + int(text[5:7]) - 1 if "-" in text else int(text)


_WITHIN = {"order": _order, "calendar": _calendar, "jump": _jump, "parts": _parts, "dates": _dates}
_ACROSS = {"sums": _sums, "known": _known, "sides": _sides, "release": _release}
