"""What the daemon has, as points of the contract."""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from alerts.incidents.fold import Incidents
from analyzers.situation import situation
from anycast.catchment import AgentState, Fit, LegKind
from anycast.change import Cause, Change, ChangeKind, Presence
from anycast.finding import Finding, Kind, Record, Severity, State, Step, Subject, Transition
from anycast.incident import Development
from anycast.incident import Step as IncidentStep
from anycast.observation import Session, Source, StatsReported
from anycast.point import Point
from anycast.prefix import Prefix
from anycast.route import Attributes
from anycast.series import MEASUREMENTS, When
from anycast.sink import SinkState
from anycast.situation import FeedStatus, Situation
from pipeline.points.findings import finding_point, findings_points, incident_point, incidents_points
from pipeline.points.landings import agent_points, convergence_point, landing_points
from pipeline.points.own import Own, descriptors, own_point, resident
from pipeline.points.routes import MOST_ALIKE, change_points, statistic_points
from pipeline.points.situation import situation_points
from store.influx import line
from tests.analyzers.network import WEB, Network, intent, looks, msee_source, nva_source
from tests.analyzers.sinks import sink
from tests.dashboards.landing import agent, catchment, episode
from tests.pipeline.points.contract import Read, read

AT = 1_795_435_200_000_000_000
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FEEDS = (FeedStatus("gobgp", "127.0.0.1", True, NOW, messages=7, routes=5, malformed=1, unjudged=2),)


def lines(points: Iterable[Point]) -> list[Read]:
    """Points through line protocol and back, held against the contract."""
    return [read(line.line(point)) for point in points]


def seen(act: Callable[[Network], object] = lambda network: None) -> tuple[Network, Situation]:
    network = Network()
    act(network)
    return network, situation(network.view, network.intent, (), FEEDS, network.now)


def test_the_present_of_a_healthy_network() -> None:
    network, now = seen()
    found = lines(situation_points(now, network.intent, AT))
    assert {point.at for point in found} == {AT}
    web = next(point for point in found if point.measurement == "service" and point.tags["service"] == "web")
    assert web.fields == {"health": 0, "findings": 0, "severity": 0, "regions_present": 2, "regions_meant": 2}
    nva = next(p for p in found if p.measurement == "presence" and p.tags["vantage"] == "weu-nva1")
    assert (nva.tags["region"], nva.tags["site"], nva.tags["rung"]) == ("weu", "-", "V1")
    assert (nva.fields["present"], nva.fields["meant"], nva.fields["paths"]) == (1, 1, 1)
    assert nva.fields["as_path"] == "65010"
    best = [p for p in found if p.measurement == "presence" and p.tags["rung"] == "V6" and p.tags["site"] == "ams"]
    assert {p.fields["best_region"] for p in best} == {"weu"}
    session = next(p for p in found if p.measurement == "session" and p.tags["vantage"] == "weu-nva1")
    assert (session.tags["exporter"], session.tags["region"], session.fields["state"]) == ("gobgp", "weu", 2)
    assert session.fields["hold_time"] == 9
    heard = next(p for p in found if p.measurement == "session" and p.tags["rung"] == "V5")
    assert heard.tags["site"] in ("ams", "nyc")
    [feed] = [p for p in found if p.measurement == "feed" and p.tags["exporter"] == "gobgp"]
    assert feed.fields == {"connected": 1, "messages": 7, "routes": 5, "malformed": 1, "unjudged": 2}


def test_what_is_gone_is_absent_and_what_cannot_be_seen_is_unknown() -> None:
    network, now = seen(lambda network: network.withdraw(nva_source("weu-nva1"), WEB))
    gone = [p for p in lines(situation_points(now, network.intent, AT)) if p.tags.get("vantage") == "weu-nva1"]
    assert [p.fields["present"] for p in gone if p.measurement == "presence" and p.tags["service"] == "web"] == [0]
    network, now = seen(lambda network: network.cut("gobgp"))
    blind = [p for p in lines(situation_points(now, network.intent, AT)) if p.tags.get("vantage") == "weu-nva1"]
    assert {p.fields["present"] for p in blind if p.measurement == "presence"} == {-1}
    assert {p.fields["state"] for p in blind if p.measurement == "session"} == {-1}


def test_no_session_that_nobody_named_makes_a_series() -> None:
    network, now = seen()
    stranger = replace(now.sessions[0], vantage="gobgp/203.0.113.9", rung=None)
    points = situation_points(replace(now, sessions=(stranger,)), network.intent, AT)
    assert [point for point in points if point.measurement == "session"] == []


def whose(prefix: Prefix) -> tuple[str, str] | None:
    return next(((row[0].name, str(row[1])) for row in intent().services_of(prefix)), None)


def change(kind: ChangeKind, after: Attributes | None, source: Source | None = None, prefix: Prefix = WEB) -> Change:
    return Change(NOW, kind, Cause.UPDATE, source or nva_source("weu-nva1"), prefix, 0, None, after)


def test_a_change_has_its_path_and_a_prefix_that_no_router_made_up() -> None:
    route = looks(65010, 65010, 65010, hop="10.10.1.4", marks=("12076:51002", "no-export"), lp=200, med=5)
    inside = ip_network("10.250.8.128/25")
    announced, specific, withdrawn = lines(
        change_points(
            (
                change(ChangeKind.ANNOUNCED, route),
                change(ChangeKind.ANNOUNCED, route, prefix=inside),
                change(ChangeKind.WITHDRAWN, None),
            ),
            lambda one: f"{one.prefix} {one.kind}",
            whose,
            intent(),
        )
    )
    assert announced.tags == {
        "service": "web", "prefix": str(WEB), "rung": "V1", "region": "weu", "site": "-",
        "vantage": "weu-nva1", "action": "announced",
    }  # fmt: skip
    assert announced.fields == {
        "n": 1, "path_length": 3, "prepends": 2, "local_pref": 200, "med": 5, "as_path": "65010 65010 65010",
        "next_hop": "10.10.1.4", "communities": "12076:51002 no-export", "text": f"{WEB} announced",
    }  # fmt: skip
    assert (specific.tags["service"], specific.tags["prefix"]) == ("vdi", "10.250.8.0/24")
    assert specific.fields["text"] == f"{inside} announced"
    assert (withdrawn.fields["path_length"], withdrawn.fields["as_path"]) == (0, "")
    assert "local_pref" not in withdrawn.fields


def test_peers_of_a_router_that_stand_for_one_vantage_are_told_apart_as_the_view_does() -> None:
    [point] = change_points(
        (change(ChangeKind.WITHDRAWN, None, msee_source("ams", "weu-msee1")),), str, whose, intent()
    )
    assert point.tags[5] == "ams-ce1/172.16.0.1"


def test_a_table_that_goes_at_once_is_one_point_that_counts() -> None:
    many = [
        change(ChangeKind.WITHDRAWN, None, prefix=ip_network((0x0A640000 + (n << 8), 24)))
        for n in range(MOST_ALIKE + 1)
    ]
    [point] = change_points(many, lambda one: "gone", whose, intent())
    assert (point.tags[:2], point.fields["n"]) == (("-", "-"), MOST_ALIKE + 1)
    assert point.fields["text"] == f"{MOST_ALIKE + 1} routes alike: gone, and others"
    assert len(list(change_points(many[:-1], lambda one: "gone", whose, intent()))) == MOST_ALIKE


def test_statistics_have_their_names_and_those_of_strangers_are_left_out() -> None:
    session = nva_source("weu-nva1").session
    report = StatsReported(NOW, session, ((7, 0, 0, 5), (9, 1, 1, 4), (9, 2, 1, 1), (60000, 0, 0, 2)))
    found = lines(statistic_points(report, intent()))
    assert {p.tags["statistic"]: p.fields["value"] for p in found} == {
        "routes-in-adj-rib-in": 5, "routes-in-adj-rib-in-by-family:ipv4-unicast": 4,
        "routes-in-adj-rib-in-by-family:ipv6-unicast": 1, "type-60000": 2,
    }  # fmt: skip
    assert {p.tags["vantage"] for p in found} == {"weu-nva1"}
    stranger = StatsReported(NOW, Session("nobody", session.peer), ((7, 0, 0, 5),))
    assert list(statistic_points(stranger, intent())) == []


def test_where_a_site_lands() -> None:
    found = lines(landing_points((catchment(),), AT))
    landing, weu, eus, *legs = found
    assert (landing.measurement, landing.fields["fit"], landing.fields["observed"]) == ("landing", 0, "weu")
    assert landing.fields["loss"] == 0.0017
    assert (weu.tags["region"], weu.fields) == (
        "weu", {"value": 1, "low": 0.994, "high": 1, "samples": 600, "meant": 1, "by_bgp": 1},
    )  # fmt: skip
    assert eus.fields["value"] == 0
    assert [(leg.tags["kind"], leg.tags["leg"]) for leg in legs] == [
        ("nva", "weu-nva1"), ("nva", "weu-nva2"), ("circuit", "172.16.0.1"),
    ]  # fmt: skip
    assert legs[0].fields == {"loss": 0, "latency": 0.0104, "flows": 17}
    assert "latency" not in legs[2].fields


def test_what_an_agent_said_before_it_was_lost_is_not_shown_as_now() -> None:
    landing, weu, _eus = lines(landing_points((catchment(agent=AgentState.LOST),), AT))
    assert landing.fields["fit"] == -2
    assert "loss" not in landing.fields
    assert "value" not in weu.fields
    assert weu.fields["meant"] == 1


def test_legs_with_names_that_were_made_up_make_no_series() -> None:
    legs = tuple(replace(catchment().legs[0], kind=LegKind.CIRCUIT, name=name) for name in ("evil name", "ok-1"))
    found = lines(landing_points((catchment(legs=legs),), AT))
    assert [point.tags["leg"] for point in found if point.measurement == "leg"] == ["ok-1"]


def test_every_fit_and_every_state_of_an_agent_has_its_code() -> None:
    from pipeline.points.landings import AGENT, FIT

    assert set(FIT) == set(Fit)
    assert set(AGENT) == set(AgentState)
    assert {str(state): code for state, code in AGENT.items()} == {
        word: code for code, word in MEASUREMENTS["agent"].fields["state"].codes
    }


def test_agents_of_sites_and_none_of_nvas() -> None:
    agents = (agent(), agent("lost", state=AgentState.LOST), agent("weu-nva1", nva=True))
    well, lost = lines(agent_points(agents, {"ams": 12}, AT))
    assert well.fields == {
        "state": 2, "tainted": 0, "lag": 0.0012, "skew": 0.0034, "results": 12, "dropped": 0,
    }  # fmt: skip
    assert lost.fields == {"state": 0, "results": 0, "dropped": 0}


def test_how_a_site_came_to_rest() -> None:
    [point] = lines([convergence_point(episode(), timedelta(seconds=20))])
    ended = episode().ended
    assert ended is not None
    assert point.at == int(ended.timestamp() * 1000) * 1_000_000
    assert point.tags == {"site": "ams", "service": "web", "region": "weu"}
    assert point.fields == {
        "control_plane": 0.31, "outage": 0.42, "remap": 1.4, "objective": 20, "lost": 27, "steps": 2,
        "first": "withdrawn at weu-nva1 (V1)",
    }  # fmt: skip


def record(state: State = State.OPEN, **more: object) -> Record:
    subject = Subject("web", str(WEB), "weu")
    finding = Finding(Kind.MISSING, subject, Severity.MAJOR, NOW - timedelta(seconds=3), "web is missing in weu")
    return replace(Record("id1", finding, state, NOW, NOW), **more)  # type: ignore[arg-type]


def test_steps_of_a_finding() -> None:
    opened, cleared = lines(
        [
            finding_point(Transition(NOW, Step.OPENED, record())),
            finding_point(Transition(NOW + timedelta(minutes=1), Step.CLEARED, record(State.CLEARED, cleared_at=NOW))),
        ]
    )
    assert opened.tags == {
        "kind": "missing", "severity": "major", "service": "web", "region": "weu", "site": "-", "step": "opened",
    }  # fmt: skip
    assert opened.fields == {"n": 1, "id": "id1", "summary": "web is missing in weu"}
    assert cleared.fields["duration"] == 3


def test_every_kind_and_severity_has_a_count_and_most_are_none() -> None:
    found = lines(findings_points([record(), record(id="id2"), record(State.PENDING)], AT))
    assert len(found) == len(Kind) * len(Severity)
    assert [(p.tags["kind"], p.fields["open"]) for p in found if p.fields["open"]] == [("missing", 2)]


def test_an_incident_from_its_opening_to_its_end() -> None:
    incidents = Incidents(intent())
    told: list[Development] = [*incidents.take(Transition(NOW, Step.OPENED, record()))]
    [one] = [p for p in lines(incidents_points(incidents.incidents, AT)) if p.fields["open"]]
    assert one.tags == {"cause": "missing", "severity": "major"}
    later = NOW + timedelta(seconds=40)
    told += incidents.take(Transition(later, Step.CLEARED, record(State.CLEARED, cleared_at=later)))
    assert [p for p in lines(incidents_points(incidents.incidents, AT)) if p.fields["open"]] == []
    opened, *_, closed = lines(map(incident_point, told))
    assert (opened.tags["step"], opened.tags["region"]) == (IncidentStep.OPENED, "weu")
    assert (opened.fields["members"], opened.fields["detection"]) == (1, 3)
    assert (closed.tags["step"], closed.fields["outage"]) == (IncidentStep.CLOSED, 43)


def test_our_own_health() -> None:
    own = Own(0.01, 0.002, None, 5, None, 1, 0, 2, 3, 60.5)
    sinks = (sink(SinkState.WAITING, behind=7.5, quarantined=2), sink(unfit=1, forgotten=4))
    [point] = lines([own_point(own, sinks, resident(), descriptors(), AT)])
    assert point.fields["memory"] > 1_000_000  # type: ignore[operator]
    assert point.fields["descriptors"] > 3  # type: ignore[operator]
    assert "commit" not in point.fields
    named = ("sink_behind", "sink_quarantined", "sink_unfit", "sink_forgotten", "sink_failing", "overflowed")
    assert [point.fields[name] for name in named] == [7.5, 2, 1, 4, 1, 3]


@pytest.mark.parametrize("name", sorted(MEASUREMENTS))
def test_every_field_of_the_contract_is_made_somewhere(name: str) -> None:
    network, now = seen()
    opened = Transition(NOW, Step.OPENED, record())
    closed = Transition(NOW, Step.CLEARED, record(State.CLEARED, cleared_at=NOW))
    incidents = Incidents(network.intent)
    told = [*incidents.take(opened), *incidents.take(closed)]
    from anycast.probe import AgentReported
    from pipeline.points.probes import ProbeWindows
    from tests.pipeline.points.test_probes import result

    windows = ProbeWindows(10_000_000_000)
    windows.take(AgentReported(NOW, "ams", "r", 1, (result(1),)), network.intent)
    route = looks(65010, hop="10.10.1.4", lp=1, med=1)
    made = [
        *situation_points(now, network.intent, AT),
        *change_points((change(ChangeKind.ANNOUNCED, route),), str, whose, network.intent),
        *statistic_points(StatsReported(NOW, nva_source("weu-nva1").session, ((7, 0, 0, 5),)), network.intent),
        *windows.over(0, all_of_them=True),
        *landing_points((catchment(),), AT),
        *agent_points((agent(),), {}, AT),
        convergence_point(episode(detection=0.2), timedelta(seconds=1)),
        *map(finding_point, (opened, closed)),
        *findings_points((), AT),
        *map(incident_point, told),
        *incidents_points((), AT),
        own_point(Own(0.0, 0.0, 0.0, 0, 0, 0, 0, 0, 0, 0.0), (), 1, 1, AT),
    ]
    of_it = [point for point in made if point.measurement == name]
    assert {field for point in lines(of_it) for field in point.fields} == set(MEASUREMENTS[name].fields)
    assert MEASUREMENTS[name].when is not When.SAMPLED or {point.at for point in of_it} == {AT}


def test_presence_and_its_codes_are_those_of_the_contract() -> None:
    from pipeline.points.situation import HEALTH, PRESENCE, SESSION

    assert {str(word): code for word, code in PRESENCE.items()} == _codes("presence", "present")
    assert {str(word): code for word, code in HEALTH.items()} == _codes("service", "health")
    assert _codes("session", "state") == SESSION
    assert set(PRESENCE) == set(Presence)
    assert len(fields(Own)) == 10


def _codes(measurement: str, field: str) -> dict[str, int]:
    return {word: code for code, word in MEASUREMENTS[measurement].fields[field].codes}
