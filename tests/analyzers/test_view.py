"""The fold: presence in three values, mark and sweep, and true differences only."""

import json
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from analyzers.memory import restore, snapshot
from analyzers.recall import with_routes
from analyzers.view import View
from anycast.change import Cause, Change, ChangeKind, Presence
from anycast.intent import Exporter, Intent, Service, Thresholds
from anycast.observation import (
    Announced,
    DownReason,
    FeedLost,
    FeedOpened,
    LostReason,
    Observation,
    Session,
    SessionDown,
    SessionUp,
    Source,
    StatsReported,
    TableComplete,
    Withdrawn,
)
from anycast.prefix import Family
from tests.analyzers.network import (
    START,
    VDI,
    WEB,
    Network,
    dump,
    healthy,
    intent,
    looks,
    msee_source,
    nva_route,
    nva_source,
    opens,
    placement,
    services,
)

NVA = nva_source("weu-nva1")
MSEE = msee_source("ams", "weu-msee1")
ROUTE = nva_route("weu-nva1", WEB)
OTHER = looks(65010, 65010, hop="10.10.1.4")


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def kinds(changes: list[Change]) -> list[tuple[ChangeKind, Cause]]:
    return [(change.kind, change.cause) for change in changes]


def test_before_anything_is_seen_everything_is_unknown() -> None:
    view = View(intent())
    assert view.presence("weu-nva1", WEB) is Presence.UNKNOWN
    assert {"weu-nva1", "weu-rs0", "ams-ce1", "ams-ce1-best"} <= view.unknown()


def test_a_table_that_is_loading_shows_what_came_and_knows_nothing_of_the_rest() -> None:
    view = View(intent())
    view.apply(SessionUp(START, NVA.session))
    view.apply(Announced(START + after(1), NVA, WEB, ROUTE))
    view.apply(TableComplete(START + after(1), NVA, Family.IPV4))
    view.tick(START + after(5.9))
    assert view.presence(NVA, WEB) is Presence.PRESENT
    assert view.presence(NVA, VDI) is Presence.UNKNOWN
    assert "weu-nva1" in view.unknown()
    view.tick(START + after(6))
    assert view.presence(NVA, VDI) is Presence.ABSENT
    assert "weu-nva1" not in view.unknown()


def test_a_full_re_dump_is_zero_events() -> None:
    network = Network()
    for router in ("gobgp", "ams-ce1", "nyc-ce1"):
        network.reconnect(router)
    network.wait(70)
    assert network.changes == []


def test_a_withdrawal_and_the_same_announcement_are_two_events() -> None:
    network = Network()
    network.withdraw(NVA, WEB)
    network.announce(NVA, WEB, ROUTE)
    assert kinds(network.changes) == [
        (ChangeKind.WITHDRAWN, Cause.UPDATE),
        (ChangeKind.ANNOUNCED, Cause.UPDATE),
    ]


def test_other_attributes_replace_and_equal_ones_do_nothing() -> None:
    network = Network()
    network.announce(NVA, WEB, ROUTE)
    network.announce(NVA, WEB, OTHER)
    (change,) = network.changes
    assert (change.kind, change.before, change.after) == (ChangeKind.REPLACED, ROUTE, OTHER)
    assert change.not_before is None


def test_a_lost_feed_makes_routes_unknown_and_is_no_event() -> None:
    network = Network()
    network.cut("gobgp")
    assert network.changes == []
    assert network.view.presence(NVA, WEB) is Presence.UNKNOWN
    assert network.view.presence(MSEE, WEB) is Presence.PRESENT
    assert {"weu-nva1", "weu-rs0", "ams-ce1-best"} <= network.view.unknown()
    assert "ams-ce1/172.16.0.1" not in network.view.unknown()


def test_what_went_during_a_gap_is_withdrawn_between_its_two_ends() -> None:
    network = Network()
    lost = network.now
    network.cut("gobgp")
    del network.table[NVA, WEB]
    network.wait(30)
    network.reconnect("gobgp")
    last = network.now
    assert network.view.presence(NVA, WEB) is Presence.UNKNOWN
    network.wait(10)
    (change,) = network.changes
    assert kinds([change]) == [(ChangeKind.WITHDRAWN, Cause.RESYNC)]
    assert change.not_before == lost
    assert change.at <= last + after(5)
    (missing,) = [f for f in network.findings() if f.kind == "missing"]
    assert (missing.not_before, missing.since) == (lost, change.at)


def test_what_came_or_changed_during_a_gap_bears_its_ends() -> None:
    network = Network()
    network.withdraw(NVA, VDI)
    network.changes.clear()
    lost = network.now
    network.cut("gobgp")
    network.table[NVA, WEB] = OTHER
    network.table[NVA, VDI] = nva_route("weu-nva1", VDI)
    network.reconnect("gobgp")
    network.wait(10)
    assert {(c.kind, c.cause, c.not_before, c.prefix) for c in network.changes} == {
        (ChangeKind.REPLACED, Cause.RESYNC, lost, WEB),
        (ChangeKind.ANNOUNCED, Cause.RESYNC, lost, VDI),
    }


def test_a_change_after_the_resynchronisation_is_an_update_again() -> None:
    network = Network()
    network.cut("gobgp")
    network.reconnect("gobgp")
    network.wait(10)
    network.withdraw(NVA, WEB)
    assert kinds(network.changes) == [(ChangeKind.WITHDRAWN, Cause.UPDATE)]


def test_a_second_cut_while_loading_keeps_the_first_end_of_sight_of_what_was_not_seen_again() -> None:
    network = Network()
    lost = network.now
    network.cut("gobgp")
    del network.table[NVA, WEB]
    network.wait(5)
    network.reconnect("gobgp")
    network.wait(1)
    network.cut("gobgp")
    network.wait(5)
    network.reconnect("gobgp")
    network.wait(10)
    (change,) = network.changes
    assert change.not_before == lost


def test_a_peer_that_its_router_reports_down_takes_its_routes_with_it() -> None:
    network = Network()
    network.down(NVA)
    assert set(kinds(network.changes)) == {(ChangeKind.WITHDRAWN, Cause.PEER_DOWN)}
    assert len(network.changes) == 3
    assert network.view.presence(NVA, WEB) is Presence.ABSENT
    assert "weu-nva1" not in network.view.unknown()


@pytest.mark.parametrize(
    ("reason", "detail"),
    [
        (DownReason.DECONFIGURED, ""),
        (DownReason.LOC_RIB_CLOSED, "global"),
        (DownReason.LOCAL_NOTIFICATION, "6/3 Cease: Peer De-configured"),
    ],
)
def test_when_only_monitoring_stops_routes_are_unknown(reason: DownReason, detail: str) -> None:
    network = Network()
    network.down(NVA, reason, detail)
    assert network.changes == []
    assert network.view.presence(NVA, WEB) is Presence.UNKNOWN
    network.up(NVA)
    network.wait(6)
    assert network.changes == []
    assert network.view.presence(NVA, WEB) is Presence.PRESENT


def test_a_hold_timer_that_runs_out_at_our_collector_is_the_peers_silence() -> None:
    network = Network()
    network.down(NVA, DownReason.LOCAL_NOTIFICATION, "4/0 Hold Timer Expired")
    assert network.view.presence(NVA, WEB) is Presence.ABSENT


def test_an_edge_routers_own_cease_takes_the_routes() -> None:
    network = Network()
    network.down(MSEE, DownReason.LOCAL_NOTIFICATION, "6/2 Cease: Administrative Shutdown")
    assert network.view.presence(MSEE, WEB) is Presence.ABSENT


def test_routes_after_a_session_came_back_are_new_and_what_did_not_come_is_known_to_be_absent() -> None:
    network = Network()
    network.down(NVA)
    network.changes.clear()
    del network.table[NVA, WEB]
    network.up(NVA)
    assert network.view.presence(NVA, WEB) is Presence.UNKNOWN
    network.wait(5)
    assert network.view.presence(NVA, WEB) is Presence.ABSENT
    assert set(kinds(network.changes)) == {(ChangeKind.ANNOUNCED, Cause.UPDATE)}


def test_a_duplicate_peer_up_merges() -> None:
    network = Network()
    local, remote = opens(NVA, hold=30)
    network.see(SessionUp(network.now, NVA.session, local, remote))
    assert network.changes == []
    assert network.view.presence(NVA, WEB) is Presence.PRESENT
    assert network.view.peerings[NVA.session].remote == remote


def test_a_peer_down_without_up_is_known_down() -> None:
    view = View(intent())
    view.apply(SessionDown(START, NVA.session, DownReason.REMOTE_CLOSED))
    assert view.presence("weu-nva1", WEB) is Presence.ABSENT


def test_a_stream_that_begins_in_the_middle_is_taken() -> None:
    view = View(intent())
    (change,) = view.apply(Announced(START, NVA, WEB, ROUTE))
    assert change.kind is ChangeKind.ANNOUNCED
    assert view.presence("weu-nva1", WEB) is Presence.PRESENT


def test_a_withdrawal_that_trails_behind_a_peer_down_revives_nothing() -> None:
    network = Network()
    network.down(NVA)
    network.see(Withdrawn(network.now, NVA, WEB), TableComplete(network.now, NVA, Family.IPV4))
    assert network.view.presence(NVA, WEB) is Presence.ABSENT
    assert "session-down" in {finding.kind for finding in network.findings()}


def test_a_session_of_the_intent_that_was_never_reported_counts_as_down_when_its_feed_has_settled() -> None:
    view = View(intent())
    view.apply(FeedOpened(START, "gobgp"))
    view.tick(START + after(59))
    assert view.presence("weu-nva1", WEB) is Presence.UNKNOWN
    view.tick(START + after(60))
    assert view.presence("weu-nva1", WEB) is Presence.ABSENT
    view.apply(SessionUp(START + after(61), NVA.session))
    assert view.presence("weu-nva1", WEB) is Presence.UNKNOWN


def test_a_session_that_did_not_come_back_after_a_gap_lost_its_routes_in_it() -> None:
    network = Network()
    lost = network.now
    network.cut("gobgp")
    network.table = {key: value for key, value in network.table.items() if key[0] != NVA}
    network.see(*(seen for seen in dump("gobgp", network.table, network.now) if _of(seen) != NVA.session))
    network.wait(61)
    assert {(c.cause, c.not_before) for c in network.changes} == {(Cause.RESYNC, lost)}
    assert len(network.changes) == 3
    assert "session-down|region=weu|nva=weu-nva1|vantage=weu-nva1" in network.wrong()


def _of(seen: Observation) -> Session | None:
    return getattr(seen, "session", None) or getattr(getattr(seen, "source", None), "session", None)


def test_a_session_that_nobody_speaks_of_is_accepted_under_its_own_text() -> None:
    network = Network()
    orphan = Source(Session("gobgp", ip_address("10.77.0.1")))
    network.announce(orphan, WEB, looks(64666, hop="10.77.0.1"))
    assert network.view.presence("gobgp/10.77.0.1/adj-in-pre", WEB) is Presence.PRESENT
    assert network.wrong() == {"unexpected-origin|service=web|prefix=10.250.0.10/32|detail=AS64666"}


def test_several_paths_of_one_prefix_are_one_presence() -> None:
    network = Network()
    network.see(Announced(network.now, NVA, WEB, OTHER, path_id=2))
    network.withdraw(NVA, WEB)
    assert network.view.presence(NVA, WEB) is Presence.PRESENT
    network.see(Withdrawn(network.now, NVA, WEB, path_id=2))
    assert network.view.presence(NVA, WEB) is Presence.ABSENT


def test_a_dump_of_unwatched_routes_keeps_a_table_loading() -> None:
    view = View(intent())
    view.apply(SessionUp(START, MSEE.session))
    for second in range(1, 80):
        view.busy(MSEE.session, START + after(second), 5000)
        view.tick(START + after(second))
    assert view.presence(MSEE, WEB) is Presence.UNKNOWN
    for second in range(80, 90):  # the everyday churn of a full table is not a dump
        view.busy(MSEE.session, START + after(second), 20)
        view.tick(START + after(second))
    assert view.presence(MSEE, WEB) is Presence.ABSENT


def test_statistics_count_what_is_not_watched_whole() -> None:
    network = Network()
    network.see(StatsReported(network.now, MSEE.session, ((7, 0, 0, 812_000),)))
    assert network.view.count("ams-ce1/172.16.0.1") == 812_000
    assert network.view.count("weu-nva1") == 3
    assert network.view.count("weu-rs0") == 4
    network.see(StatsReported(network.now, MSEE.session, ((9, 1, 1, 40), (9, 2, 1, 2))))
    assert network.view.count("ams-ce1/172.16.0.1") == 42


def test_times_say_since_when_a_route_is_there_or_gone() -> None:
    network = Network()
    seen = network.view.since(NVA, WEB)
    assert seen is not None
    assert seen.since < START + after(1)
    network.withdraw(NVA, WEB)
    gone = network.view.since(NVA, WEB)
    assert gone is not None
    assert (gone.since, gone.cause) == (network.now, Cause.UPDATE)
    network.cut("gobgp")
    assert network.view.since(NVA, WEB) is None


def test_the_best_path_is_what_the_site_chose() -> None:
    network = Network()
    best = network.view.best("ams-ce1-best", WEB)
    assert best is not None
    assert (best.region, best.attributes.local_pref) == ("weu", 200)


# After a restart.


def test_after_a_restart_everything_is_unknown_and_only_true_differences_follow() -> None:
    network = Network()
    plain = json.loads(json.dumps(snapshot(network.view)))
    stopped = network.now
    network.view = restore(network.intent, plain, stopped)
    assert network.view.presence(NVA, WEB) is Presence.UNKNOWN
    assert network.findings() == ()
    del network.table[NVA, WEB]
    network.wait(20)
    for router in ("gobgp", "ams-ce1", "nyc-ce1"):
        network.reconnect(router)
    network.wait(70)
    (change,) = network.changes
    assert (change.kind, change.cause, change.not_before) == (ChangeKind.WITHDRAWN, Cause.RESYNC, stopped)
    assert {finding.kind for finding in network.findings()} == {"missing", "ecmp-shrunk"}


def test_a_restart_is_as_if_every_feed_had_been_lost() -> None:
    network = Network()
    network.down(MSEE)
    network.withdraw(NVA, WEB)
    network.cut("nyc-ce1")
    network.wait(3)
    restored = restore(network.intent, snapshot(network.view), network.now)
    for router in ("gobgp", "ams-ce1"):
        network.see(FeedLost(network.now, router, LostReason.STOPPED, "Catchment stopped"))
    assert snapshot(restored) == snapshot(network.view)


def test_a_snapshot_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="has shape 0, this version reads 2"):
        restore(intent(), {"shape": 0}, START)


def test_a_snapshot_that_is_older_than_the_last_commit_is_restored_with_the_commits_routes() -> None:
    network = Network()
    old = snapshot(network.view)
    network.withdraw(NVA, WEB)
    network.changes.clear()
    present = [
        Announced(held.since, table.source, held.prefix, held.attributes, held.path_id)
        for table in network.view.tables.values()
        for held in table.routes.values()
    ]
    network.view = restore(network.intent, with_routes(old, present), network.now)
    network.table = {key: value for key, value in healthy().items() if key != (NVA, WEB)}
    network.now += after(1)
    for router in ("gobgp", "ams-ce1", "nyc-ce1"):
        network.see(*dump(router, network.table, network.now))
    network.wait(70)
    assert network.changes == []
    stale = restore(network.intent, old, network.now)
    assert stale.tables[NVA].routes.keys() >= {(WEB, 0)}, "without them, the withdrawal would be told again"


# A new intent.


NEW = ip_network("10.250.0.99/32")


def _with(*more: Service) -> Intent:
    return intent(services=(*services(), *more))


def test_a_reload_keeps_what_was_seen_and_a_newly_watched_prefix_is_unknown_until_it_is_filled() -> None:
    network = Network()
    network.intent = _with(Service("new", (NEW,), (placement("weu"), placement("eus"))))
    network.view.reconfigure(network.intent)
    assert network.view.presence(NVA, WEB) is Presence.PRESENT
    assert network.view.presence(NVA, NEW) is Presence.ABSENT  # watched whole, so it was known all the time
    assert network.view.presence(MSEE, NEW) is Presence.UNKNOWN
    heard = looks(12076, hop="172.16.0.1", marks=["12076:51002"])
    network.view.fill([Announced(START, MSEE, NEW, heard)])
    assert network.view.presence(MSEE, NEW) is Presence.PRESENT
    assert network.view.presence(msee_source("ams", "weu-msee2"), NEW) is Presence.ABSENT
    since = network.view.since(MSEE, NEW)
    assert since is not None
    assert since.since == START
    network.wait(1)
    assert network.changes == []


def test_a_prefix_that_is_watched_no_more_is_let_go_and_its_findings_with_it() -> None:
    network = Network()
    network.withdraw(NVA, VDI)
    assert network.wrong() != set()
    network.intent = intent(services=tuple(service for service in services() if service.name != "vdi"))
    network.view.reconfigure(network.intent)
    network.wait(1)
    assert network.wrong() == set()
    assert all(held.prefix != VDI for held in network.view.tables[MSEE].routes.values())


def test_a_session_that_a_new_intent_names_and_nobody_reports_is_down() -> None:
    network = Network()
    ours = network.intent.vantages
    vanished = ours[0].__class__("extra", "gobgp", ip_address("10.10.1.9"), ours[0].rung, region="weu")
    network.intent = intent(vantages=(*ours, vanished))
    network.view.reconfigure(network.intent)
    network.wait(1)
    assert network.wrong() == {"session-down|region=weu|vantage=extra"}
    network.intent = intent()
    network.view.reconfigure(network.intent)
    network.wait(1)
    assert network.wrong() == set()


def test_a_removed_router_and_a_stranger_age_out() -> None:
    meant = intent(thresholds=Thresholds(age_out=timedelta(hours=1)))
    network = Network(meant)
    fewer: tuple[Exporter, ...] = tuple(e for e in meant.exporters if e.name != "nyc-ce1")
    network.intent = intent(
        exporters=fewer,
        vantages=tuple(v for v in meant.vantages if v.exporter != "nyc-ce1"),
        thresholds=meant.thresholds,
    )
    network.view.reconfigure(network.intent)
    network.cut("nyc-ce1")
    network.wait(3599)
    assert "nyc-ce1" in network.view.feeds
    network.wait(2)
    assert "nyc-ce1" not in network.view.feeds
    assert all(session.router != "nyc-ce1" for session in network.view.sessions())
    assert network.changes == []
