"""The ledger's file: what we concluded and what we owe. SQLite in WAL mode, synchronous FULL, one writer.

Theory of operation. The daemon's event loop must never wait for a disk, and SQLite wants one writer: so one thread owns
the connection, and everything that writes is a job for it, done in the order asked. A conclusion is one transaction:
transitions, their lines in the timeline, what is owed to receivers, routes to remember and facts are committed together
or not at all, before anybody is told. A commit that failed has left nothing and may be asked again as it is.
Long questions go to another thread with a connection of its own, so that nobody's history holds up a commit.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

from anycast.change import Change
from anycast.finding import Transition
from anycast.message import Delivery, DeliveryState, Message
from anycast.observation import Announced
from anycast.plain import stamp
from anycast.situation import Event
from store import ledger_rows as rows
from store.ledger_reader import LedgerReader
from store.ledger_schema import LedgerError, LedgerNewer, open_to_write

__all__ = ["LedgerError", "LedgerFile", "LedgerNewer", "LedgerReader"]

Answer = TypeVar("Answer")

CHUNK = 2000  # rows that retention deletes in one transaction: a few milliseconds, so that commits get in between
FURTHEST = timedelta(hours=2)  # no wait is longer; one that seems so was written before the clock was set back

_HEADS = """
    FROM outbox WHERE state = 'owed' AND receiver = :receiver AND NOT EXISTS (
        SELECT 1 FROM outbox AS earlier WHERE earlier.state = 'owed' AND earlier.receiver = outbox.receiver
        AND earlier.record = outbox.record AND earlier.number < outbox.number)
"""  # of each finding only the first message owed: the order of telling
_IS_DUE = "(next_attempt IS NULL OR next_attempt <= :now OR next_attempt > :furthest)"

_NOT_LIVE = "record NOT IN (SELECT id FROM records WHERE state != 'cleared')"
_PRUNE: tuple[tuple[str, str], ...] = (  # table and condition, in an order in which nothing loses what explains it
    ("events", "at < ? AND number < (SELECT max(number) FROM events)"),  # the newest stays: numbers never start over
    ("outbox", f"state != 'owed' AND settled_at < ? AND {_NOT_LIVE}"),
    ("records", "state = 'cleared' AND cleared_at < ? AND id NOT IN (SELECT record FROM outbox)"),
    ("transitions", "at < ? AND record NOT IN (SELECT id FROM records)"),
)


class LedgerFile:
    """The one writer of a ledger, for an asyncio daemon. Also an `anycast.ports.Outbox`."""

    def __init__(self, path: Path) -> None:
        """Open or make the ledger at `path`, and keep other writers away from it.

        Raises LedgerError when it cannot be used (another daemon has it, a file of another kind, a newer version).
        """
        self.path = path
        self._lock = _locked(path)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="ledger-reader")
        try:
            self._connection = self._writer.submit(open_to_write, path).result()
            self._questions = LedgerReader(path)
        except BaseException:
            self._stop()
            raise

    async def commit(
        self,
        transitions: Sequence[Transition] = (),
        events: Sequence[Event] = (),
        owed: Sequence[Message] = (),
        changes: Sequence[Change] = (),
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Write a conclusion in one transaction; durable when it returns. `facts` replace those of the same names."""
        await self._write(lambda database: _conclude(database, transitions, events, owed, changes, facts or {}))

    async def rewrite_watched(self, routes: Iterable[Announced]) -> None:
        """Replace the routes to remember by `routes`, for when some leave the view without a change (a reload)."""
        kept = tuple(routes)
        await self._write(lambda database: _rewrite(database, kept))

    async def prune(self, before: datetime) -> int:
        """Delete events, and what is over and settled, from before a time; return how many rows went."""
        deleted = 0
        for table, condition in _PRUNE:
            while gone := await self._write(partial(_delete, table=table, condition=condition, before=stamp(before))):
                deleted += gone
        return deleted

    async def ask(self, question: Callable[[LedgerReader], Answer]) -> Answer:
        """Answer a question, beside the writer: `await ledger.ask(lambda reader: reader.live())`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, question, self._questions)

    async def receivers(self) -> Sequence[str]:
        """Names of the receivers that anything is owed to."""
        question = "SELECT DISTINCT receiver FROM outbox WHERE state = 'owed' ORDER BY receiver"
        return [name for (name,) in await self._found(question)]

    async def due(self, receiver: str, now: datetime, limit: int) -> Sequence[Delivery]:
        """What may be tried now: of each finding only the first message that is owed, oldest first."""
        question = f"SELECT {rows.DELIVERY} {_HEADS} AND {_IS_DUE} ORDER BY number LIMIT :limit"
        values: dict[str, str | int] = {"receiver": receiver, "limit": limit, **_times(now)}
        return [rows.delivery(row) for row in await self._found(question, values)]

    async def next_attempt(self, receiver: str, now: datetime) -> datetime | None:
        """When the next message that waits (and is not due) may be tried; None when none waits."""
        question = f"SELECT next_attempt {_HEADS} AND NOT {_IS_DUE} ORDER BY next_attempt LIMIT 1"
        found = await self._found(question, {"receiver": receiver, **_times(now)})
        return datetime.fromisoformat(found[0][0]) if found else None

    async def accepted(self, receiver: str, record: str) -> bool:
        """Whether the receiver has accepted any message about the record of this id."""
        question = (
            "SELECT 1 FROM outbox WHERE record = :record AND receiver = :receiver AND state = 'delivered' LIMIT 1"
        )
        return bool(await self._found(question, {"record": record, "receiver": receiver}))

    async def settle(self, delivery: Delivery) -> None:
        """Write how an attempt ended; durable when it returns."""
        await self._write(lambda database: _settle(database, delivery))

    async def close(self) -> None:
        """Finish what was asked, close the file and let others have it."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._writer.submit(self._connection.close).result()
        self._reader.submit(self._questions.close).result()
        self._stop()

    def _stop(self) -> None:
        self._writer.shutdown()
        self._reader.shutdown()
        os.close(self._lock)

    async def _write(self, job: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Do `job` in a transaction of its own, on the writer's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, _in_transaction, self._connection, job)

    async def _found(self, question: str, values: Mapping[str, str | int] | Sequence[str] = ()) -> list[rows.Row]:
        """Ask on the writer's thread, so that the answer knows everything that was written before."""

        def find() -> list[rows.Row]:
            return self._connection.execute(question, values).fetchall()

        return await asyncio.get_running_loop().run_in_executor(self._writer, find)


def _in_transaction(database: sqlite3.Connection, job: Callable[[sqlite3.Connection], Answer]) -> Answer:
    database.execute("BEGIN IMMEDIATE")
    try:
        answer = job(database)
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    return answer


def _conclude(
    database: sqlite3.Connection,
    transitions: Sequence[Transition],
    events: Sequence[Event],
    owed: Sequence[Message],
    changes: Sequence[Change],
    facts: Mapping[str, object],
) -> None:
    database.executemany(
        f"INSERT INTO records ({rows.RECORD}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = "
        "excluded.state, opened_at = excluded.opened_at, cleared_at = excluded.cleared_at, "
        "muted_by = excluded.muted_by, finding = excluded.finding",
        (rows.record_row(transition.record) for transition in transitions),
    )
    database.executemany(
        f"INSERT INTO transitions ({rows.TRANSITION}) VALUES (?, ?, ?, ?)", map(rows.transition_row, transitions)
    )
    database.executemany(
        f"INSERT INTO events ({rows.EVENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(rows.event_row, events)
    )
    database.executemany(  # an id that is there has been told, or will be: once is enough
        f"INSERT INTO outbox ({rows.MESSAGE}, state) VALUES (?, ?, ?, ?, ?, ?, '{DeliveryState.OWED}') "
        "ON CONFLICT (id) DO NOTHING",
        map(rows.message_row, owed),
    )
    _remember(database, changes)
    database.executemany(
        "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        ((name, rows.json_text(value)) for name, value in facts.items()),
    )


def _remember(database: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """Keep the routes that are present: a route that was replaced has been there since before."""
    plain = cache(rows.json_text)  # a table has a few attribute sets and thousands of routes
    for change in changes:
        if change.after is None:
            database.execute(
                "DELETE FROM watched WHERE router = ? AND peer = ? AND peer_type = ? AND distinguisher = ? AND rib = ? "
                "AND prefix = ? AND path_id = ?",
                rows.change_key(change),
            )
        else:
            database.execute(
                f"INSERT INTO watched ({rows.WATCHED}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET attributes = excluded.attributes",
                (*rows.change_key(change), plain(change.after), stamp(change.at)),
            )


def _rewrite(database: sqlite3.Connection, routes: Sequence[Announced]) -> None:
    database.execute("DELETE FROM watched")
    database.executemany(
        f"INSERT OR REPLACE INTO watched ({rows.WATCHED}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        map(rows.announced_row, routes),
    )


def _settle(database: sqlite3.Connection, delivery: Delivery) -> None:
    database.execute(
        "UPDATE outbox SET state = ?, attempts = ?, next_attempt = ?, last_error = ?, settled_at = ? WHERE id = ?",
        (
            str(delivery.state),
            delivery.attempts,
            rows.time_text(delivery.next_attempt),
            delivery.last_error,
            rows.time_text(delivery.settled_at),
            delivery.message.id,
        ),
    )


def _delete(database: sqlite3.Connection, table: str, condition: str, before: str) -> int:
    some = f"SELECT number FROM {table} WHERE {condition} LIMIT {CHUNK}"
    return database.execute(f"DELETE FROM {table} WHERE number IN ({some})", (before,)).rowcount


def _times(now: datetime) -> dict[str, str]:
    return {"now": stamp(now), "furthest": stamp(now + FURTHEST)}


def _locked(path: Path) -> int:
    """Take the writer's lock beside the ledger: the system lets go of it however the process ends."""
    beside = path.with_name(path.name + ".lock")
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(beside, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be written: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise LedgerError(
            f"the ledger {path} is in use by another Catchment; stop it, or name another folder"
        ) from None
    return lock
