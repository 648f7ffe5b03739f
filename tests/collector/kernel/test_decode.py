"""Compiled code against the plain decoder: it refuses or agrees, and never crashes or reads past the end."""

import ctypes
import mmap
import random
import subprocess
import sys
from ipaddress import IPv4Network, IPv6Network
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.wire.bmp.frames import LONGEST
from tests.collector.bmp import streams as s
from tests.collector.bmp.feeds import AT, Outcome, make, run

UP = s.initiation() + s.peer_up()
ADD_PATH = s.initiation() + s.peer_up(sent=s.open_message(65000, add_path=3), received=s.open_message(add_path=3))
MIDWAY = s.withdraw("192.0.2.0/24")
"""A stream that begins in its middle: nothing is known of path ids."""
STARTS = (UP, ADD_PATH, MIDWAY)


def same(fast: Outcome, plain: Outcome) -> None:
    """Assert that two feeds heard the same."""
    assert fast.table("routes") == plain.table("routes")
    assert fast.observations == plain.observations
    assert fast.table("sessions") == plain.table("sessions")
    assert fast.table("malformed") == plain.table("malformed")
    assert {row["id"]: row for row in fast.table("attributes")} == {row["id"]: row for row in plain.table("attributes")}
    assert fast.feed.ended == plain.feed.ended
    assert fast.feed.waiting == plain.feed.waiting


def both(stream: bytes) -> Outcome:
    """Send a stream through both, assert that they agree, and return what compiled code made of it."""
    fast = run(stream)
    same(fast, run(stream, plain=True))
    return fast


def by_kernel(outcome: Outcome) -> int:
    """How many messages compiled code took."""
    counted = outcome.feed.counted()
    return counted.messages - counted.plain


ORDINARY = {
    "one IPv4 route": s.announce("10.0.0.0/24"),
    "every length": s.announce("0.0.0.0/0", "128.0.0.0/1", "10.0.0.0/8", "10.1.0.0/17", "10.1.1.1/32"),
    "a withdrawal": s.withdraw("10.0.0.0/24", "10.0.1.0/24"),
    "both": s.monitoring(s.update(s.nlri("10.1.0.0/16"), s.attributes(65001), s.nlri("10.0.0.0/24"))),
    "IPv6": s.monitoring(
        s.update(attrs=s.attributes(65001, next_hop=None, extra=s.reach("::/0", "2001:db8::/48", "2001:db8::1/128")))
    ),
    "IPv6 withdrawn": s.monitoring(s.update(attrs=s.unreach("2001:db8::/64", "2001:db8:1::/65"))),
    "IPv4 in MP_REACH": s.monitoring(
        s.update(attrs=s.attributes(65001, next_hop=None, extra=s.reach("10.0.0.0/9", next_hop="10.0.0.1", afi=1)))
    ),
    "IPv4 with an IPv6 next hop": s.monitoring(
        s.update(attrs=s.attributes(65001, next_hop=None, extra=s.reach("10.0.0.0/9", afi=1)))
    ),
    "MP_REACH in the middle": s.monitoring(
        s.update(
            attrs=s.attribute(1, b"\0") + s.reach("2001:db8::/32") + s.path(65001) + s.attribute(8, bytes(8), 0xC0)
        )
    ),
    "communities": s.monitoring(
        s.update(
            attrs=s.attributes(65001, extra=s.attribute(8, bytes(range(8)), 0xC0) + s.attribute(32, bytes(24), 0xC0)),
            announced=s.nlri("10.0.0.0/24"),
        )
    ),
    "everything iBGP": s.monitoring(
        s.update(
            attrs=s.attributes(
                extra=s.attribute(4, bytes(4), 0x80)
                + s.attribute(5, bytes(4))
                + s.attribute(6, b"")
                + s.attribute(7, bytes(8), 0xC0)
                + s.attribute(9, bytes(4), 0x80)
                + s.attribute(10, bytes(8), 0x80)
                + s.attribute(16, bytes(16), 0xE0)
            ),
            announced=s.nlri("10.0.0.0/24"),
        )
    ),
    "a long path": s.monitoring(s.update(attrs=s.attributes(*range(1, 120)), announced=s.nlri("10.0.0.0/24"))),
    "2-octet AS numbers": s.monitoring(
        s.update(attrs=s.attributes(65001, 1, width=2), announced=s.nlri("10.0.0.0/24")), s.header(flags=0x20)
    ),
    "host bits set": s.monitoring(s.update(attrs=s.attributes(65001), announced=b"\x09\x0a\xff")),
    "AS4_PATH": s.monitoring(
        s.update(
            attrs=s.attributes(23456, width=2, extra=s.attribute(17, b"\x02\x01" + bytes(4), 0xC0)),
            announced=s.nlri("10.0.0.0/24"),
        ),
        s.header(flags=0x20),
    ),
    "attributes that nobody knows": s.monitoring(
        s.update(attrs=s.attributes(65001, extra=s.attribute(40, b"abc", 0xE0)), announced=s.nlri("10.0.0.0/24"))
    ),
    "a longer message than RFC 4271 allows": s.monitoring(
        s.update(attrs=s.attributes(65001), announced=s.nlri(*(["10.0.0.0/24"] * 1_100)))
    ),
    "Adj-RIB-Out": s.announce("10.0.0.0/24", head=s.header(flags=0x50)),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_the_ordinary_is_taken_by_compiled_code_and_the_same(name: str) -> None:
    outcome = both(UP + ORDINARY[name] * 2)
    assert by_kernel(outcome) == 2
    assert outcome.feed.counted().malformed == 0


UNUSUAL = {
    "End-of-RIB": s.end_of_rib(),
    "octets behind the UPDATE": s.monitoring(
        s.update(attrs=s.attributes(65001), announced=s.nlri("10.0.0.0/24")), trailing=b"\xea\x62\0\0"
    ),
    "narrow paths without the A flag": s.monitoring(
        s.update(attrs=s.attributes(65001, 2, 3, width=2), announced=s.nlri("10.0.0.0/24"))
    ),
    "a prefix too long": s.monitoring(s.update(attrs=s.attributes(65001), announced=b"\x21" + bytes(5))),
    "a prefix cut short": s.monitoring(s.update(attrs=s.attributes(65001), announced=b"\x18\x0a\x00")),
    "no ORIGIN": s.monitoring(s.update(attrs=s.path(65001), announced=s.nlri("10.0.0.0/24"))),
    "an attribute twice": s.monitoring(
        s.update(attrs=s.attributes(65001, extra=s.attribute(1, b"\0")), announced=s.nlri("10.0.0.0/24"))
    ),
    "wrong flags": s.monitoring(
        s.update(attrs=s.attributes(65001, extra=s.attribute(8, bytes(4), 0x40)), announced=s.nlri("10.0.0.0/24"))
    ),
    "an unknown attribute": s.monitoring(
        s.update(attrs=s.attributes(65001, extra=s.attribute(99, b"abc", 0xC0)), announced=s.nlri("10.0.0.0/24"))
    ),
    "a route of a VPN": s.monitoring(
        s.update(attrs=s.attributes(65001, extra=s.attribute(14, b"\0\x01\x80\x04" + bytes(20), 0x80)))
    ),
    "both kinds of announcement": s.monitoring(
        s.update(attrs=s.attributes(65001, extra=s.reach("2001:db8::/32")), announced=s.nlri("10.0.0.0/24"))
    ),
    "a KEEPALIVE": s.monitoring(s.bgp(4, b"")),
    "a broken marker": s.monitoring(b"\xfe" * 16 + s.update()[16:]),
    "a BGP length too long": s.monitoring(s.MARKER + b"\0\xff\x02" + bytes(10)),
    "attributes beyond the end": s.monitoring(s.bgp(2, b"\0\0\xff\xff" + bytes(4))),
    "withdrawals beyond the end": s.monitoring(s.bgp(2, b"\xff\xff\0\0" + bytes(4))),
    "a peer unheard of": s.announce("10.0.0.0/24", head=s.header("192.0.2.99")),
    "a peer type unheard of": s.announce("10.0.0.0/24", head=s.header(kind=9)),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_the_unusual_is_left_to_the_plain_decoder_and_the_rest_is_not(name: str) -> None:
    outcome = both(UP + ORDINARY["one IPv4 route"] + UNUSUAL[name] + ORDINARY["one IPv4 route"])
    assert by_kernel(outcome) == 2


@pytest.mark.parametrize("family", [1, 2])
def test_path_ids_are_read_where_agreed(family: int) -> None:
    if family == 1:
        pdu = s.update(s.nlri("10.1.0.0/16", path_id=1), s.attributes(65001), s.nlri("10.0.0.0/24", path_id=2**32 - 1))
    else:
        gone, here = s.unreach("2001:db8::/32", path_id=1), s.reach("2001:db8:1::/48", path_id=2**32 - 1)
        pdu = s.update(attrs=gone + s.attributes(65001, next_hop=None, extra=here))
    outcome = both(ADD_PATH + s.monitoring(pdu))
    assert by_kernel(outcome) == 1
    assert [row["path_id"] for row in outcome.table("routes")] == [1, 2**32 - 1]
    assert [row["action"] for row in outcome.table("routes")] == [0, 1]


def test_a_seeded_table_is_the_same() -> None:
    outcome = both(UP + b"".join(s.table(2_000)))
    assert by_kernel(outcome) == outcome.feed.counted().messages - 2
    prefixes = [(row["prefix_high"] >> 40, row["length"]) for row in outcome.table("routes")]
    assert prefixes == [((1 << 16) + number, 24) for number in range(2_000)]


def test_many_sessions_and_many_attribute_sets_make_the_tables_grow() -> None:
    stream = [s.initiation()]
    for number in range(100):
        head = s.header(f"10.9.{number}.1", distinguisher=number % 3)
        stream += [s.peer_up(head), s.announce("10.0.0.0/24", asns=(number + 1,), head=head)]
    stream += [s.announce("10.0.0.0/24", asns=(number, 7), head=head) for number in range(1, 5_000)]
    outcome = both(b"".join(stream))
    assert len(outcome.table("attributes")) == 100 + 4_999
    assert by_kernel(outcome) == 100 + 4_999


V4 = st.builds(lambda a, n: IPv4Network((a >> (32 - n) << (32 - n), n)), st.integers(0, 2**32 - 1), st.integers(0, 32))
V6 = st.builds(
    lambda a, n: IPv6Network((a >> (128 - n) << (128 - n), n)), st.integers(0, 2**128 - 1), st.integers(0, 128)
)
EXTRA = st.lists(
    st.one_of(
        st.binary(min_size=4, max_size=4).map(lambda value: s.attribute(4, value, 0x80)),
        st.binary(min_size=4, max_size=4).map(lambda value: s.attribute(5, value)),
        st.integers(1, 90)
        .flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n))
        .map(lambda value: s.attribute(8, value, 0xC0)),
        st.binary(min_size=1, max_size=40).map(lambda value: s.attribute(32, value, 0xC0)),
        st.tuples(st.integers(0, 40), st.binary(max_size=20), st.sampled_from((0x40, 0x80, 0xC0, 0xE0))).map(
            lambda parts: s.attribute(*parts)
        ),
    ),
    max_size=4,
).map(b"".join)


@st.composite
def monitorings(draw: st.DrawFn) -> bytes:
    """A Route Monitoring: ordinary, or nearly so."""
    path_id = draw(st.sampled_from((None, None, None, 1, 2**31, 0x0803FF00, 0x18010203, 0x402A0004)))
    peer, flags = draw(st.sampled_from((s.PEER, "192.0.2.2"))), draw(st.sampled_from((0, 0, 0x40, 0x20, 0x10)))
    asns = draw(st.lists(st.integers(0, 65_535), max_size=6))
    extra, hop, announced = draw(EXTRA), draw(st.sampled_from((None, "192.0.2.1"))), b""
    if draw(st.booleans()):
        announced = s.nlri(*draw(st.lists(V4, max_size=4)), path_id=path_id)
    else:
        extra += s.reach(*map(str, draw(st.lists(V6, max_size=4))), path_id=path_id)
    if draw(st.booleans()):
        extra += s.unreach(*map(str, draw(st.lists(V6, max_size=3))), path_id=path_id)
    attrs = s.attributes(*asns, next_hop=hop, extra=extra, width=draw(st.sampled_from((4, 4, 2))))
    withdrawn = s.nlri(*draw(st.lists(V4, max_size=3)), path_id=path_id)
    trailing = draw(st.sampled_from((b"", b"", b"\0\1\0\0")))
    return s.monitoring(s.update(withdrawn, attrs, announced), s.header(peer, flags=flags), trailing)


@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(monitorings(), min_size=1, max_size=8), st.sampled_from(STARTS))
def test_generated_streams_are_the_same(messages: list[bytes], start: bytes) -> None:
    both(start + b"".join(messages))


@settings(max_examples=200, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(list(ORDINARY.values()) + list(UNUSUAL.values())), min_size=1, max_size=6).map(b"".join),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=4),
    st.sampled_from(STARTS),
)
def test_mutated_streams_are_the_same(stream: bytes, changes: list[tuple[int, int]], start: bytes) -> None:
    """Any octet anywhere: also lengths and types of BMP messages, and of everything in them."""
    mutated = bytearray(stream)
    for at, value in changes:
        mutated[at % len(stream)] = value
    both(start + bytes(mutated))


@pytest.mark.hunt
@settings(max_examples=8_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.one_of(monitorings(), st.sampled_from(list(ORDINARY.values()))), min_size=1, max_size=8).map(b"".join),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=4),
    st.sampled_from(STARTS),
)
def test_hunted_streams_are_the_same(stream: bytes, changes: list[tuple[int, int]], start: bytes) -> None:
    """An example takes 25 ms, most of it of two feeds: 20,000 did not end in the ten minutes that a hunt has."""
    mutated = bytearray(stream)
    for at, value in changes:
        mutated[at % len(stream)] = value
    both(start + bytes(mutated))


class Guarded:
    """Memory that ends at a page that nobody may touch: a read past the end is a SIGSEGV."""

    def __init__(self, room: int) -> None:
        pages = -(-room // mmap.PAGESIZE)
        self._memory = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
        self._end = pages * mmap.PAGESIZE
        whole = np.frombuffer(self._memory, np.uint8)
        libc = ctypes.CDLL(None, use_errno=True)
        guard = ctypes.c_void_p(whole.ctypes.data + self._end)
        assert libc.mprotect(guard, ctypes.c_size_t(mmap.PAGESIZE), 0) == 0
        self._whole = whole

    def put(self, data: bytes) -> Any:
        """Return an array of `data` whose last octet is the last before the guard page."""
        array = self._whole[self._end - len(data) : self._end]
        array[:] = np.frombuffer(data, np.uint8)
        return array


def guarded_run(stream: bytes, memory: Guarded) -> None:
    """Send a stream through a feed whose buffer ends at a guard page."""
    outcome = make()
    outcome.feed.feed(UP, AT)
    outcome.take()
    feed, kernel = outcome.feed, outcome.feed._kernel

    def guarded(buffer: Any, *rest: Any) -> Any:
        return kernel(memory.put(buffer.tobytes()), *rest)

    feed._kernel = guarded
    feed.feed(stream, AT + 1)
    outcome.take()


def test_nothing_is_read_past_the_end() -> None:
    """Messages cut anywhere, and lengths that lie, with the input's end at a guard page."""
    memory = Guarded(1 << 16)
    draw = random.Random(7)
    for end in range(len(ORDINARY["both"]) + 1):
        guarded_run(ORDINARY["both"][:end], memory)
    for message in (*ORDINARY.values(), *UNUSUAL.values()):
        for _ in range(12):
            guarded_run(message[: draw.randrange(len(message) + 1)], memory)
            lying = bytearray(message)
            lying[draw.randrange(6, len(message))] = draw.choice((0, 1, 127, 128, 254, 255))
            guarded_run(bytes(lying), memory)


def test_the_guard_page_does_guard() -> None:
    """A read past the end kills: without this, the test above would show nothing."""
    code = (
        "import ctypes; from tests.collector.kernel.test_decode import Guarded; array = Guarded(10).put(b'abc');"
        "ctypes.string_at(array.ctypes.data, 4)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert answer.returncode == -11


def test_a_message_as_long_as_allowed_is_taken_and_a_longer_one_ends_the_feed() -> None:
    long = s.message(0, s.header() + s.update() + bytes(LONGEST - 48 - 23))
    assert len(long) == LONGEST
    outcome = both(UP + long + ORDINARY["one IPv4 route"])
    assert outcome.feed.counted().routes == 1
    assert both(UP + s.message(0, bytes(LONGEST - 5))).feed.ended is not None


def test_an_update_with_more_routes_than_a_slice_has_rows_left_is_taken() -> None:
    body = s.nlri(*(["0.0.0.0/1"] * 32_600))
    before = s.announce("10.0.0.0/24") * 300
    outcome = both(UP + before + s.monitoring(s.update(attrs=s.attributes(65001), announced=body)))
    assert outcome.feed.counted().routes == 32_900


def test_a_default_route_twice_in_a_list_is_no_route_at_all() -> None:
    """Path ids that no OPEN offered look like it."""
    body = s.nlri("0.0.0.0/0", "10.0.0.0/24", "0.0.0.0/0")
    outcome = both(UP + s.monitoring(s.update(attrs=s.attributes(65001), announced=body)))
    assert (outcome.feed.counted().routes, outcome.feed.counted().malformed) == (0, 1)


def test_what_may_hold_path_ids_is_no_route_where_no_open_is_known_and_the_ordinary_is_taken() -> None:
    odd = s.monitoring(s.update(attrs=s.attributes(65001), announced=s.nlri("10.0.0.0/24", path_id=0x0803FF00)))
    outcome = both(MIDWAY + ORDINARY["one IPv4 route"] + odd + ORDINARY["one IPv4 route"])
    assert by_kernel(outcome) == 2
    assert (outcome.feed.counted().routes, outcome.feed.counted().malformed) == (3, 1)


@pytest.mark.parametrize("name", ["every length", "host bits set"])
def test_what_routers_do_not_send_is_taken_where_opens_say_how(name: str) -> None:
    assert by_kernel(both(UP + ORDINARY[name])) == 1
    assert by_kernel(both(MIDWAY + ORDINARY[name])) == 0


def test_importing_the_station_imports_no_numba() -> None:
    code = "import sys, collector.bmp.station, collector.batch; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
