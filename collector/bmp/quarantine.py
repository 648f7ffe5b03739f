"""Routes of sessions that their router never named are kept in the journal, and from whoever judges.

IOS XR sends routes of VPN peers, and GoBGP its own ones under peer 0.0.0.0, without any Peer Up. Nobody can say whether
such a session is up, or how its prefixes are to be read, so nothing may be concluded from them. A Loc-RIB is heard
all the same, for FRR 8.0 and GoBGP before 4.2 have no Peer Up for it; so is everything of a stream that begins in the
middle, whose Peer Ups were sent before.

A Peer Up that comes a moment too late takes along what was heard in that moment, where its OPENs agree with how that
was read.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

from anycast.observation import (
    Announced,
    Observation,
    Session,
    SessionDown,
    SessionUp,
    Source,
    TableComplete,
    Withdrawn,
)

HELD: Final = 4096
"""Observations held for late Peer Ups; the oldest go first."""
LATE: Final = timedelta(seconds=5)
"""A Peer Up is followed by a dump (RFC 7854, 5): what is older than that says nothing of the session that came up."""


class Quarantine:
    """Lets observations of one feed through, in order, except those of sessions that nobody named."""

    def __init__(self, carried: Callable[[Source], bool]) -> None:
        """`carried`: whether the prefixes of a source carry path ids; such were misread before the Peer Up said so."""
        self._carried = carried
        self._named: set[Session] = set()
        self._held: deque[Announced | Withdrawn | TableComplete] = deque(maxlen=HELD)
        self.count = 0
        """Observations held back."""

    def through(self, seen: Observation) -> Iterator[Observation]:
        """Yield what may be judged now that `seen` was heard."""
        match seen:
            case SessionUp(session=session):
                yield seen
                if session not in self._named:
                    self._named.add(session)
                    yield from self._released(seen)
            case SessionDown(session=session):
                self._named.add(session)
                yield seen
            case Announced() | Withdrawn() | TableComplete() if seen.source.session not in self._named:
                self.count += 1
                self._held.append(seen)
            case _:
                yield seen

    def _released(self, up: SessionUp) -> Iterator[Observation]:
        mine = [seen for seen in self._held if seen.source.session == up.session]
        if not mine:
            return
        self._held = deque((seen for seen in self._held if seen.source.session != up.session), HELD)
        for seen in mine:
            if up.at - seen.at <= LATE and not self._carried(seen.source):
                yield replace(seen, at=up.at)
