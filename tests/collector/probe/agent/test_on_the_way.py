"""What routers do to probes, in namespaces: silence, words of their own, sizes, hops, and what needs no right."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anycast.probe import Outcome, Probe
from collector.probe.config.values import (
    CanaryProbe,
    HttpProbe,
    IcmpProbe,
    MtuProbe,
    Probes,
    TcpProbe,
    TraceProbe,
    UdpProbe,
)
from collector.probe.identity.http import PATH
from tests import needs
from tests.collector.probe.agent.hosts import R1, R1_6, R2, R2_6, SERVICE, SERVICE_6, Hosts, answering, in_a_row, inside
from tests.collector.probe.agent.probers import WHO, Ports, asked, probing

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    with in_a_row() as row:
        yield row


@pytest.fixture
def ports(hosts: Hosts) -> Iterator[Ports]:
    with answering(hosts.far, SERVICE) as where, inside(hosts.us):
        yield where


def everything(ports: Ports, **other: object) -> Probes:
    return Probes(
        icmp=IcmpProbe(0.1),
        udp=UdpProbe(ports.udp, 43_000, 4, 0.1, 10.0),
        tcp=TcpProbe(ports.echo, 0.1),
        http=HttpProbe(f"http://svc.example:{ports.http}{PATH}", 0.2),
        canary=CanaryProbe(ports.echo, "", 1, 0.1),
        **other,  # type: ignore[arg-type]
    )


KINDS = (Probe.ICMP, Probe.UDP, Probe.TCP, Probe.HTTP, Probe.CANARY)


async def test_over_two_routers_all_is_answered_and_hops_are_seen(hosts: Hosts, ports: Ports) -> None:
    async with probing(asked(everything(ports), SERVICE)) as agent:
        for kind in KINDS:
            await agent.until(kind, Outcome.ANSWERED, count=5)
    assert {one.outcome for one in agent.taken} == {Outcome.ANSWERED}
    assert {(one.ttl, one.far_ttl, one.identity) for one in agent.of(Probe.UDP)} == {(62, 62, WHO)}
    assert {one.ttl for one in agent.of(Probe.ICMP)} == {62}


async def test_what_is_dropped_on_the_way_is_silent(hosts: Hosts, ports: Ports) -> None:
    async with probing(asked(everything(ports), SERVICE)) as agent:
        for kind in KINDS:
            await agent.until(kind, Outcome.ANSWERED)
        hosts.nft(hosts.r2, "forward", f"ip daddr {SERVICE} drop")
        for kind in KINDS:
            results = await agent.until(kind, Outcome.SILENT, count=3)
            assert all(one.rtt is None for one in results)
    assert {one.outcome for one in agent.taken} == {Outcome.ANSWERED, Outcome.SILENT}


async def test_one_flow_that_is_dropped_is_told_from_the_others(hosts: Hosts, ports: Ports) -> None:
    hosts.nft(hosts.r1, "forward", "udp sport 43002 drop")
    async with probing(asked(everything(ports), SERVICE)) as agent:
        await agent.until(Probe.UDP, Outcome.SILENT, count=5)
        flows = {flow: {one.outcome for one in agent.of(Probe.UDP) if one.flow == flow} for flow in range(4)}
    assert flows == {number: {Outcome.SILENT if number == 2 else Outcome.ANSWERED} for number in range(4)}


@pytest.mark.parametrize(
    ("answer", "words"),
    [("host-unreachable", "host unreachable"), ("admin-prohibited", "prohibited by a filter")],
)
async def test_a_router_that_says_why_is_named(hosts: Hosts, ports: Ports, answer: str, words: str) -> None:
    hosts.nft(hosts.r2, "forward", f"ip daddr {SERVICE} reject with icmp type {answer}")
    async with probing(asked(everything(ports), SERVICE)) as agent:
        for kind in (Probe.ICMP, Probe.UDP, Probe.TCP):
            results = await agent.until(kind, count=3)
            assert {(one.outcome, one.detail) for one in results} == {(Outcome.UNREACHABLE, f"{words}, says {R2}")}


async def test_where_our_own_kernel_knows_no_way_it_says_so_and_finds_it_again(hosts: Hosts, ports: Ports) -> None:
    hosts.run(hosts.us, "ip", "route", "del", "default")
    async with probing(asked(everything(ports), SERVICE)) as agent:
        for kind in (Probe.ICMP, Probe.UDP, Probe.TCP):
            [result, *_] = await agent.until(kind)
            assert (result.outcome, result.detail) == (
                Outcome.UNREACHABLE,
                "Network is unreachable, says our own kernel",
            )
        hosts.run(hosts.us, "ip", "route", "add", "default", "via", R1)
        for kind in KINDS:
            await agent.until(kind, Outcome.ANSWERED, count=3)


async def test_a_flow_outlives_a_change_of_our_own_address(hosts: Hosts, ports: Ports) -> None:
    async with probing(asked(everything(ports), SERVICE)) as agent:
        await agent.until(Probe.UDP, Outcome.ANSWERED, count=8)
        hosts.run(hosts.us, "ip", "addr", "del", "198.18.1.2/24", "dev", "r1")
        hosts.run(hosts.us, "ip", "addr", "add", "198.18.1.3/24", "dev", "r1")
        hosts.run(hosts.us, "ip", "route", "replace", "default", "via", R1)
        before = len(agent.of(Probe.UDP, Outcome.ANSWERED))
        after = (await agent.until(Probe.UDP, Outcome.ANSWERED, count=before + 40))[before + 10 :]
    assert {one.flow for one in after} >= {0, 1, 2, 3}
    assert {one.port for one in after if one.flow >= 0} == {43_000, 43_001, 43_002, 43_003}


async def test_what_our_own_firewall_drops_was_never_sent(hosts: Hosts, ports: Ports) -> None:
    hosts.nft(hosts.us, "output", "meta l4proto { icmp, udp } drop")
    async with probing(asked(everything(ports), SERVICE)) as agent:
        for kind in (Probe.ICMP, Probe.UDP):
            results = await agent.until(kind, count=3)
            assert {one.outcome for one in results} == {Outcome.UNSENT}
            assert "not permitted" in results[0].detail


SIZES = (1300, 1400, 1500)


def ladder(ports: Ports, udp: bool) -> Probes:
    flows = UdpProbe(ports.udp, 43_000, 1, 0.5, 0.0) if udp else None
    return Probes(icmp=None if udp else IcmpProbe(0.5), udp=flows, mtu=MtuProbe(0.3, SIZES))


@pytest.mark.parametrize("udp", [True, False], ids=["udp", "icmp"])
async def test_a_size_that_a_router_says_does_not_fit_is_too_big(hosts: Hosts, ports: Ports, udp: bool) -> None:
    hosts.run(hosts.r1, "ip", "link", "set", "r2", "mtu", "1400")
    async with probing(asked(ladder(ports, udp), SERVICE)) as agent:
        results = await agent.until(Probe.MTU, Outcome.TOO_BIG, count=2)
        await agent.until(Probe.MTU, Outcome.ANSWERED, count=4)
    assert {(one.value, one.detail) for one in results} == {(1400.0, f"too big, and not to be cut, says {R1}")}
    assert {one.value for one in agent.of(Probe.MTU, Outcome.ANSWERED)} == {1300.0, 1400.0}
    assert agent.of(Probe.MTU, Outcome.SILENT) == []


@pytest.mark.parametrize("udp", [True, False], ids=["udp", "icmp"])
async def test_a_size_that_vanishes_without_a_word_is_silent(hosts: Hosts, ports: Ports, udp: bool) -> None:
    hosts.run(hosts.r1, "ip", "link", "set", "r2", "mtu", "1400")
    hosts.nft(hosts.r1, "output", "icmp type destination-unreachable drop")
    async with probing(asked(ladder(ports, udp), SERVICE)) as agent:
        results = await agent.until(Probe.MTU, Outcome.SILENT, count=3)
        await agent.until(Probe.MTU, Outcome.ANSWERED, count=6)
    assert {one.value for one in results} == {1500.0}
    assert {one.value for one in agent.of(Probe.MTU, Outcome.ANSWERED)} == {1300.0, 1400.0}


async def test_a_size_that_our_own_link_does_not_carry_is_too_big_at_once(hosts: Hosts, ports: Ports) -> None:
    hosts.run(hosts.us, "ip", "link", "set", "r1", "mtu", "1400")
    async with probing(asked(ladder(ports, True), SERVICE)) as agent:
        [result, *_] = await agent.until(Probe.MTU, Outcome.TOO_BIG)
    assert (result.value, result.detail) == (1400.0, "Message too long, says our own kernel")


async def test_a_trace_names_each_router_with_the_flows_own_ports(hosts: Hosts, ports: Ports) -> None:
    hosts.nft(hosts.r1, "forward", "udp sport 43001 ip ttl < 2 drop")
    probes = everything(ports, trace=TraceProbe(0.5, 2, 8))
    async with probing(asked(probes, SERVICE)) as agent:
        results = await agent.until(Probe.TRACE, count=6)
    by_flow = {one.flow: one.hops for one in results}
    assert by_flow == {0: (R1, R2, SERVICE), 1: (R1, "*", SERVICE)}
    assert {(one.flow, one.port, one.outcome, one.identity) for one in results} == {
        (0, 43_000, Outcome.ANSWERED, WHO),
        (1, 43_001, Outcome.ANSWERED, WHO),
    }


async def test_a_trace_into_silence_ends_where_the_silence_does_not(hosts: Hosts, ports: Ports) -> None:
    hosts.nft(hosts.r2, "forward", f"ip daddr {SERVICE} drop")
    async with probing(asked(everything(ports, trace=TraceProbe(1.0, 1, 16)), SERVICE)) as agent:
        [result, *_] = await agent.until(Probe.TRACE)
    assert result.outcome is Outcome.SILENT
    assert result.hops == (R1, R2, "*", "*", "*", "*")


async def test_a_trace_that_is_turned_away_names_who_did(hosts: Hosts, ports: Ports) -> None:
    hosts.nft(hosts.r2, "forward", f"ip daddr {SERVICE} reject with icmp type admin-prohibited")
    async with probing(asked(everything(ports, trace=TraceProbe(1.0, 1, 16)), SERVICE)) as agent:
        [result, *_] = await agent.until(Probe.TRACE)
    assert result.outcome is Outcome.UNREACHABLE
    assert result.hops[-1] == R2
    assert "prohibited" in result.detail


async def test_a_loop_of_routes_is_unreachable_by_name(hosts: Hosts, ports: Ports) -> None:
    hosts.run(hosts.r2, "ip", "route", "replace", f"{SERVICE}/32", "via", "198.18.2.1")
    async with probing(asked(everything(ports), SERVICE)) as agent:
        for kind in (Probe.ICMP, Probe.UDP):
            [result, *_] = await agent.until(kind)
            assert result.outcome is Outcome.UNREACHABLE
            assert result.detail.startswith("TTL expired on the way, says 198.18.")


async def test_no_more_than_twenty_packets_of_traces_a_second_leave_us(hosts: Hosts, ports: Ports) -> None:
    probes = Probes(udp=UdpProbe(ports.udp, 43_000, 16, 60.0, 0.0), trace=TraceProbe(0.4, 16, 8))
    async with probing(asked(probes, SERVICE)) as agent:
        began = time.monotonic()
        results = await agent.until(Probe.TRACE, Outcome.ANSWERED, count=32)
        seconds, sent = time.monotonic() - began, sum(len(one.hops) for one in results)
        unsent = agent.of(Probe.TRACE, Outcome.UNSENT)
    assert 32 * 3 <= sent <= 20 * seconds + 1
    assert {one.detail for one in unsent} == {"20 traces are under way"}


async def test_ipv6_is_probed_as_ipv4_is(hosts: Hosts) -> None:
    hosts.run(hosts.r1, "ip", "link", "set", "r2", "mtu", "1400")
    probes = {"trace": TraceProbe(0.5, 1, 8), "mtu": MtuProbe(0.3, SIZES)}
    with answering(hosts.far, SERVICE_6) as ports, inside(hosts.us):
        async with probing(asked(everything(ports, **probes), SERVICE_6)) as agent:
            for kind in KINDS:  # neighbours are not there at once
                await agent.until(kind, Outcome.ANSWERED, count=2)
            await agent.until(Probe.UDP, Outcome.ANSWERED, count=60)
            agent.taken.clear()
            await agent.until(Probe.TRACE, count=2)
            await agent.until(Probe.MTU, count=6)
    assert agent.of(Probe.TRACE)[-1].hops == (R1_6, R2_6, SERVICE_6)
    assert {(one.ttl, one.far_ttl) for one in agent.of(Probe.UDP)} == {(62, 62)}
    assert {(one.outcome, one.value) for one in agent.of(Probe.MTU)} == {
        (Outcome.ANSWERED, 1300.0),
        (Outcome.ANSWERED, 1400.0),
        (Outcome.TOO_BIG, 1400.0),
    }
    assert {one.detail for one in agent.of(Probe.MTU, Outcome.TOO_BIG)} == {f"too big, says {R1_6}"}


async def test_a_router_of_ipv6_that_says_why_is_named(hosts: Hosts) -> None:
    hosts.nft(hosts.r2, "forward", f"ip6 daddr {SERVICE_6} reject with icmpv6 type admin-prohibited")
    with answering(hosts.far, SERVICE_6) as ports, inside(hosts.us):
        async with probing(asked(everything(ports), SERVICE_6)) as agent:
            for kind in (Probe.ICMP, Probe.UDP, Probe.TCP):
                results = await agent.until(kind, Outcome.UNREACHABLE, count=3)
                assert {one.detail for one in results} == {f"prohibited by a filter, says {R2_6}"}


@pytest.mark.parametrize("allowed", [False, True], ids=["no ICMP", "ICMP by a datagram socket"])
def test_nobody_does_what_needs_no_right_and_says_what_it_cannot(hosts: Hosts, allowed: bool) -> None:
    needs.tool("setpriv", "util-linux")
    hosts.run(hosts.us, "sysctl", "-qw", f"net.ipv4.ping_group_range={'0 65535' if allowed else '1 0'}")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all")
    with answering(hosts.far, SERVICE) as ports:
        command = (sys.executable, "-m", "tests.collector.probe.agent.as_nobody", SERVICE, str(ports.udp))
        done = subprocess.run(
            ["ip", "netns", "exec", hosts.us, *nobody, *command],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[4],
        )
    said = json.loads(done.stdout)
    assert said["uid"] == 65534
    assert said["hops"] == [R1, R2, SERVICE]
    expected = {"udp": ["answered"], "tcp": ["refused"], "mtu": ["answered"], "trace": ["answered"]}
    assert said["ended"] == expected | ({"icmp": ["answered"]} if allowed else {})
    assert bool(said["lacking"]) is not allowed
    if not allowed:
        assert said["lacking"] == [
            "no ICMP echo: it takes CAP_NET_RAW, or a group of ours within the sysctl net.ipv4.ping_group_range"
        ]
