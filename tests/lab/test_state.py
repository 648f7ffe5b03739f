"""What a lab has started is known by pid and start time."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from lab import processes, state
from lab.state import Process, State
from lab.topology import Lab, Timers


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def identity(child: subprocess.Popen[bytes]) -> Process:
    started = state.start_time(child.pid)
    assert started is not None
    return Process("node", "sleeper", child.pid, started)


def test_the_state_file_reads_back_as_it_was_written(tmp_path: Path) -> None:
    lab = Lab("kept", state=tmp_path)
    lab.folder.mkdir()
    written = State("kept", Timers.AZURE, (Process("weu-rs0", "bird", 4711, 99),))
    state.save(lab, written)
    assert state.load(lab) == written


def test_a_restarted_process_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    lab = Lab("kept", state=tmp_path)
    lab.folder.mkdir()
    state.remember(lab, Process("weu-rs0", "bird", 1000001, 1))
    state.remember(lab, Process("weu-rs0", "bird", 1000002, 2))
    known = state.load(lab)
    assert known is not None
    assert [process.pid for process in known.processes] == [1000002]


def test_a_torn_state_file_is_none_and_no_error(tmp_path: Path) -> None:
    lab = Lab("torn", state=tmp_path)
    lab.folder.mkdir()
    assert state.load(lab) is None
    state.path(lab).write_text(json.dumps({"lab": "torn"})[:-3])
    assert state.load(lab) is None


def test_a_process_is_alive_until_it_is_stopped() -> None:
    child = sleeper()
    process = identity(child)
    assert state.alive(process)
    processes.stop([process])
    assert not state.alive(process)
    child.returncode = 0  # collected by its pid


def test_a_frozen_process_is_stopped_too() -> None:
    child = sleeper()
    process = identity(child)
    child.send_signal(signal.SIGSTOP)
    assert state.alive(process)
    processes.stop([process])
    assert not state.alive(process)
    child.returncode = 0


def test_a_recycled_pid_is_never_signalled() -> None:
    child = sleeper()
    real = identity(child)
    stranger = Process("node", "bird", real.pid, real.started - 1)
    assert not processes.send(stranger, signal.SIGKILL)
    processes.stop([stranger])
    assert child.poll() is None
    child.kill()
    child.wait()


def test_a_dead_child_that_nobody_collected_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    process = Process("node", "brief", child.pid, state.start_time(child.pid) or 0)
    child.stdin = None
    while state.start_time(child.pid) is not None:
        pass
    assert not state.alive(process)
    child.wait()
