"""``kbio`` among papermill's engines: what papermill calls to run a notebook, and our client that does it.

Registered when this module is imported, not by an entry point: papermill loads those while it is itself half imported.
"""

from __future__ import annotations

from collections.abc import Mapping

from papermill.engines import Engine, NotebookExecutionManager, papermill_engines

ENGINE = "kbio"


class ReportEngine(Engine):
    """Runs a notebook to its end or raises; a dead kernel and a time-out never pass for completed."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        limit_seconds: float | None = None,
        environment: Mapping[str, str] | None = None,
        findings: dict[str, object] | None = None,
        recorded: bytes | None = None,
        **_papermills_own: object,
    ) -> None:
        """Run every cell of ``nb_man.nb`` in place.

        ``limit_seconds`` is for the whole notebook. ``environment`` is added to the kernel's. ``recorded`` is the
        bundle of other notebooks' records, for a composed one. Into ``findings`` go ``tables`` and ``reports`` (what
        the notebook read -> sha256), and also on failure ``log`` (text) and ``cpu`` (seconds the kernel used, of its
        ``start`` and of its ``cells``).
        Raises kbio_analysis.render.execution.StoppedError when the notebook did not get to its end.
        """
        from kbio_analysis.render.execution import ReportClient

        client = ReportClient(nb_man, kernel_name=kernel_name)
        collected = findings if findings is not None else {}
        client.execute(
            limit_seconds=limit_seconds, environment=environment or {}, findings=collected, recorded=recorded
        )


papermill_engines.register(ENGINE, ReportEngine)
