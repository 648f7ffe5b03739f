"""Every fault on a lab of real routers: its effect is real by the routers' own tables, and so is its healing.

Each fault has a question that is asked of the routers, the kernel or the programs: no before, yes during, no after. It
is another question than the fault's own witness asks.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab import faults, ground_truth, lifecycle, processes, space, state, truth
from lab.daemons import bird
from lab.faults import EffectNotSeen, FaultError, active, catchment
from lab.ground_truth import Entry
from lab.topology import Lab, Timers
from tests import needs

pytestmark = pytest.mark.lab

STATION = """
import signal, socket, sys, threading
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
listener = socket.socket(fileno=3)
def drink(connection):
    try:
        while connection.recv(65536): pass
    except OSError: pass
while True:
    threading.Thread(target=drink, args=(listener.accept()[0],), daemon=True).start()
"""
"""Takes BMP and drops it: all that a connection needs to be cut and come back."""


def eventually(right: Callable[[], bool], within: float = 45.0) -> bool:
    deadline = time.monotonic() + within
    while not right():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    needs.root()
    for program, package in (
        ("bird", "bird2"),
        ("gobgpd", "gobgpd"),
        ("bgpd", "frr"),
        ("haproxy", "haproxy"),
        ("nft", "nftables"),
    ):
        needs.tool(program, package)
    found = Lab(f"fx{os.getpid() % 1000000}", state=Path("/run/catchment-lab-tests"))
    lifecycle.up(found)
    try:
        yield found
    finally:
        lifecycle.down(found)


@pytest.fixture
def healthy(lab: Lab) -> Iterator[Lab]:
    """The lab, healthy; healed again afterwards whatever the test did."""
    assert eventually(lambda: not lifecycle.lacking(lab)), lifecycle.lacking(lab)
    yield lab
    faults.heal(lab)


@pytest.fixture(scope="module")
def listening(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The lab with something that listens where Catchment would, from here to the end of the module."""
    log = tmp_path_factory.mktemp("station") / "station.log"
    catchment.start(lab, [sys.executable, "-c", STATION], {}, str(log))
    try:
        yield lab
    finally:
        pid = catchment.registered(lab).pid
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: state.start_time(pid) is None)
        state.reap(pid)


@pytest.fixture
def station(healthy: Lab, listening: Lab) -> Lab:
    """With both edge routers connected: GoBGP may come half a minute later."""
    assert eventually(lambda: connected(listening) >= {"10.90.0.1", "10.91.0.1"})
    return listening


def connected(lab: Lab) -> set[str]:
    rows = space.run(lab.namespace("collector"), ["ss", "-Htn", "state", "established", "sport", "=", "11019"]).stdout
    return {line.split()[3].rpartition(":")[0] for line in rows.splitlines()}


def hops(lab: Lab, node: str, prefix: str) -> tuple[str, ...]:
    return truth.fib(lab, node, prefix)


def heard(lab: Lab, peer: str, prefix: str) -> truth.Row:
    return next(row for row in truth.adj_in_of_collector(lab) if (row.peer, row.prefix) == (peer, prefix))


def session_up(lab: Lab, dialer: str, listener: str) -> bool:
    return next(
        each.established
        for each in truth.sessions(lab)
        if (each.session.dialer.node, each.session.listener.node) == (dialer, listener)
    )


def answers(lab: Lab, node: str, address: str) -> bool:
    """Whether a TCP handshake with BIRD's port succeeds."""

    def dial() -> bool:
        try:
            socket.create_connection((address, 179), 0.5).close()
        except TimeoutError:
            return False
        return True

    return space.inside(lab.namespace(node), dial)


QUESTIONS: dict[str, Callable[[Lab], bool]] = {
    "withdraw": lambda lab: hops(lab, "ams-ce1", "10.250.0.10") == ("172.16.2.1", "172.16.3.1"),
    "withdraw weu-nva1 vdi": lambda lab: hops(lab, "weu-gw", "10.250.8.0/24") == ("10.10.1.5",),
    "kill-app weu-app2": lambda lab: (
        processes.find(lab, "weu-app2", "app") is None and hops(lab, "weu-gw", "10.250.8.0/24") == ("10.10.1.4",)
    ),
    "kill-nva": lambda lab: (
        all(processes.find(lab, "weu-nva1", name) is None for name in ("bird", "haproxy", "health"))
        and "NO-CARRIER" in space.run(lab.namespace("weu-nva1"), ["ip", "link", "show", "eth0"]).stdout
        and not session_up(lab, "weu-nva1", "weu-rs1")
    ),
    "freeze-nva eus-nva2": lambda lab: (
        processes.find(lab, "eus-nva2", "bird") is not None and not session_up(lab, "eus-nva2", "eus-rs0")
    ),
    "silent-drop": lambda lab: not answers(lab, "weu-gw", "10.10.1.4"),
    "session-down": lambda lab: not session_up(lab, "weu-msee1", "ams-ce1"),
    "session-down nyc-ce1 collector": lambda lab: not session_up(lab, "collector", "nyc-ce1"),
    "hijack": lambda lab: heard(lab, "10.91.0.1", "10.250.0.10/32").as_path == (65999,),
    "more-specific": lambda lab: "10.250.8.0/25" in {row.prefix for row in truth.adj_in_of_collector(lab)},
    "drop-prepend": lambda lab: all(
        heard(lab, peer, "10.250.0.53/32").as_path == (65020,) for peer in ("10.20.1.4", "10.20.1.5")
    ),
    "change-local-pref": lambda lab: heard(lab, "10.90.0.1", "10.250.0.10/32").local_pref == 150,
}


@pytest.mark.parametrize("words", QUESTIONS)
def test_a_fault_is_real_and_seen_in_time_and_its_healing_is_too(healthy: Lab, words: str) -> None:
    wrong = QUESTIONS[words]
    verb, *rest = words.split()
    assert not wrong(healthy)
    entry = faults.inject(healthy, verb, rest)
    assert entry.t_effect is not None
    assert -0.01 <= entry.t_effect - entry.t_inject <= 30
    assert eventually(lambda: wrong(healthy), 2)
    [healed] = faults.heal(healthy)
    assert eventually(lambda: not wrong(healthy))
    assert healed.t_heal is not None
    assert healed.t_heal_effect is not None
    assert entry.t_effect < healed.t_heal
    assert healed == ground_truth.read(ground_truth.path(healthy))[-1]
    assert active.load(healthy) == ()


def test_the_effect_of_a_frozen_neighbour_is_the_end_of_its_hold_time_and_not_the_command(healthy: Lab) -> None:
    entry = faults.inject(healthy, "freeze-nva")
    assert entry.t_effect is not None
    assert 5 < entry.t_effect - entry.t_inject < 10


@pytest.mark.parametrize("verb", ["freeze-nva", "silent-drop"])
def test_with_a_long_hold_time_the_kernel_decides_in_place_of_the_neighbours(healthy: Lab, verb: str) -> None:
    known = state.load(healthy)
    assert known is not None
    state.save(healthy, replace(known, timers=Timers.AZURE))
    try:
        entry = faults.inject(healthy, verb)
        assert "kernel" in entry.witness or "nftables" in entry.witness
        assert entry.t_effect is not None
        assert entry.t_effect - entry.t_inject < 5
    finally:
        faults.heal(healthy)
        state.save(healthy, known)


def test_a_flap_is_four_withdrawals_in_the_route_servers_log_and_ends_announced(healthy: Lab) -> None:
    log = healthy.node_folder("weu-rs0") / "bird.log"
    before = len(log.read_text())
    entry = faults.inject(healthy, "flap")
    lines = log.read_text()[before:].splitlines()
    # Of the two NVAs' routes the Route Server removes one after the other: count those of the first.
    withdrawn = [line for line in lines if re.search(r"weu_nva1\.ipv4 > removed \[\w+\] 10\.250\.0\.10/32", line)]
    assert len(withdrawn) == 4, lines[:20]
    assert entry.t_heal_effect is not None
    assert active.load(healthy) == ()
    assert hops(healthy, "weu-gw", "10.250.0.10") == ("10.10.1.4", "10.10.1.5")


def test_a_fault_that_is_there_is_not_injected_twice_and_another_process_heals_it(healthy: Lab) -> None:
    first = faults.inject(healthy, "withdraw", ["eus", "vdi"])
    said: list[str] = []
    assert faults.inject(healthy, "withdraw", ["vdi", "eus"], said.append) == first
    assert said == ["withdraw vdi in eus: there already"]
    other = "import sys; from pathlib import Path; from lab import faults; from lab.topology import Lab; "
    other += "print(*[e.id for e in faults.heal(Lab(sys.argv[1], state=Path(sys.argv[2])))])"
    argv = [sys.executable, "-c", other, healthy.name, str(healthy.state)]
    done = subprocess.run(argv, cwd=needs.ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [first.id]
    assert len(hops(healthy, "eus-gw", "10.250.8.0/24")) == 2
    assert faults.heal(healthy) == ()


def test_two_faults_on_one_target_are_healed_together_though_one_hides_the_end_of_the_other(healthy: Lab) -> None:
    faults.inject(healthy, "withdraw")
    faults.inject(healthy, "kill-app")
    assert {entry.verb for entry in faults.heal(healthy)} == {"withdraw", "kill-app"}
    assert hops(healthy, "weu-gw", "10.250.0.10") == ("10.10.1.4", "10.10.1.5")


def test_an_effect_that_is_not_seen_fails_the_run_and_stays_to_be_healed(healthy: Lab) -> None:
    for nva in ("weu-nva1", "weu-nva2"):
        bird.ask(healthy, nva, "disable svc_web")
    assert eventually(lambda: hops(healthy, "weu-gw", "10.250.0.10") == ())
    with pytest.raises(EffectNotSeen, match="saw no effect"):
        faults.inject(healthy, "withdraw", within=1.0)
    [entry] = active.load(healthy)
    assert entry.t_effect is None
    assert "saw no effect" in ground_truth.read(ground_truth.path(healthy))[-1].failure
    faults.heal(healthy)
    assert active.load(healthy) == ()


def test_bmp_that_is_not_connected_cannot_be_reset_and_nothing_is_done(healthy: Lab) -> None:
    with pytest.raises(FaultError, match="does Catchment run"):
        faults.inject(healthy, "cut-bmp", ["--reset"])
    assert active.load(healthy) == ()


@pytest.mark.parametrize("words", ["cut-bmp", "cut-bmp --silent nyc-ce1"])
def test_cut_bmp_stays_cut_until_it_is_healed(station: Lab, words: str) -> None:
    verb, *rest = words.split()
    address = "10.91.0.1" if "nyc-ce1" in rest else "10.90.0.1"
    port = ports(station)[address]
    entry = faults.inject(station, verb, rest)
    assert entry.t_effect is not None
    assert entry.t_effect - entry.t_inject < 0.5
    time.sleep(3)  # the router dials anew every 1 to 2 s
    if "--silent" in rest:
        assert ports(station)[address] == port  # nobody told the station
    else:
        assert address not in connected(station)
    assert connected(station) >= {"10.90.0.1", "10.91.0.1"} - {address}
    faults.heal(station)
    assert eventually(lambda: ports(station).get(address, port) != port, 10)


def ports(lab: Lab) -> dict[str, str]:
    rows = space.run(lab.namespace("collector"), ["ss", "-Htn", "state", "established", "sport", "=", "11019"]).stdout
    ends = (line.split()[3].rpartition(":") for line in rows.splitlines())
    return {address: port for address, _, port in ends}


def test_restart_gobgp_is_a_new_process_with_all_its_sessions(healthy: Lab) -> None:
    before = processes.find(healthy, "collector", "gobgpd")
    entry = faults.inject(healthy, "restart-gobgp")
    after = processes.find(healthy, "collector", "gobgpd")
    assert before is not None
    assert after is not None
    assert before.pid != after.pid
    assert_passed(entry)
    assert all(each.established for each in truth.sessions(healthy))


@pytest.mark.parametrize("how", ["", "--kill"])
def test_restart_catchment_is_a_new_process_with_all_its_exporters(station: Lab, how: str) -> None:
    assert eventually(lambda: len(connected(station)) == 3)
    before = catchment.registered(station)
    entry = faults.inject(station, "restart-catchment", how.split())
    after = catchment.registered(station)
    assert before.pid != after.pid
    assert state.start_time(before.pid) is None
    assert state.start_time(after.pid) is not None
    assert_passed(entry)
    assert len(connected(station)) == 3


def assert_passed(entry: Entry) -> None:
    assert entry.t_effect is not None
    assert entry.t_heal is not None
    assert entry.t_heal_effect is not None
    assert entry.t_inject <= entry.t_effect <= entry.t_heal <= entry.t_heal_effect
