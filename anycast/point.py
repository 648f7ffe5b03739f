"""One point of a time series: a measurement's tags and fields at one time, which is fixed when it is made."""

from collections.abc import Mapping
from dataclasses import dataclass

Value = float | int | str
"""What a field holds: as `anycast.series` says of it."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point, of a measurement of `anycast.series`."""

    measurement: str
    tags: tuple[str, ...]
    """Values, in the order of the measurement's tags; all of them."""
    fields: Mapping[str, Value | None]
    """By name; what is None, infinite or no number is left out."""
    at: int
    """Nanoseconds since 1970."""
