"""The notebook libraries, imported once and without what costs most and serves nothing here.

nbformat checks notebooks with jsonschema, and where JupyterLab is installed too, jsonschema compiles a grammar for
IRIs at import: more than a second of every process, for a format no notebook uses. papermill imports pyarrow for
notebooks on Hadoop, and with it a thread that must not be in a process that forks. Both do without; so the two are
kept out of sight during these imports, and found again by anyone who asks for them later.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_COSTLY = ("rfc3987_syntax", "pyarrow")


@contextmanager
def _out_of_sight(*modules: str) -> Iterator[None]:
    hidden = [module for module in modules if module not in sys.modules]
    for module in hidden:
        sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for module in hidden:
            del sys.modules[module]


with _out_of_sight(*_COSTLY):
    import jsonschema  # noqa: F401
    import nbformat
    from nbclient.exceptions import CellExecutionError, DeadKernelError
    from nbformat import NotebookNode
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import Engine, papermill_engines

__all__ = [
    "CellExecutionError",
    "DeadKernelError",
    "Engine",
    "NotebookNode",
    "PapermillNotebookClient",
    "nbformat",
    "papermill_engines",
]
