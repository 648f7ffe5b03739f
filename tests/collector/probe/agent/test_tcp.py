"""Handshakes on loopback: answered, refused, and a listener whose queue is full."""

import socket

from anycast.probe import Outcome, Probe
from collector.probe.config.values import Probes, TcpProbe
from tests.collector.probe.agent.probers import HERE, asked, probing


def handshakes(port: int) -> Probes:
    return Probes(tcp=TcpProbe(port, 0.1))


async def test_a_handshake_is_timed_by_the_kernel_and_takes_a_new_port_each_time() -> None:
    with socket.create_server((HERE, 0)) as listening:
        async with probing(asked(handshakes(listening.getsockname()[1]))) as agent:
            results = await agent.until(Probe.TCP, Outcome.ANSWERED, count=5)
    assert all(one.rtt and 0 < one.rtt < 5_000_000 for one in results)
    assert len({one.port for one in results}) == len(results)


async def test_ipv6_shakes_hands_too() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listening:
        async with probing(asked(handshakes(listening.getsockname()[1]), "::1")) as agent:
            assert await agent.until(Probe.TCP, Outcome.ANSWERED)


async def test_a_closed_port_is_refused() -> None:
    with socket.socket() as nobody:
        nobody.bind((HERE, 0))
        async with probing(asked(handshakes(nobody.getsockname()[1]))) as agent:
            results = await agent.until(Probe.TCP, count=3)
    assert {(one.outcome, one.detail, one.rtt) for one in results} == {(Outcome.REFUSED, "Connection refused", None)}


async def test_a_listener_with_a_full_queue_is_silent_and_late_when_it_takes_one() -> None:
    with socket.create_server((HERE, 0), backlog=0) as listening:
        where = listening.getsockname()
        async with probing(asked(handshakes(where[1])), late=5.0) as agent:
            await agent.until(Probe.TCP, Outcome.ANSWERED)
            silent = await agent.until(Probe.TCP, Outcome.SILENT, count=3)
            for _ in range(3):
                listening.accept()[0].close()
            late = await agent.until(Probe.TCP, Outcome.LATE)
    assert {one.rtt for one in silent} == {None}
    assert all(one.rtt and one.rtt > 900_000_000 for one in late)
    assert {one.mono for one in late} <= {one.mono for one in agent.of(Probe.TCP, Outcome.SILENT)}


async def test_all_sockets_are_closed_at_the_end() -> None:
    with socket.create_server((HERE, 0), backlog=0) as listening:
        async with probing(asked(handshakes(listening.getsockname()[1])), late=5.0) as agent:
            await agent.until(Probe.TCP, Outcome.SILENT, count=3)
        assert agent.prober.sockets == 0
