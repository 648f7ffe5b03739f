"""Questions to the ledger, for the daemon itself and for any other process beside it."""

import json
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from anycast.finding import Record, State, Transition
from anycast.message import Delivery, DeliveryState, Message
from anycast.observation import Announced
from anycast.plain import parse_stamp
from anycast.prefix import Prefix
from anycast.situation import Event
from store import ledger_rows as rows
from store.ledger_schema import open_to_read


class LedgerReader:
    """A read-only connection. Every answer is of one committed moment; readers never hold up the writer."""

    def __init__(self, path: Path) -> None:
        """Open the ledger at `path`. Raises LedgerError when there is none or it is of a newer version."""
        self._connection = open_to_read(path)

    def __enter__(self) -> "LedgerReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def records(
        self,
        states: Collection[State] = (),
        since: datetime | None = None,
        limit: int = 1000,
        dropped: bool = False,
    ) -> tuple[Record, ...]:
        """Findings in any of `states` (all when empty), the newest first.

        `since` leaves out those that were over before it. What healed inside its hold-down is left out too, except with
        `dropped`.
        """
        where = Where()
        where.any_of("state", map(str, states))
        where.add("(cleared_at IS NULL OR cleared_at >= ?)", rows.time_text(since))
        if not dropped:
            where.add("(opened_at IS NOT NULL OR state = ?)", str(State.PENDING))
        return tuple(map(rows.record, self._rows(rows.RECORD, "records", where, "number DESC", limit)))

    def record(self, ident: str) -> Record | None:
        """The finding of a record's id; None when there is none."""
        where = Where()
        where.add("id = ?", ident)
        return next(map(rows.record, self._rows(rows.RECORD, "records", where, "number", 1)), None)

    def live(self) -> tuple[Record, ...]:
        """Everything that is pending or open, in the order in which it began: what a restart takes up."""
        where = Where()
        where.any_of("state", (str(State.PENDING), str(State.OPEN)))
        return tuple(map(rows.record, self._rows(rows.RECORD, "records", where, "number")))

    def transitions(self, record: str, limit: int = 1000) -> tuple[Transition, ...]:
        """The steps of one record, in order."""
        where = Where()
        where.add("record = ?", record)
        return tuple(map(rows.transition, self._rows(rows.TRANSITION, "transitions", where, "number", limit)))

    def events(
        self,
        prefix: Prefix | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 1000,
        after_number: int = 0,
        newest: bool = False,
        finding: str | None = None,
        **subject: str,
    ) -> tuple[Event, ...]:
        """Lines of the timeline with `start <= at < end` and numbers above `after_number`, oldest first.

        `subject` may name a service, region, site, vantage, kind or what. When there are more than `limit`, the first
        ones are given, or with `newest` the last.
        """
        where = Where()
        where.add("prefix = ?", None if prefix is None else str(prefix))
        where.add("at >= ?", rows.time_text(start))
        where.add("at < ?", rows.time_text(end))
        where.add("number > ?", after_number or None)
        where.add("finding = ?", finding)
        for column, value in subject.items():
            if column not in ("service", "region", "site", "vantage", "kind", "what"):
                raise TypeError(f"events are not found by {column}; by service, region, site, vantage, kind or what")
            where.add(f"{column} = ?", value)
        order = "number DESC" if newest else "number"
        found = map(rows.event, self._rows(rows.EVENT, "events", where, order, limit))
        return tuple(reversed(tuple(found))) if newest else tuple(found)

    def last_event(self) -> int:
        """The number of the newest event; 0 before the first."""
        (number,) = self._connection.execute("SELECT coalesce(max(number), 0) FROM events").fetchone()
        return int(number)

    def outbox(
        self, states: Collection[DeliveryState] = (), receiver: str | None = None, limit: int = 1000
    ) -> tuple[Delivery, ...]:
        """Messages in any of `states` (all when empty), the newest first."""
        where = Where()
        where.any_of("state", map(str, states))
        where.add("receiver = ?", receiver)
        return tuple(map(rows.delivery, self._rows(rows.DELIVERY, "outbox", where, "number DESC", limit)))

    def owed(self) -> tuple[tuple[str, int, datetime], ...]:
        """Of each receiver that is owed anything: its name, how many messages, and when the first of them was owed."""
        sql = "SELECT receiver, count(*), min(created) FROM outbox WHERE state = 'owed' GROUP BY receiver"
        return tuple((name, count, parse_stamp(oldest)) for name, count, oldest in self._connection.execute(sql))

    def told(self) -> tuple[Message, ...]:
        """Every message about records that are not over, in order: who has been, or will be, told of them."""
        where = Where()
        where.add("record IN (SELECT id FROM records WHERE state != ?)", str(State.CLEARED))
        return tuple(map(rows.message, self._rows(rows.MESSAGE, "outbox", where, "number")))

    def watched(self) -> tuple[Announced, ...]:
        """Routes that were present, each with the time since when."""
        order = "router, peer, rib, prefix, path_id"
        return tuple(map(rows.announced, self._rows(rows.WATCHED, "watched", Where(), order)))

    def facts(self) -> dict[str, Any]:
        """All facts, by name, as JSON gave them."""
        found = self._rows("name, value", "facts", Where(), "name")
        return {name: json.loads(value) for name, value in found}

    def _rows(self, columns: str, table: str, where: "Where", order: str, limit: int = -1) -> Iterator[rows.Row]:
        question = f"SELECT {columns} FROM {table} {where.text} ORDER BY {order} LIMIT ?"
        yield from self._connection.execute(question, (*where.values, limit))


class Where:
    """Conditions of a question, joined by AND. Text of ours, values of anybody's."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self.values: list[str | int] = []

    def add(self, condition: str, value: str | int | None) -> None:
        """Ask for `condition`, with one place for `value`; None asks for nothing."""
        if value is not None:
            self._conditions.append(condition)
            self.values.append(value)

    def any_of(self, column: str, values: Collection[str] | Iterator[str]) -> None:
        """Ask for any of `values`; none asks for nothing."""
        wanted = tuple(values)
        if wanted:
            self._conditions.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            self.values.extend(wanted)

    @property
    def text(self) -> str:
        """The WHERE clause, or nothing."""
        return f"WHERE {' AND '.join(self._conditions)}" if self._conditions else ""
