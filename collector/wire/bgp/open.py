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
    ROLE = 9
    GRACEFUL_RESTART = 64
    FOUR_OCTET_AS = 65
    ADD_PATH = 69
    FQDN = 73


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
    problems: tuple[str, ...] = ()
    """Capabilities whose value could not be read; the OPEN stands without them."""

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
        problems=tuple(found.problems),
    )


@dataclass
class _Found:
    asn: int | None = None
    families: list[Afi] = field(default_factory=list)
    add_path: dict[Afi, Direction] = field(default_factory=dict)
    next_hops: list[tuple[Afi, int]] = field(default_factory=list)
    restart_time: int | None = None
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


def _multiprotocol(found: _Found, cursor: Cursor) -> None:
    afi, _, safi = cursor.u16(), cursor.u8(), cursor.u8()
    found.families.append(Afi(afi, safi))


def _four_octet_as(found: _Found, cursor: Cursor) -> None:
    found.asn = cursor.u32()


def _add_path(found: _Found, cursor: Cursor) -> None:
    while cursor.remaining:
        family, direction = Afi(cursor.u16(), cursor.u8()), cursor.u8()
        if 1 <= direction <= 3:  # any other value is to be ignored (RFC 7911, 4)
            found.add_path[family] = Direction(direction)


def _extended_next_hop(found: _Found, cursor: Cursor) -> None:
    while cursor.remaining:
        afi, safi, next_hop_afi = cursor.u16(), cursor.u16(), cursor.u16()
        found.next_hops.append((Afi(afi, safi), next_hop_afi))


def _graceful_restart(found: _Found, cursor: Cursor) -> None:
    found.restart_time = cursor.u16() & 0x0FFF


_READERS: Final[dict[int, Callable[[_Found, Cursor], None]]] = {
    Capability.MULTIPROTOCOL: _multiprotocol,
    Capability.FOUR_OCTET_AS: _four_octet_as,
    Capability.ADD_PATH: _add_path,
    Capability.EXTENDED_NEXT_HOP: _extended_next_hop,
    Capability.GRACEFUL_RESTART: _graceful_restart,
}
