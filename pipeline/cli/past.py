"""`catchment history`: the data folder, with or without a daemon."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from anycast.plain import Plain, to_plain
from anycast.prefix import Prefix, parse_prefix
from anycast.situation import Event
from pipeline.asked import when
from pipeline.cli.shown import (
    SEVERITY_STYLE,
    STATE_STYLE,
    clock,
    complain,
    counted,
    data_folder,
    hanging,
    note,
    print_json,
    show,
    table,
    worded,
)

if TYPE_CHECKING:  # the import is slow
    from pipeline.past import Past


DAY = "24h"  # how far back history goes when it is not said


def history(
    data: Path | None,
    prefix: str | None,
    since: str | None,
    until: str | None,
    at: str | None,
    limit: int,
    as_json: bool,
) -> int:
    """Print what happened, oldest first, or (with `at`) the state at one time."""
    now = datetime.now(UTC)
    try:
        asked = parse_prefix(prefix) if prefix else None
        if at is not None and (since is not None or until is not None):
            raise ValueError("--at asks for one moment, --from and --to for a stretch of time: give one or the other")
        start, end = when(since or DAY, now), when(until, now) if until else now
        moment = when(at, now) if at else None
        if moment is not None and asked is None:
            raise ValueError("--at asks for the state of a prefix; name one, such as 10.250.0.10/32")
        if moment is None and start >= end:
            raise ValueError(f"--from ({_full(start)}) must be before --to ({_full(end)})")
    except ValueError as error:
        return complain("history", error)
    return _asked(data_folder(data), asked, (start, end), moment, limit, as_json)


def _asked(
    data: Path, prefix: Prefix | None, times: tuple[datetime, datetime], at: datetime | None, limit: int, as_json: bool
) -> int:
    from pipeline.past import Past
    from store.ledger import LedgerError
    from store.schema import JournalError

    try:
        past = Past(data)
        if at is not None and prefix is not None:
            return _state(past, prefix, at, as_json)
        told = past.events(prefix, *times, limit)
    except (OSError, LedgerError, JournalError) as error:
        return complain("history", error)
    if as_json:
        print_json(to_plain(told.events))
    else:
        _lines(told.events, prefix, times)
    if told.more:
        note(f"only the last {counted(limit, 'event')} of them; --limit shows more, --from and --to fewer")
    return 0


def _lines(events: Sequence[Event], prefix: Prefix | None, times: tuple[datetime, datetime]) -> None:
    if not events:
        what = "Nothing happened" if prefix is None else f"Nothing happened to {prefix}"
        show(f"{what} from {_full(times[0])} to {_full(times[1])}, as far as was seen.")
    for event in events:
        shown = to_plain(event)
        style = SEVERITY_STYLE.get(shown.get("severity", ""), "") if shown.get("severity") != "info" else ""
        show(hanging(Text(clock(shown["at"], fine=True), style="dim"), Text(event.text, style=style)))


def _state(past: "Past", prefix: Prefix, at: datetime, as_json: bool) -> int:
    rows: Plain = past.state(prefix, at)
    if as_json:
        print_json(rows)
        return 0
    if not rows:
        show(f"Nothing is known of {prefix} at {_full(at)}: no router's table had been seen.")
        return 0
    made = table("ROUTER", "PEER", "TABLE", "STATE", "PATH", "NEXT HOP", title=f"{prefix} at {_full(at)}")
    for row in rows:
        attributes = row.get("attributes") or {}
        path = attributes.get("as_path", "") or ("local" if attributes else "")
        state = worded(row["presence"], STATE_STYLE)
        made.add_row(row["router"], row["peer"] or "-", row["rib"], state, path, attributes.get("next_hop", ""))
    show(made)
    return 0


def _full(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
