"""MRT records as values (RFC 6396; RFC 8050)."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from ipaddress import IPv4Address
from typing import Final, TypeAlias

from anycast.prefix import Address, Prefix
from anycast.route import Asn
from collector.wire.bgp.families import Afi
from collector.wire.cutting import Damaged as Damaged  # records() yields it beside Record


class RecordType(IntEnum):
    """Types of the common header (RFC 6396, 4 and appendix B)."""

    NULL = 0
    START = 1
    DIE = 2
    I_AM_DEAD = 3
    PEER_DOWN = 4
    BGP = 5
    RIP = 6
    IDRP = 7
    RIPNG = 8
    BGP4PLUS = 9
    BGP4PLUS_01 = 10
    OSPFV2 = 11
    TABLE_DUMP = 12
    TABLE_DUMP_V2 = 13
    BGP4MP = 16
    BGP4MP_ET = 17
    ISIS = 32
    ISIS_ET = 33
    OSPFV3 = 48
    OSPFV3_ET = 49


EXTENDED_TIME: Final = (RecordType.BGP4MP_ET, RecordType.ISIS_ET, RecordType.OSPFV3_ET)
"""Types whose body begins with microseconds (RFC 6396, 3)."""


@dataclass(frozen=True, slots=True)
class Record:
    """One MRT record, its body not looked into."""

    time: datetime
    kind: int
    subtype: int
    body: bytes
    """Without the header, and without the microseconds of an extended timestamp."""
    offset: int
    """Of its header in the (decompressed) file."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer of the router or collector that wrote the file."""

    address: Address
    asn: Asn
    identifier: IPv4Address | None = None


@dataclass(frozen=True, slots=True)
class PeerIndexTable:
    """The peers that the RIB records of a file point to (RFC 6396, 4.3.1)."""

    collector: IPv4Address
    view: str
    peers: tuple[Peer, ...]


Place: TypeAlias = tuple[float, float] | None
"""Latitude and longitude in degrees; None where the writer keeps them to itself."""


@dataclass(frozen=True, slots=True)
class GeoPeerTable:
    """Where a collector and its peers are (RFC 6397)."""

    collector: IPv4Address
    view: str
    place: Place
    peers: tuple[tuple[Peer, Place], ...]


@dataclass(frozen=True, slots=True)
class RibEntry:
    """One peer's path."""

    peer: Peer
    originated: datetime
    """When the path was last changed."""
    attributes: bytes
    """As written, MP_REACH_NLRI perhaps abbreviated; see `collector.wire.mrt.attributes.canonical`."""
    path_id: int = 0


@dataclass(frozen=True, slots=True)
class Rib:
    """Every path to one prefix (RFC 6396, 4.3.2 to 4.3.4; TABLE_DUMP is one with a single entry)."""

    family: Afi
    prefix: Prefix | None
    """None for a family that is not IPv4 or IPv6 unicast."""
    nlri: bytes
    """The prefix as written, for such a family; else empty."""
    entries: tuple[RibEntry, ...]
    two_octet: bool = False
    add_path: bool = False
    strangers: tuple[int, ...] = ()
    """Peer indices of the entries that are left out: they are not in the table before it."""


@dataclass(frozen=True, slots=True)
class BgpMessage:
    """A BGP message as it passed (RFC 6396, 4.4.2 and 4.4.3; RFC 8050, 3)."""

    peer: Peer
    local: Peer
    kind: int
    """Type of the BGP message, see `collector.wire.bgp.message.MessageType`."""
    body: bytes
    """Without its 19-octet header."""
    two_octet: bool
    add_path: bool = False
    sent: bool = False
    """The recording side sent it."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """A session changed its state (RFC 6396, 4.4.1)."""

    peer: Peer
    local: Peer
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A record of another protocol, or one that carries nothing of routes; kept as written."""

    kind: int
    subtype: int
    body: bytes


STATES: Final[dict[int, str]] = {  # RFC 4271, 8.2.2; Quagga and BIRD write two more
    1: "idle",
    2: "connect",
    3: "active",
    4: "open-sent",
    5: "open-confirm",
    6: "established",
    7: "clearing",
    8: "deleted",
}

Content: TypeAlias = PeerIndexTable | GeoPeerTable | Rib | BgpMessage | StateChange | Unread
