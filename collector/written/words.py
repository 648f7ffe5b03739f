"""The words of written files: text in, values out.

Each reader raises ValueError with a sentence that names the value and what would be right.
"""

import contextlib
import difflib
import re
from collections.abc import Iterable
from datetime import timedelta
from ipaddress import ip_address

from anycast.prefix import Address

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
DURATION = r"[0-9]{1,6}(\.[0-9]{1,3})?(ms|s|m|h|d|w)"
SIZES = {"kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000}
SIZE = r"[0-9]{1,6}(\.[0-9]{1,3})?(kB|MB|GB|TB)"
MOST_COMPARED = 200  # names that a misspelt one is compared with
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"


def shown(value: object) -> str:
    """Show a value of a file in a message, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def nearest(word: str, words: Iterable[str]) -> str:
    """Return `; did you mean X?` for the word that is nearest, or nothing."""
    close = difflib.get_close_matches(word[:100], sorted(words)[:MOST_COMPARED], n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def listed(words: Iterable[str], link: str = "or") -> str:
    """Return words as a sentence lists them: `a, b or c`."""
    *first, last = words
    return f"{', '.join(first)} {link} {last}" if first else last


def read_address(value: object) -> Address:
    """Read `10.10.1.4` or `fd00::4`."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return ip_address(value)
    raise ValueError(f"{shown(value)} is not an address such as 10.10.1.4, without a prefix length")


def read_duration(value: object) -> timedelta:
    """Read `500ms`, `2s`, `5m`, `24h`, `7d`; 0 needs no unit."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and value == 0:
        return timedelta(0)
    if number:
        raise ValueError(f"{value} has no unit; write {value}s for seconds, or m, h or d")
    if not isinstance(value, str) or not re.fullmatch(DURATION, value):
        raise ValueError(f"{shown(value)} is not a duration such as 500ms, 2s, 5m, 24h or 7d")
    unit = value.lstrip("0123456789.")
    return timedelta(seconds=round(float(value.removesuffix(unit)) * UNITS[unit], 6))


def read_size(value: object) -> int:
    """Read `20GB` as bytes."""
    if not isinstance(value, str) or not re.fullmatch(SIZE, value):
        raise ValueError(f"{shown(value)} is not a size such as 500MB or 20GB")
    unit = value.lstrip("0123456789.")
    return round(float(value.removesuffix(unit)) * SIZES[unit])
