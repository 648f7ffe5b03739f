"""ICMP of both versions: our own echoes back, errors that quote our datagrams, and any bytes at all."""

import contextlib
import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.prefix import Address
from anycast.probe import Outcome
from collector.probe.wire.checksum import checksum
from collector.probe.wire.icmp import Echo, IcmpError, Other, decode_message, decode_packet, encode_echo
from collector.probe.wire.quoted import Quoted
from collector.probe.wire.trouble import outcome, words
from collector.wire.errors import Malformed

ROUTER, US, THEM = (ip_address(text) for text in ("192.0.2.1", "192.0.2.9", "203.0.113.7"))
VERSIONS = st.sampled_from((4, 6))


def ipv4(
    payload: bytes,
    source: Address = ROUTER,
    destination: Address = US,
    protocol: int = 1,
    ttl: int = 61,
    options: bytes = b"",
) -> bytes:
    words = 5 + len(options) // 4
    length = words * 4 + len(payload)
    head = struct.pack("!BBHHHBBH", 0x40 | words, 0, length, 1, 0, ttl, protocol, 0)
    return head + source.packed + destination.packed + options + payload


def error4(kind: int, code: int, rest: int, quoted: bytes) -> bytes:
    bare = struct.pack("!BBHI", kind, code, 0, rest) + quoted
    return bare[:2] + checksum(bare).to_bytes(2, "big") + bare[4:]


def datagram4(size: int = 1400, payload: bytes = b"") -> bytes:
    udp = struct.pack("!HHHH", 40003, 31122, size - 20, 0xBEEF)
    whole = bytearray(ipv4(udp + payload, US, THEM, 17))
    whole[2:4] = size.to_bytes(2, "big")
    return bytes(whole)


@given(VERSIONS, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.binary(max_size=100))
def test_an_echo_request_comes_back_as_it_was_made(
    version: int, identifier: int, sequence: int, payload: bytes
) -> None:
    echo = decode_message(version, encode_echo(version, identifier, sequence, payload))
    assert echo == Echo(False, identifier, sequence, payload)


def test_a_reply_off_a_raw_socket_says_who_sent_it_and_with_which_ttl() -> None:
    request = encode_echo(4, 7, 9, b"payload")
    message = b"\0" + request[1:]
    message = message[:2] + checksum(message[:2] + b"\0\0" + message[4:]).to_bytes(2, "big") + message[4:]
    echo = decode_packet(ipv4(message, options=b"\1\1\1\1"))
    assert isinstance(echo, Echo)
    assert (echo.reply, echo.identifier, echo.sequence, echo.payload) == (True, 7, 9, b"payload")
    assert echo.header is not None
    assert (echo.header.source, echo.header.ttl, echo.header.size) == (ROUTER, 61, 24)


def test_a_reply_with_a_wrong_checksum_is_refused() -> None:
    message = bytearray(encode_echo(4, 7, 9, b"payload"))
    message[-1] ^= 1
    with pytest.raises(Malformed, match="checksum"):
        decode_message(4, bytes(message))


def test_fragmentation_needed_names_the_next_hops_mtu_and_our_datagram() -> None:
    error = decode_packet(ipv4(error4(3, 4, 1436, datagram4(1472, b"first octets"))))
    assert isinstance(error, IcmpError)
    assert (error.type, error.code, error.mtu) == (3, 4, 1436)
    assert error.quoted == Quoted(17, US, THEM, 40003, 31122, 1452, 0xBEEF, b"first octets", 1472)
    assert outcome(4, error.type, error.code) is Outcome.TOO_BIG


def test_only_a_datagram_that_is_too_big_has_an_mtu() -> None:
    error = decode_packet(ipv4(error4(11, 0, 1436, datagram4())))
    assert isinstance(error, IcmpError)
    assert error.mtu == 0
    assert (outcome(4, 11, 0), words(4, 11, 0)) == (Outcome.UNREACHABLE, "TTL expired on the way")


@pytest.mark.parametrize("kept", range(0, 28))
def test_an_error_that_quotes_too_little_is_still_an_error(kept: int) -> None:
    error = decode_packet(ipv4(error4(3, 1, 0, datagram4()[:kept])))
    assert isinstance(error, IcmpError)
    assert error.quoted is None


def test_an_error_of_ipv6_quotes_a_datagram_of_ipv6() -> None:
    udp = struct.pack("!HHHH", 40003, 31122, 8, 1)
    source, destination = ip_address("2001:db8::9"), ip_address("2001:db8::7")
    quoted = struct.pack("!IHBB", 6 << 28, 8, 17, 3) + source.packed + destination.packed + udp
    error = decode_message(6, struct.pack("!BBHI", 2, 0, 0, 1280) + quoted)
    assert isinstance(error, IcmpError)
    assert (error.mtu, error.quoted and error.quoted.first) == (1280, 40003)
    assert outcome(6, 2, 0) is Outcome.TOO_BIG
    assert outcome(6, 1, 4) is Outcome.REFUSED


def test_an_error_without_a_name_is_named_by_its_numbers() -> None:
    assert words(4, 3, 99) == "ICMP type 3 code 99"
    assert outcome(4, 3, 99) is Outcome.UNREACHABLE


def test_other_messages_are_known_by_their_type_alone() -> None:
    assert decode_message(6, bytes((134,)) + bytes(15)) == Other(134)


@given(st.binary(max_size=120))
def test_any_packet_is_a_value_or_is_refused(octets: bytes) -> None:
    for decode in (decode_packet, lambda some: decode_message(4, some), lambda some: decode_message(6, some)):
        with contextlib.suppress(Malformed):
            assert isinstance(decode(octets), Echo | IcmpError | Other)


@given(st.sampled_from((3, 11, 12)), st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary(max_size=80))
def test_any_error_with_a_right_checksum_is_taken_whatever_it_quotes(
    kind: int, code: int, rest: int, tail: bytes
) -> None:
    assert isinstance(decode_packet(ipv4(error4(kind, code, rest, tail))), IcmpError)
