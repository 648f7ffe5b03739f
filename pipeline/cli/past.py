"""`catchment history` and `catchment decode`: files, with or without a daemon."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from anycast.plain import Plain, to_plain
from anycast.prefix import Prefix, parse_prefix
from anycast.situation import Event
from pipeline.cli.shown import SEVERITY_STYLE, STATE_STYLE, clock, console, data_folder, print_json, when, worded

if TYPE_CHECKING:  # the import is slow
    from pipeline.past import Past


def history(
    data: Path | None,
    prefix: str | None,
    since: str,
    until: str | None,
    at: str | None,
    limit: int,
    as_json: bool,
) -> int:
    """Print what happened, oldest first, or (with `at`) the state at one time."""
    from pipeline.past import Past

    now = datetime.now(UTC)
    try:
        asked = parse_prefix(prefix) if prefix else None
        if at is not None and asked is None:
            raise ValueError("--at asks for the state of a prefix; name one, such as 10.250.0.10/32")
        past = Past(data_folder(data))
        if at is not None and asked is not None:
            return _state(past, asked, when(at, now), as_json)
        start, end = when(since, now), when(until, now) if until else now
        events = past.events(asked, start, end, limit)
    except (ValueError, FileNotFoundError) as error:
        console.print(f"catchment history: {error}", style="red")
        return 2
    print_json(to_plain(tuple(events))) if as_json else _lines(events)
    return 0


def decode(files: Sequence[Path]) -> int:
    """Write one JSON line an element of each file; 1 when anything could not be decoded."""
    from collector.wire.errors import Malformed

    failed = False
    for file in files:
        try:
            failed = _decode(file) or failed
        except Malformed as error:
            sys.stderr.write(f"catchment decode: {file}: {error.reason}\n")
            failed = True
        except BrokenPipeError:
            raise
        except OSError as error:
            sys.stderr.write(f"catchment decode: {file}: {error.strerror or error}\n")
            failed = True
    return int(failed)


def _decode(file: Path) -> bool:
    """Write a file's elements; says whether any of them is malformed."""
    from collector.wire.elements import decode_lines

    failed = False
    with sys.stdin.buffer if str(file) == "-" else file.open("rb") as stream:
        for line in decode_lines(stream):
            failed = failed or line["type"] == "M"
            sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
    return failed


def _lines(events: Sequence[Event]) -> None:
    if not events:
        console.print("Nothing happened in that time, as far as was seen.")
        return
    for event in events:
        shown = to_plain(event)
        style = SEVERITY_STYLE.get(shown.get("severity", ""), "")
        console.print(Text.assemble((clock(shown["at"]), "dim"), "  ", (f"{event.what:<12}", style), " ", event.text))


def _state(past: "Past", prefix: Prefix, at: datetime, as_json: bool) -> int:
    rows: Plain = past.state(prefix, at)
    if as_json:
        print_json(rows)
        return 0
    table = Table(title=f"{prefix} at {at:%Y-%m-%d %H:%M:%S} UTC", title_justify="left", box=None, pad_edge=False)
    for name in ("ROUTER", "PEER", "TABLE", "STATE", "PATH", "NEXT HOP"):
        table.add_column(name)
    for row in rows:
        attributes = row.get("attributes") or {}
        state = worded(row["presence"], STATE_STYLE)
        path, hop = attributes.get("as_path", ""), attributes.get("next_hop", "")
        table.add_row(row["router"], row["peer"] or "-", row["rib"], state, path, hop)
    console.print(table)
    return 0
