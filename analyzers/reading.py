"""The reading side of the view: what is seen where, since when, and what cannot be known now."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from analyzers.probing import Probing
from analyzers.probing.convergence import Convergence
from analyzers.recent import Recent
from analyzers.recognise import Recogniser
from analyzers.state import Absence, Feed, Held, Peering, Sight, Standing, Table
from anycast.change import Cause, Presence
from anycast.intent import Intent, Vantage
from anycast.observation import Rib, Session, Source
from anycast.prefix import Prefix
from anycast.sink import SinkStatus

T = TypeVar("T")


class Reading:
    """The view's state and the questions it answers; `View` adds what changes it."""

    def __init__(self, intent: Intent) -> None:
        self.started: datetime | None = None
        """The first time that anything was folded since we began (again)."""
        self.feeds: dict[str, Feed] = {}
        self.peerings: dict[Session, Peering] = {}
        self.tables: dict[Source, Table] = {}
        self.by_key: dict[str, Table] = {}
        self.by_session: dict[Session, list[Table]] = {}
        self.holders: dict[Prefix, dict[Table, list[Held]]] = {}
        """Routes that an analyzer asks for, by prefix: of services, inside or covering them, or inside a VNet."""
        self.loading: dict[str, dict[Table, None]] = {}
        self.epoch = 0
        """Grows when a session, a feed or a table's completeness changes."""
        self.touched: dict[Prefix, int] = {}
        self.touches = 0
        """Grows with each change of any route."""
        self.gone_meanwhile: set[tuple[Source, Prefix, int]] | None = None
        """Routes withdrawn while history is asked for what is newly watched; None when it is not."""
        self._remembered: dict[object, tuple[object, object]] = {}
        self.probing = Probing(intent)
        """What agents report of their sites."""
        self.convergence = Convergence(intent)
        """How sites came to rest after changes."""
        self.sinks: Sequence[SinkStatus] = ()
        """How sinks of time series stand: not heard, but told by whoever judges."""
        self.recent = Recent()
        """What changed of services' prefixes in the last minutes."""
        self.learn(intent)

    def learn(self, intent: Intent) -> None:
        """Take an intent; what is worked out of it is worked out anew."""
        self.intent = intent
        self.probing.learn(intent)
        self.convergence.learn(intent)
        self.recent.learn(intent.watched)
        self.recogniser = Recogniser(intent)
        self.wildcards = tuple(v for v in intent.vantages if for_every_peer(v))
        self.named = tuple(v for v in intent.vantages if not for_every_peer(v))
        self._remembered.clear()
        self.epoch += 1
        for exporter in intent.exporters:
            self.feed(exporter.name)

    def feed(self, router: str) -> Feed:
        """Return what is known of a router's feed; an unknown router's is one that never was open."""
        return self.feeds.setdefault(router, Feed(router))

    # Names.

    def seat(self, source: Source) -> Vantage | None:
        """Return the vantage of a source; a vantage for every peer does not stand for a Loc-RIB, nor the reverse."""
        vantage = self.intent.vantage(source)
        if vantage is not None and (source.session.peer is None) != (vantage.rib is Rib.LOC):
            return None
        return vantage

    def ribs(self, session: Session) -> tuple[Rib, ...]:
        """Return the views of a session that the intent speaks of."""
        ours = {v.rib for v in self.intent.vantages if v.exporter == session.router}
        return tuple(rib for rib in Rib if rib in ours and self.seat(Source(session, rib)) is not None)

    @staticmethod
    def key(source: Source, vantage: Vantage | None) -> str:
        """Name a source as findings do: its vantage's name, `name/peer` under a vantage for every peer, or its text."""
        if vantage is None:
            return str(source)
        if vantage.peer is None and source.session.peer is not None:
            return f"{vantage.name}/{source.session.peer}"
        return vantage.name

    # Sight.

    def sight(self, table: Table) -> Sight:
        """Say how much can be said about the routes of a table."""
        peering = table.peering
        if not peering.reported or not self.feeds[peering.session.router].open:
            return Sight.UNKNOWN
        if peering.standing is Standing.UP:
            return Sight.KNOWN if table.complete else Sight.LOADING
        return Sight.DOWN if peering.standing is Standing.DOWN else Sight.UNKNOWN

    def unknown(self) -> frozenset[str]:
        """Return the names of the vantages of which absence proves nothing now."""
        unseen = {v.name for v in self.named if v.name not in self.by_key}
        unready = {v.name for v in self.wildcards if not self.feed(v.exporter).ready}
        blurred = {key for key, table in self.by_key.items() if self.sight(table) in (Sight.UNKNOWN, Sight.LOADING)}
        return frozenset(unseen | unready | blurred) | self.probing.unknown()

    def under(self, vantage: Vantage) -> tuple[str, ...]:
        """Return the keys that a vantage of the intent stands for: its own, or one for each session seen."""
        if not for_every_peer(vantage):
            return (vantage.name,)
        return tuple(key for key, table in self.by_key.items() if table.vantage is vantage)

    # Routes.

    def table(self, where: str | Source) -> Table | None:
        """Return the table of a vantage or a source; None where nothing was ever heard of it."""
        return self.by_key.get(where) if isinstance(where, str) else self.tables.get(where)

    def routes(self, where: str | Source, prefix: Prefix) -> tuple[Held, ...]:
        """Return the fresh routes to `prefix` there."""
        table = self.table(where)
        return () if table is None else self.fresh(table, prefix)

    def fresh(self, table: Table, prefix: Prefix) -> tuple[Held, ...]:
        """Return the routes of a table to `prefix` that were not lost from sight."""
        indexed = self.holders.get(prefix)
        if indexed is not None:
            return tuple(held for held in indexed.get(table, ()) if held.lost_at is None)
        if self.recogniser.relevance(prefix).matters:
            return ()
        return tuple(h for (known, _), h in table.routes.items() if known == prefix and h.lost_at is None)

    def presence(self, where: str | Source, prefix: Prefix) -> Presence:
        """Say whether a route to `prefix` is there: present, absent, or unknown."""
        table = self.table(where)
        if table is None:
            return Presence.UNKNOWN
        match self.sight(table):
            case Sight.UNKNOWN:
                return Presence.UNKNOWN
            case Sight.DOWN:
                return Presence.ABSENT
            case Sight.KNOWN | Sight.LOADING as sight:
                if self.fresh(table, prefix):
                    return Presence.PRESENT
                known = sight is Sight.KNOWN and prefix not in table.unfilled
                return Presence.ABSENT if known else Presence.UNKNOWN

    def since(self, where: str | Source, prefix: Prefix) -> Absence | None:
        """Return since when a prefix is present or absent there, as an `Absence` for both; None while unknown."""
        table, presence = self.table(where), self.presence(where, prefix)
        if table is None or presence is Presence.UNKNOWN:
            return None
        return seen_since(table, prefix, self.fresh(table, prefix))

    def best(self, where: str | Source, prefix: Prefix) -> Held | None:
        """Return the route chosen at a best-path vantage (V6); None when there is none or it is unknown."""
        return next(iter(self.routes(where, prefix)), None)

    def count(self, where: str | Source) -> int | None:
        """Return how many routes a session holds: counted where it is watched whole, else as its router says."""
        table = self.table(where)
        if table is None or self.sight(table) is not Sight.KNOWN:
            return None
        whole = table.vantage is not None and table.vantage.whole
        return len(table.routes) if whole else table.peering.routes

    # Remembering what is worked out of all this.

    def touch(self, table: Table, prefix: Prefix) -> None:
        """Note that routes to `prefix` changed there."""
        table.version += 1
        self.touches += 1
        if self.recogniser.relevance(prefix).matters:
            self.touched[prefix] = self.touched.get(prefix, 0) + 1

    def remembered(self, name: object, token: object) -> object | None:
        """Return what was kept under `name`, if it was worked out of the same state."""
        kept = self._remembered.get(name)
        return kept[1] if kept is not None and kept[0] == token else None

    def remember(self, name: object, token: object, value: T) -> T:
        """Keep a value that was worked out of the state that `token` stands for, and return it."""
        self._remembered[name] = (token, value)
        return value

    def sessions(self) -> Mapping[Session, Peering]:
        """Return every session that is remembered."""
        return self.peerings


def for_every_peer(vantage: Vantage) -> bool:
    """Whether a vantage stands for every peer of its exporter; a Loc-RIB has no peer and stands for itself."""
    return vantage.peer is None and vantage.rib is not Rib.LOC


def seen_since(table: Table, prefix: Prefix, fresh: tuple[Held, ...]) -> Absence:
    """Since when `prefix` is as it is at a table whose sight is not unknown."""
    if fresh:
        first = min(fresh, key=lambda held: held.since)
        return Absence(first.since, Cause.UPDATE, first.not_before if first.since == first.changed else None)
    if prefix in table.absences:
        return table.absences[prefix]
    if table.peering.standing is Standing.DOWN:
        return Absence(table.peering.since, Cause.PEER_DOWN, table.peering.not_before)
    return Absence(table.known_since or table.peering.since, Cause.RESYNC)
