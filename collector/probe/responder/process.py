"""A responder as a process: bind, give root away, answer, and follow its file at each SIGHUP."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from collector.probe.identity.nonces import Nonces
from collector.probe.responder import tcp
from collector.probe.responder.answering import Answering
from collector.probe.responder.counters import Counters
from collector.probe.responder.rates import Rates
from collector.probe.responder.settings import ResponderSettings
from collector.probe.responder.tcp import Doors, EchoConnection, HttpConnection
from collector.probe.responder.udp import UdpServer
from collector.probe.responder.user import allow_open_files, become
from collector.probe.responder.written import keys_of, load
from collector.written.problem import ConfigError

STATUS_EVERY = 60.0  # seconds
FALLBACK_USER = "nobody"  # whom root becomes where the file names nobody
log = logging.getLogger("catchment.responder")


class Responder:
    """What is bound and by which rules it answers."""

    def __init__(self, settings: ResponderSettings) -> None:
        """Bind everything; raises OSError. Nobody is answered yet."""
        self.settings = settings
        self.counters = Counters()
        self._answering = Answering(Nonces(), Rates(settings.rate.source, settings.rate.total, time.monotonic_ns()))
        self._doors = Doors(self._answering, self.counters)
        self._udp = [UdpServer(place, self._answering, self.counters) for place in settings.udp]
        self._streams = [
            (tcp.bound(place), made)
            for places, made in ((settings.http, HttpConnection), (settings.echo, EchoConnection))
            for place in places
        ]
        self._servers: list[asyncio.Server] = []

    async def open(self) -> None:
        """Answer from now on; raises KeyFileError."""
        self.follow(self.settings)
        for server in self._udp:
            server.open()
        for listening, made in self._streams:
            self._servers.append(await tcp.serve(listening, _making(made, self._doors)))

    def follow(self, settings: ResponderSettings) -> None:
        """Answer by these settings, as far as they need no other socket; raises KeyFileError and takes nothing then."""
        keys = keys_of(settings.keys)
        self._answering.follow(settings.identity, settings.services, keys, settings.allow)
        if settings.rate != self.settings.rate:
            self._answering.limit(Rates(settings.rate.source, settings.rate.total, time.monotonic_ns()))
        self.settings = settings

    def close(self) -> None:
        """Answer nobody any more."""
        for server in self._udp:
            server.close()
        for stream in self._servers:
            stream.close()

    def plain(self) -> dict[str, Any]:
        """Return who it is and what it did, as JSON can carry it."""
        who, told = self.settings.identity, self.settings
        return {
            "region": who.region,
            "nva": who.nva,
            "instance": who.instance,
            "generation": who.generation,
            "services": sorted(told.services),
            "listen": {"udp": [*map(str, told.udp)], "http": [*map(str, told.http)], "echo": [*map(str, told.echo)]},
            **self.counters.plain(),
        }


def _making(made: Callable[[Doors], asyncio.Protocol], doors: Doors) -> Callable[[], asyncio.Protocol]:
    return lambda: made(doors)


def reload(responder: Responder) -> None:
    """Follow the file as it is now; what is wrong with it is logged, and all stays as it was."""
    was = responder.settings
    try:
        responder.follow(load(was.source))
    except (ConfigError, ValueError) as error:
        log.error("the file is not taken, and all stays as it was:\n%s", error)
        return
    now = responder.settings
    if (was.udp, was.http, was.echo, was.user) != (now.udp, now.http, now.echo, now.user):
        log.warning("listen or user changed: these count from the next start on")
    log.info("follows %s: %d keys, generation %s", now.source, len(now.keys), now.identity.generation)


async def run(path: Path, status: Callable[[dict[str, Any]], None]) -> None:
    """Run until SIGTERM or SIGINT; `status` is called each minute, at SIGUSR1 and at the end.

    Raises ConfigError, ValueError with a sentence, and OSError, before anybody is answered.
    """
    settings = load(path)
    allow_open_files()
    responder = Responder(settings)
    user = settings.user or (FALLBACK_USER if os.geteuid() == 0 else None)
    if user is not None:
        become(user)
        load(path)  # what it cannot read from now on is better told at once than at the next rotation
    await responder.open()
    log.info("answers as %s: %s", _named(settings), ", ".join(_listens(settings)))
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, reload, responder)
    loop.add_signal_handler(signal.SIGUSR1, lambda: status(responder.plain()))
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopped.set)
    try:
        while not stopped.is_set():
            try:
                await asyncio.wait_for(stopped.wait(), STATUS_EVERY)
            except TimeoutError:
                status(responder.plain())
    finally:
        responder.close()
        status(responder.plain())


def _named(settings: ResponderSettings) -> str:
    who = settings.identity
    return "|".join((who.region, who.nva, who.instance, who.generation))


def _listens(settings: ResponderSettings) -> list[str]:
    kinds = (("udp", settings.udp), ("http", settings.http), ("echo", settings.echo))
    return [f"{kind} {place}" for kind, places in kinds for place in places]
