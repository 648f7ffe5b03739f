"""What is heard, on its way: from the station to the judging loop at once, and to the journal; and its upkeep."""

import asyncio
import gc
import logging
import socket
import sys
import time
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime

from anycast.change import Change
from anycast.intent import Intent
from anycast.observation import Announced, FeedLost, LostReason, Session
from anycast.prefix import Prefix, parse_prefix
from anycast.situation import FeedStatus
from collector.bmp.allow import Allow
from collector.bmp.station import Limits, Station
from collector.bmp.status import ExporterStatus
from collector.bmp.watch import Watch
from collector.heard import Heard
from pipeline.archiving import Archiving
from pipeline.config import Config
from pipeline.gauges import Gauges
from pipeline.judging import Judging
from pipeline.memory import Memory
from pipeline.metrics import ArchiveCollector
from pipeline.numbers import SavedNumbers
from pipeline.own_metrics import StationCollector
from pipeline.past import announced
from pipeline.reloading import News
from pipeline.tables import changes_table
from pipeline.thrift import give_back
from pipeline.timeline import not_running
from pipeline.upkeep import keep_up
from store.gap import feeds_lost
from store.reader import Reader
from store.schema import Submission
from store.writer import JournalBehind

log = logging.getLogger(__name__)
TURN = 0.0005  # seconds that a thread keeps the interpreter while another wants it
FILLED = 200_000  # routes that newly watched prefixes may begin with
PASSED = 32 << 20  # octets of columns after which memory that they no longer need is given back
EVERYTHING = (parse_prefix("0.0.0.0/0"), parse_prefix("::/0"))


class Hearing:
    """Owns the station and the way into the journal."""

    def __init__(self, config: Config, memory: Memory, judging: Judging, gauges: Gauges) -> None:
        self._config, self._memory, self._judging, self._gauges = config, memory, judging, gauges
        self._folder = config.data / "journal"
        kept = config.storage.archive
        self.archiving = Archiving(config.data, kept) if kept else None
        self._passed = 0
        self._numbers = SavedNumbers(config.data / "sessions.json")
        self.station = Station(
            allowed(config.intent),
            watch_of(config.intent),
            self._numbers,
            self._heard,
            key=memory.journal.key,
            spool=config.data,
            limits=Limits(spool=config.storage.spool),
            quiet=config.intent.thresholds.quiet.total_seconds(),
            on_attributes=memory.writer.refer,
            archive=self.archiving.raw if self.archiving else None,
        )
        gauges.registry.register(StationCollector(self.station.status))
        if self.archiving is not None:
            raw = self.archiving.raw
            gauges.registry.register(ArchiveCollector(lambda: raw.dropped))

    async def start(self, inherited: socket.socket | None) -> str:
        """Say which feeds were lost with the daemon before this one, and listen; returns where."""
        await asyncio.to_thread(self._end_what_was_open)
        if self.archiving is not None:
            await self.archiving.start()
        await self.station.start()
        _steady()
        where = self._config.listen.bmp
        host, port = await self.station.serve(inherited or (where.host, where.port))
        if self._memory.alive is not None:
            self._judging.note(not_running(self._memory.alive, datetime.now(UTC), self._memory.stopped))
        self._memory.live()
        return f"{host} port {port}{' (inherited)' if inherited else ''}"

    async def stop(self) -> None:
        """Let go of the routers, take what they sent, and say that our sight ends here."""
        connected = [exporter.exporter for exporter in self.station.status().exporters if exporter.connected]
        await self.station.close()
        at = datetime.now(UTC)
        self._judging.hear([FeedLost(at, router, LostReason.STOPPED, "Catchment stopped") for router in connected])
        if connected:
            self._submit([("sessions", feeds_lost(connected, at))])

    async def _heard(self, heard: Heard) -> None:
        """Judge at once; the bulk lane waits for room in the journal's queue, and so does its router."""
        received = time.monotonic() - max(0.0, heard.lag.total_seconds())
        for session, routes in heard.busy:
            self._judging.view.busy(session, heard.at, routes)
        self._judging.hear(heard.observations, received)
        if heard.tables:
            await self._keep(list(heard.tables.items()))

    async def _keep(self, submission: Submission) -> None:
        self._numbers.save()
        self._passed += sum(batch.nbytes for _, batch in submission)
        if self._passed > PASSED:
            self._passed = 0
            await asyncio.to_thread(give_back)
        while not self._submit(submission):
            await asyncio.sleep(0.05)

    def keep(self, changes: Sequence[Change]) -> None:
        """Write true differences of watched routes into the journal."""
        if changes and not self._submit([("changes", changes_table(changes))], urgent=True):
            self._gauges.unwritten.inc()

    def _submit(self, submission: Submission, urgent: bool = False) -> bool:
        """Hand rows to the journal's writer; False when its queue is full. What is urgent overtakes a dump."""
        try:
            self._memory.writer.submit(submission, urgent=urgent).add_done_callback(self._written)
        except JournalBehind:
            return False
        return True

    def _written(self, future: "Future[int]") -> None:
        error = future.exception()
        if error is not None:
            self._gauges.unwritten.inc()
            log.error("the journal did not take what was heard: %s", error)

    @property
    def trouble(self) -> str | None:
        """Why what is heard is not kept; None while all is well."""
        failure = self._memory.writer.failure
        if failure is not None:
            return f"the journal does not take what is heard: {failure}"
        return self.archiving.trouble if self.archiving else None

    def feeds(self) -> tuple[FeedStatus, ...]:
        """Each exporter's connection."""
        return tuple(_feed(exporter) for exporter in self.station.status().exporters)

    async def reconfigure(self, config: Config, news: News) -> tuple[Announced, ...] | None:
        """Watch and allow what a new intent says; return what is present of what it watches, None if that is no news.

        When the journal cannot say it, everything stays as it was.
        """
        self.station.watch(watch_of(config.intent))
        self._judging.view.await_fill()
        try:
            routes = None
            if news:
                await asyncio.wrap_future(self._memory.writer.submit([]))
                routes = await asyncio.to_thread(self.present, config.intent.watched, news.whole)
        except BaseException:
            self.station.watch(watch_of(self._config.intent))
            raise
        self.station.allow(allowed(config.intent))
        self.station.quiet_after(config.intent.thresholds.quiet.total_seconds())
        self._config = config
        return routes

    def present(
        self, prefixes: Collection[Prefix] = EVERYTHING, sessions: Collection[Session] = ()
    ) -> tuple[Announced, ...]:
        """Routes that are present now, from the journal, and touch any of `prefixes` or came from `sessions`."""
        reader, now = Reader(self._folder), datetime.now(UTC)
        page = reader.fill(prefixes, now, FILLED, sessions)
        if page.more:
            log.warning("more than %d routes are present; the rest is left out", FILLED)
        return tuple(announced(page.rows, reader.as_numbers(now)))

    async def upkeep(self) -> None:
        """Seal closed segments into Parquet, and delete days that are too old, or too much."""
        storage = self._config.storage
        days = max(1, storage.routes.days)
        probes = max(1, storage.probes.days)
        points = (max(1, storage.points.keep.days), storage.points.quota)
        for line in await keep_up(self._folder, days, storage.quota, storage.malformed, probes, *points):
            log.info("%s", line)

    def _end_what_was_open(self) -> None:
        """A daemon that was killed said nothing of its feeds: their end is when it last lived."""
        alive = self._memory.alive
        routers = () if alive is None else Reader(self._folder).open_feeds(alive)
        if routers and alive is not None:
            self._submit([("sessions", feeds_lost(routers, alive))])


def _steady() -> None:
    """Keep pauses short from now on: what is loaded is not looked through for garbage again and again (150 ms each
    time), and threads take turns sooner (with the default of 5 ms, a commit beside a dump waits dozens of times)."""
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(TURN)


def allowed(intent: Intent) -> Allow:
    """Who may connect, by the intent's exporters."""
    return Allow((prefix, exporter.name) for exporter in intent.exporters for prefix in exporter.addresses)


def watch_of(intent: Intent) -> Watch:
    """What is judged: everything that touches a service, and sessions watched whole."""

    def whole(session: Session) -> bool:
        vantage = intent.vantage_of(session)
        return vantage is not None and vantage.whole

    return Watch(intent.watched, whole)


def _feed(exporter: ExporterStatus) -> FeedStatus:
    names = " ".join(word for word in (exporter.name, exporter.description) if word)
    return FeedStatus(
        exporter=exporter.exporter,
        address=exporter.address,
        connected=exporter.connected,
        since=exporter.since,
        detail=names if exporter.connected else exporter.detail,
        messages=exporter.counters.messages,
        routes=exporter.counters.routes,
        malformed=exporter.counters.malformed,
        unjudged=exporter.counters.quarantined,
    )
