"""OPEN and its capabilities."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.observation import SpeakerOpen
from anycast.route import Asn
from collector.wire.bgp.encode import encode_open
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST, Afi
from collector.wire.bgp.open import Direction, Open, decode_open
from collector.wire.errors import Malformed
from tests.collector.wire.refusal import refusal
from tests.collector.wire.strategies import opens

FIXED = bytes.fromhex("04 5ba0 00b4 0a0a0104")  # version 4, AS 23456, hold 180, 10.10.1.4


def body(*capabilities: tuple[int, bytes]) -> bytes:
    """An OPEN with these capabilities in one parameter."""
    packed = b"".join(bytes((code, len(value))) + value for code, value in capabilities)
    return FIXED + bytes((2 + len(packed), 2, len(packed))) + packed


@given(opens)
def test_decoding_undoes_encoding(value: Open) -> None:
    decoded = decode_open(encode_open(value))
    assert replace(decoded, capabilities=(), add_path=dict(decoded.add_path)) == replace(
        value, add_path=dict(value.add_path)
    )
    assert decode_open(encode_open(decoded)) == decoded


@given(st.binary(max_size=60))
def test_any_bytes_are_an_open_or_malformed(data: bytes) -> None:
    for start in (data, FIXED + data):
        error = refusal(lambda start=start: decode_open(start))  # type: ignore[misc]
        assert error is None or error.reason


def test_the_as_number_comes_from_the_capability_where_there_is_one() -> None:
    wide = decode_open(body((65, (4_200_000_000).to_bytes(4, "big"))))
    assert (wide.asn, wide.four_octet_as) == (4_200_000_000, True)
    narrow = decode_open(FIXED + b"\0")
    assert (narrow.asn, narrow.four_octet_as) == (23456, False)


def test_the_part_for_everybody_else_is_a_speaker() -> None:
    value = decode_open(body((2, b""), (64, b"\x80\x78"), (65, b"\0\0\xfd\xf2")))
    assert value.speaker() == SpeakerOpen(Asn(65010), IPv4Address("10.10.1.4"), 180, True, True, 120)


def test_capabilities_may_come_in_one_parameter_or_each_in_its_own() -> None:
    one = body((1, b"\0\1\0\1"), (1, b"\0\2\0\1"))
    each = FIXED + bytes((16,)) + b"\2\6\1\4\0\1\0\1" + b"\2\6\1\4\0\2\0\1"
    assert decode_open(one).families == decode_open(each).families == (IPV4_UNICAST, IPV6_UNICAST)


def test_lengths_of_two_octets_are_read() -> None:
    """RFC 9072, 2."""
    parameters = b"\2\0\6\1\4\0\1\0\1"
    extended = FIXED + b"\xff\xff" + len(parameters).to_bytes(2, "big") + parameters
    assert decode_open(extended).families == (IPV4_UNICAST,)


def test_unknown_capabilities_and_parameters_are_kept_or_passed_over() -> None:
    value = decode_open(body((73, b"\4edge\0"), (9, b"\3")))
    assert value.capabilities == ((73, b"\4edge\0"), (9, b"\3"))
    assert decode_open(FIXED + b"\4\1\2xy").capabilities == ()


def test_path_ids_are_offered_by_family_and_direction() -> None:
    value = decode_open(body((69, b"\0\1\1\1\0\2\1\2\0\1\4\3\0\1\x80\0\0\2\x80\4")))
    assert dict(value.add_path) == {
        IPV4_UNICAST: Direction.RECEIVE,
        IPV6_UNICAST: Direction.SEND,
        Afi(1, 4): Direction.SEND | Direction.RECEIVE,
    }, "directions other than 1 to 3 are ignored"


def test_extended_next_hops_are_read() -> None:
    value = decode_open(body((5, b"\0\1\0\1\0\2"), (6, b"")))
    assert (value.extended_next_hop, value.extended_message) == (((IPV4_UNICAST, 2),), True)


@pytest.mark.parametrize(
    ("code", "value"), [(1, b"\0\1\0"), (65, b"\0\1"), (69, b"\0\1\1"), (5, b"\0\1\0\1\0"), (64, b"\0")]
)
def test_a_capability_of_an_impossible_length_costs_itself_and_not_the_open(code: int, value: bytes) -> None:
    opened = decode_open(body((code, value), (2, b"")))
    assert opened.route_refresh
    assert len(opened.problems) == 1
    assert opened.problems[0].startswith(f"capability {code} ends")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (FIXED[:8], "OPEN ends 1 octets too early"),
        (FIXED, "OPEN ends 1 octets too early"),
        (FIXED + b"\4\2\4\1", "list of optional parameters claims 4 octets where 3 are left"),
        (FIXED + b"\2\2\4", "optional parameter 2 claims 4 octets where 0 are left"),
        (FIXED + b"\4\2\2\1\4", "optional parameter 2 ends 4 octets too early"),
        (FIXED + b"\0!", "1 octets follow the optional parameters of the OPEN"),
        (FIXED + b"\xff", "OPEN ends 1 octets too early"),
    ],
)
def test_lengths_that_do_not_fit_are_malformed(data: bytes, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        decode_open(data)
