"""The judging loop: what was heard goes into the view, findings come out, and what they conclude is committed and told.

Theory of operation. `hear` runs on the event loop as the station hands things over: it folds them into the view at once
and wakes the loop. The loop judges whatever has gathered since its last round, so a burst costs one judgement and not
a thousand, and a single UPDATE waits for nothing but the commit before it. Between bursts it wakes by itself for
hold-downs and quiet timers. Order within a round: fold, judge, commit (one transaction with what is owed), tell.
"""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from alerts.ledger import Ledger
from alerts.outbox import Telling
from analyzers import memory as remembered
from analyzers.judge import judge
from analyzers.view import View
from anycast.change import Change
from anycast.finding import Record, Severity, State, Step, Transition
from anycast.intent import Intent
from anycast.observation import Announced, Observation
from anycast.probe import AgentReported
from anycast.sink import SinkStatus
from anycast.situation import Event
from pipeline.gauges import Gauges
from pipeline.timeline import Narrator, Timeline
from store.ledger import LedgerFile

log = logging.getLogger(__name__)
TICK = 0.25  # seconds between judgements when nothing is heard: the grain of quiet timers
GATHER = 0.05  # seconds for which agents' batches are gathered: twenty agents send eighty a second
SOONEST = 0.002  # seconds between judgements when a hold-down runs out
SNAPSHOT = 1.0  # seconds between snapshots of the view; its routes are kept exact by every commit
PUT_OFF = 5.0  # seconds after which a snapshot no longer waits for a round that concludes nothing
COMMIT_AGAIN = 1.0  # seconds between attempts at a commit that failed
CLEARED_KEPT = 10_000  # records over, in memory


class Watcher(Protocol):
    """Whoever makes something of what is heard and concluded, once it was: points of time series."""

    def heard(self, observations: Sequence[Observation]) -> None:
        """Take what was folded into the view."""
        ...

    def concluded(
        self, changes: Sequence[Change], steps: Sequence[Transition], transitions: Sequence[Transition]
    ) -> None:
        """Take what was committed; `steps` are those of the transitions that are worth a line."""
        ...


class Judging:
    """Owns the view and the ledger; everything that changes either goes through here."""

    def __init__(
        self,
        intent: Intent,
        view: View,
        ledger: Ledger,
        telling: Telling,
        file: LedgerFile,
        timeline: Timeline,
        gauges: Gauges,
        concluded: Callable[[Sequence[Change], bool], None],
    ) -> None:
        """`concluded` is called after each commit, with its changes and whether anything is owed to receivers."""
        self.intent, self.view, self.ledger, self.telling = intent, view, ledger, telling
        self.narrator = Narrator(intent)
        self._file, self._timeline, self._gauges, self._concluded = file, timeline, gauges, concluded
        self.watcher: Watcher | None = None
        self.sinks: Callable[[], Sequence[SinkStatus]] = tuple
        """How sinks of time series stand, which is judged, too."""
        self._changes: list[Change] = []
        self._events: list[Event] = []
        self._cleared: deque[Record] = deque(maxlen=CLEARED_KEPT)
        self._heard_at: float | None = None
        self._wake = asyncio.Event()
        self._gathering: asyncio.TimerHandle | None = None
        self._looks: dict[str, tuple[Severity, str | None]] = {
            record.id: (record.finding.severity, record.muted_by) for record in ledger.records
        }
        """What a line of the timeline last said of each finding that is not over."""
        self.trouble: str | None = None
        """Why nothing can be committed now; None while all is well."""
        self._stale = False
        """The view changed since its last snapshot."""
        self._snapshot_at = 0.0

    def hear(self, observations: Sequence[Observation], received: float | None = None) -> None:
        """Fold observations into the view. `received` is the monotonic time at which their bytes left the socket."""
        for observation in observations:
            self._changes.extend(self.view.apply(observation))
            event = self.narrator.observed(observation)
            if event is not None:
                self._events.append(event)
        if observations:
            self._stale = True
            self._heard_at = self._heard_at or received or time.monotonic()
            if self.watcher is not None:
                self.watcher.heard(observations)
            if all(isinstance(observation, AgentReported) for observation in observations):
                self._wake_soon()
            else:
                self._wake.set()

    def _wake_soon(self) -> None:
        """Batches of many agents are judged together: each brings a little, and none of it is worth a round alone."""
        if self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHER, self._gathered)

    def _gathered(self) -> None:
        self._gathering = None
        self._wake.set()

    def note(self, event: Event) -> None:
        """Put a line into the timeline that is about neither route, session nor finding."""
        self._events.append(event)
        self._wake.set()

    def remember_cleared(self, records: Sequence[Record]) -> None:
        """Take back what was over before a restart."""
        self._cleared.extend(records)

    def cleared(self, since: datetime) -> list[Record]:
        """Records that were over after `since`, as far as memory goes."""
        return [record for record in self._cleared if record.cleared_at is not None and record.cleared_at >= since]

    def reconfigure(self, intent: Intent, begin_with: Sequence[Announced] | None = None) -> None:
        """Take another intent and keep what was seen.

        `begin_with` are the routes that history has of what is watched, None when it was not asked.
        """
        self.intent = self.narrator.intent = intent
        self.view.reconfigure(intent)
        if begin_with is not None:
            self.view.fill(begin_with)
        self._stale = True
        self._wake.set()

    def held(self) -> list[Announced]:
        """Every route in the view, with the time since when it is there."""
        return [
            Announced(held.since, table.source, prefix, held.attributes, path_id)
            for table in self.view.tables.values()
            for (prefix, path_id), held in table.routes.items()
        ]

    async def run(self) -> None:
        """Judge until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._wake.wait()
            self._wake.clear()
            await self.round(datetime.now(UTC))

    def _pause(self) -> float:
        """Seconds until there is something to judge although nothing is heard."""
        now = datetime.now(UTC)
        due = self.ledger.next_due(now)
        return TICK if due is None else min(TICK, max(SOONEST, (due - now).total_seconds()))

    async def round(self, now: datetime) -> None:
        """Judge once, commit, tell."""
        self._changes.extend(self.view.tick(now))
        heard_at, self._heard_at = self._heard_at, None
        changes, self._changes = self._changes, []
        events, self._events = self._events, []
        self.view.sinks = self.sinks()
        begun = time.perf_counter()
        findings = judge(self.view, self.intent, now)
        self._gauges.last_judging = time.perf_counter() - begun
        self._gauges.judge_seconds.observe(self._gauges.last_judging)
        transitions = self.ledger.judge(findings, self.view.unknown(), now)
        if changes or events or transitions or self._snapshot_due():
            await self._conclude(changes, events, transitions, now)
        if heard_at is not None:
            self._gauges.judged_seconds.observe(time.monotonic() - heard_at)

    async def finish(self, now: datetime) -> None:
        """Keep what was heard and the view as it is. Nothing is judged: that we stop is no finding about a router."""
        self._stale, self._snapshot_at = True, 0.0
        changes, self._changes = self._changes, []
        events, self._events = self._events, []
        await self._conclude(changes, events, (), now)

    async def _conclude(
        self, changes: Sequence[Change], events: Sequence[Event], transitions: Sequence[Transition], now: datetime
    ) -> None:
        steps = [step for step in transitions if self._worth_a_line(step)]
        story = [*events, *map(self.narrator.changed, changes), *map(self.narrator.judged, steps)]
        numbered = self._timeline.number(sorted(story, key=lambda event: event.at))
        messages = self.telling.owe(transitions)
        await self._commit(transitions, numbered, messages, changes, self._facts(now, bool(transitions)))
        self._cleared.extend(step.record for step in transitions if step.step is Step.CLEARED)
        self._timeline.publish(numbered)
        self._concluded(changes, bool(messages))
        if self.watcher is not None:
            self.watcher.concluded(changes, steps, transitions)
        for step in steps:
            log.info("%s %s", step.step, step.record.finding.key)

    async def _commit(self, *conclusion: Any) -> None:
        """Commit, again and again if need be: what was concluded is not concluded a second time, nor told before."""
        while True:
            try:
                await self._file.commit(*conclusion)
            except sqlite3.Error as error:
                self.trouble = f"the ledger does not take what was concluded: {error}; nothing is told until it does"
                log.error("%s; trying again", self.trouble)
                self._gauges.commit_failures.inc()
                await asyncio.sleep(COMMIT_AGAIN)
            else:
                self.trouble = None
                return

    def _worth_a_line(self, transition: Transition) -> bool:
        """Whether a step is a line of the timeline: evidence that moved a little is not."""
        record = transition.record
        looks = (record.finding.severity, record.muted_by)
        before = self._looks.pop(record.id, None)
        if record.state is not State.CLEARED:
            self._looks[record.id] = looks
        return transition.step is not Step.CHANGED or (before is not None and before != looks)

    def _snapshot_due(self, least: float = SNAPSHOT) -> bool:
        return self._stale and time.monotonic() - self._snapshot_at >= least

    def _facts(self, now: datetime, concluding: bool) -> dict[str, object]:
        """What a restart needs besides: a snapshot takes its time, and a conclusion does not wait for that."""
        if not self._snapshot_due(PUT_OFF if concluding else SNAPSHOT):
            return {"alive": now.timestamp()}
        self._stale, self._snapshot_at = False, time.monotonic()
        return {"alive": now.timestamp(), "view": remembered.snapshot(self.view)}
