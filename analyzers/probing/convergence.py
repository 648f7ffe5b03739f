"""How each site came to rest after a change: episodes, put together from what BGP said and from what flows did.

An *event* is an update or a lost session for a service's prefix at an NVA, a Route Server instance or the site's own
vantages, a burst of lost probes, or a fixed flow that moved. Events no more than `QUIET` apart are one episode
(measuring-anycast.md 2.3). A region's withdrawal at a site belongs to the withdrawal of that region beside the NVAs,
however long the way between them took (`FAR`): such an episode is taken up again.

What differs after a gap of our sight (`Cause.RESYNC`) has no time, and is no event.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from analyzers.probing.plane import Burst, Plane
from anycast.change import Cause, Change, ChangeKind
from anycast.convergence import Episode
from anycast.intent import Intent, Rung, Vantage
from anycast.plain import Plain, parse_stamp, to_plain
from anycast.prefix import Prefix

QUIET: Final = 5.0  # seconds without an event
HEARD: Final = 2.0  # seconds until the loss of a probe is known here: its time limit, a batch, and some
FAR: Final = 240.0  # seconds that a withdrawal may be on its way to a site: a hold time, and a minute at a gateway
REMEMBERED: Final = 256  # events of each prefix
KEPT: Final = 256  # episodes that are over
MOVED: Final = 3  # flows that must move to be an event without any other

BESIDE: Final = frozenset((Rung.V1, Rung.V2))
ON_SITE: Final = frozenset((Rung.V5, Rung.V6))
WORDS: Final = {
    ChangeKind.WITHDRAWN: "withdrawn",
    ChangeKind.ANNOUNCED: "announced",
    ChangeKind.REPLACED: "changed",
}


@dataclass(frozen=True, slots=True)
class Move:
    """One event of the control plane."""

    at: float
    kind: ChangeKind
    rung: Rung
    vantage: str
    place: str
    """The region of V1 and V2, the site of V5 and V6."""
    region: str
    """Whose route it was (or is, where there was none)."""
    left: bool
    """That region's route is not there any more: withdrawn, or replaced by another region's."""
    lost: bool
    """The session went down, and the route with it."""

    @property
    def words(self) -> str:
        """What happened, and where."""
        if self.lost:
            return f"the session of {self.vantage} ({self.rung}) went down"
        return f"{WORDS[self.kind]} at {self.vantage} ({self.rung})"


class Moves:
    """What BGP last said of each service's prefix."""

    def __init__(self) -> None:
        self.by_prefix: dict[Prefix, deque[Move]] = {}
        self.noted = 0
        """Grows with each."""

    def learn(self, intent: Intent) -> None:
        """Take another intent."""
        watched = set(intent.watched)
        self.by_prefix = {prefix: moves for prefix, moves in self.by_prefix.items() if prefix in watched}

    def note(self, change: Change, key: str, vantage: Vantage, before: str | None, after: str | None) -> None:
        """Fold in a change of a service's prefix; `before` and `after` are the regions whose routes they are."""
        if change.cause is Cause.RESYNC or vantage.rung not in BESIDE | ON_SITE:
            return
        place = (vantage.region if vantage.rung in BESIDE else vantage.site) or ""
        move = Move(
            change.at.timestamp(),
            change.kind,
            vantage.rung,
            key,
            place,
            (after if change.before is None else before) or "",
            change.kind is ChangeKind.WITHDRAWN or (change.before is not None and before != after),
            change.cause is Cause.PEER_DOWN,
        )
        self.noted += 1
        self.by_prefix.setdefault(change.prefix, deque(maxlen=REMEMBERED)).append(move)

    def of(self, prefix: Prefix, site: str) -> list[Move]:
        """Return what concerns a site, in order of time."""
        moves = self.by_prefix.get(prefix, ())
        return sorted((m for m in moves if m.rung in BESIDE or m.place == site), key=lambda move: move.at)


Span = tuple[float, float]


class Settling:
    """One prefix at one site: the episode that goes on, and until when those before it were told."""

    def __init__(self, site: str, service: str, prefix: Prefix) -> None:
        self.site, self.service, self.prefix = site, service, prefix
        self.now: Episode | None = None
        """The episode that goes on."""
        self.burst: Burst | None = None
        """The last burst of it."""
        self.token: object = None
        """What it was last judged from,"""
        self.due = 0.0
        """and when something changes although nothing is heard."""
        self._told = 0.0

    def judge(self, moves: Iterable[Move], plane: Plane | None, now: float) -> Iterator[Episode]:
        """Look at all that is remembered; yield episodes that are over. One may come again, longer."""
        events = list(moves)
        bursts = list(plane.bursts) if plane is not None else []
        flows = [move[0] for move in plane.moves] if plane is not None else []
        links = self._links(events)
        since = min([self._told, *(cause - QUIET for cause, _ in links)])
        spans = [(move.at, move.at) for move in events] + [(burst.first, burst.last) for burst in bursts] + links
        spans += [(at, at) for at in flows if self._flock(at, flows) or any(near(at, span) for span in spans)]
        self.now = self.burst = None
        for first, last in _clusters(sorted(span for span in spans if span[0] > since)):
            episode = self._measure(first, last, events, bursts, flows, plane is not None)
            if now - last > QUIET + HEARD:
                self._told = last
                yield episode
            else:
                self.now, self.due = replace(episode, ended=None), last + QUIET + HEARD
                self.burst = next((burst for burst in reversed(bursts) if burst.first >= first), None)

    @staticmethod
    def _flock(at: float, flows: list[float]) -> bool:
        return sum(abs(other - at) <= QUIET for other in flows) >= MOVED

    def _links(self, events: list[Move]) -> list[Span]:
        """From each withdrawal beside the NVAs to that of the same region here, of which nothing was told yet."""
        links = []
        for here in events:
            if here.at > self._told and here.rung in ON_SITE and here.left:
                causes = [m for m in events if m.rung in BESIDE and m.region == here.region and m.at <= here.at]
                if causes and causes[-1].left and here.at - causes[-1].at <= FAR:
                    links.append((causes[-1].at, here.at))
        return links

    def _measure(
        self, first: float, last: float, events: list[Move], bursts: list[Burst], flows: list[float], seen: bool
    ) -> Episode:
        ours = [move for move in events if first <= move.at <= last]
        here = [move for move in ours if move.rung in ON_SITE]
        losses = [burst for burst in bursts if first <= burst.first <= last]
        moved = [at for at in flows if first <= at <= last]
        began_lost = min((burst.first for burst in losses), default=None)
        unnoticed = began_lost is not None and bool(ours) and began_lost < ours[0].at
        steps: dict[str, int] = {}
        for move in here:
            steps[move.vantage] = steps.get(move.vantage, 0) + 1
        return Episode(
            self.site,
            self.service,
            str(self.prefix),
            datetime.fromtimestamp(first, UTC),
            ours[0].words if ours and not unnoticed else "probes were lost" if losses else "flows moved",
            datetime.fromtimestamp(last, UTC),
            _region(ours, losses),
            ours[0].at - began_lost if began_lost is not None and unnoticed else None,
            here[-1].at - first if here else None,
            (max(b.last for b in losses) - min(b.first for b in losses) if losses else 0.0) if seen else None,
            sum(burst.lost for burst in losses),
            moved[-1] - first if moved else None,
            max(steps.values(), default=0),
        )


def near(at: float, span: Span) -> bool:
    """Whether a moment lies no further than `QUIET` from a span."""
    return span[0] - QUIET <= at <= span[1] + QUIET


def _clusters(spans: list[Span]) -> Iterator[Span]:
    began: float | None = None
    until = 0.0
    for first, last in spans:
        if began is not None and first - until > QUIET:
            yield began, until
            began = None
        began, until = (first, last) if began is None else (began, max(until, last))
    if began is not None:
        yield began, until


def _region(moves: list[Move], bursts: list[Burst]) -> str:
    gone = next((move.region for move in moves if move.left), None)
    if gone is not None:
        return gone
    places: dict[str, int] = {}
    for burst in bursts:
        for (region, _), lost in burst.places.items():
            places[region] = places.get(region, 0) + lost
    return max(sorted(places), key=lambda region: places[region], default=moves[0].region if moves else "")


Seen = tuple[Plane, Prefix] | None
"""The flows of one service at one site, and the prefix that they go to; None where nobody probes."""


class Convergence:
    """All that is measured of it."""

    def __init__(self, intent: Intent) -> None:
        self.moves = Moves()
        self.settling: dict[tuple[str, Prefix], Settling] = {}
        self.episodes: deque[Episode] = deque(maxlen=KEPT)
        """Those that are over, the latest last."""
        self.learn(intent)

    def learn(self, intent: Intent) -> None:
        """Take another intent."""
        self.moves.learn(intent)
        before, self.settling = self.settling, {}
        for site in intent.sites:
            for service in intent.services:
                for prefix in service.prefixes:
                    key = (site.name, prefix)
                    self.settling[key] = before.get(key) or Settling(site.name, service.name, prefix)

    def tick(self, seen: Callable[[str, str], Seen], now: float) -> None:
        """See what is over by `now`. `seen` finds the flows of a service at a site."""
        for (site, prefix), settling in self.settling.items():
            found = seen(site, settling.service)
            plane = found[0] if found is not None and found[1] == prefix else None
            moves = self.moves.by_prefix.get(prefix)
            token = (moves[-1] if moves else None, plane.version if plane is not None else 0)
            if settling.token == token and (settling.now is None or now <= settling.due):
                continue
            settling.token = token
            for episode in settling.judge(self.moves.of(prefix, site), plane, now):
                self._keep(episode)

    def _keep(self, episode: Episode) -> None:
        """Keep an episode that is over, in the place of one that it goes on with."""
        ended = [e for e in self.episodes if (e.site, e.prefix) == (episode.site, episode.prefix) and e.ended]
        for old in ended:
            if old.ended is not None and old.ended >= episode.began:
                self.episodes.remove(old)
        self.episodes.append(episode)

    def plain(self) -> Plain:
        """Return what survives a restart: what is over. What goes on is measured from the restart on."""
        return [to_plain(e) for e in sorted(self.episodes, key=lambda e: (e.began, e.site, e.service, e.prefix))]

    def restore(self, plain: Plain) -> None:
        """Take it back."""
        for shown in plain:
            times = {name: parse_stamp(shown[name]) for name in ("began", "ended") if name in shown}
            self.episodes.append(Episode(**(dict.fromkeys(_OPTIONAL) | shown | times)))


_OPTIONAL: Final = ("ended", "detection", "control_plane", "outage", "remap")
