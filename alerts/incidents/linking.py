"""Whether one record explains another, by the table, by place and by time; and which one explains it best."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.incidents.causes import RULES, SOON, Rule, Seen, When
from anycast.finding import Finding, Record
from anycast.incident import place

_BY_EFFECT: Final[Mapping[Seen, tuple[tuple[int, Rule], ...]]] = {
    seen: tuple((number, rule) for number, rule in enumerate(RULES) if seen in rule.effects)
    for seen in {effect for rule in RULES for effect in rule.effects}
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
    def rank(self) -> tuple[bool, timedelta, int, str]:
        """The least is the best: a cause before a sibling, then what began nearest, then the order of the table."""
        return self.rule.sibling, self.apart, self.number, self.cause


def best(links: Iterable[Link]) -> Link | None:
    """Return the best of some links to one record; None where there is none."""
    return min(links, key=lambda link: link.rank, default=None)


def linked(cause: Record, effect: Record, placed: Placed) -> Link | None:
    """Return how one record explains another; None where it does not."""
    if cause.id == effect.id:
        return None
    seen = (cause.finding.kind, place(cause.finding))
    for number, rule in _BY_EFFECT.get((effect.finding.kind, place(effect.finding)), ()):
        if (
            rule.cause == seen
            and _at_one_place(rule, cause.finding, effect.finding, placed)
            and _in_time(rule, cause, effect)
        ):
            return Link(cause.id, rule, apart(cause.finding, effect.finding), number)
    return None


def earlier(one: Record, other: Record) -> bool:
    """Whether the first of two records of one kind stands for both."""
    return (one.finding.since, one.finding.key, one.id) < (other.finding.since, other.finding.key, other.id)


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
        feed, vantage = cause.subject.exporter, effect.subject.vantage
        return feed is not None and vantage is not None and (vantage in cause.rests_on or _under(feed, vantage))
    mine = getattr(cause.subject, part)
    return mine is not None and mine == getattr(effect.subject, part)


def _under(exporter: str, vantage: str) -> bool:
    """Whether a vantage's name begins with its exporter's."""
    return vantage == exporter or vantage.startswith((f"{exporter}/", f"{exporter}-"))


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
