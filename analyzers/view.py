"""The view: one fold over observations, and the only mutable state on the judging side.

Presence has three values. The rules, all of them here and in `analyzers/sweep.py`:

- A lost feed makes everything seen through it unknown: routes are kept and marked stale.
- A peer that its router reports down takes its routes with it, except where only monitoring stopped.
- A table that loads after a gap is compared route by route: an equal route is no event, a different one is REPLACED,
  and what was not announced again when the table is complete is WITHDRAWN, each with the cause RESYNC and the end of
  our sight.
- Timers run on the observations' own times, each router by its own: `apply` first lets happen what was due before,
  and `tick` does so for everyone. So the outcome depends neither on how often anybody ticks nor on how the streams of
  different routers interleave.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from analyzers.holding import Holding
from analyzers.state import Absence, Feed, Peering, Sight, Standing, Table
from analyzers.sweep import advance, age
from anycast.change import Cause, Change, ChangeKind
from anycast.intent import Intent
from anycast.observation import (
    UNMONITORED,
    Announced,
    DownReason,
    FeedLost,
    FeedOpened,
    MalformedSeen,
    Observation,
    Session,
    SessionDown,
    SessionUp,
    Source,
    StatsReported,
    TableComplete,
    Withdrawn,
)
from anycast.probe import AgentReported

Heard: TypeAlias = (
    FeedOpened
    | FeedLost
    | SessionUp
    | SessionDown
    | TableComplete
    | Announced
    | Withdrawn
    | StatsReported
    | MalformedSeen
)
"""What routers say."""

DUMP_PACE = 1000  # routes in one call of `busy`; churn of a settled Internet feed stays far below, a dump far above


class View(Holding):
    """All that the vantages saw, folded."""

    def apply(self, observation: Observation) -> tuple[Change, ...]:
        """Fold one observation in; return the true differences of routes, in order."""
        if isinstance(observation, AgentReported):
            self.probing.apply(observation)
            return ()
        router, at = _whose(observation)
        self.started = min(self.started or at, at)
        feed = self.feed(router)
        changes = advance(self, feed, at)
        match observation:
            case FeedOpened():
                self._opened(feed, observation)
            case FeedLost():
                self._lost(feed, observation)
            case SessionUp():
                self._up(feed, observation)
            case SessionDown():
                changes += self._down(feed, observation)
            case TableComplete():
                self._ended(feed, observation)
            case Announced():
                changes += self._announced(feed, observation)
            case Withdrawn():
                changes += self._withdrawn(feed, observation)
            case StatsReported():
                self._counted(feed, observation)
            case MalformedSeen():
                pass  # the station counts and keeps it; it says nothing of presence
        self.note(changes)
        return tuple(changes)

    def tick(self, now: datetime) -> tuple[Change, ...]:
        """Let everything happen that is due by `now`: tables complete, sessions settle, strangers age out.

        Apply every observation received before `now` first: silence is judged from what was applied.
        """
        self.started = self.started or now
        for feed in self.feeds.values():
            if feed.newcomer:
                feed.awaited, feed.newcomer = now, False
        changes = [change for feed in tuple(self.feeds.values()) for change in advance(self, feed, now)]
        age(self, now)
        self.note(changes)
        self.probing.tick(now)
        self.convergence.tick(self.probing.flows, now.timestamp())
        return tuple(changes)

    def busy(self, session: Session, at: datetime, routes: int) -> None:
        """Hear that a session sent `routes` routes at `at`, watched or not: a table that still pours is not quiet.

        Within `settle` of the start of loading any route counts. Later only the pace of a dump does, so that the
        churn of a full Internet table does not keep its session loading for ever.
        """
        for table in self.by_session.get(session, ()):
            if table.complete or table.loading_since is None:
                continue
            if routes >= DUMP_PACE or at - table.loading_since < self.intent.thresholds.settle:
                table.busy_until = max(table.busy_until or at, at)

    def reconfigure(self, intent: Intent) -> None:
        """Take a new intent and keep what was seen. Newly watched prefixes are unknown until `fill` or a new table."""
        before, routers = set(self.intent.watched), set(self.feeds)
        self.learn(intent)
        for router in self.feeds.keys() - routers:
            self.feeds[router].newcomer = self.started is not None
        added = {prefix for prefix in intent.watched if prefix not in before}
        tables, self.tables, self.by_key, self.by_session, self.holders = self.tables, {}, {}, {}, {}
        for old in tables.values():
            if not old.peering.named:
                continue  # made for the old intent; the new one makes its own
            whole = old.vantage is not None and old.vantage.whole
            table = self.place(old)
            known = whole and not table.peering.midway
            table.unfilled = {p for p in table.unfilled | (set() if known else added) if p in set(intent.watched)}
            self.keep_relevant(table, table.vantage is not None and table.vantage.whole)
        for session in [s for s, peering in self.peerings.items() if not peering.named]:
            del self.peerings[session]
        for peering in self.peerings.values():
            self.seat_again(peering)
        for feed in self.feeds.values():
            feed.settled = False  # sessions that are new in the intent get their chance, and their verdict

    def midway(self, router: str, session: Session | None = None) -> None:
        """Hear that a recording joins a router's connection in its middle, or (after its beginning) one session.

        What was sent before is not known: a service's prefix is unknown until something is said of it there, and a
        session that is not named may be up.
        """
        self.epoch += 1
        if session is None:
            self.feed(router).midway = True
        elif (peering := self.peerings.get(session)) is not None and not peering.midway:
            self._join(peering)

    def whole(self, session: Session) -> None:
        """Hear that a recording held the whole table of a session after all."""
        peering = self.peerings.get(session)
        if peering is not None and peering.midway:
            self.epoch += 1
            peering.midway = False
            for table in self.by_session.get(session, ()):
                table.unfilled.clear()

    def _join(self, peering: Peering) -> None:
        peering.midway = True
        for table in self.by_session.get(peering.session, ()):
            held = {prefix for (prefix, _), route in table.routes.items() if route.lost_at is None}
            table.unfilled = {prefix for prefix in self.intent.watched if prefix not in held}

    def await_fill(self) -> None:
        """Routes are looked for in history from now on: what is withdrawn meanwhile is not put in by `fill`."""
        self.gone_meanwhile = set()

    def fill(self, routes: Iterable[Announced]) -> None:
        """Put in routes of what is newly watched, with the times of their announcements. No change comes of it."""
        gone, self.gone_meanwhile = self.gone_meanwhile or set(), None
        for route in routes:
            table = self.tables.get(route.source)
            if table is None or (route.prefix, route.path_id) in table.routes or self.sight(table) is Sight.DOWN:
                continue
            if (route.source, route.prefix, route.path_id) in gone:
                continue
            self.hold(table, route.prefix, route.path_id, route.attributes, route.at, None)
            if not table.complete:
                table.routes[route.prefix, route.path_id].lost_at = table.known_until or route.at
        for table in self.tables.values():
            table.unfilled.clear()
        self.epoch += 1

    # What each observation does.

    def _opened(self, feed: Feed, seen: FeedOpened) -> None:
        self.epoch += 1
        if not feed.open:
            self._open(feed, seen.at)
        feed.detail = " ".join(word for word in (seen.name, seen.description) if word) or feed.detail

    def _open(self, feed: Feed, at: datetime) -> None:
        self.epoch += 1
        feed.open, feed.since, feed.reason, feed.detail = True, at, None, ""
        feed.ready = feed.settled = False

    def _lost(self, feed: Feed, seen: FeedLost) -> None:
        self.epoch += 1
        feed.reason, feed.detail = seen.reason, seen.detail
        if not feed.open:
            feed.since = feed.since or seen.at
            return
        feed.since, feed.open, feed.ready, feed.settled, feed.midway = seen.at, False, False, False, False
        for session, peering in self.peerings.items():
            if session.router == feed.router:
                for table in self.by_session.get(session, ()):
                    self.expire(table, seen.at)
                peering.reported, peering.lost_at = False, peering.lost_at or seen.at

    def _up(self, feed: Feed, seen: SessionUp) -> None:
        """Duplicates merge: real routers repeat Peer Up for each view, and after a reconnect without any Peer Down."""
        peering = self._meet(feed, seen.session, seen.at)
        if feed.midway and not peering.midway and seen.local is None and seen.remote is None:
            self._join(peering)  # no Peer Up: it was up before
        peering.local, peering.remote = seen.local or peering.local, seen.remote or peering.remote

    def _meet(self, feed: Feed, session: Session, at: datetime) -> Peering:
        """The session is up: say so if that is news."""
        if not feed.open:
            self._open(feed, at)  # a stream that begins in the middle
        peering = self.peerings.get(session)
        if peering is None:
            self.forget_placeholder(session)
            peering = self.peerings[session] = Peering(session, Standing.UP, at)
            self.start(peering, at, gap=not feed.ready)
        elif not (peering.reported and peering.named and peering.standing is Standing.UP):
            gap = not peering.reported or peering.standing is Standing.UNMONITORED
            if not (gap and peering.standing is Standing.UP):
                peering.since, peering.not_before = at, peering.lost_at if gap else None
            if not peering.named:
                peering.since, peering.not_before, gap = at, None, not feed.ready
            peering.standing, peering.reported, peering.named = Standing.UP, True, True
            peering.lost_at, peering.reason, peering.detail = None, "", ""
            self.start(peering, at, gap)
        return peering

    def _down(self, feed: Feed, seen: SessionDown) -> list[Change]:
        if not feed.open:
            self._open(feed, seen.at)
        self.epoch += 1
        peering = self.peerings.get(seen.session)
        if peering is None:
            self.forget_placeholder(seen.session)
            peering = self.peerings[seen.session] = Peering(seen.session, Standing.DOWN, seen.at)
            for rib in self.ribs(seen.session):
                self.meet_table(Source(seen.session, rib), peering, seen.at)
        elif peering.reported and peering.named and peering.standing is Standing.UP:
            peering.since, peering.not_before = seen.at, None
        elif not peering.reported and peering.standing is Standing.UP:
            peering.since, peering.not_before = seen.at, peering.lost_at
        peering.reason, peering.detail = str(seen.reason), seen.detail
        peering.reported = peering.named = True
        if seen.reason in UNMONITORED or self._our_own_doing(seen):
            peering.standing, peering.lost_at = Standing.UNMONITORED, peering.lost_at or seen.at
            for table in self.by_session.get(seen.session, ()):
                self.expire(table, seen.at)
            return []
        if peering.standing is Standing.UP:
            peering.downs.append(seen.at)
        peering.standing, peering.lost_at = Standing.DOWN, None
        return [c for table in self.by_session.get(seen.session, ()) for c in self.empty(table, seen.at)]

    def _our_own_doing(self, seen: SessionDown) -> bool:
        """Whether our own collector closed the session by a Cease: that says nothing of the peer's routes.

        A hold timer that ran out is a local NOTIFICATION too, and does say something.
        """
        exporter = next((e for e in self.intent.exporters if e.name == seen.session.router), None)
        ours = exporter is not None and exporter.collector
        return ours and seen.reason is DownReason.LOCAL_NOTIFICATION and "cease" in seen.detail.lower()

    def _reached(self, feed: Feed, source: Source, at: datetime) -> Table:
        """Return the table of a source that was just heard; a route is proof that its session is up."""
        return self.meet_table(source, self._meet(feed, source.session, at), at)

    def _ended(self, feed: Feed, seen: TableComplete) -> None:
        if not self._is_down(seen.source.session):
            self._reached(feed, seen.source, seen.at).end_of_rib = True

    def _is_down(self, session: Session) -> bool:
        """Whether the router said so: what trails behind its Peer Down revives nothing, only an announcement does."""
        peering = self.peerings.get(session)
        return peering is not None and peering.reported and peering.standing is not Standing.UP

    def _announced(self, feed: Feed, seen: Announced) -> list[Change]:
        table = self._reached(feed, seen.source, seen.at)
        table.busy_until = seen.at
        held = table.routes.get((seen.prefix, seen.path_id))
        if held is not None and held.attributes == seen.attributes:
            if held.lost_at is not None:
                held.lost_at = None
                self.touch(table, held.prefix)
            return []
        stale = held is not None and held.lost_at is not None
        if stale or (held is None and table.gap):
            cause = Cause.RESYNC
            not_before = held.lost_at if held else table.known_until
        else:
            cause, not_before = Cause.UPDATE, None
        kind = ChangeKind.REPLACED if held else ChangeKind.ANNOUNCED
        before = held.attributes if held else None
        self.hold(table, seen.prefix, seen.path_id, seen.attributes, seen.at, not_before)
        return [
            Change(seen.at, kind, cause, seen.source, seen.prefix, seen.path_id, before, seen.attributes, not_before)
        ]

    def _withdrawn(self, feed: Feed, seen: Withdrawn) -> list[Change]:
        if self._is_down(seen.source.session):
            return []
        table = self._reached(feed, seen.source, seen.at)
        table.busy_until = seen.at
        held = table.routes.get((seen.prefix, seen.path_id))
        if self.gone_meanwhile is not None:
            self.gone_meanwhile.add((seen.source, seen.prefix, seen.path_id))
        if held is not None:
            return [self.drop(table, held, seen.at, Cause.UPDATE)]
        if self.hear_of(table, seen.prefix, seen.path_id):
            table.absences[seen.prefix] = Absence(seen.at, Cause.UPDATE)
            self.touch(table, seen.prefix)
        return []

    def _counted(self, feed: Feed, seen: StatsReported) -> None:
        peering = self.peerings.get(seen.session)
        if peering is not None:
            total = next((value for kind, _, _, value in seen.counts if kind == 7), None)
            by_family = [value for kind, _, _, value in seen.counts if kind == 9]
            peering.routes = total if total is not None else sum(by_family) if by_family else peering.routes


def _whose(observation: Heard) -> tuple[str, datetime]:
    match observation:
        case FeedOpened() | FeedLost() | MalformedSeen():
            return observation.router, observation.at
        case SessionUp() | SessionDown() | StatsReported():
            return observation.session.router, observation.at
        case TableComplete() | Announced() | Withdrawn():
            return observation.source.session.router, observation.at
