"""BMP version 4 in files: an UPDATE among TLVs, which may say themselves how it is to be read."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.files.read import read_elements
from collector.wire.bmp.version4 import Code, IndexedRouteMonitoring, decode_version4
from collector.wire.element import Element, ElementType
from collector.wire.elements import elements
from collector.wire.errors import Malformed
from tests.collector.bmp import streams as s

SERVICE = "10.250.0.10/32"
ROUTE = s.update(attrs=s.attributes(65001), announced=s.nlri(SERVICE))
WITH_ID = s.update(attrs=s.attributes(65001), announced=s.nlri(SERVICE, path_id=7))
RECEIVES, SENDS = (b"\x45\x04\x00\x01\x01" + way for way in (b"\x01", b"\x02"))
OUT = 0x10


def tlv(code: int, value: bytes, index: int = 0) -> bytes:
    return code.to_bytes(2, "big") + len(value).to_bytes(2, "big") + index.to_bytes(2, "big") + value


def version4(kind: int, body: bytes) -> bytes:
    return b"\x04" + s.message(kind, body)[1:]


def monitoring(*tlvs: bytes, flags: int = 0) -> bytes:
    return version4(0, s.header(flags=flags) + b"".join(tlvs))


def told(*messages: bytes) -> list[Element]:
    """What both lanes say."""
    data = b"".join((s.initiation(), s.peer_up(), *messages))
    found = list(elements(io.BytesIO(data)))
    assert list(read_elements(io.BytesIO(data))) == found
    return found[2:]


def test_a_route_between_messages_of_version_3_is_told_with_its_tlvs() -> None:
    marked = tlv(Code.PATH_MARKING, b"\0\0\0\x02", index=1)
    before, route, after = told(
        s.announce("10.250.8.0/24"), monitoring(tlv(Code.BGP_MESSAGE, ROUTE), marked), s.withdraw("10.250.8.0/24")
    )
    assert [str(e.prefix) for e in (before, route, after)] == ["10.250.8.0/24", SERVICE, "10.250.8.0/24"]
    [shown] = route.information
    assert (shown["name"], shown["index"], shown["status"]) == ("path-marking", 1, ["best"])


@pytest.mark.parametrize(
    ("said", "flags", "update", "path_id"),
    [(RECEIVES, 0, WITH_ID, 7), (SENDS, 0, ROUTE, None), (SENDS, OUT, WITH_ID, 7), (RECEIVES, OUT, ROUTE, None)],
)
def test_path_ids_are_where_the_message_says_in_the_direction_of_its_view(
    said: bytes, flags: int, update: bytes, path_id: int | None
) -> None:
    [route] = told(monitoring(tlv(Code.STATELESS_PARSING, said), tlv(Code.BGP_MESSAGE, update), flags=flags))
    assert (str(route.prefix), route.path_id) == (SERVICE, path_id)


def test_tlvs_of_tomorrow_are_kept() -> None:
    [route] = told(monitoring(tlv(0x8001, b"\x01\x02", index=3), tlv(Code.BGP_MESSAGE, ROUTE)))
    assert route.information == ({"type": 0x8001, "hex": "0102", "index": 3},)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (monitoring(tlv(Code.GROUP, b"\0\1"), tlv(9, s.MARKER)), "one TLV of a BGP message, not 0"),
        (monitoring(tlv(Code.BGP_MESSAGE, ROUTE), tlv(Code.BGP_MESSAGE, ROUTE)), "one TLV of a BGP message, not 2"),
        (monitoring(tlv(Code.BGP_MESSAGE, ROUTE + b"\0")), "does not fill its TLV"),
        (version4(6, s.header() + tlv(0, ROUTE)), "nobody has shown one"),
    ],
)
def test_what_does_not_fit_is_told_with_its_octets(message: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason) as caught:
        decode_version4(message)
    assert caught.value.data == message


@given(st.binary(max_size=120), st.integers(0, 6))
def test_any_octets_are_a_message_or_malformed(body: bytes, kind: int) -> None:
    with suppress(Malformed):
        assert decode_version4(version4(kind, body)) is not None


@given(st.lists(st.tuples(st.integers(0, 0xFFFF).filter(lambda code: code not in (1, 4)), st.binary(max_size=20))))
def test_tlvs_come_back_as_they_were_sent(sent: list[tuple[int, bytes]]) -> None:
    found = decode_version4(
        monitoring(*(tlv(code, value, number) for number, (code, value) in enumerate(sent)), tlv(4, ROUTE))
    )
    assert isinstance(found, IndexedRouteMonitoring)
    assert [(each.code, each.value, each.index) for each in found.tlvs] == [(c, v, n) for n, (c, v) in enumerate(sent)]
    assert found.update == ROUTE


@given(st.integers(0, 300), st.integers(1, 255))
def test_changed_octets_never_raise_and_cost_no_message_of_version_3_before(at: int, by: int) -> None:
    stream = bytearray(b"".join((s.initiation(), s.peer_up(), s.announce("10.250.8.0/24"))))
    sound = len(stream)
    stream += monitoring(tlv(Code.STATELESS_PARSING, RECEIVES), tlv(Code.BGP_MESSAGE, WITH_ID)) * 3
    stream[sound + at % (len(stream) - sound)] ^= by
    found = list(elements(io.BytesIO(bytes(stream))))
    assert [e.type for e in found[:3]] == [ElementType.FEED, ElementType.STATE, ElementType.ANNOUNCEMENT]
