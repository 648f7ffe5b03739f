"""Values of the judged lane as rows for the journal, and rows of the journal as values."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa

from anycast.change import Change
from anycast.columns import COLUMNS, NANOSECONDS
from anycast.plain import to_plain
from anycast.route import Attributes


def arrow_schema(table: str) -> pa.Schema:
    """Return the Arrow schema of one of the journal's tables."""
    return pa.schema([(name, _arrow_type(kind)) for name, kind in COLUMNS[table]])


def changes_table(changes: Sequence[Change]) -> pa.RecordBatch:
    """Write true differences as rows of the table `changes`."""
    rows = [_change_row(change) for change in changes]
    return pa.RecordBatch.from_pylist(rows, schema=arrow_schema("changes"))


def _change_row(change: Change) -> dict[str, object]:
    session = change.source.session
    return {
        "at": nanoseconds(change.at),
        "not_before": None if change.not_before is None else nanoseconds(change.not_before),
        "kind": str(change.kind),
        "cause": str(change.cause),
        "router": session.router,
        "peer": "" if session.peer is None else str(session.peer),
        "peer_type": int(session.peer_type),
        "distinguisher": session.distinguisher,
        "rib": str(change.source.rib),
        "prefix": str(change.prefix),
        "path_id": change.path_id,
        "before": _attributes(change.before),
        "after": _attributes(change.after),
    }


def _attributes(attributes: Attributes | None) -> str:
    return "" if attributes is None else json.dumps(to_plain(attributes), separators=(",", ":"))


def nanoseconds(at: datetime) -> int:
    """Nanoseconds since 1970 of a time with a zone; exact to the microsecond."""
    delta = at.astimezone(UTC) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1_000


def _arrow_type(kind: str) -> pa.DataType:
    return pa.timestamp("ns", tz="UTC") if kind == NANOSECONDS else pa.type_for_alias(kind)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
