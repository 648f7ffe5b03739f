"""A BMP stream of many routes, and filters to ask of it."""

import io
import random
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from anycast.observation import PeerType
from anycast.prefix import Address, Prefix
from anycast.route import Aggregator, Asn, AsPath, Attributes, Community, Origin, Segment, SegmentKind, UnknownAttribute
from collector.wire.bgp.context import UpdateContext
from collector.wire.bgp.encode import encode_message, encode_update
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST
from collector.wire.bgp.message import MessageType
from collector.wire.bgp.nlri import Nlri
from collector.wire.bgp.open import Direction
from collector.wire.bmp.encode import encode
from collector.wire.bmp.values import Initiation, PerPeerHeader, RouteMonitoring, Tlv
from tests.collector.wire.bmp.samples import header, peer_up, speaker

FAMILIES = (IPV4_UNICAST, IPV6_UNICAST)
_EACH_WAY = Direction.SEND | Direction.RECEIVE
BOTH = {IPV4_UNICAST: _EACH_WAY, IPV6_UNICAST: _EACH_WAY}
SESSIONS = (
    header(),
    header(IPv4Address("10.10.1.5"), distinguisher=0x1_0000_0007, peer_type=PeerType.DISTINGUISHED),
    header(IPv6Address("fd00::5"), seconds=1_700_000_060),
    header(IPv4Address("10.10.1.6"), seconds=0, microseconds=0),
)
ADD_PATH = SESSIONS[2]
FILTERS = (
    "prefix exact 10.3.0.0/16",
    "prefix more 10.0.0.0/8",
    "prefix more 0.0.0.0/0",
    "prefix less 10.3.7.9/32",
    "prefix any 10.3.0.0/16",
    "prefix more 2001:db8::/32",
    "prefix more 2001:db8:0:3::/96",
    "prefix exact ::ffff:10.3.0.0/112 less 2001:db8:0:3::1",
    "prefix more 10.3.0.0/16 172.16.0.0/12 exact 10.4.0.0/16",
    "peer 65010",
    "peer 10.10.1.5",
    "peer 10.10.0.0/16 fd00::5",
    "router weu-rs0",
    "router nobody",
    "rib adj-in-pre",
    "rib adj-in-post loc",
    "ipversion 6",
    "elemtype withdrawals",
    "elemtype A",
    "origin 65010 64500",
    'path "_65010_"',
    'path "!_65010_"',
    'path "^$"',
    'path "^64500_.*(65010|65020)$"',
    "path {",
    "community 65010:*",
    "community *:100",
    "community no-export",
    "community 65010:1:* *:2:3",
    "from 2023-11-14T22:14:00Z",
    "until 2023-11-14T22:14:00Z",
    "from 1700000000.25 and until 1700000000.25",
    "not prefix more 10.0.0.0/8",
    "not path _65010_ and not peer 10.10.1.5",
    "prefix more 10.0.0.0/8 and (community 65010:* or origin 64500) and not rib loc",
)
"""Each lets something of `stream()` through, and keeps something back, but for the one that asks for nobody."""

_PATHS = (
    AsPath(),
    AsPath.of(65010),
    AsPath.of(64500, 64500, 65010),
    AsPath.of(64500, 4_200_000_000, 65020),
    AsPath((*AsPath.of(64500).segments, Segment(SegmentKind.SET, (Asn(65010), Asn(65020))))),
    AsPath((Segment(SegmentKind.CONFED_SEQUENCE, (Asn(65010), Asn(2))), *AsPath.of(64500).segments)),
    AsPath((*AsPath.of(1).segments, Segment(SegmentKind.SET, (Asn(64500),)))),
)
_COMMUNITIES = ((), (Community(65010 << 16 | 100),), (Community(0xFFFFFF01), Community(7 << 16 | 100), Community(1)))
_LARGE = ((), ((65010, 1, 4_294_967_295),), ((1, 2, 3), (65010, 2, 3)))


def attributes(luck: random.Random) -> Attributes:
    """Attributes of which some are rare."""
    made = Attributes(
        origin=luck.choice(list(Origin)),
        as_path=luck.choice(_PATHS),
        next_hop=IPv4Address(luck.randrange(1 << 32)),
        med=luck.choice([None, 0, 4_294_967_295]),
        local_pref=luck.choice([None, 100]),
        atomic_aggregate=luck.random() < 0.2,
        communities=luck.choice(_COMMUNITIES),
        large_communities=luck.choice(_LARGE),
    )
    if luck.random() < 0.2:
        made = replace(made, aggregator=Aggregator(Asn(65010), IPv4Address("10.0.0.1")))
    if luck.random() < 0.1:
        made = replace(made, originator_id=IPv4Address("10.0.0.2"), cluster_list=(IPv4Address("10.0.0.3"),))
    if luck.random() < 0.1:
        made = replace(made, extended_communities=(bytes.fromhex("0002fdf200000001"),))
    if luck.random() < 0.1:
        made = replace(made, unknown=(UnknownAttribute(0xC0, 99, b"\x01\x02"),))
    return made


def prefix(luck: random.Random, version: int) -> Prefix:
    """A prefix, many of them close to those that the filters ask for."""
    if version == 4:
        base = luck.choice([IPv4Address("10.3.7.9"), IPv4Address("10.4.0.0"), IPv4Address(luck.randrange(1 << 32))])
        return IPv4Network((int(base), luck.choice([0, 8, 12, 16, 17, 24, 32])), strict=False)
    places = ["2001:db8:0:3::1", "2001:db8:0:3:0:1::", "::ffff:10.3.0.0", "fd00:0:0:1::", "1:0:2:0:3:0:4:0", "::1"]
    base6 = luck.choice([*map(IPv6Address, places), IPv6Address(luck.randrange(1 << 128))])
    return IPv6Network((int(base6), luck.choice([0, 16, 32, 48, 64, 80, 96, 112, 127, 128])), strict=False)


def stream(updates: int = 400, seed: int = 1) -> bytes:
    """A router's BMP stream: four sessions, both families, ADD-PATH, three tables, withdrawals, rare attributes."""
    luck = random.Random(seed)
    messages = [encode(Initiation((Tlv(2, b"weu-rs0"),)))]
    for each in SESSIONS:
        add_path = BOTH if each is ADD_PATH else {}
        ours, theirs = speaker(65515, FAMILIES, add_path), speaker(65010, FAMILIES, add_path)
        messages.append(encode(peer_up(each, ours, theirs)))
    messages += (_update(luck, session(luck)) for _ in range(updates - updates // 4))
    messages.append(encode(Initiation((Tlv(2, 'weu-"\u00e9"'.encode()),))))  # a name that JSON escapes
    messages += (_update(luck, session(luck)) for _ in range(updates // 4))
    return b"".join(messages)


def session(luck: random.Random) -> PerPeerHeader:
    """One of the sessions, in one of its tables."""
    of = luck.choice(SESSIONS)
    return replace(of, flags=of.flags | luck.choice([0, 0, 0x40, 0x10]))


def _update(luck: random.Random, of: PerPeerHeader) -> bytes:
    version, path = luck.choice([4, 4, 6]), luck.randrange(3)
    add_path = of.address == ADD_PATH.address
    context = UpdateContext(frozenset(FAMILIES) if add_path else frozenset())
    routes = [Nlri(prefix(luck, version), path if add_path else 0) for _ in range(luck.randrange(1, 6))]
    routes = list(dict.fromkeys(routes))
    if luck.random() < 0.2:
        body = encode_update(withdrawn=routes, context=context)
    else:
        made = attributes(luck)
        hop: Address | None = IPv6Address(luck.choice(["2001:db8::1", "fe80::1"])) if version == 6 else made.next_hop
        body = encode_update(routes, replace(made, next_hop=hop), context=context)
    return encode(RouteMonitoring(of, encode_message(MessageType.UPDATE, body)))


def opened(data: bytes) -> io.BytesIO:
    """Octets as a file."""
    return io.BytesIO(data)


def documented() -> bytes:
    """The file of the examples in docs/decode.md and docs/stream.md: two NVAs announce, one of them withdraws."""
    web, vdi = IPv4Network("10.250.0.10/32"), IPv4Network("10.250.8.0/24")
    route = Attributes(Origin.IGP, AsPath.of(65010), SESSIONS[0].address, communities=_COMMUNITIES[1])
    other = replace(route, as_path=AsPath.of(65010, 65020), communities=(Community(65020 << 16 | 1),), med=100)
    later = replace(SESSIONS[0], seconds=SESSIONS[0].seconds + 20)
    second = replace(SESSIONS[0], address=IPv4Address("10.10.1.5"))
    updates = (
        (SESSIONS[0], encode_update([Nlri(web), Nlri(vdi)], route)),
        (second, encode_update([Nlri(web)], other)),
        (SESSIONS[0], encode_update([Nlri(IPv4Network("10.250.0.0/16"))], replace(route, as_path=AsPath.of(65030)))),
        (later, encode_update(withdrawn=[Nlri(web)])),
    )
    monitored = (encode(RouteMonitoring(of, encode_message(MessageType.UPDATE, body))) for of, body in updates)
    beginning = [encode(Initiation((Tlv(2, b"weu-rs0"),))), encode(peer_up(SESSIONS[0])), encode(peer_up(second))]
    return b"".join((*beginning, *monitored))
