"""`flapping`: what goes down again and again is one finding, held by the decay of its downs.

It begins when `flap_count` downs fall into `flap_window`, and stays until the sum of downs, halved every half window,
is under a quarter of `flap_count`; the sum is capped at twice `flap_count`, so it ends at most one and a half windows
after the last. The gap between the two keeps the finding itself from flapping (measuring-anycast.md 2.2: RFC 2439's
penalty, with a ratio near 4 between opening and closing). Downs are remembered by the view; this is a pure replay.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from analyzers.evidence import MOST, Line
from analyzers.picture import Picture, Sighting, pictures
from analyzers.reading import for_every_peer
from analyzers.sessions import subject
from analyzers.state import Table
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent, Thresholds
from anycast.plain import stamp

CLOSE = 0.25  # of flap_count
CAP = 2.0  # times flap_count


def flapping(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield sessions that flap, and services' routes that flap at a region, or at a site whose regions do not."""
    restless = set()
    for key, table in view.by_key.items():
        began = flaps_since(tuple(table.peering.downs), intent.thresholds, now)
        ours = table.vantage is not None and (not for_every_peer(table.vantage) or table.peering.carried)
        if began is not None and ours:
            restless.add(key)
            yield _session(key, table, began)
    least = intent.thresholds.flap_count
    prefixes = {p for table in view.by_key.values() for p, downs in table.downs.items() if len(downs) >= least}
    for picture in pictures(view, intent) if prefixes else ():
        if picture.prefix in prefixes:
            yield from _routes(picture, restless, intent.thresholds, now)


def flaps_since(downs: Sequence[datetime], limits: Thresholds, now: datetime) -> datetime | None:
    """Return since when this sequence of downs counts as flapping; None when it does not (any more)."""
    half = limits.flap_window / 2
    began: datetime | None = None
    total, last = 0.0, None
    for index, at in enumerate(downs):
        if last is not None:
            total *= 0.5 ** ((at - last) / half)
        if began is not None and total < CLOSE * limits.flap_count:
            began = None
        total, last = min(total + 1, CAP * limits.flap_count), at
        start = index - limits.flap_count + 1
        if began is None and start >= 0 and at - downs[start] <= limits.flap_window:
            began, total = at, max(total, float(limits.flap_count))
    if (
        began is None
        or last is None
        or total * 0.5 ** (max(now - last, timedelta()) / half) < CLOSE * limits.flap_count
    ):
        return None
    return began


def _session(key: str, table: Table, began: datetime) -> Finding:
    assert table.vantage is not None
    return Finding(
        Kind.FLAPPING,
        subject(key, table.vantage),
        Severity.MAJOR,
        began,
        f"{key}: the session goes down again and again",
        _downs(key, table.peering.downs),
        None,
        frozenset(),
    )


def _routes(picture: Picture, restless: set[str], limits: Thresholds, now: datetime) -> Iterator[Finding]:
    name, prefix = picture.service.name, str(picture.prefix)
    upstream: list[datetime] = []
    for facts in picture.regions.values():
        sightings = [*facts.nvas, *facts.others, *facts.instances]
        found = _flapping(picture, sightings, limits, now)
        upstream += _flapped(picture, sightings, limits)
        if found and not any(sighting.key in restless for sighting in sightings):
            yield _finding(Subject(name, prefix, facts.region), picture, f"in {facts.region}", found)
    for site in picture.sites.values():
        sightings = [*site.heard, *site.chosen]
        found = _flapping(picture, sightings, limits, now)
        # A site only sees what a region does, or did: it may count one down more, and decay later.
        follows = any(abs(last - down) <= limits.flap_window for last in _lasts(picture, found) for down in upstream)
        if found and not follows and not any(sighting.key in restless for sighting in sightings):
            place = site.site.name
            yield _finding(Subject(name, prefix, site=place), picture, f"at {place}", found)


def _flapping(
    picture: Picture, sightings: list[Sighting], limits: Thresholds, now: datetime
) -> list[tuple[Sighting, datetime]]:
    """Vantages where the prefix flaps. Each counts alone: two NVAs that went down once each do not flap."""
    found = []
    for sighting in sightings:
        downs = sighting.table.downs.get(picture.prefix) if sighting.table is not None else None
        began = flaps_since(tuple(downs), limits, now) if downs else None
        if began is not None:
            found.append((sighting, began))
    return found


def _flapped(picture: Picture, sightings: Iterable[Sighting], limits: Thresholds) -> list[datetime]:
    """The last downs of vantages where the prefix flaps, or did when it last went down there."""
    remembered = (s.table.downs.get(picture.prefix) for s in sightings if s.table is not None)
    return [downs[-1] for downs in remembered if downs and flaps_since(tuple(downs), limits, downs[-1]) is not None]


def _lasts(picture: Picture, found: Iterable[tuple[Sighting, datetime]]) -> list[datetime]:
    return [sighting.table.downs[picture.prefix][-1] for sighting, _ in found if sighting.table is not None]


def _finding(where: Subject, picture: Picture, place: str, found: list[tuple[Sighting, datetime]]) -> Finding:
    lines: list[Line] = []
    for sighting, _ in found[:MOST]:
        assert sighting.table is not None
        lines += _downs(sighting.key, sighting.table.downs[picture.prefix])
    return Finding(
        Kind.FLAPPING,
        where,
        Severity.MAJOR,
        min(began for _, began in found),
        f"{picture.service.name} {picture.prefix}: is withdrawn and advertised again and again {place}",
        tuple(lines),
        None,
        frozenset(),
    )


def _downs(key: str, downs: Iterable[datetime]) -> tuple[Line, ...]:
    return ((f"{key} went down", ", ".join(stamp(at) for at in tuple(downs)[-6:])),)
