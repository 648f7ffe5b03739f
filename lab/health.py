"""The health check of an NVA: no healthy application, no advertisement.

    python -m lab.health --app 10.10.1.20:8080 --control /run/bird.ctl --protocol anycast4 [--protocol ...]

One GET a second. Three bad answers in a row and the protocols that originate the anycast routes are disabled through
BIRD's control socket, two good ones and they are enabled: the sessions stay up, only the routes go. It acts on its own
transitions only, so a route that somebody withdrew by hand stays withdrawn. One JSON line on standard output each time.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Sequence
from enum import StrEnum

from lab.app import PATH

INTERVAL = 1.0
PATIENCE = 0.9  # seconds for one answer: over before the next check begins
BAD_IN_A_ROW = 3
GOOD_IN_A_ROW = 2


class Turn(StrEnum):
    """What a check makes the NVA do."""

    WITHDRAW = "withdraw"
    ANNOUNCE = "announce"


class Judge:
    """Counts answers in a row; begins as announcing, for that is how BIRD starts."""

    def __init__(self) -> None:
        self.announcing = True
        self._against = 0

    def feed(self, good: bool) -> Turn | None:
        """Return the turn that this answer makes; None while nothing changes."""
        self._against = self._against + 1 if good != self.announcing else 0
        if self._against < (BAD_IN_A_ROW if self.announcing else GOOD_IN_A_ROW):
            return None
        self.announcing, self._against = good, 0
        return Turn.ANNOUNCE if good else Turn.WITHDRAW


async def check(host: str, port: int, patience: float = PATIENCE) -> str | None:
    """Return None when the application answers 200, else what was wrong."""
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {PATH} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                line = await reader.readline()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()  # the answer is in; how the connection ended says nothing
    except TimeoutError:
        return f"no answer within {patience:g} s"
    except OSError as problem:
        return str(problem)
    return None if line.split(b" ")[1:2] == [b"200"] else f"answered {line[:60]!r}"


async def act(turn: Turn, control: str, protocols: Sequence[str]) -> str:
    """Disable or enable the protocols, and return what BIRD said."""
    verb = "disable" if turn is Turn.WITHDRAW else "enable"
    said = []
    for protocol in protocols:
        birdc = await asyncio.create_subprocess_exec(
            "birdc", "-s", control, verb, protocol, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said.append((await birdc.communicate())[0].decode(errors="replace").strip().rpartition("\n")[2])
    return "; ".join(said)


async def watch(host: str, port: int, control: str, protocols: Sequence[str]) -> None:
    """Check for ever, on a beat that does not drift."""
    judge, loop = Judge(), asyncio.get_running_loop()
    beat = loop.time()
    while True:
        wrong = await check(host, port)
        turn = judge.feed(wrong is None)
        if turn is not None:
            said = await act(turn, control, protocols)
            _log(turn=turn, why=wrong or "answers again", bird=said)
        beat = max(beat + INTERVAL, loop.time())
        await asyncio.sleep(beat - loop.time())


def _log(**parts: str) -> None:
    sys.stdout.write(json.dumps({"at": time.time(), **parts}) + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and check until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m lab.health", description="Withdraw when the application dies.")
    parser.add_argument("--app", required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--control", required=True, metavar="SOCKET", help="BIRD's control socket")
    parser.add_argument("--protocol", action="append", required=True, help="a protocol that originates anycast routes")
    options = parser.parse_args(arguments)
    host, _, port = options.app.rpartition(":")
    asyncio.run(watch(host, int(port), options.control, options.protocol))


if __name__ == "__main__":
    main()
