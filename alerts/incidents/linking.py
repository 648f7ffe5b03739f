"""Whether one record explains another, by the table, by place and by time; and which one explains it best."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.incidents.causes import RULES, SOON, Rule, Seen, When
from anycast.finding import Finding, Record
from anycast.incident import place

_BY_EFFECT: Final[Mapping[tuple[bool, Seen], tuple[tuple[int, Rule], ...]]] = {
    (sibling, effect): tuple(
        (number, rule) for number, rule in enumerate(RULES) if rule.sibling is sibling and effect in rule.effects
    )
    for sibling in (False, True)
    for effect in {effect for rule in RULES for effect in rule.effects}
}

Placed = Mapping[str, frozenset[str]]
"""The regions that each service is meant for."""


@dataclass(frozen=True, slots=True)
class Link:
    """One record explains another."""

    cause: str
    rule: Rule
    apart: timedelta
    """How far apart they began."""
    number: int
    """The rule's place in the table."""

    @property
    def rank(self) -> tuple[timedelta, int, str]:
        """The least is the best: what began nearest, then what stands first in the table."""
        return self.apart, self.number, self.cause


def best(links: Iterable[Link]) -> Link | None:
    """Return the best of some links to one record; None where there is none."""
    return min(links, key=lambda link: link.rank, default=None)


def rules_for(effect: Record, sibling: bool) -> tuple[tuple[int, Rule], ...]:
    """Return the rules that can explain a record, with their places in the table."""
    return _BY_EFFECT.get((sibling, seen(effect)), ())


def seen(record: Record) -> Seen:
    """Return the kind and the place of a record, by which the table knows it."""
    return record.finding.kind, place(record.finding)


def linked(number: int, rule: Rule, cause: Record, effect: Record, placed: Placed) -> Link | None:
    """Return the link by which a rule lets a record of its cause's kind explain another; None where it does not."""
    if cause.id == effect.id or not _at_one_place(rule, cause.finding, effect.finding, placed):
        return None
    if not _in_time(rule, cause, effect):
        return None
    return Link(cause.id, rule, apart(cause.finding, effect.finding), number)


def order(record: Record) -> tuple[datetime, str, str]:
    """Of records of one kind, the least stands for all."""
    return record.finding.since, record.finding.key, record.id


def apart(one: Finding, other: Finding) -> timedelta:
    """How far apart two conditions began; where a gap of our sight hid a beginning, as near as it may have been."""
    first, second = sorted((_beginning(one), _beginning(other)))
    return max(timedelta(), second[0] - first[1])


def _beginning(finding: Finding) -> tuple[datetime, datetime]:
    return min(finding.not_before or finding.since, finding.since), finding.since


def _at_one_place(rule: Rule, cause: Finding, effect: Finding, placed: Placed) -> bool:
    return all(_agree(part, cause, effect, placed) for part in rule.same)


def _agree(part: str, cause: Finding, effect: Finding, placed: Placed) -> bool:
    if part == "region":
        return not _regions(cause, placed).isdisjoint(_regions(effect, placed))
    if part == "exporter":
        return _shows(cause, effect)
    if part == "seen elsewhere":
        return not _shows(effect, cause)
    mine = getattr(cause.subject, part)
    return mine is not None and mine == getattr(effect.subject, part)


def _shows(feed: Finding, session: Finding) -> bool:
    """Whether the session of one finding is behind the feed of another."""
    exporter, vantage = feed.subject.exporter, session.subject.vantage
    return exporter is not None and vantage is not None and (vantage in feed.rests_on or _under(exporter, vantage))


def _under(exporter: str, vantage: str) -> bool:
    """Whether a vantage's name begins with its exporter's."""
    return vantage == exporter or vantage.startswith(f"{exporter}/")


def _regions(finding: Finding, placed: Placed) -> frozenset[str]:
    subject = finding.subject
    if subject.region is not None:
        return frozenset((subject.region,))
    return placed.get(subject.service or "", frozenset())


def _in_time(rule: Rule, cause: Record, effect: Record) -> bool:
    within, far = rule.within, apart(cause.finding, effect.finding)
    match rule.when:
        case When.FOLLOWS:
            return far <= within and not _over_before(effect, cause) and not _over_before(cause, effect, SOON)
        case When.WHILE:
            first = effect.finding.since >= cause.finding.since or far <= within
            return first and not _over_before(cause, effect, within) and not _over_before(effect, cause)
        case When.MEETS:
            return not _over_before(cause, effect, within) and not _over_before(effect, cause, within)


def _over_before(one: Record, other: Record, slack: timedelta = timedelta()) -> bool:
    """Whether one was over for longer than the slack before the other began."""
    if one.cleared_at is None:
        return False
    return one.cleared_at + slack < _beginning(other.finding)[0]
