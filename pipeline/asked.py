"""What people ask for, read from text: times. Said with what would be right when it is not one."""

import re
from datetime import UTC, datetime, timedelta

from anycast.plain import parse_stamp

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC)
"""What the journal's nanoseconds can say."""


def length(text: str) -> timedelta:
    """Read a length of time, such as `30s` or `5m`.

    Raises ValueError with what would be right.
    """
    if match := re.fullmatch(r"(\d{1,9})([smhd])", text, re.ASCII):
        return timedelta(seconds=int(match[1]) * UNITS[match[2]])
    raise ValueError(f"{text!r} is no length of time; write 30s, 5m, 6h or 7d")


def when(text: str, now: datetime) -> datetime:
    """Read an RFC 3339 time, or `6h` for six hours ago.

    Raises ValueError with what would be right.
    """
    try:
        if match := re.fullmatch(r"(\d{1,9})([smhd])", text, re.ASCII):
            at = now - timedelta(seconds=int(match[1]) * UNITS[match[2]])
        else:
            at = parse_stamp(text)
    except OverflowError:
        at = LAST
    except ValueError as error:
        zone = " (with its zone: Z is UTC)" if re.fullmatch(r"\d{4}-\d\d-\d\d[T ]?[\d:.]*", text, re.ASCII) else ""
        raise ValueError(f"{text!r} is no time; write 2026-01-31T08:00:00Z{zone}, or 6h for six hours ago") from error
    if not FIRST <= at < LAST:
        raise ValueError(f"{text!r} lies outside 1970 to 2261, where nothing can have happened")
    return at
