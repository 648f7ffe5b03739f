"""Values of the wire, well formed, for property tests."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from types import MappingProxyType

from hypothesis import strategies as st

from anycast.observation import PeerType
from anycast.prefix import Address, Family, Prefix
from anycast.route import (
    Aggregator,
    Asn,
    AsPath,
    Attributes,
    Community,
    Origin,
    Segment,
    SegmentKind,
    UnknownAttribute,
)
from collector.wire.bgp.distinguisher import RouteDistinguisher
from collector.wire.bgp.encode import encode_message
from collector.wire.bgp.evpn import EvpnRoute
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST, PREFIXED, Afi
from collector.wire.bgp.message import MessageType
from collector.wire.bgp.nlri import Nlri
from collector.wire.bgp.notification import Notification
from collector.wire.bgp.open import Direction, Open, Stale
from collector.wire.bgp.prefixed import PrefixedRoute
from collector.wire.bmp.values import (
    A_FLAG,
    L_FLAG,
    O_FLAG,
    V_FLAG,
    Count,
    Initiation,
    Message,
    PeerDown,
    PeerUp,
    PerPeerHeader,
    RouteMirroring,
    RouteMonitoring,
    StatisticsReport,
    Termination,
    Tlv,
)

u8, u16, u32, u64 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32, 64))
asns = st.integers(1, (1 << 32) - 1).map(Asn)
ipv4 = u32.map(IPv4Address)
ipv6 = st.integers(0, (1 << 128) - 1).map(IPv6Address)


def _prefix4(address: int, length: int) -> Prefix:
    return IPv4Network((address, length), strict=False)


def _prefix6(address: int, length: int) -> Prefix:
    return IPv6Network((address, length), strict=False)


prefixes4 = st.builds(_prefix4, u32, st.integers(0, 32))
prefixes6 = st.builds(_prefix6, st.integers(0, (1 << 128) - 1), st.integers(0, 128))

families = st.sampled_from([IPV4_UNICAST, IPV6_UNICAST, Afi(1, 4), Afi(1, 128), Afi(2, 128), Afi(25, 70)])


def routes(prefixes: st.SearchStrategy[Prefix], add_path: bool) -> st.SearchStrategy[tuple[Nlri, ...]]:
    """Lists of prefixes, with path ids where `add_path` says so; no default route twice without them."""
    ids = u32 if add_path else st.just(0)
    lists = st.lists(st.builds(Nlri, prefixes, ids), max_size=8).map(tuple)
    return lists if add_path else lists.filter(lambda found: sum(item.prefix.prefixlen == 0 for item in found) < 2)


segments = st.builds(
    Segment,
    st.sampled_from(SegmentKind),
    st.lists(asns, min_size=1, max_size=6).map(tuple),
)
as_paths = st.lists(segments, max_size=4).map(lambda found: AsPath(tuple(found)))
plain_paths = st.lists(asns, max_size=10).map(lambda found: AsPath.of(*found))

unknown_attributes = st.builds(
    UnknownAttribute,
    st.sampled_from([0x80, 0xC0, 0xE0]),
    st.integers(100, 127),
    st.binary(max_size=40),
)

some_attributes = st.builds(
    Attributes,
    origin=st.sampled_from(Origin),
    as_path=as_paths,
    med=st.none() | u32,
    local_pref=st.none() | u32,
    atomic_aggregate=st.booleans(),
    aggregator=st.none() | st.builds(Aggregator, asns, ipv4),
    communities=st.lists(u32.map(Community), max_size=70).map(tuple),
    large_communities=st.lists(st.tuples(u32, u32, u32), max_size=4).map(tuple),
    extended_communities=st.lists(st.binary(min_size=8, max_size=8), max_size=4).map(tuple),
    originator_id=st.none() | ipv4,
    cluster_list=st.lists(ipv4, max_size=3).map(tuple),
    unknown=st.lists(unknown_attributes, max_size=2, unique_by=lambda item: item.code).map(tuple),
    ipv6_extended_communities=st.lists(st.binary(min_size=20, max_size=20), max_size=2).map(tuple),
    aigp=st.none() | u64,
    otc=st.none() | asns,
)

distinguishers = st.binary(min_size=8, max_size=8).map(RouteDistinguisher)
labels20 = st.integers(0, (1 << 20) - 1).filter(lambda label: label != 0x80000)  # on top it looks like no label
label_stacks = st.lists(labels20, min_size=1, max_size=3).map(tuple)


@st.composite
def prefixed(draw: st.DrawFn, family: Afi, add_path: bool, announced: bool) -> tuple[PrefixedRoute, ...]:
    """Routes of a family in `PREFIXED`; one label for an IPv6 VPN, whose length octet has no room for more."""
    shape = PREFIXED[family]
    prefixes = draw(st.lists(prefixes4 if shape.family is Family.IPV4 else prefixes6, min_size=1, max_size=5))
    stacks = label_stacks.map(lambda found: found[:1] if family == Afi(2, 128) else found)
    labels = stacks if shape.labelled and announced else st.just(())
    distinguisher = distinguishers if shape.distinguished else st.none()
    ids = u32 if add_path else st.just(0)
    return tuple(PrefixedRoute(prefix, draw(ids), draw(labels), draw(distinguisher)) for prefix in prefixes)


def evpn(add_path: bool) -> st.SearchStrategy[tuple[EvpnRoute, ...]]:
    """EVPN routes of any type, whatever is in them."""
    ids = u32 if add_path else st.just(0)

    def route(kind: int, value: bytes, path_id: int) -> EvpnRoute:
        return EvpnRoute(kind, bytes((kind, len(value))) + value, path_id)

    return st.lists(st.builds(route, u8, st.binary(max_size=60), ids), min_size=1, max_size=4).map(tuple)


opens = st.builds(
    Open,
    version=st.just(4),
    asn=asns,
    hold_time=u16,
    identifier=ipv4,
    families=st.lists(families, max_size=4, unique=True).map(tuple),
    add_path=st.dictionaries(families, st.sampled_from([Direction(1), Direction(2), Direction(3)]), max_size=3).map(
        MappingProxyType
    ),
    extended_next_hop=st.lists(st.tuples(families, st.just(2)), max_size=2).map(tuple),
    four_octet_as=st.just(True),
    route_refresh=st.booleans(),
    extended_message=st.booleans(),
    graceful_restart=st.none() | st.integers(0, 4095),
    enhanced_route_refresh=st.booleans(),
    long_lived=st.lists(st.builds(Stale, families, st.booleans(), st.integers(0, (1 << 24) - 1)), max_size=2).map(
        tuple
    ),
    multiple_labels=st.lists(st.tuples(families, u8), max_size=2).map(tuple),
    paths_limit=st.lists(st.tuples(families, u16), max_size=2).map(tuple),
    role=st.none() | u8,
    hostname=st.text(max_size=60),
    domain=st.text(max_size=60),
    software=st.text(max_size=60),
)


@st.composite
def restarting_opens(draw: st.DrawFn) -> Open:
    """OPENs with everything that graceful restart may say."""
    families_kept = st.lists(st.builds(Stale, families, st.booleans()), max_size=3).map(tuple)
    return replace(
        draw(opens),
        graceful_restart=draw(st.integers(0, 4095)),
        restarting=draw(st.booleans()),
        restart_notifies=draw(st.booleans()),
        restart_families=draw(families_kept),
    )


@st.composite
def headers(draw: st.DrawFn) -> PerPeerHeader:
    """Per-peer headers whose V flag says what the address is."""
    peer_type = draw(st.sampled_from(PeerType))
    flags = draw(st.sampled_from([0, L_FLAG, O_FLAG, L_FLAG | O_FLAG])) | draw(st.sampled_from([0, A_FLAG]))
    address = draw(ipv4 | ipv6)
    if peer_type is PeerType.LOC_RIB:
        flags |= draw(st.sampled_from([0, V_FLAG]))
    elif address.version == 6:
        flags |= V_FLAG
    return PerPeerHeader(
        peer_type=peer_type,
        flags=flags,
        distinguisher=draw(u64),
        address=None if peer_type is PeerType.LOC_RIB else address,
        asn=draw(asns),
        identifier=draw(ipv4),
        seconds=draw(u32),
        microseconds=draw(u32),
    )


tlvs = st.lists(st.builds(Tlv, u16, st.binary(max_size=30)), max_size=3).map(tuple)
bodies = st.binary(max_size=60).map(lambda body: encode_message(MessageType.UPDATE, body))
counters = st.builds(Count, u16, u32) | st.builds(Count, u16, st.integers(1 << 32, (1 << 64) - 1))
gauges = st.builds(Count, u16, u64, u16, u8)
notifications = st.builds(Notification, u8, u8, st.binary(max_size=20))


@st.composite
def peer_ups(draw: st.DrawFn) -> PeerUp:
    """Peer Ups with either OPEN perhaps left out."""
    header = draw(headers())
    six = header.flags & V_FLAG and header.peer_type is not PeerType.LOC_RIB
    local: Address = draw(ipv6) if six else draw(ipv4)
    sent, received = draw(st.none() | opens), draw(st.none() | opens)
    bare = [which for which, side in (("sent", sent), ("received", received)) if side is None]
    problems = tuple(f"the {which} OPEN is a bare header of 19 octets" for which in bare)
    return PeerUp(header, local, draw(u16), draw(u16), sent, received, draw(tlvs), problems)


messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(RouteMonitoring, headers(), bodies, st.binary(max_size=12)),
    st.builds(StatisticsReport, headers(), st.lists(counters | gauges, max_size=5).map(tuple)),
    st.builds(PeerDown, headers(), st.sampled_from([1, 3]), st.none() | notifications),
    st.builds(PeerDown, headers(), st.just(2), fsm_event=u16),
    st.builds(PeerDown, headers(), st.sampled_from([0, 4, 5, 7]), rest=st.binary(max_size=4)),
    st.builds(PeerDown, headers(), st.just(6), tlvs=tlvs),
    peer_ups(),
    st.builds(Initiation, tlvs),
    st.builds(Termination, tlvs),
    st.builds(RouteMirroring, headers(), tlvs),
)
