"""BMP messages: decoding is the inverse of encoding, and any bytes are a message or Malformed."""

from dataclasses import replace
from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.observation import DownReason, PeerType
from collector.wire.bgp.encode import encode_message
from collector.wire.bgp.message import MessageType as BgpType
from collector.wire.bgp.notification import Notification
from collector.wire.bgp.open import Open
from collector.wire.bmp.decode import PER_PEER_HEADER, decode, said_name
from collector.wire.bmp.encode import encode, encode_header
from collector.wire.bmp.frames import HEADER
from collector.wire.bmp.values import (
    Count,
    Initiation,
    Message,
    MessageType,
    PeerDown,
    PeerUp,
    RouteMirroring,
    RouteMonitoring,
    StatisticsReport,
    Tlv,
)
from collector.wire.errors import Malformed
from tests.collector.wire.bmp.samples import header, peer_up
from tests.collector.wire.refusal import refusal
from tests.collector.wire.strategies import messages

UPDATE = encode_message(BgpType.UPDATE, bytes(4))
BARE_OPEN = encode_message(BgpType.OPEN)


def framed(kind: int, body: bytes, version: int = 3) -> bytes:
    """Put a common header in front of a body that need not be right."""
    return bytes((version,)) + (HEADER + len(body)).to_bytes(4, "big") + bytes((kind,)) + body


def _as_written(message: Message) -> Message:
    """OPENs come back with the capabilities that were written, which the value to be encoded left to its fields."""
    if not isinstance(message, PeerUp):
        return message

    def plain(side: Open | None) -> Open | None:
        return None if side is None else replace(side, capabilities=(), add_path=dict(side.add_path))

    return replace(message, sent=plain(message.sent), received=plain(message.received))


@given(messages)
def test_decoding_undoes_encoding(message: Message) -> None:
    assert _as_written(decode(encode(message))) == _as_written(message)


@given(st.integers(0, 8), st.binary(max_size=120))
def test_any_body_is_a_message_or_malformed_with_its_bytes(kind: int, body: bytes) -> None:
    frame = framed(kind, body)
    error = refusal(lambda: decode(frame))
    assert error is None or (error.data == frame and error.reason)


@given(messages, st.data())
def test_any_message_with_one_octet_changed_is_a_message_or_malformed(message: Message, data: st.DataObject) -> None:
    frame = bytearray(encode(message))
    frame[data.draw(st.integers(HEADER - 1, len(frame) - 1))] = data.draw(st.integers(0, 255))
    error = refusal(lambda: decode(bytes(frame)))
    assert error is None or error.data == bytes(frame)


@given(messages, st.data())
def test_any_truncated_message_is_a_message_or_malformed(message: Message, data: st.DataObject) -> None:
    frame = encode(message)
    body = frame[HEADER : data.draw(st.integers(HEADER, len(frame)))]
    error = refusal(lambda: decode(framed(frame[5], body)))
    assert error is None or error.reason


@pytest.mark.parametrize("frame", [b"", b"\x03", framed(4, b"", version=4), framed(4, b"") + b"!"])
def test_what_is_no_whole_version_3_message_is_malformed(frame: bytes) -> None:
    with pytest.raises(Malformed):
        decode(frame)


def test_an_unknown_message_type_is_malformed() -> None:
    with pytest.raises(Malformed, match="BMP message type 7 is none of 0 to 6"):
        decode(framed(7, b""))


def test_an_unknown_peer_type_is_malformed() -> None:
    body = b"\x04" + encode_header(header())[1:]
    with pytest.raises(Malformed, match="BMP peer type 4 is none of 0 to 3"):
        decode(framed(MessageType.ROUTE_MONITORING, body + UPDATE))


def test_an_ipv6_peer_is_read_by_the_v_flag() -> None:
    message = decode(encode(RouteMonitoring(header(ip_address("2001:db8::1")), UPDATE)))
    assert isinstance(message, RouteMonitoring)
    assert message.header.address == ip_address("2001:db8::1")


def test_the_first_flag_of_a_loc_rib_is_filtered_and_not_ipv6() -> None:
    message = decode(encode(RouteMonitoring(header(None, 0x80, PeerType.LOC_RIB), UPDATE)))
    assert isinstance(message, RouteMonitoring)
    assert message.header.address is None
    assert message.header.filtered


def test_octets_after_the_bgp_message_are_kept_and_not_read_as_routes() -> None:
    marking = bytes.fromhex("ea620004 00000002")  # path marking, as Huawei VRP sends it
    message = decode(encode(RouteMonitoring(header(), UPDATE, marking)))
    assert isinstance(message, RouteMonitoring)
    assert (message.update, message.trailing) == (UPDATE, marking)


@pytest.mark.parametrize(
    ("pdu", "sentence"),
    [
        (UPDATE[:18], "a BGP header is 19 octets long; 18 are here"),
        (b"\0" + UPDATE[1:], "marker"),
        (UPDATE[:-1], "claims 23 octets"),
        (UPDATE[:16] + b"\0\x12" + UPDATE[18:], "claims 18 octets"),
    ],
)
def test_a_broken_bgp_message_is_malformed(pdu: bytes, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        decode(framed(MessageType.ROUTE_MONITORING, encode_header(header()) + pdu))


def test_an_open_of_19_octets_is_a_peer_up_without_that_open() -> None:
    ports = bytes(16) + bytes(4)
    whole = encode(peer_up())
    sent = encode_message(BgpType.OPEN, bytes.fromhex("04 fdf2 00b4 0a0a0104 00"))
    message = decode(framed(MessageType.PEER_UP, encode_header(header()) + ports + BARE_OPEN + sent))
    assert isinstance(message, PeerUp)
    assert message.sent is None
    assert message.received is not None
    assert message.problems == ("the sent OPEN is a bare header of 19 octets",)
    known = decode(whole)
    assert isinstance(known, PeerUp)
    assert (known.sent is None, known.problems) == (False, ())


def test_an_unreadable_open_costs_its_capabilities_and_not_the_peer_up() -> None:
    short = encode_message(BgpType.OPEN, b"\x04\xfd")
    wrong = encode_message(BgpType.KEEPALIVE, b"\0")
    message = decode(framed(MessageType.PEER_UP, encode_header(header()) + bytes(20) + short + wrong))
    assert isinstance(message, PeerUp)
    assert (message.sent, message.received) == (None, None)
    assert message.problems == (
        "the sent OPEN cannot be read: OPEN ends 1 octets too early",
        "the received OPEN cannot be read: a BGP OPEN has type 1, this message has type 4",
    )


def test_broken_tlvs_after_the_opens_cost_themselves_and_not_the_peer_up() -> None:
    message = decode(framed(MessageType.PEER_UP, encode(peer_up())[HEADER:] + b"\0\3\0\xff!"))
    assert isinstance(message, PeerUp)
    assert message.sent is not None
    assert message.problems == ("the information TLVs cannot be read: BMP message ends 254 octets too early",)


def test_the_name_of_a_table_is_read_from_a_peer_up() -> None:
    message = decode(encode(replace(peer_up(), tlvs=(Tlv(0, b"x"), Tlv(3, b"vrf-blue")))))
    assert isinstance(message, PeerUp)
    assert (message.table_name, peer_up().table_name) == ("vrf-blue", "")


@pytest.mark.parametrize("code", [1, 3])
def test_a_peer_down_says_the_notification_in_words(code: int) -> None:
    cease = Notification(6, 2, b"\x08upgrade!")
    message = decode(encode(PeerDown(header(), code, cease)))
    assert isinstance(message, PeerDown)
    assert message.detail == 'Cease/Administrative Shutdown: "upgrade!"'
    assert message.reason in (DownReason.LOCAL_NOTIFICATION, DownReason.REMOTE_NOTIFICATION)


def test_a_peer_down_without_its_notification_is_still_one() -> None:
    message = decode(encode(PeerDown(header(), 1)))
    assert message == PeerDown(header(), 1)
    assert isinstance(message, PeerDown)
    assert message.detail == ""


def test_a_peer_down_with_another_message_than_a_notification_is_malformed() -> None:
    with pytest.raises(Malformed, match="a BGP NOTIFICATION has type 3, this message has type 2"):
        decode(framed(MessageType.PEER_DOWN, encode_header(header()) + b"\1" + UPDATE))


def test_a_peer_down_by_the_state_machine_names_the_event() -> None:
    message = decode(encode(PeerDown(header(), 2, fsm_event=18)))
    assert isinstance(message, PeerDown)
    assert (message.reason, message.detail) == (DownReason.LOCAL_FSM, "FSM event 18")
    short = decode(framed(MessageType.PEER_DOWN, encode_header(header()) + b"\2\7"))
    assert short == PeerDown(header(), 2, rest=b"\7")


def test_a_loc_rib_that_closes_names_its_table() -> None:
    of = header(None, 0, PeerType.LOC_RIB)
    message = decode(encode(PeerDown(of, 6, tlvs=(Tlv(3, b"global"),))))
    assert isinstance(message, PeerDown)
    assert (message.reason, message.detail) == (DownReason.LOC_RIB_CLOSED, "global")


@pytest.mark.parametrize(
    ("code", "reason", "detail"),
    [
        (4, DownReason.REMOTE_CLOSED, ""),
        (5, DownReason.DECONFIGURED, ""),
        (0, DownReason.OTHER, "reason 0"),
        (9, DownReason.OTHER, "reason 9"),
    ],
)
def test_every_other_reason_is_kept(code: int, reason: DownReason, detail: str) -> None:
    message = decode(encode(PeerDown(header(), code, rest=b"!")))
    assert isinstance(message, PeerDown)
    assert (message.reason, message.detail, message.rest) == (reason, detail, b"!")


def test_statistics_are_counters_gauges_and_gauges_of_one_family() -> None:
    sent = StatisticsReport(
        header(), (Count(0, 1), Count(7, 1 << 40), Count(9, 3, 1, 1), Count(9, 4, 2, 1)), (Tlv(65531, b"xx"),)
    )
    assert decode(encode(sent)) == sent


def test_a_statistics_report_has_as_many_statistics_as_it_says() -> None:
    body = encode_header(header()) + b"\0\0\0\2" + b"\0\0\0\4\0\0\0\1"
    with pytest.raises(Malformed, match="announces 2 statistics and has 1"):
        decode(framed(MessageType.STATISTICS_REPORT, body))


def test_mirrored_messages_and_their_loss_are_told_apart() -> None:
    message = decode(encode(RouteMirroring(header(), (Tlv(0, UPDATE), Tlv(1, b"\0\1")))))
    assert isinstance(message, RouteMirroring)
    assert (message.messages, message.lost) == ((UPDATE,), True)
    assert not RouteMirroring(header(), (Tlv(1, b"\0\0"),)).lost


def test_the_per_peer_header_has_42_octets() -> None:
    assert len(encode_header(header())) == PER_PEER_HEADER


def test_an_initiation_may_be_empty() -> None:
    assert decode(framed(MessageType.INITIATION, b"")) == Initiation(())


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        (encode(Initiation((Tlv(1, b"x"), Tlv(2, b"edge")))) + b"\3more", "edge"),
        (encode(Initiation((Tlv(2, b"edge"),)))[:-1], ""),
        (encode(Initiation(())), ""),
        (encode(peer_up()), ""),
        (b"", ""),
        (b"GET / HTTP/1.1", ""),
    ],
)
def test_a_stream_begins_with_the_routers_name_or_not(stream: bytes, name: str) -> None:
    assert said_name(stream) == name


def test_a_zero_address_without_a_loc_rib_type_is_kept_as_it_came() -> None:
    """FRR 8.0 announces its Loc-RIB as a global peer 0.0.0.0."""
    message = decode(encode(peer_up(header(IPv4Address(0)))))
    assert isinstance(message, PeerUp)
    assert message.header.address == IPv4Address(0)
