"""Files that are made, in a folder: each whole or not at all, and none over another's work unless that is asked for."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class What(StrEnum):
    """What became of a file."""

    MADE = "made"
    SAME = "same"
    """It was there already, octet for octet."""
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Written:
    """One file."""

    path: Path
    what: What
    octets: int


class StandsThere(Exception):
    """Files that differ from what would be written are there already: a sentence."""


def write(folder: Path, files: Mapping[str, bytes], force: bool) -> tuple[Written, ...]:
    """Write files by their paths below `folder`, which is made where it is missing.

    Raises StandsThere, before anything is written, where a file with other content is there and `force` is not given;
    OSError where the machine refuses.
    """
    meant = [(folder / name, content, _what(folder / name, content)) for name, content in sorted(files.items())]
    standing = [path for path, _, what in meant if what is What.REPLACED]
    if standing and not force:
        more = f" and {len(standing) - 1} more" if len(standing) > 1 else ""
        raise StandsThere(f"{standing[0]}{more}: something else is there; --force overwrites it")
    for path, content, what in meant:
        if what is not What.SAME:
            _put(path, content)
    return tuple(Written(path, what, len(content)) for path, content, what in meant)


def _what(path: Path, content: bytes) -> What:
    try:
        return What.SAME if path.read_bytes() == content else What.REPLACED
    except FileNotFoundError:
        return What.MADE


def _make(folder: Path) -> None:
    """Make a folder that others may look into, whatever this process keeps to itself by default: Grafana is another."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)


def _put(path: Path, content: bytes) -> None:
    """Under another name first: Grafana reads such folders while we write."""
    _make(path.parent)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o644)  # nothing secret is in it
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
