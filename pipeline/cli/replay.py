"""`catchment replay`: recordings through the pipeline on a virtual clock, and what it would have told."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from rich.console import Console, RenderableType
from rich.text import Text

from alerts.incidents.words import because, headline
from anycast.finding import Record, State
from anycast.incident import Incident, IncidentState
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
    return hanging(Text(_clock(event.at), "dim"), Text(event.text, style))


def _summary(outcome: Outcome) -> None:
    if outcome.start is None or outcome.end is None:
        show("Nothing was recorded in these files.")
        return
    opened = [record for record in outcome.findings if record.opened_at]
    still = [incident for incident in outcome.incidents if incident.state is not IncidentState.CLOSED]
    span = lasted(outcome.end - outcome.start)
    show(
        "",
        f"{counted(outcome.counted.routes, 'route')} from {', '.join(outcome.exporters)} in {span} of recorded time, "
        f"from {outcome.start:%Y-%m-%d %H:%M:%S} to {outcome.end:%Y-%m-%d %H:%M:%S} UTC: "
        + _found(len(opened), len(outcome.incidents), len(still)),
    )
    for incident in outcome.incidents:
        _tell(incident, outcome.end)
    for remark in _remarks(outcome):
        note(remark)


def _found(opened: int, incidents: int, still: int) -> str:
    if not opened:
        return "nothing was found."
    lasting = "none of them" if not still else "all of them" if still == incidents else f"{still} of them"
    return f"{counted(incidents, 'incident')} of {counted(opened, 'finding')}, {lasting} open at the end."


def _tell(incident: Incident, end: datetime) -> None:
    """An incident: who, what, where, since when and how long; its members, the first cause first."""
    how_long = f"lasted {lasted(incident.outage)}" if incident.outage is not None else _so_far(incident, end)
    since = f"{'between ' + _clock(incident.began.not_before) + ' and ' if incident.began.not_before else 'since '}"
    again = f", {counted(incident.flaps, 'time')} again" if incident.flaps else ""
    style = SEVERITY_STYLE[incident.severity]
    found = f"found after {lasted(incident.detection)}" if incident.detection else "found at once"
    first = Text.assemble((headline(incident), style), f", {since}{_clock(incident.since)}, {found}, {how_long}{again}")
    show("", hanging(Text(str(incident.severity), style), first))
    for member in incident.members:
        show(hanging(Text(f"  {member.kind}:"), Text(because(member))))
    summaries = {member.record: member.summary for member in incident.members}
    for revision in incident.revisions:
        taken = summaries.get(revision.before, "another")
        show(hanging(Text("  first taken for:", "dim"), Text(f"{taken}, until {_clock(revision.at)}", "dim")))


def _so_far(incident: Incident, end: datetime) -> str:
    word = "recovering" if incident.state is IncidentState.RECOVERING else "open"
    return f"{word} for {lasted(end - incident.since)} at the end"


def _clock(at: datetime) -> str:
    return f"{at:%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


def _remarks(outcome: Outcome) -> Iterator[str]:
    if outcome.absent:
        yield f"not recorded, so what only they see stayed unknown: {', '.join(outcome.absent)}"
    if outcome.strangers:
        yield f"no exporter's of the intent, so passed over: BMP from {', '.join(map(str, outcome.strangers))}"
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
        "incidents": [_incident(incident) for incident in outcome.incidents],
        "events": [to_plain(event) for event in events],
    }


def _incident(incident: Incident) -> dict[str, object]:
    """An incident with what is worked out of its members; lengths are in seconds."""
    ended = incident.ended_at
    return {
        "headline": headline(incident),
        **to_plain(incident),
        "since": stamp(incident.since),
        "ended_at": ended and stamp(ended),
        "detection": incident.detection.total_seconds(),
        "outage": None if incident.outage is None else incident.outage.total_seconds(),
        "flaps": incident.flaps,
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
