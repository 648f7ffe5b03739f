"""The lines of `catchment decode`."""

import gzip
import io
import json
from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.route import Aggregator, Asn, AsPath, Attributes, Community, Origin, UnknownAttribute
from collector.wire.bgp.encode import encode_message, encode_update
from collector.wire.bgp.message import MessageType
from collector.wire.bgp.nlri import Nlri
from collector.wire.bmp.encode import encode
from collector.wire.bmp.values import Initiation, Message, RouteMonitoring, Tlv
from collector.wire.element import KEYS, Element, ElementType
from collector.wire.elements import decode_lines, elements
from collector.wire.errors import Malformed
from tests import needs
from tests.collector.wire.bmp.samples import header, peer_up
from tests.collector.wire.mrt.writing import record
from tests.collector.wire.strategies import messages

WEB = Nlri(ip_network("10.250.0.10/32"))
ROUTE = Attributes(Origin.IGP, AsPath.of(12076, 65010), ip_address("10.10.1.4"))


def monitoring(attributes: Attributes = ROUTE) -> bytes:
    """A BMP message that announces the service `web`."""
    body = encode_update([WEB], attributes)
    return encode(RouteMonitoring(header(), encode_message(MessageType.UPDATE, body)))


def test_an_announcement_is_a_line_of_these_keys() -> None:
    attributes = replace(
        ROUTE,
        med=7,
        local_pref=200,
        atomic_aggregate=True,
        aggregator=Aggregator(Asn(65010), IPv4Address("10.10.1.4")),
        communities=(Community(12076 << 16 | 51004), Community(0xFFFFFF01)),
        large_communities=((65010, 1, 2),),
        extended_communities=(b"\0\2\xfd\xf2\0\0\0\1", b"\x80\6" + bytes(6)),
        ipv6_extended_communities=(b"\0\2" + ip_address("2001:db8::1").packed + b"\0\7",),
        aigp=20,
        otc=Asn(65010),
        originator_id=IPv4Address("10.10.1.5"),
        cluster_list=(IPv4Address("10.10.1.6"),),
        unknown=(UnknownAttribute(0xC0, 99, b"\0\0\xfd\xf2"),),
    )
    hello = encode(Initiation((Tlv(2, b"ams-ce1"),)))
    [opened, line] = decode_lines(io.BytesIO(hello + monitoring(attributes)))
    named = [{"type": 2, "name": "sys-name", "text": "ams-ce1"}]
    assert opened == {"type": "F", "router": "ams-ce1", "state": "opened", "information": named}
    assert line == {
        "type": "A",
        "time": "2023-11-14T22:13:20.250000Z",
        "router": "ams-ce1",
        "peer": "10.10.1.4",
        "peer_asn": 65010,
        "rib": "adj-in-pre",
        "family": "ipv4-unicast",
        "prefix": "10.250.0.10/32",
        "origin": "igp",
        "as_path": "12076 65010",
        "origin_asn": 65010,
        "next_hop": "10.10.1.4",
        "med": 7,
        "local_pref": 200,
        "atomic_aggregate": True,
        "aggregator": [65010, "10.10.1.4"],
        "communities": ["12076:51004", "no-export"],
        "large_communities": ["65010:1:2"],
        "extended_communities": ["rt:65010:1", "8006000000000000"],
        "originator_id": "10.10.1.5",
        "cluster_list": ["10.10.1.6"],
        "ipv6_extended_communities": ["rt:[2001:db8::1]:7"],
        "aigp": 20,
        "otc": 65010,
        "unknown": [[192, 99, "0000fdf2"]],
    }


def test_every_key_is_described() -> None:
    full = Element(
        ElementType.MALFORMED,
        **{name: 1 for name in ("peer_asn", "peer_type", "distinguisher", "path_id", "hold_time", "offset")},  # type: ignore[arg-type]
        **{name: "x" for name in ("router", "rib", "family", "state", "old_state", "reason", "detail", "action")},  # type: ignore[arg-type]
        counts=((7, 1, 1, 3),),
        raw=b"\0",
        attributes=replace(ROUTE, link_local=ip_address("fe80::1")),
    )
    shown = full.plain()
    assert set(shown) <= set(KEYS)
    assert shown["distinguisher"] == "0000000000000001"
    assert shown["counts"] == [[7, 1, 1, 3]]
    assert "origin_asn" not in replace(full, attributes=Attributes()).plain()


@given(st.lists(messages, max_size=5))
def test_any_bmp_is_lines_of_described_keys(said: list[Message]) -> None:
    stream = encode(Initiation(())) + b"".join(map(encode, said))
    for line in decode_lines(io.BytesIO(stream)):
        assert set(line) <= set(KEYS)
        assert json.loads(json.dumps(line)) == line


@given(st.binary(max_size=100), st.sampled_from([encode(Initiation(())), record(16, 4, b"")]))
def test_any_file_is_lines_or_refused_before_the_first(junk: bytes, start: bytes) -> None:
    for line in decode_lines(io.BytesIO(start + junk)):
        assert json.dumps(line)


def test_a_file_of_no_known_kind_is_refused_before_the_first_line() -> None:
    with pytest.raises(Malformed, match="neither a BMP stream nor an MRT file nor a packet capture"):
        next(decode_lines(io.BytesIO(b"#!/bin/sh\n\n\n\n")))


def test_a_compressed_file_that_is_cut_gives_what_came_before() -> None:
    packed = gzip.compress(monitoring() * 3000)
    *lines, last = decode_lines(io.BytesIO(packed[: len(packed) - 100]))
    assert {line["type"] for line in lines} <= {"A", "M"}
    assert last["type"] == "M"
    assert last["detail"].startswith("the compressed file is damaged after")


@pytest.mark.parametrize("folder", ["bmp", "mrt"])
def test_every_shared_file_is_lines_of_described_keys(folder: str) -> None:
    for path in sorted((needs.captures() / folder).glob("*")):
        if path.suffix in (".gz", ".mrt") and not path.name.startswith("rrc"):
            with path.open("rb") as file:
                keys = {key for element in elements(file) for key in element.plain()}
            assert keys <= set(KEYS), path.name


def test_the_types_are_one_letter_each() -> None:
    assert sorted(map(str, ElementType)) == sorted("AWRESOTFMN")
    assert peer_up().table_name == ""
