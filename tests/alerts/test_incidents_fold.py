"""The fold alone: late causes, merging, siblings, places and times, with findings made by hand."""

import time
from dataclasses import replace
from datetime import timedelta

from alerts.incidents.fold import Incidents
from anycast.finding import Finding, Kind, Record, Severity, State, Step, Subject, Transition
from anycast.incident import Development, IncidentState, latest
from anycast.incident import Step as Became
from tests.alerts.samples import at
from tests.analyzers.network import intent

WEB = {"service": "web", "prefix": "10.250.0.10/32"}
DNS = {"service": "dns", "prefix": "10.250.0.53/32"}


def made(kind: Kind, since: float, **where: str) -> Finding:
    return Finding(kind, Subject(**where), Severity.MAJOR, at(since), f"{kind} {' '.join(where.values())}")


class Book:
    """A ledger's steps by hand."""

    def __init__(self) -> None:
        self.fold = Incidents(intent())
        self.records: dict[str, Record] = {}
        self.developments: list[Development] = []

    def open(self, second: float, **findings: Finding) -> tuple[Development, ...]:
        steps = []
        for name, finding in findings.items():
            record = Record(name, finding, State.OPEN, finding.since, at(second))
            self.records[name] = record
            steps.append(Transition(at(second), Step.OPENED, record))
        return self._take(steps)

    def clear(self, second: float, *names: str) -> tuple[Development, ...]:
        return self._take([self._cleared(second, name) for name in names])

    def change(self, second: float, name: str, severity: Severity) -> tuple[Development, ...]:
        record = self.records[name]
        self.records[name] = replace(record, finding=replace(record.finding, severity=severity))
        return self._take([Transition(at(second), Step.CHANGED, self.records[name])])

    def _cleared(self, second: float, name: str) -> Transition:
        self.records[name] = replace(self.records[name], state=State.CLEARED, cleared_at=at(second - 2))
        return Transition(at(second), Step.CLEARED, self.records[name])

    def _take(self, steps: list[Transition]) -> tuple[Development, ...]:
        found = self.fold.take(*steps)
        self.developments += found
        return found

    def sets(self) -> set[tuple[str, ...]]:
        return {tuple(sorted(m.record for m in incident.members)) for incident in latest(self.developments)}


def test_a_cause_that_shows_up_after_its_effects_takes_their_incident_over_and_says_so() -> None:
    book = Book()
    book.open(5, shrunk=made(Kind.ECMP_SHRUNK, 0, **WEB, region="weu"))
    found = book.open(12, down=made(Kind.SESSION_DOWN, 7, region="weu", nva="weu-nva1", vantage="weu-nva1"))
    assert [each.step for each in found] == [Became.REVISED, Became.JOINED]
    [incident] = latest(book.developments)
    assert incident.first_cause == "down"
    assert incident.since == at(0)
    assert incident.detection == timedelta(seconds=5)
    [revision] = incident.revisions
    assert (revision.at, revision.before, revision.after) == (at(12), "shrunk", "down")


def test_a_late_cause_of_two_incidents_makes_them_one_under_the_older_ones_id() -> None:
    book = Book()
    [first] = book.open(5, web=made(Kind.ECMP_SHRUNK, 0, **WEB, region="weu"))
    [second] = book.open(6, dns=made(Kind.ECMP_SHRUNK, 1, **DNS, region="weu"))
    found = book.open(12, down=made(Kind.SESSION_DOWN, 7, region="weu", nva="weu-nva1", vantage="weu-nva1"))
    assert [each.step for each in found] == [Became.MERGED, Became.REVISED, Became.JOINED]
    [incident] = latest(book.developments)
    assert incident.id == first.incident.id
    assert incident.absorbed == (second.incident.id,)
    assert incident.opened_at == at(5)
    assert book.sets() == {("dns", "down", "web")}


def test_another_region_another_nva_or_another_service_is_another_incident() -> None:
    book = Book()
    book.open(5, down=made(Kind.SESSION_DOWN, 0, region="weu", nva="weu-nva1", vantage="weu-nva1"))
    book.open(5.5, region=made(Kind.ECMP_SHRUNK, 0, **WEB, region="eus"))
    book.open(6, nva=made(Kind.MISSING, 0, **WEB, region="weu", nva="weu-nva2"))
    assert len(book.sets()) == 3
    book.open(7, service=made(Kind.MISSING, 1, **DNS, region="eus", nva="eus-nva1"))
    assert len(book.sets()) == 4


def test_what_begins_long_after_a_cause_is_not_explained_by_it_unless_it_only_lasts_as_long() -> None:
    book = Book()
    book.open(5, down=made(Kind.SESSION_DOWN, 0, region="weu", nva="weu-nva1", vantage="weu-nva1"))
    book.open(7205, region=made(Kind.MISSING, 7200, **WEB, region="weu"))
    book.open(
        7300, low=made(Kind.REDUNDANCY_LOW, 7290, **WEB), backup=made(Kind.BACKUP_ACTIVE, 9000, **WEB, site="ams")
    )
    assert book.sets() == {("down",), ("backup", "low", "region")}


def test_of_two_causes_the_one_that_began_nearest_explains() -> None:
    book = Book()
    book.open(5, one=made(Kind.SESSION_DOWN, 0, region="weu", nva="weu-nva1", vantage="weu-nva1"))
    book.open(65, two=made(Kind.SESSION_DOWN, 60, region="weu", nva="weu-nva2", vantage="weu-nva2"))
    book.open(66, gone=made(Kind.MISSING, 61, **WEB, region="weu"))
    assert book.sets() == {("one",), ("gone", "two")}


def test_what_is_over_before_the_cause_began_did_not_follow_from_it() -> None:
    book = Book()
    book.open(2, nva=made(Kind.MISSING, 0, **WEB, region="weu", nva="weu-nva1"))
    book.clear(10, "nva")
    book.open(105, down=made(Kind.SESSION_DOWN, 100, region="weu", nva="weu-nva1", vantage="weu-nva1"))
    assert book.sets() == {("nva",), ("down",)}


def test_one_change_at_one_region_is_one_incident_of_all_its_services_and_a_later_one_is_another() -> None:
    book = Book()
    book.open(2, web=made(Kind.MISSING, 0, **WEB, region="weu"))
    book.open(5, dns=made(Kind.MISSING, 3, **DNS, region="weu"))
    book.open(40, vdi=made(Kind.MISSING, 38, service="vdi", prefix="10.250.8.0/24", region="weu"))
    assert book.sets() == {("dns", "web"), ("vdi",)}


def test_a_feed_explains_the_sessions_that_it_shows_and_no_others() -> None:
    book = Book()
    book.open(5, feed=made(Kind.BLIND, 0, site="ams", exporter="ams-ce1"))
    book.open(6, mine=made(Kind.BLIND, 0, site="ams", vantage="ams-ce1/172.16.0.1"))
    book.open(7, other=made(Kind.BLIND, 0, region="weu", nva="weu-nva1", vantage="gobgp/weu-nva1"))
    assert book.sets() == {("feed", "mine"), ("other",)}


def test_a_router_that_another_lost_too_is_one_incident_and_one_that_told_of_its_session_before_is_two() -> None:
    book = Book()
    book.open(5, feed=made(Kind.BLIND, 0, site="ams", exporter="ams-ce1"))
    book.open(12, gone=made(Kind.SESSION_DOWN, 7, site="ams", vantage="gobgp/ams-ce1"))
    assert book.sets() == {("feed", "gone")}
    book = Book()
    book.open(5, circuit=made(Kind.SESSION_DOWN, 0, site="ams", vantage="ams-ce1/172.16.0.1"))
    book.open(12, feed=made(Kind.BLIND, 7, site="ams", exporter="ams-ce1"))
    assert book.sets() == {("circuit",), ("feed",)}


def test_a_limit_explains_the_session_that_it_tore_down_however_long_it_was_near() -> None:
    book = Book()
    where = {"region": "weu", "nva": "weu-nva1", "vantage": "weu-nva1"}
    book.open(10, near=made(Kind.PREFIX_LIMIT, 0, **where))
    book.open(3605, down=made(Kind.SESSION_DOWN, 3600, **where))
    assert book.sets() == {("down", "near")}


def test_the_worst_severity_stays_and_is_told_when_it_rises() -> None:
    book = Book()
    book.open(2, backup=replace(made(Kind.BACKUP_ACTIVE, 0, **WEB, site="ams"), severity=Severity.INFO))
    [rise] = book.change(9, "backup", Severity.MAJOR)
    assert (rise.step, rise.said) == (Became.WORSENED, "from info to major")
    assert book.change(12, "backup", Severity.INFO) == ()
    assert latest(book.developments)[0].severity is Severity.MAJOR


def test_an_incident_closes_with_its_last_member_and_says_how_long_it_took() -> None:
    book = Book()
    book.open(2, region=made(Kind.MISSING, 0, **WEB, region="weu"))
    book.open(5, low=made(Kind.REDUNDANCY_LOW, 0, **WEB))
    assert [each.step for each in book.clear(30, "region")] == [Became.RECOVERING]
    [end] = book.clear(31, "low")
    assert end.step is Became.CLOSED
    assert end.incident.state is IncidentState.CLOSED
    assert end.incident.closed_at == at(31)
    assert end.incident.ended_at == at(29)
    assert end.incident.outage == timedelta(seconds=29)


def test_what_is_not_opened_is_in_no_incident() -> None:
    fold = Incidents(intent())
    wrong = made(Kind.MISSING, 0, **WEB, region="weu")
    pending = Record("pending", wrong, State.PENDING, at(0))
    dropped = Record("pending", wrong, State.CLEARED, at(0), cleared_at=at(1))
    assert fold.take(Transition(at(0), Step.PENDING, pending)) == ()
    assert fold.take(Transition(at(1), Step.DROPPED, dropped)) == ()
    assert fold.take() == ()
    assert fold.incidents == ()


def test_incidents_are_forgotten_a_flap_window_after_their_end() -> None:
    book = Book()
    book.open(2, region=made(Kind.MISSING, 0, **WEB, region="weu"))
    book.clear(30, "region")
    book.open(300, other=made(Kind.UNEXPECTED_ORIGIN, 300, **WEB, detail="AS64666"))
    assert len(book.fold.incidents) == 2
    book.clear(335, "other")
    assert [incident.first_cause for incident in book.fold.incidents] == ["other"]


def test_a_region_of_five_hundred_services_is_one_incident_and_takes_no_time() -> None:
    book = Book()
    services = [{"service": f"s{n}", "prefix": f"10.250.{n // 256}.{n % 256}/32"} for n in range(500)]
    began = time.process_time()
    book.open(2, **{f"m{n}": made(Kind.MISSING, n / 1000, **of, region="weu") for n, of in enumerate(services)})
    book.open(2.1, **{f"b{n}": made(Kind.BACKUP_ACTIVE, 0, **of, site="ams") for n, of in enumerate(services)})
    book.open(5, **{f"r{n}": made(Kind.REDUNDANCY_LOW, 0, **of) for n, of in enumerate(services)})
    book.open(5.1, down=made(Kind.SESSION_DOWN, 0, region="weu", nva="weu-nva1", vantage="weu-nva1"))
    assert time.process_time() - began < 1
    [incident] = latest(book.developments)
    assert incident.first_cause == "down"
    assert len(incident.members) == 1501
