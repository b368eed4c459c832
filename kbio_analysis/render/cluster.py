"""The workers of a Dask cluster as an executor: ``dask.distributed``'s own, with the tables sent along as bytes.

The cluster needs the same kbio_analysis on scheduler and workers, and no shared disk. A job whose worker dies is done
by another one; Dask itself sees to that. How to start a cluster is told in docs/cluster.md.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kbio_analysis.errors import ExecutionError, UsageError
from kbio_analysis.render.carry import Packed, pack, perform, require_same_code
from kbio_analysis.render.executors import Tls
from kbio_analysis.render.job import Job
from kbio_analysis.render.provenance import package_hash

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

CONNECT_SECONDS = 15
FIRST_WORKER_SECONDS = 30
NO_WORKER_SECONDS = 60.0
_LOOK_SECONDS = 2.0


@contextmanager
def connected(address: str, tls: Tls) -> Iterator[Cluster]:
    """The cluster of the scheduler at ``address`` (``tcp://host:port`` or ``tls://host:port``).

    Without ``tls`` Dask's own configuration (``distributed.comm.tls``) says which certificates to show.
    Raises UsageError without the package ``distributed`` or with half a certificate, ExecutionError when the
    scheduler cannot be reached, has no worker, or has one with other code than ours.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            "--scheduler needs the package distributed; install kbio-analysis with its extra: kbio-analysis[cluster]"
        ) from None
    security = _security(address, tls)
    try:
        client = Client(address, security=security, timeout=CONNECT_SECONDS, set_as_default=False, name="kbio")
    except (OSError, TimeoutError, ValueError, TypeError) as problem:
        raise ExecutionError(f"no Dask scheduler answers at {address}: {_first_line(problem)}") from problem
    with client:
        yield Cluster(client, address, package_hash())


def _security(address: str, tls: Tls) -> Any:
    if not tls:
        return None
    from distributed import Security

    if not address.startswith("tls://"):
        raise UsageError(f"certificates are given but {address} is no encrypted address; write tls://HOST:PORT")
    for option, path in (("--tls-ca", tls.ca), ("--tls-cert", tls.cert), ("--tls-key", tls.key)):
        if path is None:
            raise UsageError(f"{option} is missing; a link needs --tls-ca, --tls-cert and --tls-key")
        if not path.is_file():
            raise UsageError(f"{option}: there is no file {path}")
    return Security(
        tls_ca_file=str(tls.ca),
        tls_client_cert=str(tls.cert),
        tls_client_key=str(tls.key),
        require_encryption=True,
    )


class Cluster:
    """A connected cluster. Raises ExecutionError unless all of it has the package with the hash ``code``."""

    def __init__(self, client: Client, address: str, code: str) -> None:
        self._client = client
        self._address = address
        self._code = code
        self._tables: dict[str, DaskFuture] = {}
        self._require_our_code()

    @property
    def workers(self) -> int:
        """How many jobs the cluster does at a time."""
        return max(1, sum(self._client.nthreads().values()))

    def executor(self, _workers: int) -> Executor:
        """An executor over all workers of the cluster."""
        return _ClusterExecutor(self._client, self._address, self._code, self._tables_of)

    def _require_our_code(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=FIRST_WORKER_SECONDS)
        except TimeoutError:
            raise ExecutionError(f"the scheduler at {self._address} has no worker; start some: dask worker") from None
        try:
            found = {self._address: self._client.run_on_scheduler(package_hash)} | self._client.run(package_hash)
        except ImportError as missing:
            message = f"the cluster at {self._address} cannot import kbio_analysis ({missing}); install it there"
            raise ExecutionError(message) from missing
        for where, code in found.items():
            require_same_code(self._code, code, where)

    def _tables_of(self, job: Job) -> DaskFuture | None:
        """The packed tables of a job, sent to the cluster once.

        They are the result of a task, not scattered data: should every worker that has them die, they are made anew.
        """
        if job.data is None:
            return None
        if job.data not in self._tables:
            packed = pack(Path(job.data))
            key = f"kbio-tables-{packed.sha256}"
            self._tables[job.data] = self._client.submit(_as_it_is, packed, key=key)
        return self._tables[job.data]


def _as_it_is(packed: Packed) -> Packed:
    return packed


def _at_worker(work: Callable[[Job], Any], job: Job, code: str, tables: Packed | None) -> Any:
    from distributed import get_worker

    # Dask clears that folder also after a worker that was killed.
    return perform(work, job, code, tables, home=get_worker().local_directory)


class _ClusterExecutor(Executor):
    """Dask's executor, each job with its tables and the hash of the code that has to do it."""

    def __init__(self, client: Client, address: str, code: str, tables_of: Callable[[Job], DaskFuture | None]) -> None:
        self._client = client
        self._address = address
        self._code = code
        self._tables_of = tables_of
        self._inner = client.get_executor(pure=False)
        self._given: set[Future] = set()
        self._closed = threading.Event()
        self._watch = threading.Thread(target=self._look_after, name="kbio-cluster-watch", daemon=True)
        self._watch.start()

    def submit(self, fn: Callable[[Job], Any], /, *args: Any, **_none: Any) -> Future:
        """Send a job to the cluster."""
        (job,) = args
        given: Future = Future()
        given.set_running_or_notify_cancel()
        self._given.add(given)
        task = self._inner.submit(_at_worker, fn, job, self._code, self._tables_of(job))
        task.add_done_callback(partial(self._hand_over, given))
        return given

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End; without ``wait`` the cluster is told to drop what it has not begun."""
        self._closed.set()
        self._watch.join(_LOOK_SECONDS)
        self._inner.shutdown(wait=wait and not cancel_futures)

    def _hand_over(self, given: Future, task: Future) -> None:
        from distributed import KilledWorker

        try:
            result = task.result()
        except KilledWorker:
            # Dask blames every job that was on the worker; which one it was is found by running them again.
            problem: BaseException = BrokenExecutor("the workers that had the job were killed")
        except CancelledError:
            problem = ExecutionError(f"the link to the scheduler at {self._address} is lost; run again")
        except Exception as raised:
            # Whatever the worker raised is the caller's to hear, as from any executor.
            problem = raised
        else:
            self._finish(given, result=result)
            return
        self._finish(given, problem=problem)

    def _finish(self, given: Future, *, result: Any = None, problem: BaseException | None = None) -> None:
        try:
            self._given.remove(given)
        except KeyError:
            return  # whoever took it out has answered
        if problem is None:
            given.set_result(result)
        else:
            given.set_exception(problem)

    def _look_after(self) -> None:
        """A cluster that has lost all its workers keeps its jobs waiting for ever: say so instead."""
        without = 0.0
        while not self._closed.wait(_LOOK_SECONDS):
            try:
                alone = not self._client.nthreads()
            except (OSError, TimeoutError, ValueError):
                alone = True
            without = without + _LOOK_SECONDS if alone else 0.0
            if without >= NO_WORKER_SECONDS:
                problem = ExecutionError(f"the cluster at {self._address} has had no worker for {without:.0f} s")
                for given in list(self._given):
                    self._finish(given, problem=problem)
                return


def _first_line(problem: BaseException) -> str:
    return next(iter(str(problem).splitlines()), type(problem).__name__)
