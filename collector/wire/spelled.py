"""Elements as `bgpdump -m` prints them (bgpdump 1.6.2, of Debian): one line each, byte for byte.

The fields, each followed by a bar: form, seconds since 1970 (with microseconds in the forms `_ET`), letter, peer,
peer's AS. Then for routes the prefix and, in the forms `_AP`, its path id; for announcements and table entries the AS
path, origin, next hop, LOCAL_PREF, MED, communities, AG or NAG, aggregator. What was not sent is 0, empty, or
255.255.255.255 for the next hop.
"""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from anycast.observation import Rib
from anycast.prefix import Address, Prefix
from anycast.route import Attributes
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST, Afi
from collector.wire.element import Element, ElementType
from collector.wire.mrt.values import STATES, RecordType

FORMS: Final[dict[int, str]] = {
    0: "BGP4MP_ET",
    RecordType.BGP: "BGP",
    RecordType.TABLE_DUMP: "TABLE_DUMP",
    RecordType.TABLE_DUMP_V2: "TABLE_DUMP2",
    RecordType.BGP4MP: "BGP4MP",
    RecordType.BGP4MP_ET: "BGP4MP_ET",
}
"""Forms by type of the MRT record. Messages of BMP, which bgpdump does not read, look like those of BGP4MP_ET."""

DEPRECATED: Final = FORMS[RecordType.BGP]
"""The form of the BGP records of RFC 6396, appendix B. It has no bar before communities, and no field without any."""

_ORIGINS: Final = {0: "IGP", 1: "EGP", 2: "INCOMPLETE", None: "INCOMPLETE"}
_STATES: Final = {name: code for code, name in STATES.items()} | {"up": 6, "down": 1, "": 0}
"""States of RFC 4271, 8.2.2, by name; BMP says no more than up and down, and nothing of the state before."""
_IN_TABLES: Final = (str(IPV4_UNICAST), str(IPV6_UNICAST))
_IN_MESSAGES: Final = (*_IN_TABLES, str(Afi(1, 2)), str(Afi(2, 2)))
"""Families whose routes are printed: in messages multicast, too, which no line tells apart."""
_PRINTED: Final = ("", "ipv4-unicast", "ipv6-unicast", "ipv4-multicast", "ipv6-multicast")
"""Families of routes that bgpdump has lines for; empty for what is no route."""
_SENT: Final = (str(Rib.ADJ_OUT_PRE), str(Rib.ADJ_OUT_POST))
_COMMUNITIES: Final = {0xFFFFFF01: "no-export", 0xFFFFFF02: "no-advertise", 0xFFFFFF03: "local-AS"}
_NO_ADDRESS: Final = IPv4Address("255.255.255.255")
_LOCAL: Final = IPv4Address(0)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def spelled(element: Element, form: str, large: bool = False) -> bytes | None:
    """Return an element's line, newline included; None for an element that bgpdump says nothing of.

    `form` is one of `FORMS`. `large` adds the field that `bgpdump -m -l` has: large communities.
    """
    if element.family not in _PRINTED:
        return None
    match element.type:
        case ElementType.STATE if element.state:
            states = f"{_state(element.old_state)}|{_state(element.state)}"
            return _line(form, element, "STATE", states)
        case ElementType.RIB if element.family not in _IN_TABLES:
            return None
        case _ if element.family not in _IN_MESSAGES:
            return None
        case ElementType.WITHDRAWAL:
            return _line(_full(form, element), element, "W", _route(element))
        case ElementType.ANNOUNCEMENT | ElementType.RIB if element.attributes is not None:
            letter = "A" if element.type is ElementType.ANNOUNCEMENT else "B"
            said = attributes_text(element.attributes, form, large)
            return _line(_full(form, element), element, letter, f"{_route(element)}|{said}")
    return None


def _line(form: str, element: Element, letter: str, said: str) -> bytes:
    at = stamp_text(((element.time or _EPOCH) - _EPOCH) // timedelta(microseconds=1), form)
    return f"{form}|{at}|{letter}|{peer_text(element.peer, element.peer_asn)}{said}\n".encode()


def _full(form: str, element: Element) -> str:
    return form_text(form, element.rib in _SENT, element.path_id is not None)


def form_text(form: str, sent: bool, path_id: bool) -> str:
    """Spell the first field of a route: `sent` by the recording side, with a path id."""
    return form + ("_LOCAL" if sent else "") + ("_AP" if path_id else "")


def _state(name: str) -> int:
    return _STATES[name] if name in _STATES else int(name.removeprefix("state "))


def _route(element: Element) -> str:
    assert element.prefix is not None
    said = prefix_text(element.prefix)
    return said if element.path_id is None else f"{said}|{element.path_id}"


def stamp_text(micros: int, form: str) -> str:
    """Spell a time, given in microseconds since 1970."""
    seconds, part = divmod(micros, 1_000_000)
    return f"{seconds}.{part:06d}" if form.startswith("BGP4MP_ET") else str(seconds)


def peer_text(peer: Address | None, asn: int | None) -> str:
    """Spell a peer and its AS, each with the bar behind it; the peer of a Loc-RIB is 0.0.0.0."""
    return f"{address_text(peer or _LOCAL)}|{asn or 0}|"


def prefix_text(prefix: Prefix) -> str:
    """Spell a prefix."""
    return f"{address_text(prefix.network_address)}/{prefix.prefixlen}"


def address_text(address: Address) -> str:
    """Spell an address.

    In IPv6 the first of the longest runs of zero groups is cut even when it is one group only (RFC 5952, 4.2.2, would
    keep that), and what looks like an IPv4-mapped or IPv4-compatible address ends in a dotted quad: `::0.0.0.2`.
    """
    return str(address) if isinstance(address, IPv4Address) else _six(address)


def _six(address: IPv6Address) -> str:
    value = int(address)
    if value >> 32 == 0xFFFF:
        return f"::ffff:{IPv4Address(value & 0xFFFFFFFF)}"
    if value >> 32 == 0 and value > 1:
        return f"::{IPv4Address(value)}"
    groups = [value >> shift & 0xFFFF for shift in range(112, -16, -16)]
    best, start = 0, 8
    for at in range(8):
        run = next((size for size in range(8 - at) if groups[at + size]), 8 - at)
        if run > best:
            best, start = run, at
    ahead, after = groups[:start], groups[start + best :]
    shown = ":".join(f"{group:x}" for group in ahead)
    return shown + "::" + ":".join(f"{group:x}" for group in after) if best else shown


def attributes_text(value: Attributes, form: str, large: bool = False) -> str:
    """Spell what follows a prefix: the fields from the AS path on, last bar included."""
    communities = " ".join(_COMMUNITIES.get(item, f"{item >> 16}:{item & 0xFFFF}") for item in value.communities)
    if form != DEPRECATED:
        communities = "|" + communities
        if large:
            communities += "|" + " ".join(":".join(map(str, item)) for item in value.large_communities)
    aggregator = value.aggregator
    known = aggregator is not None and aggregator.address != _NO_ADDRESS
    return (
        f"{value.as_path}|{_ORIGINS[value.origin]}|{address_text(value.next_hop or _NO_ADDRESS)}"
        f"|{value.local_pref or 0}|{value.med or 0}{communities}|{'AG' if value.atomic_aggregate else 'NAG'}|"
        f"{f'{aggregator.asn} {address_text(aggregator.address)}' if aggregator is not None and known else ''}|"
    )
