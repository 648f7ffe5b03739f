"""What pages, the API and the terminal read of the running daemon: `anycast.ports.Reading` and a little more."""

import asyncio
import os
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from prometheus_client import generate_latest

from analyzers.situation import situation as picture
from anycast.finding import Record, State
from anycast.observation import Announced
from anycast.plain import Plain, to_plain
from anycast.prefix import Prefix, Relation, relation
from anycast.situation import Event, FeedStatus, Situation
from pipeline.catchments import Catchments
from pipeline.config import Config
from pipeline.gauges import Gauges
from pipeline.judging import Judging
from pipeline.past import Past, Told
from pipeline.reloading import Reloaded, Waiting
from pipeline.seen import seen
from pipeline.timeline import KEPT, Timeline
from pipeline.version import version

CLEARED_KEPT = timedelta(days=1)
MISSED = 10_000  # events that a client is told when it comes back; one that was away longer asks for history
FRESH = 0.2  # seconds that one picture of the present is good for, however many ask


class Engine:
    """Reads of the daemon's parts; changes nothing but by `reload`."""

    def __init__(
        self,
        judging: Judging,
        timeline: Timeline,
        gauges: Gauges,
        feeds: Callable[[], Sequence[FeedStatus]],
        present: Callable[[], Sequence[Announced]],
        reload: Callable[[], Awaitable[Reloaded]],
        trouble: Callable[[], str | None],
        config: Config,
        mode: str,
    ) -> None:
        self._judging, self._timeline, self._gauges = judging, timeline, gauges
        self._feeds, self._present, self._reload, self._mode = feeds, present, reload, mode
        self._trouble = trouble
        self._started = self._loaded = datetime.now(UTC)
        self._source, self._listen, self._past = config.source, config.listen, Past(config.data)
        self.catchments = Catchments(judging, config.data)
        self._problems: tuple[str, ...] = ()
        """Why the intent file was not taken when it was last read again."""
        self._waiting: tuple[Waiting, ...] = ()
        """What of the intent file waits for a restart."""
        self._reloading = asyncio.Lock()
        self._picture: tuple[float, Situation] | None = None
        self.not_ready: str | None = "starting"

    def situation(self) -> Situation:
        """Everything at a glance, at most FRESH seconds old."""
        now = time.monotonic()
        if self._picture is None or now - self._picture[0] > FRESH:
            judging = self._judging
            made = picture(
                judging.view, judging.intent, judging.ledger.records, tuple(self._feeds()), datetime.now(UTC)
            )
            self._picture = (now, made)
        return self._picture[1]

    def findings(self, *states: State) -> Sequence[Record]:
        """Findings in any of `states`, newest first; cleared ones of the last day only."""
        wanted = states or tuple(State)
        live = [record for record in self._judging.ledger.records if record.state in wanted]
        old = self._judging.cleared(datetime.now(UTC) - CLEARED_KEPT) if State.CLEARED in wanted else ()
        return sorted((*live, *old), key=lambda record: record.pending_at, reverse=True)

    async def history(
        self, prefix: Prefix | None, start: datetime, end: datetime, limit: int = 1000
    ) -> Sequence[Event]:
        """What happened, oldest first; of more than `limit` events the newest."""
        return (await self.told(prefix, start, end, limit)).events

    async def told(self, prefix: Prefix | None, start: datetime, end: datetime, limit: int) -> Told:
        """`history`, and whether there was more."""
        tell = self._judging.narrator.changed
        return await asyncio.to_thread(self._past.events, prefix, start, end, limit, tell)

    async def events(self, after: int = 0) -> AsyncIterator[Event]:
        """The live timeline. One who comes back gets what it missed from the ledger, where memory does not reach."""
        kept = self._timeline.recent(KEPT)
        oldest = kept[0].number if kept else self._timeline.last_number + 1
        live = self._timeline.follow(kept[-1].number if kept else 0)
        first = asyncio.ensure_future(anext(live, None))
        told = after
        try:
            await asyncio.sleep(0)  # it follows from here on: what comes while the rest is told waits there
            missed = oldest - 1 > after > 0
            before = await asyncio.to_thread(self._past.numbered, after, oldest, MISSED) if missed else ()
            for event in (*before, *kept):
                if event.number > told:
                    told = event.number
                    yield event
            event_or_end = await first
        finally:
            first.cancel()
        while event_or_end is not None:
            if event_or_end.number > told:
                yield event_or_end
            event_or_end = await anext(live, None)

    def status(self) -> Mapping[str, Plain]:
        """The daemon itself."""
        return {
            "version": version(),
            "mode": self._mode,
            "pid": os.getpid(),
            "started": to_plain(self._started),
            "intent": {
                "source": str(self._source),
                "loaded": to_plain(self._loaded),
                "problem": "\n".join(self._problems) or None,
                "restart": [each.plain() for each in self._waiting],
            },
            "memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "unknown": sorted(self._judging.view.unknown()),
            "events": self._timeline.last_number,
            "trouble": self._trouble(),
        }

    @property
    def intent_read(self) -> tuple[datetime, bool]:
        """When the intent in effect was read, and whether the file was taken when it was last read."""
        return self._loaded, not self._problems

    def recent(self, after: int) -> tuple[Event, ...]:
        """Events numbered above `after` that are still in memory."""
        return tuple(event for event in self._timeline.recent(KEPT) if event.number > after)

    def routes(self, prefix: Prefix) -> list[Plain]:
        """Watched routes that touch `prefix`, from every vantage."""
        view, rows = self._judging.view, []
        for key, table in sorted(view.by_key.items()):
            for (held_prefix, path_id), held in sorted(table.routes.items(), key=lambda item: str(item[0])):
                if relation(held_prefix, prefix) is not Relation.APART:
                    rows.append(
                        {
                            "vantage": key,
                            "prefix": str(held_prefix),
                            "path_id": path_id,
                            "presence": str(view.presence(key, held_prefix)),
                            "region": held.region,
                            "since": to_plain(held.since),
                            "attributes": to_plain(held.attributes),
                        }
                    )
        return rows

    async def seen(self) -> Plain:
        """What `catchment learn` needs."""
        present = await asyncio.to_thread(self._present)
        return to_plain(seen(self._judging.view, self._feeds(), present, self._listen))

    async def reload(self) -> Reloaded:
        """Read the intent file again, one request after the other; the problems are kept until it is taken."""
        async with self._reloading:
            outcome = await self._reload()
            self._problems = outcome.problems
            if not outcome.problems:
                self._loaded, self._picture, self._waiting = datetime.now(UTC), None, outcome.waiting
            return outcome

    def ready(self) -> str | None:
        """Why not ready; None when ready."""
        return self.not_ready or self._trouble()

    def metrics(self) -> bytes:
        """Prometheus text."""
        return generate_latest(self._gauges.registry)
