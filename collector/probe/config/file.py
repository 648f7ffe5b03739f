"""A file that a program of ours is started with: read whole, and taken or refused with every problem of it."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from collector.probe.config.shape import Mistake, Walk
from collector.written.document import LARGEST, Document, read_document
from collector.written.problem import ConfigError, Problem

MOST_PROBLEMS = 1000
T = TypeVar("T")


def load_file(path: Path, what: str, settings: Callable[[Walk, bytes], T | None]) -> T:
    """Read a file of the kind `what`, and return the settings that are made of it and its bytes.

    Raises ConfigError with every problem; `settings` returns None, having complained, where too little can be read.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        said = f"cannot be read: {error.strerror or error}; name {what} that can"
        raise ConfigError((Problem(str(path), 0, 0, (), said),)) from None
    document = read_document(raw, what)
    faults = [Problem(str(path), each.mark.line, each.mark.column, each.path, each.message) for each in document.faults]
    if document.tree is None and faults:
        raise ConfigError(tuple(faults)[:MOST_PROBLEMS])
    walk = Walk(document)
    made = settings(walk, raw)
    problems = [*faults, *problems_of(walk.mistakes, document, path)]
    if made is None or problems:
        raise ConfigError(tuple(sorted(problems, key=lambda each: (each.line, each.column)))[:MOST_PROBLEMS])
    return made


def problems_of(mistakes: Iterable[Mistake], document: Document, path: Path) -> Iterator[Problem]:
    """Give mistakes their places."""
    for each in dict.fromkeys(mistakes):
        mark = document.mark(each.path, each.on_key)
        yield Problem(str(path), mark.line, mark.column, each.path, each.message)
