"""What changed between two states of a table, cell by cell: rows new or gone, values revised and by how much."""

import subprocess
from typing import TYPE_CHECKING

from ..reading import rows_of

if TYPE_CHECKING:
    from .package import Passport

SHOWN = 40  # lines of one table; the rest is counted


def cell_changes(before: bytes, after: bytes, passport: "Passport") -> list[str]:
    """One line a change, rows matched by the primary key; the rows' lines in the file play no part."""
    was, now = _rows(before, passport), _rows(after, passport)
    lines = [f"  new      {_said(key, passport)}" for key in now.keys() - was.keys()]
    lines += [f"  gone     {_said(key, passport)}" for key in was.keys() - now.keys()]
    for key in was.keys() & now.keys():
        for column in now[key].keys() | was[key].keys():
            old, new = was[key].get(column, ""), now[key].get(column, "")
            if old != new:
                lines.append(
                    f"  revised  {_said(key, passport)}: {column} {old or 'blank'} -> {new or 'blank'}{_size(old, new)}"
                )
    lines.sort()
    if len(lines) > SHOWN:
        kinds = [line.split()[0] for line in lines[SHOWN:]]
        rest = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("new", "gone", "revised") if kind in kinds)
        lines[SHOWN:] = [f"  and {rest} more"]
    return lines or (["  the same cells, in another order or written otherwise"] if before != after else [])


def committed(passport: "Passport") -> bytes | None:
    """The table as it was committed last, for a comparison; None where git cannot tell."""
    command = ["git", "-C", str(passport.path.parent), "show", f"HEAD:./{passport.path.name}"]
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def _rows(raw: bytes, passport: "Passport") -> dict[tuple[str, ...], dict[str, str]]:
    rows = rows_of(raw)
    keys = [name for name in passport.primary_key if rows and name in rows[0]] or list(rows[0] if rows else [])
    return {tuple(row[name] for name in keys): {n: v for n, v in row.items() if n and n not in keys} for row in rows}


def _said(key: tuple[str, ...], passport: "Passport") -> str:
    names = passport.primary_key
    return ", ".join(f"{n}={v}" for n, v in zip(names, key, strict=True)) if len(names) == len(key) else ", ".join(key)


def _size(old: str, new: str) -> str:
    try:
        return f" ({100 * (float(new) / float(old) - 1):+.1f}%)"
    except (ValueError, ZeroDivisionError):
        return ""
