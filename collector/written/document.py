"""YAML text to plain values, each with its place in the file.

Built on ruamel's event stream, not on its constructors: nesting, size and number of values are bounded while reading,
nothing is ever constructed from a tag, aliases cannot multiply, and duplicate keys are mistakes. Plain scalars are
read by the YAML 1.2 core schema, so `65515:40` is text and `on` is a word.

What is not taken (an alias, a tag, a control character) is a fault, and reading goes on: its value is `UNREAD`, of
which nobody complains a second time. Where the text is no YAML, its sections are read one by one (`text.py`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
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

from collector.written.problem import KeyPath
from collector.written.text import REPLACED, Section, sections, without_control

Tree = Any  # dict[str, Tree] | list[Tree] | str | int | float | bool | Unread | None

LARGEST = 1 << 20  # bytes; an intent is written by hand, and a thousand services fit
DEEPEST = 16  # the intent itself needs 7
READ_OVER = 64  # levels; what is deeper still was not written by people, and costs too much to read over
MOST_VALUES = 30_000  # keys and values; what a file of LARGEST holds when it is written by people
LONGEST_SCALAR = 4_096
LONGEST_NUMBER = 20  # digits; no number of an intent has more than 10

NULL = frozenset(("", "~", "null", "Null", "NULL"))
TRUE, FALSE = frozenset(("true", "True", "TRUE")), frozenset(("false", "False", "FALSE"))
INTEGER = re.compile(r"[-+]?[0-9]+\Z", re.ASCII)
DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z", re.ASCII)


class Unread(Enum):
    """A value that stands in the file in a way that is not taken; what it is meant to be is not known."""

    UNREAD = "not read"


UNREAD = Unread.UNREAD


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
    gaps: set[KeyPath] = field(default_factory=set)
    """Mappings of which a part was not read: what they lack may be there."""

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


def read_document(raw: bytes, what: str = "an intent file") -> Document:
    """Read YAML text of `what`. Never raises: what is wrong stands in `faults`, and `tree` holds what could be read."""
    if len(raw) > LARGEST:
        said = f"has {len(raw)} bytes; {what} has {LARGEST} at most"
        return Document(faults=[Fault(Mark(1, 1), (), said)])
    text, spoilt = without_control(raw)
    faults = [Fault(Mark(*place), (), said) for *place, said in spoilt]
    reader = _Reader(what, bool(spoilt))
    document, stop = reader.read(text)
    if isinstance(stop, _NotYaml):
        document = _by_sections(reader, text, [*document.faults, stop.fault])
    elif stop is not None:
        document.faults.append(stop.fault)
    document.faults[:0] = faults
    return document


def _by_sections(reader: "_Reader", text: str, why: list[Fault]) -> Document:
    """Read each section by itself: one that is no YAML takes no other with it, as an open quote would.

    Returns a document of the faults `why` alone where that helps nothing.
    """
    found = Document(tree={}, values={(): Mark(1, 1)})
    broken = False
    for section in sections(text):
        part, stop = reader.read(section.alone)
        found.faults += part.faults
        if stop is None and not isinstance(part.tree, dict | None):
            said = "is not YAML: a line without a colon; write a key, a colon and a space, and its value"
            stop = _NotYaml(Fault(Mark(section.line, 1), (), said))
        if stop is not None:
            broken = True
            found.faults.append(stop.fault)
            _left_out(found, section)
        else:
            _joined(found, part)
    return found if broken and found.tree else Document(faults=why)


def _left_out(found: Document, section: Section) -> None:
    if section.key is None or section.key in found.tree:
        found.gaps.add(())
    else:
        found.tree[section.key] = UNREAD
        found.keys[section.key,] = found.values[section.key,] = Mark(section.line, 1)


def _joined(found: Document, part: Document) -> None:
    for key in part.tree or ():
        if key in found.tree:
            found.faults.append(_twice((key,), part.keys[key,], found.keys[key,]))
            found.gaps.add((key,))
            return
    found.tree |= part.tree or {}
    found.keys |= part.keys
    found.values |= {path: mark for path, mark in part.values.items() if path}
    found.gaps |= part.gaps


def _twice(path: KeyPath, mark: Mark, first: Mark) -> Fault:
    return Fault(mark, path, f"is given twice, first on line {first.line}; keep one")


class _Stop(Exception):
    """Nothing further can be read."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


class _NotYaml(_Stop):
    pass


class _Reader:
    """Folds event streams into documents, one level of recursion a level of nesting; values count over all of them."""

    def __init__(self, what: str, replaced: bool) -> None:
        self.what = what
        self.replaced = replaced
        """Characters of the text were replaced by REPLACED, and told: a value that holds one is not known."""
        self.count = 0
        self.document = Document()
        self.events: Iterator[Any] = iter(())

    def read(self, text: str) -> tuple[Document, _Stop | None]:
        """Return what could be read, and why not more of it."""
        self.document = Document()
        try:
            self._stream(text)
        except _Stop as stop:
            return self.document, stop
        except MarkedYAMLError as error:
            at = error.problem_mark or error.context_mark
            mark = Mark(at.line + 1, at.column + 1) if at else Mark(1, 1)
            said = " ".join(filter(None, (error.context, error.problem))) or "cannot be read"
            return self.document, _NotYaml(Fault(mark, (), f"is not YAML: {said}"))
        except (YAMLError, ValueError, OverflowError, IndexError, AttributeError) as error:
            # ruamel's scanner lets errors of chr() and of its own lookahead out on hostile text.
            line = len(text) - len(text.lstrip("\n")) + 1
            return self.document, _NotYaml(Fault(Mark(line, 1), (), f"is not YAML: {_first_line(error)}"))
        return self.document, None

    def _stream(self, text: str) -> None:
        self.events = iter(YAML(typ="safe", pure=True).parse(text))
        documents = 0
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    said = f"begins a second document; {self.what} holds one"
                    raise _Stop(Fault(_mark(event), (), said))
                self.document.tree = self._value((), next(self.events))

    def _value(self, path: KeyPath, event: Any) -> Tree:
        mark = self.document.values[path] = self._counted(path, event)
        if len(path) > DEEPEST:
            self._fault(mark, path, f"is nested deeper than {DEEPEST} levels; no part of an intent is")
            return self._skipped(event)
        if isinstance(event, AliasEvent):
            self._fault(mark, path, f"*{event.anchor} is an alias; write the value out, aliases are not taken")
            return UNREAD
        tagged = self._adorned(path, event, mark)
        match event:
            case MappingStartEvent():
                return self._mapping(path)
            case SequenceStartEvent():
                return self._sequence(path)
        value = self._word(path, event, mark)
        return UNREAD if tagged else value

    def _counted(self, path: KeyPath, event: Any) -> Mark:
        mark = _mark(event)
        self.count += 1
        if self.count > MOST_VALUES:
            said = f"is value number {self.count}; {self.what} holds {MOST_VALUES} keys and values at most"
            raise _Stop(Fault(mark, path, f"{said}, so write fewer, or watch with a second Catchment"))
        return mark

    def _fault(self, mark: Mark, path: KeyPath, message: str) -> None:
        self.document.faults.append(Fault(mark, path, message))

    def _adorned(self, path: KeyPath, event: Any, mark: Mark) -> bool:
        """Complain of an anchor and of a tag; return whether there is a tag."""
        if event.anchor is not None:
            self._fault(mark, path, f"&{event.anchor} is an anchor; leave it out, aliases are not taken")
        tagged = event.tag is not None and event.tag != "!"
        if tagged:
            self._fault(mark, path, f"{str(event.tag)[:60]!r} is a tag; leave it out, tags are not taken")
        return tagged

    def _skipped(self, event: Any) -> Unread:
        """Read over a value, however deep it is."""
        depth = 0
        while True:
            depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
            depth -= isinstance(event, MappingEndEvent | SequenceEndEvent)
            if depth == 0:
                return UNREAD
            if depth > READ_OVER:
                raise _Stop(self.document.faults.pop())
            event = next(self.events)
            self._counted((), event)

    def _mapping(self, path: KeyPath) -> dict[str, Tree]:
        found: dict[str, Tree] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            mark = self._counted(path, event)
            key = self._key(path, event, mark)
            if isinstance(key, Unread):
                self.document.gaps.add(path)
                self._skipped(next(self.events))
                continue
            here = (*path, key)
            if key in found:
                self.document.faults.append(_twice(here, mark, self.document.keys[here]))
                self._dropped(here)
                continue
            self.document.keys[here] = mark
            found[key] = self._value(here, next(self.events))
        return found

    def _key(self, path: KeyPath, event: Any, mark: Mark) -> str | Unread:
        if not isinstance(event, ScalarEvent):
            self._fault(mark, path, "has a list, a mapping or an alias for a key; a key is a word")
            return self._skipped(event)
        self._adorned(path, event, mark)
        if event.value == "<<" and event.style is None:
            self._fault(mark, (*path, "<<"), "merges another mapping; write its keys out here, aliases are not taken")
            return UNREAD
        return self._checked(path, event.value, mark)

    def _dropped(self, path: KeyPath) -> None:
        """Read the value of a key that is already there, and forget it and its places."""
        self.document.gaps.add(path)
        values, keys = self.document.values, self.document.keys
        self.document.values, self.document.keys = {}, {}
        self._value(path, next(self.events))
        self.document.values, self.document.keys = values, keys

    def _sequence(self, path: KeyPath) -> list[Tree]:
        found: list[Tree] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            found.append(self._value((*path, len(found)), event))
        return found

    def _word(self, path: KeyPath, event: Any, mark: Mark) -> Tree:
        text = self._checked(path, event.value, mark)
        return _resolved(text) if isinstance(text, str) and event.style is None and event.tag is None else text

    def _checked(self, path: KeyPath, text: str, mark: Mark) -> str | Unread:
        if self.replaced and REPLACED in text:
            return UNREAD
        if len(text) > LONGEST_SCALAR:
            self._fault(mark, path, f"has {len(text)} characters; a value has {LONGEST_SCALAR} at most")
            return UNREAD
        if not all(letter.isprintable() or letter in "\n\t" for letter in text):
            self._fault(mark, path, "holds a control character or half a character; write plain text")
            return UNREAD
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
