"""`missing-everywhere`, `redundancy-low` and `cascade`: how many regions are left."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from analyzers.evidence import lines
from analyzers.picture import Picture, RegionFacts, judged
from analyzers.state import Absence
from analyzers.view import View
from anycast.change import Cause, Presence
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent
from anycast.plain import stamp


def missing_everywhere(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield services that no region advertises, every one of them known."""
    return judged(view, intent, _everywhere)


def _everywhere(intent: Intent, picture: Picture) -> Iterator[Finding]:
    placed = picture.placed
    if placed and all(facts.presence is Presence.ABSENT for facts in placed):
        last = max((gone for facts in placed if (gone := facts.gone)), key=lambda absence: absence.since)
        names = ", ".join(facts.region for facts in placed)
        yield Finding(
            Kind.MISSING_EVERYWHERE,
            Subject(picture.service.name, str(picture.prefix)),
            Severity.CRITICAL,
            last.since,
            f"{picture.service.name} {picture.prefix}: no region advertises it (meant: {names})",
            tuple(line for facts in placed for line in lines(facts.basis)),
            last.not_before,
            _all(placed),
        )


def redundancy_low(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield services of several regions that one region only still advertises."""
    return judged(view, intent, _redundancy)


def _redundancy(intent: Intent, picture: Picture) -> Iterator[Finding]:
    present = [facts for facts in picture.placed if facts.presence is Presence.PRESENT]
    absent = [facts for facts in picture.placed if facts.presence is Presence.ABSENT]
    if len(present) == 1 and absent and len(absent) == len(picture.placed) - 1:
        yield _one_left(picture, present[0], absent)


def _one_left(picture: Picture, last: RegionFacts, absent: list[RegionFacts]) -> Finding:
    nvas = [sighting for sighting in last.nvas if sighting.present]
    certain = all(sighting.presence is not Presence.UNKNOWN for sighting in last.nvas)
    alone = last.placement is not None and last.placement.at_least == 1  # one NVA at a time is what is meant there
    single = len(nvas) == 1 and certain and not alone
    when = max((gone for facts in absent if (gone := facts.gone)), key=lambda absence: absence.since)
    lost = ", ".join(facts.region for facts in absent)
    left = f"{last.region} ({nvas[0].nva} only)" if single else last.region
    return Finding(
        Kind.REDUNDANCY_LOW,
        Subject(picture.service.name, str(picture.prefix)),
        Severity.MAJOR if single else Severity.WARNING,
        when.since,
        f"{picture.service.name} {picture.prefix}: only {left} still advertises it, {lost} does not",
        (*lines(last.nvas), *lines(last.basis), *(line for facts in absent for line in lines(facts.basis))),
        when.not_before,
        _all([last, *absent]) | {sighting.key for sighting in last.nvas},
    )


def cascade(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield services that lost two regions or more within the window, where gaps of our sight leave no doubt."""
    return judged(view, intent, _cascades)


def _cascades(intent: Intent, picture: Picture) -> Iterator[Finding]:
    lost = [(f, gone) for f in picture.placed if f.presence is Presence.ABSENT and (gone := _lost(f))]
    lost.sort(key=lambda pair: pair[1].since)
    for one, other in pairwise(lost):
        earliest = min(moment for _, a in (one, other) for moment in (a.since, a.not_before) if moment)
        if other[1].since - earliest <= intent.thresholds.cascade_window:
            yield _cascade(picture, lost, other[1])
            return


def _lost(facts: RegionFacts) -> Absence | None:
    """When a region was lost; None for one that never had the service as far as we saw."""
    gone = facts.gone
    never = gone is not None and gone.cause is Cause.RESYNC and gone.not_before is None
    return None if never else gone


def _cascade(picture: Picture, lost: list[tuple[RegionFacts, Absence]], second: Absence) -> Finding:
    names = ", ".join(sorted(facts.region for facts, _ in lost))
    return Finding(
        Kind.CASCADE,
        Subject(picture.service.name, str(picture.prefix)),
        Severity.CRITICAL,
        second.since,
        f"{picture.service.name} {picture.prefix}: {names} lost it within a minute of each other",
        tuple((facts.region, f"gone since {stamp(gone.since)}") for facts, gone in lost),
        second.not_before,
        _all([facts for facts, _ in lost]),
    )


def _all(regions: list[RegionFacts]) -> frozenset[str]:
    return frozenset(name for facts in regions for name in facts.rests_on)
