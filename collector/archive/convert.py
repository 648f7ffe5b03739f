"""Raw files into MRT files: translated, compressed, written whole, and kept within age and quota."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from collector.archive.compression import SUFFIX, Compression, create
from collector.archive.raw import RAW, Kind, exporter_of, pieces
from collector.archive.records import Kept, Translator
from collector.wire.bmp.frames import Framer

DRAFT: Final = ".new"
STATE: Final = "state.json"
"""Beside an exporter's raw files: its sessions, and the unfinished message, at the end of the last one converted."""
DONE: Final = ".done"
"""A raw file that is converted: this beside it says into which files, and what is the state after it."""


@dataclass(frozen=True, slots=True)
class Made:
    """What one raw file became."""

    exporter: str
    files: tuple[Path, ...]
    records: int
    left_out: int
    """Messages that MRT has no record for, or that could not be read."""


@dataclass
class _Writer:
    """The MRT files of one raw file, one for each place, under names that are not final yet."""

    folder: Path
    compression: Compression
    opened: ExitStack
    files: dict[str, tuple[IO[bytes], Path]] = field(default_factory=dict)
    records: int = 0

    def write(self, kept: Kept) -> None:
        if kept.place not in self.files:
            self.files[kept.place] = self._open(kept)
        self.files[kept.place][0].write(kept.record)
        self.records += 1

    def _open(self, kept: Kept) -> tuple[IO[bytes], Path]:
        folder = self.folder / kept.place
        folder.mkdir(parents=True, exist_ok=True)
        path = _free(folder, kept.at, SUFFIX[self.compression])
        return self.opened.enter_context(create(_draft(path), self.compression)), path


def convert(raw: Path, archive: Path, compression: Compression) -> Iterator[Made]:
    """Turn every closed raw file below `raw` into MRT files below `archive`, oldest first, and delete it then.

    A conversion may be killed anywhere: what was not whole is made anew, and nothing is made twice. Raises OSError when
    the disk refuses.
    """
    for done in raw.glob(f"*/*{DONE}"):
        _finish(done, archive)
    for draft in (*archive.rglob(f"*{DRAFT}"), *raw.rglob(f"*{DRAFT}")):
        draft.unlink()
    for folder in sorted(path for path in raw.glob("*") if path.is_dir()):
        for path in sorted(folder.glob(f"*{RAW}")):
            yield _converted(path, archive, compression)


def _converted(path: Path, archive: Path, compression: Compression) -> Made:
    translator, framer = _restored(path.with_name(STATE))
    with ExitStack() as opened:
        writer = _Writer(archive / path.parent.name, compression, opened)
        for piece in pieces(path):
            if piece.kind is not Kind.OCTETS:
                framer = Framer()
                translator.lost()
                continue
            for message in framer.feed(piece.octets):
                for kept in translator.records(message, piece.at):
                    writer.write(kept)
    files = tuple(final for _, final in writer.files.values())
    pending = framer.pending.hex() if framer.failure is None else ""
    done = {
        "files": [str(file.relative_to(archive)) for file in files],
        "state": translator.state | {"pending": pending},
    }
    _replace(path.with_suffix(DONE), done)
    _finish(path.with_suffix(DONE), archive)
    return Made(exporter_of(path.parent.name), files, writer.records, translator.left_out)


def _finish(done: Path, archive: Path) -> None:
    """Give the files of a converted raw file their names, keep the state, and delete the raw file; again if need be."""
    known = json.loads(done.read_text())
    for name in known["files"]:
        with suppress(FileNotFoundError):
            _draft(archive / name).rename(archive / name)
    _replace(done.with_name(STATE), known["state"])
    done.with_suffix(RAW).unlink(missing_ok=True)
    done.unlink()


def _restored(state: Path) -> tuple[Translator, Framer]:
    framer = Framer()
    try:
        known: dict[str, Any] = json.loads(state.read_text())
        framer.feed(bytes.fromhex(known["pending"]))
        return Translator(known), framer
    except FileNotFoundError:
        return Translator(), framer
    except (ValueError, KeyError, TypeError, AttributeError):
        return Translator(), Framer()  # sessions are named again when their router connects anew


def _draft(path: Path) -> Path:
    return path.with_name(path.name + DRAFT)


def _replace(path: Path, value: dict[str, Any]) -> None:
    _draft(path).write_text(json.dumps(value))
    _draft(path).rename(path)


def _free(folder: Path, at: int, suffix: str) -> Path:
    """A name that nothing has yet: `updates.20260131.080000.mrt.gz`."""
    begin = f"{datetime.fromtimestamp(at // 1_000_000_000, UTC):%Y%m%d.%H%M%S}"
    number, tail = 0, f".mrt{suffix}"
    while (path := folder / f"updates.{begin}{f'-{number}' if number else ''}{tail}").exists():
        number += 1
    return path


def retain(archive: Path, before: datetime, quota: int) -> tuple[Path, ...]:
    """Delete MRT files last written before a time, then the oldest while the archive is larger than `quota` octets."""
    found = []
    for path in archive.rglob("updates.*.mrt*"):
        with suppress(FileNotFoundError):
            status = path.stat()
            found.append((status.st_mtime, path, status.st_size))
    found.sort()
    size, deleted = sum(octets for _, _, octets in found), []
    for modified, path, octets in found:
        if size <= quota and modified >= before.timestamp():
            break
        path.unlink(missing_ok=True)
        size -= octets
        deleted.append(path)
    return tuple(deleted)
