"""One fault, one incident: each fault of the lab by what its findings are, two at once, and how they end."""

from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network

import pytest

from anycast.finding import Kind, Severity
from anycast.incident import IncidentState, Step
from anycast.observation import DownReason, SessionUp
from anycast.prefix import Prefix
from tests.alerts.acting import Acting, brief
from tests.analyzers.network import (
    DNS,
    VDI,
    WEB,
    Network,
    best_route,
    best_source,
    looks,
    msee_source,
    nva_route,
    nva_source,
    rs_route,
    rs_source,
    vpn_route,
    vpn_source,
)
from tests.analyzers.scenarios.test_verbs import rogue

ALL = (WEB, DNS, VDI)


def region_lost(network: Network, name: str, *prefixes: Prefix) -> None:
    other = "eus" if name == "weu" else "weu"
    for prefix in prefixes:
        network.withdraw_region(name, prefix)
        for site in ("ams", "nyc"):
            network.announce(best_source(site), prefix, best_route(site, other))


def nva_withdraws(network: Network) -> None:
    network.withdraw(nva_source("weu-nva1"), WEB)


def region_withdraws(network: Network) -> None:
    region_lost(network, "weu", WEB)


def application_dies(network: Network) -> None:
    region_lost(network, "eus", *ALL)


def nva_dies(network: Network) -> None:
    network.down(nva_source("weu-nva1"))


def both_nvas_die(network: Network) -> None:
    network.down(nva_source("weu-nva1"))
    network.down(nva_source("weu-nva2"))
    region_lost(network, "weu", *ALL)


def msee_session_dies(network: Network) -> None:
    network.down(msee_source("ams", "weu-msee1"))


def hijack(network: Network) -> None:
    network.see(SessionUp(network.now, rogue().session))
    network.announce(rogue(), WEB, looks(64666, hop="172.31.0.8"))
    network.announce(best_source("nyc"), WEB, looks(64666, hop="172.31.0.8", lp=100))


def more_specific(network: Network) -> None:
    network.see(SessionUp(network.now, rogue().session))
    network.announce(rogue(), ip_network("10.250.8.0/25"), looks(64666, hop="172.31.0.8"))


def prepend_dropped(network: Network) -> None:
    for n in (1, 2):
        network.announce(nva_source(f"eus-nva{n}"), DNS, nva_route(f"eus-nva{n}", DNS, prepend=0))
        network.announce(rs_source(f"eus-rs{n - 1}"), DNS, rs_route(f"eus-rs{n - 1}", DNS, prepend=0))
    network.announce(vpn_source("eus"), DNS, vpn_route("eus", prepend=0))
    network.announce(best_source("nyc"), DNS, looks(65515, 65020, hop="172.18.1.1", lp=300))


def prepend_dropped_by_one(network: Network) -> None:
    network.announce(nva_source("eus-nva1"), DNS, nva_route("eus-nva1", DNS, prepend=0))
    for n in (0, 1):
        network.announce(rs_source(f"eus-rs{n}"), DNS, rs_route(f"eus-rs{n}", DNS, prepend=0))


def local_pref_changes(network: Network) -> None:
    for prefix in ALL:
        network.announce(best_source("ams"), prefix, best_route("ams", "weu", lp=150))


def local_pref_moves_the_best_path(network: Network) -> None:
    network.announce(best_source("ams"), WEB, best_route("ams", "eus", lp=300))


def feed_cut(network: Network) -> None:
    network.cut("ams-ce1")


Fault = Callable[[Network], None]
FAULTS: dict[Fault, tuple[str, set[str]]] = {
    nva_withdraws: ("missing web weu weu-nva1", {"ecmp-shrunk web weu"}),
    region_withdraws: (
        "missing web weu",
        {"redundancy-low web", "backup-active web ams", "ecmp-shrunk web nyc"},
    ),
    application_dies: (
        "missing dns eus",
        {
            *("missing vdi eus", "missing web eus"),
            *(f"redundancy-low {service}" for service in ("web", "dns", "vdi")),
            *(f"ecmp-shrunk {service} nyc" for service in ("web", "vdi")),
        },
    ),
    nva_dies: (
        "session-down weu weu-nva1 weu-nva1",
        {f"ecmp-shrunk {service} weu" for service in ("web", "dns", "vdi")},
    ),
    msee_session_dies: ("session-down ams ams-ce1/172.16.0.1", set()),
    hijack: ("unexpected-origin web AS64666", set()),
    more_specific: ("more-specific vdi 10.250.8.0/25", set()),
    prepend_dropped: ("prepend-lost dns eus", {"backup-active dns nyc"}),
    prepend_dropped_by_one: ("prepend-lost dns eus", {"ecmp-shrunk dns eus"}),
    local_pref_changes: (
        "attribute-drift dns weu ams LOCAL_PREF",
        {f"attribute-drift {service} weu ams LOCAL_PREF" for service in ("vdi", "web")},
    ),
    local_pref_moves_the_best_path: ("attribute-drift web eus ams LOCAL_PREF", {"backup-active web ams"}),
    feed_cut: ("blind ams ams-ce1", set()),
}
"""The first cause, and what follows from it."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_one_fault_is_one_incident_with_its_cause_first_and_ends_with_its_duration(fault: Fault) -> None:
    cause, effects = FAULTS[fault]
    acting = Acting()
    fault(acting.network)
    began = acting.network.now
    acting.wait(20)
    [incident] = acting.incidents
    assert brief(incident) == (cause, {cause, *effects})
    assert incident.state is IncidentState.OPEN
    assert incident.outage is None
    assert {member.record for member in incident.members} == set(acting.opened)
    assert all(member.why and member.explained_by for member in incident.members[1:])
    heal(acting, fault)
    acting.wait(20)
    [closed] = acting.incidents
    assert closed.id == incident.id
    assert closed.state is IncidentState.CLOSED
    assert closed.since == began
    assert closed.outage is not None
    assert timedelta(seconds=20) <= closed.outage <= timedelta(seconds=26)
    assert closed.detection <= timedelta(seconds=5.5)
    steps = [each.step for each in acting.developments]
    assert (steps.count(Step.OPENED), steps.count(Step.CLOSED)) == (1, 1)
    assert Step.REOPENED not in steps


def heal(acting: Acting, fault: Fault) -> None:
    network = acting.network
    if fault is feed_cut:
        network.reconnect("ams-ce1")
    for source in (nva_source("weu-nva1"), nva_source("weu-nva2"), msee_source("ams", "weu-msee1")):
        if fault in (nva_dies, both_nvas_die, msee_session_dies):
            network.up(source)
    network.heal()


def test_a_region_whose_nvas_die_together_is_one_incident_of_the_first_of_their_sessions() -> None:
    acting = Acting()
    both_nvas_die(acting.network)
    acting.wait(20)
    [incident] = acting.incidents
    cause, members = brief(incident)
    assert cause == "session-down weu weu-nva1 weu-nva1"
    assert {"missing web weu", "missing dns weu", "missing vdi weu", "session-down weu weu-nva2 weu-nva2"} <= members
    assert incident.services == ("dns", "vdi", "web")
    assert incident.regions == ("weu",)
    assert incident.sites == ("ams", "nyc")


PAIRS = (
    (nva_withdraws, prepend_dropped),
    (nva_dies, application_dies),
    (region_withdraws, prepend_dropped_by_one),
    (hijack, region_withdraws),
    (application_dies, feed_cut),
    (hijack, more_specific),
)


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda fault: fault.__name__)
def test_two_faults_at_once_are_two_incidents_each_with_its_own_cause(one: Fault, other: Fault) -> None:
    acting = Acting()
    one(acting.network)
    other(acting.network)
    acting.wait(20)
    assert {brief(incident)[0] for incident in acting.incidents} == {FAULTS[one][0], FAULTS[other][0]}
    members = [member.record for incident in acting.incidents for member in incident.members]
    assert sorted(members) == sorted(acting.opened)


def test_blindness_beside_a_real_withdrawal_does_not_absorb_it() -> None:
    acting = Acting()
    region_withdraws(acting.network)
    feed_cut(acting.network)
    acting.wait(20)
    causes = {brief(incident)[0]: incident for incident in acting.incidents}
    assert causes.keys() == {"blind ams ams-ce1", "missing web weu"}
    assert len(causes["blind ams ams-ce1"].members) == 1


def test_the_second_region_makes_it_an_outage_of_the_service_and_not_a_recovery_of_the_first() -> None:
    acting = Acting()
    region_withdraws(acting.network)
    acting.wait(600)
    [before] = acting.incidents
    assert before.severity is Severity.MAJOR
    network = acting.network
    network.withdraw_region("eus", WEB)
    for site in ("ams", "nyc"):
        network.withdraw(best_source(site), WEB)
    acting.wait(20)
    [incident] = acting.incidents
    assert incident.id == before.id
    assert incident.cause.kind is Kind.MISSING_EVERYWHERE
    assert incident.severity is Severity.CRITICAL
    assert incident.state is IncidentState.OPEN
    [revision] = incident.revisions
    assert (revision.before, revision.after) == (before.first_cause, incident.first_cause)
    assert revision.why == "no region advertises the service"
    assert Step.CLOSED not in {each.step for each in acting.developments}
    said = next(each.said for each in acting.developments if each.step is Step.REVISED)
    assert said.startswith("not web 10.250.0.10/32: weu (active) does not advertise it, but web")


def test_when_the_last_nva_of_a_region_follows_the_first_the_region_takes_the_incident_over() -> None:
    acting = Acting()
    acting.network.withdraw(nva_source("weu-nva1"), WEB)
    acting.wait(600)
    region_withdraws(acting.network)
    acting.wait(20)
    [incident] = acting.incidents
    assert brief(incident)[0] == "missing web weu"
    assert incident.state is IncidentState.OPEN
    assert [revision.why for revision in incident.revisions] == ["the whole region lost it, or had lost it"]


def test_a_cause_over_before_its_effects_is_recovering() -> None:
    acting = Acting()
    region_withdraws(acting.network)
    acting.wait(20)
    network = acting.network
    table = dict(network.table)
    network.heal()
    network.announce(best_source("ams"), WEB, table[best_source("ams"), WEB])
    acting.wait(5)
    [incident] = acting.incidents
    assert incident.state is IncidentState.RECOVERING
    network.heal()
    acting.wait(5)
    assert acting.incidents[0].state is IncidentState.CLOSED


def test_what_comes_again_soon_is_the_same_incident_and_counts_its_flaps() -> None:
    acting = Acting()
    for _ in range(2):
        nva_withdraws(acting.network)
        acting.wait(10)
        acting.network.heal()
        acting.wait(60)
    [incident] = acting.incidents
    assert (incident.reopened, incident.flaps) == (1, 1)
    assert incident.state is IncidentState.CLOSED
    steps = [each.step for each in acting.developments]
    assert (steps.count(Step.OPENED), steps.count(Step.REOPENED), steps.count(Step.CLOSED)) == (1, 1, 2)


def test_what_comes_again_after_the_flap_window_is_another_incident() -> None:
    acting = Acting()
    for _ in range(2):
        nva_withdraws(acting.network)
        acting.wait(10)
        acting.network.heal()
        acting.wait(320, grain=5)
    assert len(acting.incidents) == 2


def test_flapping_is_one_incident_and_becomes_its_first_cause() -> None:
    acting = Acting()
    for _ in range(4):
        nva_withdraws(acting.network)
        acting.wait(10)
        acting.network.heal()
        acting.wait(30)
    [incident] = acting.incidents
    assert brief(incident)[0] == "flapping web weu"
    assert [revision.why for revision in incident.revisions] == ["it is withdrawn and advertised again and again"]
    assert incident.flaps >= 2
    acting.wait(500, grain=5)
    assert [each.state for each in acting.incidents] == [IncidentState.CLOSED]


def test_the_same_history_gives_the_same_incidents_with_the_same_ids() -> None:
    def run() -> Acting:
        acting = Acting()
        region_withdraws(acting.network)
        acting.wait(10)
        hijack(acting.network)
        acting.wait(10)
        return acting

    assert run().developments == run().developments


def test_ten_faults_in_ten_seconds_are_ten_incidents() -> None:
    acting = Acting()
    network = acting.network

    def nowhere(nva: str, prefix: Prefix) -> None:
        network.announce(nva_source(nva), prefix, looks(65010, hop="10.10.1.99"))

    storm: dict[str, Callable[[], None]] = {
        "missing web weu weu-nva1": lambda: nva_withdraws(network),
        "prepend-lost dns eus": lambda: prepend_dropped_by_one(network),
        "unexpected-origin web AS64666": lambda: hijack(network),
        "more-specific vdi 10.250.8.0/25": lambda: more_specific(network),
        "session-down ams ams-ce1/172.16.0.1": lambda: msee_session_dies(network),
        "missing dns weu weu-nva2": lambda: network.withdraw(nva_source("weu-nva2"), DNS),
        "attribute-drift vdi weu ams LOCAL_PREF": lambda: network.announce(
            best_source("ams"), VDI, best_route("ams", "weu", lp=150)
        ),
        "missing vdi eus eus-nva2": lambda: network.withdraw(nva_source("eus-nva2"), VDI),
        "unexpected-next-hop dns weu 10.10.1.99": lambda: nowhere("weu-nva1", DNS),
        "blind ams ams-ce1": lambda: feed_cut(network),
    }
    for fault in storm.values():
        fault()
        acting.wait(1)
    acting.wait(20)
    assert sorted(brief(incident)[0] for incident in acting.incidents) == sorted(storm)
    joined = [member.record for incident in acting.incidents for member in incident.members]
    assert sorted(joined) == sorted(acting.opened)


def test_a_restart_of_the_collectors_gobgp_is_one_incident_of_blindness_that_ends_with_it() -> None:
    acting = Acting()
    network = acting.network
    for source in sorted({source for source, _ in network.table if source.session.router == "gobgp"}, key=str):
        network.down(source, DownReason.LOCAL_NOTIFICATION, "6/3 Cease: Peer De-configured")
    acting.wait(1)
    network.cut("gobgp")
    acting.wait(10)
    network.reconnect("gobgp")
    acting.wait(20)
    [incident] = acting.incidents
    assert brief(incident)[0] == "blind gobgp"
    assert {member.kind for member in incident.members} == {Kind.BLIND}
    assert incident.state is IncidentState.CLOSED
