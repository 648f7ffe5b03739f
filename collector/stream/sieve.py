"""Filters on columns: what a filter lets through of a batch, before any object a route is made."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import numpy as np

from anycast.columns import Action
from anycast.observation import Rib
from collector.batch import Array
from collector.files.batch import IN_TABLE, FileBatch, FileSession, Form, as_elements
from collector.stream.filters import EVERYTHING, All, AnyOf, Filter, Not
from collector.stream.lines import FEW
from collector.stream.terms import (
    OF_A_SESSION,
    OF_ATTRIBUTES,
    HasCommunity,
    HasFamily,
    HasPrefix,
    HasType,
    How,
    InRib,
    InTime,
    OffPath,
    OnPath,
    OriginatedBy,
)
from collector.wire.element import Element, ElementType

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_RIBS: Final = tuple(map(str, Rib))
_ACTIONS: Final = {
    ElementType.ANNOUNCEMENT: int(Action.ANNOUNCE),
    ElementType.WITHDRAWAL: int(Action.WITHDRAW),
    ElementType.RIB: IN_TABLE,
}
_ONES: Final = (1 << 128) - 1
_LOW: Final = (1 << 64) - 1


class Sieve:
    """A filter for the batches of one file.

    What a term says of a session is decided once a file, what it says of attributes once for each set of a batch.
    """

    def __init__(self, wanted: Filter) -> None:
        self.wanted = wanted
        self.everything = wanted == EVERYTHING
        self._of_sessions: dict[int, list[bool]] = {}
        self._distinct: Any = None
        self._batch: FileBatch | None = None
        self._sets: tuple[Any, Array] = (None, np.empty(0))

    def select(self, batch: FileBatch) -> FileBatch:
        """The rows that the filter lets through."""
        return batch if self.everything else batch.select(self.mask(batch))

    def mask(self, batch: FileBatch) -> Array:
        """Which rows the filter lets through, as a boolean a row."""
        return self._mask(self.wanted, batch)

    def _mask(self, of: Filter, batch: FileBatch) -> Array:
        match of:
            case All(parts):
                return self._all(parts, batch)
            case AnyOf(parts):
                return _either([self._mask(part, batch) for part in parts])
            case Not(part):
                return ~self._mask(part, batch)
            case InRib(rib):
                return _both(batch.routes.rib == _RIBS.index(rib), batch.routes.action != IN_TABLE)
            case term if isinstance(term, OF_A_SESSION):
                return self._session(term, batch)
            case term if isinstance(term, OF_ATTRIBUTES):
                return self._attributes(term, batch)
            case term:
                return _ROW[type(term)](term, batch)

    def _all(self, parts: tuple[Filter, ...], batch: FileBatch) -> Array:
        """Every part; what needs attributes decoded is asked last, of the rows that are still there."""
        let: Array = np.ones(len(batch), np.bool_)
        for part in parts:
            if not _dear(part):
                let &= self._mask(part, batch)
        dear = [part for part in parts if _dear(part)]
        if dear:
            left = np.flatnonzero(let)
            rows = batch.select(left)
            let[left] = np.logical_and.reduce([self._mask(part, rows) for part in dear])
        return let

    def _session(self, term: Any, batch: FileBatch) -> Array:
        known = self._of_sessions.setdefault(id(term), [])
        known.extend(term.matches(_seed(session)) for session in batch.sessions[len(known) :])
        return np.array(known, np.bool_)[batch.routes.session]

    def _distinct_of(self, batch: FileBatch) -> tuple[Any, Array]:
        if self._distinct is None:
            from collector.stream.distinct import Distinct  # it needs Arrow, and few filters need it

            self._distinct = Distinct()
        found: tuple[Any, Array] = self._distinct.of(batch)
        return found

    def _attributes(self, term: Any, batch: FileBatch) -> Array:
        """A term of attributes, decided once for each distinct set of a batch."""
        if len(batch) < FEW:
            decided = [element.attributes is not None and term.matches(element) for element in as_elements(batch)]
            return np.array(decided, np.bool_)
        if batch is not self._batch:
            self._batch, self._sets = batch, self._distinct_of(batch)
        sets, numbers = self._sets
        return _both(_SETS[type(term)](term, sets)[numbers], batch.routes.action != Action.WITHDRAW)


def _both(one: Array, other: Array) -> Array:
    both: Array = np.logical_and(one, other)
    return both


def _either(masks: list[Array]) -> Array:
    either: Array = np.logical_or.reduce(masks)
    return either


def _dear(of: Filter) -> bool:
    match of:
        case All(parts) | AnyOf(parts):
            return any(map(_dear, parts))
        case Not(part):
            return _dear(part)
        case _:
            return isinstance(of, OF_ATTRIBUTES)


def _seed(session: FileSession) -> Element:
    return Element(ElementType.ANNOUNCEMENT, router=session.router, peer=session.peer, peer_asn=session.peer_asn)


def _originated(term: OriginatedBy, sets: Any) -> Array:
    origins: Array = sets.column("origin_asn").fill_null(0).to_numpy()
    known: Array = sets.column("origin_asn").is_valid().to_numpy()
    return _both(origins == term.asn, known)


def _on_path(term: OnPath | OffPath, sets: Any) -> Array:
    search, on = term.expression.search, isinstance(term, OnPath)
    paths = sets.column("as_path").to_pylist()
    return np.array([path is not None and search(path) == on for path in paths], np.bool_)


def _community(term: HasCommunity, sets: Any) -> Array:
    """Each spelling that occurs is decided once."""
    name = "large_communities" if len(term.numbers) == 3 else "communities"
    lists = sets.column(name).combine_chunks()
    texts = lists.flatten().dictionary_encode()
    right = np.array([term.spelled(text) for text in texts.dictionary.to_pylist()], np.bool_)
    has: Array = np.zeros(len(lists), np.bool_)
    if len(right):
        has[lists.value_parent_indices().to_numpy()[right[texts.indices.to_numpy()]]] = True
    return has


_SETS: Final[dict[type, Callable[[Any, Any], Array]]] = {
    OriginatedBy: _originated,
    OnPath: _on_path,
    OffPath: _on_path,
    HasCommunity: _community,
}
"""Terms that look at the distinct sets of attributes."""


def _halves(whole: int) -> tuple[np.uint64, np.uint64]:
    return np.uint64(whole >> 64), np.uint64(whole & _LOW)


def _bits(length: int) -> int:
    """The first `length` of 128 bits."""
    return _ONES ^ (_ONES >> length)


def _prefix(term: HasPrefix, batch: FileBatch) -> Array:
    asked = term.prefix
    whole = int(asked.network_address) << (96 if asked.version == 4 else 0)  # as the columns hold it
    return _both(batch.routes.family == asked.version, _LIES[term.how](batch, whole, asked.prefixlen))


def _exact(batch: FileBatch, whole: int, length: int) -> Array:
    (high, low), routes = _halves(whole), batch.routes
    return _both(routes.length == length, (routes.prefix_high == high) & (routes.prefix_low == low))


def _more(batch: FileBatch, whole: int, length: int) -> Array:
    (high, low), (high_bits, low_bits), routes = _halves(whole), _halves(_bits(length)), batch.routes
    inside: Array = (routes.length >= length) & (routes.prefix_high & high_bits == high)
    return inside & (routes.prefix_low & low_bits == low) if length > 64 else inside


def _less(batch: FileBatch, whole: int, length: int) -> Array:
    """Of each length, one prefix covers."""
    covers = [_halves(whole & _bits(each)) for each in range(129)]
    highs, lows = np.array(covers, np.uint64).T
    routes = batch.routes
    same: Array = (routes.prefix_high == highs[routes.length]) & (routes.prefix_low == lows[routes.length])
    return same & (routes.length <= length)


def _any(batch: FileBatch, whole: int, length: int) -> Array:
    return _more(batch, whole, length) | _less(batch, whole, length)


_LIES: Final = {How.EXACT: _exact, How.MORE: _more, How.LESS: _less, How.ANY: _any}


def _family(term: HasFamily, batch: FileBatch) -> Array:
    let: Array = batch.routes.family == term.version
    return let


def _type(term: HasType, batch: FileBatch) -> Array:
    asked = [action for kind, action in _ACTIONS.items() if kind in term.types]
    let: Array = np.isin(batch.routes.action, np.array(asked, np.uint8))
    return let


def _time(term: InTime, batch: FileBatch) -> Array:
    microseconds = batch.routes.at // 1000
    let: Array = (batch.form != Form.BMP) | (batch.routes.at != 0)
    if term.start is not None:
        let &= microseconds >= (term.start - _EPOCH) // _MICROSECOND
    if term.end is not None:
        let &= microseconds <= (term.end - _EPOCH) // _MICROSECOND
    return let


_Row: TypeAlias = Callable[[Any, FileBatch], Array]
_ROW: Final[dict[type, _Row]] = {HasPrefix: _prefix, HasFamily: _family, HasType: _type, InTime: _time}
"""Terms that look at the row alone."""
