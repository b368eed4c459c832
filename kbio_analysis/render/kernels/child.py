"""From a fresh fork to a kernel: nothing of the server or of the client's other kernels is carried over.

What the server has imported stays; everything a process could notice about having been forked is put right:
session, open files, signals, environment, folder, random state, matplotlib's settings, ``__main__`` and ``sys.argv``.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import locale
import os
import random
import signal
import socket
import sys
import threading
import time
import traceback
import types
from typing import NoReturn

from kbio_analysis.render.kernels import wire

_PR_SET_PDEATHSIG = 1
_CONTROL_SECONDS = 2.0
_INLINE = "module://matplotlib_inline.backend_inline"


def become_kernel(
    order: dict, connection: socket.socket, descriptors: list[int], by_libraries: dict[str, str]
) -> NoReturn:
    """Turn this forked process into the kernel that ``order`` asks for; never returns.

    ``order`` has ``arguments`` (those of kernel_main), ``env`` and ``cwd``; ``descriptors`` are the kernel's
    standard output and error; ``by_libraries`` are the variables that imports have set. On ``connection`` the client
    is told the process id when the kernel is ready, or why it cannot be.
    """
    code: object = 1
    try:
        server = os.getppid()
        os.setsid()
        _die_with(server)
        _redirect(descriptors)
        if _settle(order, connection):
            _take_environment({**by_libraries, **order["env"]})
            _renew_libraries()
            code = _run_kernel(order["arguments"], server, connection)
    except SystemExit as left:
        code = left.code
    except BaseException:  # this frame is the process's last: show what happened and leave with 1
        traceback.print_exc()
    _leave(code)


def _die_with(server: int) -> None:
    """Linux kills the kernel when the server dies; elsewhere ipykernel's own poller sees it within a second."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)


def _redirect(descriptors: list[int]) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    output, errors = descriptors or (null, null)
    for source, target in ((null, 0), (output, 1), (errors, 2)):
        os.dup2(source, target)


def _settle(order: dict, connection: socket.socket) -> bool:
    """Take folder and signals as a new process has them; close every file but the standard ones and the line home."""
    try:
        os.chdir(order["cwd"])
    except OSError as error:
        wire.send(connection, {"failed": f"cannot enter the kernel's folder: {error}"})
        return False
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for name in os.listdir("/dev/fd"):
        if int(name) > 2 and int(name) != connection.fileno():
            with contextlib.suppress(OSError):  # the listing's own descriptor is closed already
                os.close(int(name))
    return True


def _take_environment(env: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(env)
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    time.tzset()
    with contextlib.suppress(locale.Error):  # as the interpreter does with a locale it does not know
        if locale.setlocale(locale.LC_CTYPE, "") == "C" and "LC_ALL" not in env:  # which it takes for UTF-8
            os.environ["LC_CTYPE"] = locale.setlocale(locale.LC_CTYPE, "C.UTF-8")


def _renew_libraries() -> None:
    """Give the process the state that imports in a new process would have given it."""
    gc.enable()
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is not None:
        matplotlib.rc_file(matplotlib.matplotlib_fname())
        matplotlib.rcParams["backend"] = os.environ.get("MPLBACKEND") or _INLINE
    sys.modules["__main__"] = types.ModuleType("__main__")


def _run_kernel(arguments: list[str], server: int, connection: socket.socket) -> int:
    """Run ipykernel to its end; the client hears of it once the sockets are bound, so that it never has to retry."""
    from ipykernel import kernelapp

    from kbio_analysis.render import kernel_main
    from kbio_analysis.render.portless import Portless

    kernelapp.IOPubThread = Portless
    sys.argv = [kernel_main.__file__, *arguments]
    kernel = kernelapp.IPKernelApp.instance(parent_handle=server)
    kernel.initialize(arguments)
    wire.send(connection, {"pid": os.getpid()})
    connection.close()
    kernel.start()
    # The control thread may still be flushing through the iopub thread, which ipykernel's own exit stops first:
    # left alone, one exit in two waits for a flush that nobody answers.
    if kernel.control_thread.is_alive():
        kernel.control_thread.stop()
        kernel.control_thread.join(_CONTROL_SECONDS)
    return 0


def _leave(code: object) -> NoReturn:
    """Exit as the interpreter would, but without taking the imported stack apart object by object."""
    status = code if isinstance(code, int) else int(code is not None)
    try:
        for thread in threading.enumerate():
            if thread is not threading.main_thread() and not thread.daemon:
                thread.join()
        atexit._run_exitfuncs()
        for stream in (sys.__stdout__, sys.__stderr__):
            stream.flush()
    finally:
        os._exit(status & 0xFF)
