"""Witnesses see what happened, at the time it happened, and do not see what did not happen."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from ipaddress import IPv4Network

import pytest

from lab import space
from lab.segments import RST, Segment
from lab.witness import EffectNotSeen, Every, FibMonitor, PacketTap, Sighting, TableWatcher, next_hops, route_event
from tests import needs

WEB = IPv4Network("10.250.0.10/32")
STAMP = "[2026-11-23T05:19:11.128448] "


@pytest.mark.parametrize(
    ("line", "hops"),
    [
        ("10.250.0.10 via 10.10.1.5 dev eth0 proto bird metric 32 ", {"10.10.1.5"}),
        (
            "10.250.0.10 proto bird metric 32 \\\tnexthop via 10.10.1.4 dev eth0 weight 1 "
            "\\\tnexthop via 10.10.1.5 dev eth0 weight 1 ",
            {"10.10.1.4", "10.10.1.5"},
        ),
        ("Deleted 10.250.0.10 via 10.10.1.5 dev eth0 proto bird metric 32 ", set()),
        ("10.250.0.10 dev partner scope link ", {"partner"}),
    ],
)
def test_a_route_event_tells_the_next_hops_from_then_on(line: str, hops: set[str]) -> None:
    event = route_event(STAMP + line, WEB)
    assert event is not None
    assert event[1] == hops
    assert datetime.fromtimestamp(event[0]).astimezone().isoformat().startswith("2026-11-23T05:19:11.128448")


@pytest.mark.parametrize(
    "line",
    [
        "10.250.0.11 via 10.10.1.5 dev eth0 ",
        "10.250.0.0/24 via 10.10.1.5 dev eth0 ",
        "local 10.250.0.10 dev lo table local ",
        "",
    ],
)
def test_events_of_other_prefixes_and_tables_are_not_ours(line: str) -> None:
    assert route_event(STAMP + line, WEB) is None


def test_a_table_watcher_waits_for_the_answer_and_says_what_troubled_it() -> None:
    answers: list[str | None] = [None, None, "there"]
    seen = TableWatcher("table", lambda: answers.pop(0), 0.01).effect(1)
    assert seen.what == "there"
    assert answers == []

    def refuses() -> str | None:
        raise RuntimeError("nobody listens")

    with pytest.raises(EffectNotSeen, match="nobody listens"):
        TableWatcher("table", refuses, 0.01).effect(0.05)


class At:
    """A witness that saw something at a given time."""

    def __init__(self, at: float) -> None:
        self.name, self._at, self.closed = "somebody", at, False

    def effect(self, within: float = 1) -> Sighting:
        return Sighting(self._at, f"at {self._at}")

    def close(self) -> None:
        self.closed = True


def test_of_several_witnesses_the_last_decides_and_all_are_closed() -> None:
    both = (At(2.0), At(1.0))
    every = Every(*both)
    assert every.effect().at == 2.0
    every.close()
    assert all(each.closed for each in both)


@pytest.fixture
def namespace() -> Iterator[str]:
    needs.root()
    needs.tool("ip", "iproute2")
    name = f"wi{os.getpid() % 100000}"
    space.create([name])
    space.batch(["link add one type veth peer name two", "link set one up", "link set two up"], name)
    space.batch(["address add 10.1.0.1/24 dev one"], name)
    yield name
    space.delete([name])


@pytest.mark.lab
def test_the_fib_monitor_sees_a_change_at_its_time_and_nothing_else(namespace: str) -> None:
    space.batch([f"route add {WEB} nexthop via 10.1.0.2 nexthop via 10.1.0.3"], namespace)
    assert next_hops(namespace, WEB) == {"10.1.0.2", "10.1.0.3"}
    monitor = FibMonitor(namespace, WEB, lambda hops: "10.1.0.2" not in hops)
    try:
        space.batch(["route add 10.250.0.11 via 10.1.0.2"], namespace)
        with pytest.raises(EffectNotSeen, match=r"via \['10.1.0.2', '10.1.0.3'\]"):
            monitor.effect(0.3)
        before = time.time()
        space.batch([f"route replace {WEB} via 10.1.0.3"], namespace)
        after = time.time()
        time.sleep(0.3)
        seen = monitor.effect(2)
        assert before <= seen.at <= after
        assert seen.what == "10.250.0.10/32 via 10.1.0.3"
    finally:
        monitor.close()


@pytest.mark.lab
def test_a_route_that_is_replaced_by_deleting_it_first_was_never_gone(namespace: str) -> None:
    space.batch([f"route add {WEB} via 10.1.0.2"], namespace)
    monitor = FibMonitor(namespace, WEB, lambda hops: not hops)
    try:
        space.batch([f"route del {WEB}", f"route add {WEB} via 10.1.0.3"], namespace)
        with pytest.raises(EffectNotSeen):
            monitor.effect(0.4)
    finally:
        monitor.close()


@pytest.mark.lab
def test_what_is_so_already_is_a_recovery_but_no_effect(namespace: str) -> None:
    for needs_change in (False, True):
        monitor = FibMonitor(namespace, WEB, lambda hops: not hops, needs_change)
        try:
            if needs_change:
                with pytest.raises(EffectNotSeen):
                    monitor.effect(0.3)
            else:
                assert monitor.effect(0.5).what == "10.250.0.10/32 via nothing"
        finally:
            monitor.close()


@pytest.mark.lab
def test_the_packet_tap_sees_a_reset_with_the_kernels_own_time(namespace: str) -> None:
    def telling(found: Segment) -> str | None:
        return "reset" if found.flags & RST else None

    def connect() -> None:
        with socket.socket() as client, pytest.raises(ConnectionRefusedError):
            client.connect(("10.1.0.1", 9))

    quiet, tap = PacketTap(namespace, lambda _: None), PacketTap(namespace, telling)
    try:
        before = time.time()
        space.inside(namespace, connect)
        after = time.time()
        time.sleep(0.2)
        seen = tap.effect(1)
        assert seen.what == "reset"
        assert before <= seen.at <= after
        with pytest.raises(EffectNotSeen):
            quiet.effect(0.2)
    finally:
        tap.close()
        quiet.close()


@pytest.mark.lab
def test_a_monitor_of_a_namespace_that_is_not_there_is_an_error() -> None:
    needs.root()
    with pytest.raises((RuntimeError, OSError, subprocess.CalledProcessError)):
        FibMonitor("no-such-namespace", WEB, bool)
