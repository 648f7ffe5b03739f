"""A backup is of one moment, holds to its digests, and brings all of it back or nothing."""

import asyncio
import io
import json
import os
import sqlite3
import tarfile
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from anycast.columns import SessionEvent
from anycast.situation import Event, EventKind
from store.backup import BackupError, backup, cut, restore, verify
from store.folder import CLOSED, GROWING
from store.journal import Journal
from store.ledger import LedgerFile, LedgerReader
from store.places import Match
from store.reader import Reader
from store.schema import JournalError
from store.seal import seal
from store.writer import JournalWriter
from tests.rig import eventually
from tests.store.made import NOON, WEB, at, attributes, batch, event, route, routes, write

SHAPES = ("copy", "copy.tar", "copy.tar.gz")


async def _concluded(file: LedgerFile, *numbers: int) -> None:
    for number in numbers:
        await file.commit(events=[Event(number, at(number), EventKind.ROUTE, "said", f"event {number}")])


def _events(data: Path) -> list[str]:
    with LedgerReader(data / "ledger.sqlite") as reader:
        return [each.text for each in reader.events(None, NOON, at(10_000))]


def _rows(data: Path) -> list[object]:
    reader = Reader(data / "journal")
    return [
        *reader.routes(WEB, at(-100), at(10_000)).rows,
        *reader.sessions(at(-100), at(10_000)).rows,
        *(reader.state(WEB, at(second)) for second in (0, 1, 5, 9)),
    ]


def _folder(data: Path) -> None:
    """A data folder with sealed, closed and growing segments, and a ledger; nobody writes to it any more."""
    journal = Journal(data / "journal")
    up = [event(0, SessionEvent.FEED_OPENED), event(0.1, SessionEvent.PEER_UP)]
    write(journal, NOON, ("attributes", attributes(1, 2)), ("sessions", batch("sessions", *up)), *routes(route(1)))
    journal.close()
    seal(data / "journal", at(60))
    journal = Journal(data / "journal")
    write(journal, at(70), *routes(route(70, attributes=2)))
    journal.rotate(at(4000))
    write(journal, at(4000), ("attributes", attributes(3)), *routes(route(4000, attributes=3)))
    journal.alive()
    for segment in journal._open.values():  # a process that died: nothing is closed
        segment.sync()
    journal._lock.release()
    os.utime(data / "journal" / "lock", (NOON.timestamp(), NOON.timestamp()))

    async def conclude() -> None:
        file = LedgerFile(data / "ledger.sqlite")
        await _concluded(file, 1, 2)
        await file.close()

    asyncio.run(conclude())
    (data / "sessions.json").write_text('{"saved": 1}')
    (data / "agents.json").write_text("{}")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    _folder(folder)
    return folder


@pytest.mark.parametrize("name", SHAPES)
def test_what_was_seen_and_concluded_comes_back(name: str, data: Path, tmp_path: Path) -> None:
    assert list((data / "journal").glob(f"growing/*/*{GROWING}"))
    assert list((data / "journal").glob(f"growing/*/*{CLOSED}"))
    assert list((data / "journal").glob("sealed/*/*.parquet"))
    made = backup(data, tmp_path / name, "1.2.3")
    again = tmp_path / "again"
    assert verify(tmp_path / name) == restore(tmp_path / name, again) == made
    assert len(_rows(data)) > 6
    assert _rows(again) == _rows(data)
    assert _events(again) == _events(data) == ["event 1", "event 2"]
    assert (again / "sessions.json").read_text() == '{"saved": 1}'
    assert (again / "journal" / "key").read_bytes() == (data / "journal" / "key").read_bytes()
    first, second = Journal(data / "journal"), Journal(again / "journal")
    assert second.alive_at == first.alive_at is not None, "when it last lived"
    assert second.recovered == ()
    assert write(second, at(9000), *routes(route(9000))) == write(first, at(9000), *routes(route(9000)))
    first.close()
    second.close()


@pytest.mark.parametrize("name", SHAPES)
def test_nobody_but_the_owner_may_read_it(name: str, data: Path, tmp_path: Path) -> None:
    os.umask(before := os.umask(0))
    try:
        os.umask(0)
        backup(data, tmp_path / name, "1")
        restore(tmp_path / name, tmp_path / "again")
    finally:
        os.umask(before)
    for root in (tmp_path / name, tmp_path / "again"):
        for path in (root, *root.rglob("*")):
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    if name != "copy":
        with tarfile.open(tmp_path / name) as tar:
            assert {member.mode for member in tar} == {0o600}


def test_a_stream_takes_it_and_gives_it_back(data: Path, tmp_path: Path) -> None:
    stream = io.BytesIO()
    made = backup(data, stream, "1")
    assert not list(data.glob(".backup*")), "what was copied first is gone"
    stream.seek(0)
    assert restore(stream, tmp_path / "again") == made
    assert _rows(tmp_path / "again") == _rows(data)


@pytest.mark.parametrize("name", SHAPES)
def test_nothing_is_overwritten(name: str, data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / name, "1")
    before = verify(tmp_path / name)
    with pytest.raises(BackupError, match="is there already; name a folder or file that is not"):
        backup(data, tmp_path / name, "1")
    with pytest.raises(BackupError, match="data/journal is there already; stop Catchment and move it away"):
        restore(tmp_path / name, data)
    assert verify(tmp_path / name) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "data"]), "nothing half-made is left"


def test_a_ledger_alone_is_not_overwritten_either(data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / "copy", "1")
    again = tmp_path / "again"
    again.mkdir()
    (again / "ledger.sqlite-wal").write_bytes(b"of another")
    with pytest.raises(BackupError, match=r"ledger\.sqlite-wal is there already"):
        restore(tmp_path / "copy", again)
    assert [path.name for path in again.iterdir()] == ["ledger.sqlite-wal"]


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "another octet": (lambda copy: _flip(next(copy.glob("journal/sealed/*/routes-*"))), "not what the manifest says"),
    "another octet of the ledger": (lambda copy: _flip(copy / "ledger.sqlite"), "ledger.sqlite .*not what the manif"),
    "a file less": (lambda copy: (copy / "journal" / "key").unlink(), "journal/key .*not what the manifest says"),
    "a file more": (lambda copy: (copy / "journal" / "more").write_text("?"), "journal/more .*is not in its manifest"),
    "a stranger": (lambda copy: (copy / "evil").write_text("?"), "holds 'evil', which no backup of ours does"),
    "a link": (lambda copy: (copy / "journal" / "more").symlink_to("/etc/passwd"), "symbolic links"),
    "no manifest": (lambda copy: (copy / "manifest.json").unlink(), "has no manifest"),
    "a torn manifest": (lambda copy: (copy / "manifest.json").write_text("{"), "cannot be read"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_before_anything_gets_its_name(damage: str, data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / "copy", "1")
    do, said = DAMAGE[damage]
    do(tmp_path / "copy")
    with pytest.raises((BackupError, OSError), match=said):
        verify(tmp_path / "copy")
    with pytest.raises((BackupError, OSError), match=said):
        restore(tmp_path / "copy", tmp_path / "again")
    assert list((tmp_path / "again").iterdir()) == []


OUTSIDE = ("../etc/passwd", "/etc/passwd", "journal/../../x", "journal/.hidden", "journal/a/b/c/d")


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out_of_the_data_folder(path: str, data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / "copy.tar", "1")
    with tarfile.open(tmp_path / "copy.tar", "a") as tar:
        about = tarfile.TarInfo(path)
        about.size = 1
        tar.addfile(about, io.BytesIO(b"x"))
    with pytest.raises(BackupError, match="which no backup of ours does"):
        restore(tmp_path / "copy.tar", tmp_path / "again")
    assert list((tmp_path / "again").iterdir()) == []


def test_a_file_that_is_there_twice_is_not_restored_by_the_first_or_the_last(data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / "copy.tar", "1")
    with tarfile.open(tmp_path / "copy.tar", "a") as tar:
        tar.addfile(tarfile.TarInfo("journal/key"), io.BytesIO())
    with pytest.raises(BackupError, match="holds journal/key twice"):
        restore(tmp_path / "copy.tar", tmp_path / "again")


@pytest.mark.parametrize("octets", [0, 100, 5000, 100_000])
@pytest.mark.parametrize("name", ["copy.tar", "copy.tar.gz"])
def test_a_tar_file_that_ends_too_early_is_no_backup(name: str, octets: int, data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / name, "1")
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: min(octets, len(whole) * 3 // 4)])
    with pytest.raises(BackupError):
        restore(tmp_path / name, tmp_path / "again")
    assert list((tmp_path / "again").iterdir()) == []


def test_a_backup_of_a_newer_catchment_is_refused_by_name(data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / "copy", "9.9.9")
    path = tmp_path / "copy" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    with pytest.raises(BackupError, match=r"a newer Catchment, 9\.9\.9"):
        restore(tmp_path / "copy", tmp_path / "again")


def test_a_journal_of_a_newer_catchment_is_not_brought_back(data: Path, tmp_path: Path) -> None:
    (data / "journal" / "version").write_text("99\n")
    backup(data, tmp_path / "copy", "1")
    with pytest.raises(JournalError, match="has schema 99"):
        restore(tmp_path / "copy", tmp_path / "again")
    assert list((tmp_path / "again").iterdir()) == []


def test_without_a_journal_or_with_a_damaged_ledger_there_is_no_backup(data: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"there is no journal in .*; name the data folder"):
        backup(tmp_path / "nowhere", tmp_path / "copy", "1")
    with sqlite3.connect(data / "ledger.sqlite") as database:
        (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.close()
    with (data / "ledger.sqlite").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * (pages - 1))
    with pytest.raises(BackupError, match="ledger"):
        backup(data, tmp_path / "copy", "1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_an_unfinished_batch_at_the_end_is_left_out(data: Path, tmp_path: Path) -> None:
    before = _rows(data)
    growing = next((data / "journal").glob(f"growing/*/routes-*{GROWING}"))
    with growing.open("ab") as file:
        file.write(b"\xff\xff\xff\xff\x10\x00\x00\x00torn")
    backup(data, tmp_path / "copy", "1")
    restore(tmp_path / "copy", tmp_path / "again")
    assert _rows(tmp_path / "again") == before
    assert Journal(tmp_path / "again" / "journal").recovered == ()


def test_what_is_sealed_in_the_middle_of_it_is_there_once_and_whole(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, before = cut._lasting, _rows(data)

    def sealed_first(*given: object) -> object:
        for path in (data / "journal").glob(f"growing/*/*{GROWING}"):
            path.rename(path.with_suffix(CLOSED))
        assert seal(data / "journal", at(8000)).segments >= 3
        return listing(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(cut, "_lasting", sealed_first)
    backup(data, tmp_path / "copy", "1")
    restore(tmp_path / "copy", tmp_path / "again")
    assert _rows(tmp_path / "again") == _rows(data) == before
    Journal(tmp_path / "again" / "journal").close()
    seal(tmp_path / "again" / "journal", at(8000))
    stems = [path.stem for path in (tmp_path / "again" / "journal").glob("growing/*/*")]
    assert stems == []


def test_a_backup_beside_a_busy_writer_refers_to_nothing_that_it_lacks(tmp_path: Path) -> None:
    """Each submission brings an attribute set and a route that uses it, and is concluded on afterwards."""
    data = tmp_path / "data"
    data.mkdir()
    journal = Journal(data / "journal", segment_size=1 << 15)
    writer, over = JournalWriter(journal, linger=0.0, clock=lambda: NOON), threading.Event()
    ledger = LedgerFile(data / "ledger.sqlite")

    async def write_on() -> None:
        number = 0
        while not over.is_set():
            number += 1
            writer.refer(attributes(number))
            row = route(number / 100, f"10.{number >> 8 & 255}.{number & 255}.0/24", number)
            await asyncio.wrap_future(writer.submit(routes(row)))
            await _concluded(ledger, number)
            if number % 40 == 0:
                await asyncio.to_thread(seal, data / "journal", NOON)
        await ledger.close()

    busy = threading.Thread(target=lambda: asyncio.run(write_on()))
    busy.start()
    try:
        eventually(lambda: writer.committed > 20, 20, what="something to back up")
        counts = [_checked(data, tmp_path / f"copy{n}", tmp_path / f"again{n}") for n in range(5)]
    finally:
        over.set()
        busy.join()
        writer.close()
    assert counts == sorted(counts)
    assert counts[-1] > counts[0] > 0


def _checked(data: Path, copy: Path, again: Path) -> int:
    backup(data, copy, "1")
    restore(copy, again)
    end = NOON + timedelta(days=1)
    found = Reader(again / "journal").routes(WEB.supernet(new_prefix=8), at(-1), end, Match.INSIDE, limit=1 << 20).rows
    assert all(row.attributes is not None for row in found), "no row without its attributes"
    numbers = sorted(int(row.attributes.octets.split()[1]) for row in found if row.attributes)
    assert numbers == list(range(1, len(numbers) + 1)), "no gap"
    assert len(_events(again)) <= len(numbers), "nothing was concluded on that is not there"
    journal = Journal(again / "journal")
    assert journal.recovered == ()
    journal.close()
    return len(numbers)
