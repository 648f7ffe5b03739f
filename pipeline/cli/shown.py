"""How the terminal shows values: colours for the three states and severities, times, durations, tables, JSON.

Into a pipe or a file nothing is broken over lines: what reads it there reads lines.
"""

import errno
import json
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console, RenderableType
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from anycast.counted import counted as counted
from anycast.plain import Plain, parse_stamp
from pipeline.asked import UNITS

LONGEST = 120  # characters shown of a text that an agent chose
PIPED = 1_000  # columns: more than any line of ours
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


ADVICE = {
    errno.EACCES: "run as the user that owns it, give this one the right to it, or name another",
    errno.EPERM: "run as the user that owns it, give this one the right to it, or name another",
    errno.EEXIST: "name another, or move it away",
    errno.ENOTDIR: "a part of this path is a file where a folder is needed; name another",
    errno.EISDIR: "this is a folder where a file is needed; name another",
    errno.ENOENT: "make it, or name another",
    errno.EROFS: "its file system is read-only; name a place that can be written to",
    errno.ENOSPC: "its disk is full; free some, or name a place on another",
    errno.EADDRINUSE: "another program listens there (`ss -ltnp` names it); stop it, or give another under listen: in "
    "the intent file",
    errno.EADDRNOTAVAIL: "no interface of this machine has that address; give one that it has, or 0.0.0.0 for all",
}
"""What would be right, by what the system said."""


def _console(stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    fixed = stream.isatty() or os.environ.get("COLUMNS", "").isdecimal()
    return Console(highlight=False, stderr=stderr, width=None if fixed else PIPED)


console = _console()


def data_folder(given: Path | None) -> Path:
    """The data folder: what was given, else CATCHMENT_DATA, else ./data."""
    return given or Path(os.environ.get("CATCHMENT_DATA") or "data")


def complain(command: str, error: object) -> int:
    """Say on standard error why a command cannot; returns the exit code for that."""
    _console(stderr=True).print(Text(f"catchment {command}: {sentence(error)}", style="red"))
    return 2


def note(text: str) -> None:
    """Say something on standard error that is no part of the answer."""
    _console(stderr=True).print(Text(text, style="dim"))


def sentence(error: object) -> str:
    """An error as a sentence: what the system refused comes with the path that it was about, and with what to do."""
    if isinstance(error, OSError) and error.strerror:
        said = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        advice = ADVICE.get(error.errno or 0, "")
        return said if advice in said else f"{said}; {advice}"
    return str(error)


def print_json(value: Plain) -> None:
    """Print JSON for programs: one document, indented, no colours."""
    json.dump(value, sys.stdout, indent=2)
    sys.stdout.write("\n")


def table(*heads: str, title: str | None = None, right: Iterable[str] = ()) -> Table:
    """A table without lines; long words are folded rather than cut. `right` names columns of numbers."""
    made = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    for head in heads:
        made.add_column(head, overflow="fold", justify="right" if head in right else "left")
    return made


def show(*shown: RenderableType) -> None:
    """Print, without the blanks that fill lines up; text is taken as it is."""
    for each in shown:
        for line in console.render_lines(Text(each) if isinstance(each, str) else each, pad=False):
            while line and not line[-1].text.strip():
                line.pop()
            if line:
                line[-1] = Segment(line[-1].text.rstrip(), line[-1].style)
            console.print(Segments([*line, Segment.line()]), end="")


def safe(text: str) -> str:
    """Foreign text for a terminal: what would steer it becomes visible, and long texts are cut."""
    seen = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[:LONGEST])
    return seen + ("…" if len(text) > LONGEST else "")


def hanging(head: Text, body: Text) -> Table:
    """A head, and beside it a body that may take several lines."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(head, body)
    return grid


def ago(text: str | None, now: datetime | None = None) -> str:
    """How long ago an RFC 3339 time was, in a word: `12s`, `3m`, `2h`, `5d`; a dash for none."""
    if text is None:
        return "-"
    return span((now or datetime.now(UTC)) - parse_stamp(text))


def span(length: timedelta) -> str:
    """A length of time in one word."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size in reversed(UNITS.items()):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return "0s"


def lasted(length: timedelta) -> str:
    """How long something lasted: `21.5 s`, and from two minutes on `1h 40m`."""
    seconds = max(0.0, length.total_seconds())
    if seconds < 120:
        return f"{seconds:.1f} s"
    sizes = [(unit, size) for unit, size in reversed(UNITS.items()) if seconds >= size][:2]
    (unit, size), (lesser, small) = sizes
    return f"{int(seconds // size)}{unit} {int(seconds % size // small)}{lesser}"


def clock(text: str, fine: bool = False) -> str:
    """The time of day in UTC, with milliseconds when `fine`, and the date when it is not today's."""
    at = parse_stamp(text)
    day = "" if at.date() == datetime.now(UTC).date() else f"{at:%Y-%m-%d} "
    return f"{day}{at:%H:%M:%S}" + (f".{at.microsecond // 1000:03d}" if fine else "")


def worded(text: str, styles: dict[str, str]) -> Text:
    """A word in the colour of its meaning; the word itself is always there for those who see no colours."""
    return Text(text, style=styles.get(text, ""))
