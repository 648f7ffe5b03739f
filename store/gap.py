"""The gap that a crash made: feeds that the journal still holds open were lost when its writer last lived.

journal = Journal(path)
if journal.alive_at and (routers := Reader(path).open_feeds(now)):
    journal.append([[("sessions", feeds_lost(routers, journal.alive_at))]], now)
"""

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from anycast.columns import SessionEvent
from anycast.observation import LostReason
from store.schema import SUBMITTED, nanoseconds


def feeds_lost(routers: Sequence[str], at: datetime) -> pa.RecordBatch:
    """Return a row of `sessions` for each router whose feed we lost at `at` without having said so."""
    row = {
        "at": nanoseconds(at),
        "session": 0,
        "event": int(SessionEvent.FEED_LOST),
        "peer": "",
        "peer_type": 0,
        "distinguisher": 0,
        "rib": 0,
        "detail": f'{{"reason": "{LostReason.STOPPED}"}}',
    }
    schema = SUBMITTED["sessions"]
    columns = [
        pa.array([{**row, "router": router}.get(field.name) for router in routers], field.type) for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
