"""Which tables stand behind what a cell shows: those its lines asked for, and those its names were made from."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

NOT_SHOWN = {"sources"}  # whom to name; every table refers to it


def mark_tables(cells: Iterable[Any], lines: Iterable[tuple[str, int, str]]) -> None:
    """Write into the metadata of each code cell, under ``kbio``, the ``tables`` behind it.

    ``lines``: cell, line and table of every reading. Names are followed statement by statement; what a name once was
    no longer counts when it is given anew.
    """
    made: dict[str, set[str]] = {}
    for number, cell in enumerate((cell for cell in cells if cell["cell_type"] == "code"), start=1):
        asked = [
            (line, table) for place, line, table in lines if place == f"<cell {number}>" and table not in NOT_SHOWN
        ]
        try:
            statements = ast.parse(cell["source"]).body
        except SyntaxError:  # a cell of prose
            continue
        behind: set[str] = set()
        for statement in statements:
            own = {table for line, table in asked if statement.lineno <= line <= (statement.end_lineno or 0)}
            behind |= _followed(statement, own, made)
        if behind:
            cell["metadata"].setdefault("kbio", {})["tables"] = sorted(behind)


def _followed(statement: ast.stmt, own: set[str], made: dict[str, set[str]]) -> set[str]:
    """The tables behind one statement; what it gives a name to is made from them."""
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    behind = own.union(*(made.get(node.id, ()) for node in names if isinstance(node.ctx, ast.Load)))
    adds = not isinstance(statement, ast.Assign | ast.AnnAssign)
    for node in names:
        if isinstance(node.ctx, ast.Store):
            made[node.id] = behind | (made.get(node.id, set()) if adds else set())
    for node in ast.walk(statement):
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            root = next((part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)), "")
            made[root] = made.get(root, set()) | behind
    return behind
