"""What was done to a lab, when, and when it took effect: `ground-truth.jsonl` in the lab's folder, append-only.

A fault has one line when it was injected and one more when it was healed; the later line of an id is the whole truth
about it. Times are seconds since the epoch.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.topology import Lab


@dataclass(frozen=True, slots=True)
class Entry:
    """One fault."""

    id: str
    verb: str
    arguments: tuple[str, ...]
    target: str
    t_inject: float
    """When the command was given."""
    witness: str = ""
    """Who decided when it took effect."""
    t_effect: float | None = None
    """None while its witness has seen nothing."""
    seen: str = ""
    """What the witness saw."""
    t_heal: float | None = None
    t_heal_effect: float | None = None
    heal_witness: str = ""
    failure: str = ""
    """Why the run is no good; empty for one that is."""


def path(lab: Lab) -> Path:
    """Return the log of a lab."""
    return lab.folder / "ground-truth.jsonl"


def append(lab: Lab, entry: Entry) -> None:
    """Write what is known of a fault now."""
    with path(lab).open("a") as log:
        log.write(json.dumps(asdict(entry)) + "\n")


def read(log: Path) -> tuple[Entry, ...]:
    """Return the last word on each fault, in order of injection. No file means that no fault was injected."""
    if not log.exists():
        return ()
    last: dict[str, Entry] = {}
    for line in log.read_text().splitlines():
        entry = entry_of(json.loads(line))
        last[entry.id] = entry
    return tuple(sorted(last.values(), key=lambda entry: entry.t_inject))


def entry_of(value: dict[str, object]) -> Entry:
    """Read an entry from its JSON object."""
    return Entry(**{**value, "arguments": tuple(value["arguments"])})  # type: ignore[arg-type]
