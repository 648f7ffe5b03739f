"""What holds of incidents whatever the ledger does: nothing is lost, nothing is twice, and order does not matter."""

from collections.abc import Iterable
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from alerts.incidents.fold import Incidents
from alerts.ledger import Ledger
from anycast.finding import Finding, Kind, Severity, Step, Subject, Transition
from anycast.incident import Development, Incident, IncidentState, latest
from tests.alerts.samples import SEEN, at, held
from tests.alerts.test_ledger_properties import gate
from tests.analyzers.network import intent

PREFIXES = {"web": "10.250.0.10/32", "dns": "10.250.0.53/32"}
services = st.sampled_from(sorted(PREFIXES))
regions = st.sampled_from(("weu", "eus"))


def subject(kind: Kind, service: str, region: str, deep: bool) -> Subject:
    """A subject as the analyzers make it of these."""
    of = {"service": service, "prefix": PREFIXES[service]}
    nva = {"region": region, "nva": f"{region}-nva1"}
    match kind:
        case Kind.SESSION_DOWN:
            return Subject(**nva, vantage=f"{region}-nva1") if deep else Subject(site="ams", vantage="ams-ce1/1")
        case Kind.MISSING:
            return Subject(**of, **nva) if deep else Subject(**of, region=region)
        case Kind.ECMP_SHRUNK:
            return Subject(**of, region=region) if deep else Subject(**of, site="ams")
        case Kind.FLAPPING:
            return Subject(**of, region=region) if deep else Subject(**nva, vantage=f"{region}-nva1")
        case Kind.BACKUP_ACTIVE:
            return Subject(**of, site="ams")
        case Kind.UNEXPECTED_ORIGIN:
            return Subject(**of, detail="AS64666")
        case Kind.BLIND:
            return Subject(exporter="ams-ce1", site="ams") if deep else Subject(site="ams", vantage="ams-ce1/1")
        case _:
            return Subject(**of)


KINDS = (
    *(Kind.SESSION_DOWN, Kind.MISSING, Kind.ECMP_SHRUNK, Kind.FLAPPING, Kind.BACKUP_ACTIVE, Kind.BLIND),
    *(Kind.UNEXPECTED_ORIGIN, Kind.REDUNDANCY_LOW, Kind.MISSING_EVERYWHERE, Kind.CASCADE),
)


@dataclass(frozen=True)
class Moment:
    """A judgement some seconds after the one before: what is wrong then."""

    after: float
    wrong: frozenset[tuple[Kind, str, str, bool]]


moments = st.lists(
    st.builds(
        Moment,
        after=st.sampled_from((0.5, 1, 3, 10, 70, 400)),
        wrong=st.frozensets(st.tuples(st.sampled_from(KINDS), services, regions, st.booleans()), max_size=8),
    ),
    max_size=14,
)


def steps(history: list[Moment]) -> list[tuple[Transition, ...]]:
    """What a ledger does of a history that ends in health."""
    book, second, since = Ledger(lambda kind: held(0, 1)), 0.0, dict[str, float]()
    taken = []
    for moment in [*history, Moment(5, frozenset()), Moment(5, frozenset())]:
        second += moment.after
        findings = []
        for kind, service, region, deep in sorted(moment.wrong):
            about = subject(kind, service, region, deep)
            name = f"{kind} {about}"
            since[name] = since.get(name, second)
            findings.append(Finding(kind, about, Severity.MAJOR, at(since[name]), name))
        since = {name: began for name, began in since.items() if name in {finding.summary for finding in findings}}
        taken.append(book.judge(findings, SEEN, at(second)))
    return [step for step in taken if step]


def run(history: list[tuple[Transition, ...]]) -> list[Development]:
    fold = Incidents(intent())
    return [development for step in history for development in fold.take(*step)]


def records(incidents: Iterable[Incident]) -> list[str]:
    return sorted(member.record for incident in incidents for member in incident.members)


@gate
@given(moments)
def test_every_opened_record_is_in_exactly_one_incident(history: list[Moment]) -> None:
    taken = steps(history)
    opened = sorted(step.record.id for each in taken for step in each if step.step is Step.OPENED)
    assert records(latest(run(taken))) == opened


@gate
@given(moments, st.randoms(use_true_random=False))
def test_the_order_of_what_is_simultaneous_does_not_matter(history: list[Moment], chance: object) -> None:
    taken = steps(history)
    shuffled = [tuple(chance.sample(step, len(step))) for step in taken]  # type: ignore[attr-defined]
    assert run(shuffled) == run(taken)


@gate
@given(moments)
def test_when_all_is_well_every_incident_is_closed_with_its_duration(history: list[Moment]) -> None:
    for incident in latest(run(steps(history))):
        assert incident.state is IncidentState.CLOSED
        assert incident.outage is not None
        assert incident.ended_at is not None
        assert incident.since <= incident.ended_at
        assert incident.since <= incident.opened_at


@gate
@given(moments)
def test_each_member_but_the_first_cause_is_explained_by_another_and_all_of_them_by_it(history: list[Moment]) -> None:
    for development in run(steps(history)):
        incident = development.incident
        above = {member.record: member.explained_by for member in incident.members}
        assert [record for record, by in above.items() if by is None] == [incident.first_cause]
        for record in above:
            for _ in above:
                record = above[record] or record
            assert record == incident.first_cause


@gate
@given(moments)
def test_nothing_of_an_incident_is_taken_back(history: list[Moment]) -> None:
    before: dict[str, Incident] = {}
    for development in run(steps(history)):
        incident = development.incident
        past = before.get(incident.id)
        if past is not None:
            assert {member.record for member in past.members} <= {member.record for member in incident.members}
            assert past.severity.rank <= incident.severity.rank
            assert past.opened_at >= incident.opened_at
            assert past.revisions == incident.revisions[: len(past.revisions)] or incident.absorbed != past.absorbed
            assert len(incident.revisions) - len(past.revisions) == (incident.first_cause != past.first_cause) or (
                incident.absorbed != past.absorbed
            )
        before[incident.id] = incident


@gate
@given(moments)
def test_blindness_shares_no_incident_with_anything_that_was_seen_but_its_own_routers_session(
    history: list[Moment],
) -> None:
    for incident in latest(run(steps(history))):
        kinds = {member.kind for member in incident.members}
        if Kind.BLIND in kinds and len(kinds) > 1:
            assert incident.cause.kind is not Kind.BLIND


def test_the_histories_are_worth_looking_at() -> None:
    """They hold incidents of several members, merged ones, revised ones, and ones that come again."""
    seen: set[str] = set()

    @gate
    @given(moments)
    def look(history: list[Moment]) -> None:
        for incident in latest(run(steps(history))):
            seen.update(["several"] * (len(incident.members) > 2), ["merged"] * bool(incident.absorbed))
            seen.update(["revised"] * bool(incident.revisions), ["again"] * bool(incident.reopened))

    look()
    assert seen == {"several", "merged", "revised", "again"}
