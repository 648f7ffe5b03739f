"""What happens by itself as time passes: tables complete, sessions settle, strangers age out.

Deadlines follow from what was observed, and what happens bears the time of its deadline, not of the tick that found it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from analyzers.state import Feed, Peering, Standing, Table
from anycast.change import Cause, Change
from anycast.intent import Vantage
from anycast.observation import PeerType, Rib, Session, Source

if TYPE_CHECKING:
    from analyzers.view import View


def advance(view: View, feed: Feed, now: datetime) -> list[Change]:
    """Let happen what is due at one router by `now`; return the changes, earliest deadline first."""
    loading = view.loading.get(feed.router)
    if not feed.open or feed.since is None or (feed.settled and not loading):
        return []
    limits = view.intent.thresholds
    if not feed.ready and now - feed.since >= limits.quiet:
        feed.ready = True
        view.epoch += 1
    changes: list[Change] = []
    due = sorted(
        (
            (at + limits.quiet, table)
            for table in loading or ()
            if (at := table.busy_until) and at + limits.quiet <= now
        ),
        key=lambda pair: pair[0],
    )
    for at, table in due:
        changes += complete(view, table, at)
    if not feed.settled and now - feed.since >= limits.settle:
        feed.settled = True
        changes += [] if feed.midway else _settle(view, feed, feed.since + limits.settle)
    return changes


def complete(view: View, table: Table, at: datetime) -> list[Change]:
    """A loading table has been quiet: what was not announced again is gone, since we know not when.

    Of a session that was joined in its middle it is unknown.
    """
    view.epoch += 1
    view.loading[table.source.session.router].pop(table, None)
    stale = [held for held in table.routes.values() if held.lost_at is not None]
    if table.peering.midway:
        for held in stale:
            view.let_go(table, held)
        changes = []
    else:
        changes = [view.drop(table, held, at, Cause.RESYNC) for held in stale]
    table.complete, table.gap, table.loading_since = True, False, None
    table.known_since = table.known_since or at
    if not table.peering.midway:
        table.unfilled.clear()
    return changes


def _settle(view: View, feed: Feed, at: datetime) -> list[Change]:
    """The router has had its time: sessions that it did not name are down."""
    view.epoch += 1
    why = f"not reported within {view.intent.thresholds.settle.total_seconds():g} s of the feed's opening"
    changes = []
    for session, peering in view.peerings.items():
        if session.router == feed.router and not peering.reported:
            changes += _presume_down(view, peering, at, why)
    for vantage in view.named:
        if vantage.exporter == feed.router and vantage.name not in view.by_key:
            _stand_in(view, vantage, feed, at, why)
    return changes


def _presume_down(view: View, peering: Peering, at: datetime, why: str) -> list[Change]:
    peering.reported = True
    if peering.standing is not Standing.UP:
        return []  # it was down, or not monitored, and still is
    peering.standing, peering.since, peering.not_before = Standing.DOWN, at, peering.lost_at
    peering.lost_at, peering.reason, peering.detail = None, "", why
    return [change for table in view.by_session.get(peering.session, ()) for change in view.empty(table, at)]


def _stand_in(view: View, vantage: Vantage, feed: Feed, at: datetime, why: str) -> None:
    kind = PeerType.LOC_RIB if vantage.rib is Rib.LOC else PeerType.GLOBAL
    session = Session(feed.router, vantage.peer, kind)
    if session not in view.peerings:
        view.peerings[session] = Peering(session, Standing.DOWN, feed.since or at, detail=why, named=False)
    view.meet_table(Source(session, vantage.rib), view.peerings[session], at)


def age(view: View, now: datetime) -> None:
    """Forget sessions and routers that the intent does not name, `age_out` after they were last seen."""
    limit = view.intent.thresholds.age_out
    named = {id(view.by_key[v.name].peering) for v in view.named if v.name in view.by_key}
    for session, peering in tuple(view.peerings.items()):
        gone = peering.lost_at if not peering.reported else None
        if peering.standing is not Standing.UP:
            gone = gone or peering.since
        if gone is not None and now - gone > limit and id(peering) not in named:
            view.forget(session)
    ours = {exporter.name for exporter in view.intent.exporters}
    for name, feed in tuple(view.feeds.items()):
        if name not in ours and not feed.open and feed.since is not None and now - feed.since > limit:
            del view.feeds[name]
