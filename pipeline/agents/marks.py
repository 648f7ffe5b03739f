"""How far each run of each agent is in the journal: what makes a batch that comes twice a row that is there once."""

import json
import logging
import os
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from store.reader import Reader

log = logging.getLogger(__name__)
MOST_RUNS: Final = 1_000
"""Of a site; an agent that starts anew every minute for half a day is within it."""
_LARGEST: Final = 64 << 20


class Marks:
    """The highest batch of each run that is on disk."""

    def __init__(self) -> None:
        self._sites: dict[str, OrderedDict[str, int]] = {}

    def of(self, site: str, run: str) -> int:
        """Return the highest batch of a run that is on disk; 0 for none."""
        runs = self._sites.get(site)
        return 0 if runs is None else runs.get(run, 0)

    def reach(self, site: str, run: str, batch: int) -> None:
        """A batch of a run, and all before it, are on disk."""
        runs = self._sites.setdefault(site, OrderedDict())
        runs[run] = max(batch, runs.get(run, 0))
        runs.move_to_end(run)
        while len(runs) > MOST_RUNS:
            runs.popitem(last=False)

    def plain(self) -> dict[str, dict[str, int]]:
        """Return them as JSON carries them, the runs that were heard last at the end."""
        return {site: dict(runs) for site, runs in self._sites.items()}


def save(path: Path, marks: Marks, committed: int, now: datetime) -> None:
    """Write them down; `committed` is a submission of the journal up to which they hold. Raises OSError."""
    document = {"at": now.isoformat(), "committed": committed, "runs": marks.plain()}
    partial = path.with_suffix(".partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def recovered(path: Path, journal: Path, kept: timedelta, now: datetime) -> Marks:
    """Return what is on disk: what was written down, and what the journal has since.

    Without the former the whole journal is asked, as far as probes are `kept`.
    """
    marks = Marks()
    since, committed = now - kept, 0
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_LARGEST))
        since, committed = datetime.fromisoformat(document["at"]).astimezone(UTC), int(document["committed"])
        written: Mapping[str, Mapping[str, int]] = document["runs"]
        for site, runs in written.items():
            for run, batch in runs.items():
                marks.reach(str(site), str(run), int(batch))
    except FileNotFoundError:
        pass
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s cannot be read (%s); the journal is asked instead", path, error)
        marks, since, committed = Marks(), now - kept, 0
    for (site, run), batch in Reader(journal).batches(since - timedelta(days=1), committed).items():
        marks.reach(site, run, batch)
    return marks
