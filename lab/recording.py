"""Record the story: what the lab's routers send over BMP while it is acted. `lab/tape.py` describes the file.

    python -m lab.recording

brings a lab up, stands where Catchment would, acts the story at its own pace, writes the file, and takes the lab down.
It takes about two and a half minutes, Linux and root.
"""

import argparse
import asyncio
import ctypes
import itertools
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from lab import faults, lifecycle, space
from lab.story import STORY, Step
from lab.tape import STORY_TAPE, Act, Moment, Tape, What, write
from lab.topology import BMP_PORT, COLLECTOR_ADDRESS, Lab, Role

Say = Callable[[str], None]

CONNECTED_WITHIN = 60.0
"""Seconds in which every exporter must have dialled; GoBGP pauses up to 32 s between attempts."""
QUIET = 4.0
"""Seconds without an octet after which tables count as sent."""
AFTERWARDS = 2.0
"""Seconds that are recorded after the last step."""
READ = 65_536
HOST = "lab"
CLONE_NEWUTS = 0x04000000  # linux/sched.h


class Recorder:
    """Takes the routers' BMP connections and writes down what comes, and when."""

    def __init__(self, names: dict[str, str]) -> None:
        """`names`: exporters by the address they dial from."""
        self._names = names
        self._began = time.monotonic()
        self._connections = itertools.count(1)
        self.moments: list[Moment] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def now(self) -> float:
        """Seconds since the recording began, to the tenth of a millisecond."""
        return round(time.monotonic() - self._began, 4)

    @property
    def open(self) -> set[str]:
        """Exporters that have a connection now."""
        last = {moment.connection: moment for moment in self.moments}
        return {moment.exporter for moment in last.values() if moment.what in (What.OPEN, What.BYTES)}

    @property
    def quiet(self) -> float:
        """Seconds since something last came."""
        return self.now() - (self.moments[-1].at if self.moments else 0.0)

    async def listen(self, listener: socket.socket) -> None:
        """Take connections until cancelled."""
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            while True:
                connection, (address, _) = await loop.sock_accept(listener)
                task = asyncio.create_task(self._connection(connection, self._names[address]))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        finally:
            for task in self._tasks:
                task.cancel()

    async def _connection(self, connection: socket.socket, exporter: str) -> None:
        connection.setblocking(False)
        loop, number = asyncio.get_running_loop(), next(self._connections)
        self._note(exporter, number, What.OPEN)
        with connection:
            try:
                while octets := await loop.sock_recv(connection, READ):
                    self._note(exporter, number, What.BYTES, octets)
                self._note(exporter, number, What.CLOSE)
            except ConnectionResetError:
                self._note(exporter, number, What.RESET)

    def _note(self, exporter: str, connection: int, what: What, octets: bytes = b"") -> None:
        self.moments.append(Moment(self.now(), exporter, connection, what, octets))


async def record(lab: Lab, listener: socket.socket, say: Say, story: Sequence[Step] = STORY) -> Tape:
    """Act the story in a lab that is up, and return what its routers sent to `listener` meanwhile.

    Raises RuntimeError when an exporter does not connect, and what a fault raises that cannot be made or is not seen.
    """
    recorder = Recorder(_exporters(lab))
    listening = asyncio.create_task(recorder.listen(listener))
    try:
        await _settled(recorder, set(_exporters(lab).values()))
        begins = recorder.now()
        say(f"every table is sent after {begins:.0f} s; the story begins")
        acts = [act for step in story if (act := await _step(lab, recorder, begins, step, say)) is not None]
        await asyncio.sleep(AFTERWARDS)
        return Tape(f"{datetime.now(UTC):%Y-%m-%d}", begins, recorder.now(), tuple(recorder.moments), tuple(acts))
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


def _exporters(lab: Lab) -> dict[str, str]:
    """Exporters' names by the address they dial from, as the lab's intent names them."""
    return {str(COLLECTOR_ADDRESS): "gobgp"} | {str(node.address): node.name for node in lab.of(Role.EDGE)}


async def _settled(recorder: Recorder, wanted: set[str]) -> None:
    """Wait until every exporter is connected, and has nothing more to say."""
    while recorder.open != wanted or recorder.quiet < QUIET:
        if recorder.now() > CONNECTED_WITHIN:
            lacking = ", ".join(sorted(wanted - recorder.open)) or "none, but they never became quiet"
            raise RuntimeError(f"not connected over BMP within {CONNECTED_WITHIN:.0f} s: {lacking}")
        await asyncio.sleep(0.1)


async def _step(lab: Lab, recorder: Recorder, begins: float, step: Step, say: Say) -> Act | None:
    await asyncio.sleep(max(0.0, begins + step.at - recorder.now()))
    say(step.say)
    if step.verb is None:
        return None
    at, seen = recorder.now(), list[str]()
    if step.verb == "heal":
        await asyncio.to_thread(faults.heal, lab, seen.append)
    else:
        await asyncio.to_thread(faults.inject, lab, step.verb, step.arguments, seen.append)
    say(f"  {seen[-1]}")
    return Act(at, step.verb, step.arguments, recorder.now(), seen[-1])


def nameless() -> None:
    """Give this process and its children another host name than the machine's: GoBGP puts that into its OPENs.

    Raises OSError where this is not allowed.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUTS):
        number = ctypes.get_errno()
        raise OSError(number, f"cannot leave the machine's host name: {os.strerror(number)}")
    socket.sethostname(HOST)


def make(lab: Lab, path: Path, say: Say) -> Tape:
    """Bring a lab up, record the story, write it to `path`, and take the lab down."""
    nameless()
    made = lifecycle.up(lab, progress=say)
    say(f"{made.sessions} BGP sessions are up after {made.took.total_seconds():.0f} s")
    try:
        # Not `lifecycle.bmp_listener`: it may have GoBGP dial twice, and the recording would begin with a lost feed.
        with space.listening_socket(lab.namespace("collector"), COLLECTOR_ADDRESS, BMP_PORT) as listener:
            tape = asyncio.run(record(lab, listener, say))
    finally:
        lifecycle.down(lab)
    write(tape, path)
    return tape


def main() -> int:
    """Make the recording anew."""
    parser = argparse.ArgumentParser(prog="python -m lab.recording", description="Record the demo's story anew.")
    parser.add_argument("--output", type=Path, default=STORY_TAPE, help="the file to write")
    parser.add_argument("--name", default="recorded", help="name of the lab that is made for it")
    options = parser.parse_args()
    tape = make(Lab(options.name), options.output, _print)
    octets = sum(len(moment.octets) for moment in tape.moments)
    sys.stdout.write(
        f"{options.output.name}: {len(tape.moments)} moments, {octets} octets of BMP in {tape.end:.0f} s, "
        f"{options.output.stat().st_size} octets on disk\n"
    )
    return 0


def _print(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
