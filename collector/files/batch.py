"""Routes of a file as columns, and the same routes as elements."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Final

from anycast.observation import Rib
from anycast.prefix import Address, Family, Prefix
from anycast.route import Asn
from collector.batch import Array, AttributeTable, RouteBatch
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST
from collector.wire.element import Element, ElementType


class Form(IntEnum):
    """What kind of record a row came from; MRT's have their type's number (RFC 6396, 4 and appendix B)."""

    BMP = 0
    BGP = 5
    """The deprecated record of early RIPE RIS files."""
    TABLE_DUMP = 12
    TABLE_DUMP_V2 = 13
    BGP4MP = 16
    BGP4MP_ET = 17


IN_TABLE: Final = 2
"""`action` of a row that is a route in a table dump; 0 and 1 are those of `anycast.columns.Action`."""


@dataclass(frozen=True, slots=True)
class FileSession:
    """Whom routes came from."""

    peer: Address | None
    """None for a Loc-RIB."""
    peer_asn: Asn
    router: str = ""
    """BMP: the router's name, as far as it said one. MRT: the address of the side that wrote the file; empty for table
    dumps, which do not say it."""
    peer_type: int = 0
    distinguisher: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class FileBatch:
    """Rows in the order of the file; every array has `len(batch)` values.

    Columns of `routes` that differ from the journal's: `at` is the record's own time, which need not rise (BMP: the
    router's stamp, 0 where it sent none); `router_time` is 0 for MRT; `session` is an index in `sessions`; `phase` is
    0; `action` has `IN_TABLE`, too; `path_id` is 0 where `has_path_id` is not set.
    """

    routes: RouteBatch
    form: Array
    """uint8, a `Form`."""
    has_path_id: Array
    """bool: the row carries a path id, which may be 0 (ADD-PATH)."""
    originated: Array
    """int64: when the route was last changed, seconds since 1970; 0 except where `action` is `IN_TABLE`."""
    sessions: Sequence[FileSession]
    """Grows from batch to batch of one file; what is in it stays."""
    attributes: AttributeTable
    """What the ids of `routes.attributes` stand for, for as long as the batch lives."""

    def __len__(self) -> int:
        return len(self.form)

    def select(self, which: Array | slice) -> "FileBatch":
        """Copy the rows that a boolean mask or an array of row numbers picks; a slice is a view."""
        routes, form = self.routes.select(which), self.form[which]
        has_path_id, originated = self.has_path_id[which], self.originated[which]
        return FileBatch(routes, form, has_path_id, originated, self.sessions, self.attributes)


def as_elements(batch: FileBatch) -> Iterator[Element]:
    """Yield the rows as the elements that `collector.wire.elements` makes of the same records."""
    at, made = -1, None
    for row in _rows(batch):
        if row[0] != at:
            at, made = row[0], _EPOCH + timedelta(microseconds=row[0] // 1000)
        _, session, rib, family, high, low, length, path_id, action, identity, form, has_path_id, originated = row
        peer = batch.sessions[session]
        yield Element(
            _TYPES[action],
            None if form == Form.BMP and not at else made,
            router=peer.router,
            peer=peer.peer,
            peer_asn=peer.peer_asn,
            peer_type=peer.peer_type,
            distinguisher=peer.distinguisher,
            rib="" if action == IN_TABLE else _RIBS[rib],
            family=_NAMES[family],
            prefix=_prefix(family, high, low, length),
            path_id=path_id if has_path_id else None,
            attributes=batch.attributes.attributes(identity, _FAMILIES[family]) if action else None,
            originated=_EPOCH + timedelta(seconds=originated) if action == IN_TABLE else None,
            record=form,
        )


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES: Final = (ElementType.WITHDRAWAL, ElementType.ANNOUNCEMENT, ElementType.RIB)
_RIBS: Final = tuple(map(str, Rib))
_NAMES: Final = {4: str(IPV4_UNICAST), 6: str(IPV6_UNICAST)}
_FAMILIES: Final = {4: Family.IPV4, 6: Family.IPV6}


def _rows(batch: FileBatch) -> Iterator[tuple[Any, ...]]:
    routes = batch.routes
    columns = (
        *(routes.at, routes.session, routes.rib, routes.family, routes.prefix_high, routes.prefix_low, routes.length),
        *(routes.path_id, routes.action, routes.attributes, batch.form, batch.has_path_id, batch.originated),
    )
    return zip(*(column.tolist() for column in columns), strict=True)


def _prefix(family: int, high: int, low: int, length: int) -> Prefix:
    return IPv4Network((high >> 32, length)) if family == 4 else IPv6Network((high << 64 | low, length))
