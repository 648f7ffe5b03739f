"""Recordings that begin in the middle: of what was sent before nothing is known until something is said of it."""

from anycast.change import Presence
from anycast.finding import Kind
from anycast.observation import Announced, FeedOpened, SessionUp, TableComplete, Withdrawn
from anycast.prefix import Family
from tests.analyzers.network import (
    START,
    VDI,
    WEB,
    Network,
    at_collector,
    intent,
    looks,
    nva_route,
    nva_source,
    opens,
    rs_route,
    rs_source,
)

SPEAKERS = [nva_source(f"weu-nva{n}") for n in (1, 2)] + [rs_source(f"weu-rs{n}") for n in (0, 1)]


def joined() -> Network:
    """GoBGP's feed joined in its middle: the sessions of weu are named, nothing else is."""
    network = Network(intent(), {})
    network.view = type(network.view)(network.intent)
    network.now = START
    network.view.midway("gobgp")
    network.see(FeedOpened(network.now, "gobgp"))
    for source in SPEAKERS:
        network.see(SessionUp(network.now, source.session, *opens(source)))
        network.view.midway("gobgp", source.session)
    return network


def presences(network: Network) -> set[Presence]:
    return {network.view.presence(name, WEB) for name in ("weu-nva1", "weu-nva2", "weu-rs0", "weu-rs1")}


def kinds(network: Network) -> set[Kind]:
    return {finding.kind for finding in network.findings() if finding.kind is not Kind.BLIND}


def test_silence_of_a_prefix_proves_nothing_however_long_it_lasts() -> None:
    network = joined()
    network.wait(3600)
    assert presences(network) == {Presence.UNKNOWN}
    assert kinds(network) == set()


def test_a_session_that_is_not_named_may_be_up() -> None:
    network = joined()
    network.wait(120)
    assert "eus-nva1" in network.view.unknown()
    assert network.view.presence("eus-nva1", WEB) is Presence.UNKNOWN


def test_a_withdrawal_is_absence_from_then_on_and_of_that_prefix_only() -> None:
    network = joined()
    network.wait(30)
    for source in SPEAKERS:
        network.withdraw(source, WEB)
    gone = network.now
    network.wait(5)
    assert presences(network) == {Presence.ABSENT}
    assert network.view.presence("weu-rs0", VDI) is Presence.UNKNOWN
    since = network.view.since("weu-rs0", WEB)
    assert since is not None
    assert since.since == gone
    assert kinds(network) == {Kind.MISSING}


def test_a_withdrawal_before_the_table_counts_as_complete_is_known_too() -> None:
    network = joined()
    for source in SPEAKERS:
        network.withdraw(source, WEB)
    network.wait(60)
    assert presences(network) == {Presence.ABSENT}


def test_an_announcement_is_presence_and_its_withdrawal_absence() -> None:
    network = joined()
    network.wait(30)
    network.announce(nva_source("weu-nva1"), WEB, nva_route("weu-nva1", WEB))
    assert network.view.presence("weu-nva1", WEB) is Presence.PRESENT
    network.withdraw(nva_source("weu-nva1"), WEB)
    assert network.view.presence("weu-nva1", WEB) is Presence.ABSENT


def test_one_of_several_paths_withdrawn_says_nothing_of_the_others() -> None:
    network, source = joined(), nva_source("weu-nva1")
    network.see(Announced(network.now, source, WEB, nva_route("weu-nva1", WEB), 7))
    network.see(Withdrawn(network.now, source, WEB, 7))
    network.wait(30)
    assert network.view.presence("weu-nva1", WEB) is Presence.UNKNOWN


def test_the_whole_table_or_a_session_that_begins_anew_makes_all_known() -> None:
    network = joined()
    network.wait(30)
    network.view.whole(rs_source("weu-rs0").session)
    assert network.view.presence("weu-rs0", WEB) is Presence.ABSENT
    network.down(rs_source("weu-rs1"))
    network.up(rs_source("weu-rs1"))
    network.wait(10)
    assert network.view.presence("weu-rs1", WEB) is Presence.ABSENT
    assert network.view.presence("weu-nva1", WEB) is Presence.UNKNOWN


def test_an_end_of_rib_of_a_router_does_not_make_it_whole() -> None:
    network = joined()
    network.see(TableComplete(network.now, rs_source("weu-rs0"), Family.IPV4))
    network.wait(30)
    assert network.view.presence("weu-rs0", WEB) is Presence.UNKNOWN


def test_a_route_of_a_session_that_no_peer_up_spoke_of_joins_it_in_its_middle() -> None:
    network = joined()
    source = rs_source("eus-rs0")
    network.see(SessionUp(network.now, source.session))
    network.announce(source, VDI, rs_route("eus-rs0", VDI))
    network.wait(30)
    assert network.view.presence("eus-rs0", VDI) is Presence.PRESENT
    assert network.view.presence("eus-rs0", WEB) is Presence.UNKNOWN


def test_instances_are_compared_where_both_have_spoken_and_nowhere_else() -> None:
    network = joined()
    network.wait(30)
    network.announce(rs_source("weu-rs0"), WEB, rs_route("weu-rs0", WEB))
    network.wait(10)
    assert kinds(network) == set()
    network.withdraw(rs_source("weu-rs1"), WEB)
    network.wait(10)
    assert kinds(network) == {Kind.INSTANCE_SKEW}


def test_the_next_connection_is_whole_again() -> None:
    network = joined()
    network.wait(30)
    network.cut("gobgp")
    network.reconnect("gobgp")
    network.wait(120)
    assert presences(network) == {Presence.ABSENT}
    assert Kind.MISSING_EVERYWHERE in kinds(network)


def test_strangers_are_told_of_as_ever() -> None:
    network = joined()
    network.wait(30)
    source = at_collector("10.10.1.9")
    network.see(SessionUp(network.now, source.session, *opens(source)))
    network.announce(source, WEB, looks(64666, hop="10.10.1.9"))
    network.wait(1)
    assert kinds(network) == {Kind.UNEXPECTED_ORIGIN}


def test_what_was_held_before_a_gap_is_unknown_and_not_withdrawn_when_the_session_is_joined_in_its_middle() -> None:
    network = Network()
    network.cut("gobgp")
    network.wait(5)
    network.view.midway("gobgp")
    network.see(FeedOpened(network.now, "gobgp"))
    for source in SPEAKERS:
        network.see(SessionUp(network.now, source.session))
    network.announce(rs_source("weu-rs0"), VDI, rs_route("weu-rs0", VDI))
    network.wait(120)
    assert network.changes == []
    assert presences(network) == {Presence.UNKNOWN}
    assert network.view.presence("weu-rs0", VDI) is Presence.PRESENT
    assert kinds(network) == set()
