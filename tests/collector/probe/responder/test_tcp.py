"""HTTP and echo on loopback: who may, who may not, and who is too slow."""

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address

import aiohttp
import pytest

from collector.probe.identity.http import ANSWER, ASK, PATH, answered, ask
from collector.probe.identity.keys import Keys
from collector.probe.identity.refused import Cause
from collector.probe.responder import tcp
from collector.probe.responder.counters import Counters
from collector.probe.responder.head import LONGEST
from collector.probe.responder.settings import Place
from collector.probe.responder.tcp import Doors, EchoConnection, HttpConnection, bound, serve
from tests.collector.probe.identity.asking import KEY, KEYS, NEXT, WHO, a_request
from tests.collector.probe.responder.answered import rules

ANY = Place(ip_address("127.0.0.1"), 0)
Served = tuple[int, int, Counters]


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """Ports of HTTP and of echo, and the counters of both."""
    doors = Doors(rules(), Counters())
    sockets = bound(ANY), bound(ANY)
    ports = [each.getsockname()[1] for each in sockets]
    servers = [
        await serve(sockets[0], lambda: HttpConnection(doors)),
        await serve(sockets[1], lambda: EchoConnection(doors)),
    ]
    yield ports[0], ports[1], doors.counters
    for server in servers:
        server.close()


def head(nonce: int = 1, extra: str = "") -> bytes:
    value = ask(a_request(nonce=nonce), KEY)[ASK]
    return f"GET {PATH} HTTP/1.1\r\nHost: a\r\n{extra}{ASK}: {value}\r\n\r\n".encode()


async def said(port: int, data: bytes, wait: float = 2) -> bytes:
    """Send bytes and return all that comes until the other end closes, or nothing more comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    got = b""
    try:
        while chunk := await asyncio.wait_for(reader.read(65536), wait):
            got += chunk
    except (TimeoutError, ConnectionResetError):
        pass
    finally:
        writer.close()
    return got


async def test_an_ordinary_client_is_answered_over_one_connection(served: Served) -> None:
    port, _, counters = served
    async with aiohttp.ClientSession() as session:
        for nonce in range(3):
            url = f"http://127.0.0.1:{port}{PATH}"
            async with session.get(url, headers=ask(a_request(nonce=nonce), KEY)) as response:
                assert (response.status, response.headers["Cache-Control"]) == (204, "no-store")
                reply = answered(response.headers[ANSWER], KEYS)
                assert (reply.identity, reply.request.nonce, str(reply.address)) == (WHO, nonce, "127.0.0.1")
    assert counters.plain()["answered"] == {"http": 3}


@pytest.mark.parametrize("extra", ["", "Connection: close\r\n"])
async def test_the_answer_is_never_larger_than_the_request(served: Served, extra: str) -> None:
    data = head(extra=extra)
    got = await said(served[0], data, 0.2)
    assert got.startswith(b"HTTP/1.1 204")
    assert len(got) <= len(data)


async def test_requests_in_one_piece_and_in_many_are_answered(served: Served) -> None:
    together = await said(served[0], head(1) + head(2), 0.2)
    assert together.count(b"HTTP/1.1 204") == 2
    reader, writer = await asyncio.open_connection("127.0.0.1", served[0])
    for octet in head(3):
        writer.write(bytes((octet,)))
        await asyncio.sleep(0)
    assert (await reader.readline()).startswith(b"HTTP/1.1 204")
    writer.close()


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (head().replace(b"GET", b"PUT"), Cause.FOREIGN),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Cause.FOREIGN),
        (head()[:-12] + b"AAAAAAAA\r\n\r\n", Cause.FORGED),
        (b"A" * (LONGEST + 1), Cause.OVERSIZED),
        (b"A" * (LONGEST + 1) + b"\r\n\r\n", Cause.OVERSIZED),
        (b"\r\n\r\n", Cause.FOREIGN),
    ],
)
async def test_anything_else_ends_without_a_word(served: Served, data: bytes, cause: Cause) -> None:
    assert await said(served[0], data) == b""
    assert served[2].dropped(cause) == 1
    assert not served[2].answered


async def test_a_replay_ends_without_a_word(served: Served) -> None:
    assert (await said(served[0], head(extra="Connection: close\r\n"))).startswith(b"HTTP/1.1 204")
    assert await said(served[0], head(extra="Connection: close\r\n")) == b""
    assert served[2].dropped(Cause.REPLAYED) == 1


async def test_a_head_that_trickles_is_cut_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "HEAD_TIME", 0.2)
    loop = asyncio.get_running_loop()
    began = loop.time()
    with socket.create_connection(("127.0.0.1", served[0]), 1) as ours:
        cut = False
        for octet in head() * 10:
            try:
                ours.send(bytes((octet,)), socket.MSG_NOSIGNAL)
            except OSError:
                cut = True
                break
            await asyncio.sleep(0.02)
            if loop.time() - began > 5:
                break
    assert cut
    assert served[2].dropped(Cause.EXPIRED) == 1


async def test_a_connection_that_says_nothing_is_closed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "HEAD_TIME", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", served[0])
    assert await asyncio.wait_for(reader.read(), 2) == b""
    writer.close()


async def test_more_connections_than_are_let_in_are_cut_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "MOST_OF_SOURCE", 3)
    opened = [await asyncio.open_connection("127.0.0.1", served[1]) for _ in range(3)]
    for reader, writer in opened:
        writer.write(b"beat")
        assert await reader.readexactly(4) == b"beat"
    assert await said(served[1], b"beat", 0.5) == b""
    assert served[2].dropped(Cause.RATE) == 1
    for _, writer in opened:
        writer.close()
    await asyncio.sleep(0.05)
    assert await said(served[1], b"beat", 0.1) == b"beat"


async def test_who_is_not_in_the_allow_list_is_cut_off() -> None:
    answering = rules()
    answering.follow(WHO, frozenset(), Keys((NEXT,)), ())
    doors = Doors(answering, Counters())
    listening = bound(ANY)
    server = await serve(listening, lambda: EchoConnection(doors))
    assert await said(listening.getsockname()[1], b"beat") == b""
    assert doors.counters.dropped(Cause.SOURCE) == 1
    server.close()


async def test_echo_sends_back_what_it_gets_and_waits_for_nobody(served: Served) -> None:
    assert await said(served[1], b"beat 1", 0.1) == b"beat 1"
    deaf = socket.create_connection(("127.0.0.1", served[1]))
    deaf.setblocking(False)
    loop = asyncio.get_running_loop()

    async def shout() -> None:
        for _ in range(2000):
            await asyncio.wait_for(loop.sock_sendall(deaf, bytes(65536)), 5)

    with pytest.raises(ConnectionError):
        await shout()
    assert served[2].dropped(Cause.SEND) == 1
    deaf.close()
