"""MRT records to values."""

import io
from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.route import AsPath, Attributes, Origin
from collector.wire.bgp.encode import encode_attributes, encode_message
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST, Afi
from collector.wire.bgp.message import MessageType
from collector.wire.errors import Malformed
from collector.wire.mrt.decode import Decoder
from collector.wire.mrt.records import records
from collector.wire.mrt.values import BgpMessage, Content, Peer, PeerIndexTable, Record, Rib, StateChange, Unread
from tests.collector.wire.mrt.writing import STAMP, ends, peer_table, record, rib
from tests.collector.wire.refusal import refusal

GOOD = encode_attributes(Attributes(Origin.IGP, AsPath.of(65010), ip_address("10.10.1.4")))
NVA = Peer(IPv4Address("10.10.1.4"), 65010, IPv4Address("10.10.1.4"))  # type: ignore[arg-type]
UPDATE = encode_message(MessageType.UPDATE, bytes(4))


def decoded(*written: bytes) -> list[Content]:
    """Decode a file of whole records."""
    decoder = Decoder()
    found = list(records(io.BytesIO(b"".join(written))))
    assert all(isinstance(item, Record) for item in found)
    return [decoder.decode(item) for item in found if isinstance(item, Record)]


subtypes = st.sampled_from(
    [(kind, n) for kind in (5, 9, 10) for n in (1, 3, 5, 6, 7)]
    + [(12, n) for n in (1, 2, 3, 4)]
    + [(13, n) for n in range(1, 14)]
    + [(kind, n) for kind in (16, 17) for n in range(12)]
)


@given(subtypes, st.binary(max_size=60))
def test_any_body_is_a_value_or_malformed(subtype: tuple[int, int], body: bytes) -> None:
    decoder = Decoder()
    [table] = records(io.BytesIO(peer_table()))
    [item] = records(io.BytesIO(record(*subtype, bytes(4) + body)))
    assert isinstance(table, Record)
    assert isinstance(item, Record)
    decoder.decode(table)
    error = refusal(lambda: decoder.decode(item))
    assert error is None or error.data == item.body


def test_peers_are_of_either_family_and_width() -> None:
    wide = b"\3\x0a\0\0\2" + ip_address("2001:db8::2").packed + (4_200_000_000).to_bytes(4, "big")
    [table] = decoded(peer_table([b"\0\x0a\x0a\1\4\x0a\x0a\1\4\xfd\xf2", wide]))
    assert isinstance(table, PeerIndexTable)
    assert (table.collector, table.view) == (IPv4Address("10.0.0.1"), "main")
    assert table.peers[0] == NVA
    assert (table.peers[1].address, table.peers[1].asn) == (ip_address("2001:db8::2"), 4_200_000_000)


@pytest.mark.parametrize(
    ("subtype", "family", "prefix", "network"),
    [
        (2, IPV4_UNICAST, b"\x20\x0a\xfa\0\x0a", "10.250.0.10/32"),
        (4, IPV6_UNICAST, b"\x20\x20\1\x0d\xb8", "2001:db8::/32"),
        (8, IPV4_UNICAST, b"\x20\x0a\xfa\0\x0a", "10.250.0.10/32"),
        (10, IPV6_UNICAST, b"\x20\x20\1\x0d\xb8", "2001:db8::/32"),
    ],
)
def test_paths_of_a_table_name_their_peer(subtype: int, family: Afi, prefix: bytes, network: str) -> None:
    path_id = b"\0\0\0\7" if subtype > 7 else b""
    _, found = decoded(peer_table(), rib(subtype, prefix, GOOD, path_id=path_id))
    assert isinstance(found, Rib)
    assert (found.family, found.prefix, found.nlri) == (family, ip_network(network), b"")
    [entry] = found.entries
    assert (entry.peer, entry.attributes, entry.path_id) == (NVA, GOOD, 7 if path_id else 0)
    assert (entry.originated.timestamp(), found.add_path) == (STAMP, bool(path_id))


@pytest.mark.parametrize(
    ("subtype", "family", "nlri"),
    [
        (3, b"", b"\x08\xe0"),
        (5, b"", b"\x08\xff"),
        (6, b"\0\1\x80", b"\x70" + bytes(14)),
        (6, b"\0\x19\x46", b"\2\4evpn"),
        (12, b"\0\1\x80", b"\x70" + bytes(14)),
    ],
)
def test_other_families_are_kept_with_their_bytes(subtype: int, family: bytes, nlri: bytes) -> None:
    path_id = b"\0\0\0\7" if subtype > 7 else b""
    _, found = decoded(peer_table(), rib(subtype, nlri, GOOD, path_id=path_id, family=family))
    assert isinstance(found, Rib)
    assert (found.prefix, found.nlri, len(found.entries)) == (None, nlri, 1)


def test_a_generic_table_may_hold_unicast() -> None:
    _, found = decoded(peer_table(), rib(6, b"\x08\x0a", GOOD, family=b"\0\1\1"))
    assert isinstance(found, Rib)
    assert found.prefix == ip_network("10.0.0.0/8")


def test_a_path_of_a_peer_that_no_table_has_costs_no_other_path() -> None:
    path, good = rib(2, b"\0", GOOD, index=1)[12:], len(GOOD) + 8
    body = path[:5] + b"\0\2" + path[-good:] + rib(2, b"\0", GOOD)[-good:]
    _, found = decoded(peer_table(), record(13, 2, body))
    assert isinstance(found, Rib)
    assert ([entry.peer for entry in found.entries], found.strangers) == ([NVA], (1,))
    [alone] = decoded(rib(2, b"\0", GOOD))
    assert isinstance(alone, Rib)
    assert (alone.entries, alone.strangers) == ((), (0,))


@pytest.mark.parametrize(("subtype", "family"), [(8, b""), (12, b"\0\1\4")])
def test_gobgp_s_own_routes_are_those_of_its_first_peer(subtype: int, family: bytes) -> None:
    """GoBGP 3.10 writes itself as 0.0.0.0 of AS 0 in front of its peers, and then points behind them."""
    itself, peer = b"\2" + bytes(12), b"\2\x0a\x0a\1\4\x0a\x0a\1\4\0\0\xfd\xf2"
    nlri = b"\x08\x0a" if not family else b"\x30\0\6\x41\x0a\xfa\0"
    own = rib(subtype, nlri, GOOD, index=2, path_id=b"\0\0\0\7", family=family)
    _, found = decoded(peer_table([itself, peer]), own)
    assert isinstance(found, Rib)
    assert ([entry.peer.asn for entry in found.entries], found.strangers) == ([0], ())
    _, other = decoded(peer_table([peer, itself]), own)
    assert isinstance(other, Rib)
    assert other.strangers == (2,)


def test_old_tables_have_one_path_a_record() -> None:
    head = bytes(4) + b"\x0a\xfa\0\x0a" + b"\x18" + b"\1" + STAMP.to_bytes(4, "big")
    body = head + b"\x0a\x0a\1\4" + b"\xfd\xf2" + len(GOOD).to_bytes(2, "big") + GOOD
    [found] = decoded(record(12, 1, body))
    assert isinstance(found, Rib)
    assert (found.prefix, found.two_octet) == (ip_network("10.250.0.0/24"), True), "host bits are cut off"
    assert found.entries[0].peer.address == NVA.address
    with pytest.raises(Malformed, match="/33 is longer than any IPv4 prefix"):
        decoded(record(12, 1, body.replace(b"\x0a\x18", b"\x0a\x21")))
    with pytest.raises(Malformed, match="1 octets are left over"):
        decoded(record(12, 1, body + b"!"))


def test_old_entries_carry_their_next_hop_beside_the_attributes() -> None:
    rest = bytes(4) + STAMP.to_bytes(4, "big") + b"\0\1\x80\x04\x0a\0\0\1" + b"\x70" + bytes(14) + b"\0\0"
    [found] = decoded(record(16, 2, ends(2) + rest))
    assert isinstance(found, Rib)
    assert (found.prefix, found.entries[0].attributes) == (None, b"\x80\x0e\x05\x04\x0a\0\0\1")


@pytest.mark.parametrize("kind", [16, 17])
@pytest.mark.parametrize(
    ("subtype", "two_octet", "sent", "add_path"),
    [
        (1, True, False, False),
        (4, False, False, False),
        (6, True, True, False),
        (7, False, True, False),
        (8, True, False, True),
        (9, False, False, True),
        (10, True, True, True),
        (11, False, True, True),
    ],
)
def test_messages_say_how_to_read_them(kind: int, subtype: int, two_octet: bool, sent: bool, add_path: bool) -> None:
    stamp = b"" if kind == 16 else bytes(4)
    [found] = decoded(record(kind, subtype, stamp + ends(2 if two_octet else 4, six=True) + UPDATE))
    assert isinstance(found, BgpMessage)
    assert (found.two_octet, found.sent, found.add_path) == (two_octet, sent, add_path)
    assert (found.peer.asn, found.local.asn, found.kind, found.body) == (65010, 65001, 2, bytes(4))


@pytest.mark.parametrize(("subtype", "width"), [(0, 2), (5, 4)])
def test_state_changes_have_both_states(subtype: int, width: int) -> None:
    [found] = decoded(record(16, subtype, ends(width) + b"\0\6\0\1"))
    assert isinstance(found, StateChange)
    assert (found.peer.asn, found.old, found.new) == (65010, 6, 1)
    with pytest.raises(Malformed, match="left over"):
        decoded(record(16, subtype, ends(width) + b"\0\6\0\1!"))


def test_deprecated_records_have_messages_without_headers() -> None:
    sides = b"\x0d\x05\xc1\0\0\x38" + b"\x0d\x05\xc1\0\0\x39"
    message, change = decoded(record(5, 1, sides + bytes(4)), record(5, 3, sides[:6] + b"\0\1\0\2"))
    assert isinstance(message, BgpMessage)
    assert isinstance(change, StateChange)
    assert (message.peer.asn, message.kind, message.body, message.two_octet) == (3333, 2, bytes(4), True)
    assert (change.peer.asn, change.old, change.new) == (3333, 1, 2)


@pytest.mark.parametrize("kind", [9, 10])
def test_deprecated_records_of_ipv6_have_its_addresses(kind: int) -> None:
    side = b"\x0d\x05" + ip_address("2001:db8::4").packed
    message, change = decoded(record(kind, 1, side + side + bytes(4)), record(kind, 3, side + b"\0\1\0\2"))
    assert isinstance(message, BgpMessage)
    assert isinstance(change, StateChange)
    assert message.peer.address == message.local.address == change.peer.address == ip_address("2001:db8::4")
    assert (message.peer.asn, message.body, change.local.address) == (3333, bytes(4), ip_address("::"))


@pytest.mark.parametrize(("subtype", "size"), [(3, 4), (4, 16)])
def test_old_tables_with_wide_as_numbers_are_read(subtype: int, size: int) -> None:
    body = bytes(4) + bytes(size) + b"\x18\1" + bytes(4) + bytes(size) + (4_200_000_000).to_bytes(4, "big")
    [found] = decoded(record(12, subtype, body + len(GOOD).to_bytes(2, "big") + GOOD))
    assert isinstance(found, Rib)
    assert (found.entries[0].peer.asn, found.entries[0].attributes, found.two_octet) == (4_200_000_000, GOOD, False)


def test_a_generic_path_id_is_read_where_routers_write_it_and_where_it_should_be() -> None:
    written = rib(12, b"\x70" + bytes(14), GOOD, path_id=b"\0\0\0\7", family=b"\0\1\x80")
    standard = rib(12, b"\0\0\0\7\x70" + bytes(14), GOOD, family=b"\0\1\x80")
    _, one, other = decoded(peer_table(), written, standard)
    assert one == other
    assert isinstance(one, Rib)
    assert (one.nlri, one.entries[0].path_id, one.add_path) == (b"\x70" + bytes(14), 7, True)


def test_what_follows_a_message_in_its_record_is_malformed() -> None:
    with pytest.raises(Malformed, match="1 octets follow the BGP message"):
        decoded(record(16, 4, ends() + UPDATE + b"!"))


def test_an_address_family_that_is_none_is_malformed() -> None:
    with pytest.raises(Malformed, match="address family 3 is neither 1"):
        decoded(record(16, 4, bytes(10) + b"\0\3" + bytes(8) + UPDATE))


def test_other_protocols_are_left_alone() -> None:
    assert decoded(record(11, 0, b"ospf")) == [Unread(11, 0, b"ospf")]
