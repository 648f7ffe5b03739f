"""MRT records and files for the tests of the file lane, ordinary ones and others."""

import struct
from collections.abc import Callable
from typing import Final

from hypothesis import strategies as st

from tests.collector.bmp import streams as s
from tests.collector.wire.mrt.writing import STAMP, ends, peer_table, record

PEERS: Final = peer_table(
    (
        b"\x02\x0a\x0a\x01\x04\x0a\x0a\x01\x04\x00\x00\xfd\xf2",
        b"\x03\x0a\x0a\x01\x05" + b"\x20\x01\x0d\xb8" + bytes(11) + b"\x07" + b"\x00\x03\x0d\x40",
        b"\x00\x0a\x0a\x01\x06\x0a\x0a\x01\x06\xfd\xf3",
    )
)
"""A peer table of three."""
GOOD: Final = s.attributes(65010, 64999)
FOUR: Final = b"\x18\x0a\xfa\x00"
SIX: Final = b"\x30\x20\x01\x0d\xb8\x00\x01"
HOP: Final = bytes(range(16))
SHORT_REACH: Final = s.attribute(14, b"\x10" + HOP, 0x80)
"""MP_REACH_NLRI as table dumps have it: the next hop and its length."""
WHOLE_REACH: Final = s.attribute(14, b"\0\2\1\x10" + HOP + b"\0" + SIX, 0x80)


def entry(attributes: bytes = GOOD, index: int = 0, path_id: int | None = None) -> bytes:
    """One path of a RIB record."""
    identifier = b"" if path_id is None else struct.pack("!I", path_id)
    return struct.pack("!HI", index, STAMP - 60) + identifier + struct.pack("!H", len(attributes)) + attributes


def rib(subtype: int, prefix: bytes, *entries: bytes) -> bytes:
    """A RIB record of TABLE_DUMP_V2."""
    return record(13, subtype, bytes(4) + prefix + struct.pack("!H", len(entries)) + b"".join(entries))


def old_table(prefix: bytes, length: int, attributes: bytes, peer: bytes = b"\x0a\x0a\x01\x04") -> bytes:
    """A TABLE_DUMP record."""
    head = bytes(4) + prefix + bytes((length, 1)) + struct.pack("!I", STAMP - 60)
    peer = peer.rjust(len(prefix), b"\0")
    body = head + peer + struct.pack("!HH", 65010, len(attributes)) + attributes
    return record(12, 1 if len(prefix) == 4 else 2, body)


def message(pdu: bytes, subtype: int = 4, *, six: bool = False, micros: int | None = None, peer: int = 65010) -> bytes:
    """A BGP4MP record of one BGP message, BGP4MP_ET where there are microseconds."""
    width = 2 if subtype in (0, 1, 6, 8, 10) else 4
    body = ends(width, six, peer) + pdu
    if micros is None:
        return record(16, subtype, body)
    return record(17, subtype, struct.pack("!I", micros) + body)


def old_message(pdu: bytes, kind: int = 1) -> bytes:
    """A deprecated BGP record."""
    return record(5, kind, b"\xfd\xf2\x0a\x0a\x01\x04\xfd\xe9\x0a\x0a\xff\x04" + pdu[19:])


UPDATE: Final = s.update(s.nlri("10.1.0.0/16"), GOOD, s.nlri("10.0.0.0/24", "10.2.0.0/15"))
NARROW: Final = s.update(attrs=s.attributes(65010, 2, width=2), announced=s.nlri("10.0.0.0/24"))
IDENTIFIED: Final = s.update(s.nlri("10.1.0.0/16", path_id=0), GOOD, s.nlri("10.0.0.0/24", path_id=7))
IN_SIX: Final = s.update(attrs=s.attributes(65010, next_hop=None, extra=s.reach("2001:db8::/32", "fd00:1::/32")))

ORDINARY: Final[dict[str, bytes]] = {
    "a table of IPv4": rib(2, FOUR, entry(), entry(GOOD, 1)),
    "a table of IPv6": rib(4, SIX, entry(s.attributes(1, next_hop=None, extra=SHORT_REACH), 1)),
    "a table of IPv6 with whole next hops": rib(4, SIX, entry(s.attributes(1, next_hop=None, extra=WHOLE_REACH), 1)),
    "the default routes": rib(2, b"\0", entry()) + rib(4, b"\0", entry(SHORT_REACH)),
    "host routes": rib(2, b"\x20\x0a\xfa\0\x0a", entry()) + rib(4, b"\x80" + bytes(range(16)), entry(SHORT_REACH)),
    "host bits set": rib(2, b"\x09\x0a\xff", entry()) + rib(4, b"\x41" + b"\xff" * 9, entry(SHORT_REACH)),
    "path ids": rib(8, FOUR, entry(path_id=0), entry(path_id=2**32 - 1)) + rib(10, SIX, entry(SHORT_REACH, path_id=5)),
    "a prefix without paths": rib(2, FOUR),
    "no attributes": rib(2, FOUR, entry(b""), entry(b"")),
    "narrow peers": rib(2, FOUR, entry(index=2)),
    "flags of a table": rib(2, FOUR, entry(s.attribute(1, b"\0", 0x60) + s.path(1) + s.attribute(4, bytes(4), 0xC0))),
    "an IPv4 table with next hops of IPv6": rib(2, FOUR, entry(s.attributes(1, next_hop=None, extra=SHORT_REACH))),
    "an old table": old_table(b"\x0a\xfa\0\0", 16, s.attributes(65010, 2, width=2)) + old_table(HOP, 64, SHORT_REACH),
    "an old table with a wide aggregator": old_table(
        b"\x0a\xfa\0\0", 16, s.attributes(65010, width=2, extra=s.attribute(7, bytes(8), 0xC0))
    ),
    "messages": message(UPDATE) + message(UPDATE, micros=1_500_000) + message(IN_SIX, six=True),
    "narrow messages": message(NARROW, 1) + message(NARROW, 6),
    "sent messages": message(UPDATE, 7),
    "messages with path ids": message(IDENTIFIED, 9) + message(IDENTIFIED, 11, micros=0),
    "KEEPALIVEs": message(s.bgp(4, b"")) + message(UPDATE),
    "old messages": old_message(NARROW),
    "AS4_PATH": message(
        s.update(
            attrs=s.attributes(23456, width=2, extra=s.attribute(17, b"\x02\x01" + bytes(4), 0xC0)),
            announced=s.nlri("10.0.0.0/24"),
        ),
        1,
    ),
    "rarer attributes": message(
        s.update(
            attrs=s.attributes(
                extra=s.attribute(18, bytes(8), 0xC0)
                + s.attribute(25, bytes(40), 0xC0)
                + s.attribute(26, b"\1\0\x0b" + bytes(8), 0x80)
                + s.attribute(35, bytes(4), 0xC0)
                + s.attribute(40, b"whatever", 0xE0)
                + s.attribute(6, b"")
            ),
            announced=s.nlri("10.0.0.0/24"),
        )
    ),
    "a long message": message(s.update(attrs=GOOD, announced=s.nlri(*(["10.0.0.0/24"] * 5_000)))),
}
"""What compiled code takes whole."""

UNUSUAL: Final[dict[str, bytes]] = {
    "a peer beyond the table": rib(2, FOUR, entry(), entry(index=3)),
    "a path cut short": rib(2, FOUR, entry()[:-1]),
    "octets left over": rib(2, FOUR, entry() + b"\0"),
    "a prefix too long": rib(2, b"\x21" + bytes(5), entry()),
    "a broken attribute": rib(2, FOUR, entry(), entry(s.attribute(1, b"\x03"))),
    "an attribute to discard": rib(2, FOUR, entry(GOOD + s.attribute(6, b"x"))),
    "an attribute twice": rib(2, FOUR, entry(GOOD + s.attribute(1, b"\0"))),
    "narrow paths": rib(2, FOUR, entry(s.attributes(65010, 2, 3, width=2))),
    "an attribute beyond 63": rib(2, FOUR, entry(GOOD + s.attribute(99, b"abc", 0xC0))),
    "a next hop of no length": rib(4, SIX, entry(s.attribute(14, b"\0", 0x80))),
    "a next hop of five": rib(4, SIX, entry(s.attribute(14, b"\x05" + bytes(5), 0x80))),
    "a next hop of IPv4 for IPv6": rib(4, SIX, entry(s.attribute(14, b"\x04" + bytes(4), 0x80))),
    "MP_UNREACH in a table": rib(2, FOUR, entry(GOOD + s.unreach("2001:db8::/32"))),
    "multicast": rib(3, FOUR, entry()),
    "a generic family": record(13, 6, bytes(4) + b"\0\1\x80\x70" + bytes(14) + b"\0\1" + entry()),
    "a state": record(16, 5, ends() + b"\0\6\0\1"),
    "an OPEN": message(s.open_message()),
    "a NOTIFICATION": message(s.bgp(3, b"\4\0")),
    "End-of-RIB": message(s.update()),
    "octets behind the message": message(UPDATE + b"\0"),
    "an address family of three": record(16, 4, bytes(8) + b"\0\0\0\3" + bytes(8) + UPDATE),
    "a message cut short": record(16, 4, ends() + UPDATE[:30]),
    "an old table cut short": record(12, 1, bytes(20)),
    "an old prefix too long": old_table(b"\x0a\xfa\0\0", 33, GOOD),
    "a deprecated entry": record(16, 2, ends(2) + bytes(40)),
    "another protocol": record(11, 0, b"ospf"),
    "nothing": record(16, 4, b""),
    "another table": peer_table(),
}
"""What it leaves to the plain decoder."""

DAMAGE: Final[dict[str, bytes]] = {
    "octets of ones": b"\xff" * 20,
    "zeros": bytes(40),
    "a length that lies": UNUSUAL["a state"][:8] + b"\0\0\1\0" + UNUSUAL["a state"][12:],
    "a type unheard of": record(15, 1, b"abc"),
    "no room for microseconds": record(17, 4, b"abc"),
}
"""What is no record."""

_ANY: Final = st.sampled_from([*ORDINARY.values(), *UNUSUAL.values()])
_VALUES: Final[Callable[[], st.SearchStrategy[bytes]]] = lambda: st.lists(  # noqa: E731 - a strategy, made once
    st.tuples(st.integers(0, 63), st.binary(max_size=24), st.sampled_from((0x40, 0x80, 0xC0, 0xE0, 0x50))).map(
        lambda parts: s.attribute(*parts)
    ),
    max_size=4,
).map(b"".join)


@st.composite
def paths(draw: st.DrawFn, add_path: bool) -> bytes:
    """One path of a RIB record: ordinary, or nearly so."""
    asns = draw(st.lists(st.integers(0, 65_535), max_size=5))
    attributes = s.attributes(*asns, next_hop=draw(st.sampled_from((None, "192.0.2.1"))), extra=draw(_VALUES()))
    attributes += draw(st.sampled_from((b"", b"", SHORT_REACH, WHOLE_REACH)))
    return entry(attributes, draw(st.integers(0, 3)), draw(st.integers(0, 2**32 - 1)) if add_path else None)


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """A RIB record."""
    subtype = draw(st.sampled_from((2, 4, 8, 10)))
    length = draw(st.integers(0, 33 if subtype in (2, 8) else 129))
    prefix = bytes((length,)) + draw(st.binary(min_size=(length + 7) // 8, max_size=(length + 7) // 8))
    return rib(subtype, prefix, *draw(st.lists(paths(add_path=subtype >= 8), max_size=4)))


@st.composite
def updates(draw: st.DrawFn) -> bytes:
    """A record of an UPDATE."""
    subtype = draw(st.sampled_from((1, 4, 4, 6, 7, 8, 9, 10, 11)))
    path_id = draw(st.integers(0, 3)) if subtype >= 8 else None
    width = 2 if subtype in (1, 6, 8, 10) else 4
    asns = draw(st.lists(st.integers(0, 65_535), max_size=5))
    attributes = s.attributes(*asns, width=width, extra=draw(_VALUES()))
    count = draw(st.integers(0, 3))
    announced = s.nlri(*(f"10.{number}.0.0/16" for number in range(count)), path_id=path_id)
    withdrawn = s.nlri(*(["192.0.2.0/25"] * draw(st.integers(0, 2))), path_id=path_id)
    pdu = s.update(withdrawn, attributes, announced)
    micros = draw(st.sampled_from((None, 0, 999_999, 2**32 - 1)))
    return message(pdu, subtype, six=draw(st.booleans()), micros=micros, peer=draw(st.integers(1, 4)))


FILES: Final = st.lists(st.one_of(tables(), updates(), _ANY), min_size=1, max_size=8).map(
    lambda records: PEERS + b"".join(records)
)
"""Files of ordinary records and others."""
MUTATIONS: Final = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=4)


def mutated(data: bytes, changes: list[tuple[int, int]]) -> bytes:
    """Put other octets at some places."""
    out = bytearray(data)
    for at, value in changes:
        out[at % len(data)] = value
    return bytes(out)
