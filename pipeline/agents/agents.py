"""The agents of a running daemon: who may report, what they reported, and how far it is in the journal."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Final

from anycast.intent import Intent
from anycast.observation import Observation
from anycast.probe import Target, TargetKind
from pipeline.agents.clocks import Now
from pipeline.agents.ingest import Counts, Ingest
from pipeline.agents.marks import recovered, save
from pipeline.agents.server import CertificateError, Door, certified
from pipeline.agents.tokens import TokenError, Tokens, read_fingerprints
from pipeline.config import Config
from pipeline.config.settings import Agents as Settings
from store.schema import Submission

log = logging.getLogger(__name__)
SAVED: Final = timedelta(seconds=30)
"""How often is written down how far each run is: so much of the journal is looked through at a start."""


class Agents:
    """Owns the door for agents, and what is known of their runs."""

    def __init__(
        self,
        config: Config,
        submit: Callable[[Submission], "Future[int]"],
        committed: Callable[[], int],
        hear: Callable[[Sequence[Observation]], None],
    ) -> None:
        assert config.agents is not None
        assert config.listen.agents is not None
        self._config, self._settings, self._where = config, config.agents, config.listen.agents
        self._submit, self._committed, self._hear = submit, committed, hear
        self._saved = config.data / "agents.json"
        self._known = _known(config.intent)
        self._context = certified(self._settings.certificate, self._settings.key)
        self._tokens = _tokens(self._settings)
        self.ingest: Ingest | None = None
        self.door: Door | None = None

    async def start(self, inherited: socket.socket | None) -> str:
        """Find out what is in the journal already, and listen; returns where. Raises OSError or JournalError."""
        kept, journal = self._config.storage.probes, self._config.data / "journal"
        marks = await asyncio.to_thread(recovered, self._saved, journal, kept, datetime.now(UTC))
        self.ingest = Ingest(marks, self._submit, self._hear, lambda: self._known)
        self.door = Door(self.ingest, self._tokens, self._context, _now)
        return await self.door.start(inherited or (self._where.host, self._where.port))

    def reconfigure(self, config: Config) -> None:
        """Take tokens and a certificate as they are now; what cannot be read is said, and the rest stays."""
        if config.agents is None or self.door is None:
            return
        self._known = _known(config.intent)
        self.door.tokens = _tokens(config.agents)
        try:
            certified(config.agents.certificate, config.agents.key)
            self._context.load_cert_chain(config.agents.certificate, config.agents.key)
        except (CertificateError, OSError) as error:
            log.error("the certificate for agents stays the one that it was: %s", error)

    async def save(self) -> None:
        """Write down how far each run is. Raises OSError."""
        if self.ingest is not None:
            committed = self._committed()  # before the marks: they hold at least what is up to it
            save(self._saved, self.ingest.marks, committed, datetime.now(UTC))

    def counts(self) -> tuple[Mapping[str, Counts], int]:
        """What came of each site, and how many requests had no token that is known."""
        if self.ingest is None or self.door is None:
            return {}, 0
        return self.ingest.counts, self.door.refused

    async def stop(self) -> None:
        """Close the door, once what is on its way is on disk."""
        if self.door is not None:
            await self.door.stop()
            try:
                await self.save()
            except OSError as error:
                log.warning("how far agents' runs are was not written down: %s; the journal is asked instead", error)


def _now() -> Now:
    return Now(time.time_ns(), time.monotonic_ns())


def _known(intent: Intent) -> Mapping[str, Target]:
    """Services: what an agent has not yet said of its targets is certain of these."""
    return {service.name: Target(service.name, TargetKind.SERVICE) for service in intent.services}


def _tokens(settings: Settings) -> Tokens:
    """Every token that can be read; a site whose cannot be is kept out, and the others are not."""
    found: dict[str, tuple[bytes, ...]] = {}
    for site, path in settings.tokens.items():
        try:
            found[site] = read_fingerprints(path)
        except TokenError as error:
            log.error("the agent of site %s is not let in: %s", site, error)
    return Tokens(found)
