"""What the station remembers of each exporter across its connections."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from collector.bmp.counters import FeedCounters
from collector.bmp.line import Line
from collector.bmp.status import ExporterStatus

TAKE_OVERS: Final = 3
WINDOW: Final = 300.0


@dataclass
class Exporter:
    """One exporter. `line` is its connection, None while it has none."""

    name: str
    line: Line | None = None
    address: str = ""
    since: datetime | None = None
    detail: str = ""
    connections: int = 0
    overloads: int = 0
    _known: tuple[str, str] = ("", "")
    _past: FeedCounters = field(default_factory=FeedCounters)
    _spooled: int = 0
    _taken_over: deque[float] = field(default_factory=deque)

    def began(self, line: Line, at: datetime) -> None:
        """A connection is this exporter's from now on."""
        self.line, self.address, self.since, self.detail = line, line.address, at, ""
        self.connections += 1

    def may_take_over(self, now: float) -> bool:
        """Whether a second connection may replace the first at `now` (seconds of any steady clock).

        A router that comes back must not wait until we notice that it went. But two connections that chase each other
        off would blind us for good, so only `TAKE_OVERS` times in `WINDOW` seconds.
        """
        while self._taken_over and now - self._taken_over[0] > WINDOW:
            self._taken_over.popleft()
        if len(self._taken_over) >= TAKE_OVERS:
            return False
        self._taken_over.append(now)
        return True

    def ended(self, line: Line, detail: str, at: datetime) -> None:
        """A connection of this exporter is over, and everything in it decoded."""
        self._past.add(line.feed.counted())
        self._spooled += line.inbox.spooled
        self._known = line.feed.name or self._known[0], line.feed.description or self._known[1]
        if self.line is line:
            self.line, self.since, self.detail = None, at, detail

    def status(self) -> ExporterStatus:
        """How it is at this moment."""
        counters, line = FeedCounters(), self.line
        counters.add(self._past)
        if line is not None:
            counters.add(line.feed.counted())
        return ExporterStatus(
            exporter=self.name,
            address=self.address,
            connected=line is not None,
            since=self.since,
            name=(line.feed.name if line else "") or self._known[0],
            description=(line.feed.description if line else "") or self._known[1],
            detail=self.detail,
            counters=counters,
            waiting=line.inbox.octets + line.feed.waiting if line else 0,
            spooled=self._spooled + (line.inbox.spooled if line else 0),
            connections=self.connections,
            overloads=self.overloads,
        )
