"""Downloads: their beginnings, their rates, their bounds, and that two never share a circuit."""

import asyncio
from ipaddress import ip_address

from aiohttp import web

from anycast.probe import Outcome, Probe, Target, TargetKind
from collector.probe.config.values import Asked, Probes, ThroughputProbe
from tests.collector.probe.agent.probers import HERE, asked, probing
from tests.collector.probe.agent.test_http import site

PIECE = b"x" * 50_000


def load(port: int, octets: int = 10_000_000, seconds: float = 5.0, every: float = 0.3) -> Probes:
    return Probes(throughput=ThroughputProbe(f"http://svc.example:{port}/", every, octets, seconds))


async def test_a_download_begins_and_ends_and_tells_its_rate() -> None:
    async def steady(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(20):
            await response.write(PIECE)
            await asyncio.sleep(0.02)
        return response

    async with site(steady) as port, probing(asked(load(port))) as agent:
        [result, *_] = await agent.until(Probe.THROUGHPUT, Outcome.ANSWERED)
        [began, *_] = agent.of(Probe.THROUGHPUT, Outcome.BEGAN)
    assert (began.mono, began.value) == (result.mono, None)
    assert result.value is not None
    assert 1_000_000 < result.value < 2_600_000  # 50,000 octets each 20 ms are 2.5 MB/s
    assert result.status == 200
    assert result.connect
    assert result.first_byte
    assert result.rtt is not None
    assert result.rtt > 380_000_000


async def test_a_download_ends_at_its_bounds_in_octets_and_in_time() -> None:
    given = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal given
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(PIECE)
            given += len(PIECE)
            await asyncio.sleep(0.01)

    async with site(endless) as port:
        async with probing(asked(load(port, octets=200_000, every=2.0))) as agent:
            [result, *_] = await agent.until(Probe.THROUGHPUT, Outcome.ANSWERED)
        assert given < 1_000_000
        async with probing(asked(load(port, seconds=0.3, every=2.0))) as agent:
            [timed, *_] = await agent.until(Probe.THROUGHPUT, Outcome.ANSWERED)
    assert result.value
    assert timed.rtt is not None
    assert 300_000_000 <= timed.rtt < 800_000_000


async def test_two_downloads_never_fill_one_circuit_at_once_and_two_circuits_may_be_filled() -> None:
    running: dict[str, int] = {}
    most: dict[tuple[str, ...], int] = {}

    async def watched(request: web.Request) -> web.StreamResponse:
        which = request.path.strip("/")
        running[which] = running.get(which, 0) + 1
        for circuit in ({"a1", "a2"}, {"b1"}, {"a1", "a2", "b1"}):
            key = tuple(sorted(circuit))
            most[key] = max(most.get(key, 0), sum(running.get(name, 0) for name in circuit))
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(5):
            await response.write(PIECE)
            await asyncio.sleep(0.04)
        running[which] -= 1
        return response

    async with site(watched) as port:
        targets = [
            Asked(
                Target(name, TargetKind.SERVICE, ip_address(HERE), circuit=name[0]),
                Probes(throughput=ThroughputProbe(f"http://svc.example:{port}/{name}", 0.3, 10_000_000, 5.0)),
            )
            for name in ("a1", "a2", "b1")
        ]
        async with probing(*targets) as agent:
            results = await agent.until(Probe.THROUGHPUT, Outcome.ANSWERED, count=8)
    assert {one.target for one in results} == {"a1", "a2", "b1"}
    assert most[("a1", "a2")] == 1
    assert most[("a1", "a2", "b1")] == 2


async def test_an_error_of_the_server_is_broken_and_has_no_rate() -> None:
    async def missing(request: web.Request) -> web.Response:
        return web.Response(status=404)

    async with site(missing) as port, probing(asked(load(port))) as agent:
        [result, *_] = await agent.until(Probe.THROUGHPUT, Outcome.BROKEN)
    assert (result.value, result.detail) == (None, "status 404")


async def test_a_server_that_sends_nothing_is_silent_and_lets_the_next_download_come() -> None:
    async def hangs(request: web.Request) -> web.Response:
        await asyncio.sleep(10)
        return web.Response()

    async with site(hangs) as port, probing(asked(load(port))) as agent:
        results = await agent.until(Probe.THROUGHPUT, Outcome.SILENT, count=2)
    assert {one.value for one in results} == {None}
