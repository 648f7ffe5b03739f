"""What a backup says of itself: its files with their digests, and the moment it is of."""

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from anycast.plain import stamp

FORMAT: Final = 1
NAME: Final = "manifest.json"
LONGEST: Final = 1 << 28
"""Octets of a manifest: some 150 a file, of which a year of hours has a hundred thousand."""
LEDGER: Final = "ledger.sqlite"
BESIDE: Final = ("sessions.json", "agents.json")
"""What else of a data folder a restart needs: numbers that the journal's rows go by, and how agents stand."""
_PART: Final = r"(?!\.)[A-Za-z0-9._-]{1,120}"
_FILE: Final = re.compile(rf"journal(?:/{_PART}){{1,3}}|{'|'.join(map(re.escape, (LEDGER, *BESIDE)))}", re.ASCII)


class BackupError(Exception):
    """A backup that cannot be made or used: a sentence."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file."""

    path: str
    size: int
    """Octets."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole backup."""

    made_at: str
    """RFC 3339, UTC."""
    catchment: str
    """The version that made it."""
    alive: int | None
    """When the daemon last lived, nanoseconds since 1970; what comes later was not watched. None if it never did."""
    files: tuple[Entry, ...]
    format: int = FORMAT

    @property
    def octets(self) -> int:
        """Of all files."""
        return sum(entry.size for entry in self.files)

    def encode(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self), indent=1).encode()


def decode(text: bytes, where: str) -> Manifest:
    """Read a manifest; raises BackupError."""
    try:
        found: dict[str, Any] = json.loads(text)
        if found["format"] > FORMAT:
            raise BackupError(f"{where} was made by a newer Catchment, {found['catchment']}; restore it with that one")
        rows = [(named(each["path"], where), int(each["size"]), str(each["sha256"])) for each in found["files"]]
        alive = None if found["alive"] is None else int(found["alive"])
        return Manifest(str(found["made_at"]), str(found["catchment"]), alive, tuple(Entry(*row) for row in rows))
    except (ValueError, KeyError, TypeError) as error:
        raise BackupError(f"the manifest of {where} cannot be read: it is none of ours, or it is damaged") from error


def named(path: object, where: str) -> str:
    """Return a path that a backup may hold; raises BackupError for one that would lead out of the data folder."""
    if isinstance(path, str) and _FILE.fullmatch(path):
        return path
    raise BackupError(f"{where} holds {str(path)[:120]!r}, which no backup of ours does; nothing was restored from it")


def now() -> str:
    """The time, for a manifest."""
    return stamp(datetime.now(UTC))
