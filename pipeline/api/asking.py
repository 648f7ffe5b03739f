"""What a question may ask for: how much, and of which time. One without an answer is told what would be right."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query

from pipeline.asked import when

LONGEST_RANGE = timedelta(days=31)  # one history answer; ask again for more
MOST_ROWS = 10_000

Limit = Annotated[int, Query(ge=1, le=MOST_ROWS)]


class Unanswerable(Exception):
    """A question that has no answer as it stands; the message says what would be right."""


def between(
    start: str | None, end: str | None, usual: timedelta, longest: timedelta = LONGEST_RANGE
) -> tuple[datetime, datetime]:
    """Return the times that `from` and `to` give: until now, and as long as is usual, where they do not.

    Raises Unanswerable.
    """
    now = datetime.now(UTC)
    until = time_of(end, now) if end else now
    since = time_of(start, now) if start else until - usual
    if since >= until or until - since > longest:
        most = f"{longest.days} days" if longest.days > 1 else f"{longest // timedelta(hours=1)} hours"
        raise Unanswerable(f"from must be before to, and at most {most} before it")
    return since, until


def time_of(text: str, now: datetime) -> datetime:
    """Read a time. Raises Unanswerable."""
    try:
        return when(text, now)
    except ValueError as error:
        raise Unanswerable(str(error)) from error
