"""Warm kernels as papermill, nbclient and Jupyter see them: real kernels, forked, sharing nothing, never lost."""

import asyncio
import json
import logging
import os
import shutil
import threading
import time
import tomllib
from contextlib import contextmanager
from importlib.metadata import EntryPoint

import nbformat
import papermill
import psutil
import pytest
import zmq
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from kbio_analysis.render.kernels import KERNEL_NAME, ForkServer, client, shared_server
from kbio_analysis.render.kernels.fingerprint import PINNED
from kbio_analysis.render.kernels.manager import PromptManager
from kbio_analysis.render.kernels.provisioner import WarmProvisioner

READY_SECONDS = 60  # a busy machine; every wait ends as soon as the thing happens
DEATH_SECONDS = 2.0  # the promise: a killed kernel is reported within this time
STACK = [*client.PRELOAD[:8], "matplotlib.pyplot"]  # ipykernel and one heavy library: enough to tell warm from cold


@pytest.fixture(scope="module", autouse=True)
def installed(root, tmp_path_factory):
    """Jupyter finds kernelspec and provisioner as after an installation, whether or not this is one."""
    folder = tmp_path_factory.mktemp("jupyter")
    spec = root / "kbio_analysis/render/kernels/kernelspec"
    shutil.copytree(spec, folder / "kernels" / KERNEL_NAME)
    name, target = "kbio-warm", "kbio_analysis.render.kernels.provisioner:WarmProvisioner"
    entry = EntryPoint(name, target, KernelProvisionerFactory.GROUP_NAME)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder))
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        patch.setitem(KernelProvisionerFactory.instance().provisioners, name, entry)
        yield


def steady(env):
    """A fingerprint that heeds the interpreter's variables only: whoever edits code meanwhile restarts nothing."""
    return str(sorted(item for item in env.items() if item[0].startswith("PYTHON")))


@pytest.fixture(scope="module", autouse=True)
def steady_code():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "fingerprint", steady)
        yield


@pytest.fixture(scope="module")
def server(installed, steady_code):
    with shared_server(preload=STACK) as shared:
        yield shared


@contextmanager
def kernel(name=KERNEL_NAME, **start):
    """A kernel in use: (manager, client), ready; killed at the end."""
    manager = KernelManager(kernel_name=name)
    manager.start_kernel(**start)
    channels = manager.client()
    try:
        channels.start_channels()
        channels.wait_for_ready(timeout=READY_SECONDS)
        yield manager, channels
    finally:
        channels.stop_channels()
        manager.shutdown_kernel(now=True)


def ask(channels, code, expression="None"):
    """Run ``code``, then return the JSON value of ``expression``; an error in either fails the test."""
    wanted = {"answer": f"__import__('json').dumps({expression})"}
    reply = channels.execute_interactive(
        code, user_expressions=wanted, timeout=READY_SECONDS, output_hook=lambda message: None
    )["content"]
    assert reply["status"] == "ok", reply
    answer = reply["user_expressions"]["answer"]
    assert answer["status"] == "ok", answer
    return json.loads(eval(answer["data"]["text/plain"]))


def gone(pid):
    """Whether a process has ended (a zombie nobody has waited for yet counts as ended)."""
    try:
        with open(f"/proc/{pid}/stat") as status:
            return status.read().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def within(seconds, condition):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_warm_kernel_has_its_libraries_before_the_first_cell(server):
    with kernel() as (manager, channels):
        assert manager.provisioner.warm is True
        assert manager.transport == "ipc"
        assert ask(channels, "import sys, os", "['matplotlib.pyplot' in sys.modules, os.getppid(), os.getpid()]") == [
            True,
            server.process.pid,
            manager.provisioner.pid,
        ]
        assert ask(channels, "", "[os.getsid(0), os.getpgid(0)]") == [manager.provisioner.pid] * 2
        assert psutil.Process(manager.provisioner.pid).net_connections("inet") == []


def test_the_whole_stack_is_there_with_one_blas_thread():
    stack = [name for name in client.PRELOAD if not name.endswith("*")]
    sums = "import os, numpy as np; a = np.ones((700, 700)); a @ a; np.linalg.svd(a)"
    with shared_server() as shared:
        with kernel() as (manager, channels):
            assert manager.provisioner.warm, manager.provisioner.cold_reason
            assert ask(channels, "import sys", f"[m for m in {stack} if m not in sys.modules]") == []
            before = ask(channels, "import os", "len(os.listdir('/proc/self/task'))")
            assert ask(channels, sums, "len(os.listdir('/proc/self/task'))") == before
        assert os.listdir(f"/proc/{shared.process.pid}/task") == [str(shared.process.pid)]


LEFT_BEHIND = {
    "variable": ("secret = 1", "'secret' in globals()"),
    "builtin": ("import builtins; builtins.secret = 1", "hasattr(__import__('builtins'), 'secret')"),
    "rcParams": ("plt.rcParams['font.size'] = 33", "plt.rcParams['font.size'] == 33"),
    "figure": ("plt.switch_backend('agg'); plt.figure(77)", "plt.get_fignums() != []"),
    "backend": ("plt.switch_backend('agg')", "plt.get_backend() == 'agg'"),
    "environment": ("os.environ['KBIO_SECRET'] = '1'", "'KBIO_SECRET' in os.environ"),
    "folder": ("os.chdir('/')", "os.getcwd() == '/'"),
    "open file": (
        "kept = open('/etc/hostname')",
        "'/etc/hostname' in [os.path.realpath(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd')]",
    ),
    "module": ("sys.modules['secret'] = sys", "'secret' in sys.modules"),
    "import path": ("sys.path.insert(0, '/secret')", "'/secret' in sys.path"),
    "warning filter": (
        "warnings.simplefilter('error', BytesWarning)",
        "('error', None, BytesWarning, None, 0) in warnings.filters",
    ),
    "numpy errors": ("np.seterr(all='raise')", "np.geterr()['over'] == 'raise'"),
    "random seed": ("random.seed(1); np.random.seed(1)", "[random.random(), np.random.rand()] == FIRST"),
    "signal handler": ("signal.signal(signal.SIGUSR1, signal.SIG_IGN)", "signal.getsignal(10) == signal.SIG_IGN"),
    "logging": ("logging.getLogger().setLevel(3)", "logging.getLogger().level == 3"),
    "file mode": ("os.umask(0o07)", "os.umask(0o22) == 0o07"),
}
TOOLS = """
import logging, os, random, signal, sys, warnings
import numpy as np
import matplotlib.pyplot as plt
FIRST = [random.Random(1).random(), np.random.RandomState(1).rand()]
"""


@pytest.fixture(scope="module")
def neighbours(server):
    """Three kernels: one that leaves everything behind, one started before it did so and one started after."""
    with kernel() as (_, early), kernel() as (_, untidy):
        for channels in (early, untidy):
            ask(channels, TOOLS)
        seen = {name: ask(untidy, trace, found) for name, (trace, found) in LEFT_BEHIND.items()}
        with kernel() as (_, late):
            ask(late, TOOLS)
            yield seen, early, late


@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_kernels_share_nothing(neighbours, name):
    seen, early, late = neighbours
    assert seen[name] is True  # else the test could not tell
    assert ask(early, "", LEFT_BEHIND[name][1]) is False
    assert ask(late, "", LEFT_BEHIND[name][1]) is False


def test_every_kernel_draws_its_own_random_numbers(neighbours):
    _, early, late = neighbours
    draws = [ask(channels, "", "[random.random(), np.random.rand()]") for channels in (early, late)]
    assert len({*draws[0], *draws[1]}) == 4


PORTRAIT = """
import os, signal, sys, threading
import matplotlib, numpy
def portrait():
    return {
        "environment": {k: v for k, v in os.environ.items() if k != "JPY_PARENT_PID"},
        "folder": os.getcwd(),
        "import path": sys.path,
        "arguments": [os.path.basename(sys.argv[0]), *sys.argv[3:]],
        "hash": hash("kbio"),
        "settings": {k: str(v) for k, v in matplotlib.rcParams.items()},
        "signals": {n: str(signal.getsignal(n)) for n in signal.valid_signals() if n != signal.SIGINT},
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "threads": sorted(t.name.split("-")[0] for t in threading.enumerate() if "_watch" not in t.name),
        "errors": numpy.geterr(),
        "stdin": os.readlink("/proc/self/fd/0"),
        "encoding": [sys.stdout.encoding, sys.getfilesystemencoding()],
        "name": [__name__, sys.modules["__main__"].__dict__ is globals()],
        "zone": __import__("time").tzname,
    }
"""


def test_a_warm_kernel_is_like_a_new_process(server, tmp_path, monkeypatch):
    kept = {"PATH", "HOME", "JUPYTER_PATH", "IPYTHONDIR"}
    env = {name: value for name, value in os.environ.items() if name in kept or name.startswith("PYTHON")}
    env |= {"ONLY_HERE": "ünïcode", "TZ": "Asia/Seoul", "OMP_NUM_THREADS": "7"}
    (tmp_path / "matplotlibrc").write_text("font.size: 21\n")
    portraits = []
    for forked in (True, False):
        if not forked:
            monkeypatch.setattr(client, "fingerprint", lambda env: "no server has this one")
            monkeypatch.delattr(os, "fork")
        with kernel(env=env, cwd=str(tmp_path)) as (manager, channels):
            assert manager.provisioner.warm is forked
            assert ask(channels, "import os", "os.getppid()") == (server.process.pid if forked else os.getpid())
            portraits.append(ask(channels, PORTRAIT, "portrait()"))
    warm, cold = portraits
    assert cold["settings"]["font.size"] == "21.0"
    assert cold["environment"].items() >= {"ONLY_HERE": "ünïcode", **PINNED}.items()
    assert warm.pop("stdin") == "/dev/null"
    assert cold.pop("stdin").startswith("pipe:")
    assert warm == cold


def test_an_interrupt_stops_the_cell_and_not_the_kernel(server):
    with kernel() as (manager, channels):
        ask(channels, "import time")
        request = channels.execute("print('begun', flush=True)\ntime.sleep(60)")
        while channels.get_iopub_msg(timeout=READY_SECONDS)["msg_type"] != "stream":
            pass
        manager.interrupt_kernel()
        reply = channels.get_shell_msg(timeout=READY_SECONDS)
        assert reply["parent_header"]["msg_id"] == request
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert ask(channels, "", "6 * 7") == 42


@pytest.mark.parametrize(("code", "status"), [("os.kill(os.getpid(), 9)", -9), ("os._exit(7)", 7)])
def test_a_dead_kernel_is_reported_with_its_status(server, code, status):
    with kernel() as (manager, channels):
        ask(channels, "import os")
        channels.execute(code)
        assert within(DEATH_SECONDS, lambda: not manager.is_alive())
        assert manager.provisioner.returncode == status


def test_nbclient_hears_of_a_killed_kernel_in_time(server, tmp_path):
    stamp = tmp_path / "stamp"
    code = f"import os, time\nopen({str(stamp)!r}, 'w').write(str(time.time()))\nos.kill(os.getpid(), 9)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    runner = NotebookClient(notebook, kernel_name=KERNEL_NAME)
    with pytest.raises(DeadKernelError):
        runner.execute()
    assert time.time() - float(stamp.read_text()) < DEATH_SECONDS
    assert runner.km is None or runner.km.provisioner.returncode == -9


def test_a_kernel_shuts_down_politely_and_starts_again(server):
    with kernel() as (manager, channels):
        first = ask(channels, "import os; x = 1", "os.getpid()")
        manager.restart_kernel()
        channels.wait_for_ready(timeout=READY_SECONDS)
        assert manager.provisioner.warm
        assert ask(channels, "import os", "['x' in globals(), os.getppid()]") == [False, server.process.pid]
        assert gone(first)
        sockets = os.path.dirname(manager.ip)
        channels.stop_channels()
        manager.shutdown_kernel()
        assert manager.provisioner.returncode == 0
        assert not os.path.exists(sockets)
        manager.context = zmq.Context()  # a manager on its own destroys its context at shutdown
        manager.start_kernel()
        assert manager.is_alive()
        assert os.path.dirname(manager.ip) != sockets


def test_papermill_names_the_kernel_and_gains(server, tmp_path):
    cells = [
        nbformat.v4.new_code_cell("n = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("import os\nprint(n, os.getppid())"),
    ]
    notebook = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    nbformat.write(notebook, tmp_path / "in.ipynb")
    done = papermill.execute_notebook(
        tmp_path / "in.ipynb", None, {"n": 5}, kernel_name=KERNEL_NAME, progress_bar=False
    )
    assert done.cells[-1].outputs[0].text == f"5 {server.process.pid}\n"


def test_the_prompt_manager_runs_notebooks_through_nbclient(server):
    cells = [nbformat.v4.new_code_cell("import os\nprint(os.getppid())"), nbformat.v4.new_code_cell("6 * 7")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name=KERNEL_NAME, kernel_manager_class=PromptManager).execute()
    first, second = (cell.outputs for cell in notebook.cells)
    assert [output.text for output in first] == [f"{server.process.pid}\n"]
    assert [output.data["text/plain"] for output in second] == ["42"]


def test_the_prompt_client_reports_a_kernel_that_dies_at_its_start(server, tmp_path):
    async def start():
        manager = PromptManager(kernel_name=KERNEL_NAME)
        await manager.start_kernel(extra_arguments=["--no-such-option=1"], stderr=errors)
        channels = manager.client()
        channels.start_channels()
        try:
            await channels.wait_for_ready(timeout=READY_SECONDS)
        finally:
            channels.stop_channels()
            await manager.shutdown_kernel(now=True)

    with open(tmp_path / "errors", "w") as errors, pytest.raises(RuntimeError, match="died"):
        asyncio.run(start())
    assert "no-such-option" in (tmp_path / "errors").read_text()


def test_kernels_start_side_by_side(server):
    found = []

    def work():
        with kernel() as (_, one), kernel() as (_, other):
            found.extend(ask(channels, "import os", "[os.getppid(), os.getpid()]") for channels in (one, other))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [parent for parent, _ in found] == [server.process.pid] * 4
    assert len({pid for _, pid in found}) == 4


def test_a_missing_folder_is_the_callers_error(server, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        KernelManager(kernel_name=KERNEL_NAME).start_kernel(cwd=str(tmp_path / "nowhere"))


def ordinary(**start):
    """Start a kernel that has to be an ordinary one; returns the reason it gives."""
    with kernel(**start) as (manager, channels):
        assert manager.provisioner.warm is False
        assert ask(channels, "import os", "os.getppid()") == os.getpid()
        return manager.provisioner.cold_reason


def test_without_fork_the_ordinary_kernel_works_and_says_so_once(caplog, monkeypatch):
    monkeypatch.setattr(client, "fingerprint", lambda env: "no fork here")
    monkeypatch.delattr(os, "fork")
    with caplog.at_level(logging.WARNING):
        reasons = {ordinary(), ordinary()}
    assert reasons == {"this system cannot fork processes"}
    assert len([r for r in caplog.records if "cannot fork" in r.message]) <= 1  # 0: said in an earlier test


def test_a_server_with_a_thread_refuses_to_fork(caplog, monkeypatch, tmp_path):
    (tmp_path / "threaded_library.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(999,), name='pest', daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with caplog.at_level(logging.WARNING), shared_server(preload=["threaded_library"]):
        reason = ordinary()
    assert "pest" in reason
    assert [r.message for r in caplog.records if r.name.startswith("kbio")] == [
        f"Using the ordinary kernel, which starts slower: {reason}."
    ]


def test_a_server_that_cannot_start_is_not_tried_for_every_kernel(caplog, monkeypatch, tmp_path):
    (tmp_path / "broken_library.py").write_text("raise RuntimeError('broken on purpose')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(client, "PRELOAD", ["broken_library"])
    starts = []
    monkeypatch.setattr(ForkServer, "start", count(starts, ForkServer.start))
    with caplog.at_level(logging.WARNING):
        reasons = {ordinary(), ordinary()}
    assert len(starts) == 1
    assert reasons == {"the fork server ended with 1: RuntimeError: broken on purpose"}
    assert len([r for r in caplog.records if "broken on purpose" in r.message]) == 1


def test_what_a_fork_cannot_honour_is_left_to_the_ordinary_kernel(server):
    assert "preexec_fn" in ordinary(preexec_fn=os.getpid)


def test_a_change_of_the_code_restarts_the_server(monkeypatch):
    monkeypatch.setattr(client, "PRELOAD", STACK)
    mark = ["one"]
    monkeypatch.setattr(client, "fingerprint", lambda env: mark[0])
    with kernel() as (_, before), kernel() as (_, same):
        mark[0] = "two"
        with kernel() as (_, after):
            parents = [ask(channels, "import os", "os.getppid()") for channels in (before, same, after)]
    assert parents[0] == parents[1] != parents[2]
    assert within(DEATH_SECONDS, lambda: gone(parents[0]))  # the old one leaves with its last kernel


def test_a_killed_server_takes_its_kernels_along_and_is_replaced(monkeypatch):
    monkeypatch.setattr(client, "PRELOAD", STACK)
    monkeypatch.setattr(client, "fingerprint", lambda env: "replaced")
    with kernel() as (manager, channels):
        parent = ask(channels, "import os", "os.getppid()")
        os.kill(parent, 9)
        assert within(DEATH_SECONDS, lambda: not manager.is_alive() and gone(manager.provisioner.pid))
        assert manager.provisioner.returncode == -9
    with kernel() as (manager, channels):
        assert manager.provisioner.warm
        assert ask(channels, "import os", "os.getppid()") != parent


def count(calls, function):
    def counted(*args, **kwargs):
        calls.append(args)
        return function(*args, **kwargs)

    return counted


def test_an_installation_brings_provisioner_and_kernelspec(root):
    with open(root / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)
    target = project["project"]["entry-points"][KernelProvisionerFactory.GROUP_NAME]["kbio-warm"]
    assert EntryPoint("kbio-warm", target, "any").load() is WarmProvisioner
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    (source,) = [source for source, place in shared.items() if place.startswith("share/jupyter/kernels/kbio")]
    spec = json.loads((root / source / "kernel.json" if (root / source).is_dir() else root / source).read_text())
    assert spec["metadata"]["kernel_provisioner"]["provisioner_name"] == "kbio-warm"
