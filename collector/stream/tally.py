"""Counts of what files hold: `catchment decode --stats`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from anycast.plain import stamp
from collector.batch import Array
from collector.files.batch import FileBatch, Form, as_elements
from collector.stream.distinct import Distinct
from collector.stream.lines import FEW
from collector.wire.element import Element, ElementType

ROUTES: Final = (ElementType.ANNOUNCEMENT, ElementType.WITHDRAWAL, ElementType.RIB)
_ACTIONS: Final = (ElementType.WITHDRAWAL, ElementType.ANNOUNCEMENT, ElementType.RIB)
_FAMILIES: Final = {4: "ipv4-unicast", 6: "ipv6-unicast"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Tally:
    """Counts of elements, as they come."""

    types: Counter[str] = field(default_factory=Counter)
    families: Counter[str] = field(default_factory=Counter)
    peers: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """Routes by (router, address of the peer or empty, AS number)."""
    origins: Counter[int] = field(default_factory=Counter)
    """Routes announced or in a table dump, by their path's last AS; those that have none are not counted."""
    actions: Counter[str] = field(default_factory=Counter)
    """Malformed messages by what was done about them."""
    first: datetime | None = None
    last: datetime | None = None
    _distinct: Distinct = field(default_factory=Distinct)

    @property
    def elements(self) -> int:
        """Elements of every type."""
        return self.types.total()

    @property
    def routes(self) -> int:
        """Announcements, withdrawals and routes of table dumps."""
        return sum(self.types[kind] for kind in ROUTES)

    def element(self, element: Element) -> None:
        """Count one element."""
        self.types[element.type] += 1
        if element.family:
            self.families[element.family] += 1
        if element.type in ROUTES:
            peer = "" if element.peer is None else str(element.peer)
            self.peers[element.router, peer, element.peer_asn or 0] += 1
        self._count_origin(element)
        if element.type is ElementType.MALFORMED:
            self.actions[element.action or "message-skipped"] += 1
        if element.time is not None:
            self._span(element.time, element.time)

    def batch(self, batch: FileBatch) -> None:
        """Count every row."""
        if not len(batch):
            return
        routes = batch.routes
        for action, count in _counted(routes.action):
            self.types[_ACTIONS[action]] += count
        for family, count in _counted(routes.family):
            self.families[_FAMILIES[family]] += count
        for number, count in _counted(routes.session):
            session = batch.sessions[number]
            peer = "" if session.peer is None else str(session.peer)
            self.peers[session.router, peer, session.peer_asn] += count
        self._count_origins(batch)
        known = routes.at[(batch.form != Form.BMP) | (routes.at != 0)]
        if len(known):
            self._span(_moment(known.min()), _moment(known.max()))

    def _count_origin(self, element: Element) -> None:
        if element.attributes is not None and element.attributes.as_path.origin is not None:
            self.origins[element.attributes.as_path.origin] += 1

    def _count_origins(self, batch: FileBatch) -> None:
        """By way of the distinct sets of attributes, but for a few rows."""
        if len(batch) < FEW:
            for element in as_elements(batch):
                self._count_origin(element)
            return
        sets, numbers = self._distinct.of(batch)
        origins = sets.column("origin_asn").to_pylist()
        for number, count in _counted(numbers):
            if (origin := origins[number]) is not None:
                self.origins[origin] += count

    def _span(self, first: datetime, last: datetime) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def plain(self) -> dict[str, Any]:
        """The counts as JSON can carry them, the most first."""
        return {
            "elements": self.elements,
            "routes": self.routes,
            "types": dict(self.types.most_common()),
            "families": dict(self.families.most_common()),
            "peers": [
                {"router": router, "peer": peer, "asn": asn, "routes": count}
                for (router, peer, asn), count in self.peers.most_common()
            ],
            "origins": [{"asn": asn, "routes": count} for asn, count in self.origins.most_common()],
            "malformed": dict(self.actions.most_common()),
            "first": None if self.first is None else stamp(self.first),
            "last": None if self.last is None else stamp(self.last),
        }


def _moment(nanoseconds: Any) -> datetime:
    return _EPOCH + timedelta(microseconds=int(nanoseconds) // 1000)


def _counted(column: Array) -> Iterable[tuple[int, int]]:
    values, counts = np.unique(column, return_counts=True)
    return zip(values.tolist(), counts.tolist(), strict=True)
