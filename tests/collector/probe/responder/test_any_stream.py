"""Whatever comes over TCP, in whatever pieces: an answer to the one request, or the end; never more than came."""

import asyncio
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collector.probe.identity.http import ASK, PATH, ask
from collector.probe.responder.counters import Counters
from collector.probe.responder.tcp import Doors, HttpConnection
from tests.collector.probe.identity.asking import KEY, a_request
from tests.collector.probe.responder.answered import rules

REQUEST = f"GET {PATH} HTTP/1.1\r\nHost: a\r\n{ASK}: {ask(a_request(), KEY)[ASK]}\r\n\r\n".encode()


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 5)})
        self.written = b""
        self.ended = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.ended


async def fed(chunks: list[bytes]) -> Wire:
    wire, connection = Wire(), HttpConnection(Doors(rules(), Counters()))
    connection.connection_made(wire)
    for chunk in chunks:
        connection.data_received(chunk)
    connection.connection_lost(None)
    return wire


@given(st.lists(st.binary(max_size=200) | st.sampled_from((b"\r\n\r\n", REQUEST[:40], REQUEST[40:])), max_size=12))
def test_nothing_but_the_request_is_answered(chunks: list[bytes]) -> None:
    wire = asyncio.run(fed(chunks))
    everything = b"".join(chunks)
    assert len(wire.written) <= len(everything)
    assert not wire.written or everything.startswith(REQUEST)


@given(st.lists(st.integers(1, len(REQUEST) - 1), max_size=6))
def test_the_request_is_answered_in_any_pieces(cuts: list[int]) -> None:
    places = [0, *sorted(set(cuts)), len(REQUEST)]
    wire = asyncio.run(fed([REQUEST[start:end] for start, end in pairwise(places)]))
    assert wire.written.startswith(b"HTTP/1.1 204")
    assert len(wire.written) <= len(REQUEST)
    assert not wire.ended
