"""Which faults are there now: `faults.json` in the lab's folder, so that another process can heal them."""

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from lab.faults.verb import FaultError
from lab.ground_truth import Entry, entry_of
from lab.topology import Lab


def load(lab: Lab) -> tuple[Entry, ...]:
    """Return the faults that were injected and not healed, the oldest first."""
    try:
        return tuple(entry_of(value) for value in json.loads((lab.folder / "faults.json").read_text()))
    except FileNotFoundError:
        return ()


def save(lab: Lab, entries: Sequence[Entry]) -> None:
    """Replace the file: whole or not at all."""
    draft = lab.folder / "faults.json.new"
    draft.write_text(json.dumps([asdict(entry) for entry in entries]))
    draft.replace(lab.folder / "faults.json")


def put(lab: Lab, entry: Entry) -> None:
    """Add an entry, in place of the one with its id."""
    save(lab, [*(each for each in load(lab) if each.id != entry.id), entry])


def drop(lab: Lab, entry: Entry) -> None:
    """Take an entry away."""
    save(lab, [each for each in load(lab) if each.id != entry.id])


@contextmanager
def alone(lab: Lab) -> Iterator[None]:
    """Keep other injections and healings away. Raises FaultError when the lab is not up."""
    try:
        # Not the lab's own lock: starting a process takes that one.
        lock = (lab.folder / "faults.lock").open("a")
    except FileNotFoundError:
        raise FaultError(f"lab {lab.name!r} is not up: bring it up first") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
