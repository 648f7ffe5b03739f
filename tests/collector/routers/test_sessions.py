"""One session told three times: by the packets that were captured, in the router's own dump, and over BMP."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest

from anycast.route import AsPath, Attributes
from collector.wire.element import Element, ElementType
from tests.collector.routers.daemons import BIRD, FRR, GOBGP, OPENBGPD, Router
from tests.collector.routers.dumps import Said, heard, plainly, tables

PEERS: Final = {  # routes that each says to a router, both its sessions together
    "10.9.0.1": 9,
    "10.9.0.11": 138,
    "10.9.0.12": 16,
    "10.9.0.13": 24,
    "10.9.0.14": 16,
    "10.9.0.17": 2,
    "2001:db8:9::15": 12,
}
FEWER: Final = {
    OPENBGPD: {"10.9.0.11": 134, "2001:db8:9::15": 4},  # it takes no IPv4 in MP_REACH_NLRI
}
"""Where it differs: what a router cannot take is not said to it."""
WRITTEN: Final = {
    FRR: ("frr-all.mrt", "frr-all-et.mrt"),
    BIRD: ("bird-messages.mrt",),
    GOBGP: ("gobgp-updates.mrt",),
    OPENBGPD: ("openbgpd-all-in.mrt",),
}


def of(router: Router) -> frozenset[str]:
    """The addresses under which it hears."""
    return frozenset((router.address, router.six))


@pytest.mark.parametrize("router", WRITTEN, ids=lambda router: router.name)
def test_packets_and_the_dump_tell_the_same_in_the_same_order(router: Router) -> None:
    captured = heard(plainly(f"{router.name}.pcap"), of(router))
    written = heard(plainly(*WRITTEN[router]), of(router))
    assert {peer: len(said) for peer, said in captured.items()} == PEERS | FEWER.get(router, {})
    for peer, said in captured.items():
        assert written[peer] == said, peer


def test_gobgp_tells_over_bmp_what_the_packets_say_in_the_same_order() -> None:
    captured, told = heard(plainly("gobgp.pcap"), of(GOBGP)), heard(plainly("gobgp.bmp"))
    assert len(captured) == len(PEERS)
    for peer, said in captured.items():
        assert told[peer] == said, peer


OWN: Final = FRR.asn


def _without_own(peer: str, attributes: Attributes) -> Attributes:
    """FRR 8.4 writes BMP as it would write to a peer: with its own AS in front of what other ASes said."""
    asns = [asn for segment in attributes.as_path.segments for asn in segment.asns]
    if peer == "10.9.0.14":
        return attributes
    assert asns[0] == OWN, peer
    first, *rest = attributes.as_path.segments
    shorter = (replace(first, asns=first.asns[1:]),) if len(first.asns) > 1 else ()
    return replace(attributes, as_path=AsPath((*shorter, *rest)))


def _in_bmp(peer: str, said: list[Said]) -> set[str]:
    """Prefixes that FRR can tell of a table: without path ids, and none whose NEXT_HOP it forgets."""
    forgotten = ("11.51.0.0/16", "15.1.0.0/16", "15.3.0.0/16")
    return {prefix for prefix, _ in tables(said) if prefix not in forgotten}


@pytest.mark.parametrize("peer", PEERS)
def test_frr_tells_over_bmp_what_stands_at_the_end_of_what_the_packets_say(peer: str) -> None:
    """FRR tells of tables, not of messages; of several paths to a prefix it tells one, without its path id."""
    captured, told = heard(plainly("frr.pcap"), of(FRR)), heard(_until_down(peer))
    prefixes = {prefix for prefix, _ in tables(told[peer])}
    assert prefixes == _in_bmp(peer, captured[peer])
    assert len(prefixes) >= 1
    said = {(prefix, attributes) for (prefix, _), attributes in tables(captured[peer]).items()}
    for (prefix, path_id), attributes in tables(told[peer]).items():
        assert attributes is not None
        assert path_id is None
        assert (prefix, _ordered(peer, _without_own(peer, attributes))) in _comparable(peer, said), prefix


def _comparable(peer: str, said: set[tuple[str, Attributes | None]]) -> set[tuple[str, tuple[str, Attributes]]]:
    """What was said, without what FRR writes in its place."""
    return {(prefix, _ordered(peer, found)) for prefix, found in said if found is not None}


def _ordered(peer: str, found: Attributes) -> tuple[str, Attributes]:
    """FRR sorts communities, marks as partial what it does not know, cuts long paths elsewhere, and leaves out some."""
    if peer == "10.9.0.14":
        found = replace(found, originator_id=None, cluster_list=())
    kept = [replace(one, flags=one.flags | 0x20) for one in found.unknown if one.flags & 0x40]
    rest = replace(
        found,
        as_path=AsPath(),
        aigp=None,
        ipv6_extended_communities=(),
        communities=tuple(sorted(found.communities)),
        extended_communities=tuple(sorted(one for one in found.extended_communities if not one[0] & 0x40)),
        large_communities=tuple(sorted(found.large_communities)),
        unknown=tuple(kept),
    )
    return str(found.as_path), rest


def _until_down(peer: str) -> Iterator[Element]:
    """What FRR says over BMP until a session ends for the last time."""
    found = plainly("frr.bmp")
    downs = [at for at, each in enumerate(found) if each.state == "down" and str(each.peer) == peer]
    yield from found[: downs[-1] if downs else None]


def test_routes_of_sessions_with_path_ids_are_not_lost_where_frr_leaves_the_ids_out() -> None:
    told = [each for each in plainly("frr.bmp") if str(each.peer) == "10.9.0.13" and not each.mirrored]
    assert {str(each.prefix) for each in told if each.type is ElementType.ANNOUNCEMENT and each.prefix is not None} == {
        *("13.1.0.0/16", "13.2.0.0/24", "13.3.0.0/16", "2001:db8:13::/48", "2001:db8:1300::/41")
    }
    assert {each.action for each in told if each.type is ElementType.MALFORMED} == {"taken-as-is"}
