"""`session-down` and `blind`: what the routers say of their sessions, and what we cannot see."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from analyzers.evidence import MOST, Line, between, rest
from analyzers.reading import for_every_peer
from analyzers.state import Feed, Peering, Sight, Standing, Table
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Exporter, Intent, Rung, Vantage
from anycast.observation import LostReason
from anycast.plain import stamp

LONG_LOADING = timedelta(seconds=60)  # a whole Internet table is through in less, and ours are a few thousand routes
MAJOR_RUNGS = (Rung.V1, Rung.V2, Rung.V5)


def session_down(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield sessions that their routers report down, or never reported."""
    for key, table in view.by_key.items():
        vantage = table.vantage
        if vantage is None or view.sight(table) is not Sight.DOWN:
            continue
        # Somebody else's sessions of an edge router are no business of ours until they carried a service.
        if not for_every_peer(vantage) or table.peering.carried:
            yield _down(key, vantage, table.peering)


def _down(key: str, vantage: Vantage, peering: Peering) -> Finding:
    who = vantage.nva or vantage.instance
    return Finding(
        Kind.SESSION_DOWN,
        subject(key, vantage),
        Severity.MAJOR if vantage.rung in MAJOR_RUNGS else Severity.WARNING,
        peering.since,
        f"{key}: {peering.session.router} reports its session with {who or peering.session.peer or 'itself'} down",
        _words(peering),
        peering.not_before,
        frozenset({key}),
    )


def subject(key: str, vantage: Vantage) -> Subject:
    """Return the subject of a finding about one vantage."""
    return Subject(region=vantage.region, nva=vantage.nva, instance=vantage.instance, site=vantage.site, vantage=key)


def _words(peering: Peering) -> tuple[Line, ...]:
    router = peering.session.router
    said = " ".join(word for word in (peering.reason, f"({peering.detail})" if peering.detail else "") if word)
    lines: list[Line] = [("session", f"{peering.session}, down {between(peering.since, peering.not_before)}")]
    if said:
        lines.append((f"{router} says", said))
    if peering.remote is not None:
        lines.append(("peer", f"AS{peering.remote.asn}, BGP identifier {peering.remote.identifier}"))
    return (*lines, ("expected", "up"))


def blind(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield exporters that we cannot see, and sessions that nobody monitors any more."""
    for exporter in intent.exporters:
        feed = view.feed(exporter.name)
        ours = [table for table in view.by_key.values() if table.source.session.router == exporter.name]
        if not feed.open:
            if not _starting(view, intent, feed, now):
                yield _lost(view, intent, exporter, feed, now)
            continue
        slow = [t for t in ours if t.vantage and t.loading_since and now - t.loading_since > LONG_LOADING]
        if slow:
            yield _slow(exporter, slow)
        for table in ours:
            peering, vantage = table.peering, table.vantage
            named = vantage is not None and (not for_every_peer(vantage) or peering.carried)
            if vantage is not None and named and peering.reported and peering.standing is Standing.UNMONITORED:
                yield _unmonitored(table, vantage)


def _starting(view: View, intent: Intent, feed: Feed, now: datetime) -> bool:
    """Whether it is we who have just (re)started, or have just been told of the router: it gets `settle` to connect
    before we call that blind."""
    began = _began(view, feed)
    return feed.reason in (None, LostReason.STOPPED) and (began is None or now - began < intent.thresholds.settle)


def _began(view: View, feed: Feed) -> datetime | None:
    """When a router's time to connect began; None while it has not."""
    return None if feed.newcomer else (feed.awaited if feed.since is None else None) or view.started


def _lost(view: View, intent: Intent, exporter: Exporter, feed: Feed, now: datetime) -> Finding:
    behind = sorted({name for v in intent.vantages if v.exporter == exporter.name for name in (v.name, *view.under(v))})
    if feed.since is None:
        what, how = "has never connected", f"no BMP connection since {stamp(_began(view, feed) or now)}"
    else:
        what = "its feed is lost"
        how = f"{feed.reason}{f' ({feed.detail})' if feed.detail else ''} at {stamp(feed.since)}"
    return Finding(
        Kind.BLIND,
        Subject(site=exporter.site, exporter=exporter.name),
        Severity.MAJOR,
        feed.since or _began(view, feed) or now,
        f"{exporter.name}: {what}, so what it shows is unknown",
        (
            ("feed", how),
            ("expected", f"a BMP connection from {', '.join(map(str, exporter.addresses))}"),
            *(("unknown", name) for name in behind[:MOST]),
            *rest(behind),
        ),
        None,
        _waiting_for(view, behind),
    )


def _waiting_for(view: View, names: list[str]) -> frozenset[str]:
    """The names that will be known again when the feed is back; not those that nobody monitors."""
    unmonitored = {k for k, t in view.by_key.items() if t.peering.standing is Standing.UNMONITORED}
    return frozenset(names) - unmonitored


def _slow(exporter: Exporter, slow: list[Table]) -> Finding:
    names = sorted(table.key for table in slow)
    return Finding(
        Kind.BLIND,
        Subject(site=exporter.site, exporter=exporter.name),
        Severity.WARNING,
        min(table.loading_since for table in slow if table.loading_since) + LONG_LOADING,
        f"{exporter.name}: tables have been loading for longer than {LONG_LOADING.total_seconds():g} s",
        (
            ("expected", "a session that is quiet for a few seconds after its table was sent"),
            *((f"loading {table.key}", f"since {stamp(table.loading_since)}") for table in slow if table.loading_since),
        ),
        None,
        frozenset(names),
    )


def _unmonitored(table: Table, vantage: Vantage) -> Finding:
    peering = table.peering
    return Finding(
        Kind.BLIND,
        subject(table.key, vantage),
        Severity.WARNING,
        peering.since,
        f"{table.key}: {peering.session.router} monitors this session no more, its routes are unknown",
        (*_words(peering)[:2], ("expected", "monitored")),
        None,
        frozenset(),
    )
