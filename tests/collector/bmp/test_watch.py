"""The watch filter against the vocabulary's own word for it."""

from ipaddress import IPv4Network, IPv6Network, ip_network

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anycast.prefix import Prefix, Relation, relation
from collector.batch import RouteBatch
from collector.bmp.watch import Watch

NOBODY = np.zeros(0, np.uint32)


def batch(*prefixes: Prefix, session: int = 1) -> RouteBatch:
    made = RouteBatch.empty(len(prefixes))
    for row, prefix in enumerate(prefixes):
        address = int(prefix.network_address) << 128 - prefix.max_prefixlen
        made.prefix_high[row], made.prefix_low[row] = address >> 64, address & (1 << 64) - 1
        made.family[row], made.length[row], made.session[row] = prefix.version, prefix.prefixlen, session
    return made


def picked(watch: Watch, *prefixes: str) -> list[str]:
    rows = watch.rows(batch(*map(ip_network, prefixes)), NOBODY)
    return [prefixes[row] for row in rows]


def test_equal_inside_and_covering_are_watched_and_others_are_not() -> None:
    watch = Watch([ip_network("10.250.8.0/24"), ip_network("2001:db8:8::/48")])
    wanted = ["10.250.8.0/24", "10.250.8.128/25", "10.250.8.7/32", "10.0.0.0/8", "0.0.0.0/0"]
    wanted += ["2001:db8:8::/48", "2001:db8:8:1::/64", "2001:db8:8::1/128", "2001:db8::/32", "::/0"]
    others = ["10.250.7.0/24", "10.250.9.0/24", "10.250.7.255/32", "11.0.0.0/8", "2001:db8:7::/48", "2001:db8:9::/48"]
    assert picked(watch, *wanted, *others) == wanted


def test_ipv4_is_not_taken_for_ipv6() -> None:
    """10.0.0.0/8 and a00::/8 have the same upper bits."""
    assert picked(Watch([ip_network("10.0.0.0/8")]), "a00::/8", "::/0", "10.1.0.0/16") == ["10.1.0.0/16"]


def test_nothing_watched_picks_nothing() -> None:
    assert picked(Watch(), "0.0.0.0/0", "::/0", "10.0.0.0/8") == []


def test_a_session_watched_whole_is_picked() -> None:
    rows = batch(ip_network("10.0.0.0/8"), ip_network("11.0.0.0/8"))
    rows.session[:] = (7, 9)
    whole = np.array([3, 9, 12], np.uint32)
    assert Watch().rows(rows, whole).tolist() == [1]


def networks(version: int) -> st.SearchStrategy[Prefix]:
    bits, kind = (32, IPv4Network) if version == 4 else (128, IPv6Network)

    def made(address: int, length: int) -> Prefix:
        return kind((address >> bits - length << bits - length if length else 0, length))

    # Few addresses, so that prefixes often overlap; and some anywhere.
    near = st.integers(0, 255).map(lambda last: (0x0A << bits - 8) + (last << bits // 2) + last)
    return st.builds(made, st.one_of(near, st.integers(0, 2**bits - 1)), st.integers(0, bits))


PREFIXES = st.one_of(networks(4), networks(6))


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(PREFIXES, max_size=8), st.lists(PREFIXES, min_size=1, max_size=20))
def test_it_picks_what_is_not_apart(watched: list[Prefix], seen: list[Prefix]) -> None:
    rows = Watch(watched).rows(batch(*seen), NOBODY).tolist()
    wanted = [
        row
        for row, prefix in enumerate(seen)
        if any(relation(prefix, other) is not Relation.APART for other in watched)
    ]
    assert rows == wanted
