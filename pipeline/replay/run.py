"""One replay from beginning to end: open what is needed, play, and say what came of it."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from anycast.finding import Record
from anycast.incident import Incident
from anycast.intent import Intent
from anycast.prefix import Address
from anycast.situation import Event
from collector.bmp.counters import FeedCounters
from collector.bmp.ids import Numbered
from collector.recorded.moment import Moment
from pipeline.memory import open_memory
from pipeline.numbers import SavedNumbers
from pipeline.replay.pipeline import Replay
from pipeline.replay.recordings import Recordings, only

Progress = Callable[[Moment], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay came to."""

    start: datetime | None
    """The time of the first moment; None where nothing was recorded."""
    end: datetime | None
    exporters: tuple[str, ...]
    absent: tuple[str, ...]
    """Exporters of the intent that were not recorded: what only they see stayed unknown."""
    findings: tuple[Record, ...]
    """Everything that was found, in the order in which it was first seen, as it stood at the end."""
    incidents: tuple[Incident, ...]
    """The findings that were opened, gathered by cause, in the order of opening, as they stood at the end."""
    counted: FeedCounters
    damaged: int
    unread: int
    strangers: tuple[Address, ...] = ()
    """Addresses in packet captures that sent BMP, and are no exporter's."""


async def replay(
    intent: Intent,
    recordings: Recordings,
    tell: Callable[[Sequence[Event]], None],
    *,
    data: Path | None = None,
    linger: timedelta = timedelta(),
    progress: Progress = lambda moment: None,
) -> Outcome:
    """Play recordings through the pipeline and return what came of it; `tell` gets the timeline as it grows.

    With `data`, a folder that must not exist yet, journal and ledger stay there, for `catchment history`. Raises
    Unplayable, OSError, and FileExistsError where the folder is there.
    """
    exporters = recordings.exporters
    absent = tuple(each.name for each in intent.exporters if each.name not in exporters)
    with ExitStack() as opened:
        if data is None:
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="catchment-replay-"))) / "data"
        else:
            data.mkdir(parents=True)
            folder = data
        memory = await open_memory(folder)
        try:
            numbers = SavedNumbers(folder / "sessions.json") if data else Numbered()
            run = Replay(only(intent, exporters), memory, numbers, tell, keep=data is not None)
            end = await run.play(_shown(recordings.moments(), progress), linger)
            return Outcome(
                run.start,
                end,
                exporters,
                absent,
                run.records(),
                run.incidents(),
                run.counted(),
                recordings.passed.damaged,
                recordings.passed.unread,
                recordings.strangers,
            )
        finally:
            await memory.close()


def _shown(moments: Iterable[Moment], progress: Progress) -> Iterator[Moment]:
    for moment in moments:
        progress(moment)
        yield moment
