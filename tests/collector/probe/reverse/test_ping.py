"""What a ping carries comes back, from the right host, or is refused."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.prefix import Address
from collector.probe.identity.keys import MAC_SIZE, Key, Keys
from collector.probe.identity.refused import Cause, Refused
from collector.probe.reverse.ping import ICMP, Ping, decode_ping, decode_reply, encode_ping, request
from collector.probe.wire.checksum import checksum
from collector.probe.wire.icmp import Echo, decode_packet

FLEET = Key(100, "fleet", bytes(range(32)))
KEYS = Keys((FLEET,))
ANYCAST: dict[int, Address] = {4: ip_address("10.250.0.10"), 6: ip_address("fd00:250::10")}
HOST: dict[int, Address] = {4: ip_address("10.20.0.5"), 6: ip_address("fd00:20::5")}


def a_ping(host: Address = HOST[4], nonce: int = 9, sent: int = 5, run: int = 1, nva: str = "weu-nva1") -> Ping:
    return Ping(100, run, nonce, sent, host, nva)


def reply_to(packet: bytes, source: bytes | None = None) -> bytes:
    """What a host makes of a request: addresses and type changed, all else as it came."""
    if packet[0] >> 4 == 4:
        message = b"\0\0\0\0" + packet[24:]
        message = message[:2] + checksum(message).to_bytes(2, "big") + message[4:]
        size = len(packet).to_bytes(2, "big")
        return (
            b"\x45\0"
            + size
            + packet[4:8]
            + b"\x3c"
            + packet[9:12]
            + (source or packet[16:20])
            + packet[12:16]
            + message
        )
    return packet[:7] + b"\x3c" + (source or packet[24:40]) + packet[8:24] + b"\x81" + packet[41:]


@given(
    st.builds(
        Ping,
        key=st.just(100),
        run=st.integers(0, 2**32 - 1),
        nonce=st.integers(0, 2**64 - 1),
        sent=st.integers(0, 2**64 - 1),
        host=st.ip_addresses(v=4) | st.just(HOST[6]),
        nva=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=63),
    )
)
def test_a_ping_is_read_as_it_was_written(ping: Ping) -> None:
    assert decode_ping(encode_ping(ping, FLEET), KEYS) == ping


@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda rest: b"CTMP\1\0\0\x64" + rest))
def test_any_bytes_are_refused(data: bytes) -> None:
    for decode in (decode_ping, decode_reply):
        with pytest.raises(Refused) as error:
            decode(data, KEYS)
        assert str(error.value)


@given(st.data())
def test_one_changed_bit_is_refused(data: st.DataObject) -> None:
    payload = bytearray(encode_ping(a_ping(), FLEET))
    bit = data.draw(st.integers(0, len(payload) * 8 - 1))
    payload[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Refused):
        decode_ping(bytes(payload), KEYS)


def test_a_key_of_somebody_else_is_refused() -> None:
    with pytest.raises(Refused) as error:
        decode_ping(encode_ping(a_ping(), Key(100, "fleet", bytes(32))), KEYS)
    assert error.value.cause is Cause.FORGED


@pytest.mark.parametrize("version", [4, 6])
def test_a_reply_names_sender_host_and_the_address_it_came_to(version: int) -> None:
    ping = a_ping(HOST[version])
    heard = decode_reply(reply_to(request(ANYCAST[version], ping.host, 7, encode_ping(ping, FLEET))), KEYS)
    assert (heard.ping, heard.anycast, heard.ttl) == (ping, ANYCAST[version], 60)


def test_a_request_is_an_echo_request_with_a_right_checksum() -> None:
    packet = request(ANYCAST[4], HOST[4], 7, encode_ping(a_ping(), FLEET))
    found = decode_packet(packet)
    assert isinstance(found, Echo)
    assert (found.reply, found.sequence) == (False, 7)
    six = request(ANYCAST[6], HOST[6], 7, b"x" * 40)
    over = six[8:40] + (48).to_bytes(4, "big") + ICMP[6].to_bytes(4, "big")
    assert checksum(over + six[40:]) == 0


@pytest.mark.parametrize("version", [4, 6])
def test_a_host_cannot_answer_for_another(version: int) -> None:
    ping = a_ping(HOST[version])
    packet = request(ANYCAST[version], ping.host, 7, encode_ping(ping, FLEET))
    with pytest.raises(Refused, match="sends the answer of") as error:
        decode_reply(reply_to(packet, source=ANYCAST[version].packed), KEYS)
    assert error.value.cause is Cause.UNASKED


def test_requests_and_other_protocols_are_no_replies() -> None:
    packet = request(ANYCAST[4], HOST[4], 7, encode_ping(a_ping(), FLEET))
    with pytest.raises(Refused, match="no echo reply"):
        decode_reply(packet, KEYS)
    with pytest.raises(Refused, match="no ICMP"):
        decode_reply(packet[:9] + b"\x11" + packet[10:], KEYS)


def test_padding_behind_a_reply_is_left_out() -> None:
    packet = reply_to(request(ANYCAST[4], HOST[4], 7, encode_ping(a_ping(), FLEET)))
    assert decode_reply(packet + bytes(6), KEYS).ping == a_ping()


def test_a_name_that_is_no_text_is_refused_under_the_right_key() -> None:
    payload = encode_ping(a_ping(nva="ab"), FLEET)[:-MAC_SIZE]
    covered = payload[:-2] + b"\xff\n"
    with pytest.raises(Refused, match="not printable"):
        decode_ping(covered + FLEET.mac(covered), KEYS)
