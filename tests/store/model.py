"""What the journal should answer, worked out the slow way: everything that happened, one thing after the other."""

from dataclasses import dataclass, field

from anycast.change import Presence
from anycast.columns import Phase, SessionEvent

QUIET = 5.0


@dataclass(frozen=True)
class Happening:
    """A session event, or a route of a session announced (attributes above 0) or withdrawn."""

    at: float
    router: str
    peer: int
    """0 for an event of the feed."""
    event: SessionEvent | None = None
    deconfigured: bool = False
    prefix: str = ""
    path_id: int = 0
    rib: int = 0
    attributes: int = 0
    phase: Phase = Phase.LIVE


@dataclass
class Path:
    attributes: int
    since: float
    fresh: bool = True
    """Said after the last break."""
    repeatable: bool = True
    """No event of the session since."""


@dataclass
class Table:
    paths: dict[tuple[str, int], Path] = field(default_factory=dict)
    last_dump: float = 0
    done: bool = False

    def tick(self, at: float) -> None:
        self.done = self.done or at - self.last_dump >= QUIET


@dataclass
class Peer:
    sight: str = ""
    since: float = 0
    tables: dict[int, Table] = field(default_factory=dict)

    def broken(self, sight: str) -> None:
        self.sight = sight
        for table in self.tables.values():
            for path in table.paths.values():
                path.fresh = False


Answer = set[tuple[str, int, int, int, Presence, float | None, int]]
"""Router, peer, RIB view, path id, presence, since, attributes."""


def simulate(happenings: list[Happening], at: float, prefix: str) -> Answer:
    """Everything known of a prefix at a time."""
    peers: dict[tuple[str, int], Peer] = {}
    for what in happenings:
        if what.at > at:
            break
        if what.event is None:
            _route(peers.setdefault((what.router, what.peer), Peer()), what)
        elif what.peer:
            _event(peers.setdefault((what.router, what.peer), Peer()), what)
        else:
            for (router, _), peer in peers.items():
                if router == what.router:
                    _unrepeatable(peer)
                    if peer.sight:
                        peer.broken("blind")
    answers: Answer = set()
    for (router, number), peer in peers.items():
        for rib, table in peer.tables.items():
            table.tick(at)
            answers |= {(router, number, rib, *shown) for shown in _shown(peer, table, prefix)}
    return answers


def _unrepeatable(peer: Peer) -> None:
    for table in peer.tables.values():
        for path in table.paths.values():
            path.repeatable = False


def _event(peer: Peer, what: Happening) -> None:
    _unrepeatable(peer)
    if what.event is SessionEvent.PEER_DOWN:
        peer.broken("blind" if what.deconfigured else "down")
    elif peer.sight != "up":
        peer.broken("up")
        peer.since = what.at
        for table in peer.tables.values():
            table.last_dump, table.done = what.at, False


def _route(peer: Peer, what: Happening) -> None:
    table = peer.tables.setdefault(what.rib, Table(last_dump=peer.since))
    if what.phase is Phase.DUMP:
        table.tick(what.at)
        table.last_dump = what.at
    key = what.prefix, what.path_id
    before = table.paths.get(key)
    again = what.phase is Phase.DUMP and before and before.repeatable and before.attributes == what.attributes
    if not again:
        table.paths[key] = Path(what.attributes, what.at)


def _shown(peer: Peer, table: Table, prefix: str) -> set[tuple[int, Presence, float | None, int]]:
    paths = {path_id: path for (seen, path_id), path in table.paths.items() if seen == prefix}
    shown: set[tuple[int, Presence, float | None, int]] = set()
    unknown = peer.sight == "blind" or (peer.sight == "up" and not table.done)
    for path_id, path in paths.items():
        if path.attributes and (path.fresh or unknown):
            presence = Presence.PRESENT if path.fresh else Presence.UNKNOWN
            shown.add((path_id, presence, path.since, path.attributes))
    if shown:
        return shown
    withdrawn = any(path.fresh and not path.attributes for path in paths.values())
    presence = Presence.ABSENT if withdrawn or (peer.sight and not unknown) else Presence.UNKNOWN
    return {(0, presence, None, 0)}
