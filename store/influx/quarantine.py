"""Lines that a server refused, with its reasons: two files of JSON lines, of which the older one goes."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Final

from anycast.sink import Quarantined

OCTETS: Final = 4 << 20
"""Of one file; both are kept for their owner alone."""
LONGEST: Final = 16_384
"""Characters of a line that are kept."""


class Quarantine:
    """The lines of one sink."""

    def __init__(self, path: Path, octets: int = OCTETS) -> None:
        """Keep them at `path`, and the older ones beside it."""
        self._path, self._older, self._octets = path, path.with_suffix(".older"), octets

    def put(self, lines: Iterable[Quarantined]) -> None:
        """Write lines down. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and self._path.stat().st_size >= self._octets:
            self._path.replace(self._older)
        with open(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
            for each in lines:
                row = asdict(each) | {"at": each.at.isoformat(), "line": each.line[:LONGEST]}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def last(self, limit: int) -> list[Quarantined]:
        """The newest lines, the newest first; what cannot be read is left out."""
        found: list[Quarantined] = []
        for path in (self._path, self._older):
            if len(found) < limit and path.exists():
                found += reversed(list(_read(path)))
        return found[:limit]


def _read(path: Path) -> Iterable[Quarantined]:
    with path.open(errors="replace") as file:
        for text in file:
            try:
                row = json.loads(text)
                yield Quarantined(**row | {"at": datetime.fromisoformat(row["at"])})
            except (ValueError, TypeError, KeyError):  # a crash tore the last one
                continue
