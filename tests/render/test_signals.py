"""A run that is told to stop ends, with all it started, whenever it is told.

KBIO_STOPS=200 KBIO_LOAD=4 python -m pytest tests/render/test_signals.py    200 moments, beside four busy processes
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from render.fixtures.room import SLEEP, Room, running, wait_for

from kbio_analysis.render.forks import check_stop, stopping

STOPS = int(os.environ.get("KBIO_STOPS", "12"))
LOAD = int(os.environ.get("KBIO_LOAD", "0"))
END_SECONDS = 5.0
SEED = 20261127
SLEEPER = (
    f"import subprocess, time\nsubprocess.Popen(['sleep', '{SLEEP}'], start_new_session=True)\n"
    "print('begun', flush=True)\ntime.sleep(seconds)"
)


def heed() -> None:
    """A process in the background, or below nohup, is started to ignore what we are going to send."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def test_at_whatever_moment_a_run_is_stopped_it_ends_with_all_it_started(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    """The last report would take an hour: a signal that is lost is a run that does not end."""
    for _ in range(LOAD):
        burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        request.addfinalizer(burner.kill)
    room = Room(tmp_path_factory.mktemp("s"))
    for name, seconds in {"11_export_forecast": 0.3, "12_top_five": 0.3, "13_endless": 3600}.items():
        room.add(name, SLEEPER, parameters=f"seconds: float = {seconds}  # how long, s")
    start = partial(room.begun, "render", "--jobs", "2", "--force", preexec_fn=heed)
    began, first = time.monotonic(), start()
    wait_for(lambda: len(list(room.site.glob("*/default/stamp.json"))) == 2)
    whole = time.monotonic() - began + 1
    first.send_signal(signal.SIGTERM)
    first.communicate()
    moments, ends, seconds = random.Random(SEED), [], []
    for number in range(STOPS):
        command, how = start(), (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[number % 3]
        time.sleep(moments.uniform(0.0, whole))
        command.send_signal(how)
        told = time.monotonic()
        _, errors = command.communicate(timeout=60)
        wait_for(lambda: not room.strays() and not running(SLEEP))
        seconds.append(time.monotonic() - told)
        # Before the command itself has begun, Ctrl-C ends the interpreter as it ends any other.
        early = how == signal.SIGINT and "KeyboardInterrupt" in errors
        assert early or (command.returncode in (130, -how) and "Traceback" not in errors), errors
        ends.append(command.returncode)
        if (index := room.site / "index.json").exists():
            json.loads(index.read_bytes())
    late = sum(one > END_SECONDS for one in seconds)
    print(f"{STOPS} stops within {whole:.1f} s: {ends.count(130)} in order, slowest {max(seconds):.2f} s, {late} late")
    # On a machine so busy that the run itself takes long, its end may too.
    assert max(seconds) <= max(END_SECONDS, 2 * whole)
    assert 130 in ends
    assert list(room.path.glob("kbio-*")) == []


def test_a_signal_is_raised_where_it_is_asked_for_and_what_was_ignored_stays_ignored() -> None:
    hung_up, ended = signal.signal(signal.SIGHUP, signal.SIG_IGN), signal.getsignal(signal.SIGTERM)
    try:
        with stopping():
            os.kill(os.getpid(), signal.SIGHUP)
            check_stop()
            os.kill(os.getpid(), signal.SIGTERM)
            with pytest.raises(KeyboardInterrupt):
                check_stop()
        check_stop()
        assert signal.getsignal(signal.SIGTERM) is ended
    finally:
        signal.signal(signal.SIGHUP, hung_up)
