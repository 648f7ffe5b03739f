"""OPEN and its capabilities (RFC 4271, 4.2; RFC 5492; RFC 9072)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from ipaddress import IPv4Address
from types import MappingProxyType
from typing import Final

from anycast.observation import SpeakerOpen
from anycast.route import Asn
from collector.wire.bgp.families import Afi
from collector.wire.cursor import Cursor
from collector.wire.errors import Malformed

AS_TRANS: Final = Asn(23456)  # RFC 6793, 9: stands for an AS that does not fit into two octets


class Capability(IntEnum):
    """The capabilities that we read (IANA, Capability Codes); others are kept by their number."""

    MULTIPROTOCOL = 1
    ROUTE_REFRESH = 2
    EXTENDED_NEXT_HOP = 5
    EXTENDED_MESSAGE = 6
    MULTIPLE_LABELS = 8
    ROLE = 9
    GRACEFUL_RESTART = 64
    FOUR_OCTET_AS = 65
    ADD_PATH = 69
    ENHANCED_ROUTE_REFRESH = 70
    LONG_LIVED_GRACEFUL_RESTART = 71
    FQDN = 73
    SOFTWARE_VERSION = 75
    PATHS_LIMIT = 76


class Role(IntEnum):
    """What a side is to the other (RFC 9234, 4.1)."""

    PROVIDER = 0
    ROUTE_SERVER = 1
    ROUTE_SERVER_CLIENT = 2
    CUSTOMER = 3
    PEER = 4


@dataclass(frozen=True, slots=True)
class Stale:
    """A family in graceful restart (RFC 4724, 3) or long-lived graceful restart (RFC 9494, 4.3)."""

    family: Afi
    forwarding: bool
    """The side kept its forwarding state over the restart."""
    seconds: int | None = None
    """How long its routes may be stale; None in plain graceful restart, which has one time for all families."""


class Direction(IntFlag):
    """Send/Receive octet of ADD-PATH (RFC 7911, 4)."""

    RECEIVE = 1
    SEND = 2


@dataclass(frozen=True)
class Open:
    """What one side of a session offers."""

    version: int
    asn: Asn
    """From the 4-octet capability where there is one; the 2-octet field alone is often 23456."""
    hold_time: int
    identifier: IPv4Address
    capabilities: tuple[tuple[int, bytes], ...] = ()
    """Every capability as sent, in order."""
    families: tuple[Afi, ...] = ()
    add_path: Mapping[Afi, Direction] = field(default_factory=lambda: MappingProxyType({}))
    extended_next_hop: tuple[tuple[Afi, int], ...] = ()
    """Family and the AFI of the next hop that it may have (RFC 8950, 4)."""
    four_octet_as: bool = False
    route_refresh: bool = False
    extended_message: bool = False
    graceful_restart: int | None = None
    """Restart time in seconds; None when the capability was not sent."""
    restarting: bool = False
    """R: the side has just restarted (RFC 4724, 3)."""
    restart_notifies: bool = False
    """N: a NOTIFICATION keeps the routes, too (RFC 8538, 2)."""
    restart_families: tuple[Stale, ...] = ()
    long_lived: tuple[Stale, ...] = ()
    enhanced_route_refresh: bool = False
    multiple_labels: tuple[tuple[Afi, int], ...] = ()
    """Family and how many labels its routes may have (RFC 8277, 2.1)."""
    paths_limit: tuple[tuple[Afi, int], ...] = ()
    """Family and how many paths of one prefix the side wants (draft-abraitis-idr-addpath-paths-limit)."""
    role: int | None = None
    """One of `Role`, or a number that is none yet."""
    hostname: str = ""
    domain: str = ""
    software: str = ""
    """Name and version of the speaker's software (draft-abraitis-bgp-version-capability)."""
    problems: tuple[str, ...] = ()
    """Capabilities whose value could not be read; the OPEN stands without them."""

    def replaces(self, before: "Open | None") -> bool:
        """Whether it is of another session than the same side's OPEN `before`: another AS, identifier or hold time.

        Some routers repeat the Peer Up of a session, even with other capabilities in it: that is no other session.
        """
        if before is None:
            return False
        return (self.asn, self.identifier, self.hold_time) != (before.asn, before.identifier, before.hold_time)

    def speaker(self) -> SpeakerOpen:
        """The part that the vocabulary carries."""
        return SpeakerOpen(
            asn=self.asn,
            identifier=self.identifier,
            hold_time=self.hold_time,
            route_refresh=self.route_refresh,
            four_octet_as=self.four_octet_as,
            graceful_restart=self.graceful_restart,
        )


def decode_open(body: bytes) -> Open:
    """Decode the body of an OPEN.

    Raises Malformed when the fixed part or the list of parameters does not fit its lengths. A known capability with an
    impossible value is reported in `problems` and otherwise ignored (RFC 5492, 4, ignores what it does not know).
    """
    cursor = Cursor(body, "OPEN")
    version, my_as, hold_time = cursor.u8(), cursor.u16(), cursor.u16()
    identifier = IPv4Address(cursor.take(4))
    capabilities = tuple(_capabilities(cursor))
    found = _Found()
    for code, value in capabilities:
        _read(found, code, value)
    return Open(
        version=version,
        asn=Asn(my_as if found.asn is None else found.asn),
        hold_time=hold_time,
        identifier=identifier,
        capabilities=capabilities,
        families=tuple(dict.fromkeys(found.families)),
        add_path=MappingProxyType(found.add_path),
        extended_next_hop=tuple(found.next_hops),
        four_octet_as=found.asn is not None,
        route_refresh=any(code == Capability.ROUTE_REFRESH for code, _ in capabilities),
        extended_message=any(code == Capability.EXTENDED_MESSAGE for code, _ in capabilities),
        graceful_restart=found.restart_time,
        enhanced_route_refresh=any(code == Capability.ENHANCED_ROUTE_REFRESH for code, _ in capabilities),
        restarting=bool(found.restart_flags & 0x8),
        restart_notifies=bool(found.restart_flags & 0x4),
        restart_families=tuple(found.restart_families),
        long_lived=tuple(found.long_lived),
        multiple_labels=tuple(found.multiple_labels),
        paths_limit=tuple(found.paths_limit),
        role=found.role,
        hostname=found.hostname,
        domain=found.domain,
        software=found.software,
        problems=tuple(found.problems),
    )


@dataclass
class _Found:
    asn: int | None = None
    families: list[Afi] = field(default_factory=list)
    add_path: dict[Afi, Direction] = field(default_factory=dict)
    next_hops: list[tuple[Afi, int]] = field(default_factory=list)
    restart_time: int | None = None
    restart_flags: int = 0
    restart_families: list[Stale] = field(default_factory=list)
    long_lived: list[Stale] = field(default_factory=list)
    multiple_labels: list[tuple[Afi, int]] = field(default_factory=list)
    paths_limit: list[tuple[Afi, int]] = field(default_factory=list)
    role: int | None = None
    hostname: str = ""
    domain: str = ""
    software: str = ""
    problems: list[str] = field(default_factory=list)


def _capabilities(cursor: Cursor) -> Iterator[tuple[int, bytes]]:
    """Every capability of every parameter of type 2; other parameters are obsolete and passed over."""
    size = cursor.u8()
    # RFC 9072, 2: non-zero size and first parameter type 255 mean that lengths have two octets.
    extended = size != 0 and cursor.peek() == 255
    if extended:
        cursor.u8()
        size = cursor.u16()
    with cursor.within(size, "list of optional parameters"):
        while cursor.remaining:
            kind = cursor.u8()
            with cursor.within(cursor.u16() if extended else cursor.u8(), f"optional parameter {kind}"):
                if kind != 2:
                    cursor.rest()
                while cursor.remaining:
                    code = cursor.u8()
                    yield code, cursor.take(cursor.u8())
    if cursor.remaining:
        raise cursor.malformed(f"{cursor.remaining} octets follow the optional parameters of the OPEN")


def _read(found: _Found, code: int, value: bytes) -> None:
    reader = _READERS.get(code)
    if reader is None:
        return
    try:
        reader(found, Cursor(value, f"capability {code}"))
    except Malformed as error:
        found.problems.append(error.reason)


def _items(cursor: Cursor, size: int) -> range:
    """One number for each item of the rest; raises Malformed, before anything is taken, where the last is not whole."""
    if cursor.remaining % size:
        raise cursor.malformed(f"{cursor.what} ends inside an item of {size} octets")
    return range(cursor.remaining // size)


def _multiprotocol(found: _Found, cursor: Cursor) -> None:
    afi, _, safi = cursor.u16(), cursor.u8(), cursor.u8()
    found.families.append(Afi(afi, safi))


def _four_octet_as(found: _Found, cursor: Cursor) -> None:
    found.asn = cursor.u32()


def _add_path(found: _Found, cursor: Cursor) -> None:
    for _ in _items(cursor, 4):
        family, direction = Afi(cursor.u16(), cursor.u8()), cursor.u8()
        if 1 <= direction <= 3:  # any other value is to be ignored (RFC 7911, 4)
            found.add_path[family] = Direction(direction)


def _extended_next_hop(found: _Found, cursor: Cursor) -> None:
    for _ in _items(cursor, 6):
        afi, safi, next_hop_afi = cursor.u16(), cursor.u16(), cursor.u16()
        found.next_hops.append((Afi(afi, safi), next_hop_afi))


def _graceful_restart(found: _Found, cursor: Cursor) -> None:
    first, items = cursor.u16(), _items(cursor, 4)
    found.restart_time, found.restart_flags = first & 0x0FFF, first >> 12
    found.restart_families = []  # of several, the last counts (RFC 4724, 3)
    for _ in items:
        found.restart_families.append(Stale(Afi(cursor.u16(), cursor.u8()), bool(cursor.u8() & 0x80)))


def _long_lived(found: _Found, cursor: Cursor) -> None:
    for _ in _items(cursor, 7):
        family, forwarding = Afi(cursor.u16(), cursor.u8()), bool(cursor.u8() & 0x80)
        found.long_lived.append(Stale(family, forwarding, cursor.u8() << 16 | cursor.u16()))


def _multiple_labels(found: _Found, cursor: Cursor) -> None:
    for _ in _items(cursor, 4):
        found.multiple_labels.append((Afi(cursor.u16(), cursor.u8()), cursor.u8()))


def _paths_limit(found: _Found, cursor: Cursor) -> None:
    for _ in _items(cursor, 5):
        found.paths_limit.append((Afi(cursor.u16(), cursor.u8()), cursor.u16()))


def _role(found: _Found, cursor: Cursor) -> None:
    found.role = cursor.u8()


def _fqdn(found: _Found, cursor: Cursor) -> None:
    names = cursor.take(cursor.u8()), cursor.take(cursor.u8())
    found.hostname, found.domain = (name.decode("utf-8", "replace") for name in names)


def _software(found: _Found, cursor: Cursor) -> None:
    found.software = cursor.take(cursor.u8()).decode("utf-8", "replace")


_READERS: Final[dict[int, Callable[[_Found, Cursor], None]]] = {
    Capability.MULTIPROTOCOL: _multiprotocol,
    Capability.FOUR_OCTET_AS: _four_octet_as,
    Capability.ADD_PATH: _add_path,
    Capability.EXTENDED_NEXT_HOP: _extended_next_hop,
    Capability.MULTIPLE_LABELS: _multiple_labels,
    Capability.ROLE: _role,
    Capability.GRACEFUL_RESTART: _graceful_restart,
    Capability.LONG_LIVED_GRACEFUL_RESTART: _long_lived,
    Capability.FQDN: _fqdn,
    Capability.SOFTWARE_VERSION: _software,
    Capability.PATHS_LIMIT: _paths_limit,
}
