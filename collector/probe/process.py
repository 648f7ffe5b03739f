"""The agent's process: probes, batches, spool and uplink together, with as few rights as that needs.

Order: read what only root may read, open what only root may open, become somebody else, and only then start threads
and talk to the network. SIGTERM ends probing, keeps what was taken, and gives the centre some seconds to take it.
"""

import asyncio
import contextlib
import logging
import os
import platform
import pwd
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, Protocol

from collector.probe.agent.garbage import calm
from collector.probe.agent.loop import Prober
from collector.probe.batching import Batching, Desk
from collector.probe.config.values import AgentSettings
from collector.probe.identity.keyfile import KeyFileError, read_key
from collector.probe.identity.keys import Key, Keys
from collector.probe.privileges import PrivilegeError, before_others, end_with_parent, restrict
from collector.probe.spool import Spool, SpoolError
from collector.probe.taken import Health, Taken
from collector.probe.uplink import Uplink, UplinkError, read_token, trust

log = logging.getLogger(__name__)
LAST: Final = 5.0
"""Seconds at the end in which the centre may take what waits."""
PARENT: Final = "CATCHMENT_AGENT_PARENT"
"""In the environment of an agent that `catchment run` started: the process with which it ends."""


class AgentError(Exception):
    """The agent cannot run; the message is a sentence for the operator."""


class Probing(Protocol):
    """What takes results: `collector.probe.agent.loop.Prober`."""

    def open(self) -> None:
        """Open what needs rights."""
        ...

    async def run(self) -> None:
        """Take results until cancelled."""
        ...

    def health(self) -> Health:
        """Say how it did since it was last asked."""
        ...


Make = Callable[[AgentSettings, Callable[[Taken], None], Keys], Probing]


def run(settings: AgentSettings, make: Make = Prober) -> None:
    """Run the agent until it is told to stop. Raises AgentError. `make` builds what takes results."""
    try:
        token, context = read_token(settings.centre.token), trust(settings.centre)
        keys = Keys(Key(number, settings.site, read_key(path)) for number, path in settings.keys.items())
    except (UplinkError, KeyFileError, ValueError) as error:
        raise AgentError(str(error)) from error
    _own(settings.data, settings.user)
    taking = _Taking()
    probing = make(settings, taking.take, keys)
    try:
        probing.open()
        before_others()
        restrict(settings.user)
        spool = Spool(settings.data / "spool", settings.quota)
    except (PrivilegeError, SpoolError, OSError) as error:
        raise AgentError(str(error)) from error
    parent = os.environ.get(PARENT, "")
    if parent.isdigit() and not end_with_parent(int(parent), signal.SIGTERM):
        spool.close()
        return
    calm()
    asyncio.run(_run(settings, probing, taking, spool, lambda desk: Uplink(settings.centre, token, context, desk)))


class _Taking:
    """Where results go: to the batches, once there are any."""

    def __init__(self) -> None:
        self.to: Callable[[Taken], None] | None = None

    def take(self, taken: Taken) -> None:
        if self.to is not None:
            self.to(taken)


async def _run(
    settings: AgentSettings, probing: Probing, taking: _Taking, spool: Spool, to_centre: Callable[[Desk], Uplink]
) -> None:
    desk = Desk(spool)
    uplink = to_centre(desk)
    targets = tuple(asked.target for asked in settings.targets)
    batching = Batching(settings.site, platform.node(), targets, desk, probing.health)
    taking.to = batching.take
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    waiting = spool.waiting
    log.info(
        "probing %d targets from %s, %.0f probes a second at most; reporting to %s as run %s%s",
        len(targets), settings.site, min(settings.rate, settings.cap), settings.centre.url, batching.run_id,
        f"; {waiting} results of before wait in the spool" if waiting else "",
    )  # fmt: skip
    for sentence in probing.health().lacking:
        log.warning("%s", sentence)
    work: tuple[Coroutine[Any, Any, Any], ...] = (probing.run(), batching.run(), uplink.run(), stopping.wait())
    tasks = [asyncio.create_task(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(tasks, batching, uplink, desk)
    for task in done:
        task.result()  # an error of ours ends the process, and is seen


async def _end(tasks: list[asyncio.Task[Any]], batching: Batching, uplink: Uplink, desk: Desk) -> None:
    probes, batches, sending, told = tasks
    for task in (probes, sending, told):
        task.cancel()
    await asyncio.gather(probes, sending, told, return_exceptions=True)
    batching.stop()
    with contextlib.suppress(Exception):  # told by whoever reads the task's result
        await batches
    await uplink.drain(LAST)
    waiting = await desk.ask(lambda spool: spool.waiting)
    await desk.close()
    log.info("stopped; %s", f"{waiting} results wait in the spool" if waiting else "the centre has everything")


def _own(data: Path, user: str) -> None:
    """Make the data folder, and make it the user's that we become. Raises AgentError."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.geteuid() == 0:
            who = pwd.getpwnam(user)
            os.chown(data, who.pw_uid, who.pw_gid, follow_symlinks=False)
    except KeyError:
        raise AgentError(f"this machine has no user {user}; make one, or name another under `user`") from None
    except OSError as error:
        raise AgentError(
            f"the data folder {data} cannot be made: {error.strerror}; `data` names one that can"
        ) from error
