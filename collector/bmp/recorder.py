"""One slice of a feed while it is being heard: rows and events, kept in the order in which they came."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from itertools import pairwise
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa

from anycast.columns import Action, SessionEvent
from anycast.observation import Announced, Observation, Session, Source, Withdrawn
from anycast.prefix import Family, Prefix
from anycast.route import Attributes
from collector.batch import Array, Arrow, AttributeTable, RouteBatch, schema
from collector.bmp.peers import RIBS, Peer

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


Route: TypeAlias = tuple[Prefix, int, int, int]
"""Prefix, path id, action, attribute id."""
Resolve: TypeAlias = Callable[[int, Family | None], Attributes]


def moment(nanoseconds: int) -> datetime:
    """Turn nanoseconds since 1970 into a time, to the microsecond."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


class Recorder:
    """Collects rows of the bulk lane, events, and rows of the smaller tables; `clock` orders them all.

    `clock` is in ns and rises with every row and every event, so that order of arrival can be read from the stamps.
    """

    def __init__(self, rows: int) -> None:
        self.scratch = RouteBatch.empty(rows)
        self.count = 0
        """Rows taken so far."""
        self.clock = 0
        self._events: list[tuple[int, Observation]] = []
        self._sessions: list[dict[str, Any]] = []
        self._malformed: list[dict[str, Any]] = []

    @property
    def empty(self) -> bool:
        """Whether nothing was heard yet."""
        return not (self.count or self._events or self._sessions or self._malformed)

    def tick(self, time: int) -> int:
        """The clock for one more row or event, received at `time` (ns)."""
        self.clock = max(self.clock + 1, time)
        return self.clock

    def reserve(self, rows: int) -> bool:
        """Make sure that as many rows fit; False when the slice must be taken first."""
        if self.count + rows <= len(self.scratch):
            return True
        if self.count:
            return False
        self.scratch = RouteBatch.empty(rows)
        return True

    def observe(self, observation: Observation) -> None:
        """Put an observation behind everything so far."""
        self._events.append((self.count, observation))

    def session_row(
        self,
        at: int,
        event: SessionEvent,
        router: str,
        session: Session | None = None,
        identity: int = 0,
        rib: int = 0,
        router_time: datetime | None = None,
        detail: object = None,
    ) -> None:
        """Add a row of the `sessions` table; `at` in ns, `detail` as `anycast.plain` has it."""
        self._sessions.append(
            {
                "at": at,
                "router_time": router_time,
                "session": identity,
                "event": int(event),
                "router": router,
                "peer": "" if session is None or session.peer is None else str(session.peer),
                "peer_type": 0 if session is None else int(session.peer_type),
                "distinguisher": 0 if session is None else session.distinguisher,
                "rib": rib,
                "detail": "" if detail is None else json.dumps(detail, separators=(",", ":")),
            }
        )

    def malformed_row(
        self, at: int, router: str, session: Session | None, reason: str, action: str, raw: bytes
    ) -> None:
        """Add a row of the `malformed` table; `at` in ns."""
        peer = "" if session is None else str(session.peer or "loc-rib")
        self._malformed.append(
            {"at": at, "router": router, "peer": peer, "reason": reason, "action": action, "raw": raw}
        )

    def route(self, peer: Peer, rib: int, phase: int, time: int, router_time: int, route: Route) -> None:
        """Add one route that the plain decoder read. There must be room."""
        prefix, path_id, action, attributes = route
        shift = 128 - prefix.max_prefixlen
        address = int(prefix.network_address) << shift
        row, scratch = self.count, self.scratch
        scratch.at[row], scratch.router_time[row] = self.tick(time), router_time
        scratch.session[row], scratch.rib[row], scratch.phase[row] = peer.identity, rib, phase
        scratch.family[row], scratch.length[row], scratch.path_id[row] = prefix.version, prefix.prefixlen, path_id
        scratch.prefix_high[row], scratch.prefix_low[row] = address >> 64, address & (1 << 64) - 1
        scratch.action[row], scratch.attributes[row] = action, attributes
        self.count += 1

    def take(self, table: AttributeTable) -> "Taken":
        """Return what was collected and begin anew; the clock goes on."""
        batch = self.scratch.copy(self.count)
        tables: dict[str, Arrow] = {}
        attributes = table.fresh()
        if attributes.num_rows:
            tables["attributes"] = attributes
        for name, rows in (("sessions", self._sessions), ("malformed", self._malformed)):
            if rows:
                tables[name] = pa.RecordBatch.from_pylist(rows, schema=schema(name))
        taken = Taken(batch, tables, self._events)
        self.clear()
        return taken

    def clear(self) -> None:
        """Forget what was collected; the clock goes on."""
        self.count, self._events, self._sessions, self._malformed = 0, [], [], []


class Taken:
    """What a slice held."""

    def __init__(self, batch: RouteBatch, tables: dict[str, Arrow], events: list[tuple[int, Observation]]) -> None:
        self.batch = batch
        self.tables = tables
        self._events = events

    def busy(self, sessions: dict[int, Session]) -> tuple[tuple[Session, int], ...]:
        """Sessions that sent routes, and how many."""
        column = self.batch.session
        starts = np.flatnonzero(np.diff(column, prepend=np.uint32(0)))  # session numbers begin with 1
        counts: Counter[Session] = Counter()
        for start, end in pairwise((*starts.tolist(), len(column))):
            counts[sessions[int(column[start])]] += end - start
        return tuple(counts.items())

    def observations(self, wanted: Array, sessions: dict[int, Session], attributes: Resolve) -> Iterator[Observation]:
        """Yield the events, and the rows whose numbers are `wanted` as values, in the order in which they came.

        `attributes` is asked for (id, family) of each announced one.
        """
        events = iter(self._events)
        at, event = next(events, (len(self.batch) + 1, None))
        for row in map(int, wanted):
            while event is not None and at <= row:
                yield event
                at, event = next(events, (len(self.batch) + 1, None))
            yield self._value(row, sessions, attributes)
        if event is not None:
            yield event
            yield from (event for _, event in events)

    def _value(self, row: int, sessions: dict[int, Session], attributes: Resolve) -> Announced | Withdrawn:
        batch = self.batch
        source = Source(sessions[int(batch.session[row])], RIBS[batch.rib[row]])
        at, sent = moment(int(batch.at[row])), int(batch.router_time[row])
        router_time = moment(sent) if sent else None
        path_id, prefix = int(batch.path_id[row]), prefix_of(batch, row)
        if batch.action[row] == Action.WITHDRAW:
            return Withdrawn(at, source, prefix, path_id, router_time)
        family = Family.IPV4 if batch.family[row] == 4 else Family.IPV6
        return Announced(at, source, prefix, attributes(int(batch.attributes[row]), family), path_id, router_time)


def prefix_of(batch: RouteBatch, row: int) -> Prefix:
    """Return the prefix of a row."""
    high, length = int(batch.prefix_high[row]), int(batch.length[row])
    if batch.family[row] == 4:
        return IPv4Network((high >> 32, length))
    return IPv6Network((high << 64 | int(batch.prefix_low[row]), length))
