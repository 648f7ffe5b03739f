"""What is forgotten, and when: whole days, oldest first.

Today and yesterday are never deleted, nor a day before the next has its opening state: what stays can always answer for
itself.
"""

import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from store.folder import SEALED, Folder
from store.forgotten import note
from store.scan import CARRIED


@dataclass(frozen=True, slots=True)
class Kept:
    """What one call of `retain` did."""

    deleted: tuple[date, ...]
    octets: int
    """What the journal takes now."""
    over: bool
    """It takes more than the quota, though nothing more may be deleted: the quota is too small for two days."""


def retain(path: Path, now: datetime, days: int, quota: int | None = None) -> Kept:
    """Delete days older than `days`, and then the oldest while the journal takes more than `quota` octets."""
    folder, today = Folder(path), now.astimezone(UTC).date()
    deleted: list[date] = []
    for day in _deletable(folder, today):
        if day >= today - timedelta(days=days) and (quota is None or size(path) <= quota):
            break
        note(folder, (folder.sealed / day.isoformat()).glob(f"points-*{SEALED}"))
        shutil.rmtree(folder.sealed / day.isoformat())
        deleted.append(day)
    _clear_aside(folder, now - timedelta(days=days))
    octets = size(path)
    return Kept(tuple(deleted), octets, quota is not None and octets > quota)


def _deletable(folder: Folder, today: date) -> list[date]:
    """Sealed days before yesterday, behind which a later one has its opening state."""
    opened = [day for day in folder.days() if (folder.sealed / day.isoformat() / f"{CARRIED}-routes{SEALED}").exists()]
    last = max((day for day in opened if day <= today), default=date.min)
    waiting = {path.name for path in folder.growing.glob("????-??-??") if any(path.iterdir())}
    limit = min(last, today - timedelta(days=1))
    return [day for day in folder.days() if day < limit and day.isoformat() not in waiting]


def shorten_malformed(path: Path, quota: int) -> int:
    """Delete the oldest sealed files of malformed messages while all of them take more than `quota` octets.

    Returns how many went. Nothing else rests on these rows: what they cost is counted where it happened.
    """
    over = _over(_files(Folder(path), "malformed"), quota)
    for file in over:
        file.unlink()
    return len(over)


def shorten_points(path: Path, now: datetime, days: int, quota: int) -> int:
    """Delete sealed files of points that were written more than `days` ago, and then the oldest beyond `quota` octets.

    Returns how many went; which rows were in them is noted first (`store.forgotten`), for a sink that is behind.
    """
    folder, first = Folder(path), now.astimezone(UTC).date() - timedelta(days=days)
    files = _files(folder, "points")
    old = [file for file in files if date.fromisoformat(file.parent.name) < first]
    gone = [*old, *_over(files[len(old) :], quota)]
    note(folder, gone)
    for file in gone:
        file.unlink()
    return len(gone)


def _files(folder: Folder, table: str) -> list[Path]:
    """Sealed files of a table, the oldest first."""
    days = (folder.sealed / day.isoformat() for day in folder.days())
    found = (file for day in days for file in day.glob(f"{table}-*{SEALED}"))
    return sorted(found, key=lambda file: (file.parent.name, file.stem.rpartition("-")[2]))


def _over(files: list[Path], quota: int) -> list[Path]:
    """The oldest of some files, as many as must go for the others to take no more than `quota` octets."""
    sizes = [file.stat().st_size for file in files]
    total, gone = sum(sizes), 0
    while total > quota:
        total -= sizes[gone]
        gone += 1
    return files[:gone]


def shorten_probes(path: Path, now: datetime, days: int) -> int:
    """Delete sealed files of probe results that were written more than `days` ago; returns how many went.

    Nothing else rests on these rows: what was concluded from them is in the ledger.
    """
    folder, first = Folder(path), now.astimezone(UTC).date() - timedelta(days=days)
    old = [day for day in folder.days() if day < first]
    files = [file for day in old for file in (folder.sealed / day.isoformat()).glob(f"probes-*{SEALED}")]
    for file in files:
        file.unlink()
    return len(files)


def _clear_aside(folder: Folder, before: datetime) -> None:
    for file in folder.aside.glob("*"):
        if datetime.fromtimestamp(file.stat().st_mtime, UTC) < before:
            file.unlink()


def size(path: Path) -> int:
    """Octets that a folder's files take."""
    total = 0
    for file in path.rglob("*"):
        try:
            total += file.lstat().st_blocks * 512
        except FileNotFoundError:  # sealed or deleted meanwhile
            continue
    return total
