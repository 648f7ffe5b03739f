"""OPEN and its capabilities."""

import json
from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.observation import SpeakerOpen
from anycast.route import Asn
from collector.wire.bgp.capabilities import plain_open
from collector.wire.bgp.encode import encode_open
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST, Afi
from collector.wire.bgp.open import Direction, Open, decode_open
from collector.wire.errors import Malformed
from tests.collector.wire.refusal import refusal
from tests.collector.wire.strategies import opens, restarting_opens

FIXED = bytes.fromhex("04 5ba0 00b4 0a0a0104")  # version 4, AS 23456, hold 180, 10.10.1.4


def body(*capabilities: tuple[int, bytes]) -> bytes:
    """An OPEN with these capabilities in one parameter."""
    packed = b"".join(bytes((code, len(value))) + value for code, value in capabilities)
    return FIXED + bytes((2 + len(packed), 2, len(packed))) + packed


@given(opens | restarting_opens())
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


def test_a_list_that_ends_inside_an_item_offers_nothing_of_it() -> None:
    """Half a list of families with path ids is not the list that the speaker meant."""
    value = decode_open(body((69, b"\0\1\1\3\0\2"), (71, b"\0\1\1\0\0\0\x10\0"), (5, b"\0\1\0\1\0\2\0")))
    assert (dict(value.add_path), value.long_lived, value.extended_next_hop) == ({}, (), ())
    assert len(value.problems) == 3


def test_an_open_of_more_than_255_octets_is_written_and_read_with_wide_lengths() -> None:
    """RFC 9072, 2."""
    many = tuple(Afi(number, 1) for number in range(1, 60))
    value = Open(4, Asn(65010), 180, IPv4Address("10.10.1.4"), families=many)
    assert encode_open(value)[9:11] == b"\xff\xff"
    assert decode_open(encode_open(value)).families == many


EVERYTHING = body(
    (1, b"\0\1\0\1"),
    (2, b""),
    (5, b"\0\1\0\1\0\2"),
    (6, b""),
    (8, b"\0\1\4\3"),
    (9, b"\3"),
    (64, b"\xc0\x78\0\1\1\x80"),
    (65, b"\0\0\xfd\xf2"),
    (69, b"\0\1\1\3"),
    (70, b""),
    (71, b"\0\1\1\0\x01\x51\x80"),
    (73, b"\4edge\3lab"),
    (75, b"\5FRR/8"),
    (76, b"\0\1\1\0\5"),
    (128, b""),
)


def test_an_open_is_shown_by_the_names_of_its_capabilities() -> None:
    assert plain_open(decode_open(EVERYTHING)) == {
        "asn": 65010,
        "hold_time": 180,
        "identifier": "10.10.1.4",
        "families": ["ipv4-unicast"],
        "add_path": {"ipv4-unicast": "both"},
        "extended_next_hop": [["ipv4-unicast", "ipv6"]],
        "multiple_labels": {"ipv4-labeled-unicast": 3},
        "paths_limit": {"ipv4-unicast": 5},
        "four_octet_as": True,
        "route_refresh": True,
        "enhanced_route_refresh": True,
        "extended_message": True,
        "graceful_restart": {
            "seconds": 120,
            "restarting": True,
            "notifies": True,
            "families": [{"family": "ipv4-unicast", "forwarding": True}],
        },
        "long_lived_graceful_restart": [{"family": "ipv4-unicast", "seconds": 86400}],
        "role": "customer",
        "hostname": "edge",
        "domain": "lab",
        "software": "FRR/8",
        "other": [[128, ""]],
    }


def test_an_open_without_capabilities_is_shown_as_what_it_is() -> None:
    assert plain_open(decode_open(FIXED[:3] + b"\0\0" + FIXED[5:] + b"\0")) == {
        "asn": 23456,
        "hold_time": 0,
        "identifier": "10.10.1.4",
    }


@given(opens | restarting_opens())
def test_any_open_is_shown_as_json_can_carry_it(value: Open) -> None:
    shown = plain_open(decode_open(encode_open(value)))
    assert json.loads(json.dumps(shown)) == shown


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20)), max_size=6))
def test_capabilities_of_any_value_cost_no_more_than_themselves(sent: list[tuple[int, bytes]]) -> None:
    value = decode_open(encode_open(Open(4, Asn(65010), 180, IPv4Address(1), capabilities=tuple(sent))))
    assert value.capabilities == tuple(sent)
    assert json.dumps(plain_open(value))
