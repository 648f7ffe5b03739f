"""One exporter's BMP feed: octets and their time of receipt in, `Heard` out. No sockets, no clock.

Compiled code takes Route Monitoring as long as it is ordinary; everything else goes message by message through
`collector.bmp.messages`, where the rules are. Only when the framing itself is wrong does the feed end, and no other
feed with it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final

import numpy as np

from anycast.observation import Announced, LostReason, Observation, Session, Source
from anycast.prefix import Family
from anycast.route import Attributes
from collector.batch import AttributeTable, RouteBatch
from collector.bmp.counters import FeedCounters
from collector.bmp.ids import SessionIds
from collector.bmp.intake import Intake
from collector.bmp.messages import FEED_CLOSED, Messages
from collector.bmp.own_as import without_own_as
from collector.bmp.peers import PeerTable
from collector.bmp.quarantine import Quarantine
from collector.bmp.recorder import Recorder, Resolve, moment
from collector.bmp.watch import Watch
from collector.heard import Heard
from collector.wire.bgp.path import attributes_of
from collector.wire.bmp.frames import LONGEST, Framer

ROWS: Final = 1 << 15
"""Rows of one slice: two milliseconds of compiled code."""
PLAIN: Final = 32
"""Messages of one slice that the plain decoder takes: a few milliseconds of it."""
PIECE: Final = 512
"""Observations in one `Heard`: whoever judges them must not hold up the others."""
QUIET: Final = 5.0
LONGEST_DUMP: Final = 600.0
"""Seconds: of silence that end a dump, and after which a view is live whatever comes (the `phase` column)."""


class BmpFeed:
    """One connection of one exporter, from its first octet to its end."""

    def __init__(
        self, router: str, table: AttributeTable, ids: SessionIds, watch: Watch, *, quiet: float = QUIET
    ) -> None:
        """`router` is the exporter's name; `table` and `ids` are shared with the other feeds of one data folder."""
        from collector.kernel.decode import Stop
        from collector.kernel.decode import decode as kernel
        from collector.kernel.rows import Rows

        self._kernel, self._stop, self._rows = kernel, Stop, Rows
        self.router = router
        self._table = table
        self._peers = PeerTable(quiet, LONGEST_DUMP)
        self._recorder = Recorder(ROWS)
        self._messages = Messages(router, table, ids, self._peers, self._recorder)
        self._quarantine = Quarantine(self._carried)
        self._intake = Intake()
        self._watch, self._whole = watch, np.zeros(0, np.uint32)
        self._asked: set[int] = set()
        scratch = np.zeros(1 << 10, np.uint64)
        self._work = scratch.view(np.uint8), scratch, np.zeros(8, np.uint64)
        self._leftover: Iterator[Observation] | None = None
        self._last = 0
        self._routes: Counter[Session] = Counter()
        self._given_up: int | None = None

    @property
    def name(self) -> str:
        """The router's own sysName; empty while unknown."""
        return self._messages.name

    @property
    def description(self) -> str:
        """The router's own description; empty while unknown."""
        return self._messages.description

    @property
    def ended(self) -> LostReason | None:
        """Why the feed is over; whoever owns the socket closes it then."""
        return self._messages.ended

    @property
    def waiting(self) -> int:
        """Octets received and not yet taken."""
        return self._intake.waiting

    @property
    def more(self) -> bool:
        """Whether `take` may have something to do at once, without more octets."""
        return self._leftover is not None or not self._intake.starved

    def counted(self) -> FeedCounters:
        """Return the counts so far, a copy."""
        counted = FeedCounters()
        counted.add(self._messages.counters)
        counted.orphan_messages += self._peers.of_orphans()
        counted.quarantined = self._quarantine.count
        return counted

    def watch(self, watch: Watch) -> None:
        """Watch something else from the next slice on."""
        self._watch, self._whole = watch, np.zeros(0, np.uint32)
        self._asked.clear()

    def quiet_after(self, seconds: float) -> None:
        """Let so many seconds of silence end a dump from now on."""
        self._peers.quiet_after(seconds)

    def feed(self, chunk: bytes, at: int) -> None:
        """Add octets received at `at` (ns since 1970), in the order of the stream."""
        if self.ended is None:
            self._intake.put(chunk, at)
            self._messages.counters.octets += len(chunk)

    def take(self) -> Heard | None:
        """Decode one slice, of at most about 5 ms; None when there is no whole message left."""
        if self._leftover is not None:
            return self._piece({}, ())
        if self.ended is not None or not self._intake.load():
            return None
        self._table.turn(self._intake.day)
        plain = 0
        while self._run() and plain < PLAIN:
            frame, self._last = self._intake.frame()
            if not self._messages.apply(frame, self._last):
                break
            self._intake.at += len(frame)
            plain += 1
            if self._over():
                break
        return None if self._recorder.empty else self._hand_over()

    def _over(self) -> bool:
        """Whether the last message ended the feed; nothing after it counts."""
        if self.ended is not None:
            self._intake.drop()
        return self.ended is not None

    def give_up(self, yes: bool = True) -> Session | None:
        """Leave the heaviest session's unwatched routes out of the bulk lane, or no longer; returns the session.

        The last resort but one when we cannot keep up: the gap in history is counted in `given_up`.
        """
        session, _ = max(self._routes.items(), key=lambda item: item[1], default=(None, 0)) if yes else (None, 0)
        numbers = {known: number for number, known in self._messages.sessions.items()}
        self._given_up = None if session is None else numbers[session]
        return session

    def lose(self, reason: LostReason, detail: str, at: int) -> Heard | None:
        """End the feed for a reason outside the stream, at `at` (ns); None when it never opened or has ended already.

        Take everything first: what is left is forgotten.
        """
        self._intake.drop()
        if not self._messages.opened or self.ended is not None:
            return None
        self._last = max(self._last, at)
        self._messages.lost(reason, detail, self._last)
        return self._hand_over()

    def fail(self, at: int) -> Heard | None:
        """End the feed, at `at` (ns), after an error of our own: what it had in hand is forgotten."""
        self._leftover = None
        self._recorder.clear()
        self._table.forget()  # what was new in hand is lost with it: so that each set comes again
        return self.lose(LostReason.MALFORMED, "decoding failed by an error of our own; see the log", at)

    def _run(self) -> bool:
        """Let compiled code take what it can; True when the next message is for the plain decoder."""
        intake, recorder, counters = self._intake, self._recorder, self._messages.counters
        while True:
            at, count, messages, stop, clock = self._kernel(
                intake.buffer,
                np.uint64(intake.at),
                np.uint64(LONGEST),
                intake.marks,
                intake.times,
                self._peers.arrays,
                self._table.arrays,
                self._rows(*recorder.scratch.columns),
                np.uint64(recorder.count),
                self._work,
                recorder.clock,
            )
            if messages:
                self._last = int(intake.times[np.searchsorted(intake.marks, at)])
                counters.messages += int(messages)
                counters.by_type["route-monitoring"] += int(messages)
            intake.at, recorder.count, recorder.clock = int(at), int(count), int(clock)
            if stop == self._stop.ROOM:
                self._table.grow()
                continue
            intake.starved = bool(stop == self._stop.END)
            if stop == self._stop.BROKEN:
                self._broken()
            return bool(stop == self._stop.PLAIN)

    def _broken(self) -> None:
        """What comes next is no BMP message: nothing after it can be trusted, and the feed ends."""
        self._last = int(self._intake.times[-1])
        framer = Framer(LONGEST)
        framer.offset = self._intake.taken + self._intake.at
        framer.feed(self._intake.drop())
        reason = framer.failure.reason if framer.failure else "what comes here is no BMP message"
        self._messages.open(self._last)
        self._messages.malformed(None, reason, FEED_CLOSED, framer.pending, self._last)
        self._messages.lost(LostReason.MALFORMED, reason, self._last)

    def _hand_over(self) -> Heard:
        taken, sessions = self._recorder.take(self._table), self._messages.sessions
        wanted = self._watch.rows(taken.batch, self._watched_whole())
        counters = self._messages.counters
        counters.routes += len(taken.batch)
        counters.judged += len(wanted)
        resolve: Resolve = self._table.attributes
        if len(wanted) > PIECE:
            resolve = self._resolver(np.unique(taken.batch.attributes[wanted]))
        self._leftover = self._judged(taken.observations(wanted, sessions, resolve))
        busy = taken.busy(sessions)
        for session, routes in busy:
            self._routes[session] += routes
        if kept := self._kept(taken.batch, wanted):
            taken.tables["routes"] = kept.to_arrow()
        return self._piece(taken.tables, busy)

    def _kept(self, batch: RouteBatch, wanted: Any) -> RouteBatch:
        """The rows of the bulk lane: all of them, unless some of a session's are given up."""
        if self._given_up is None:
            return batch
        keep = batch.session != self._given_up
        keep[wanted] = True
        self._messages.counters.given_up += int(len(batch) - np.count_nonzero(keep))
        return batch.select(keep)

    def _watched_whole(self) -> Any:
        """Numbers of the sessions watched whole; each session is asked about once."""
        new = [number for number in self._messages.sessions if number not in self._asked]
        if new:
            self._asked.update(new)
            wanted = [number for number in new if self._watch.whole(self._messages.sessions[number])]
            self._whole = np.array(sorted([*self._whole.tolist(), *wanted]), np.uint32)
        return self._whole

    def _piece(self, tables: dict[str, Any], busy: tuple[tuple[Any, int], ...]) -> Heard:
        """The next observations of the slice."""
        assert self._leftover is not None
        observations = tuple(islice(self._leftover, PIECE))
        if len(observations) < PIECE:
            self._leftover = None
        return Heard(moment(self._last), self.router, observations, tables, busy)

    def _judged(self, observations: Iterator[Observation]) -> Iterator[Observation]:
        """What may be judged, as it was sent."""
        for observation in observations:
            for seen in (observation,) if self._messages.midway else self._quarantine.through(observation):
                yield self._as_sent(seen)

    def _carried(self, source: Source) -> bool:
        peer = self._peers.get(source.session)
        return peer is not None and bool(peer.context(source.rib, False).add_path)

    def _as_sent(self, observation: Observation) -> Observation:
        """A route as its peer sent it, without the exporter's own AS in front."""
        if not isinstance(observation, Announced):
            return observation
        peer = self._peers.get(observation.source.session)
        if peer is None or peer.sent is None or peer.received is None:
            return observation
        asns = peer.sent.asn, peer.received.asn
        attributes = without_own_as(observation.attributes, observation.source.rib, *asns)
        if attributes is observation.attributes:
            return observation
        self._messages.counters.own_as += 1
        return replace(observation, attributes=attributes)

    def _resolver(self, identities: Any) -> Resolve:
        """Attributes for a slice in pieces, also when the table forgets them between two."""
        blobs = {int(identity): self._table.blob(int(identity)) for identity in identities if identity}

        def attributes(identity: int, family: Family | None) -> Attributes:
            try:
                return self._table.attributes(identity, family)
            except KeyError:
                return attributes_of(*blobs[identity], family)

        return attributes
