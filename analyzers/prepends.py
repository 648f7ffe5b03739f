"""`prepend-lost` and `prepend-added`: how often the origin stands in the path, where AS paths survive."""

from collections.abc import Iterator
from datetime import datetime

from analyzers.evidence import Spot, spotted
from analyzers.picture import BESIDE_THE_NVAS, Picture, judged
from analyzers.state import Held
from analyzers.unexpected import is_stranger
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent, Placement


def prepend_lost(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield regions whose routes have fewer prepends than meant."""
    return judged(view, intent, _lost)


def prepend_added(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield regions whose routes have more prepends than meant."""
    return judged(view, intent, _added)


def prepends(held: Held) -> int:
    """How many extra times the origin stands at the end of the path."""
    return held.attributes.as_path.origin_repeats - 1


def _lost(intent: Intent, picture: Picture) -> Iterator[Finding]:
    return _departures(intent, picture, Kind.PREPEND_LOST)


def _added(intent: Intent, picture: Picture) -> Iterator[Finding]:
    return _departures(intent, picture, Kind.PREPEND_ADDED)


def _departures(intent: Intent, picture: Picture, kind: Kind) -> Iterator[Finding]:
    found: dict[str, list[Spot]] = {}
    for sighting, held in _readable(intent, picture):
        placement = picture.service.placement(held.region) if held.region is not None else None
        if placement is None:
            continue
        surplus = prepends(held) - placement.prepend
        if (surplus < 0) if kind is Kind.PREPEND_LOST else (surplus > 0):
            found.setdefault(placement.region, []).append((sighting, held))
    for region, spots in found.items():
        placement = picture.service.placement(region)
        assert placement is not None
        yield _finding(kind, picture, placement, spots)


def _readable(intent: Intent, picture: Picture) -> Iterator[Spot]:
    """Yield routes whose path still ends in an NVA's AS: elsewhere prepends cannot be seen (azure.md 1.4)."""
    for sighting, held in picture.notable:
        if held.region is None or is_stranger(intent, sighting, held):
            continue
        beside = sighting.vantage is not None and sighting.vantage.rung in BESIDE_THE_NVAS
        asns = {nva.asn for nva in intent.by_region[held.region].nvas}
        if beside or held.attributes.as_path.origin in asns:
            yield sighting, held


def _finding(kind: Kind, picture: Picture, placement: Placement, spots: list[Spot]) -> Finding:
    first = min((held for _, held in spots), key=lambda held: held.changed)
    word = "fewer" if kind is Kind.PREPEND_LOST else "more"
    counts = sorted({prepends(held) for _, held in spots})
    return Finding(
        kind,
        Subject(picture.service.name, str(picture.prefix), placement.region),
        Severity.WARNING,
        first.changed,
        f"{picture.service.name} {picture.prefix}: {placement.region} prepends it {word} times than the "
        f"{placement.prepend} meant",
        (
            ("expected", f"the origin AS prepended {placement.prepend} times"),
            ("seen", f"prepended {', '.join(map(str, counts))} times"),
            *spotted(spots),
        ),
        first.not_before,
        frozenset(sighting.key for sighting, _ in spots),
    )
