"""How the terminal shows values: colours for the three states and severities, times, durations, JSON."""

import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.text import Text

from anycast.plain import Plain, parse_stamp

console = Console(highlight=False)
STATE_STYLE = {
    "present": "green",
    "absent": "red",
    "unknown": "yellow",
    "up": "green",
    "down": "red",
    "loading": "yellow",
}
SEVERITY_STYLE = {"critical": "bold red", "major": "red", "warning": "yellow", "info": "cyan"}
HEALTH_STYLE = {"ok": "green", "degraded": "yellow", "down": "bold red", "unknown": "yellow"}

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def data_folder(given: Path | None) -> Path:
    """The data folder: what was given, else CATCHMENT_DATA, else ./data."""
    return given or Path(os.environ.get("CATCHMENT_DATA", "data"))


def print_json(value: Plain) -> None:
    """Print JSON for programs: one document, indented, no colours."""
    json.dump(value, sys.stdout, indent=2)
    sys.stdout.write("\n")


def ago(text: str | None, now: datetime | None = None) -> str:
    """How long ago an RFC 3339 time was, in a word: `12s`, `3m`, `2h`, `5d`; a dash for none."""
    if text is None:
        return "-"
    return span((now or datetime.now(UTC)) - parse_stamp(text))


def span(length: timedelta) -> str:
    """A length of time in one word."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size in reversed(_UNITS.items()):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return "0s"


def clock(text: str) -> str:
    """The time of day in UTC with milliseconds, and the date when it is not today's."""
    at = parse_stamp(text)
    day = "" if at.date() == datetime.now(UTC).date() else f"{at:%Y-%m-%d} "
    return f"{day}{at:%H:%M:%S}.{at.microsecond // 1000:03d}"


def when(text: str, now: datetime) -> datetime:
    """Read an RFC 3339 time or `6h` for six hours ago; raises ValueError with what would be right."""
    if match := re.fullmatch(r"(\d{1,9})([smhd])", text):
        return now - timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    try:
        return parse_stamp(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time; write 2026-01-31T08:00:00Z, or 6h for six hours ago") from error


def worded(text: str, styles: dict[str, str]) -> Text:
    """A word in the colour of its meaning; the word itself is always there for those who see no colours."""
    return Text(text, style=styles.get(text, ""))
