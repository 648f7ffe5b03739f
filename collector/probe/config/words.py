"""The words of the agent's file: text in, values out.

Each reader raises ValueError with a sentence that names the value and what would be right.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from anycast.probe import TargetKind
from collector.probe.identity.template import read_template
from collector.written.words import NAME, listed, nearest, read_duration, shown

Read = Callable[[object], Any]
CONTROLS = (TargetKind.NVA, TargetKind.APPLICATION, TargetKind.GATEWAY)
LONGEST_TEXT = 1000
MOST_SIZES = 16
MOST_STATUSES = 32


def read_name(value: object) -> str:
    """Read a name, as the intent file has them."""
    if not isinstance(value, str) or not re.fullmatch(NAME, value):
        letters = "up to 63 letters, digits, '.', '_' and '-'"
        raise ValueError(f"{shown(value)} is no name; a name is made of {letters}, and begins with a letter or digit")
    return value


def read_text(value: object) -> str:
    """Read text that is not empty."""
    if not isinstance(value, str) or not value or len(value) > LONGEST_TEXT:
        raise ValueError(f"{shown(value)} is not right here; write text, {LONGEST_TEXT} characters at most")
    return value


def read_path(value: object) -> Path:
    """Read the path of a file or folder; it is seen from the file's folder."""
    return Path(read_text(value))


def read_expression(value: object) -> str:
    """Read what is looked for in a body: text with holes, such as `served by {nva}.`"""
    read_template(value)
    return read_text(value)


def read_url(value: object) -> str:
    """Read the http or https URL of a service."""
    return _url(value, ("http", "https"), "http://10.250.0.10/health")


def read_centre(value: object) -> str:
    """Read where the centre takes batches: https, a host, and nothing behind it."""
    url = _url(value, ("https",), "https://catchment.example.com:8471")
    parts = urlsplit(url)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"{shown(value)} has a path; write https://, the host and the port only")
    return url.rstrip("/")


def _url(value: object, schemes: tuple[str, ...], example: str) -> str:
    try:
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
        good = parts.scheme in schemes and parts.hostname and (parts.port is None or parts.port > 0)
        good = good and parts.username is None and parts.password is None
    except ValueError:
        good = False
    if not good or not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable() or " " in value:
        raise ValueError(f"{shown(value)} is not a URL such as {example}")
    return value


def read_kind(value: object) -> TargetKind:
    """Read what a control is."""
    known = [str(kind) for kind in CONTROLS]
    if value not in known:
        raise ValueError(f"{shown(value)} is no kind of control; it is {listed(known)}{nearest(str(value), known)}")
    return TargetKind(str(value))


def read_true(value: object) -> bool:
    """Read `true`: a key that is there or is left out."""
    if value is not True:
        raise ValueError(f"{shown(value)} is not right here; write true, or leave the key out")
    return True


def between(low: float, high: float) -> Read:
    """Return a reader of durations from `low` to `high` seconds."""

    def read(value: object) -> float:
        seconds = read_duration(value).total_seconds()
        if not low <= seconds <= high:
            raise ValueError(f"{shown(value)} is not right here; write {_spelt(low)} to {_spelt(high)}")
        return seconds

    return read


def _spelt(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds * 1000:g}ms"


def whole(low: int, high: int) -> Read:
    """Return a reader of whole numbers from `low` to `high`."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            right = f"a whole number from {low} to {high}" if low < high else str(low)
            raise ValueError(f"{shown(value)} is not right here; write {right}")
        return value

    return read


def number(low: float, high: float) -> Read:
    """Return a reader of numbers from `low` to `high`."""

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{shown(value)} is not right here; write a number from {low:g} to {high:g}")
        return float(value)

    return read


def some(read: Read, most: int, example: str) -> Read:
    """Return a reader of lists of one to `most` values, each once."""

    def read_all(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list) or not value or len(value) > most:
            raise ValueError(f"{shown(value)} is not right here; write a list of up to {most}, such as {example}")
        found = tuple(map(read, value))
        twice = next((each for each in found if found.count(each) > 1), None)
        if twice is not None:
            raise ValueError(f"{shown(twice)} stands in the list twice; keep one")
        return found

    return read_all
