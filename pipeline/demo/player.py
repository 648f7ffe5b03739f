"""Plays a recording of the lab to a station: the routers' own bytes, over real TCP connections, at their own times.

Each exporter dials from a loopback address of its own, which is what the station knows it by. Bytes go out as they
were recorded, per-peer timestamps included: judging goes by the time of receipt, and `router_time` in the journal
stays what the router said on the day of the recording.
"""

import asyncio
import errno
import socket
import struct
import time
from collections.abc import Iterable, Mapping

from lab.tape import Moment, Tape, What

PATIENCE = 120.0
"""Seconds in which the station must take the first connection; a first start compiles the decoder."""
ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER on, of no time: closing sends a RST."""


class NoSource(Exception):
    """A loopback address that an exporter would dial from is not there; the message says what to do."""


class Player:
    """Exporters that say again what they said."""

    def __init__(self, tape: Tape, station: tuple[str, int], sources: Mapping[str, str], speed: float = 1.0) -> None:
        """`sources`: the address each exporter dials from. `speed`: how many recorded seconds pass in one."""
        self._tape, self._station, self._sources, self._speed = tape, station, sources, speed
        self._open: dict[int, asyncio.StreamWriter] = {}

    async def tables(self) -> None:
        """Dial as soon as the station listens, and send what was sent before the story: every table.

        Raises ConnectionError when the station does not listen in time.
        """
        first, *others = (moment for moment in self._tape.moments if moment.at < self._tape.story)
        deadline = time.monotonic() + PATIENCE
        while not await self._dialled(first, deadline):
            await asyncio.sleep(0.1)
        await self._play(others, first.at)

    async def story(self) -> None:
        """Send what was sent from the story on, which begins now."""
        await self._play((each for each in self._tape.moments if each.at >= self._tape.story), self._tape.story)

    async def stop(self) -> None:
        """Hang up."""
        for writer in self._open.values():
            writer.close()
        self._open.clear()

    async def _dialled(self, moment: Moment, deadline: float) -> bool:
        """Dial, and say whether the station took it; a refusal after the deadline is raised."""
        source = (self._sources[moment.exporter], 0)
        try:
            _, self._open[moment.connection] = await asyncio.open_connection(*self._station, local_addr=source)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            return False
        return True

    async def _play(self, moments: Iterable[Moment], origin: float) -> None:
        """Play moments at their distance from `origin`, which is now."""
        began = time.monotonic()
        for moment in moments:
            due = began + (moment.at - origin) / self._speed
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self._do(moment)

    async def _do(self, moment: Moment) -> None:
        if moment.what is What.OPEN:
            await self._dialled(moment, deadline=0.0)
            return
        writer = self._open[moment.connection]
        match moment.what:
            case What.BYTES:
                writer.write(moment.octets)
                await writer.drain()
            case What.CLOSE:
                writer.close()
            case What.RESET:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
                writer.transport.abort()


def loopback(exporters: Iterable[str]) -> dict[str, str]:
    """Give each exporter an address of loopback, 127.0.0.1 and on.

    Raises NoSource with the command that helps where one of them is not there: macOS has 127.0.0.1 alone.
    """
    sources = {exporter: f"127.0.0.{number}" for number, exporter in enumerate(exporters, 1)}
    lacking = [address for address in sources.values() if not _bindable(address)]
    if lacking:
        commands = " && ".join(f"sudo ifconfig lo0 alias {address} up" for address in lacking)
        raise NoSource(
            f"each of the {len(sources)} recorded routers dials from a loopback address of its own, and "
            f"{' and '.join(lacking)} cannot be used here. On macOS, this makes them until the next start: {commands}"
        )
    return sources


def _bindable(address: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                return False
            raise
    return True
