"""Making a backup: into a new folder, a new tar file, or a stream."""

import gzip
import hashlib
import io
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import IO, Final, Protocol

from store.backup.cut import hold
from store.backup.manifest import LEDGER, NAME, BackupError, Entry, Manifest, now
from store.folder import sync_folder
from store.ledger_schema import open_to_read

STEP: Final = 1 << 20
SUFFIXES: Final = (".tar", ".tar.gz", ".tgz")
_NUMBERS: Final = "sessions.json"
_AGENTS: Final = "agents.json"


class Target(Protocol):
    """Takes files one by one."""

    def add(self, path: str, size: int, content: Iterable[bytes]) -> None:
        """Take a file of exactly `size` octets."""
        ...


def backup(data: Path, target: Path | IO[bytes], catchment: str) -> Manifest:
    """Back a data folder up, with or without a running daemon; `catchment` is the version that does.

    `target` is a path that must not exist (a tar file where it ends in .tar, .tar.gz or .tgz, else a folder), or a
    stream that a tar file goes to. Raises BackupError, LedgerError, or OSError; then nothing of it is left.
    """
    if not (data / "journal").is_dir():
        raise BackupError(f"there is no journal in {data}; name the data folder that `catchment run` uses with --data")
    with _opened(target, data) as (into, scratch):
        agents = _small(data / _AGENTS)  # before the journal: what it says is there, is there
        ledger = _ledger(data / LEDGER, scratch)
        alive = _alive(data / "journal" / "lock")
        entries = _journal(data, into)
        for path, content in ((_NUMBERS, _small(data / _NUMBERS)), (_AGENTS, agents)):
            if content is not None:
                entries.append(_add(into, path, len(content), [content]))
        with FileIO(ledger) as file:
            entries.append(_add(into, LEDGER, ledger.stat().st_size, _parts(file, ledger.stat().st_size, LEDGER)))
        made = Manifest(now(), catchment, alive, tuple(entries))
        text = made.encode()
        into.add(NAME, len(text), [text])
    return made


def _journal(data: Path, into: Target) -> list[Entry]:
    with hold(data) as (held, lasting):
        entries = [_add(into, each.path, each.size, _parts(each.file, each.size, each.path)) for each in held]
        for path in (data / "journal" / name for name in ("version", "key", "number")):
            if (content := _small(path)) is not None:
                entries.append(_add(into, path.relative_to(data).as_posix(), len(content), [content]))
        for path in lasting:
            with suppress(FileNotFoundError), FileIO(path) as file:  # else its day was forgotten meanwhile
                size = os.fstat(file.fileno()).st_size
                name = path.relative_to(data).as_posix()
                entries.append(_add(into, name, size, _parts(file, size, name)))
    return entries


def _add(into: Target, path: str, size: int, content: Iterable[bytes]) -> Entry:
    digest = hashlib.sha256()

    def told() -> Iterator[bytes]:
        for part in content:
            digest.update(part)
            yield part

    into.add(path, size, told())
    return Entry(path, size, digest.hexdigest())


def _parts(file: FileIO, size: int, name: str) -> Iterator[bytes]:
    left = size
    while left:
        part = file.read(min(left, STEP))
        if not part:
            raise BackupError(f"{name} became shorter while it was copied; the backup was not made")
        left -= len(part)
        yield part


def _small(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _alive(lock: Path) -> int | None:
    try:
        found = lock.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns if found.st_size else None


def _ledger(path: Path, scratch: Path) -> Path:
    """Copy the ledger as it is at one commit, as one file that is sound. Raises LedgerError, or BackupError."""
    copy = scratch / LEDGER
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(open_to_read(path)) as source, closing(sqlite3.connect(copy)) as into:
            source.backup(into, pages=-1)
            into.execute("PRAGMA journal_mode = DELETE")
            (said,) = into.execute("PRAGMA quick_check").fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"the ledger {path} cannot be copied: {error}") from error
    if said != "ok":
        raise BackupError(f"the ledger {path} is damaged ({said}); a backup from before is what helps now")
    return copy


@contextmanager
def _opened(target: Path | IO[bytes], data: Path) -> Iterator[tuple[Target, Path]]:
    """A target, and a folder for what is copied first; what was begun and not ended is removed."""
    with ExitStack() as cleaning:
        if not isinstance(target, Path):
            # Beside the ledger there is room for another one; what is elsewhere for passing things may be memory.
            scratch = Path(cleaning.enter_context(tempfile.TemporaryDirectory(prefix=".backup.", dir=data)))
            with tarfile.open(fileobj=target, mode="w|") as tar:
                yield _Tar(tar), scratch
            target.flush()
            return
        _absent(target)
        begun = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.absolute().parent))  # for its owner alone
        cleaning.callback(shutil.rmtree, begun, ignore_errors=True)
        scratch = begun / "scratch"
        scratch.mkdir(mode=0o700)
        writing = _tar_file if target.name.endswith(SUFFIXES) else _folder
        with writing(begun / "whole", target) as into:
            yield into, scratch


@contextmanager
def _folder(begun: Path, target: Path) -> Iterator[Target]:
    begun.mkdir(mode=0o700)
    yield _Folder(begun)
    _absent(target)
    begun.rename(target)
    sync_folder(target.absolute().parent)


@contextmanager
def _tar_file(begun: Path, target: Path) -> Iterator[Target]:
    with open(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file, ExitStack() as closed:
        out: IO[bytes] | gzip.GzipFile = file
        if not target.name.endswith(".tar"):
            out = closed.enter_context(gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, filename=""))
        yield _Tar(closed.enter_context(tarfile.open(fileobj=out, mode="w|")))
        closed.close()
        file.flush()
        os.fsync(file.fileno())
    _absent(target)
    begun.rename(target)
    sync_folder(target.absolute().parent)


def _absent(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise BackupError(f"{target} is there already; name a folder or file that is not")


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def add(self, path: str, size: int, content: Iterable[bytes]) -> None:
        write(self._root, path, content)


def write(root: Path, path: str, content: Iterable[bytes]) -> None:
    """Write a new file below `root`, and the folders on the way, for their owner alone. Raises OSError."""
    for parent in reversed(PurePosixPath(path).parents[:-1]):
        (root / parent).mkdir(mode=0o700, exist_ok=True)
    with open(os.open(root / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for part in content:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())


class _Tar:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def add(self, path: str, size: int, content: Iterable[bytes]) -> None:
        about = tarfile.TarInfo(path)
        about.size, about.mode = size, 0o600
        self._tar.addfile(about, _Reading(iter(content).__next__))


class _Reading(io.RawIOBase):
    """Parts, one behind the other, as a file that is read."""

    def __init__(self, following: Callable[[], bytes]) -> None:
        self._following, self._rest = following, b""

    def read(self, size: int = -1) -> bytes:
        """At most so many octets; fewer only at the end."""
        found = bytearray()
        while size < 0 or len(found) < size:
            if not self._rest:
                try:
                    self._rest = self._following()
                except StopIteration:
                    break
            taken = self._rest if size < 0 else self._rest[: size - len(found)]
            self._rest = self._rest[len(taken) :]
            found += taken
        return bytes(found)
