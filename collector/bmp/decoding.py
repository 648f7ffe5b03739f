"""The decoding thread: takes turns between feeds, slice by slice, so that a dump of one delays no UPDATE of another."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from collector.archive.raw import Kind, Piece, RawFiles
from collector.bmp.intake import RUN
from collector.bmp.line import Line
from collector.bmp.watch import Watch
from collector.heard import Heard

log = logging.getLogger(__name__)
TOGETHER: Final = 16
"""`Heard`s of all lines on their way before decoding waits, up to 2 MiB of columns each; one of each line may be."""


class Decoding:
    """Runs every line's feed in one thread, the only one that touches feeds and the table of attributes."""

    def __init__(self, deliver: Callable[[Line, Heard | None], None], archive: RawFiles | None = None) -> None:
        """`deliver` is called from the thread: with what was heard, and with None when a line is done.

        What the lines receive is appended to `archive`, as it came.
        """
        self._deliver, self._archive = deliver, archive
        self._lines: list[Line] = []
        self._changed = threading.Condition()
        self._watch: Watch | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="bmp-decoding", daemon=True)
        self.failures = 0
        """Feeds ended by an error of our own."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the slice that is being decoded. Blocks until then."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def add(self, line: Line) -> None:
        """Take turns with one more line."""
        with self._changed:
            line.spent = min((other.spent for other in self._lines), default=0.0)
            self._lines.append(line)

    def wake(self) -> None:
        """Something was put into an inbox, or a line ended."""
        with self._changed:
            self._changed.notify()

    def watch(self, watch: Watch) -> None:
        """Watch something else from the next slices on."""
        with self._changed:
            self._watch = watch

    def delivered(self, line: Line) -> None:
        """The event loop is done with one `Heard` of a line."""
        with self._changed:
            line.undelivered -= 1
            self._changed.notify()

    @property
    def undelivered(self) -> int:
        """`Heard`s that the event loop is not done with."""
        return sum(line.undelivered for line in tuple(self._lines))

    def _run(self) -> None:
        while (line := self._next()) is not None:
            before = time.perf_counter()
            try:
                heard = self._turn(line)
            except Exception:
                # Any error here is our own. It must not end the other feeds, and is told with its traceback.
                log.exception("decoding the feed of %s failed; its connection is closed", line.feed.router)
                self.failures += 1
                heard = line.feed.fail(time.time_ns())
                line.done = True
            line.spent += time.perf_counter() - before
            if heard is not None:
                with self._changed:
                    line.undelivered += 1
                self._deliver(line, heard)
            if line.done:
                self._keep(line, Kind.LOST, line.end[2] if line.end else time.time_ns())
                with self._changed:
                    self._lines.remove(line)
                self._deliver(line, None)

    def _next(self) -> Line | None:
        """Wait for the ready line that had the least; None when it is time to stop."""
        with self._changed:
            while not self._stopping:
                if self._watch is not None:
                    for line in self._lines:
                        line.feed.watch(self._watch)
                    self._watch = None
                ready = self._ready()
                if ready:
                    chosen = min(ready, key=lambda line: line.spent)
                    for line in self._lines:  # who was idle has no claim on the time it did not use
                        line.spent = max(line.spent, chosen.spent)
                    return chosen
                self._changed.wait()
        return None

    def _ready(self) -> list[Line]:
        """Lines that have something to do; while much is on its way, only those of which nothing is."""
        full = sum(line.undelivered for line in self._lines) >= TOGETHER
        return [line for line in self._lines if line.ready and not (full and line.undelivered)]

    def _turn(self, line: Line) -> Heard | None:
        """One slice of a line, or its end."""
        end = line.end
        self._relieve(line)
        if not line.feed.more:
            for chunk, at in line.inbox.take(RUN):
                line.feed.feed(chunk, at)
                self._keep(line, Kind.OCTETS, at, chunk)
        heard = line.feed.take()
        if line.feed.ended is not None and not line.feed.more:
            line.done = True
        elif heard is None and end is not None and not line.inbox.octets and not line.feed.more:
            line.done = True
            return None if line.silently else line.feed.lose(*end)
        return heard

    def _keep(self, line: Line, kind: Kind, at: int, chunk: bytes = b"") -> None:
        """Append to the archive what happened on a line that spoke."""
        if self._archive is None or not (chunk or line.archived):
            return
        if not line.archived:
            line.archived = True
            self._archive.put(line.feed.router, Piece(Kind.OPENED, at))
        self._archive.put(line.feed.router, Piece(kind, at, chunk))

    def _relieve(self, line: Line) -> None:
        """Give up the bulk lane of a line's heaviest session while it is overloaded."""
        if line.overloaded and line.given_up is None:
            line.given_up = line.feed.give_up()
            log.warning("cannot keep up with %s: unwatched routes of %s are left out", line.feed.router, line.given_up)
        elif line.overloaded and not line.inbox.octets:
            line.overloaded = line.inbox.stretched = False
            line.given_up = line.feed.give_up(False)
            log.warning("keeping up with %s again", line.feed.router)
