"""What `catchment decode` does: files in, elements that a filter lets through, lines out."""

import gc
import os
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from anycast.counted import counted
from collector.stream.filters import TERMS, Filter, any_of, in_time, joined, parse_filter
from collector.stream.metered import Messages, Metered
from collector.stream.terms import FilterError, prefix_term
from collector.wire.element import Element, ElementType
from collector.wire.elements import elements
from collector.wire.errors import Malformed
from collector.wire.source import open_source
from pipeline.cli.decoded import Written, writer
from pipeline.cli.output import Output, OutputError, nobody_reads, open_output
from pipeline.cli.progress import Progress, progress

if TYPE_CHECKING:  # heavy, and a small file does without
    from collector.files.batch import FileBatch

SMALL: Final = 1 << 16
"""Octets of a file that the plain decoder has read before compiled code is loaded."""

INTERRUPTED, CLOSED_PIPE = 130, 141
"""What a shell reports for a program that SIGINT or SIGPIPE has ended."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of `catchment decode`."""

    files: tuple[Path, ...] = ()
    form: str = "jsonl"
    stats: bool = False
    as_json: bool = False
    output: Path | None = None
    force: bool = False
    quiet: bool = False
    prefixes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    terms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    times: tuple[str | None, str | None] = (None, None)
    filters: tuple[str, ...] = ()

    @property
    def wanted(self) -> Filter:
        """The filter that the options make together; raises FilterError or ExpressionError."""
        return joined(
            in_time(*self.times),
            any_of(*(prefix_term(how, text) for how, texts in self.prefixes.items() for text in texts)),
            *(any_of(*map(TERMS[term], texts)) for term, texts in self.terms.items()),
            *map(parse_filter, self.filters),
        )


def run(asked: Asked) -> int:
    """Decode every file, in order; returns the exit status."""
    if not asked.files and sys.stdin.isatty():
        return complain("decode", "name a file, or send one in: catchment decode < FILE")
    try:
        wanted = asked.wanted
        out = open_output(asked.output, asked.force)
    except (FilterError, ValueError, OSError) as error:
        return complain("decode", error)
    try:
        failed = _all(asked, wanted, out)
        out.keep()
    except KeyboardInterrupt:
        out.drop()
        return INTERRUPTED
    except BrokenPipeError:
        out.drop()
        nobody_reads()
        return CLOSED_PIPE
    except OutputError as error:
        out.drop()
        return complain("decode", error)
    except BaseException:
        out.drop()
        raise
    return int(failed)


def _all(asked: Asked, wanted: Filter, out: Output) -> bool:
    """Decode the files; whether anything could not be decoded."""
    failed = False
    written = writer(asked.form, asked.stats, asked.as_json, out)
    with progress(_shows_progress(asked)) as shown:
        for file in asked.files or (Path("-"),):
            try:
                malformed = _one(file, wanted, written, shown)
            except Malformed as error:
                shown.aside(complain, "decode", f"{file}: {error.reason}")
                failed = True
            except (BrokenPipeError, OutputError):
                raise
            except OSError as error:
                shown.aside(complain, "decode", f"{file}: {error.strerror or error}")
                failed = True
            else:
                if malformed:
                    found = counted(malformed, "malformed message")
                    shown.aside(note, f"catchment decode: {file}: {found}; {written.where}")
                failed = failed or malformed > 0
        written.end()
    return failed


def _one(file: Path, wanted: Filter, written: Written, shown: Progress) -> int:
    """Write a file's elements; returns how many of them were malformed, let through or not."""
    began, malformed = time.perf_counter(), 0
    with _opened(file) as stream:
        live = _size(stream) is None
        written.begin()
        metered = Metered(stream, written.flush if live else None)
        shown.begin(file, _size(stream), metered)
        messages = Messages(*open_source(metered)) if written.counts_messages else None
        for item in _items(stream, messages or metered, wanted):
            if isinstance(item, Element):
                if item.type is ElementType.MALFORMED:
                    malformed += 1
                    if not wanted.matches(item):
                        continue
                written.element(item)
                shown.passed(1)
            else:
                written.batch(item)
                shown.passed(len(item))
        written.file(metered.octets, messages.messages if messages else 0, time.perf_counter() - began)
    return malformed


def _items(stream: Any, plain: Any, wanted: Filter) -> "Iterator[FileBatch | Element]":
    """What a filter lets through, and every malformed element; a small file by the plain decoder."""
    size = _size(stream)
    if size is not None and size <= SMALL:
        gc.enable()
        for element in elements(plain):
            if element.type is ElementType.MALFORMED or wanted.matches(element):
                yield element
        return
    from collector.files.read import read
    from collector.kernel import ahead
    from collector.stream.sieve import Sieve

    ahead.use()
    gc.freeze()
    gc.enable()
    sieve = Sieve(wanted)
    for item in read(plain, live=size is None):
        if not isinstance(item, Element):
            yield sieve.select(item)
        elif item.type is ElementType.MALFORMED or wanted.matches(item):
            yield item


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    """A file, or standard input, unbuffered, so that what a pipe has is decoded when it comes."""
    if str(file) == "-":
        with open(0, "rb", buffering=0, closefd=False) as stream:
            yield stream
    else:
        with file.open("rb", buffering=0) as stream:
            yield stream


def _size(stream: Any) -> int | None:
    """Octets of a regular file; None where there is no telling."""
    about = os.fstat(cast(int, stream.fileno()))
    return about.st_size if stat.S_ISREG(about.st_mode) else None


def complain(command: str, error: object) -> int:
    """As that of `shown`, which needs rich, and most files give nothing to complain of."""
    from pipeline.cli.shown import complain

    return complain(command, error)


def note(text: str) -> None:
    """As that of `shown`."""
    from pipeline.cli.shown import note

    note(text)


def _shows_progress(asked: Asked) -> bool:
    """On a terminal, unless lines are printed on it, too."""
    prints = asked.output is None and not asked.stats and sys.stdout.isatty()
    return sys.stderr.isatty() and not asked.quiet and not prints
