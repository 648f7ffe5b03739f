"""Prefixes as columns, and the conditions that find them, against the standard library's own arithmetic."""

from collections.abc import Callable
from ipaddress import ip_network

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from anycast.prefix import Prefix, inside
from store.places import Match, columns, condition, prefix_of


@st.composite
def _prefixes(draw: st.DrawFn) -> Prefix:
    """Prefixes that often touch: few distinct bits."""
    bits = draw(st.sampled_from([32, 128]))
    length = draw(st.integers(0, bits))
    base = draw(st.sampled_from([0, 0x0AFA000A, (1 << bits) - 1, 0x20010DB8 << 96])) % (1 << bits)
    flip = draw(st.sampled_from([0, 1, 1 << 63, 1 << 64, 1 << 70])) % (1 << bits)
    kept = (base ^ flip) >> (bits - length) << (bits - length)
    return ip_network((kept.to_bytes(bits // 8), length))


@given(_prefixes())
def test_a_prefix_goes_to_columns_and_back(prefix: Prefix) -> None:
    assert prefix_of(*columns(prefix)) == prefix


def test_ipv4_stands_in_the_upper_32_bits() -> None:
    assert columns(ip_network("10.0.0.0/8")) == (4, 10 << 56, 0, 8)
    assert columns(ip_network("2001:db8::/32")) == (6, 0x20010DB800000000, 0, 32)


_MEANING: dict[Match, Callable[[Prefix, Prefix], bool]] = {
    Match.EXACT: lambda seen, asked: seen == asked,
    Match.INSIDE: inside,
    Match.COVERING: lambda seen, asked: inside(asked, seen),
    Match.TOUCHING: lambda seen, asked: inside(seen, asked) or inside(asked, seen),
}


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.lists(_prefixes(), min_size=1, max_size=60), _prefixes(), st.sampled_from(Match))
def test_a_condition_finds_what_it_means(table: list[Prefix], asked: Prefix, match: Match) -> None:
    asked = table[0].supernet() if len(table) % 2 and table[0].prefixlen else asked
    names = {"family": pa.uint8(), "prefix_high": pa.uint64(), "prefix_low": pa.uint64(), "length": pa.uint8()}
    held = [columns(prefix) for prefix in table]
    arrays = {name: pa.array([row[index] for row in held], kind) for index, (name, kind) in enumerate(names.items())}
    wanted = condition(asked, match)
    with duckdb.connect(":memory:") as connection:
        connection.register("held", pa.table(arrays))
        rows = connection.execute(
            f"select {', '.join(names)} from held where {wanted.sql}", wanted.parameters
        ).fetchall()
    found = sorted(str(prefix_of(*row)) for row in rows)
    assert found == sorted(str(prefix) for prefix in table if _MEANING[match](prefix, asked))
