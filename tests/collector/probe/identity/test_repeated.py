"""Requests made again and again are those of `encode_request`; their replies are read as `decode_reply` reads them."""

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.probe import ROTATING, Identity
from collector.probe.identity.datagram import SIZE, Reply, Request, decode_reply, encode_reply, encode_request
from collector.probe.identity.keys import Key, Keys
from collector.probe.identity.refused import Refused
from collector.probe.identity.repeated import NONCE, Repeated

KEY, OTHER = Key(7, "london", b"k" * 32), Key(7, "london", b"x" * 32)
NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12)
REQUESTS = st.builds(
    Request,
    st.just(7),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**63 - 1),
    NAMES,
    st.integers(ROTATING, 1000),
    st.integers(0, 2**32 - 1),
)
IDENTITIES = st.builds(Identity, NAMES, NAMES, NAMES, NAMES)


def asked(request: Request) -> tuple[Repeated, bytes]:
    """A flow that asked something else before, and its next request."""
    repeated = Repeated(replace(request, nonce=1, sent=2, sequence=3), KEY, SIZE)
    repeated.ask(b"12345678", 5, 6)
    return repeated, repeated.ask(request.nonce.to_bytes(8, "big"), request.sent, request.sequence)


def reply_to(request: Request, identity: Identity, key: Key = KEY) -> bytes:
    return encode_reply(Reply(request, 10, 20, 61, ip_address("10.0.0.7"), 40_001, identity), key, SIZE)


@given(REQUESTS)
def test_the_next_request_is_what_encoding_it_anew_gives(request: Request) -> None:
    _, datagram = asked(request)
    assert datagram == encode_request(request, KEY, SIZE)
    assert int.from_bytes(datagram[NONCE], "big") == request.nonce


@given(REQUESTS, IDENTITIES)
def test_a_reply_is_read_as_decoding_it_whole_reads_it(request: Request, identity: Identity) -> None:
    repeated, datagram = asked(request)
    data = reply_to(request, identity)
    whole = decode_reply(data, Keys((KEY,)))
    answer = repeated.answered(data, datagram)
    assert answer == (whole.received, whole.answered, whole.far_ttl, whole.address, whole.port, whole.identity)


@given(REQUESTS, IDENTITIES, st.integers(0, SIZE - 1), st.integers(1, 255))
def test_a_reply_with_any_octet_changed_is_refused(request: Request, identity: Identity, at: int, by: int) -> None:
    repeated, datagram = asked(request)
    data = bytearray(reply_to(request, identity))
    data[at] ^= by
    with pytest.raises(Refused):
        repeated.answered(bytes(data), datagram)


@given(REQUESTS, st.binary(max_size=300))
def test_any_other_bytes_are_refused(request: Request, data: bytes) -> None:
    repeated, datagram = asked(request)
    with pytest.raises(Refused):
        repeated.answered(data, datagram)


def test_a_reply_under_another_key_or_to_another_request_is_refused() -> None:
    request = Request(7, 1, 2, 3, "svc", 4, 5)
    repeated, datagram = asked(request)
    with pytest.raises(Refused, match="MAC"):
        repeated.answered(reply_to(request, Identity("weu"), OTHER), datagram)
    for other in (replace(request, nonce=9), replace(request, service="foo"), replace(request, sequence=6)):
        with pytest.raises(Refused, match="repeat"):
            repeated.answered(reply_to(other, Identity("weu")), datagram)
    with pytest.raises(Refused, match="repeat"):
        repeated.answered(datagram, datagram)
