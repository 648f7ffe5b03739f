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
from pipeline.gauges import Gauges
from pipeline.judging import Judging
from pipeline.seen import seen
from pipeline.timeline import KEPT, Timeline
from pipeline.version import version
from store.ledger import LedgerFile

CLEARED_KEPT = timedelta(days=1)
FRESH = 0.2  # seconds that one picture of the present is good for, however many ask


class Engine:
    """Reads of the daemon's parts; changes nothing but by `reload`."""

    def __init__(
        self,
        judging: Judging,
        timeline: Timeline,
        file: LedgerFile,
        gauges: Gauges,
        feeds: Callable[[], Sequence[FeedStatus]],
        present: Callable[[], Sequence[Announced]],
        reload: Callable[[], Awaitable[list[str]]],
        mode: str,
    ) -> None:
        self._judging, self._timeline, self._file, self._gauges = judging, timeline, file, gauges
        self._feeds, self._present, self._reload, self._mode = feeds, present, reload, mode
        self._started = datetime.now(UTC)
        self._picture: tuple[float, Situation] | None = None
        self._cleared: tuple[Record, ...] = ()
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
        """What happened, from the ledger."""
        return await self._file.ask(lambda reader: reader.events(prefix=prefix, start=start, end=end, limit=limit))

    def events(self, after: int = 0) -> AsyncIterator[Event]:
        """The live timeline."""
        return self._timeline.follow(after)

    def status(self) -> Mapping[str, Plain]:
        """The daemon itself."""
        return {
            "version": version(),
            "mode": self._mode,
            "pid": os.getpid(),
            "started": to_plain(self._started),
            "memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "unknown": sorted(self._judging.view.unknown()),
            "events": self._timeline.last_number,
        }

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
        return to_plain(seen(self._judging.view, self._feeds(), present))

    async def reload(self) -> list[str]:
        """Read the intent file again."""
        return await self._reload()

    def ready(self) -> str | None:
        """Why not ready; None when ready."""
        return self.not_ready

    def metrics(self) -> bytes:
        """Prometheus text."""
        return generate_latest(self._gauges.registry)
