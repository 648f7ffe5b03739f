"""Values of the judged lane as rows for the journal."""

import json
from collections.abc import Sequence

import pyarrow as pa

from anycast.change import Change
from anycast.plain import to_plain
from anycast.route import Attributes
from store.schema import SUBMITTED, nanoseconds


def changes_table(changes: Sequence[Change]) -> pa.RecordBatch:
    """Write true differences as rows of the table `changes`."""
    rows = [_change_row(change) for change in changes]
    return pa.RecordBatch.from_pylist(rows, schema=SUBMITTED["changes"])


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
