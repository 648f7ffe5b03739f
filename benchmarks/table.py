"""A full table to measure with: a million prefixes and their path attributes, from a seed, as other tools read them.

    python -m benchmarks.table {table-dump-v2,updates,bmp} FILE [--prefixes 1000000] [--sets 150000] [--seed 1]

The shape is that of a table of the Internet in 2024: nine prefixes of ten are IPv4 and more than half of those /24,
paths of two to nine ASes, a third of the sets with communities, some with sets, MED, an aggregator, large communities.
Prefixes of one attribute set lie together, about seven of them, as one origin's prefixes do.
"""

import argparse
import random
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

AT = 1_700_000_000
PEER, PEER_ASN, LOCAL, LOCAL_ASN = IPv4Address("192.0.2.1").packed, 64500, IPv4Address("192.0.2.254").packed, 64501
HOP4, HOP6 = PEER, IPv6Address("2001:db8::1").packed
MARKER = b"\xff" * 16
MOST = 4096 - 23
"""Octets of attributes and prefixes that fit into one UPDATE (RFC 4271, 4.1)."""

_FOUR_BY_LENGTH = (24,) * 60 + (23,) * 10 + (22,) * 12 + (21,) * 4 + (20,) * 5 + (19,) * 4 + (18, 17, 16, 16, 12)
_SIX_BY_LENGTH = (48,) * 50 + (32,) * 20 + (44,) * 10 + (40,) * 8 + (36,) * 6 + (29,) * 4 + (64, 56)


@dataclass(frozen=True, slots=True)
class Group:
    """The prefixes of one attribute set, all of one family."""

    attributes: bytes
    """Without any next hop, AS numbers of 4 octets."""
    six: bool
    prefixes: tuple[bytes, ...]
    """Each as in an UPDATE: length in bits, then its octets."""


def groups(prefixes: int = 1_000_000, sets: int = 150_000, seed: int = 1) -> Iterator[Group]:
    """Yield groups that have `prefixes` distinct prefixes in `sets` distinct attribute sets together."""
    assert 0 < sets <= prefixes
    chance = random.Random(seed)
    four, six = _distinct(chance, 4, _FOUR_BY_LENGTH), _distinct(chance, 16, _SIX_BY_LENGTH)
    paths: set[bytes] = set()
    left = prefixes
    for number in range(sets, 0, -1):
        while (attributes := _attributes(chance)) in paths:
            pass
        paths.add(attributes)
        most = left - (number - 1)
        size = most if number == 1 else min(most, 1 + int(chance.expovariate(1) * (left / number - 1) + 0.5))
        left -= size
        of_six = chance.random() < 0.1
        source = six if of_six else four
        yield Group(attributes, of_six, tuple(next(source) for _ in range(size)))


def _distinct(chance: random.Random, octets: int, lengths: tuple[int, ...]) -> Iterator[bytes]:
    seen: set[bytes] = set()
    while True:
        length = lengths[int(chance.random() * len(lengths))]
        size = (length + 7) >> 3
        first = 1 + int(chance.random() * 222) if octets == 4 else 0x20
        value = chance.getrandbits(8 * size - 8) | first << (8 * size - 8)
        spare = 8 * size - length
        prefix = bytes((length,)) + (value >> spare << spare).to_bytes(size, "big")
        if prefix not in seen:
            seen.add(prefix)
            yield prefix


def attribute(flags: int, code: int, value: bytes) -> bytes:
    """Build a path attribute, its length extended where it must be."""
    if len(value) > 255:
        return struct.pack("!BBH", flags | 0x10, code, len(value)) + value
    return struct.pack("!BBB", flags, code, len(value)) + value


def _asn(chance: random.Random) -> int:
    return 1 + int(chance.random() * (64_000 if chance.random() < 0.6 else 400_000))


def _attributes(chance: random.Random) -> bytes:
    asns = [PEER_ASN, *(_asn(chance) for _ in range(1 + int(chance.random() ** 2 * 8)))]
    asns += [asns[-1]] * int(chance.expovariate(1.5))
    path = struct.pack(f"!BB{len(asns)}I", 2, len(asns), *asns)
    if chance.random() < 0.005:
        path += struct.pack("!BB2I", 1, 2, _asn(chance), _asn(chance))
    out = attribute(0x40, 1, b"\0" if chance.random() < 0.9 else b"\2") + attribute(0x40, 2, path)
    if chance.random() < 0.3:
        out += attribute(0x80, 4, struct.pack("!I", int(chance.random() * 500)))
    if chance.random() < 0.1:
        out += attribute(0x40, 6, b"")
        out += attribute(0xC0, 7, struct.pack("!II", _asn(chance), chance.getrandbits(32)))
    if chance.random() < 0.7:
        count = 1 + int(chance.expovariate(0.25))
        high = _asn(chance) & 0xFFFF
        communities = (high << 16 | int(chance.random() * 30_000) for _ in range(count))
        out += attribute(0xC0, 8, struct.pack(f"!{count}I", *communities))
    if chance.random() < 0.1:
        out += attribute(0xC0, 32, struct.pack("!3I", _asn(chance), 1, int(chance.random() * 1000)))
    return out


def record(kind: int, subtype: int, body: bytes, at: int = AT) -> bytes:
    """Build an MRT record (RFC 6396, 2)."""
    return struct.pack("!IHHI", at, kind, subtype, len(body)) + body


def table_dump_v2(found: Iterator[Group]) -> Iterator[bytes]:
    """Yield a TABLE_DUMP_V2 file: a peer table of one peer, then a record a prefix (RFC 6396, 4.3)."""
    peer = struct.pack("!B", 2) + PEER + PEER + struct.pack("!I", PEER_ASN)
    yield record(13, 1, LOCAL + struct.pack("!HH", 0, 1) + peer)
    number, pack = 0, struct.pack
    for group in found:
        hop = attribute(0x80, 14, b"\x10" + HOP6) if group.six else attribute(0x40, 3, HOP4)
        sent, subtype = group.attributes + hop, 4 if group.six else 2
        tail = pack("!HHIH", 1, 0, AT - 3600, len(sent)) + sent
        for prefix in group.prefixes:
            size = 4 + len(prefix) + len(tail)
            yield pack("!IHHII", AT, 13, subtype, size, number) + prefix + tail
            number += 1


def updates(found: Iterator[Group]) -> Iterator[bytes]:
    """Yield UPDATEs, 19-octet header included, each with as many prefixes of a group as fit."""
    for group in found:
        room = MOST - len(group.attributes) - 32
        start, size = 0, 0
        for number, prefix in enumerate(group.prefixes):
            if size + len(prefix) > room:
                yield _update(group, group.prefixes[start:number])
                start, size = number, 0
            size += len(prefix)
        yield _update(group, group.prefixes[start:])


def _update(group: Group, prefixes: tuple[bytes, ...]) -> bytes:
    nlri = b"".join(prefixes)
    if group.six:
        sent, after = group.attributes + attribute(0x80, 14, b"\0\2\1\x10" + HOP6 + b"\0" + nlri), b""
    else:
        sent, after = group.attributes + attribute(0x40, 3, HOP4), nlri
    body = struct.pack("!HH", 0, len(sent)) + sent + after
    return MARKER + struct.pack("!HB", 19 + len(body), 2) + body


def bgp4mp_et(messages: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a BGP4MP_ET file of UPDATEs, ten thousand a second (RFC 6396, 3 and 4.4.3)."""
    ends = struct.pack("!IIHH", PEER_ASN, LOCAL_ASN, 0, 1) + PEER + LOCAL
    for number, message in enumerate(messages):
        second, part = divmod(number, 10_000)
        yield record(17, 4, struct.pack("!I", part * 100) + ends + message, AT + second)


def bmp(messages: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a BMP feed: Initiation, Peer Up, and a Route Monitoring an UPDATE (RFC 7854)."""

    def message(kind: int, body: bytes) -> bytes:
        return struct.pack("!BIB", 3, 6 + len(body), kind) + body

    header = struct.pack("!BBQ", 0, 0, 0) + bytes(12) + PEER + struct.pack("!I", PEER_ASN) + PEER
    header += struct.pack("!II", AT, 0)
    yield message(4, struct.pack("!HH", 2, 5) + b"table")
    yield message(3, header + bytes(12) + LOCAL + struct.pack("!HH", 179, 40000) + _open(LOCAL) + _open(PEER))
    for pdu in messages:
        yield message(0, header + pdu)


def _open(identifier: bytes) -> bytes:
    asn = LOCAL_ASN if identifier == LOCAL else PEER_ASN
    capabilities = bytes((1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1, 65, 4)) + struct.pack("!I", asn)
    parameters = bytes((2, len(capabilities))) + capabilities
    body = struct.pack("!BHH", 4, asn, 90) + identifier + bytes((len(parameters),)) + parameters
    return MARKER + struct.pack("!HB", 19 + len(body), 1) + body


FORMS: dict[str, Callable[[Iterator[Group]], Iterator[bytes]]] = {
    "table-dump-v2": table_dump_v2,
    "updates": lambda found: bgp4mp_et(updates(found)),
    "bmp": lambda found: bmp(updates(found)),
}
"""What a table can be written as."""


def write(form: str, path: Path, prefixes: int = 1_000_000, sets: int = 150_000, seed: int = 1) -> None:
    """Write one of `FORMS` to a file."""
    with path.open("wb", buffering=1 << 20) as file:
        file.writelines(FORMS[form](groups(prefixes, sets, seed)))


def main() -> int:
    """Write the file that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="benchmarks.table")
    parser.add_argument("form", choices=FORMS)
    parser.add_argument("file", type=Path)
    parser.add_argument("--prefixes", type=int, default=1_000_000)
    parser.add_argument("--sets", type=int, default=150_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    write(asked.form, asked.file, asked.prefixes, asked.sets, asked.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
