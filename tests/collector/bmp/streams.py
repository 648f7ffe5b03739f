"""BMP streams made to measure: messages one by one, and whole tables from a seed."""

import random
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

MARKER = b"\xff" * 16
STAMP = 1_790_000_000
PEER = "192.0.2.1"


def message(kind: int, body: bytes) -> bytes:
    """Build a BMP message with its common header."""
    return struct.pack("!BIB", 3, 6 + len(body), kind) + body


def header(
    peer: str | None = PEER, *, kind: int = 0, flags: int = 0, distinguisher: int = 0, asn: int = 65001, at: int = STAMP
) -> bytes:
    """Build a per-peer header; the V flag follows from the address, None is a Loc-RIB's."""
    address = bytes(16) if peer is None else ip_address(peer).packed
    if len(address) == 16 and peer is not None:
        flags |= 0x80
    identifier = IPv4Address("192.0.2.9").packed
    return (
        struct.pack("!BBQ", kind, flags, distinguisher)
        + address.rjust(16, b"\0")
        + struct.pack("!I", asn)
        + identifier
        + struct.pack("!II", at, 250_000 if at else 0)
    )


def bgp(kind: int, body: bytes) -> bytes:
    """Build a BGP message."""
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def attribute(code: int, value: bytes, flags: int = 0x40) -> bytes:
    """Build a path attribute, with an extended length only where it needs one."""
    if len(value) > 255:
        return struct.pack("!BBH", flags | 0x10, code, len(value)) + value
    return struct.pack("!BBB", flags, code, len(value)) + value


def path(*asns: int, width: int = 4) -> bytes:
    """Build an AS_PATH of one sequence."""
    value = b"".join(asn.to_bytes(width, "big") for asn in asns)
    return attribute(2, bytes((2, len(asns))) + value if asns else b"")


def attributes(*asns: int, next_hop: str | None = "192.0.2.1", extra: bytes = b"", width: int = 4) -> bytes:
    """Build ORIGIN, AS_PATH and NEXT_HOP, and whatever comes behind them."""
    hop = attribute(3, ip_address(next_hop).packed) if next_hop else b""
    return attribute(1, b"\0") + path(*asns, width=width) + hop + extra


def nlri(*prefixes: str | Network, path_id: int | None = None) -> bytes:
    """Build a list of prefixes, each behind `path_id` when it is given."""
    out = b""
    for prefix in prefixes:
        network = ip_network(prefix) if isinstance(prefix, str) else prefix
        ahead = b"" if path_id is None else struct.pack("!I", path_id)
        out += ahead + bytes((network.prefixlen,)) + network.network_address.packed[: (network.prefixlen + 7) // 8]
    return out


def reach(*prefixes: str, next_hop: str = "2001:db8::1", afi: int = 2, path_id: int | None = None) -> bytes:
    """Build an MP_REACH_NLRI."""
    hop = ip_address(next_hop).packed
    value = struct.pack("!HBB", afi, 1, len(hop)) + hop + b"\0" + nlri(*prefixes, path_id=path_id)
    return attribute(14, value, 0x80)


def unreach(*prefixes: str, afi: int = 2, path_id: int | None = None) -> bytes:
    """Build an MP_UNREACH_NLRI; without prefixes an End-of-RIB."""
    return attribute(15, struct.pack("!HB", afi, 1) + nlri(*prefixes, path_id=path_id), 0x80)


def update(withdrawn: bytes = b"", attrs: bytes = b"", announced: bytes = b"") -> bytes:
    """Build an UPDATE."""
    return bgp(2, struct.pack("!H", len(withdrawn)) + withdrawn + struct.pack("!H", len(attrs)) + attrs + announced)


def monitoring(pdu: bytes, head: bytes | None = None, trailing: bytes = b"") -> bytes:
    """Build a Route Monitoring."""
    return message(0, (header() if head is None else head) + pdu + trailing)


def announce(*prefixes: str, asns: tuple[int, ...] = (65001, 64999), head: bytes | None = None) -> bytes:
    """Build a Route Monitoring that announces IPv4 prefixes."""
    return monitoring(update(attrs=attributes(*asns), announced=nlri(*prefixes)), head)


def withdraw(*prefixes: str, head: bytes | None = None) -> bytes:
    """Build a Route Monitoring that withdraws IPv4 prefixes."""
    return monitoring(update(withdrawn=nlri(*prefixes)), head)


def end_of_rib(head: bytes | None = None) -> bytes:
    """Build the empty UPDATE."""
    return monitoring(update(), head)


def open_message(
    asn: int = 65001,
    identifier: str = "192.0.2.9",
    hold: int = 90,
    add_path: int = 0,
    families: tuple[int, ...] = (1, 2),
) -> bytes:
    """Build an OPEN; `add_path` is the Send/Receive octet for every family."""
    capabilities = b"".join(struct.pack("!BBHBB", 1, 4, afi, 0, 1) for afi in families)
    capabilities += struct.pack("!BBI", 65, 4, asn) + b"\x02\x00"
    if add_path:
        capabilities += struct.pack("!BB", 69, 4 * len(families))
        capabilities += b"".join(struct.pack("!HBB", afi, 1, add_path) for afi in families)
    parameters = struct.pack("!BB", 2, len(capabilities)) + capabilities
    body = struct.pack("!BHH", 4, min(asn, 23456) if asn > 65535 else asn, hold) + IPv4Address(identifier).packed
    return bgp(1, body + bytes((len(parameters),)) + parameters)


def peer_up(head: bytes | None = None, sent: bytes | None = None, received: bytes | None = None) -> bytes:
    """Build a Peer Up; the OPENs are ordinary ones unless given."""
    local = ip_address("192.0.2.254").packed.rjust(16, b"\0")
    opens = (open_message(65000, "192.0.2.254") if sent is None else sent) + (
        open_message() if received is None else received
    )
    return message(3, (header() if head is None else head) + local + struct.pack("!HH", 179, 40000) + opens)


def peer_down(head: bytes | None = None, reason: int = 4, data: bytes = b"") -> bytes:
    """Build a Peer Down."""
    return message(2, (header() if head is None else head) + bytes((reason,)) + data)


def initiation(name: str = "edge1", description: str = "a router") -> bytes:
    """Build an Initiation."""
    tlvs = ((1, description), (2, name))
    return message(4, b"".join(struct.pack("!HH", code, len(text)) + text.encode() for code, text in tlvs))


def termination(reason: int = 0) -> bytes:
    """Build a Termination."""
    return message(5, struct.pack("!HHH", 1, 2, reason))


def statistics(*counts: tuple[int, int], head: bytes | None = None) -> bytes:
    """Build a Statistics Report of 32-bit counters."""
    tlvs = b"".join(struct.pack("!HHI", code, 4, value) for code, value in counts)
    return message(1, (header() if head is None else head) + struct.pack("!I", len(counts)) + tlvs)


def table(routes: int, seed: int = 1, *, peer: str = PEER, sharing: int = 4, paths: int = 4) -> Iterator[bytes]:
    """Yield Route Monitorings that announce `routes` distinct IPv4 prefixes, like a full table's.

    About `sharing` prefixes an UPDATE; one attribute set in `paths` UPDATEs is new.
    """
    draw = random.Random(seed)
    head, sent = header(peer), 0
    known: list[bytes] = []
    while sent < routes:
        if not known or draw.randrange(paths) == 0:
            asns = [draw.randrange(1, 400_000) for _ in range(draw.randrange(2, 6))]
            extra = attribute(8, draw.randbytes(4 * draw.randrange(1, 8)), 0xC0)
            known.append(attributes(*asns, next_hop=peer, extra=extra))
        count = min(routes - sent, draw.randrange(1, 2 * sharing))
        # Consecutive /24s from 1.0.0.0 up: distinct, and 11 million of them fit below 172/8.
        body = b"".join(b"\x18" + ((1 << 16) + sent + step).to_bytes(3, "big") for step in range(count))
        sent += count
        yield monitoring(update(attrs=draw.choice(known[-64:]), announced=body), head)
