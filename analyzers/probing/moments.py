"""Moments as the snapshot keeps them: seconds since 1970, which are read and written fast; each second there is one."""

from datetime import UTC, datetime


def seconds(at: datetime | None) -> float | None:
    """Write a moment."""
    return None if at is None else at.timestamp()


def moment(plain: float | None) -> datetime | None:
    """Read it back, exact to the microsecond."""
    return None if plain is None else datetime.fromtimestamp(plain, UTC)
