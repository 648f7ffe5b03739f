"""Connections that are meant to last: beats, resets told from silence, and what comes after."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from anycast.probe import Outcome, Probe
from collector.probe.agent import canary
from collector.probe.config.values import CanaryProbe, Probes
from tests.collector.probe.agent.probers import HERE, asked, eventually, probing, responder
from tests.collector.probe.agent.test_http import site

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def beats(port: int, connections: int = 1, every: float = 0.1) -> Probes:
    return Probes(canary=CanaryProbe(port, "", connections, every))


@asynccontextmanager
async def peer(handler: Peer) -> AsyncIterator[int]:
    server = await asyncio.start_server(handler, HERE, 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int) -> None:
    for _ in range(count):
        writer.write(await reader.readexactly(16))


async def test_a_connection_beats_and_grows_old_on_one_port() -> None:
    async with responder() as ports, probing(asked(beats(ports.echo, 2))) as agent:
        results = await agent.until(Probe.CANARY, count=12)
    assert {one.outcome for one in results} == {Outcome.ANSWERED}
    assert {one.flow for one in results} == {0, 1}
    for number in (0, 1):
        mine = [one for one in results if one.flow == number]
        ages = [one.value or 0.0 for one in mine]
        assert len({one.port for one in mine}) == 1
        assert ages == sorted(ages)
        assert ages[-1] > 0.3


async def test_a_reset_is_told_at_once_with_its_age_and_another_connection_follows() -> None:
    async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await echo(reader, writer, 3)
        await reader.readexactly(16)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()

    async with peer(resets) as port, probing(asked(beats(port))) as agent:
        [first, second, *_] = await agent.until(Probe.CANARY, Outcome.RESET, count=2)
    assert first.detail == "Connection reset by peer"
    assert first.value is not None
    assert 0.3 < first.value < 0.6
    assert first.port != second.port
    assert agent.of(Probe.CANARY, Outcome.SILENT) == []


async def test_an_end_in_order_is_a_reset_too_and_says_which() -> None:
    async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await echo(reader, writer, 2)
        writer.close()

    async with peer(closes) as port, probing(asked(beats(port))) as agent:
        [first, *_] = await agent.until(Probe.CANARY, Outcome.RESET)
    assert first.detail == "the far end closed the connection"


async def test_silence_is_no_reset_and_after_ten_beats_another_connection_is_opened() -> None:
    opened = 0

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        await echo(reader, writer, 1)
        await reader.read()
        writer.close()

    async with peer(silent) as port, probing(asked(beats(port, every=0.05)), timeout=0.05) as agent:
        results = await agent.until(Probe.CANARY, Outcome.SILENT, count=canary.PATIENCE)
        await eventually(lambda: opened == 2)
    assert len({one.port for one in results[: canary.PATIENCE]}) == 1
    assert agent.of(Probe.CANARY, Outcome.RESET) == []


async def test_a_late_echo_amends_its_beat_and_ends_nothing() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await echo(reader, writer, 1)
        kept = await reader.readexactly(16)
        await asyncio.sleep(0.5)
        writer.write(kept)
        await echo(reader, writer, 100)

    async with peer(slow) as port, probing(asked(beats(port, every=0.2))) as agent:
        [late, *_] = await agent.until(Probe.CANARY, Outcome.LATE)
        answered = await agent.until(Probe.CANARY, Outcome.ANSWERED, count=4)
    assert late.mono in {one.mono for one in agent.of(Probe.CANARY, Outcome.SILENT)}
    assert len({one.port for one in answered}) == 1
    assert late.rtt
    assert 500_000_000 <= late.rtt < 700_000_000


async def test_where_nobody_listens_it_does_not_open_and_has_no_age() -> None:
    async with probing(asked(beats(1))) as agent:
        results = await agent.until(Probe.CANARY, count=3)
    assert {(one.outcome, one.value) for one in results} == {(Outcome.REFUSED, None)}
    assert results[0].detail == "it does not open: Connection refused"


async def test_a_url_is_asked_over_one_connection_and_its_end_is_seen() -> None:
    asked_times = 0

    async def pages(request: web.Request) -> web.Response:
        nonlocal asked_times
        asked_times += 1
        response = web.Response(text="here")
        if asked_times == 5:
            response.force_close()
        return response

    async with site(pages) as port:
        probes = Probes(canary=CanaryProbe(0, f"http://svc.example:{port}/", 1, 0.1))
        async with probing(asked(probes)) as agent:
            [ended, *_] = await agent.until(Probe.CANARY, Outcome.RESET)
            before = [one for one in agent.of(Probe.CANARY, Outcome.ANSWERED) if one.mono < ended.mono]
    assert len({one.port for one in before}) == 1
    assert len(before) == 4
    assert "closed" in ended.detail
