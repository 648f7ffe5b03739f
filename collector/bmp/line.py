"""One exporter's connection on its way through the station: what the event loop and the decoding thread share."""

from dataclasses import dataclass
from typing import Final

from anycast.observation import LostReason, Session
from collector.bmp.inbox import Inbox
from collector.bmp.session import BmpFeed

UNDELIVERED: Final = 16
"""`Heard`s of a line on their way before its decoding waits, and that of no other line: at most about 32 MiB of
columns."""


@dataclass(eq=False)
class Line:
    """A feed and what waits for it. The event loop fills the inbox and sets `end`, the decoding thread does the rest.
    A feed and what waits for it. The event loop fills the inbox and sets `end`, the decoding thread does the rest."""

    feed: BmpFeed
    inbox: Inbox
    address: str
    after: "Line | None" = None
    """The connection of the same exporter that this one replaces, which is finished first."""
    end: tuple[LostReason, str, int] | None = None
    """Why the connection ended, in words, and when (ns); what was received before is decoded first."""
    silently: bool = False
    """The station itself stops: no word about the end."""
    spent: float = 0.0
    """Seconds of decoding, in fair shares: the line that had the least comes next."""
    overloaded: bool = False
    """The inbox was full: part of it is given up until the inbox is empty."""
    given_up: Session | None = None
    archived: bool = False
    """Whether the archive was told of this connection."""
    done: bool = False
    undelivered: int = 0
    """`Heard`s on their way to whoever listens."""

    @property
    def ready(self) -> bool:
        """Whether the decoding thread has something to do here."""
        if self.done or self.undelivered >= UNDELIVERED or (self.after is not None and not self.after.done):
            return False
        return self.feed.more or self.inbox.octets > 0 or self.end is not None
