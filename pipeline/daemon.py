"""The daemon: opens the memory, wires the boxes, and runs until it is told to stop.

Start: lock and open the journal and the ledger, restore the view (everything unknown since we last lived) and the open
findings (frozen until judged with sight), and only then listen. Stop: close the feeds, keep what was heard, and
leave the sign of when we last lived, so that the next start knows both ends of the gap.
"""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from alerts.deliver import Deliverer
from anycast.change import Change
from anycast.message import Delivery, DeliveryState
from anycast.situation import Event, EventKind
from dashboards.console import mount
from pipeline.agents.agents import SAVED, Agents
from pipeline.agents.beside import Beside
from pipeline.api.app import build
from pipeline.api.server import Server
from pipeline.archiving import EVERY
from pipeline.catchments import FOLLOWED
from pipeline.cli.run import json_logs
from pipeline.config import Config, ConfigError, load
from pipeline.engine import Engine
from pipeline.gauges import Gauges
from pipeline.hearing import Hearing
from pipeline.inherited import inherited_socket
from pipeline.jobs import Job, Jobs
from pipeline.judging import Judging
from pipeline.landing_metrics import LandingCollector
from pipeline.memory import Memory, hold_downs, open_memory, restored_ledger, restored_telling, restored_view
from pipeline.metrics import AgentsCollector, PresentCollector
from pipeline.own import EVERY as GATHERED
from pipeline.own import Gathered, Own
from pipeline.own_metrics import OwnCollector, SinkCollector
from pipeline.receivers import senders
from pipeline.reloading import Reloaded, news_of, waiting
from pipeline.timeline import Timeline
from pipeline.version import version

if TYPE_CHECKING:
    from pipeline.series import Series

log = logging.getLogger(__name__)
STOP_WITHIN = 8.0  # seconds; a supervisor's own patience is usually ten


class Daemon:
    """Everything that runs, from one configuration and one data folder."""

    def __init__(self, config: Config, memory: Memory, mode: str) -> None:
        intent = config.intent
        self.config, self.memory = config, memory
        self._begun_with = config
        self.gauges = Gauges()
        memory.writer.observe = lambda seconds, _: self.gauges.journal_commit_seconds.observe(seconds)
        self.timeline = Timeline(memory.last_event)
        self.judging = Judging(
            intent,
            restored_view(memory, intent),
            restored_ledger(memory, intent),
            restored_telling(memory, intent),
            memory.file,
            self.timeline,
            self.gauges,
            self._concluded,
        )
        self.judging.remember_cleared(memory.cleared)
        self.hearing = Hearing(config, memory, self.judging, self.gauges)
        writer = memory.writer
        self.agents = (
            Agents(config, writer.submit, lambda: writer.committed, self.judging.hear) if config.agents else None
        )
        self.beside = Beside(config.agent, json_logs()) if config.agent else None
        self.deliverer = Deliverer(memory.file, {}, lambda: datetime.now(UTC), settled=self._settled)
        self.engine = Engine(
            self.judging,
            self.timeline,
            self.gauges,
            self.hearing.feeds,
            self.hearing.present,
            self.reload,
            lambda: self.judging.trouble or self.hearing.trouble,
            config,
            mode,
        )
        self.gathered = Gathered(config.data, memory.file)
        self.series = self._series() if config.influx is not None else None
        self.jobs = Jobs(self._jobs(), self.gauges)
        self.gauges.registry.register(
            PresentCollector(self.engine.situation, lambda: self.judging.ledger.records, self.jobs.watched)
        )
        self.gauges.registry.register(OwnCollector(self.own))
        if self.series is not None:
            self.gauges.registry.register(SinkCollector(self.series.sinks.status))
        self.gauges.registry.register(LandingCollector(self.engine.catchments))
        if (agents := self.agents) is not None:
            self.gauges.registry.register(AgentsCollector(agents.counts))
        self.stopping = asyncio.Event()
        self._reloads: set[asyncio.Task[Reloaded]] = set()
        self._page = ""

    def _series(self) -> "Series":
        """Time series, whose modules are loaded where they are wanted, and nowhere else."""
        from pipeline.series import Parts, Series

        assert self.config.influx is not None
        refused = lambda: self.hearing.station.status().refused  # noqa: E731
        parts = Parts(self.judging, self.engine, self.gauges, self.memory, self.agents, self.gathered, refused)
        return Series(self.config.influx, self.config.data, parts)

    async def run(self) -> None:
        """Run until told to stop."""
        sinks = self.series.sinks if self.series is not None else None
        app = build(self.engine, version(), self.config.listen.names, sinks)
        mount(app, self.engine, lambda: str(self.engine.status()["mode"]))
        listen = self.config.listen
        try:
            server = Server(app, listen.http.host, listen.http.port, listen.socket)
            self._signals()
            await server.start()
        except BaseException:
            await self.memory.close()  # its threads would hold all of this, and extension modules complain of that, too
            raise
        self._page = server.address
        self.deliverer.configure(senders(self.config.intent, self._page))
        try:
            await self._serve(server)
        finally:
            self.timeline.close()
            await server.stop()
            await self.memory.close()
            gc.unfreeze()  # what stays frozen is never freed, and extension modules complain of that at the end

    async def _serve(self, server: Server) -> None:
        where = await self.hearing.start(inherited_socket("bmp"))
        log.info(
            "listening for BMP on %s; the page is %s; the data folder is %s", where, server.address, self.config.data
        )
        if self.agents is not None:
            log.info("listening for agents on %s", await self.agents.start(inherited_socket("agents")))
        self.jobs.start()
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self.judging.run(), name="judging"),
                tasks.create_task(self.deliverer.run(), name="deliverer"),
                tasks.create_task(self.gauges.watch_loop(), name="loop lag"),
                tasks.create_task(self.hearing.station.failed(), name="station"),
            ]
            if self.beside is not None:
                running.append(tasks.create_task(self.beside.run(), name="the agent beside"))
            if self.series is not None:
                running.append(tasks.create_task(self.series.run(), name="time series"))
            self.engine.not_ready = None
            await self.stopping.wait()
            self.engine.not_ready = "stopping"
            if self.beside is not None:
                await self.beside.stop()
            for task in running:
                task.cancel()
        self.jobs.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_WITHIN):
                if self.agents is not None:
                    await self.agents.stop()
                await self.hearing.stop()
                await self.judging.finish(datetime.now(UTC))
                if self.hearing.archiving is not None:
                    await self.hearing.archiving.stop()

    def _signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)

    def _hung_up(self) -> None:
        """SIGHUP: read the intent file again; the task is kept, for the loop alone would forget it."""
        task = asyncio.ensure_future(self._reload_once_running())
        self._reloads.add(task)
        task.add_done_callback(self._reloaded)

    async def _reload_once_running(self) -> Reloaded:
        while self.engine.not_ready == "starting":
            await asyncio.sleep(0.05)
        return await self.engine.reload()

    def _reloaded(self, task: asyncio.Task[Reloaded]) -> None:
        self._reloads.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the intent file could not be read again", exc_info=error)

    def _concluded(self, changes: Sequence[Change], owed: bool) -> None:
        self.hearing.keep(changes)
        if owed:
            self.deliverer.wake()

    def _settled(self, delivery: Delivery) -> None:
        """A delivery that succeeded or was given up is a line of the timeline."""
        self.gauges.notifications.labels(delivery.message.receiver, str(delivery.state)).inc()
        if delivery.state is DeliveryState.OWED:
            log.warning("%s is not told yet: %s", delivery.message.receiver, delivery.last_error)
            return
        message = delivery.message
        done = delivery.state is DeliveryState.DELIVERED
        text = f"{message.receiver} was told that {message.record.finding.kind} {message.step}"
        if not done:
            text = f"{message.receiver} cannot be told of {message.record.finding.kind}: {delivery.last_error}"
        self.judging.note(
            Event(
                0,
                datetime.now(UTC),
                EventKind.NOTIFICATION,
                "told" if done else "dead-letter",
                text,
                finding=message.record.id,
            )
        )

    def own(self) -> Own:
        """How we are."""
        (loaded, taken), writer, gathered = self.engine.intent_read, self.memory.writer, self.gathered
        return Own(
            version=version(),
            ready=self.engine.ready() is None,
            intent_loaded=loaded,
            intent_taken=taken,
            unknown_vantages=len(self.judging.view.unknown()),
            journal_queue=writer.waiting,
            journal_failing=writer.failure is not None,
            data=gathered.data,
            free=gathered.free,
            owed=gathered.owed,
        )

    async def reload(self) -> Reloaded:
        """Read the intent file again: all of it takes effect, or nothing does; says what waits for a restart."""
        try:
            config = await asyncio.to_thread(load, self.config.source)
        except ConfigError as error:
            log.error("the intent file was not taken: %s", error)
            return Reloaded(tuple(map(str, error.problems)))
        intent, before = config.intent, self.config.intent
        news = news_of(self.judging.view.sessions(), before, intent)
        begin_with = await self.hearing.reconfigure(config, news)
        self.config = config
        if self.agents is not None:
            self.agents.reconfigure(config)
        self.judging.reconfigure(intent, begin_with)
        self.judging.ledger.configure(hold_downs(intent), intent.windows)
        self.judging.telling.configure(intent.receivers)
        self.deliverer.configure(senders(intent, self._page))
        await self.memory.file.rewrite_watched(self.judging.held())
        log.info(
            "the intent file was read again: %d services, %d newly watched prefixes, %d sessions newly watched whole",
            len(intent.services),
            len(news.prefixes),
            len(news.whole),
        )
        kept = waiting(self._begun_with, config)
        for each in kept:
            log.warning("not in effect yet: %s", each)
        return Reloaded(waiting=kept)

    def _jobs(self) -> tuple[Job, ...]:
        archiving = self.hearing.archiving
        kept = () if archiving is None else (Job("archive", EVERY, archiving.turn, first=EVERY),)
        if self.agents is not None:
            follow = Job("charts", FOLLOWED, self.engine.catchments.follow, first=timedelta(seconds=3))
            kept = (*kept, Job("agents", SAVED, self.agents.save, first=SAVED), follow)
        return (
            Job("upkeep", timedelta(minutes=10), self.hearing.upkeep, first=timedelta(minutes=2)),
            Job("prune", timedelta(hours=6), self._prune, first=timedelta(minutes=10)),
            Job("health", GATHERED, self.gathered.gather, first=timedelta(0)),
            *kept,
        )

    async def _prune(self) -> int:
        return await self.memory.file.prune(datetime.now(UTC) - self.config.storage.changes)


async def run(config: Config, mode: str) -> None:
    """Open the data folder and run the daemon on it until it is told to stop.

    Raises JournalError, LedgerError or OSError when it cannot: a sentence an operator understands.
    """
    memory = await open_memory(config.data)
    try:
        daemon = Daemon(config, memory, mode)
    except BaseException:
        await memory.close()
        raise
    await daemon.run()
