"""A router that dumps a full table over BMP, again and again, from a process of its own.

    python -m tests.prove.pouring PORT SOURCE ROUTES SEED

Says `ready` when the stream is made, sends a table for each line that it reads, as fast as the socket takes it, and
says `done` after each. Each table is a dump of its own: its peer went down and came up before it.
"""

import socket
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

from tests.collector.bmp import streams


def stream_of(routes: int, seed: int) -> bytes:
    """Build one dump: Peer Up, the table, End-of-RIB."""
    return b"".join((streams.peer_up(), *streams.table(routes, seed), streams.end_of_rib()))


def pour(port: int, source: str, routes: int, seed: int) -> None:
    """Be that process."""
    stream, before = stream_of(routes, seed), b""
    say("ready")
    with socket.create_connection(("127.0.0.1", port), source_address=(source, 0)) as connection:
        connection.sendall(streams.initiation("transit"))
        while sys.stdin.readline():
            begun = time.time()
            connection.sendall(before + stream)
            before = streams.peer_down()
            say(f"done {begun} {time.time()}")


def say(line: str) -> None:
    """Tell whoever started us."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Pouring:
    """That process, held from outside."""

    def __init__(self, port: int, source: str, routes: int, seed: int) -> None:
        argv = [sys.executable, "-m", "tests.prove.pouring", *map(str, (port, source, routes, seed))]
        self._child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        assert self._line() == "ready"

    def pour(self) -> None:
        """Begin one more table."""
        assert self._child.stdin is not None
        self._child.stdin.write("go\n")

    def done(self) -> tuple[float, float]:
        """Wait until a whole table was taken by the socket; returns when it began and when it ended."""
        _, begun, ended = self._line().split()
        return float(begun), float(ended)

    def _line(self) -> str:
        assert self._child.stdout is not None
        return self._child.stdout.readline().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._child.kill()  # in the middle of a table, and whatever it wants to say of that is not of interest
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()


if __name__ == "__main__":
    port, source, routes, seed = sys.argv[1:]
    pour(int(port), source, int(routes), int(seed))
