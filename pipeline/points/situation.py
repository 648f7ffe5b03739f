"""The present as points: services, presence at every vantage, sessions and feeds."""

from collections.abc import Iterator

from anycast.change import Presence
from anycast.intent import Intent, Vantage
from anycast.point import Point, Value
from anycast.series import NONE
from anycast.situation import Cell, FeedStatus, Health, ServiceStatus, SessionStatus, Situation

PRESENCE = {Presence.PRESENT: 1, Presence.ABSENT: 0, Presence.UNKNOWN: -1}
SESSION = {"up": 2, "loading": 1, "down": 0, "unknown": -1}
HEALTH = {Health.OK: 0, Health.DEGRADED: 1, Health.DOWN: 2, Health.UNKNOWN: -1}


def situation_points(now: Situation, intent: Intent, at: int) -> Iterator[Point]:
    """Yield a point for each service prefix, each of its cells, each session that means something, and each feed."""
    for service in now.services:
        yield _service(service, at)
        yield from _cells(service, at)
    for session in now.sessions:
        if session.rung is not None:  # what nobody named may be anything that a router makes up
            yield _session(session, _vantage(intent, session), now, at)
    for feed in now.feeds:
        yield _feed(feed, at)


def _service(service: ServiceStatus, at: int) -> Point:
    meant = [region for region in service.regions if any(cell.expected for cell in region.cells)]
    fields = {
        "health": HEALTH[service.health],
        "findings": service.findings,
        "severity": 0 if service.worst is None else service.worst.rank + 1,
        "regions_present": sum(region.presence is Presence.PRESENT for region in service.regions),
        "regions_meant": len(meant),
    }
    return Point("service", (service.service, service.prefix), fields, at)


def _cells(service: ServiceStatus, at: int) -> Iterator[Point]:
    for region in service.regions:
        for cell in region.cells:
            yield _cell(service, cell, region.region, NONE, at)
    for site in service.sites:
        for cell in site.cells:
            yield _cell(service, cell, NONE, site.site, at)


def _cell(service: ServiceStatus, cell: Cell, region: str, site: str, at: int) -> Point:
    tags = (service.service, service.prefix, str(cell.rung), region, site, cell.vantage)
    fields: dict[str, Value | None] = {
        "present": PRESENCE[cell.presence],
        "meant": int(cell.expected),
        "paths": cell.paths,
        "as_path": cell.as_path,
        "next_hop": cell.next_hop,
        "best_region": cell.best_region or "",
    }
    return Point("presence", tags, fields, at)


def _vantage(intent: Intent, session: SessionStatus) -> Vantage | None:
    ours = [vantage for vantage in intent.vantages if vantage.exporter == session.exporter]
    exact = next((vantage for vantage in ours if vantage.name == session.vantage), None)
    return exact or next((vantage for vantage in ours if vantage.peer is None), None)


def _session(session: SessionStatus, vantage: Vantage | None, now: Situation, at: int) -> Point:
    region, site = (vantage.region, vantage.site) if vantage is not None else (None, None)
    tags = (session.exporter, session.vantage, str(session.rung), region or NONE, site or NONE)
    fields: dict[str, Value | None] = {
        "state": SESSION[session.state],
        "routes": session.routes,
        "hold_time": session.hold_time,
        "age": None if session.since is None else round((now.at - session.since).total_seconds(), 3),
    }
    return Point("session", tags, fields, at)


def _feed(feed: FeedStatus, at: int) -> Point:
    fields = {
        "connected": int(feed.connected),
        "messages": feed.messages,
        "routes": feed.routes,
        "malformed": feed.malformed,
        "unjudged": feed.unjudged,
    }
    return Point("feed", (feed.exporter,), fields, at)
