"""Recordings of the lab (`lab.tape`) as moments. They know a day and seconds: a replay begins at its midnight."""

import gzip
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from collector.recorded.moment import Moment, What
from lab import tape

_BEGINNING: Final = b'{"format": "' + tape.FORMAT.encode()
_GZIP: Final = b"\x1f\x8b"


class Unplayable(ValueError):
    """A file cannot be replayed; the text says which, why, and what would be right."""


def is_tape(path: Path) -> bool:
    """Whether a file is a recording of the lab. Raises OSError when it cannot be read."""
    with path.open("rb") as file:
        if file.read(len(_GZIP)) != _GZIP:
            return False
    try:
        with gzip.open(path) as plain:
            return plain.read(len(_BEGINNING)) == _BEGINNING
    except (gzip.BadGzipFile, EOFError):
        return False


def tape_exporters(path: Path) -> tuple[str, ...]:
    """Return the names of the exporters in a recording. Raises Unplayable when it is damaged."""
    return _read(path).exporters


def tape_moments(path: Path) -> Iterator[Moment]:
    """Yield the moments of a recording. Raises Unplayable when it is damaged.

    As at the station, a second connection of an exporter takes over with its first octet, and what the first one does
    after that counts no more.
    """
    made = _read(path)
    midnight = int(datetime.fromisoformat(f"{made.made}T00:00:00+00:00").timestamp())
    current: dict[str, int] = {}
    for each in made.moments:
        at = midnight * 1_000_000_000 + round(each.at * 1e9)
        ours = current.get(each.exporter)
        if each.what is tape.What.BYTES:
            if each.connection != ours and (ours is None or each.connection > ours):
                current[each.exporter] = ours = each.connection
                yield Moment(at, each.exporter, What.OPEN)
            if each.connection == ours:
                yield Moment(at, each.exporter, What.OCTETS, each.octets)
        elif each.what is not tape.What.OPEN and each.connection == ours:
            how = "closed" if each.what is tape.What.CLOSE else "reset"
            yield Moment(at, each.exporter, What.LOST, detail=f"the connection was {how}")


def _read(path: Path) -> tape.Tape:
    try:
        return tape.read(path)
    except ValueError as error:
        raise Unplayable(str(error)) from error
