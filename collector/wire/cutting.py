"""A stream of octets cut into messages by their lengths; what is damaged is passed over up to the next sound message.

The rule of resynchronising. Where no message can stand, the octets are passed over up to the next place where one looks
sound and leads on: its length ends where another message begins, or where the stream ends. Where it is `strict`, what
follows a message is looked at before it is believed: where its length leads nowhere and inside it stands one that does
lead on, the length lies, and what it would have swallowed is read. Every octet is looked at a bounded number of
times, and the pieces do not depend on how the stream was cut when it came.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

KEPT: Final = 4096
"""How much of a damaged stretch is kept."""

STRETCH: Final = 1 << 20
"""A longer damaged stretch is told of in parts, so that it need not be held."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How the messages of one protocol are told apart."""

    what: str
    """Such as "MRT record"."""
    header: int
    """Octets that tell the size of a message."""
    size: Callable[[bytearray, int], int | str]
    """Size of the message at a place where a header is there, header included; or why none can stand there."""
    start: re.Pattern[bytes]
    """Where, in a damaged stretch, a message may begin."""
    sound: Callable[[bytearray, int, int], bool]
    """Whether the whole message at a place, of a size, looks like one; asked only in a damaged stretch."""


@dataclass(frozen=True, slots=True)
class Whole:
    """One message."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Damaged:
    """Octets that are no message, and were passed over."""

    reason: str
    offset: int
    """Where they begin in the (decompressed) file or stream."""
    raw: bytes
    """The first of them."""
    size: int = 0
    """How many they are."""


Piece: TypeAlias = Whole | Damaged


class Cutter:
    """Cuts one stream.

    `strict`: a message is told of once it is known that it leads on. `live`: a search does not wait for what follows a
    message. `searching`: the stream may begin inside a message, and `why` is then the reason of what is passed over.
    """

    def __init__(
        self, framing: Framing, *, strict: bool = True, live: bool = False, searching: bool = False, why: str = ""
    ) -> None:
        self._framing = framing
        self._strict, self._live = strict, live
        self._buffer = bytearray()
        self._from = 0
        """Where in the buffer the search goes on: everything before has been looked at."""
        self._why = why or f"no {framing.what} begins here"
        self._searching = searching
        self._passed: list[bytes] = []
        self._passed_size = 0
        self.offset = 0
        """Offset in the stream of the first octet that is neither told of nor passed over."""

    @property
    def pending(self) -> int:
        """Octets that are held."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Take more of the stream; yields the pieces that it completes, in order."""
        self._buffer += data
        yield from self._cut(final=False)

    def end(self) -> Iterator[Piece]:
        """The stream ends, or continues elsewhere: yields what is left. It may be fed again, from any place on."""
        yield from self._cut(final=True)
        yield from self._told()

    def torn(self, why: str) -> Iterator[Piece]:
        """Octets of the stream are missing from here on: what is held is told of, and the next sound message sought."""
        yield from self.end()
        self._search(why)

    def _cut(self, final: bool) -> Iterator[Piece]:
        while self._buffer:
            if self._searching:
                at, _ = self._found(len(self._buffer), final)
                yield from self._pass(self._from)
                if at is None:
                    return
                yield from self._told()
                self._searching = False
            size = self._next(final)
            if size is None:
                return
            if size:
                yield Whole(self.offset, self._take(size))

    def _next(self, final: bool) -> int | None:
        """Size of the message at the front; 0 when a search begins, None when more is needed."""
        what, there = self._framing.what, len(self._buffer)
        if there < self._framing.header:
            return self._search(f"the stream ends inside a {what}") if final else None
        size = self._framing.size(self._buffer, 0)
        if isinstance(size, str):
            return self._search(size)
        if there < size:
            return self._search(f"the stream ends inside a {what}, {size} octets long") if final else None
        if not self._strict or (leads := self._leads(size, final)):
            return size
        if leads is None:
            return None
        self._from = max(self._from, 1)
        at, waits = self._found(size, final)
        if waits:
            return None
        return size if at is None else self._search(f"a {what} claims {size} octets, and others begin among them")

    def _search(self, why: str) -> int:
        self._why, self._searching, self._from = why, True, min(1, len(self._buffer))
        return 0

    def _found(self, until: int, final: bool) -> tuple[int | None, bool]:
        """The first place before `until` where a sound message leads on, and whether more is needed to tell."""
        for match in self._framing.start.finditer(self._buffer, self._from):
            at = match.start()
            if at >= until:
                break
            size = self._framing.size(self._buffer, at)
            if isinstance(size, str):
                continue
            if not final and at + size + (0 if self._live else self._framing.header) > len(self._buffer):
                self._from = at
                return None, True
            if self._leads(at + size, final) and self._framing.sound(self._buffer, at, size):
                self._from = at
                return at, False
        unseen = 0 if final else self._framing.header - 1
        self._from = max(self._from, min(until, len(self._buffer) - unseen))
        return None, False

    def _leads(self, end: int, final: bool) -> bool | None:
        """Whether another message begins at `end`, or the stream ends there; None when more is needed to tell."""
        left = len(self._buffer) - end
        if left < 0:
            return False if final else None
        if left >= self._framing.header:
            return not isinstance(self._framing.size(self._buffer, end), str)
        return True if final or self._live else None

    def _pass(self, size: int) -> Iterator[Damaged]:
        """Pass over the first octets of the buffer."""
        while size:
            part = min(size, STRETCH - self._passed_size)
            if self._passed_size < KEPT:
                self._passed.append(bytes(self._buffer[: min(part, KEPT - self._passed_size)]))
            del self._buffer[:part]
            self._passed_size += part
            self._from = max(0, self._from - part)
            size -= part
            if self._passed_size == STRETCH:
                yield from self._told()

    def _told(self) -> Iterator[Damaged]:
        """What has been passed over."""
        if self._passed_size:
            size, raw = self._passed_size, b"".join(self._passed)
            told = f"{self._why}: {size} octets are passed over"
            yield Damaged(told, self.offset, raw, size)
            self.offset += size
            self._passed, self._passed_size = [], 0

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        self.offset += size
        self._from = 0
        return taken
