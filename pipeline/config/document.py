"""YAML text to plain values, each with its place in the file.

Built on ruamel's event stream, not on its constructors: nesting, size and number of values are bounded while reading,
nothing is ever constructed from a tag, aliases cannot multiply, and duplicate keys are mistakes. Plain scalars are
read by the YAML 1.2 core schema, so `65515:40` is text and `on` is a word.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from pipeline.config.problem import KeyPath

Tree = Any  # dict[str, Tree] | list[Tree] | str | int | float | bool | None

LARGEST = 1 << 20  # bytes; an intent is written by hand, and a thousand services fit
DEEPEST = 16  # the intent itself needs 7
MOST_VALUES = 30_000  # what a file of LARGEST holds when it is written by people
LONGEST_SCALAR = 4_096
LONGEST_NUMBER = 20  # digits; no number of an intent has more than 10

NULL = frozenset(("", "~", "null", "Null", "NULL"))
TRUE, FALSE = frozenset(("true", "True", "TRUE")), frozenset(("false", "False", "FALSE"))
INTEGER = re.compile(r"[-+]?[0-9]+\Z", re.ASCII)
DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the file, line and column from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that makes the text no readable document, or one of its values unusable."""

    mark: Mark
    path: KeyPath
    message: str


@dataclass
class Document:
    """A file's values and where they stand."""

    tree: Tree = None
    values: dict[KeyPath, Mark] = field(default_factory=dict)
    keys: dict[KeyPath, Mark] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def mark(self, path: KeyPath, on_key: bool = False) -> Mark:
        """Return where a path stands (its key, with `on_key`), or else the nearest thing that holds it."""
        for end in range(len(path), 0, -1):
            found = (self.keys if on_key or end < len(path) else self.values).get(path[:end])
            found = found or self.values.get(path[:end])
            if found is not None:
                return found
        return Mark(1, 1)


class _Unreadable(Exception):
    def __init__(self, mark: Mark, path: KeyPath, message: str) -> None:
        self.fault = Fault(mark, path, message)


def read_document(raw: bytes) -> Document:
    """Read YAML text. Never raises: what is wrong stands in `faults`, and `tree` holds what could be read."""
    document = Document()
    try:
        _Reader(document).read(_text(raw))
    except _Unreadable as stop:
        document.faults.append(stop.fault)
    except ReaderError as error:
        before = _text(raw)[: error.position]
        mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        document.faults.append(Fault(mark, (), "is not YAML: holds a control character; write plain text"))
    except MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        mark = Mark(at.line + 1, at.column + 1) if at else Mark(1, 1)
        said = " ".join(filter(None, (error.context, error.problem))) or "cannot be read"
        document.faults.append(Fault(mark, (), f"is not YAML: {said}"))
    except (YAMLError, ValueError, OverflowError, IndexError, AttributeError) as error:
        # ruamel's scanner lets errors of chr() and of its own lookahead out on hostile text.
        document.faults.append(Fault(Mark(1, 1), (), f"is not YAML: {_first_line(error)}"))
    return document


def _text(raw: bytes) -> str:
    if len(raw) > LARGEST:
        raise _Unreadable(Mark(1, 1), (), f"has {len(raw)} bytes; an intent file has {LARGEST} at most")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _Unreadable(Mark(line, 1), (), "is not UTF-8 text; save it as UTF-8") from error


class _Reader:
    """Folds the event stream into a document, one level of recursion a level of nesting."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.count = 0
        self.events: Iterator[Any] = iter(())

    def read(self, text: str) -> None:
        self.events = iter(YAML(typ="safe", pure=True).parse(text))
        documents = 0
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Unreadable(_mark(event), (), "begins a second document; an intent file holds one")
                self.document.tree = self._value((), next(self.events))

    def _value(self, path: KeyPath, event: Any) -> Tree:
        mark = _mark(event)
        self._bounded(path, event, mark)
        self.document.values[path] = mark
        match event:
            case MappingStartEvent():
                return self._mapping(path)
            case SequenceStartEvent():
                return self._sequence(path)
        return self._scalar(path, event, mark)

    def _bounded(self, path: KeyPath, event: Any, mark: Mark) -> None:
        self.count += 1
        if self.count > MOST_VALUES:
            raise _Unreadable(mark, path, f"is value number {self.count}; an intent file holds {MOST_VALUES} at most")
        if len(path) > DEEPEST:
            raise _Unreadable(mark, path, f"is nested deeper than {DEEPEST} levels; no part of an intent is")
        if isinstance(event, AliasEvent):
            raise _Unreadable(mark, path, f"*{event.anchor} is an alias; write the value out, aliases are not taken")
        if event.anchor is not None:
            raise _Unreadable(mark, path, f"&{event.anchor} is an anchor; leave it out, aliases are not taken")
        if event.tag is not None and event.tag != "!":
            raise _Unreadable(mark, path, f"{str(event.tag)[:60]!r} is a tag; leave it out, tags are not taken")

    def _mapping(self, path: KeyPath) -> dict[str, Tree]:
        found: dict[str, Tree] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            mark = _mark(event)
            if not isinstance(event, ScalarEvent):
                raise _Unreadable(mark, path, "has a list, a mapping or an alias for a key; a key is a word")
            self._bounded(path, event, mark)
            key = self._checked(path, event.value, mark)
            here = (*path, key)
            if key in found:
                first = self.document.keys[here].line
                self.document.faults.append(Fault(mark, here, f"is given twice, first on line {first}; keep one"))
                self._dropped(here)
                continue
            self.document.keys[here] = mark
            found[key] = self._value(here, next(self.events))
        return found

    def _dropped(self, path: KeyPath) -> None:
        """Read the value of a key that is already there, and forget it and its places."""
        values, keys = self.document.values, self.document.keys
        self.document.values, self.document.keys = {}, {}
        self._value(path, next(self.events))
        self.document.values, self.document.keys = values, keys

    def _sequence(self, path: KeyPath) -> list[Tree]:
        found: list[Tree] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            found.append(self._value((*path, len(found)), event))
        return found

    def _scalar(self, path: KeyPath, event: Any, mark: Mark) -> Tree:
        text = self._checked(path, event.value, mark)
        return _resolved(text) if event.style is None and event.tag is None else text

    def _checked(self, path: KeyPath, text: str, mark: Mark) -> str:
        if len(text) > LONGEST_SCALAR:
            raise _Unreadable(mark, path, f"has {len(text)} characters; a value has {LONGEST_SCALAR} at most")
        if not all(letter.isprintable() or letter in "\n\t" for letter in text):
            raise _Unreadable(mark, path, "holds a control character or half a character; write plain text")
        return text


def _resolved(text: str) -> Tree:
    """Return a plain scalar's value by the YAML 1.2 core schema (10.3.2); hexadecimal and octal stay text."""
    if text in NULL:
        return None
    if text in TRUE or text in FALSE:
        return text in TRUE
    if len(text) <= LONGEST_NUMBER and INTEGER.match(text):
        return int(text)
    if len(text) <= LONGEST_NUMBER and DECIMAL.match(text):
        return float(text)
    return text


def _mark(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def at(tree: Tree, path: KeyPath) -> Tree:
    """Return the value at a path; None where there is none."""
    for part in path:
        if isinstance(tree, Mapping):
            tree = tree.get(part)
        elif isinstance(tree, list) and isinstance(part, int) and 0 <= part < len(tree):
            tree = tree[part]
        else:
            return None
    return tree


def within(tree: Tree, path: KeyPath) -> bool:
    """Whether the tree has something (a null, perhaps) at a path."""
    *before, last = path if path else ("",)
    holder = at(tree, tuple(before))
    if isinstance(holder, Mapping):
        return last in holder
    return isinstance(holder, list) and isinstance(last, int) and 0 <= last < len(holder)
