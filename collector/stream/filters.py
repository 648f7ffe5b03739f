"""Filters: what is asked of elements, as a value, and as the sentence that pybgpstream and bgpreader take.

    prefix more 10.0.0.0/8 and peer 65010 65020 and not (path "_65030_" or community 65010:*)

A clause is a term and one or more values, any of which may match; `and`, `or`, `not` and parentheses join clauses.
Values with spaces, or that are a word of the language, stand in quotes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from collector.stream.expression import ExpressionError
from collector.stream.terms import (
    FilterError,
    How,
    InTime,
    Term,
    community_term,
    family_term,
    moment,
    origin_term,
    path_term,
    peer_term,
    prefix_term,
    record_term,
    rib_term,
    router_term,
    type_term,
)
from collector.wire.element import Element

LONGEST: Final = 10_000
"""Characters of a filter."""

DEEPEST: Final = 50
"""Parentheses inside each other."""


@dataclass(frozen=True, slots=True)
class All:
    """Every part matches; no part at all lets everything through."""

    parts: tuple["Filter", ...] = ()

    def matches(self, element: Element) -> bool:
        """Whether an element is let through."""
        return all(part.matches(element) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of the parts matches."""

    parts: tuple["Filter", ...]

    def matches(self, element: Element) -> bool:
        """Whether an element is let through."""
        return any(part.matches(element) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not match."""

    part: "Filter"

    def matches(self, element: Element) -> bool:
        """Whether an element is let through."""
        return not self.part.matches(element)


Filter: TypeAlias = All | AnyOf | Not | Term

EVERYTHING: Final = All()

TERMS: Final[Mapping[str, Callable[[str], Term]]] = {
    "peer": peer_term,
    "origin": origin_term,
    "path": path_term,
    "community": community_term,
    "elemtype": type_term,
    "type": record_term,
    "ipversion": family_term,
    "rib": rib_term,
    "router": router_term,
}
"""Terms but `prefix`, `from` and `until`, and what reads a value of each."""

OTHER_NAMES: Final[Mapping[str, str]] = {
    "aspath": "path",
    "comm": "community",
    "ipv": "ipversion",
    "coll": "router",
    "collector": "router",
    "rout": "router",
    "elem": "elemtype",
    "pref": "prefix",
}
"""bgpreader's other words for the same."""

KNOWN: Final = ("prefix", *TERMS, "from", "until")
_JOINING: Final = ("and", "or", "not")


def joined(*parts: Filter) -> Filter:
    """Every one of the filters; those that let everything through are left out."""
    asked = tuple(part for part in parts if part != EVERYTHING)
    return asked[0] if len(asked) == 1 else All(asked)


def any_of(*parts: Filter) -> Filter:
    """One of the filters; without any, everything."""
    return parts[0] if len(parts) == 1 else AnyOf(parts) if parts else EVERYTHING


def in_time(start: str | float | datetime | None, end: str | float | datetime | None) -> Filter:
    """The time from `start` to `end`, both included; raises FilterError for what is no time, and for none between."""
    if start is None and end is None:
        return EVERYTHING
    first = None if start is None else moment(start, "from")
    last = None if end is None else moment(end, "until")
    if first is not None and last is not None and first > last:
        raise FilterError(f"from {first:%Y-%m-%dT%H:%M:%SZ} is after until {last:%Y-%m-%dT%H:%M:%SZ}")
    return InTime(first, last)


def parse_filter(text: str) -> Filter:
    """Read a filter, such as `prefix more 10.0.0.0/8 and peer 65010`; blank text lets everything through.

    Raises FilterError with a sentence that says what would be right.
    """
    if len(text) > LONGEST:
        raise FilterError(f"the filter has {len(text)} characters; {LONGEST} are the most")
    words = _words(text)
    if not words:
        return EVERYTHING
    reader = _Reader(words)
    try:
        read = reader.either()
    except ExpressionError as error:
        raise FilterError(str(error)) from error
    if (left := reader.next()) is not None:
        raise FilterError(f"')' closes nothing in the filter: {left.text!r}")
    return read


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    quoted: bool = False

    def is_(self, *signs: str) -> bool:
        return not self.quoted and self.text in signs


def _words(text: str) -> list[_Word]:
    """Words, quoted strings, and the parentheses that do not belong to a word (as they do in `_(1|2)_`)."""
    words: list[_Word] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text[at] in "\"'":
            end = text.find(text[at], at + 1)
            if end < 0:
                raise FilterError(f"a quotation is never closed: {text[at:]}")
            words.append(_Word(text[at + 1 : end], quoted=True))
            at = end + 1
        else:
            end = at
            while end < len(text) and not text[end].isspace():
                end += 1
            words.extend(_parted(text[at:end]))
            at = end
    return words


def _parted(word: str) -> list[_Word]:
    """A word without the parentheses around it: opening ones before a term, closing ones that it did not open."""
    before, after = [], []
    while word.startswith("(") and (word == "(" or word.lstrip("(") in (*KNOWN, *OTHER_NAMES, *_JOINING)):
        before.append(_Word("("))
        word = word[1:]
    while word.endswith(")") and word.count(")") > word.count("("):
        after.append(_Word(")"))
        word = word[:-1]
    return [*before, *([_Word(word)] if word else []), *after]


class _Reader:
    """Reads words from left to right."""

    def __init__(self, words: list[_Word]) -> None:
        self._words = words
        self._at = 0
        self._depth = 0

    def next(self) -> _Word | None:
        return self._words[self._at] if self._at < len(self._words) else None

    def _took(self, *signs: str) -> bool:
        word = self.next()
        if word is None or not word.is_(*signs):
            return False
        self._at += 1
        return True

    def either(self) -> Filter:
        parts = [self._both()]
        while self._took("or"):
            parts.append(self._both())
        return any_of(*parts)

    def _both(self) -> Filter:
        parts = [self._one()]
        while self._took("and"):
            parts.append(self._one())
        return joined(*parts)

    def _one(self) -> Filter:
        negations = 0
        while self._took("not"):
            negations += 1
        read = self._group() if self._took("(") else self._clause()
        return Not(read) if negations % 2 else read

    def _group(self) -> Filter:
        self._depth += 1
        if self._depth > DEEPEST:
            raise FilterError(f"parentheses stand more than {DEEPEST} deep in the filter")
        read = self.either()
        if not self._took(")"):
            raise FilterError("'(' is never closed in the filter")
        self._depth -= 1
        return read

    def _clause(self) -> Filter:
        word = self.next()
        if word is None:
            raise FilterError("the filter ends where a term should stand, such as prefix or peer")
        self._at += 1
        term = OTHER_NAMES.get(word.text, word.text)
        if word.text in ("project", "proj"):
            raise FilterError("project: files belong to no project; ask for a router instead")
        if word.quoted or term not in KNOWN:
            raise FilterError(f"{word.text!r} is no term of a filter; terms are {', '.join(KNOWN)}")
        values = self._values(term)
        if not values:
            raise FilterError(f"{term} has no value; {_EXAMPLES[term]}")
        return _read(term, values)

    def _values(self, term: str) -> list[str]:
        values: list[str] = []
        while (word := self.next()) is not None and not word.is_("and", "or", ")", "("):
            if values and word.is_(*KNOWN):
                said = " ".join((term, *values))
                raise FilterError(
                    f"{said}: 'and' or 'or' is missing before {word.text!r}; a value of that name is quoted"
                )
            values.append(word.text)
            self._at += 1
        return values


def _read(term: str, values: list[str]) -> Filter:
    if term == "prefix":
        return _prefixes(values)
    if term in ("from", "until"):
        when = " ".join(values)  # a time may hold a space
        return in_time(when, None) if term == "from" else in_time(None, when)
    return any_of(*(TERMS[term](value) for value in values))


def _prefixes(values: list[str]) -> Filter:
    """`[exact|more|less|any] PREFIX…`: each prefix takes the last word before it, and `more` where there is none."""
    how, parts = str(How.MORE), list[Filter]()
    for value in values:
        if value in set(How):
            how = value
        else:
            parts.append(prefix_term(how, value))
    if not parts:
        raise FilterError(f"prefix {' '.join(values)} names no prefix; {_EXAMPLES['prefix']}")
    return any_of(*parts)


_EXAMPLES: Final[dict[str, str]] = {
    "prefix": "write prefix more 10.0.0.0/8 (or exact, less, any)",
    "peer": "write peer 65010 or peer 10.0.0.1",
    "origin": "write origin 65010",
    "path": 'write path "_65010_"',
    "community": "write community 65010:*",
    "elemtype": "write elemtype announcements",
    "type": "write type updates",
    "ipversion": "write ipversion 6",
    "rib": "write rib adj-in-pre",
    "router": "write router ams-ce1",
    "from": "write from 2026-01-31T08:00:00Z",
    "until": "write until 2026-01-31T08:00:00Z",
}
