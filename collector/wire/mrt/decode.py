"""One MRT record, bytes to value (RFC 6396; RFC 8050; the deprecated records of its appendix B)."""

import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final, TypeVar

from anycast.prefix import Address, Family, Prefix
from anycast.route import Asn
from collector.wire.bgp import message as bgp
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST, UNICAST, Afi
from collector.wire.bgp.nlri import decode_nlri
from collector.wire.cursor import Cursor
from collector.wire.errors import Malformed
from collector.wire.mrt.attributes import with_next_hop
from collector.wire.mrt.values import (
    BgpMessage,
    Content,
    GeoPeerTable,
    Peer,
    PeerIndexTable,
    Place,
    Record,
    RecordType,
    Rib,
    RibEntry,
    StateChange,
    Unread,
)


class Decoder:
    """Decodes the records of one file in order: RIB records point into the peer table that came before them."""

    def __init__(self) -> None:
        self.table = PeerIndexTable(IPv4Address(0), "", ())

    def decode(self, record: Record) -> Content:
        """Decode one record; raises Malformed, with its body, when the body does not fit its type."""
        read = _READERS.get((record.kind, record.subtype))
        if record.kind == RecordType.BGP4MP_ET:
            read = _READERS.get((RecordType.BGP4MP, record.subtype))
        if read is None:
            return Unread(record.kind, record.subtype, record.body)
        cursor = Cursor(record.body, "MRT record")
        try:
            content = read(cursor, self.table)
        except Malformed as error:
            raise Malformed(error.reason, cursor.position, record.body) from error
        if isinstance(content, PeerIndexTable):
            self.table = content
        return content


_GOBGP: Final = Peer(IPv4Address(0), Asn(0), IPv4Address(0))
"""The first peer in GoBGP's tables stands for GoBGP; up to version 3 its own routes miss that and point behind all."""

Reader = Callable[[Cursor, PeerIndexTable], Content]


def _address(cursor: Cursor, afi: int) -> Address:
    if afi not in (1, 2):
        raise cursor.malformed(f"address family {afi} is neither 1 (IPv4) nor 2 (IPv6)")
    return IPv4Address(cursor.take(4)) if afi == 1 else IPv6Address(cursor.take(16))


def _asn(cursor: Cursor, width: int) -> Asn:
    return Asn(int.from_bytes(cursor.take(width), "big"))


def _time(cursor: Cursor) -> datetime:
    return datetime.fromtimestamp(cursor.u32(), UTC)


def _prefix(cursor: Cursor, family: Family) -> Prefix:
    length = cursor.peek()
    [nlri] = decode_nlri(cursor.take(1 + (length + 7) // 8), family, add_path=False)
    return nlri.prefix


def _peer_index_table(cursor: Cursor, _: PeerIndexTable) -> PeerIndexTable:
    collector = IPv4Address(cursor.take(4))
    view = cursor.take(cursor.u16()).decode("utf-8", "replace")
    peers = tuple(_indexed_peer(cursor) for _ in range(cursor.u16()))
    return PeerIndexTable(collector, view, peers)


def _indexed_peer(cursor: Cursor) -> Peer:
    kind, identifier = cursor.u8(), IPv4Address(cursor.take(4))
    return Peer(_address(cursor, 2 if kind & 1 else 1), _asn(cursor, 4 if kind & 2 else 2), identifier)


def _geo_peer_table(cursor: Cursor, _: PeerIndexTable) -> GeoPeerTable:
    """Where the collector and its peers are (RFC 6397, 3); NaN stands for a place that is not told."""
    collector = IPv4Address(cursor.take(4))
    view = cursor.take(cursor.u16()).decode("utf-8", "replace")
    place = _place(cursor)
    return _whole(cursor, GeoPeerTable(collector, view, place, tuple(_placed(cursor) for _ in range(cursor.u16()))))


def _placed(cursor: Cursor) -> tuple[Peer, Place]:
    return _indexed_peer(cursor), _place(cursor)


def _place(cursor: Cursor) -> Place:
    latitude, longitude = struct.unpack("!ff", cursor.take(8))
    return None if latitude != latitude or longitude != longitude else (latitude, longitude)


def _rib(family: Afi, add_path: bool) -> Reader:
    def read(cursor: Cursor, table: PeerIndexTable) -> Rib:
        cursor.u32()  # sequence number
        return _paths(cursor, table, family, add_path)

    return read


def _rib_generic(cursor: Cursor, table: PeerIndexTable) -> Rib:
    cursor.u32()  # sequence number
    return _paths(cursor, table, Afi(cursor.u16(), cursor.u8()), add_path=False)


def _rib_generic_add_path(cursor: Cursor, table: PeerIndexTable) -> Rib:
    """RFC 8050, 4.2 has the path id in front of the prefix; GoBGP and OpenBGPD write it into each entry.

    All of the record is tried as it is written, then as it should be: it fits one way, by its lengths.
    """
    cursor.u32()  # sequence number
    family, start = Afi(cursor.u16(), cursor.u8()), cursor.position
    with suppress(Malformed):
        return _paths(cursor, table, family, add_path=True)
    cursor.back(cursor.position - start)
    path_id = cursor.u32()
    found = _paths(cursor, table, family, add_path=False)
    return replace(found, add_path=True, entries=tuple(replace(entry, path_id=path_id) for entry in found.entries))


def _paths(cursor: Cursor, table: PeerIndexTable, family: Afi, add_path: bool) -> Rib:
    unicast = UNICAST.get(family)
    prefix = None if unicast is None else _prefix(cursor, unicast)
    nlri = b"" if unicast is not None else _opaque_nlri(cursor, family)
    entries, strangers = [], []
    for _ in range(cursor.u16()):
        entry = _entry(cursor, table, add_path)
        if isinstance(entry, RibEntry):
            entries.append(entry)
        else:
            strangers.append(entry)
    found = Rib(family, prefix, nlri, tuple(entries), add_path=add_path, strangers=tuple(strangers))
    return _whole(cursor, found)


def _opaque_nlri(cursor: Cursor, family: Afi) -> bytes:
    """One route of another family: a length in bits, or a route type and a length in octets (EVPN, MCAST-VPN)."""
    if family.safi in (5, 70):
        head = cursor.take(2)
        return head + cursor.take(head[1])
    return cursor.take(1 + (cursor.peek() + 7) // 8)


def _entry(cursor: Cursor, table: PeerIndexTable, add_path: bool) -> RibEntry | int:
    """Return one peer's path, or the index of a peer that is not in the table."""
    index, originated = cursor.u16(), _time(cursor)
    path_id = cursor.u32() if add_path else 0
    attributes = cursor.take(cursor.u16())
    if index == len(table.peers) and table.peers[:1] == (_GOBGP,):
        index = 0
    return RibEntry(table.peers[index], originated, attributes, path_id) if index < len(table.peers) else index


def _table_dump(family: Afi, width: int = 2) -> Reader:
    def read(cursor: Cursor, _: PeerIndexTable) -> Rib:
        cursor.u32()  # view and sequence number
        address, length = _address(cursor, family.afi), cursor.u8()
        cursor.u8()  # status, always 1
        originated = _time(cursor)
        peer = Peer(_address(cursor, family.afi), _asn(cursor, width))
        entry = RibEntry(peer, originated, cursor.take(cursor.u16()))
        return _whole(cursor, Rib(family, _cut(cursor, address, length), b"", (entry,), two_octet=width == 2))

    return read


def _cut(cursor: Cursor, address: Address, length: int) -> Prefix:
    """The prefix of a whole address and a length."""
    if length > address.max_prefixlen:
        raise cursor.malformed(f"/{length} is longer than any IPv{address.version} prefix")
    return ip_network((address, length), strict=False)


def _bgp4mp_entry(cursor: Cursor, _: PeerIndexTable) -> Rib:
    """The deprecated BGP4MP_ENTRY, which OpenBGPD writes for `table-mp` (RFC 6396, appendix B)."""
    _local, peer = _ends(cursor, 2)  # its own side first, as its `table-v2` of the same routes shows
    cursor.u32()  # view and status
    originated = _time(cursor)
    family = Afi(cursor.u16(), cursor.u8())
    unicast = UNICAST.get(family)
    next_hop = cursor.take(cursor.u8())
    prefix = None if unicast is None else _prefix(cursor, unicast)
    nlri = b"" if unicast is not None else _opaque_nlri(cursor, family)
    written = cursor.take(cursor.u16())
    entry = RibEntry(peer, originated, with_next_hop(written, family, next_hop))
    return _whole(cursor, Rib(family, prefix, nlri, (entry,), two_octet=True))


def _ends(cursor: Cursor, width: int) -> tuple[Peer, Peer]:
    peer, local = _asn(cursor, width), _asn(cursor, width)
    cursor.u16()  # interface index
    afi = cursor.u16()
    return Peer(_address(cursor, afi), peer), Peer(_address(cursor, afi), local)


def _message(width: int, sent: bool = False, add_path: bool = False) -> Reader:
    def read(cursor: Cursor, _: PeerIndexTable) -> BgpMessage:
        peer, local = _ends(cursor, width)
        kind, body, after = bgp.split(cursor.rest())
        if after:
            raise cursor.malformed(f"{len(after)} octets follow the BGP message")
        return BgpMessage(peer, local, kind, body, width == 2, add_path, sent)

    return read


def _state_change(width: int) -> Reader:
    def read(cursor: Cursor, _: PeerIndexTable) -> StateChange:
        peer, local = _ends(cursor, width)
        return _whole(cursor, StateChange(peer, local, cursor.u16(), cursor.u16()))

    return read


def _old_end(cursor: Cursor, afi: int) -> Peer:
    """One side of the deprecated records: AS number and address."""
    asn = _asn(cursor, 2)
    return Peer(_address(cursor, afi), asn)


def _old_message(kind: bgp.MessageType, afi: int) -> Reader:
    def read(cursor: Cursor, _: PeerIndexTable) -> BgpMessage:
        peer, local = _old_end(cursor, afi), _old_end(cursor, afi)
        return BgpMessage(peer, local, kind, cursor.rest(), two_octet=True)

    return read


def _old_state_change(afi: int) -> Reader:
    def read(cursor: Cursor, _: PeerIndexTable) -> StateChange:
        peer = _old_end(cursor, afi)
        return _whole(cursor, StateChange(peer, Peer(_NOBODY[afi], Asn(0)), cursor.u16(), cursor.u16()))

    return read


_NOBODY: Final[dict[int, Address]] = {1: IPv4Address(0), 2: IPv6Address(0)}


def _old(kind: RecordType, afi: int) -> dict[tuple[int, int], Reader]:
    """BGP, and BGP4PLUS with its successor, which have IPv6 addresses (RFC 6396, B.2.2 and B.2.3)."""
    return {
        (kind, 1): _old_message(bgp.MessageType.UPDATE, afi),
        (kind, 3): _old_state_change(afi),
        (kind, 5): _old_message(bgp.MessageType.OPEN, afi),
        (kind, 6): _old_message(bgp.MessageType.NOTIFICATION, afi),
        (kind, 7): _old_message(bgp.MessageType.KEEPALIVE, afi),
    }


Whole = TypeVar("Whole", Rib, StateChange, GeoPeerTable)


def _whole(cursor: Cursor, content: Whole) -> Whole:
    """Pass `content` on when nothing is left of its record."""
    if cursor.remaining:
        raise cursor.malformed(f"{cursor.remaining} octets are left over in the record")
    return content


_READERS: Final[dict[tuple[int, int], Reader]] = {
    **_old(RecordType.BGP, 1),
    **_old(RecordType.BGP4PLUS, 2),
    **_old(RecordType.BGP4PLUS_01, 2),
    (RecordType.TABLE_DUMP, 1): _table_dump(IPV4_UNICAST),
    (RecordType.TABLE_DUMP, 2): _table_dump(IPV6_UNICAST),
    (RecordType.TABLE_DUMP, 3): _table_dump(IPV4_UNICAST, 4),  # before TABLE_DUMP_V2, some wrote 4-octet AS numbers so
    (RecordType.TABLE_DUMP, 4): _table_dump(IPV6_UNICAST, 4),
    (RecordType.TABLE_DUMP_V2, 1): _peer_index_table,
    (RecordType.TABLE_DUMP_V2, 2): _rib(IPV4_UNICAST, add_path=False),
    (RecordType.TABLE_DUMP_V2, 3): _rib(Afi(1, 2), add_path=False),
    (RecordType.TABLE_DUMP_V2, 4): _rib(IPV6_UNICAST, add_path=False),
    (RecordType.TABLE_DUMP_V2, 5): _rib(Afi(2, 2), add_path=False),
    (RecordType.TABLE_DUMP_V2, 6): _rib_generic,
    (RecordType.TABLE_DUMP_V2, 7): _geo_peer_table,
    (RecordType.TABLE_DUMP_V2, 8): _rib(IPV4_UNICAST, add_path=True),
    (RecordType.TABLE_DUMP_V2, 9): _rib(Afi(1, 2), add_path=True),
    (RecordType.TABLE_DUMP_V2, 10): _rib(IPV6_UNICAST, add_path=True),
    (RecordType.TABLE_DUMP_V2, 11): _rib(Afi(2, 2), add_path=True),
    (RecordType.TABLE_DUMP_V2, 12): _rib_generic_add_path,
    (RecordType.BGP4MP, 0): _state_change(2),
    (RecordType.BGP4MP, 1): _message(2),
    (RecordType.BGP4MP, 2): _bgp4mp_entry,
    (RecordType.BGP4MP, 4): _message(4),
    (RecordType.BGP4MP, 5): _state_change(4),
    (RecordType.BGP4MP, 6): _message(2, sent=True),
    (RecordType.BGP4MP, 7): _message(4, sent=True),
    (RecordType.BGP4MP, 8): _message(2, add_path=True),
    (RecordType.BGP4MP, 9): _message(4, add_path=True),
    (RecordType.BGP4MP, 10): _message(2, sent=True, add_path=True),
    (RecordType.BGP4MP, 11): _message(4, sent=True, add_path=True),
}
"""Readers by type and subtype; BGP4MP_ET has the subtypes of BGP4MP. Anything else is `Unread`."""
