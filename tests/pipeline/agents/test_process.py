"""The agent as an operator starts it: the real command, the real probes, a real centre."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from anycast.probe import Outcome, Probe
from store.probed import Probed
from store.reader import Reader
from tests import needs
from tests.pipeline.agents.site import Place, stop, wait_for
from tests.pipeline.agents.test_delivery import eventually
from tests.pipeline.terminal import catchment

pytestmark = [pytest.mark.timeout(180), pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
MEMORY = 100 << 20


@pytest.fixture
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="catchment-"))
    os.chmod(folder, 0o755)
    made = Place(folder / "place")
    yield made
    made.end()
    shutil.rmtree(folder)


def probed(place: Place) -> list[Probed]:
    now = datetime.now(UTC)
    return list(Reader(place.folder / "data" / "journal").probes(now - timedelta(hours=1), now).rows)


def services(file: Path, *lines: str) -> None:
    text = file.read_text()
    file.write_text(text[: text.index("services:")] + "services:\n" + "".join(f"  {line}\n" for line in lines))


def started(place: Place, file: Path, *prefix: str) -> "subprocess.Popen[bytes]":
    argv = [*prefix, sys.executable, "-m", "pipeline", "agent", "-c", str(file), "--json"]
    return place._start(argv, file.with_suffix(".log"))


def status(pid: int, name: str) -> list[str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1:] for line in lines if line.startswith(f"{name}:"))


@pytest.mark.skipif(os.geteuid() != 0, reason="giving up root's rights needs root")
def test_roots_agent_probes_as_nobody_with_one_right_and_little_memory(place: Place) -> None:
    place.centre()
    file = place.agent_file()
    services(file, f"web: {{address: 127.0.0.1, icmp: {{every: 50ms}}, tcp: {{port: {place.port}, every: 200ms}}}}")
    agent = started(place, file)
    eventually(lambda: {Probe.ICMP, Probe.TCP} <= {row.result.probe for row in probed(place)})
    assert status(agent.pid, "Uid") == ["65534"] * 4
    assert int(status(agent.pid, "CapPrm")[0], 16) == 1 << 13
    assert int(status(agent.pid, "VmHWM")[0]) * 1024 < MEMORY
    assert stop(agent) == 0
    rows = probed(place)
    assert {row.result.outcome for row in rows} == {Outcome.ANSWERED}
    assert all(0 < (row.result.rtt or 0) < 1 for row in rows)
    lines = [json.loads(line) for line in file.with_suffix(".log").read_text().splitlines()]
    assert lines[-1]["message"] == "stopped; the centre has everything"
    token = (place.folder / "ams.agent-token").read_text().strip()
    assert token not in file.with_suffix(".log").read_text()
    assert token not in (place.folder / "centre.log").read_text()


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="becoming nobody needs root")
def test_without_any_right_it_does_what_it_can_and_says_what_it_cannot(place: Place) -> None:
    place.centre()
    file = place.agent_file()
    shutil.chown(place.folder / "ams.agent-token", "nobody")
    os.chmod(place.folder / "agents", 0o755)
    (place.folder / "agent-data").mkdir()
    shutil.chown(place.folder / "agent-data", "nobody")
    services(file, f"web: {{address: 127.0.0.1, icmp: {{every: 1s}}, tcp: {{port: {place.port}, every: 100ms}}}}")
    with_ping = Path("/proc/sys/net/ipv4/ping_group_range").read_text().split()
    agent = started(place, file, "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    eventually(lambda: Probe.TCP in {row.result.probe for row in probed(place)})
    if int(with_ping[0]) > int(with_ping[1]):
        said = wait_for(file.with_suffix(".log"), "CAP_NET_RAW", 10)
        assert "ping_group_range" in said or "ICMP" in said
    assert stop(agent) == 0
    assert any(row.result.probe is Probe.TCP and row.result.outcome is Outcome.ANSWERED for row in probed(place))


def test_a_wrong_file_and_a_missing_token_are_said_at_once(place: Place) -> None:
    file = place.agent_file()
    assert catchment("agent", "-c", str(file), "--check").code == 0
    (place.folder / "ams.agent-token").unlink()
    said = catchment("agent", "-c", str(file))
    assert (said.code, "cannot be read: No such file" in said.err) == (2, True)
    file.write_text("agent: 1\n")
    said = catchment("agent", "-c", str(file), "--check", "--json")
    assert said.code == 1
    assert {each["severity"] for each in json.loads(said.out)} == {"error"}
    assert catchment("agent", "-c", str(file)).code == 1


def test_the_agent_loads_nothing_heavy() -> None:
    heavy = ("pyarrow", "numba", "duckdb", "fastapi", "nicegui", "pydantic", "numpy")
    ask = "import sys, collector.probe.process, collector.probe.config.read, pipeline.cli.app, pipeline.cli.agent\n"
    ask += f"print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, cwd=needs.ROOT)
    assert done.stdout.strip() == "[]"


def test_the_agent_beside_the_daemon_is_started_again_and_ends_with_it(place: Place) -> None:
    """`catchment run` with `agent:`: a process of its own, killed once, and gone when the daemon is."""
    file = place.agent_file()
    place.intent.write_text(place.intent.read_text() + f"agent: ./{file.name}\n")
    daemon = place.centre("pipeline run -c")
    log = place.folder / "centre.log"
    wait_for(log, "reporting to https")
    first = _children(daemon.pid)
    assert len(first) == 1
    os.kill(first[0], signal.SIGKILL)
    wait_for(log, "ended with -9; it is started again in")
    eventually(lambda: _children(daemon.pid) not in ([], first))
    eventually(lambda: len({row.run for row in probed(place)}) >= 1)
    second = _children(daemon.pid)
    stop(daemon, signal.SIGKILL)
    eventually(lambda: not _lives(second[0]))
    daemon = place.centre("pipeline run -c")
    wait_for(log, "reporting to https")
    time.sleep(1)
    third = _children(daemon.pid)
    assert stop(daemon) == 0
    assert not _lives(third[0])
    assert "the centre has everything" in log.read_text()


def _children(pid: int) -> list[int]:
    """Agents that a process started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"agent" in stat.with_name("cmdline").read_bytes():
                found.append(int(stat.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
