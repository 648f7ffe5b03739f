"""What BGP said shortly before, in words: for findings that an event of the control plane may explain."""

from collections.abc import Iterable
from datetime import UTC, datetime

from analyzers.evidence import Line
from analyzers.grounds import Ground
from analyzers.probing.convergence import Move
from anycast.plain import stamp

BEFORE, AFTER = 30.0, 2.0
"""Seconds: a hop may hold an update back for thirty (RFC 4271, 10), and a feed may be later than a probe by two."""
SHOWN = 6


def changed_before(ground: Ground, since: float) -> tuple[Line, ...]:
    """Return what changed of the prefix in the last half minute before `since` (seconds since 1970)."""
    moves = ground.view.convergence.moves.of(ground.pair.prefix, ground.seen.site)
    near = [move for move in moves if since - BEFORE <= move.at <= since + AFTER]
    if not near:
        return (("BGP before", "nothing that was seen changed in the half minute before"),)
    return (*told(near[:SHOWN]), *((("and", f"{len(near) - SHOWN} more"),) if len(near) > SHOWN else ()))


def told(moves: Iterable[Move]) -> tuple[Line, ...]:
    """Return events of the control plane, each with its time."""
    return tuple(("BGP", f"{stamp(moment(move.at))}: {move.words}") for move in moves)


def moment(at: float) -> datetime:
    """Return a moment of seconds since 1970."""
    return datetime.fromtimestamp(at, UTC)


def milliseconds(seconds: float) -> str:
    """Write a duration so that it says no more than was measured."""
    return f"{seconds * 1e3:.1f} ms" if abs(seconds) < 0.1 else f"{seconds * 1e3:.0f} ms"
