"""Using a backup: every digest is proven before anything gets its name in a data folder."""

import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Final

from store.backup.manifest import BESIDE, LEDGER, LONGEST, NAME, BackupError, Entry, Manifest, decode, named
from store.backup.writing import STEP, write
from store.folder import Folder, sync_folder
from store.ledger_schema import open_to_read

_PARTS: Final = ("journal", *BESIDE, LEDGER)
"""What a backup brings back, in the order in which it gets its names: a folder with a ledger has all of it."""
_TAKEN: Final = (*_PARTS, f"{LEDGER}-wal", f"{LEDGER}-shm")
Take = Callable[[str, Iterable[bytes]], None]


def verify(source: Path | IO[bytes]) -> Manifest:
    """Read a backup and prove it: every file that it names is there, as long as it says, with the digest that it says.

    Raises BackupError, or OSError.
    """
    return _prove(source, _drop)


def restore(source: Path | IO[bytes], data: Path) -> Manifest:
    """Bring a backup back into a data folder that holds nothing of what it brings; all of it, or nothing.

    Started by root, it gives what it brings to the owner of the data folder. Raises BackupError, JournalNewer or
    LedgerNewer where a newer Catchment wrote it, or OSError.
    """
    if there := [name for name in _TAKEN if (data / name).exists()]:
        said = (
            f"{data / there[0]} is there already; stop Catchment and move it away, or name another folder with --data"
        )
        raise BackupError(said)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".restoring.", dir=data))
    try:
        found = _prove(source, partial(write, staging))
        _readable(staging)
        _last_lived(staging / "journal", found.alive)
        _give(staging, data.stat())
        for name in _PARTS:
            if (staging / name).exists():
                (staging / name).rename(data / name)
        sync_folder(data)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return found


def _prove(source: Path | IO[bytes], take: Take) -> Manifest:
    where = str(source) if isinstance(source, Path) else "the stream"
    seen: dict[str, Entry] = {}
    manifest = None
    with _files(source, where) as files:
        for path, content in files:
            if path == NAME:
                manifest = decode(_limited(content, where), where)
            else:
                if named(path, where) in seen:
                    raise BackupError(f"{where} holds {path} twice; no backup of ours does")
                seen[path] = _taken(path, content, take)
    if manifest is None:
        raise BackupError(f"{where} has no manifest: it is no backup, or one that was never finished")
    for entry in manifest.files:
        if seen.pop(entry.path, None) != entry:
            raise BackupError(f"{entry.path} of {where} is not what the manifest says; the backup is damaged")
    if seen:
        raise BackupError(f"{min(seen)} of {where} is not in its manifest; the backup is not as it was made")
    return manifest


def _taken(path: str, content: Iterable[bytes], take: Take) -> Entry:
    digest, size = hashlib.sha256(), 0

    def told() -> Iterator[bytes]:
        nonlocal size
        for part in content:
            digest.update(part)
            size += len(part)
            yield part

    take(path, told())
    return Entry(path, size, digest.hexdigest())


@contextmanager
def _files(source: Path | IO[bytes], where: str) -> Iterator[Iterator[tuple[str, Iterable[bytes]]]]:
    if isinstance(source, Path) and source.is_dir():
        yield _of_folder(source)
        return
    try:
        with ExitStack() as closed:
            file = closed.enter_context(source.open("rb")) if isinstance(source, Path) else source
            yield _of_tar(closed.enter_context(tarfile.open(fileobj=file, mode="r|*")), where)
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(f"{where} is no tar file, or it ends too early: {error}") from error


def _of_folder(root: Path) -> Iterator[tuple[str, Iterable[bytes]]]:
    for path in sorted(root.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            yield path.relative_to(root).as_posix(), _read(file)


def _of_tar(tar: tarfile.TarFile, where: str) -> Iterator[tuple[str, Iterable[bytes]]]:
    for member in tar:
        file = tar.extractfile(member) if member.isreg() else None
        if file is None:
            raise BackupError(f"{where} holds {member.name[:120]!r}, which is no plain file; no backup of ours does")
        yield member.name, _read(file)


def _read(file: IO[bytes]) -> Iterator[bytes]:
    while part := file.read(STEP):
        yield part


def _limited(content: Iterable[bytes], where: str) -> bytes:
    found = bytearray()
    for part in content:
        found += part
        if len(found) > LONGEST:
            raise BackupError(f"the manifest of {where} has no end")
    return bytes(found)


def _drop(path: str, content: Iterable[bytes]) -> None:
    for _ in content:
        pass


def _readable(staging: Path) -> None:
    """Raise what the daemon would, while nothing has its name yet."""
    Folder(staging / "journal").check_version()
    open_to_read(staging / LEDGER).close()


def _last_lived(journal: Path, alive: int | None) -> None:
    """Leave the sign of when the daemon last lived: what was since then nobody watched."""
    if alive is not None:
        lock = journal / "lock"
        lock.write_text("restored\n")
        lock.chmod(0o600)
        os.utime(lock, ns=(alive, alive))


def _give(staging: Path, owner: os.stat_result) -> None:
    if os.geteuid() == 0 and owner.st_uid:
        for path in staging.rglob("*"):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
