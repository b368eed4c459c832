"""The fork server alone: it leaves nothing behind, outlives nobody, and knows when it is out of date."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import psutil
import pytest

from kbio_analysis.render.kernels import ADDRESS_VARIABLE, Ahead, client, fingerprint, shared_server, wire
from kbio_analysis.render.kernels.server import fork_hazard

STACK = [*client.PRELOAD[:8], "pyarrow", "pandas"]
DEATH_SECONDS = 2.0  # the promise: nothing outlives its owner for longer
FORKS = 30
NO_HISTORY = "--HistoryManager.enabled=False"
FLAT = 0.05  # memory of the server at the end against its middle: the same within 5%

# A program that starts a kernel (argument 1: where to write its process ids) and then does nothing.
OWNER = """
import os, sys, time
from kbio_analysis.render.kernels import client
client.PRELOAD = sys.argv[2:]
if os.environ[client.ADDRESS_VARIABLE]:
    client.fingerprint = lambda env: "steady"
env = client.kernel_environment(os.environ)
arguments = ["-f", sys.argv[1] + ".json", "--HistoryManager.enabled=False"]
kernel = client.launch(arguments, env=env, cwd="/", descriptors=[1, 2])
copy = os.fork()  # inherits every open file of the owner and must not keep the server alive
if copy == 0:
    time.sleep(60)
server = int(open(f"/proc/{kernel.pid}/stat").read().rpartition(")")[2].split()[1])
open(sys.argv[1] + ".new", "w").write(f"{kernel.pid} {server} {copy}")
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(60)
"""


def alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def within(seconds, condition):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(autouse=True)
def steady_code(monkeypatch):
    """Whoever edits code while these tests run restarts nothing."""
    monkeypatch.setattr(client, "fingerprint", lambda env: "steady")


@pytest.fixture
def owner(tmp_path, root):
    """Start the owner program; returns (process, kernel, server) and cleans up its idle copy."""
    running = []

    def start(address=""):
        note = tmp_path / "pids"
        env = {**os.environ, "PYTHONPATH": str(root), ADDRESS_VARIABLE: address, "TMPDIR": str(tmp_path)}
        process = subprocess.Popen([sys.executable, "-c", OWNER, str(note), *STACK], env=env)
        running.append(process.pid)
        assert within(60, note.exists)
        kernel, server, copy = map(int, note.read_text().split())
        running.append(copy)
        return process, kernel, server

    yield start
    for pid in running:
        if alive(pid):
            os.kill(pid, signal.SIGKILL)


def test_nothing_outlives_an_owner_that_is_killed(owner, tmp_path):
    process, kernel, server = owner()
    assert alive(kernel)
    assert alive(server)
    process.kill()
    process.wait()
    assert within(DEATH_SECONDS, lambda: not alive(kernel) and not alive(server))
    assert within(DEATH_SECONDS, lambda: not list(tmp_path.glob("kbio-*")))


def test_a_killed_worker_loses_its_kernel_and_not_the_shared_server(owner):
    with shared_server(STACK) as shared:
        process, kernel, server = owner(shared.address)
        assert server == shared.process.pid
        process.kill()
        process.wait()
        assert within(DEATH_SECONDS, lambda: not alive(kernel))
        assert alive(server)
        assert within(DEATH_SECONDS, lambda: not psutil.Process(server).children())
    assert not alive(server)
    assert not os.path.exists(shared.directory)


def test_a_server_that_is_still_importing_ends_at_once(tmp_path, monkeypatch):
    (tmp_path / "slow_library.py").write_text("import time; time.sleep(60)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with shared_server(["slow_library"]) as shared:
        assert within(20, lambda: psutil.Process(shared.process.pid).cpu_times().user > 0.01)
        begun = time.monotonic()
    assert time.monotonic() - begun < DEATH_SECONDS
    assert shared.process.returncode == -signal.SIGTERM
    assert not os.path.exists(shared.directory)


def fork_and_kill(folder, number):
    """One kernel from birth to death."""
    env = client.kernel_environment(os.environ)
    arguments = ["-f", f"{folder}/{number}.json", "--transport=ipc", f"--ip={folder}/{number}", NO_HISTORY]
    with open(os.devnull, "w") as null:
        kernel = client.launch(arguments, env=env, cwd=str(folder), descriptors=[null.fileno()] * 2)
    assert kernel.poll() is None
    kernel.kill()
    assert kernel.wait(timeout=DEATH_SECONDS) == -signal.SIGKILL


def test_many_forks_leave_the_server_as_it_was(tmp_path):
    with shared_server(STACK) as shared:
        server = psutil.Process(shared.process.pid)
        memory = []
        for number in range(FORKS):
            fork_and_kill(tmp_path, number)
            if number == 0:
                files = server.num_fds() - 1  # the kernel's line may just be closing
            memory.append(server.memory_info().rss)
        assert within(DEATH_SECONDS, lambda: not server.children() and server.num_fds() <= files + 1)
        assert server.num_threads() == 1
    quarter = FORKS // 4
    middle, end = sum(memory[quarter : 2 * quarter]), sum(memory[-quarter:])
    assert abs(end / middle - 1) < FLAT


def test_a_client_that_hangs_up_or_talks_nonsense_does_no_harm(tmp_path):
    with shared_server(STACK) as shared:
        for nonsense in (b"", b"\x00", b"\xff\xff\xff\xff", b"\x00\x00\x00\x02{]"):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(shared.address)
                connection.sendall(nonsense)
        env = client.kernel_environment(os.environ)
        kernel = client.launch(["-f", str(tmp_path / "k.json"), NO_HISTORY], env=env, cwd="/", descriptors=[1, 2])
        assert psutil.Process(kernel.pid).ppid() == shared.process.pid
        kernel.terminate()
        assert kernel.wait(DEATH_SECONDS) == -signal.SIGTERM


def test_a_server_that_read_tables_ahead_can_still_fork(root, tmp_path):
    """Neither reading nor typing a table may start a thread; one that does not exist is its reader's affair."""
    ahead = Ahead(str(root / "data"), ("biopharma_exports_annual", "no_such_table"))
    with shared_server([*STACK, "pandera.pandas"], ahead=ahead) as shared:
        env = client.kernel_environment(os.environ)
        kernel = client.launch(["-f", str(tmp_path / "k.json"), NO_HISTORY], env=env, cwd="/", descriptors=[1, 2])
        assert psutil.Process(kernel.pid).ppid() == shared.process.pid
        kernel.terminate()
        kernel.wait(DEATH_SECONDS)


def test_a_kernel_that_dies_before_it_is_ready_is_reported_with_its_message(tmp_path):
    env = client.kernel_environment(os.environ)
    with shared_server(STACK), open(tmp_path / "log", "w") as log:
        kernel = client.launch(["--no-such-option=1"], env=env, cwd="/", descriptors=[log.fileno()] * 2)
        assert kernel.wait(DEATH_SECONDS) > 0
    assert "no-such-option" in (tmp_path / "log").read_text()


def test_a_second_thread_is_a_hazard():
    done = threading.Event()
    thread = threading.Thread(target=done.wait, name="pest")
    thread.start()
    hazard = fork_hazard()
    done.set()
    thread.join()
    assert "pest" in hazard


def test_messages_and_open_files_arrive_as_they_were_sent(tmp_path):
    here, there = socket.socketpair()
    with here, there, open(tmp_path / "file", "w") as file:
        message = {"name": "ünï", "bytes": os.fsdecode(b"\xff"), "long": "x" * 100_000}
        sender = threading.Thread(target=wire.send, args=(here, message, [file.fileno()]))
        sender.start()
        received, (descriptor,) = wire.receive(there, 1)
        sender.join()
        assert received == message
        assert os.fstat(descriptor).st_ino == os.fstat(file.fileno()).st_ino
        os.close(descriptor)
        here.close()
        with pytest.raises(EOFError):
            wire.receive(there)


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A copy of the package's modules and a site-packages folder to change at will."""
    package, site = tmp_path / "package", tmp_path / "site"
    (package / "room").mkdir(parents=True)
    (package / "room" / "model.py").write_text("x = 1\n")
    (package / "notes.txt").write_text("not code\n")
    (site / "thing-1.0.dist-info").mkdir(parents=True)
    monkeypatch.setattr(fingerprint, "PACKAGE", package)
    monkeypatch.setattr(fingerprint.sysconfig, "get_path", lambda name: str(site))
    return tmp_path


CHANGES = {
    "nothing": (lambda house: None, False),
    "a text file": (lambda house: (house / "package/notes.txt").write_text("other\n"), False),
    "a module": (lambda house: (house / "package/room/model.py").write_text("x = 12\n"), True),
    "a new module": (lambda house: (house / "package/room/new.py").write_text(""), True),
    "a lost module": (lambda house: (house / "package/room/model.py").unlink(), True),
    "a new package": (lambda house: (house / "site/more-2.dist-info").mkdir(), True),
    "a lost package": (lambda house: shutil.rmtree(house / "site/thing-1.0.dist-info"), True),
    "a package again": (lambda house: os.utime(house / "site/thing-1.0.dist-info", (1, 1)), True),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_fingerprint_follows_code_and_packages(house, name):
    change, different = CHANGES[name]
    before = fingerprint.fingerprint({})
    change(house)
    assert (fingerprint.fingerprint({}) != before) is different


@pytest.mark.parametrize(("variable", "different"), [("PYTHONPATH", True), ("PYTHONHASHSEED", True), ("OTHER", False)])
def test_the_fingerprint_follows_what_the_interpreter_reads_at_start(house, variable, different):
    assert (fingerprint.fingerprint({variable: "1"}) != fingerprint.fingerprint({})) is different
