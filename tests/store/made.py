"""Rows for the journal, made by hand: a small language of what happened, and when."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pyarrow as pa

from anycast.columns import Phase, SessionEvent
from anycast.prefix import Prefix
from store.journal import Journal
from store.places import columns
from store.schema import SUBMITTED, Submission, nanoseconds

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROUTER = "gobgp"
WEB = ip_network("10.250.0.10/32")


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def batch(table: str, *rows: Sequence[object]) -> pa.RecordBatch:
    """A batch of rows in the order of the table's columns."""
    schema = SUBMITTED[table]
    arrays = [pa.array([row[index] for row in rows], field.type) for index, field in enumerate(schema)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def route(
    seconds: float,
    prefix: Prefix | str = WEB,
    attributes: int = 1,
    *,
    session: int = 1,
    rib: int = 0,
    path_id: int = 0,
    phase: Phase = Phase.LIVE,
) -> tuple[object, ...]:
    """A route row; no attributes are a withdrawal."""
    when, place = nanoseconds(at(seconds)), columns(ip_network(prefix))
    return (when, None, session, rib, int(phase), *place, path_id, int(attributes != 0), attributes)


def event(
    seconds: float,
    what: SessionEvent,
    session: int = 1,
    *,
    router: str = ROUTER,
    peer: int | None = None,
    detail: str = "{}",
) -> tuple[object, ...]:
    """A session row; a feed event is of session 0."""
    about_feed = what in (SessionEvent.FEED_OPENED, SessionEvent.FEED_LOST)
    address = "" if about_feed else f"10.0.0.{peer or session}"
    number = 0 if about_feed else session
    return (nanoseconds(at(seconds)), None, number, int(what), router, address, 0, 0, 0, detail)


def attributes(*numbers: int) -> pa.RecordBatch:
    """Attribute sets whose bytes spell their number."""
    return batch("attributes", *((number, False, f"set {number}".encode()) for number in numbers))


def write(journal: Journal, now: datetime, *tables: tuple[str, pa.RecordBatch]) -> int:
    """Append one submission and commit it."""
    journal.append([tables], now)
    return journal.commit()


def routes(*rows: Sequence[object]) -> Submission:
    """A submission of route rows alone."""
    return [("routes", batch("routes", *rows))]
