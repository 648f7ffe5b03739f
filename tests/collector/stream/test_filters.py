"""Filters as sentences: what they mean, and what is said of those that cannot be one."""

import re
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest

from anycast.route import AsPath, Attributes
from collector.stream.filters import EVERYTHING, All, AnyOf, Not, in_time, parse_filter
from collector.stream.terms import FilterError, FromPeer, FromPeerAsn, HasPrefix, How, InTime, OriginatedBy
from collector.wire.element import Element, ElementType

TEN, NET = ip_network("10.0.0.0/8"), ip_network("10.1.0.0/16")
AT = datetime(2026, 1, 31, 8, tzinfo=UTC)


def test_a_blank_filter_lets_everything_through() -> None:
    assert parse_filter("") == parse_filter("  ") == EVERYTHING
    assert EVERYTHING.matches(Element(ElementType.NOTE))


def test_values_of_a_term_are_alternatives_and_clauses_are_not() -> None:
    assert parse_filter("peer 65010 AS65020 10.0.0.1") == AnyOf(
        (FromPeerAsn(65010), FromPeerAsn(65020), FromPeer(ip_network("10.0.0.1")))
    )
    assert parse_filter("peer 1 and origin 2 and peer 3") == All((FromPeerAsn(1), OriginatedBy(2), FromPeerAsn(3)))
    assert parse_filter("peer 1 or peer 2 and origin 3") == AnyOf(
        (FromPeerAsn(1), All((FromPeerAsn(2), OriginatedBy(3))))
    )
    assert parse_filter("(peer 1 or peer 2) and origin 3") == All(
        (AnyOf((FromPeerAsn(1), FromPeerAsn(2))), OriginatedBy(3))
    )
    assert parse_filter("not not not peer 1") == Not(FromPeerAsn(1))


def test_a_word_of_a_prefix_term_holds_until_the_next_and_is_more_at_first() -> None:
    assert parse_filter("prefix 10.0.0.0/8 exact 10.1.0.0/16 10.0.0.0/8 any 10.0.0.0/8") == AnyOf(
        (HasPrefix(How.MORE, TEN), HasPrefix(How.EXACT, NET), HasPrefix(How.EXACT, TEN), HasPrefix(How.ANY, TEN))
    )


def test_the_other_names_of_bgpreader_are_taken() -> None:
    for ours, theirs in (
        ("community 65010:*", "comm 65010:*"),
        ("ipversion 6", "ipv 6"),
        ("router rrc00", "collector rrc00"),
        ("router rrc00", "coll rrc00"),
    ):
        assert parse_filter(ours) == parse_filter(theirs)
    assert parse_filter("aspath _1_").matches(Element(ElementType.RIB, attributes=Attributes(as_path=AsPath.of(1))))


def test_the_examples_of_bgpreaders_manual_are_read() -> None:
    parse_filter("collector rrc00 and type updates")
    parse_filter("prefix more 1.2.0.0/22 and collector rrc06 route-views.jinx")
    wanted = parse_filter('ipversion 6 and peer 25152 and path "_4554_"')
    seen = Element(
        ElementType.ANNOUNCEMENT,
        peer_asn=25152,  # type: ignore[arg-type]
        family="ipv6-unicast",
        prefix=ip_network("2001:db8::/32"),
        attributes=Attributes(as_path=AsPath.of(25152, 4554, 1)),
    )
    assert wanted.matches(seen)
    assert not parse_filter('ipversion 4 and peer 25152 and path "_4554_"').matches(seen)


def test_parentheses_of_an_expression_are_its_own() -> None:
    path = Element(ElementType.RIB, attributes=Attributes(as_path=AsPath.of(65010)))
    for text in ("path _(65010|65020)_", "(path _(65010|65020)_)", "((path (65010)) and not (path (65020)))"):
        assert parse_filter(text).matches(path), text
    assert not parse_filter("(path _(65011|65020)_)").matches(path)


def test_times_are_read_in_many_ways_and_are_utc_without_a_zone() -> None:
    for text in ("2026-01-31T08:00:00Z", "2026-01-31 08:00:00", "2026-01-31 08:00 UTC", "1769846400", 1769846400.0):
        assert in_time(text, None) == InTime(AT, None), text
    assert in_time("2026-01-31T09:00:00+01:00", None).matches(Element(ElementType.NOTE, AT))
    assert parse_filter("from 2026-01-31 08:00:00 and until 2026-01-31") == All(
        (InTime(AT, None), InTime(None, AT.replace(hour=0)))
    )
    assert in_time(None, AT).matches(Element(ElementType.NOTE, AT))
    assert not in_time(AT, None).matches(Element(ElementType.NOTE)), "nobody said when"


WRONG = {
    "peer": "peer has no value; write peer 65010",
    "prefx 10.0.0.0/8": "terms are prefix, peer, origin, path",
    "peer 65010 prefix 10.0.0.0/8": "'and' or 'or' is missing before 'prefix'",
    "prefix more 10.0.0.1/8": "the network is 10.0.0.0/8",
    "prefix more": "names no prefix",
    "peer 65010 and": "the filter ends where a term should stand",
    "(peer 65010": "'(' is never closed",
    "peer 65010)": "')' closes nothing",
    "(" * 60 + "peer 1" + ")" * 60: "more than 50 deep",
    'path "_1_': "a quotation is never closed",
    "path AS1": "'A' stands in no AS path",
    "project ris": "files belong to no project",
    "community 65536:1": "right are 65010:100",
    "elemtype rib": "none of announcements, withdrawals, ribs",
    "type rib": "none of ribs, updates",
    "origin 1.2.3": "not an AS number",
    "until tomorrow": "not a time such as",
    '"peer" 1': "'peer' is no term",
    "peer 1 " * 2000: "10000 are the most",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_filter_is_told_with_what_would_be_right(text: str) -> None:
    with pytest.raises(FilterError, match=re.escape(WRONG[text])):
        parse_filter(text)
