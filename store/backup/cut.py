"""The journal at one moment: what it consists of, held open until it is copied."""

import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final

from store.backup.manifest import BackupError
from store.folder import CLOSED, GROWING, SEALED, Folder
from store.frame import head, pieces
from store.schema import SCHEMAS

SIGN_WITHIN: Final = 3.0
"""Seconds: an idle writer gives its sign of life every second (`store.writer.IDLE`)."""
TICK: Final = 20_000_000
"""Nanoseconds by which a file's time may lag behind the clock."""
_TRIES: Final = 50
_AUXILIARY: Final = ("activity-", "attributes-")


@dataclass(frozen=True, slots=True)
class Held:
    """A file as far as it belongs to the moment."""

    path: str
    """From the data folder on."""
    file: FileIO
    size: int


@contextmanager
def hold(data: Path) -> Iterator[tuple[list[Held], list[Path]]]:
    """Give segments that are not sealed, held open, and the paths of all files that never change.

    Raises BackupError when sealing is always quicker, and OSError.
    """
    folder = Folder(data / "journal")
    with ExitStack() as opened:
        held = _segments(folder, data, opened)
        if any(each.path.endswith(GROWING) for each in held):
            _sign_of_life(folder.path / "lock")
        held = [_sound(each) for each in held]
        yield [each for each in held if each.size], _lasting(folder, {Path(each.path).stem for each in held})


def _segments(folder: Folder, data: Path, opened: ExitStack) -> list[Held]:
    """Open every segment; attributes last, for rows of the others refer to them."""
    for _ in range(_TRIES):
        with ExitStack() as trial:
            paths = sorted(folder.segments(GROWING, CLOSED), key=lambda path: path.name.startswith("attributes-"))
            try:
                files = [trial.enter_context(FileIO(path)) for path in paths]
            except FileNotFoundError:  # closed or sealed since it was listed
                continue
            opened.enter_context(trial.pop_all())
            return [
                Held(path.relative_to(data).as_posix(), file, os.fstat(file.fileno()).st_size)
                for path, file in zip(paths, files, strict=True)
            ]
    raise BackupError(f"the journal in {folder.path} changes faster than it can be listed; try again")


def _sign_of_life(lock: Path) -> None:
    """Wait until the writer has committed what it was writing; one that is long silent is dead, or will not tell us."""
    asked, until = time.time_ns(), time.monotonic() + SIGN_WITHIN
    while time.monotonic() < until:
        try:
            lived = lock.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if lived > asked + TICK or lived < asked - SIGN_WITHIN * 1e9:
            return
        time.sleep(0.02)


def _sound(held: Held) -> Held:
    """Without the batch at its end that was never finished."""
    if not held.path.endswith(GROWING):
        return held
    start = len(head(SCHEMAS[Path(held.path).stem.partition("-")[0]]))
    content = memoryview(_whole(held))
    found = deque(pieces(content, start), maxlen=1)
    end = found[0].start if found and not found[0].sound else len(content)
    return Held(held.path, held.file, end if end > start else 0)


def _whole(held: Held) -> bytes:
    held.file.seek(0)
    found = bytearray()
    while len(found) < held.size and (part := held.file.read(held.size - len(found))):
        found += part
    held.file.seek(0)
    return bytes(found)


def _lasting(folder: Folder, waiting: set[str]) -> list[Path]:
    """Files that never change; of segments that are held open, nothing that sealing has made meanwhile."""
    sealed = sorted(folder.sealed.glob(f"????-??-??/*{SEALED}"))
    routes = {path.stem.removeprefix("routes-") for path in sealed if path.stem.startswith("routes-")}
    done = [path for path in sealed if path.stem not in waiting and not _unfinished(path, routes, waiting)]
    return [*done, *(path for path in sorted(folder.aside.glob("*")) if path.suffix != ".partial")]


def _unfinished(path: Path, routes: set[str], waiting: set[str]) -> bool:
    """Whether a file stands beside route rows that are not sealed, or not in this backup."""
    number = path.stem.removesuffix("-borrowed")
    for begin in _AUXILIARY:
        number = number.removeprefix(begin)
    beside = path.stem.startswith("activity-") or path.stem.endswith("-borrowed")
    return beside and (number not in routes or f"routes-{number}" in waiting)
