"""How the view keeps tables: placing, holding and dropping routes, and the index by prefix."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime

from analyzers.reading import Reading
from analyzers.recognise import MICROSOFT
from analyzers.state import REMEMBERED_DOWNS, Absence, Held, Peering, Standing, Table
from anycast.change import Cause, Change, ChangeKind
from anycast.intent import Vantage
from anycast.observation import Session, Source
from anycast.prefix import Prefix
from anycast.route import Attributes


class Holding(Reading):
    """The view's state and every way to write its tables."""

    def start(self, peering: Peering, at: datetime, gap: bool) -> None:
        """A session is up from `at` on: its tables begin to load."""
        self.epoch += 1
        peering.midway = False
        for rib in self.ribs(peering.session):
            self.meet_table(Source(peering.session, rib), peering, at)
        for table in self.by_session.get(peering.session, ()):
            table.complete, table.end_of_rib = False, False
            table.loading_since = table.busy_until = at
            table.gap = gap
            self.loading.setdefault(peering.session.router, {})[table] = None

    def empty(self, table: Table, at: datetime) -> list[Change]:
        """Drop every route of a table whose session is down; return the changes."""
        changes = [self.drop(table, held, at, Cause.PEER_DOWN) for held in tuple(table.routes.values())]
        table.complete, table.loading_since, table.gap, table.known_until = False, None, False, None
        table.unfilled.clear()
        self.loading.get(table.source.session.router, {}).pop(table, None)
        return changes

    def drop(self, table: Table, held: Held, at: datetime, cause: Cause) -> Change:
        """Drop one route; a stale one went at an unknown time since we lost sight of it."""
        not_before = held.lost_at
        cause = cause if not_before is None else Cause.RESYNC
        del table.routes[held.prefix, held.path_id]
        if self.release(table, held) and self.recogniser.relevance(held.prefix).service is not None:
            table.absences[held.prefix] = Absence(at, cause, not_before)
            if cause is Cause.UPDATE:
                table.downs.setdefault(held.prefix, deque(maxlen=REMEMBERED_DOWNS)).append(at)
        return Change(
            at,
            ChangeKind.WITHDRAWN,
            cause,
            table.source,
            held.prefix,
            held.path_id,
            held.attributes,
            None,
            not_before,
        )

    def note(self, changes: Iterable[Change]) -> None:
        """Remember for a while what changed of services' prefixes, and of what lies inside or covers them."""
        for change in changes:
            how = self.recogniser.relevance(change.prefix)
            if how.touches:
                exact = (change.prefix,) if how.service is not None else ()
                self.recent.note(change, (*exact, *(prefix for _, prefix in (*how.inside_of, *how.covers))))
                if exact and (vantage := self.seat(change.source)) is not None:
                    before, after = (self._region(vantage, change.source, a) for a in (change.before, change.after))
                    self.convergence.moves.note(change, self.key(change.source, vantage), vantage, before, after)

    def _region(self, vantage: Vantage, source: Source, attributes: Attributes | None) -> str | None:
        return None if attributes is None else self.recogniser.region(vantage, source.session.peer, attributes)

    def let_go(self, table: Table, held: Held) -> None:
        """Hold a route no longer, without saying that it is gone: nobody knows."""
        del table.routes[held.prefix, held.path_id]
        self.release(table, held)

    def release(self, table: Table, held: Held) -> bool:
        """Take a dropped route out of the index by prefix; say whether it was the table's last for the prefix."""
        self.touch(table, held.prefix)
        tables = self.holders.get(held.prefix)
        if tables is None:
            return True
        kept = [other for other in tables.get(table, ()) if other is not held]
        if kept:
            tables[table] = kept
            return False
        tables.pop(table, None)
        if not tables:
            del self.holders[held.prefix]
        return True

    def forget(self, session: Session) -> None:
        """Forget a session and its routes; not an event, for nobody speaks of it any more."""
        self.epoch += 1
        for table in self.by_session.pop(session, ()):
            for held in tuple(table.routes.values()):
                self.release(table, held)
            self.loading.get(session.router, {}).pop(table, None)
            del self.tables[table.source], self.by_key[table.key]
        self.peerings.pop(session, None)

    def hold(
        self,
        table: Table,
        prefix: Prefix,
        path_id: int,
        attributes: Attributes,
        at: datetime,
        not_before: datetime | None,
    ) -> None:
        """Hold a route, in the place of the one with the same prefix and path id."""
        before = table.routes.get((prefix, path_id))
        held = Held(prefix, path_id, attributes, before.since if before else at, at, not_before)
        self._judge_route(table, held)
        table.routes[prefix, path_id] = held
        relevance = self.recogniser.relevance(prefix)
        if relevance.matters:
            holders = self.holders.setdefault(prefix, {}).setdefault(table, [])
            if before is not None:
                holders.remove(before)
            holders.append(held)
        if relevance.service is not None:
            table.absences.pop(prefix, None)
            self.hear_of(table, prefix, path_id)
            if held.region is not None and relevance.service.placement(held.region) is not None:
                table.peering.carried = True
        self.touch(table, prefix)

    @staticmethod
    def hear_of(table: Table, prefix: Prefix, path_id: int) -> bool:
        """Something was said of a prefix: nothing of before counts any more, but where paths are told apart. Whether it
        was unknown."""
        unknown = prefix in table.unfilled and path_id == 0
        if unknown:
            table.unfilled.discard(prefix)
        return unknown

    def _judge_route(self, table: Table, held: Held) -> None:
        held.region = self.recogniser.region(table.vantage, table.source.session.peer, held.attributes)
        held.legitimate = self.recogniser.legitimate_origin(held.region, held.attributes)
        service = self.recogniser.relevance(held.prefix).service
        placed = service is not None and held.region is not None and service.placement(held.region) is not None
        held.plain = placed and held.attributes.as_path.asns == (MICROSOFT,)

    def expire(self, table: Table, at: datetime) -> None:
        """We cannot see a table's routes since `at`: keep them, marked stale."""
        table.expire(at)
        self.loading.get(table.source.session.router, {}).pop(table, None)

    def meet_table(self, source: Source, peering: Peering, at: datetime) -> Table:
        """Return the table of a source, which begins to load when it is new and its session up."""
        table = self.tables.get(source)
        if table is None:
            table = self.place(Table(source, str(source), None, peering))
            if peering.standing is Standing.UP:
                self.epoch += 1
                table.gap = not self.feed(source.session.router).ready
                table.loading_since = table.busy_until = at
                table.unfilled = set(self.intent.watched) if peering.midway else set()
                self.loading.setdefault(source.session.router, {})[table] = None
        return table

    def place(self, table: Table) -> Table:
        """Give a table its vantage and key under the present intent, and index it."""
        table.vantage = self.seat(table.source)
        key = self.key(table.source, table.vantage)
        taken = self.by_key.get(key)
        if taken is not None and taken.source != table.source:
            key = f"{key}@{table.source.session.distinguisher:x}"
        table.key = key
        self.tables[table.source] = table
        self.by_key[key] = table
        self.by_session.setdefault(table.source.session, []).append(table)
        return table

    def forget_placeholder(self, session: Session) -> None:
        """A session of the intent was presumed down; here it is, under a fuller identity."""
        for other in [s for s, p in self.peerings.items() if not p.named and _alike(s, session)]:
            self.forget(other)

    def seat_again(self, peering: Peering) -> None:
        """Give a session views that only a new intent speaks of: complete, and nothing known of any service."""
        for rib in self.ribs(peering.session):
            source = Source(peering.session, rib)
            if source not in self.tables:
                table = self.place(Table(source, str(source), None, peering))
                table.unfilled = set(self.intent.watched)
                table.complete = peering.reported and peering.standing is Standing.UP

    def keep_relevant(self, table: Table, whole: bool) -> None:
        """Judge a table's routes anew under a new intent, and let go those that it does not watch."""
        for key, held in tuple(table.routes.items()):
            relevance = self.recogniser.relevance(held.prefix)
            if not (whole or relevance.touches):
                del table.routes[key]
                continue
            self._judge_route(table, held)
            if relevance.matters:
                self.holders.setdefault(held.prefix, {}).setdefault(table, []).append(held)
        watched = set(self.intent.watched)
        table.absences = {prefix: absence for prefix, absence in table.absences.items() if prefix in watched}
        table.downs = {prefix: downs for prefix, downs in table.downs.items() if prefix in watched}


def _alike(one: Session, other: Session) -> bool:
    return one.router == other.router and one.peer == other.peer
