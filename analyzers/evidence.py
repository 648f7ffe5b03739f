"""What was seen, in words: label and text, times as stamps, so that a line stays the same while nothing changes."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from analyzers.picture import Sighting
from analyzers.state import Absence, Held
from anycast.change import Cause, Presence
from anycast.plain import stamp
from anycast.route import community_text

MOST = 12  # lines of one sort; who wants more asks the API

Line = tuple[str, str]
Spot = tuple[Sighting, Held]


def seen(sighting: Sighting) -> Line:
    """Say what one vantage shows of the prefix, since when."""
    return (_label(sighting), _state(sighting))


def lines(sightings: Iterable[Sighting]) -> tuple[Line, ...]:
    """Say it of several vantages, the first `MOST` of them."""
    every = list(sightings)
    shown = [seen(sighting) for sighting in every[:MOST]]
    return (*shown, *rest(every))


def spotted(spots: Sequence[Spot]) -> tuple[Line, ...]:
    """Say where single routes were seen, how they look, and since when."""
    shown = tuple((_label(sighting), f"{changed(held)}: {route(held)}") for sighting, held in spots[:MOST])
    return (*shown, *rest(spots))


def rest(every: Sequence[object]) -> tuple[Line, ...]:
    """Say how many lines were left out."""
    return (("and", f"{len(every) - MOST} more"),) if len(every) > MOST else ()


def route(held: Held) -> str:
    """Say what a route looks like."""
    looks = held.attributes
    parts = [
        f"AS path {looks.as_path}" if looks.as_path.segments else "empty AS path",
        f"next hop {looks.next_hop}" if looks.next_hop is not None else "",
        f"LOCAL_PREF {looks.local_pref}" if looks.local_pref is not None else "",
        f"MED {looks.med}" if looks.med is not None else "",
        "communities " + " ".join(map(community_text, looks.communities)) if looks.communities else "",
        f"recognised as {held.region}" if held.region is not None else "no region's marks",
    ]
    return ", ".join(part for part in parts if part)


def _dated(held: Held) -> str:
    return route(held) + (f" (so {changed(held)})" if held.changed != held.since else "")


def changed(held: Held) -> str:
    """Say since when a route looks as it does."""
    return between(held.changed, held.not_before)


def between(since: datetime, not_before: datetime | None) -> str:
    """Write a moment, or the two ends of the gap that it fell into."""
    return f"since {stamp(since)}" if not_before is None else f"since between {stamp(not_before)} and {stamp(since)}"


def _label(sighting: Sighting) -> str:
    return f"{sighting.vantage.rung} {sighting.key}" if sighting.vantage is not None else sighting.key


def _state(sighting: Sighting) -> str:
    peering = sighting.table.peering if sighting.table is not None else None
    if sighting.down and peering is not None:
        return f"session down {between(peering.since, peering.not_before)}"
    if sighting.presence is Presence.UNKNOWN:
        return "unknown"
    when = sighting.seen
    if sighting.present:
        shown = "; ".join(_dated(held) for held in sighting.routes)
        return f"present {between(when.since, when.not_before) if when else ''}: {shown}"
    return f"absent{_how(when)}"


def _how(when: Absence | None) -> str:
    if when is None:
        return ""
    words = {Cause.UPDATE: "withdrawn", Cause.PEER_DOWN: "its session went down", Cause.RESYNC: ""}
    if when.cause is Cause.RESYNC and when.not_before is None:
        return f", never seen in the table that was complete at {stamp(when.since)}"
    how = words[when.cause]
    return f" {between(when.since, when.not_before)}" + (f" ({how})" if how else "")
