"""Reads the InfluxQL that dashboards write, down to its last token: what it does not understand, it refuses."""

import re
from collections.abc import Iterator

from tests.dashboards.grafana.names import Names, Unread

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<name>"(?:[^"\\]|\\.)*")
      | (?P<text>'(?:[^'\\]|\\.)*')
      | (?P<pattern>/(?:[^/\\]|\\.)*/)
      | (?P<macro>\$timeFilter|\$__interval|\$\{__to\}ms)
      | (?P<length>\d+(?:ms|s|m|h|d)?)
      | (?P<operator>=~|!~|!=|>=|<=|>|=|-)
      | (?P<mark>[(),])
      | (?P<word>[A-Za-z_]+)
    )""",
    re.VERBOSE,
)
_FOLDS = {"last", "max", "min", "mean", "sum", "count"}


def names(query: str) -> Names:
    """What a query names. Raises Unread."""
    reader = _Reader(list(_tokens(query)))
    found = reader.show() if reader.at("SHOW") else reader.select()
    reader.end()
    return found


def _tokens(query: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(query.rstrip()):
        found = _TOKEN.match(query, at)
        if found is None:
            raise Unread(f"not InfluxQL as we write it, from {query[at : at + 30]!r} on")
        assert found.lastgroup is not None
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens, self._place = tokens, 0

    def at(self, text: str) -> bool:
        return self._place < len(self._tokens) and self._tokens[self._place][1] == text

    def end(self) -> None:
        if self._place != len(self._tokens):
            raise Unread(f"more than a query: {self._tokens[self._place :]}")

    def show(self) -> Names:
        self._words("SHOW", "TAG", "VALUES", "FROM")
        found = Names(self._name())
        self._words("WITH", "KEY", "=")
        found.tags.add(self._name())
        return found

    def select(self) -> Names:
        """A SELECT; what an outer one names are columns and tags of the inner one."""
        self._words("SELECT")
        fields, tags = set(), set()
        while True:
            name = self._called()
            if self._taken("AS"):
                fields.add(name)
                self._name()
            else:
                tags.add(name)
            if not self._taken(","):
                break
        self._words("FROM")
        found = self._around(fields, tags) if self._taken("(") else Names(self._name(), fields, tags)
        self._words("WHERE")
        self._conditions(found)
        self._grouped(found)
        return found

    def _around(self, fields: set[str], tags: set[str]) -> Names:
        inner = self.select()
        self._words(")")
        if fields != {"v"} or tags:
            raise Unread(f"an outer query asks for {fields | tags}, and the inner one offers v")
        return inner

    def _called(self) -> str:
        if self._kind() == "name":
            return self._name()
        word = self._take("word")
        self._words("(")
        if word == "non_negative_derivative":
            name = self._called()
            self._words(",", "1s")
        elif word in _FOLDS:
            name = self._name()
        else:
            raise Unread(f"an unknown function {word}")
        self._words(")")
        return name

    def _conditions(self, found: Names) -> None:
        self._condition(found)
        while self._taken("AND") or self._taken("OR"):
            self._condition(found)

    def _condition(self, found: Names) -> None:
        if self._taken("$timeFilter"):
            return
        if self._taken("("):
            self._conditions(found)
            self._words(")")
            return
        if self._taken("time"):
            self._take("operator")
            self._words("${__to}ms")
            if self._taken("-"):
                self._take("length")
            return
        name = self._name()
        if self._taken(">"):
            self._take("length")
            if name != "v":
                raise Unread(f"a condition on {name}, which is no value of an inner query")
            return
        found.tags.add(name)
        operator = self._take("operator")
        self._take("pattern" if operator in ("=~", "!~") else "text")

    def _grouped(self, found: Names) -> None:
        if self._taken("GROUP"):
            self._words("BY")
            self._dimension(found)
            while self._taken(","):
                self._dimension(found)
        if self._taken("fill"):
            self._words("(")
            if self._take("word") not in ("null", "none"):
                raise Unread("an unknown way to fill")
            self._words(")")
        if self._taken("ORDER"):
            self._words("BY", "time", "DESC", "LIMIT")
            self._take("length")

    def _dimension(self, found: Names) -> None:
        if self._taken("time"):
            self._words("(", "$__interval", ")")
        else:
            found.tags.add(self._name())

    def _kind(self) -> str:
        return self._tokens[self._place][0] if self._place < len(self._tokens) else "end"

    def _taken(self, text: str) -> bool:
        if self.at(text):
            self._place += 1
            return True
        return False

    def _words(self, *texts: str) -> None:
        for text in texts:
            if not self._taken(text):
                raise Unread(f"{text!r} expected, not {self._tokens[self._place : self._place + 3]}")

    def _take(self, kind: str) -> str:
        if self._kind() != kind:
            raise Unread(f"a {kind} expected, not {self._tokens[self._place : self._place + 3]}")
        self._place += 1
        return self._tokens[self._place - 1][1]

    def _name(self) -> str:
        return self._take("name")[1:-1]
