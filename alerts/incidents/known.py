"""The records that may explain others, kept so that a storm of a thousand is no thousand times a thousand questions."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import timedelta

from alerts.incidents.causes import Seen
from alerts.incidents.linking import Link, Placed, linked, order, rules_for, seen
from anycast.finding import Record

_Place = tuple[Seen, str | None]


class Known:
    """Records by kind, place and service, and by key."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._records: dict[str, Record] = {}
        self._at: dict[_Place, dict[str, None]] = {}
        self._by_key: dict[str, dict[str, None]] = {}
        self._sorted: dict[Seen, list[Record]] = {}
        for record in records:
            self.put(record)

    def put(self, record: Record) -> None:
        """Take a record, in the place of what it was before."""
        if record.id not in self._records:
            for place in _places(record):
                self._at.setdefault(place, {})[record.id] = None
            self._by_key.setdefault(record.finding.key, {})[record.id] = None
        self._records[record.id] = record
        self._sorted.pop(seen(record), None)

    def drop(self, ident: str) -> None:
        """Forget a record."""
        record = self._records.pop(ident)
        for place in _places(record):
            del self._at[place][ident]
            if not self._at[place]:
                del self._at[place]
        del self._by_key[record.finding.key][ident]
        if not self._by_key[record.finding.key]:
            del self._by_key[record.finding.key]
        self._sorted.pop(seen(record), None)

    def causes(self, effect: Record, placed: Placed) -> Iterator[Link]:
        """Yield every link by which one of them causes a record."""
        for number, rule in rules_for(effect, sibling=False):
            service = effect.finding.subject.service if "service" in rule.same else None
            for ident in self._at.get((rule.cause, service), ()):
                if (link := linked(number, rule, self._records[ident], effect, placed)) is not None:
                    yield link

    def sibling(self, record: Record, placed: Placed, new: frozenset[str]) -> Link | None:
        """Return the link to the nearest earlier one of the same fault, else to a later one that is not new."""
        for number, rule in rules_for(record, sibling=True):
            alike = self._in_order(rule.cause)
            here = bisect_left(alike, order(record), key=order)
            for other in _nearest(alike, here, new):
                if (link := linked(number, rule, other, record, placed)) is not None:
                    return link
        return None

    def again(self, record: Record, within: timedelta) -> str | None:
        """Return the last record of the same key, where it was over no longer ago than that."""
        past = [
            (other.cleared_at, other.id)
            for ident in self._by_key.get(record.finding.key, ())
            if (other := self._records[ident]).cleared_at is not None
            and record.finding.since - other.cleared_at <= within
        ]
        return max(past)[1] if past else None

    def _in_order(self, kind: Seen) -> list[Record]:
        if kind not in self._sorted:
            self._sorted[kind] = sorted((self._records[ident] for ident in self._at.get((kind, None), ())), key=order)
        return self._sorted[kind]


def _nearest(alike: list[Record], here: int, new: frozenset[str]) -> Iterator[Record]:
    for index in range(here - 1, -1, -1):
        yield alike[index]
    for index in range(here, len(alike)):
        if alike[index].id not in new:
            yield alike[index]


def _places(record: Record) -> tuple[_Place, ...]:
    kind, service = seen(record), record.finding.subject.service
    return ((kind, None),) if service is None else ((kind, None), (kind, service))
