"""The packet tap's own view of TCP and BGP, on octets written by hand."""

from ipaddress import IPv4Address, IPv4Network

from lab import segments
from lab.segments import Segment, messages, segment, update, updates

A, B = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")
WEB, NET = IPv4Network("10.250.0.10/32"), IPv4Network("10.250.8.0/25")


def packet(
    payload: bytes, flags: int = 0x18, source: IPv4Address = A, target: IPv4Address = B, port: int = 179
) -> bytes:
    tcp = port.to_bytes(2, "big") + (40000).to_bytes(2, "big") + bytes(8) + bytes([5 << 4, flags]) + bytes(6) + payload
    length = (20 + len(tcp)).to_bytes(2, "big")
    return bytes([0x45, 0]) + length + bytes(4) + bytes([64, 6, 0, 0]) + source.packed + target.packed + tcp


def message(kind: int, body: bytes = b"") -> bytes:
    return b"\xff" * 16 + (19 + len(body)).to_bytes(2, "big") + bytes([kind]) + body


def attribute(kind: int, value: bytes) -> bytes:
    return bytes([0x40, kind, len(value)]) + value


def an_update(
    path: tuple[int, ...] = (), local_pref: int | None = None, withdrawn: bytes = b"", nlri: bytes = b""
) -> bytes:
    attributes = b""
    if path:
        attributes += attribute(2, bytes([2, len(path)]) + b"".join(asn.to_bytes(4, "big") for asn in path))
    if local_pref is not None:
        attributes += attribute(5, local_pref.to_bytes(4, "big"))
    return len(withdrawn).to_bytes(2, "big") + withdrawn + len(attributes).to_bytes(2, "big") + attributes + nlri


WEB_WIRE = bytes([32, 10, 250, 0, 10])
NET_WIRE = bytes([25, 10, 250, 8, 0])


def test_a_tcp_segment_is_read_with_its_ends_and_flags() -> None:
    found = segment(packet(b"hello", flags=segments.RST))
    assert found == Segment(A, B, 179, 40000, segments.RST, b"hello")
    assert found.bgp
    assert found.between(B, A)
    assert not found.between(A, A)


def test_padding_after_the_packet_is_no_payload_and_other_protocols_are_no_segments() -> None:
    found = segment(packet(b"x") + bytes(10))
    assert found is not None
    assert found.payload == b"x"
    udp = bytearray(packet(b"x"))
    udp[9] = 17
    assert segment(bytes(udp)) is None
    assert segment(b"") is None


def test_messages_are_found_in_one_segment_also_when_the_first_is_the_end_of_another() -> None:
    payload = b"tail of another" + message(4) + message(3, b"\x06\x02")
    assert [(each.kind, each.body) for each in messages(payload)] == [(4, b""), (3, b"\x06\x02")]


def test_an_update_tells_withdrawn_and_announced_prefixes_path_and_local_pref() -> None:
    read = update(an_update((65020, 65020, 12076), 150, withdrawn=NET_WIRE, nlri=WEB_WIRE))
    assert read.withdrawn == (NET,)
    assert read.announced == (WEB,)
    assert read.hops(65020) == 2
    assert read.hops(65010) == 0
    assert read.local_pref == 150


def test_a_withdrawal_announces_nothing_and_end_of_rib_is_empty() -> None:
    assert update(an_update(withdrawn=WEB_WIRE)).announced == ()
    empty = update(an_update())
    assert (empty.withdrawn, empty.announced, empty.local_pref) == ((), (), None)


def test_a_message_that_is_cut_is_read_as_far_as_it_goes() -> None:
    whole = message(2, an_update((65020,), 150, nlri=WEB_WIRE + NET_WIRE))
    for cut in range(len(whole)):
        for read in updates(whole[:cut]):
            assert set(read.announced) <= {WEB, NET, *read.announced[-1:]}
    assert [read.announced for read in updates(whole)] == [(WEB, NET)]
