"""AS-path expressions as routers and bgpreader have them, in time linear in the path: an automaton, no backtracking.

The text that an expression is tried on is the path as `AsPath` writes it: `64500 64501 {64502,64503}`. An expression
becomes nodes (Thompson), a path walks sets of nodes, and each set that was ever met is kept as a state with its moves
(RE2's way), so that a path costs one look-up a character once a few have been tried.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

LONGEST: Final = 1000
"""Characters of an expression. The longest that operators publish, a list of bogon AS numbers, has about 300."""

DEEPEST: Final = 50
"""Groups inside each other."""

STATES: Final = 2000
"""States kept; when there are more, all are forgotten and met again."""

DELIMITERS: Final = frozenset(" ,{}()[]")
ALPHABET: Final = frozenset("0123456789") | DELIMITERS
_DIGITS: Final = frozenset("0123456789")


class ExpressionError(ValueError):
    """An AS-path expression that cannot be one: what is wrong, where, and what would be right."""


@dataclass(frozen=True, slots=True)
class _Char:
    chars: frozenset[str]
    then: int


@dataclass(frozen=True, slots=True)
class _Fork:
    ways: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Edge:
    """Passed only at the beginning, or only at the end, of the path."""

    begin: bool
    then: int


@dataclass(frozen=True, slots=True)
class _Accept:
    pass


_Node: TypeAlias = _Char | _Fork | _Edge | _Accept


@dataclass(slots=True)
class _State:
    nodes: frozenset[int]
    accepts: bool
    at_end: bool
    moves: dict[str, "_State"] = field(default_factory=dict)


class PathExpression:
    """A compiled expression. Not for several threads at once: it keeps what it has met."""

    def __init__(self, text: str) -> None:
        """Raises ExpressionError, with the place, when `text` is not an expression."""
        self.text = text
        self._nodes, self._entry = _compiled(text)
        self._known: dict[frozenset[int], _State] = {}
        self._first = self._state(self._closure({self._entry}, begin=True, end=False), begin=True)

    def search(self, path: str) -> bool:
        """Whether the expression is found anywhere in a path."""
        state = self._first
        for char in path:
            if state.accepts:
                return True
            state = state.moves.get(char) or self._move(state, char)
        return state.accepts or state.at_end

    def _move(self, state: _State, char: str) -> _State:
        """Go on by one character; the search may also begin behind it."""
        reached = {node.then for node in self._each(state.nodes) if isinstance(node, _Char) and char in node.chars}
        nodes = self._closure(reached | {self._entry}, begin=False, end=False)
        following = self._known.get(nodes)
        if following is None:
            if len(self._known) >= STATES:
                self._known.clear()
                self._first.moves.clear()
                state.moves.clear()
            following = self._known[nodes] = self._state(nodes, begin=False)
        state.moves[char] = following
        return following

    def _state(self, nodes: frozenset[int], begin: bool) -> _State:
        ended = self._closure(set(nodes), begin=begin, end=True)
        return _State(nodes, self._accepting(nodes), self._accepting(ended))

    def _each(self, nodes: frozenset[int]) -> list[_Node]:
        return [self._nodes[number] for number in nodes]

    def _accepting(self, nodes: frozenset[int]) -> bool:
        return any(isinstance(node, _Accept) for node in self._each(nodes))

    def _closure(self, start: set[int], begin: bool, end: bool) -> frozenset[int]:
        """Every node that is reached from `start` without a character."""
        reached, waiting = set(start), list(start)
        while waiting:
            node = self._nodes[waiting.pop()]
            ways: tuple[int, ...] = ()
            if isinstance(node, _Fork):
                ways = node.ways
            elif isinstance(node, _Edge) and (begin if node.begin else end):
                ways = (node.then,)
            waiting += (way for way in ways if way not in reached)
            reached.update(ways)
        return frozenset(reached)


# What an expression is made of, before it becomes nodes.


@dataclass(frozen=True, slots=True)
class _One:
    chars: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Border:
    """`^`, `$`, or `_`, which is both of them or a delimiter."""

    sign: str


@dataclass(frozen=True, slots=True)
class _Repeated:
    what: "_Part"
    sign: str


@dataclass(frozen=True, slots=True)
class _Sequence:
    parts: tuple["_Part", ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    parts: tuple["_Part", ...]


_Part: TypeAlias = _One | _Border | _Repeated | _Sequence | _Choice


def _compiled(text: str) -> tuple[list[_Node], int]:
    nodes: list[_Node] = [_Accept()]
    entry = _built(nodes, _Parser(text).whole(), 0)
    return nodes, entry


def _built(nodes: list[_Node], part: _Part, then: int) -> int:
    """Append the nodes of `part`, which leads to `then`; returns where it begins."""
    match part:
        case _One(chars):
            return _added(nodes, _Char(chars, then))
        case _Border("_"):
            ways = [_added(nodes, _Edge(begin, then)) for begin in (True, False)]
            return _added(nodes, _Fork((*ways, _added(nodes, _Char(DELIMITERS, then)))))
        case _Border(sign):
            return _added(nodes, _Edge(sign == "^", then))
        case _Sequence(parts):
            for each in reversed(parts):
                then = _built(nodes, each, then)
            return then
        case _Choice(parts):
            return _added(nodes, _Fork(tuple(_built(nodes, each, then) for each in parts)))
        case _Repeated(what, "?"):
            return _added(nodes, _Fork((_built(nodes, what, then), then)))
        case _Repeated(what, sign):
            again = _added(nodes, _Fork(()))
            entry = _built(nodes, what, again)
            nodes[again] = _Fork((entry, then))
            return entry if sign == "+" else again


def _added(nodes: list[_Node], node: _Node) -> int:
    nodes.append(node)
    return len(nodes) - 1


class _Parser:
    """Reads an expression from left to right."""

    def __init__(self, text: str) -> None:
        if not text:
            raise ExpressionError("an AS-path expression is empty; ^$ is the expression for the empty path")
        if len(text) > LONGEST:
            raise ExpressionError(f"an AS-path expression has {len(text)} characters; {LONGEST} are the most")
        self._text = text
        self._at = 0
        self._depth = 0

    def whole(self) -> _Part:
        part = self._choice()
        if self._at < len(self._text):
            raise self._wrong("')' closes no group")
        return part

    def _wrong(self, what: str, at: int | None = None) -> ExpressionError:
        place = (self._at if at is None else at) + 1
        return ExpressionError(f"AS-path expression {self._text!r}, character {place}: {what}")

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _choice(self) -> _Part:
        parts = [self._sequence()]
        while self._next() == "|":
            self._at += 1
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else _Choice(tuple(parts))

    def _sequence(self) -> _Part:
        parts: list[_Part] = []
        while (sign := self._next()) and sign not in "|)":
            part = self._part()
            while (sign := self._next()) and sign in "*+?":
                self._at += 1
                part = part if isinstance(part, _Repeated) and part.sign == sign else _Repeated(part, sign)
            parts.append(part)
        return _Sequence(tuple(parts))

    def _part(self) -> _Part:
        start, sign = self._at, self._next()
        self._at += 1
        if sign in "^$_":
            return _Border(sign)
        if sign == ".":
            return _One(ALPHABET)
        if sign == "[":
            return _One(self._set(start))
        if sign == "(":
            return self._group(start)
        if sign in "*+?":
            raise self._wrong(f"{sign!r} repeats nothing; it goes behind what it repeats, as in 65010{sign}", start)
        if sign == "\\":
            return _One(self._escaped(start))
        return _One(self._plain(sign, start))

    def _plain(self, sign: str, at: int) -> frozenset[str]:
        if sign not in ALPHABET:
            right = "a path has digits, spaces, commas, {} around sets, () and [] around confederations"
            raise self._wrong(f"{sign!r} stands in no AS path; {right}", at)
        return frozenset(sign)

    def _escaped(self, start: int) -> frozenset[str]:
        sign = self._next()
        self._at += 1
        if sign == "d":
            return _DIGITS
        if sign.isdigit():
            raise self._wrong(f"\\{sign} refers back, which takes exponential time; write the number out", start)
        if not sign:
            raise self._wrong("'\\' at the end escapes nothing", start)
        return self._plain(sign, start)

    def _group(self, start: int) -> _Part:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._wrong(f"groups stand more than {DEEPEST} deep", start)
        part = self._choice()
        if self._next() != ")":
            raise self._wrong("'(' is never closed", start)
        self._at += 1
        self._depth -= 1
        return part

    def _set(self, start: int) -> frozenset[str]:
        """The characters of `[0-5]` or `[^ ,]`."""
        negative = self._next() == "^"
        self._at += negative
        end = self._text.find("]", self._at + 1)
        if end < 0:
            raise self._wrong("'[' is never closed", start)
        inside, self._at = self._text[self._at : end], end + 1
        chars: set[str] = set()
        while inside:
            if len(inside) > 2 and inside[1] == "-":
                chars |= self._range(inside[:3], start)
                inside = inside[3:]
            else:
                chars |= DELIMITERS if inside[0] == "_" else self._plain(inside[0], start)
                inside = inside[1:]
        return ALPHABET - chars if negative else frozenset(chars)

    def _range(self, text: str, start: int) -> frozenset[str]:
        first, last = text[0], text[2]
        if not (first in _DIGITS and last in _DIGITS and first <= last):
            raise self._wrong(f"{text!r} is no range of digits such as 0-5", start)
        return frozenset(map(str, range(int(first), int(last) + 1)))
