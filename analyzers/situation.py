"""The present as people look at it, out of the view, the intent and the ledger's records."""

from collections.abc import Sequence
from datetime import datetime

from analyzers.drift import hold_time
from analyzers.evidence import between
from analyzers.picture import Picture, RegionFacts, Sighting, SiteFacts, pictures
from analyzers.state import Sight, Standing
from analyzers.view import View
from anycast.change import Presence
from anycast.finding import Record, Severity, State
from anycast.intent import Intent, Role, Rung
from anycast.situation import (
    Cell,
    FeedStatus,
    Health,
    RegionStatus,
    ServiceStatus,
    SessionStatus,
    SiteStatus,
    Situation,
)

WORDS = {Sight.KNOWN: "up", Sight.LOADING: "loading", Sight.DOWN: "down", Sight.UNKNOWN: "unknown"}


def situation(
    view: View, intent: Intent, records: Sequence[Record], feeds: Sequence[FeedStatus], now: datetime
) -> Situation:
    """Return everything at a glance. `records` are the ledger's, in any state; `feeds` what the station counts."""
    opened = [record for record in records if record.state is State.OPEN]
    return Situation(
        now,
        tuple(_service(intent, picture, opened) for picture in pictures(view, intent)),
        tuple(_session(view, key) for key in sorted(view.by_key)) + _unheard(view),
        _feeds(view, intent, feeds),
    )


def _service(intent: Intent, picture: Picture, opened: Sequence[Record]) -> ServiceStatus:
    name, prefix = picture.service.name, str(picture.prefix)
    ours = [r.finding for r in opened if r.finding.subject.service == name]
    ours = [finding for finding in ours if finding.subject.prefix in (None, prefix)]
    worst = max((finding.severity for finding in ours), key=lambda severity: severity.rank, default=None)
    return ServiceStatus(
        name,
        prefix,
        picture.service.owner,
        _health(picture, worst),
        tuple(_region(facts) for facts in picture.regions.values() if facts.placement or _seen(facts)),
        tuple(_site(intent, picture, site) for site in picture.sites.values()),
        len(ours),
        worst,
    )


def _health(picture: Picture, worst: Severity | None) -> Health:
    presences = {facts.presence for facts in picture.placed}
    if presences == {Presence.ABSENT}:
        return Health.DOWN
    if Presence.PRESENT not in presences:
        return Health.UNKNOWN
    ailing = Presence.ABSENT in presences or (worst is not None and worst.rank >= Severity.WARNING.rank)
    return Health.DEGRADED if ailing else Health.OK


def _seen(facts: RegionFacts) -> bool:
    return any(sighting.present for sighting in (*facts.nvas, *facts.others, *facts.instances))


def _region(facts: RegionFacts) -> RegionStatus:
    expected = facts.placement is not None
    return RegionStatus(
        facts.region,
        facts.placement.role if facts.placement is not None else Role.ACTIVE,
        facts.presence,
        sum(sighting.present for sighting in facts.nvas),
        len(facts.nvas) if expected else 0,
        tuple(
            [_cell(s, Rung.V1, expected and not (s.lacking and facts.spared)) for s in facts.nvas]
            + [_cell(sighting, Rung.V1, False) for sighting in facts.others]
            + [_cell(sighting, Rung.V2, expected) for sighting in facts.instances]
        ),
    )


def _site(intent: Intent, picture: Picture, site: SiteFacts) -> SiteStatus:
    best = next((s.routes[0] for s in site.chosen if s.routes), None)
    return SiteStatus(
        site.site.name,
        intent.tiers(site.site, picture.service),
        best.region if best is not None else None,
        tuple(sorted(site.regions)),
        tuple(
            [_cell(s, Rung.V5, s.table is None or s.table.peering.carried) for s in site.heard]
            + [_cell(s, Rung.V6, True) for s in site.chosen]
        ),
    )


def _cell(sighting: Sighting, rung: Rung, expected: bool) -> Cell:
    first = sighting.routes[0] if sighting.routes else None
    seen = sighting.seen
    vantage = sighting.vantage
    hop = first.attributes.next_hop if first is not None else None
    return Cell(
        sighting.key,
        rung,
        sighting.presence,
        seen.since if seen is not None else None,
        len(sighting.routes),
        str(first.attributes.as_path) if first is not None else "",
        str(hop) if hop is not None else "",
        first.region if first is not None and rung in (Rung.V5, Rung.V6) else None,
        vantage.nva if vantage is not None else None,
        vantage.instance if vantage is not None else None,
        expected,
    )


def _session(view: View, key: str) -> SessionStatus:
    table = view.by_key[key]
    peering, session = table.peering, table.source.session
    sight = view.sight(table)
    state = "unmonitored" if peering.standing is Standing.UNMONITORED and peering.reported else WORDS[sight]
    lost = peering.lost_at if sight is Sight.UNKNOWN else None
    said = " ".join(word for word in (peering.reason, peering.detail) if word)
    count = view.count(key)
    return SessionStatus(
        key,
        session.router,
        str(session.peer) if session.peer is not None else "",
        table.vantage.rung if table.vantage is not None else None,
        "unknown" if state == "unmonitored" else state,
        lost or peering.since,
        len(table.routes) if count is None and sight is not Sight.UNKNOWN else count,
        hold_time(peering),
        f"monitoring stopped: {said}" if state == "unmonitored" else said or _gap(peering.not_before, peering.since),
    )


def _gap(not_before: datetime | None, since: datetime) -> str:
    return between(since, not_before) if not_before is not None else ""


def _unheard(view: View) -> tuple[SessionStatus, ...]:
    """Sessions of the intent that nobody ever spoke of."""
    return tuple(
        SessionStatus(v.name, v.exporter, str(v.peer) if v.peer else "", v.rung, "unknown", None, None)
        for v in view.named
        if v.name not in view.by_key
    )


def _feeds(view: View, intent: Intent, feeds: Sequence[FeedStatus]) -> tuple[FeedStatus, ...]:
    """The station's own counts, and exporters of the intent that it has not heard of."""
    told = {feed.exporter for feed in feeds}
    silent = [exporter for exporter in intent.exporters if exporter.name not in told]
    return tuple(feeds) + tuple(
        FeedStatus(
            exporter.name,
            ", ".join(map(str, exporter.addresses)),
            view.feed(exporter.name).open,
            view.feed(exporter.name).since,
            view.feed(exporter.name).detail,
        )
        for exporter in silent
    )
