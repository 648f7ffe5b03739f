"""What is done about segments that a crash, or a disk, left unsound.

A torn tail is cut at the last whole batch. Where sound batches follow unsound bytes, they are kept: the segment is
rewritten without the unsound stretch. Bytes that are taken out are never thrown away: they are kept aside, with a
report.
"""

import json
import mmap
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from store.folder import CLOSED, Folder, publish, replace, sync_folder
from store.frame import Piece, head, pieces
from store.schema import SCHEMAS, JournalError

_STEP: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was taken out of one segment."""

    segment: str
    """Day and name."""
    batches: int
    """Whole batches that the segment still holds."""
    batches_after: int
    """How many of them stood behind unsound bytes: above 0 the disk is to be suspected, not a crash."""
    octets: int
    """Taken out."""
    kept_in: str
    """Name of the file in `aside` that holds them."""

    def __str__(self) -> str:
        what = "was damaged in the middle" if self.batches_after else "ended in an unfinished batch"
        return (
            f"journal segment {self.segment} {what}: {self.octets} octets were taken out and kept in "
            f"aside/{self.kept_in}, {self.batches} whole batches remain, {self.batches_after} of them from behind"
        )


def recover(folder: Folder, path: Path) -> Recovered | None:
    """Make one segment sound and closed; None when nothing had to be taken out.

    Safe to repeat after a crash in the middle of it. Raises JournalError for a segment of another schema.
    """
    size = path.stat().st_size
    expected = head(SCHEMAS[path.stem.partition("-")[0]])
    with path.open("rb") as file:
        start = file.read(len(expected))
    if start != expected and size >= len(expected):
        raise JournalError(f"{path} does not begin with the schema of its table; move it out of the journal to go on")
    found = _walk(path, len(expected)) if size > len(expected) else []
    bad = [piece for piece in found if not piece.sound]
    if size < len(expected):
        bad = [Piece(0, size, False)]
    report = _report(path, found, bad) if bad and bad[0].end else None
    if report:
        _keep_aside(folder, path, bad, report)
    _settle(path, expected, found, bad)
    return report


def _walk(path: Path, start: int) -> list[Piece]:
    """Pieces of the file, neighbours of the same kind counted but not merged; no row is read."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        view = memoryview(mapped)
        try:
            return list(pieces(view, start))
        finally:
            view.release()


def _report(path: Path, found: list[Piece], bad: list[Piece]) -> Recovered:
    sound = [piece for piece in found if piece.sound]
    return Recovered(
        segment=f"{path.parent.name}/{path.stem}",
        batches=len(sound),
        batches_after=sum(piece.start >= bad[0].end for piece in sound),
        octets=sum(piece.end - piece.start for piece in bad),
        kept_in=f"{path.parent.name}-{path.stem}-{bad[0].start}.bin",
    )


def _keep_aside(folder: Folder, path: Path, bad: list[Piece], report: Recovered) -> None:
    folder.aside.mkdir(exist_ok=True)
    partial = folder.aside / (report.kept_in + ".partial")
    _copy(path, partial, b"", bad)
    publish(partial, folder.aside / report.kept_in)
    shown = asdict(report) | {"stretches": [[piece.start, piece.end] for piece in bad]}
    replace((folder.aside / report.kept_in).with_suffix(".json"), json.dumps(shown, indent=1).encode())


def _settle(path: Path, start: bytes, found: list[Piece], bad: list[Piece]) -> None:
    """Leave a closed segment of the sound pieces, or none if there are none."""
    sound = [piece for piece in found if piece.sound]
    if not sound:
        path.unlink()
        sync_folder(path.parent)
        return
    if bad and sound[-1].end > bad[0].start:
        partial = path.with_name(path.name + ".partial")
        _copy(path, partial, start, sound)
        publish(partial, path)
    elif bad:
        os.truncate(path, bad[0].start)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    publish(path, path.with_suffix(CLOSED))


def _copy(source: Path, target: Path, start: bytes, stretches: list[Piece]) -> None:
    with source.open("rb") as reading, target.open("wb") as writing:
        writing.write(start)
        for piece in stretches:
            reading.seek(piece.start)
            left = piece.end - piece.start
            while left:
                part = reading.read(min(left, _STEP))
                writing.write(part)
                left -= len(part)
        writing.flush()
        os.fsync(writing.fileno())
