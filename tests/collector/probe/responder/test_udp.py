"""The UDP socket on loopback: real datagrams there and back."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest

from collector.probe.identity.datagram import LONGEST, decode_reply, encode_request
from collector.probe.identity.refused import Cause
from collector.probe.responder.counters import Counters
from collector.probe.responder.settings import Place
from collector.probe.responder.udp import UdpServer
from tests.collector.probe.identity.asking import KEY, KEYS, WHO, a_request
from tests.collector.probe.responder.answered import rules

Served = tuple[UdpServer, Counters]


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    counters = Counters()
    server = UdpServer(Place(ip_address("0.0.0.0"), 0), rules(), counters)
    server.open()
    yield server, counters
    server.close()


def client(address: str = "127.0.0.1", family: int = socket.AF_INET) -> socket.socket:
    found = socket.socket(family, socket.SOCK_DGRAM)
    found.setblocking(False)
    found.bind((address, 0))
    return found


async def asked(port: int, data: bytes, ours: socket.socket, to: str = "127.0.0.1") -> tuple[bytes, str] | None:
    """Send a datagram; return what comes within a moment, and from where."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendto(ours, data, (to, port))
    try:
        reply, source = await asyncio.wait_for(loop.sock_recvfrom(ours, 2000), 0.3)
    except TimeoutError:
        return None
    return reply, source[0]


async def test_a_request_is_answered_with_identity_stamps_and_what_was_seen(served: Served) -> None:
    server, counters = served
    with client() as ours:
        ours.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 57)
        before = time.time_ns()
        found = await asked(server.port, encode_request(a_request(), KEY), ours)
        port = ours.getsockname()[1]
    assert found is not None
    reply = decode_reply(found[0], KEYS)
    assert reply.identity == WHO
    assert before <= reply.received <= reply.answered <= time.time_ns()
    assert (reply.far_ttl, str(reply.address), reply.port) == (57, "127.0.0.1", port)
    assert counters.plain() == {"answered": {"udp": 1}, "keys": {"7": 1}, "dropped": {}}


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "127.9.9.9"])
async def test_the_reply_leaves_from_the_address_that_was_asked(served: Served, address: str) -> None:
    with client() as ours:
        found = await asked(served[0].port, encode_request(a_request(), KEY), ours, to=address)
    assert found is not None
    assert found[1] == address


async def test_a_reply_carries_the_dscp_of_its_request(served: Served) -> None:
    with client() as ours:
        ours.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 46 << 2)
        ours.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        ours.sendto(encode_request(a_request(), KEY), ("127.0.0.1", served[0].port))
        await asyncio.sleep(0.05)
        _, ancillary, _, _ = ours.recvmsg(2000, 100)
    assert ancillary == [(socket.IPPROTO_IP, socket.IP_TOS, bytes((46 << 2,)))]


async def test_ipv6_is_answered_too() -> None:
    server = UdpServer(Place(ip_address("::1"), 0), rules(), Counters())
    server.open()
    try:
        with client("::1", socket.AF_INET6) as ours:
            ours.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 33)
            ours.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 46 << 2)
            found = await asked(server.port, encode_request(a_request(), KEY), ours, to="::1")
    finally:
        server.close()
    assert found is not None
    reply = decode_reply(found[0], KEYS)
    assert (str(reply.address), reply.far_ttl) == ("::1", 33)


async def test_whoever_may_not_ask_is_met_with_silence_and_counted(served: Served) -> None:
    server, counters = served
    good = encode_request(a_request(nonce=1), KEY)
    with client() as ours:
        for data in (b"", b"x" * 300, good[:-1] + bytes((good[-1] ^ 1,)), bytes(LONGEST + 1), bytes(9000)):
            assert await asked(server.port, data, ours) is None
        assert await asked(server.port, good, ours) is not None
        assert await asked(server.port, good, ours) is None
    why = (Cause.TRUNCATED, Cause.FOREIGN, Cause.FORGED, Cause.OVERSIZED, Cause.REPLAYED)
    assert [counters.dropped(cause) for cause in why] == [1, 1, 1, 2, 1]
    assert counters.answered["udp"] == 1


async def test_a_flood_over_the_rate_is_dropped_and_the_rest_answered() -> None:
    counters = Counters()
    server = UdpServer(Place(ip_address("127.0.0.1"), 0), rules(source=50), counters)
    server.open()
    try:
        with client() as ours:
            for nonce in range(200):
                ours.sendto(encode_request(a_request(nonce=nonce, sent=nonce), KEY), ("127.0.0.1", server.port))
            await asyncio.sleep(0.2)
    finally:
        server.close()
    assert counters.dropped(Cause.RATE) + counters.answered["udp"] == 200
    assert 50 <= counters.answered["udp"] < 100


async def test_an_address_that_is_not_there_yet_can_be_bound() -> None:
    UdpServer(Place(ip_address("192.0.2.55"), 0), rules(), Counters()).close()
    UdpServer(Place(ip_address("2001:db8::55"), 0), rules(), Counters()).close()
