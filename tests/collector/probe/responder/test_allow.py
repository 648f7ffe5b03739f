"""The allow-list agrees with what prefixes mean, and costs the same for whoever is asked about."""

import time
from ipaddress import IPv4Address, ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from anycast.prefix import Prefix
from collector.probe.responder.allow import Allow

PREFIXES: st.SearchStrategy[list[Prefix]] = st.lists(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(lambda pair: ip_network(pair, strict=False)),
    max_size=20,
)


@given(PREFIXES, st.integers(0, 2**32 - 1))
def test_it_agrees_with_what_prefixes_mean(prefixes: list[Prefix], number: int) -> None:
    address = ip_address(number)
    allowed = any(address in prefix for prefix in prefixes)
    assert (Allow(prefixes).find(str(address)) == address) is allowed


@given(PREFIXES)
def test_both_ends_of_each_prefix_are_in(prefixes: list[Prefix]) -> None:
    allow = Allow(prefixes)
    for prefix in prefixes:
        assert allow.find(str(prefix[0]))
        assert allow.find(str(prefix[-1]))


def test_ipv4_and_ipv6_are_apart_and_mapped_addresses_are_ipv4() -> None:
    allow = Allow((ip_network("0.0.0.0/0"),))
    assert allow.find("::ffff:192.0.2.1") == ip_address("192.0.2.1")
    assert allow.find("2001:db8::1") is None
    assert Allow((ip_network("::/0"),)).find("192.0.2.1") is None
    assert Allow((ip_network("fd00::/8"),)).find("fd00::1%eth0") == ip_address("fd00::1")
    assert Allow().find("192.0.2.1") is None


def test_a_long_list_does_not_make_strangers_dear() -> None:
    few, many = (Allow(ip_network((n << 8, 24)) for n in range(count)) for count in (1, 1000))
    strangers = [str(IPv4Address(0xC0000000 + n)) for n in range(20_000)]

    def took(allow: Allow) -> float:
        began = time.process_time()
        assert not any(allow.find(each) for each in strangers)
        return time.process_time() - began

    assert min(took(many) for _ in range(3)) < 5 * min(took(few) for _ in range(3))
