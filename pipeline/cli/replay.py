"""`catchment replay`: recordings through the pipeline on a virtual clock, and what it would have told."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from rich.console import Console, RenderableType
from rich.text import Text

from anycast.finding import Record, State
from anycast.plain import stamp, to_plain
from anycast.situation import Event, EventKind
from collector.recorded.moment import Moment
from pipeline.asked import UNITS
from pipeline.cli.shown import SEVERITY_STYLE, complain, counted, hanging, lasted, note, print_json, show
from pipeline.config import ConfigError, load
from pipeline.replay.recordings import recordings
from pipeline.replay.run import Outcome
from pipeline.replay.run import replay as play
from pipeline.replay.tapes import Unplayable

SILENT: Final = frozenset(("pending", "dropped"))
"""Steps of findings that nobody would have been told of."""
EVERY: Final = 2_000
"""Moments between two looks of the progress line."""


def replay(files: Sequence[str], config: Path, data: Path | None, linger: str, everything: bool, as_json: bool) -> int:
    """Replay files and print the story; 1 when a finding was opened, 2 when it cannot be done."""
    events: list[Event] = []

    def tell(news: Sequence[Event]) -> None:
        shown = [event for event in news if everything or _worth_a_line(event)]
        events.extend(shown)
        if not as_json:
            for event in shown:
                show(_line(event))

    try:
        intent = load(config).intent
        with _progress(as_json) as progress:
            chosen = recordings(files, intent)
            run = play(intent, chosen, tell, data=data, linger=_length(linger), progress=progress)
            outcome = asyncio.run(run)
    except ConfigError as error:
        for problem in error.problems:
            complain("replay", problem)
        return 2
    except FileExistsError as error:
        return complain("replay", f"{error.filename} is there already; name a folder that a replay may make")
    except (Unplayable, ValueError, OSError) as error:
        return complain("replay", error)
    if as_json:
        print_json(_document(outcome, events))
    else:
        _summary(outcome)
    return int(any(record.opened_at for record in outcome.findings))


def _length(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not number.isascii() or not number.isdecimal() or len(number) > 6:
        raise ValueError(f"--linger takes a length such as 30s, 10m or 2h, not {text!r}")
    return timedelta(seconds=int(number) * UNITS[unit])


def _worth_a_line(event: Event) -> bool:
    if event.kind is EventKind.FINDING:
        return event.what not in SILENT
    return event.kind is EventKind.FEED


def _line(event: Event) -> RenderableType:
    style = SEVERITY_STYLE.get(str(event.severity), "") if event.severity and event.severity != "info" else ""
    return hanging(
        Text(f"{event.at:%m-%d %H:%M:%S}.{event.at.microsecond // 1000:03d}", "dim"), Text(event.text, style)
    )


def _summary(outcome: Outcome) -> None:
    if outcome.start is None or outcome.end is None:
        show("Nothing was recorded in these files.")
        return
    opened = [record for record in outcome.findings if record.opened_at]
    still = [record for record in opened if record.state is State.OPEN]
    span = lasted(outcome.end - outcome.start)
    show(
        "",
        f"{counted(outcome.counted.routes, 'route')} from {', '.join(outcome.exporters)} in {span} of recorded time, "
        f"from {outcome.start:%Y-%m-%d %H:%M:%S} to {outcome.end:%Y-%m-%d %H:%M:%S} UTC: "
        f"{counted(len(opened), 'finding')} opened, {len(still)} of them open at the end.",
    )
    for record in still:
        show(hanging(Text("  open", SEVERITY_STYLE[record.finding.severity]), Text(record.finding.summary)))
    for remark in _remarks(outcome):
        note(remark)


def _remarks(outcome: Outcome) -> Iterator[str]:
    if outcome.absent:
        yield f"not recorded, so what only they see stayed unknown: {', '.join(outcome.absent)}"
    if outcome.damaged:
        yield f"{counted(outcome.damaged, 'damaged record')} left out; catchment decode shows where and why"
    if outcome.unread:
        yield f"{counted(outcome.unread, 'record')} of other kinds, which say nothing of routes, left out"
    if outcome.counted.malformed:
        yield f"{counted(outcome.counted.malformed, 'malformed message')}; catchment decode shows what and where"


def _document(outcome: Outcome, events: Sequence[Event]) -> dict[str, object]:
    """What `--json` prints; a record of a finding is as `catchment findings --json` has it."""
    return {
        "start": outcome.start and stamp(outcome.start),
        "end": outcome.end and stamp(outcome.end),
        "exporters": list(outcome.exporters),
        "absent": list(outcome.absent),
        "routes": outcome.counted.routes,
        "messages": outcome.counted.messages,
        "malformed": outcome.counted.malformed,
        "damaged": outcome.damaged,
        "unread": outcome.unread,
        "findings": [to_plain(record) for record in outcome.findings if _told(record)],
        "events": [to_plain(event) for event in events],
    }


def _told(record: Record) -> bool:
    return record.opened_at is not None or record.state is State.PENDING


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[Moment], None]]:
    """A line on the terminal that says how far the recording has come; nothing where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield lambda moment: None
        return
    from collector.bmp.recorder import moment as time_of

    with Console(stderr=True).status("reading") as status:
        seen = 0

        def progress(moment: Moment) -> None:
            nonlocal seen
            seen += 1
            if seen % EVERY == 0:
                status.update(f"{time_of(moment.at):%Y-%m-%d %H:%M:%S}, {seen:,} pieces")

        yield progress
