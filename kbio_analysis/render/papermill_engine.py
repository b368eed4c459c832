"""What papermill's entry point ``kbio`` names: the engine, brought in when it is first used.

papermill loads its engines while it is itself half imported, when a class that builds on its own cannot be made yet.
"""

from typing import Any


class _Engine:
    def __getattr__(self, name: str) -> Any:
        from kbio_analysis.render.engine import KbioEngine

        return getattr(KbioEngine, name)


engine = _Engine()
