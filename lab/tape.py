"""A recording of the lab: what its routers sent over BMP, and when, while the story was acted.

The file is gzip of JSON lines, to be read with `zcat`. The first line says what it is. Every other line has `at`, in
seconds since the recording began, in order, and `what`:

    open, close, reset   with `exporter` and `connection`, a number: it was opened, closed (FIN), or aborted (RST)
    bytes                with these two and `hex`: the octets of one read, as the router sent them
    story                the story begins: every table has been sent, the network is healthy
    act                  with `verb`, `arguments`, `seen_at` and `seen`: a fault was made or healed at `at`, and what an
                         independent witness said of it
    end                  the last line

Nothing in it is translated: BMP's per-peer timestamps are those of the day on which it was made.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

FORMAT = "recording of the Catchment lab"
VERSION = 1
STORY_TAPE = Path(__file__).with_name("recordings") / "story.jsonl.gz"
"""The recording that is shipped."""


class What(StrEnum):
    """What happened to an exporter's connection."""

    OPEN = "open"
    BYTES = "bytes"
    CLOSE = "close"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened on one connection."""

    at: float
    """Seconds since the recording began."""
    exporter: str
    connection: int
    """An exporter that dials again has another one, and may have two for a while."""
    what: What
    octets: bytes = b""
    """For BYTES only."""


@dataclass(frozen=True, slots=True)
class Act:
    """A fault, made or healed."""

    at: float
    verb: str
    arguments: tuple[str, ...]
    seen_at: float
    """When its witness had spoken."""
    seen: str


@dataclass(frozen=True, slots=True)
class Tape:
    """A whole recording."""

    made: str
    """The day, as 2026-01-31."""
    story: float
    """When the story begins, in seconds since the recording began."""
    end: float
    moments: tuple[Moment, ...]
    acts: tuple[Act, ...]

    @property
    def exporters(self) -> tuple[str, ...]:
        """Names of the exporters, in the order in which they first connected."""
        return tuple(dict.fromkeys(moment.exporter for moment in self.moments))


def write(tape: Tape, path: Path) -> None:
    """Write a recording; the same one always gives the same file."""
    lines = "".join(json.dumps(line) + "\n" for line in _lines(tape))
    path.write_bytes(gzip.compress(lines.encode(), 9, mtime=0))


def _lines(tape: Tape) -> Iterator[dict[str, Any]]:
    yield {"format": FORMAT, "version": VERSION, "made": tape.made}
    timed = [*map(_moment_line, tape.moments), *map(_act_line, tape.acts)]
    timed += [{"at": tape.story, "what": "story"}, {"at": tape.end, "what": "end"}]
    yield from sorted(timed, key=lambda line: float(line["at"]))


def _moment_line(moment: Moment) -> dict[str, Any]:
    line: dict[str, Any] = {"at": moment.at, "what": str(moment.what)}
    line |= {"exporter": moment.exporter, "connection": moment.connection}
    return line | {"hex": moment.octets.hex()} if moment.what is What.BYTES else line


def _act_line(act: Act) -> dict[str, Any]:
    fields = asdict(act)
    return {"at": fields.pop("at"), "what": "act", **fields}


def read(path: Path = STORY_TAPE) -> Tape:
    """Read a recording. Raises ValueError naming the file and the line when it is none, and OSError."""
    with gzip.open(path, "rt") as file:
        try:
            first, *rest = [json.loads(line) for line in file]
        except (ValueError, EOFError) as error:
            raise ValueError(f"{path.name} is no recording of the lab: {error}") from error
    if (first.get("format"), first.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"{path.name} does not say {FORMAT!r}, version {VERSION}, in its first line")
    return _tape(path.name, first["made"], list(enumerate(rest, 2)))


def _tape(name: str, made: str, lines: list[tuple[int, Any]]) -> Tape:
    marks: dict[str, float] = {}
    moments: list[Moment] = []
    acts: list[Act] = []
    for number, line in lines:
        try:
            match line["what"]:
                case "story" | "end" as mark:
                    marks[mark] = line["at"]
                case "act":
                    words = tuple(line["arguments"])
                    acts.append(Act(line["at"], line["verb"], words, line["seen_at"], line["seen"]))
                case what:
                    octets = bytes.fromhex(line.get("hex", ""))
                    moments.append(Moment(line["at"], line["exporter"], line["connection"], What(what), octets))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{name}, line {number} is no line of a recording: {error}") from error
    if marks.keys() != {"story", "end"}:
        raise ValueError(f"{name} is not whole: it needs one line `story` and one line `end`")
    return Tape(made, marks["story"], marks["end"], tuple(moments), tuple(acts))
