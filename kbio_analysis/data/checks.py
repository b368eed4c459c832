"""What a table must hold beyond its schema: the checks declared in its passport, under ``kbio.checks``.

Each is a mapping with ``check``, one of the names below, and what it needs. Within a table, at every load:

    order      rows stand in the order of ``columns`` (else of the primary key)
    calendar   each group of ``by`` runs along ``column`` without a gap but ``gaps`` (or those of the group), from
               ``first`` to ``last`` where they are given, or over its own span in ``spans``; groups in
               ``except`` may have gaps
    jump       along ``along`` no value of ``column`` in a group of ``by`` is more than ``factor`` times its
               neighbour, once the larger is ``at_least`` so much, but those in ``explained``, with the reason
    parts      within ``by`` the values of ``column`` add up to between ``low`` and ``high`` times the total: the
               row whose ``part`` is ``total``, or the number ``total`` itself
    dates      a text of ``column`` is a year, a month or a day that exists

Against other tables, by ``verify``:

    sums       within ``by`` the values of ``column`` add up to between ``low`` and ``high`` times those of ``total``
               in ``table``, of the rows ``of``
    known      each value of ``column`` stands in ``in`` of ``table``, or in ``also``
    sides      two ``columns`` against the two sides of ``tables``: swapped they must not fit ``factor`` times better

``where`` narrows a check to rows with these values, column by column, as in the release rules.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from .package import PACKAGE_FILE, Passport
from .parsing import place

if TYPE_CHECKING:
    from pandas import DataFrame

    Load = Callable[[str], DataFrame]

Found = Iterator[tuple[int, str, str]]
"""Line, column and what is wrong there."""


def check_table(frame: "DataFrame", passport: Passport, load: "Load | None" = None) -> None:
    """Hold a typed table (index: line of the file) against its own checks, or against other tables as ``load`` gives
    them. Raises DataError for the first failure.
    """
    kinds = _ACROSS if load else _WITHIN
    for spec in passport.kbio.get("checks", []):
        name = spec.get("check") if isinstance(spec, dict) else spec
        if name not in [*_WITHIN, *_ACROSS]:
            raise DataError(f"{PACKAGE_FILE}: table {passport.name} declares a check {name!r}; known are {_KNOWN}")
        if name not in kinds:
            continue
        if name == "order" and "columns" not in spec:
            spec = spec | {"columns": passport.primary_key}
        try:
            chosen = frame
            for column, values in spec.get("where", {}).items():
                chosen = chosen[chosen[column].isin(values)]
            found = sorted(kinds[name](chosen, spec, *([load] if load else [])), key=lambda one: one[0])
        except (KeyError, TypeError, ValueError, AttributeError, NotImplementedError) as problem:
            message = f"{PACKAGE_FILE}: table {passport.name}: the check {name!r} does not work"
            raise DataError(f"{message} ({type(problem).__name__}: {problem})") from None
        if found:
            line, column, said = found[0]
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            raise DataError(f"{place(passport.name, line, column)}: {said}{more}")


def _order(frame: "DataFrame", spec: dict[str, Any]) -> Found:
    import numpy as np

    columns = spec["columns"]
    ordered = frame.sort_values(columns, kind="stable").index.to_numpy()
    wrong = np.flatnonzero(ordered != frame.index.to_numpy())
    if len(wrong):
        # The first row that stands where another belongs.
        yield int(frame.index[wrong[0]]), ", ".join(columns), "the row stands out of order; sort the table"


def _calendar(frame: "DataFrame", spec: dict[str, Any]) -> Found:
    column, by, spans = spec["column"], spec.get("by", []), spec.get("spans", {})
    steps, known = frame[column].map(_ordinal), spec.get("gaps", [])
    for name, at in _groups(frame, by):
        if name in spec.get("except", {}):
            continue
        first, last = spans.get(name, (spec.get("first"), spec.get("last")))
        here = steps.loc[at].sort_values()
        gaps = {_ordinal(gap) for gap in (known.get(name, []) if isinstance(known, dict) else known)}
        who = f" of {name}" if name else ""
        for end, value, said in ((first, here.iloc[0], "begins"), (last, here.iloc[-1], "ends")):
            if end is not None and value != (wanted := _ordinal(end)):
                line = here.index[0 if said == "begins" else -1]
                yield int(line), column, f"the record{who} {said} here, not at {_shown(wanted, end)}"
        for line in here.index[here.diff() > 1]:
            lost = set(range(int(here.shift(1)[line]) + 1, here[line])) - gaps
            if lost:
                yield int(line), column, f"{_shown(min(lost), frame.at[line, column])}{who} is missing before it"
    missing = [name for name in spans if name not in {n for n, _ in _groups(frame, by)}]
    if missing:
        yield int(frame.index[0]), column, f"nothing is held of {missing[0]}, whose span the passport states"


def _jump(frame: "DataFrame", spec: dict[str, Any]) -> Found:
    import numpy as np

    column, along, by = spec["column"], spec["along"], spec.get("by", [])
    held = frame.dropna(subset=[column]).sort_values([*by, along])
    before = held.groupby(by, sort=False)[column].shift(1) if by else held[column].shift(1)
    value, floor = held[column], spec.get("at_least", 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.maximum(value / before, before / value)
    wide = held.index[(np.maximum(value, before) >= floor) & (times > spec["factor"])]
    for line in wide:
        name = " ".join([*(str(frame.at[line, c]) for c in by), str(frame.at[line, along])])
        if name not in spec.get("explained", {}):
            said = f"{value[line]:,g} after {before[line]:,g}, more than {spec['factor']:g} times"
            yield int(line), column, f"{said}; if it is so, say why under explained, {name!r}"


def _parts(frame: "DataFrame", spec: dict[str, Any]) -> Found:
    column, total = spec["column"], spec["total"]
    whole = frame[spec["part"]].eq(total) if "part" in spec else None
    for name, at in _groups(frame, spec["by"]):
        rows = frame.loc[at]
        if whole is None:
            yield from _beside(rows[column].sum(), float(total), rows.index[0], column, name, spec)
        elif whole.loc[at].any():
            line = whole.loc[at].idxmax()
            yield from _beside(rows.loc[~whole.loc[at], column].sum(), frame.at[line, column], line, column, name, spec)


def _dates(frame: "DataFrame", spec: dict[str, Any]) -> Found:
    for line, text in frame[spec["column"]].items():
        parts = str(text).split("-") if text else ["2000"]
        try:
            date(*(int(part) for part in [*parts, "1", "1"][:3]))
        except ValueError:
            yield int(line), spec["column"], f"{text!r} is no date of the calendar"


def _sums(frame: "DataFrame", spec: dict[str, Any], load: "Load") -> Found:
    column, by = spec["column"], spec["by"]
    if by == ["year"] and "year" not in frame:
        frame = frame.assign(year=frame["month"].dt.year)
    totals = load(spec["table"])
    for name, values in spec.get("of", {}).items():
        totals = totals[totals[name].isin(values)]
    known = totals.groupby(totals[by[0]].astype(str))[spec["total"]].sum()
    for name, at in _groups(frame, by):
        if name in known:
            yield from _beside(frame.loc[at, column].sum(), known[name], at[0], column, name, spec)


def _known(frame: "DataFrame", spec: dict[str, Any], load: "Load") -> Found:
    values, others = frame[spec["column"]], spec.get("also", [])
    known = {*load(spec["table"])[spec["in"]], *others, ""}
    for line in frame.index[~values.isin(known)]:
        yield int(line), spec["column"], f"{frame.at[line, spec['column']]!r} is not in the table {spec['table']}"


def _sides(frame: "DataFrame", spec: dict[str, Any], load: "Load") -> Found:
    import numpy as np

    first, second = spec["columns"]
    held = frame.reset_index(names="_line")
    for side, (table, column) in enumerate(spec["tables"].items()):
        held = held.merge(load(table)[[*spec["by"], column]].rename(columns={column: f"_{side}"}), on=spec["by"])
    held = held[(held[[first, second, "_0", "_1"]] > spec.get("at_least", 0)).all(axis=1)]
    logs = {name: np.log(held[name]) for name in (first, second, "_0", "_1")}
    straight = (logs[first] - logs["_0"]).abs() + (logs[second] - logs["_1"]).abs()
    crossed = (logs[first] - logs["_1"]).abs() + (logs[second] - logs["_0"]).abs()
    for _, row in held[straight - crossed > np.log(spec["factor"])].iterrows():
        name = " ".join(str(row[c]) for c in spec["by"])
        if name not in spec.get("explained", {}):
            said = f"{name}: {first} and {second} fit the other record better when they are swapped"
            yield int(row["_line"]), f"{first}, {second}", said


def _groups(frame: "DataFrame", by: list[str]) -> list[tuple[str, Any]]:
    """Name and lines of each group; one without a name where nothing tells rows apart."""
    if not by:
        return [("", frame.index)]
    return [
        (" ".join(str(part) for part in name), list(lines))
        for name, lines in frame.groupby(by[0] if len(by) == 1 else by, sort=False).groups.items()
        for name in [name if isinstance(name, tuple) else (name,)]
    ]


def _beside(found: float, total: float, line: Any, column: str, name: str, spec: dict[str, Any]) -> Found:
    low, high = spec.get("low", 0), spec["high"]
    if not low * total <= found <= high * total and name not in spec.get("explained", {}):
        share = f"{100 * found / total:.2f}%" if total else "more"
        yield int(line), column, f"{name}: the parts make {share} of the total, not {100 * low:g} to {100 * high:g}%"


def _ordinal(value: Any) -> int:
    """A year, or a month, as a number that grows by one."""
    text = str(value)
    return int(text[:4]) * 12 + int(text[5:7]) - 1 if "-" in text else int(text)


def _shown(ordinal: int, like: Any) -> str:
    return f"{ordinal // 12}-{ordinal % 12 + 1:02d}" if "-" in str(like) else str(ordinal)


_WITHIN = {"order": _order, "calendar": _calendar, "jump": _jump, "parts": _parts, "dates": _dates}
_ACROSS = {"sums": _sums, "known": _known, "sides": _sides}
_KNOWN = ", ".join([*_WITHIN, *_ACROSS])
