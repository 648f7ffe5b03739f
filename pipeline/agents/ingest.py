"""What becomes of one body of an agent: decoded, dated, judged while fresh, and on disk once before it is answered.

A batch is known by site, run and sequence. Of each run the journal has everything up to a mark, so a batch at or below
it was taken already, and is said to be; the one above it is taken; one further on only when the agent says that nothing
older will come (its spool gave it up), for else it would come later and be taken for one that was there.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from anycast.observation import Observation
from anycast.probe import AgentReported, Target
from collector.probe.batch import MOST_ROWS, Batch, Refused, decode
from pipeline.agents.clocks import SECOND, Clocks, Now, Stamp
from pipeline.agents.marks import Marks
from pipeline.agents.rows import report, table, times
from store.schema import JournalError, Submission, moment
from store.writer import JournalBehind

log = logging.getLogger(__name__)
FRESH: Final = 10 * SECOND
"""ns after which what was taken is history: nothing is judged from it."""
LARGE: Final = 64 << 10
"""Octets from which a body is decoded beside the loop."""
SEVERAL: Final = 1_000
"""Results from which rows are made beside the loop: a backlog must not hold up who reports of now."""
MOST_RUNS: Final = 16
"""Runs of a site whose targets are remembered."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, authenticated."""

    site: str
    """Whose token it came with."""
    run: str
    sequence: int
    stamp: Stamp
    oldest: int | None
    """The oldest batch of the run that may still come, as the agent says; None when it does not."""
    body: bytes
    now: Now
    """When it came."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What it is answered."""

    status: int
    said: dict[str, object]
    retry_after: int | None = None


@dataclass
class _Run:
    """One run of an agent."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    heard: int = 0
    """The highest batch that was handed to judging."""
    targets: dict[str, Target] = field(default_factory=dict)


@dataclass
class Counts:
    """What came of one site, for metrics."""

    batches: int = 0
    results: int = 0
    late: int = 0
    again: int = 0
    dropped: int = 0
    refused: int = 0


class Dated(NamedTuple):
    """A batch, when each of its results was sent by our clock, and whether it is history."""

    batch: Batch
    at: list[int]
    late: bool


def _tables(dated: Sequence[Dated], targets: Mapping[str, Target]) -> Submission:
    return [("probes", table(*each, targets)) for each in dated]


class Ingest:
    """Takes bodies; one instance a daemon."""

    def __init__(
        self,
        marks: Marks,
        submit: Callable[[Submission], "Future[int]"],
        hear: Callable[[Sequence[Observation]], None],
        known: Callable[[], Mapping[str, Target]],
    ) -> None:
        """`known` are targets that the intent names: what an agent has not yet said of them."""
        self.marks = marks
        self._submit, self._hear, self._known = submit, hear, known
        self._clocks: dict[str, Clocks] = {}
        self._runs: dict[str, OrderedDict[str, _Run]] = {}
        self._going: set[asyncio.Task[Answer]] = set()
        self._failing: set[str] = set()
        """Sites of which the journal does not take what is reported, and that was said."""
        self.counts: dict[str, Counts] = {}

    async def take(self, asked: Asked) -> Answer:
        """Answer one request, when what is in it is on disk. A caller that goes away changes nothing."""
        counts = self.counts.setdefault(asked.site, Counts())
        try:
            large = len(asked.body) >= LARGE
            batches = await asyncio.to_thread(decode, asked.body) if large else decode(asked.body)
            _check(asked, batches)
        except Refused as error:
            counts.refused += 1
            return Answer(422, {"refused": str(error)})
        if batches[0].site != asked.site:
            counts.refused += 1
            said = f"the token is of site {asked.site}, and the batch of {batches[0].site}; a site writes its own only"
            return Answer(403, {"refused": said})
        self._clocks.setdefault(asked.site, Clocks()).hear(asked.stamp, asked.now)
        task = asyncio.create_task(self._in_order(asked, batches, counts))
        self._going.add(task)
        task.add_done_callback(self._going.discard)
        return await asyncio.shield(task)

    async def finish(self) -> None:
        """Wait for what is on its way to the disk."""
        if self._going:
            await asyncio.wait(self._going)

    def skew(self, site: str, boot: str) -> int | None:
        """Return a site's wall clock minus ours, ns; None while it is not known."""
        clocks = self._clocks.get(site)
        return None if clocks is None else clocks.skew(boot)

    async def _in_order(self, asked: Asked, batches: list[Batch], counts: Counts) -> Answer:
        run = self._run(asked.site, asked.run)
        async with run.lock:
            wanted = self.marks.of(asked.site, asked.run) + 1
            first = batches[0].sequence
            if first > wanted and (asked.oldest is None or asked.oldest < first):
                counts.refused += 1
                return Answer(409, {"refused": f"batch {wanted} of this run comes next", "wanted": wanted})
            new = [batch for batch in batches if batch.sequence >= wanted]
            counts.again += len(batches) - len(new)
            if new:
                try:
                    counts.late += await self._keep(asked, new, run)
                except JournalBehind as error:
                    return Answer(503, {"refused": str(error)}, 1)
                except (JournalError, OSError) as error:
                    if asked.site not in self._failing:
                        log.error("the journal does not take what %s's agent reports: %s", asked.site, error)
                    self._failing.add(asked.site)
                    return Answer(503, {"refused": "the journal does not take it"}, 5)
                if asked.site in self._failing:
                    log.warning("the journal takes what %s's agent reports again", asked.site)
                    self._failing.discard(asked.site)
                _count(counts, new)
            return Answer(200, {"taken": batches[-1].sequence})

    async def _keep(self, asked: Asked, batches: list[Batch], run: _Run) -> int:
        """Judge what is fresh at once, and return when all of it is on disk: how many results were late.

        Raises JournalError or OSError.
        """
        clocks, now = self._clocks[asked.site], asked.now.wall
        received, skew = moment(now), clocks.skew(asked.stamp.boot)
        dated: list[Dated] = []
        for batch in batches:
            if batch.targets:
                run.targets = {target.name: target for target in batch.targets}
            offset = clocks.offset(batch.boot)
            late = offset is None or now - (batch.mono + offset) > FRESH
            dated.append(Dated(batch, times(batch, offset, now), late))
        self._judge(run, [report(*each, skew, received) for each in dated if each.batch.sequence > run.heard])
        full, targets = [each for each in dated if each.batch.rows], {**self._known(), **run.targets}
        if full:
            large = sum(each.batch.rows for each in full) > SEVERAL
            tables = await asyncio.to_thread(_tables, full, targets) if large else _tables(full, targets)
            await asyncio.wrap_future(self._submit(tables))
        self.marks.reach(asked.site, asked.run, batches[-1].sequence)
        return sum(each.batch.rows for each in full if each.late)

    def _judge(self, run: _Run, reports: list[AgentReported]) -> None:
        if reports:
            run.heard = reports[-1].sequence
            self._hear(reports)

    def _run(self, site: str, run: str) -> _Run:
        runs = self._runs.setdefault(site, OrderedDict())
        found = runs.setdefault(run, _Run())
        runs.move_to_end(run)
        for old in list(runs)[:-MOST_RUNS]:
            if not runs[old].lock.locked():
                del runs[old]
        return found


def _check(asked: Asked, batches: list[Batch]) -> None:
    first = batches[0]
    if (first.run, first.sequence) != (asked.run, asked.sequence):
        raise Refused("the address names another batch than the body begins with")
    if any(batch.boot == asked.stamp.boot and batch.mono > asked.stamp.mono for batch in batches):
        raise Refused("a batch was closed after the request was sent")


def _count(counts: Counts, batches: list[Batch]) -> None:
    counts.batches += len(batches)
    counts.results += sum(batch.rows for batch in batches)
    counts.dropped += sum(batch.dropped for batch in batches)


assert MOST_ROWS < 1 << 32, "`number` has 32 bits"
