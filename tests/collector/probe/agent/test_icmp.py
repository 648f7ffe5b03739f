"""Echo requests: on loopback, and to a host in a namespace that answers as it should not."""

import socket
from collections.abc import Iterator
from statistics import median

import pytest

from anycast.probe import Outcome, Probe
from collector.probe.agent.echo_filter import only_ours
from collector.probe.config.values import IcmpProbe, MtuProbe, Probes
from collector.probe.wire.icmp import encode_echo
from tests import needs
from tests.collector.probe.agent.hosts import FAR, SERVICE, Hosts, echoing, in_a_row, inside
from tests.collector.probe.agent.probers import HERE, asked, probing

PING = Probes(icmp=IcmpProbe(0.1))


@pytest.mark.parametrize("address", [HERE, "::1"])
async def test_an_echo_comes_back_with_its_ttl_and_the_kernels_time(address: str) -> None:
    needs.root()
    async with probing(asked(PING, address)) as agent:
        results = await agent.until(Probe.ICMP, Outcome.ANSWERED, count=5)
    assert {(one.ttl, one.port, one.detail) for one in results} == {(64, 0, "")}
    assert median(one.rtt or 0 for one in results) < 5_000_000  # the loop reads them every 40 ms
    assert {one.outcome for one in agent.taken} == {Outcome.ANSWERED}


async def test_one_socket_asks_many_targets_and_tells_them_apart() -> None:
    needs.root()
    targets = [asked(PING, f"127.0.3.{number}", f"svc{number}") for number in range(1, 40)]
    async with probing(*targets) as agent:
        await agent.until(Probe.ICMP, count=200)
    by_target = {f"svc{number}": 0 for number in range(1, 40)}
    for one in agent.taken:
        by_target[one.target] += one.outcome is Outcome.ANSWERED
    assert min(by_target.values()) >= 3
    assert {one.outcome for one in agent.taken} == {Outcome.ANSWERED}


async def test_sizes_are_those_of_the_whole_packet() -> None:
    needs.root()
    async with probing(asked(Probes(mtu=MtuProbe(0.1, (1400, 9000))))) as agent:
        await agent.until(Probe.MTU, count=6)
    assert {(one.outcome, one.value) for one in agent.taken} == {(Outcome.ANSWERED, 1400.0), (Outcome.ANSWERED, 9000.0)}


def test_the_filter_lets_our_replies_through_and_nobody_elses() -> None:
    needs.root()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as ours,
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as all_of_them,
    ):
        only_ours(ours, 0x1234)
        for sock in (ours, all_of_them):
            sock.settimeout(0.3)
        for identifier in (0x4321, 0x1234, 0x4321):
            all_of_them.sendto(encode_echo(4, identifier, 1, b"x" * 16), (HERE, 0))
        heard = [_identifier(ours)]
        with pytest.raises(TimeoutError):
            _identifier(ours)
        others = {_identifier(all_of_them) for _ in range(6)}
    assert heard == [0x1234]
    assert {0x1234, 0x4321} <= others


def _identifier(sock: socket.socket) -> int:
    return int.from_bytes(sock.recv(200)[24:26], "big")


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    with in_a_row() as row:
        yield row


@pytest.mark.lab
@pytest.mark.parametrize(
    ("how", "outcome", "detail"),
    [
        ("twice", Outcome.ANSWERED, ""),
        ("foreign", Outcome.ANSWERED, ""),
        ("changed", Outcome.BROKEN, "the payload came back changed"),
        ("elsewhere", Outcome.INVALID, f"{FAR} answered"),
    ],
)
async def test_wrong_answers_are_told_apart(hosts: Hosts, how: str, outcome: Outcome, detail: str) -> None:
    with echoing(hosts.far, how, SERVICE, FAR), inside(hosts.us):
        async with probing(asked(PING, SERVICE)) as agent:
            results = await agent.until(Probe.ICMP, count=8)
            sent = agent.prober.health().sent
    assert {(one.outcome, one.detail) for one in results} == {(outcome, detail)}
    assert sent - 1 <= len(results) <= sent


@pytest.mark.lab
async def test_a_late_echo_is_silent_first_and_amended_then(hosts: Hosts) -> None:
    with echoing(hosts.far, "late", SERVICE, FAR), inside(hosts.us):
        async with probing(asked(PING, SERVICE)) as agent:
            late = await agent.until(Probe.ICMP, Outcome.LATE, count=4)
    assert {one.mono for one in late} <= {one.mono for one in agent.of(Probe.ICMP, Outcome.SILENT)}
    assert all(one.rtt and 500_000_000 <= one.rtt < 600_000_000 for one in late)
    assert agent.of(Probe.ICMP, Outcome.ANSWERED) == []
