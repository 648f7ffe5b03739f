"""BGP messages as bytes: what the tests decode again, what the lab's canary says, what benchmarks are made of.

Everything here writes well-formed messages. A tool that wants broken ones breaks the bytes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from anycast.prefix import Address
from anycast.route import Aggregator, AsPath, Attributes
from collector.wire.bgp.attributes import EXTENDED_LENGTH, FLAGS, Code
from collector.wire.bgp.context import DEFAULT, UpdateContext
from collector.wire.bgp.evpn import EvpnRoute, encode_evpn
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST, PREFIXED, Afi
from collector.wire.bgp.message import HEADER, MARKER, MessageType
from collector.wire.bgp.nlri import Nlri
from collector.wire.bgp.notification import Notification
from collector.wire.bgp.open import AS_TRANS, Capability, Open, Stale
from collector.wire.bgp.prefixed import FamilyRoute, PrefixedRoute, encode_prefixed


def encode_message(kind: MessageType, body: bytes = b"") -> bytes:
    """Put a message's header in front of its body."""
    return MARKER + (HEADER + len(body)).to_bytes(2, "big") + bytes((kind,)) + body


def encode_open(value: Open) -> bytes:
    """Encode the body of an OPEN: with its `capabilities` as they stand, or else with those that its fields mean."""
    capabilities = value.capabilities or tuple(capabilities_of(value))
    asn = value.asn if value.asn < 1 << 16 else AS_TRANS
    fixed = bytes((value.version,)) + asn.to_bytes(2, "big") + value.hold_time.to_bytes(2, "big")
    return fixed + value.identifier.packed + _parameters(capabilities)


def _parameters(capabilities: Iterable[tuple[int, bytes]]) -> bytes:
    """Each capability in a parameter of its own; with lengths of two octets where one is too small (RFC 9072, 2)."""
    items = [bytes((code, len(item))) + item for code, item in capabilities]
    if sum(map(len, items)) + 2 * len(items) <= 255 and all(len(item) <= 255 for item in items):
        sent = b"".join(bytes((2, len(item))) + item for item in items)
        return bytes((len(sent),)) + sent
    sent = b"".join(b"\x02" + len(item).to_bytes(2, "big") + item for item in items)
    return b"\xff\xff" + len(sent).to_bytes(2, "big") + sent


def capabilities_of(value: Open) -> Iterator[tuple[int, bytes]]:
    """Yield the capabilities that the fields of an OPEN mean."""
    for family in value.families:
        yield Capability.MULTIPROTOCOL, family.afi.to_bytes(2, "big") + bytes((0, family.safi))
    flags = {
        Capability.ROUTE_REFRESH: value.route_refresh,
        Capability.EXTENDED_MESSAGE: value.extended_message,
        Capability.ENHANCED_ROUTE_REFRESH: value.enhanced_route_refresh,
    }
    yield from ((code, b"") for code, offered in flags.items() if offered)
    lists = {
        Capability.EXTENDED_NEXT_HOP: b"".join(
            number.to_bytes(2, "big") for family, afi in value.extended_next_hop for number in (*family, afi)
        ),
        Capability.MULTIPLE_LABELS: b"".join(
            _number(family) + bytes((most,)) for family, most in value.multiple_labels
        ),
        Capability.ADD_PATH: b"".join(_number(family) + bytes((way,)) for family, way in value.add_path.items()),
        Capability.LONG_LIVED_GRACEFUL_RESTART: b"".join(map(_stale, value.long_lived)),
        Capability.PATHS_LIMIT: b"".join(
            _number(family) + most.to_bytes(2, "big") for family, most in value.paths_limit
        ),
    }
    yield from ((code, item) for code, item in lists.items() if item)
    if value.role is not None:
        yield Capability.ROLE, bytes((value.role,))
    if value.graceful_restart is not None:
        bits = value.restarting << 15 | value.restart_notifies << 14 | value.graceful_restart
        yield Capability.GRACEFUL_RESTART, bits.to_bytes(2, "big") + b"".join(map(_stale, value.restart_families))
    if value.four_octet_as:
        yield Capability.FOUR_OCTET_AS, value.asn.to_bytes(4, "big")
    if value.hostname or value.domain:
        yield Capability.FQDN, _text(value.hostname) + _text(value.domain)
    if value.software:
        yield Capability.SOFTWARE_VERSION, _text(value.software)


def _stale(item: Stale) -> bytes:
    head = _number(item.family) + bytes((item.forwarding << 7,))
    return head if item.seconds is None else head + item.seconds.to_bytes(3, "big")


def _text(value: str) -> bytes:
    return bytes((len(value.encode()),)) + value.encode()


def encode_notification(value: Notification) -> bytes:
    """Encode the body of a NOTIFICATION."""
    return bytes((value.code, value.subcode)) + value.data


def encode_nlri(routes: Iterable[Nlri], add_path: bool = False) -> bytes:
    """Encode a list of prefixes, with their path ids where `add_path` says so."""
    return b"".join(_prefix(route, add_path) for route in routes)


def _prefix(route: Nlri, add_path: bool) -> bytes:
    length = route.prefix.prefixlen
    octets = bytes((length,)) + route.prefix.network_address.packed[: (length + 7) // 8]
    return route.path_id.to_bytes(4, "big") + octets if add_path else octets


def encode_attribute(code: int, value: bytes, flags: int | None = None) -> bytes:
    """Encode one attribute; without `flags`, with those of its definition."""
    flags = FLAGS[code] if flags is None else flags
    if len(value) > 255:
        return bytes((flags | EXTENDED_LENGTH, code)) + len(value).to_bytes(2, "big") + value
    return bytes((flags & ~EXTENDED_LENGTH, code, len(value))) + value


def encode_attributes(value: Attributes, two_octet: bool = False) -> bytes:
    """Encode path attributes in the order of their codes, an IPv6 next hop left to `encode_update`'s MP_REACH_NLRI.

    With `two_octet`, AS numbers that do not fit become 23456, and AS4_PATH and AS4_AGGREGATOR hold what they are.
    """
    encoded = [encode_attribute(code, item) for code, item in sorted(_values(value, two_octet))]
    encoded += [encode_attribute(item.code, item.value, item.flags) for item in value.unknown]
    return b"".join(encoded)


def _values(value: Attributes, two_octet: bool) -> Iterator[tuple[int, bytes]]:
    numbers = {Code.MULTI_EXIT_DISC: value.med, Code.LOCAL_PREF: value.local_pref, Code.ONLY_TO_CUSTOMER: value.otc}
    lists = {
        Code.COMMUNITIES: b"".join(item.to_bytes(4, "big") for item in value.communities),
        Code.CLUSTER_LIST: b"".join(item.packed for item in value.cluster_list),
        Code.EXTENDED_COMMUNITIES: b"".join(value.extended_communities),
        Code.IPV6_EXTENDED_COMMUNITIES: b"".join(value.ipv6_extended_communities),
        Code.LARGE_COMMUNITIES: b"".join(part.to_bytes(4, "big") for item in value.large_communities for part in item),
    }
    if value.origin is not None:
        yield Code.ORIGIN, bytes((value.origin,))
    if value.next_hop is not None and value.next_hop.version == 4:
        yield Code.NEXT_HOP, value.next_hop.packed
    if value.atomic_aggregate:
        yield Code.ATOMIC_AGGREGATE, b""
    if value.originator_id is not None:
        yield Code.ORIGINATOR_ID, value.originator_id.packed
    yield from ((code, number.to_bytes(4, "big")) for code, number in numbers.items() if number is not None)
    yield from ((code, item) for code, item in lists.items() if item)
    if value.aigp is not None and not any(item.code == Code.AIGP for item in value.unknown):
        yield Code.AIGP, b"\1\0\x0b" + value.aigp.to_bytes(8, "big")
    yield from _as_numbers(value.as_path, value.aggregator, 2 if two_octet else 4)


def _as_numbers(path: AsPath, aggregator: Aggregator | None, width: int) -> Iterator[tuple[int, bytes]]:
    fits = all(asn < 1 << 8 * width for asn in path.asns)
    yield Code.AS_PATH, _path(path, width)
    if not fits:
        yield Code.AS4_PATH, _path(path, 4)
    if aggregator is not None:
        yield Code.AGGREGATOR, _as_number(aggregator.asn, width) + aggregator.address.packed
        if aggregator.asn >= 1 << 8 * width:
            yield Code.AS4_AGGREGATOR, _as_number(aggregator.asn, 4) + aggregator.address.packed


def _path(path: AsPath, width: int) -> bytes:
    return b"".join(
        bytes((segment.kind, len(segment.asns))) + b"".join(_as_number(asn, width) for asn in segment.asns)
        for segment in path.segments
    )


def _as_number(asn: int, width: int) -> bytes:
    return (asn if asn < 1 << 8 * width else AS_TRANS).to_bytes(width, "big")


def encode_update(
    announced: Iterable[Nlri] = (),
    attributes: Attributes | None = None,
    withdrawn: Iterable[Nlri] = (),
    context: UpdateContext = DEFAULT,
) -> bytes:
    """Encode the body of an UPDATE of unicast routes.

    IPv4 prefixes stand in the classic fields, except where their next hop is IPv6; IPv6 prefixes in MP_REACH_NLRI and
    MP_UNREACH_NLRI. All announced prefixes of one call must be of one family. Raises ValueError when they are not.
    """
    announced, withdrawn = tuple(announced), tuple(withdrawn)
    if len({route.prefix.version for route in announced}) > 1:
        raise ValueError("the announced prefixes of one UPDATE are of one family, for they have one next hop")
    sent, classic = b"", announced
    if attributes is not None:
        sent = encode_attributes(attributes, context.two_octet)
        if attributes.next_hop is not None and attributes.next_hop.version == 6:
            sent, classic = _reach(announced, attributes.next_hop, attributes.link_local, context) + sent, ()
    sent += _unreach([route for route in withdrawn if route.prefix.version == 6], context)
    gone = encode_nlri([route for route in withdrawn if route.prefix.version == 4], IPV4_UNICAST in context.add_path)
    here = encode_nlri(classic, IPV4_UNICAST in context.add_path)
    return len(gone).to_bytes(2, "big") + gone + len(sent).to_bytes(2, "big") + sent + here


def _reach(routes: tuple[Nlri, ...], next_hop: Address, link_local: Address | None, context: UpdateContext) -> bytes:
    family = IPV4_UNICAST if routes and routes[0].prefix.version == 4 else IPV6_UNICAST
    hops = next_hop.packed + (link_local.packed if link_local is not None else b"")
    value = bytes((len(hops),)) + hops + b"\0" + encode_nlri(routes, family in context.add_path)
    return encode_attribute(Code.MP_REACH_NLRI, _number(family) + value)


def _unreach(routes: list[Nlri], context: UpdateContext) -> bytes:
    if not routes:
        return b""
    value = _number(IPV6_UNICAST) + encode_nlri(routes, IPV6_UNICAST in context.add_path)
    return encode_attribute(Code.MP_UNREACH_NLRI, value)


def encode_end_of_rib(family: Afi) -> bytes:
    """Encode the body of the UPDATE that ends a table (RFC 4724, 2)."""
    if family == IPV4_UNICAST:
        return bytes(4)
    attribute = encode_attribute(Code.MP_UNREACH_NLRI, _number(family))
    return b"\0\0" + len(attribute).to_bytes(2, "big") + attribute


def _number(family: Afi) -> bytes:
    return family.afi.to_bytes(2, "big") + bytes((family.safi,))


def encode_family(
    family: Afi,
    routes: tuple[FamilyRoute, ...],
    attributes: Attributes | None = None,
    add_path: bool = False,
) -> bytes:
    """Encode the body of an UPDATE of routes of another family than unicast.

    With `attributes` the routes are announced, and their next hop stands in them; without, withdrawn. The routes of a
    family are of one kind: `EvpnRoute` of EVPN, `PrefixedRoute` of every other.
    """
    prefixed = tuple(route for route in routes if isinstance(route, PrefixedRoute))
    if attributes is None:
        prefixed = tuple(replace(route, labels=()) for route in prefixed)
    nlri = encode_prefixed(prefixed, family, add_path) if family in PREFIXED else b""
    nlri += encode_evpn(tuple(route for route in routes if isinstance(route, EvpnRoute)), add_path)
    if attributes is None:
        sent = encode_attribute(Code.MP_UNREACH_NLRI, _number(family) + nlri)
    else:
        zero = bytes(8) if family in PREFIXED and PREFIXED[family].distinguished else b""
        hops = [hop for hop in (attributes.next_hop, attributes.link_local) if hop is not None]
        packed = b"".join(zero + hop.packed for hop in hops)
        value = _number(family) + bytes((len(packed),)) + packed + b"\0" + nlri
        rest = encode_attributes(replace(attributes, next_hop=None), False)
        sent = encode_attribute(Code.MP_REACH_NLRI, value) + rest
    return b"\0\0" + len(sent).to_bytes(2, "big") + sent
