"""The fold from the ledger's transitions to incidents. Pure: times come from the transitions.

Theory of operation. An incident is a tree: each member but the first cause is explained by another one. A record that
opens is explained by the best link of the table to a record that is known; else by an earlier record of the same key,
when it comes again within the flap window; else it is the first cause of an incident of its own. A first cause that a
later record explains becomes a member under it: the first cause is revised, and where the later record explains the
first causes of several incidents, or belongs to another one, they are merged. Nothing but a first cause ever moves.

What opened at one time is taken together, so that its order does not matter: give `take` all of a judgement's steps.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from alerts.incidents.causes import Rule, When
from alerts.incidents.known import Known
from alerts.incidents.linking import Link, Placed, best
from anycast.finding import Record, Severity, Transition
from anycast.finding import Step as RecordStep
from anycast.incident import Development, Incident, IncidentState, Member, Revision, Step, worst
from anycast.intent import Intent


@dataclass(slots=True)
class _Node:
    """One record, and its place in a tree."""

    record: Record
    joined_at: datetime
    severity: Severity
    explained_by: str | None = None
    why: str = ""
    incident: str = ""


class Incidents:
    """Gathers what the ledger opens and clears into incidents."""

    def __init__(self, intent: Intent) -> None:
        self._nodes: dict[str, _Node] = {}
        self._known = Known()
        self._incidents: dict[str, Incident] = {}
        self.configure(intent)

    def configure(self, intent: Intent) -> None:
        """Take another intent from the next transition on; what belongs together stays together."""
        self._again = intent.thresholds.flap_window
        self._placed: Placed = {
            service.name: frozenset(placement.region for placement in service.placements) for service in intent.services
        }

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Incidents that are open, or were closed so lately that they may open again, in the order of their opening."""
        return tuple(sorted(self._incidents.values(), key=lambda incident: (incident.opened_at, incident.id)))

    def take(self, *transitions: Transition) -> tuple[Development, ...]:
        """Fold in what the ledger did at one time; return what became of incidents, in the order of their ids."""
        if not transitions:
            return ()
        at = transitions[0].at
        assert all(transition.at == at for transition in transitions), "transitions of several times"
        self._forget(at)
        before = dict(self._incidents)
        touched = {self._nodes[record.id].incident for record in self._updated(transitions)}
        opened = {step.record.id: step.record for step in transitions if step.step is RecordStep.OPENED}
        for record in sorted(opened.values(), key=lambda record: record.id):
            if record.id not in self._nodes:
                self._nodes[record.id] = _Node(record, at, record.finding.severity)
                self._known.put(record)
        fresh = [ident for ident in sorted(opened) if not self._nodes[ident].incident]
        revisions = self._explain(fresh)
        gathered = self._gather(fresh, revisions, before)
        developments: list[Development] = []
        for ident in sorted((touched & self._incidents.keys()) | gathered.keys()):
            records = gathered.get(ident) or [member.record for member in self._incidents[ident].members]
            developments += self._settle(ident, records, revisions, before, at)
        return tuple(developments)

    # What is known of records.

    def _updated(self, transitions: Iterable[Transition]) -> list[Record]:
        """Take what changed of records that are members already."""
        known = [step.record for step in transitions if step.record.id in self._nodes]
        for record in known:
            node = self._nodes[record.id]
            node.record = record
            self._known.put(record)
            node.severity = worst((node.severity, record.finding.severity))
        return known

    def _forget(self, at: datetime) -> None:
        """Incidents that have been closed for a flap window are done with."""
        for ident, incident in tuple(self._incidents.items()):
            if incident.closed_at is not None and at - incident.closed_at > self._again:
                del self._incidents[ident]
                for member in incident.members:
                    del self._nodes[member.record]
                    self._known.drop(member.record)

    # What explains what.

    def _explain(self, fresh: list[str]) -> dict[str, Rule]:
        """Give each new record what explains it, and each first cause what explains it now; returns the latter."""
        new = frozenset(fresh)
        for ident in fresh:
            record = self._nodes[ident].record
            link = best(self._known.causes(record, self._placed))
            if link is None and (before := self._known.again(record, self._again)) is not None:
                self._nodes[ident].explained_by, self._nodes[ident].why = before, "it came again"
            elif link := link or self._known.sibling(record, self._placed, new):
                self._attach(ident, link)
        return self._revised(fresh)

    def _revised(self, fresh: list[str]) -> dict[str, Rule]:
        """Put first causes under new records that explain them; returns them with the rules."""
        revised: dict[str, Rule] = {}
        causes = Known(self._nodes[ident].record for ident in fresh)
        for _, incident in sorted(self._incidents.items()) if fresh else ():
            link = best(causes.causes(self._nodes[incident.first_cause].record, self._placed))
            if link is None or self._root(link.cause) == incident.first_cause:
                continue
            if incident.closed_at is None or link.rule.when is When.MEETS:
                self._attach(incident.first_cause, link)
                revised[incident.first_cause] = link.rule
        return revised

    def _attach(self, ident: str, link: Link) -> None:
        self._nodes[ident].explained_by, self._nodes[ident].why = link.cause, link.rule.why

    # Which incident it is.

    def _root(self, ident: str) -> str:
        above = self._nodes[ident].explained_by
        while above is not None:
            ident, above = above, self._nodes[above].explained_by
        return ident

    def _gather(self, fresh: list[str], revised: dict[str, Rule], before: dict[str, Incident]) -> dict[str, list[str]]:
        """Put every record under the incident of its first cause; return these with their records."""
        roots = {self._root(ident) for ident in (*fresh, *revised)}
        concerned = {self._nodes[ident].incident for ident in (*roots, *revised)} - {""}
        members: dict[str, list[str]] = {root: [] for root in sorted(roots)}
        for ident in (*fresh, *(member.record for each in sorted(concerned) for member in before[each].members)):
            members[self._root(ident)].append(ident)
        gathered = {}
        for root, ours in members.items():
            old = sorted({self._nodes[ident].incident for ident in ours} - {""}, key=lambda i: (before[i].opened_at, i))
            kept = old[0] if old else sha256(f"incident|{root}".encode()).hexdigest()[:12]
            for ident in ours:
                self._nodes[ident].incident = kept
            gathered[kept] = ours
            for absorbed in old[1:]:
                del self._incidents[absorbed]
        return gathered

    # What became of it.

    def _settle(
        self,
        ident: str,
        records: list[str],
        revised: dict[str, Rule],
        before: dict[str, Incident],
        at: datetime,
    ) -> list[Development]:
        """Make an incident anew from its records, and tell what happened to it."""
        old, nodes = before.get(ident), [self._nodes[record] for record in records]
        others = {other for other in before if other not in self._incidents} - {ident}
        absorbed = [before[other] for other in sorted(others) if before[other].first_cause in set(records)]
        made = _made(ident, nodes, old, absorbed, at)
        if old is not None and made.first_cause != old.first_cause:
            revision = Revision(at, old.first_cause, made.first_cause, revised[old.first_cause].why)
            made = replace(made, revisions=(*made.revisions, revision))
        self._incidents[ident] = made
        return [Development(at, step, made, said) for step, said in _steps(old, made)]


def _made(ident: str, nodes: list[_Node], old: Incident | None, absorbed: list[Incident], at: datetime) -> Incident:
    nodes.sort(key=lambda node: (node.explained_by is not None, node.joined_at, node.record.finding.since, *_tie(node)))
    members = tuple(_member(node) for node in nodes)
    pasts = [*([old] if old is not None else []), *absorbed]
    state = _state(members)
    over = old is not None and old.state is IncidentState.CLOSED
    return Incident(
        ident,
        members[0].record,
        members,
        *_affected(nodes),
        worst(node.severity for node in nodes),
        min((past.opened_at for past in pasts), default=at),
        state,
        (old.closed_at if over and old is not None else at) if state is IncidentState.CLOSED else None,
        sum(past.reopened for past in pasts) + (over and state is not IncidentState.CLOSED),
        tuple(sorted((r for past in pasts for r in past.revisions), key=lambda r: (r.at, r.before))),
        tuple(sorted({i for past in pasts for i in past.absorbed} | {past.id for past in absorbed})),
    )


def _tie(node: _Node) -> tuple[str, str]:
    return node.record.finding.key, node.record.id


def _member(node: _Node) -> Member:
    record, finding = node.record, node.record.finding
    return Member(
        record.id,
        finding.kind,
        finding.subject,
        finding.key,
        finding.summary,
        node.severity,
        finding.since,
        record.opened_at or node.joined_at,
        node.joined_at,
        node.why,
        node.explained_by,
        finding.not_before,
        record.cleared_at,
    )


def _affected(nodes: Iterable[_Node]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Services, regions and sites of an incident's records."""
    subjects = [node.record.finding.subject for node in nodes]
    services = {subject.service for subject in subjects if subject.service}
    regions = {subject.region for subject in subjects if subject.region}
    sites = {subject.site for subject in subjects if subject.site}
    return tuple(sorted(services)), tuple(sorted(regions)), tuple(sorted(sites))


def _state(members: tuple[Member, ...]) -> IncidentState:
    if all(member.ended_at is not None for member in members):
        return IncidentState.CLOSED
    return IncidentState.OPEN if members[0].ended_at is None else IncidentState.RECOVERING


def _steps(old: Incident | None, made: Incident) -> list[tuple[Step, str]]:
    """What happened between two states of an incident, in words."""
    cause = made.cause
    if old is None:
        return [(Step.OPENED, f"{cause.summary}")]
    steps = []
    for ident in made.absorbed:
        if ident not in old.absorbed:
            steps.append((Step.MERGED, f"incident {ident} is this one"))
    if made.first_cause != old.first_cause:
        steps.append((Step.REVISED, f"not {old.cause.summary}, but {cause.summary}: {made.revisions[-1].why}"))
    if made.reopened > old.reopened and old.closed_at is not None:
        steps.append((Step.REOPENED, f"it came again: {cause.summary}"))
    known = {member.record for member in old.members}
    joined = [member.summary for member in made.members if member.record not in known]
    if joined:
        steps.append((Step.JOINED, "; ".join(joined)))
    if made.severity.rank > old.severity.rank:
        steps.append((Step.WORSENED, f"from {old.severity} to {made.severity}"))
    if made.state is not old.state:
        if made.state is IncidentState.CLOSED:
            steps.append((Step.CLOSED, "all of it is over"))
        elif made.state is IncidentState.RECOVERING:
            steps.append((Step.RECOVERING, f"over: {cause.summary}"))
    return steps
