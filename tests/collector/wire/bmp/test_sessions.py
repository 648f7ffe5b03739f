"""Which UPDATEs carry path ids: by both OPENs and their directions, for each view of a session."""

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest

from anycast.observation import PeerType
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST, Afi
from collector.wire.bgp.open import Direction
from collector.wire.bmp.sessions import Sessions
from collector.wire.bmp.values import A_FLAG, L_FLAG, O_FLAG
from tests.collector.wire.bmp.samples import header, peer_up, speaker

SENDS, RECEIVES = {IPV4_UNICAST: Direction.SEND}, {IPV4_UNICAST: Direction.RECEIVE}
LOC = header(None, 0, PeerType.LOC_RIB)


def test_one_peer_up_serves_every_view_of_its_session() -> None:
    sessions = Sessions()
    sessions.up(peer_up(sent=speaker(add_path=RECEIVES), received=speaker(add_path=SENDS)))
    for flags, carried in ((0, {IPV4_UNICAST}), (L_FLAG, {IPV4_UNICAST}), (O_FLAG, set()), (O_FLAG | L_FLAG, set())):
        assert sessions.context(header(flags=flags)).add_path == carried
        assert header(flags=flags) in sessions


def test_the_other_direction_is_for_what_the_router_sends() -> None:
    sessions = Sessions()
    sessions.up(peer_up(sent=speaker(add_path=SENDS), received=speaker(add_path=RECEIVES)))
    assert sessions.context(header()).add_path == set()
    assert sessions.context(header(flags=O_FLAG)).add_path == {IPV4_UNICAST}


def test_a_one_sided_offer_is_none() -> None:
    sessions = Sessions()
    sessions.up(peer_up(received=speaker(add_path=SENDS)))
    assert sessions.context(header()).add_path == set()


def test_a_loc_rib_is_taken_at_its_own_word() -> None:
    sessions = Sessions()
    sessions.up(peer_up(LOC, speaker(add_path=RECEIVES), speaker(add_path=RECEIVES)))
    assert sessions.context(LOC).add_path == {IPV4_UNICAST}


def test_either_open_of_a_loc_rib_speaks_for_both() -> None:
    """The router made them up, and FRR may have sent one of them as a bare header."""
    up = peer_up(LOC, speaker(add_path=SENDS), speaker(add_path=SENDS))
    for half in (replace(up, sent=None), replace(up, received=None)):
        sessions = Sessions()
        sessions.up(half)
        context = sessions.context(LOC)
        assert context.add_path == context.families == frozenset((IPV4_UNICAST,))


def test_a_second_peer_up_adds_its_family() -> None:
    """Huawei VRP 8.2 sends one for each family of its Loc-RIB, with the same key."""
    sessions = Sessions()
    four = speaker(add_path={IPV4_UNICAST: Direction.SEND})
    six = speaker(families=(IPV6_UNICAST,), add_path={IPV6_UNICAST: Direction.SEND})
    sessions.up(peer_up(LOC, four, four))
    sessions.up(peer_up(LOC, six, six))
    assert sessions.context(LOC).add_path == {IPV4_UNICAST, IPV6_UNICAST}


def test_a_second_peer_up_without_the_offer_ends_it_for_the_families_it_names() -> None:
    sessions = Sessions()
    sessions.up(peer_up(LOC, speaker(add_path=SENDS)))
    sessions.up(peer_up(LOC, speaker()))
    assert sessions.context(LOC).add_path == set()


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ({"hold_time": 9}, set()),
        ({"identifier": IPv4Address("10.9.9.9")}, set()),
        ({"asn": 7}, set()),
        ({}, {IPV4_UNICAST}),
    ],
)
def test_a_peer_up_with_another_open_begins_anew(changed: dict[str, Any], kept: set[Afi]) -> None:
    sessions = Sessions()
    first, six = speaker(add_path=SENDS), speaker(families=(IPV6_UNICAST,))
    sessions.up(peer_up(LOC, first, first))
    sessions.up(peer_up(LOC, six, replace(six, **changed)))
    assert sessions.context(LOC).add_path == kept


def test_after_a_peer_down_nothing_is_known() -> None:
    sessions = Sessions()
    sessions.up(peer_up(LOC, speaker(add_path=SENDS)))
    sessions.down(LOC)
    sessions.down(LOC)
    assert LOC not in sessions
    assert sessions.context(LOC).add_path == set()


def test_an_orphan_has_no_path_ids() -> None:
    context = Sessions().context(header())
    assert (context.add_path, context.two_octet, context.rebuilt) == (frozenset(), False, False)


@pytest.mark.parametrize("flags", [0, A_FLAG])
def test_each_message_says_itself_how_wide_its_as_numbers_are(flags: int) -> None:
    """GoBGP writes its dump with 4-octet AS numbers, and what follows as its peer sent it."""
    sessions = Sessions()
    sessions.up(peer_up(header(flags=A_FLAG)))
    assert sessions.context(header(flags=flags)).two_octet is bool(flags)


def test_two_sessions_with_one_address_are_two() -> None:
    sessions = Sessions()
    sessions.up(peer_up(header(distinguisher=1), speaker(add_path=RECEIVES), speaker(add_path=SENDS)))
    assert sessions.context(header(distinguisher=2)).add_path == set()
    assert header(IPv4Address("10.10.1.5"), distinguisher=1) not in sessions
