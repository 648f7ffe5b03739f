"""The daemon's own parts on a virtual clock: feeds, view, judging, ledger, and (where asked for) the journal.

Nothing here looks at a clock. Between two moments of the recording everything happens that is due by itself (quiet
timers, hold-downs, ends of maintenance), each at its own time, so that the same recording tells the same story every
time, at any speed, and however its octets are cut.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from alerts.incidents.fold import Incidents
from alerts.ledger import Ledger
from alerts.outbox import Telling
from analyzers.due import next_due
from analyzers.view import View
from anycast.change import Change
from anycast.finding import Finding, Kind, Record, Transition
from anycast.incident import Development, Incident, latest
from anycast.intent import Intent
from anycast.observation import LostReason, Session
from anycast.situation import Event
from collector.batch import AttributeTable
from collector.bmp.counters import FeedCounters
from collector.bmp.ids import Numbered
from collector.bmp.recorder import moment as time_of
from collector.bmp.session import BmpFeed
from collector.heard import Heard
from collector.recorded.moment import Moment, What
from pipeline.gauges import Gauges
from pipeline.hearing import watch_of
from pipeline.judging import Judging
from pipeline.memory import Memory, hold_downs
from pipeline.tables import changes_table
from pipeline.timeline import Timeline
from store.schema import Submission
from store.writer import JournalBehind

TOGETHER: Final = 1_000_000
"""Nanoseconds: moments that are no farther apart are judged together, as they would be live."""
TICK: Final = timedelta(seconds=1)
"""How often a finding that fades with time alone (flapping) is looked at."""
FADING: Final = frozenset((Kind.FLAPPING,))

Tell = Callable[[Sequence[Event]], None]


class Telltale(Timeline):
    """A timeline that hands each of its lines on."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def publish(self, events: Iterable[Event]) -> None:
        """Hand numbered events on."""
        self._tell(tuple(events))


class Gathering(Ledger):
    """A ledger of which each step goes into incidents at once."""

    def __init__(self, intent: Intent) -> None:
        super().__init__(hold_downs(intent), intent.windows)
        self._incidents = Incidents(intent)
        self.developments: list[Development] = []

    def judge(self, findings: Iterable[Finding], unknown: frozenset[str], now: datetime) -> tuple[Transition, ...]:
        """Judge as the ledger does, and gather what came of it."""
        steps = super().judge(findings, unknown, now)
        self.developments += self._incidents.take(*steps)
        return steps


class Replay:
    """One run of recorded moments through view, analyzers and ledger."""

    def __init__(self, intent: Intent, memory: Memory, numbers: Numbered, tell: Tell, keep: bool) -> None:
        """`tell` gets every line of the timeline, in order; with `keep`, routes go to the journal, too."""
        self._intent, self._memory, self._numbers, self._keep = intent, memory, numbers, keep
        self._table, self._watch = AttributeTable(memory.journal.key), watch_of(intent)
        self._feeds: dict[str, BmpFeed] = {}
        self._over: list[BmpFeed] = []
        self._ledger = Gathering(intent)
        self.judging = Judging(
            intent,
            View(intent),
            self._ledger,
            Telling(intent.receivers),
            memory.file,
            Telltale(tell),
            Gauges(),
            self._concluded,
        )
        self.start: datetime | None = None
        """The time of the first moment."""
        self._now: datetime | None = None
        """When was judged last."""
        self._latest = 0
        """The time of the last moment, in ns."""

    async def play(self, moments: Iterable[Moment], linger: timedelta = timedelta()) -> datetime | None:
        """Play moments in order of time, and go on for `linger` after the last; returns the time of the end.

        Returns None when there was no moment.
        """
        together: int | None = None
        for moment in moments:
            self.start = self.start or time_of(moment.at)
            if together is not None and moment.at - together > TOGETHER:
                await self._judged(time_of(self._latest))
                together = None
            await self._until(time_of(moment.at))
            if await self._take(moment) and together is None:
                together = moment.at
            self._latest = moment.at
        if self.start is None:
            return None
        await self._judged(time_of(self._latest))
        end = time_of(self._latest) + linger
        await self._until(end)
        await self._judged(end)
        return end

    def counted(self) -> FeedCounters:
        """Return what the feeds counted, those that are over included."""
        counted = FeedCounters()
        for feed in (*self._over, *self._feeds.values()):
            counted.add(feed.counted())
        return counted

    def records(self) -> tuple[Record, ...]:
        """Return everything that was found, in the order in which it was first seen, as it stands now."""
        found = [*self.judging.cleared(datetime.min.replace(tzinfo=UTC)), *self.judging.ledger.records]
        return tuple(sorted(found, key=lambda record: (record.pending_at, record.finding.key)))

    def incidents(self) -> tuple[Incident, ...]:
        """Return the incidents that these make up, in the order of opening, as they stand now."""
        return latest(self._ledger.developments)

    # Time.

    async def _until(self, at: datetime) -> None:
        """Let happen, one after the other, what is due before `at`."""
        while self._now is not None and (due := self._due(self._now)) is not None and due < at:
            await self._judged(due)

    def _due(self, now: datetime) -> datetime | None:
        """When to judge next although nothing is heard."""
        times = [next_due(self.judging.view, now)]
        ledger = self.judging.ledger.next_due(now)
        if ledger is not None:
            times.append(ledger if ledger > now else now + TICK)
        if any(record.finding.kind in FADING for record in self.judging.ledger.records):
            times.append(now + TICK)
        return min((at for at in times if at is not None), default=None)

    async def _judged(self, at: datetime) -> None:
        self._now = at
        await self.judging.round(at)

    # What each moment does.

    async def _take(self, moment: Moment) -> bool:
        """Feed a moment in; whether there is anything to judge."""
        router = moment.exporter
        match moment.what:
            case What.OPEN:
                await self._lose(router, moment.at, LostReason.CLOSED, "another connection follows")
                self._feeds[router] = self._feed(router)
                return False
            case What.MIDWAY | What.WHOLE:
                self._partly(moment)
                return False
            case What.LOST:
                return await self._lose(router, moment.at, LostReason.CLOSED, moment.detail)
            case What.OCTETS:
                return await self._decode(self._feeds[router], moment)

    def _partly(self, moment: Moment) -> None:
        """Tell the view of what a recording does not have: what was sent before it began."""
        view, session = self.judging.view, Session(moment.exporter, moment.peer)
        if moment.what is What.WHOLE:
            view.whole(session)
        else:
            view.midway(moment.exporter, session if moment.peer is not None else None)

    def _feed(self, router: str) -> BmpFeed:
        quiet = self._intent.thresholds.quiet.total_seconds()
        return BmpFeed(router, self._table, self._numbers, self._watch, quiet=quiet)

    async def _decode(self, feed: BmpFeed, moment: Moment) -> bool:
        feed.feed(moment.octets, moment.at)
        worth = False
        while True:
            heard = feed.take()
            if heard is not None:
                worth = await self._heard(heard) or worth
            elif not feed.more:
                return worth

    async def _lose(self, router: str, at: int, reason: LostReason, detail: str) -> bool:
        feed = self._feeds.pop(router, None)
        if feed is None:
            return False
        self._over.append(feed)
        heard = feed.lose(reason, detail, at)
        return heard is not None and await self._heard(heard)

    async def _heard(self, heard: Heard) -> bool:
        for session, routes in heard.busy:
            self.judging.view.busy(session, heard.at, routes)
        self.judging.hear(heard.observations)
        if self._keep:
            await self._write(list(heard.tables.items()))
        return bool(heard.observations)

    # The journal, where it is wanted.

    def _concluded(self, changes: Sequence[Change], owed: bool) -> None:
        if self._keep and changes:
            self._memory.writer.submit([("changes", changes_table(changes))], urgent=True)

    async def _write(self, submission: Submission) -> None:
        while submission:
            try:
                self._memory.writer.submit(submission)
            except JournalBehind:
                await asyncio.sleep(0.01)
            else:
                return
