"""Elements of one MRT file."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from anycast.observation import Rib as View
from anycast.prefix import family
from collector.wire.bgp import message as bgp
from collector.wire.bgp.context import UpdateContext
from collector.wire.bgp.elements import other_elements, update_elements
from collector.wire.bgp.families import DECODED, Afi
from collector.wire.bgp.notification import decode_notification
from collector.wire.bgp.path import read
from collector.wire.bgp.problems import WITHDRAWING, Remedy
from collector.wire.bgp.update import Opaque, told_apart
from collector.wire.cutting import Damaged
from collector.wire.element import Element, ElementType
from collector.wire.errors import Malformed
from collector.wire.mrt.attributes import canonical
from collector.wire.mrt.decode import Decoder
from collector.wire.mrt.opens import Opens
from collector.wire.mrt.records import Readable, records
from collector.wire.mrt.values import (
    STATES,
    BgpMessage,
    Content,
    GeoPeerTable,
    PeerIndexTable,
    Record,
    RecordType,
    Rib,
    RibEntry,
    StateChange,
    Unread,
)


def mrt_elements(file: Readable) -> Iterator[Element]:
    """Yield the elements of an (uncompressed) MRT file, in order."""
    recorded = Recorded()
    try:
        for record in records(file):
            yield from recorded.elements(record)
    except Malformed:
        yield from recorded.end()
        raise
    yield from recorded.end()


class Recorded:
    """What the records of one file have said so far that later ones are read by."""

    def __init__(self) -> None:
        self._decoder, self._opens = Decoder(), Opens()
        self._passed: Counter[tuple[int, int]] = Counter()

    @property
    def peers(self) -> PeerIndexTable:
        """The peers that the next RIB record points to."""
        return self._decoder.table

    def elements(self, record: Record | Damaged) -> Iterator[Element]:
        """Yield the elements of the next record."""
        if isinstance(record, Damaged):
            yield _skipped(Element(ElementType.MALFORMED), record.reason, record.offset, record.raw)
            return
        try:
            content = self._decoder.decode(record)
            if isinstance(content, Unread):
                self._passed[content.kind, content.subtype] += 1
            yield from _elements(content, record, self._opens, self.peers)
        except Malformed as error:
            yield _skipped(Element(ElementType.MALFORMED, record.time), error.reason, record.offset, record.body)

    def end(self) -> Iterator[Element]:
        """Say, behind the last record, what was passed over."""
        if self._passed:
            said = (_counted(*which, count) for which, count in sorted(self._passed.items()))
            yield Element(ElementType.NOTE, detail="passed over: " + "; ".join(said))


def _counted(kind: int, subtype: int, count: int) -> str:
    what = RecordType(kind).name if kind in _NAMED else f"type {kind}"
    return f"{count} {what} records of subtype {subtype}"


_NAMED = frozenset(map(int, RecordType))


def _skipped(seen: Element, reason: str, offset: int, raw: bytes) -> Element:
    action = str(Remedy.MESSAGE_SKIPPED)
    return replace(seen, type=ElementType.MALFORMED, detail=reason, action=action, offset=offset, raw=raw[:4096])


def _elements(content: Content, record: Record, opens: Opens, peers: PeerIndexTable) -> Iterator[Element]:
    match content:  # a peer table and other protocols' records say nothing of routes
        case Rib():
            for index in content.strangers:
                reason = f"peer index {index} is not in the table of {len(peers.peers)} peers before it"
                yield _skipped(Element(ElementType.MALFORMED, record.time), reason, record.offset, record.body)
            yield from _rib(content, record)
        case BgpMessage():
            yield from _message(content, record, opens)
        case GeoPeerTable():
            yield Element(ElementType.NOTE, record.time, detail=_located(content), offset=record.offset)
        case StateChange():
            yield replace(
                _seen(content, record),
                type=ElementType.STATE,
                state=STATES.get(content.new, f"state {content.new}"),
                old_state=STATES.get(content.old, f"state {content.old}"),
            )


def _located(table: GeoPeerTable) -> str:
    placed = [(f"collector {table.collector}", table.place)]
    placed += [(f"{peer.address} AS{peer.asn}", place) for peer, place in table.peers]
    return "; ".join(f"{who} at {place[0]:g} {place[1]:g}" for who, place in placed if place) or "no place is told"


def _seen(content: BgpMessage | StateChange, record: Record) -> Element:
    return Element(
        ElementType.STATE,
        record.time,
        router=str(content.local.address),
        peer=content.peer.address,
        peer_asn=content.peer.asn,
        record=record.kind,
    )


def _message(content: BgpMessage, record: Record, opens: Opens) -> Iterator[Element]:
    view = View.ADJ_OUT_POST if content.sent else View.ADJ_IN_PRE
    seen = replace(_seen(content, record), rib=str(view))
    if content.kind == bgp.MessageType.UPDATE:
        add_path: frozenset[Afi] = DECODED if content.add_path else frozenset()
        update, carried = opens.update(content, UpdateContext(add_path, content.two_octet))
        yield from update_elements(update, seen, carried)
    elif content.kind == bgp.MessageType.OPEN:
        opens.saw(content)
    elif content.kind == bgp.MessageType.NOTIFICATION:
        yield replace(seen, reason="notification", detail=str(decode_notification(content.body)))


def _rib(content: Rib, record: Record) -> Iterator[Element]:
    for entry in content.entries:
        seen = Element(
            ElementType.RIB,
            record.time,
            peer=entry.peer.address,
            peer_asn=entry.peer.asn,
            family=str(content.family),
            prefix=content.prefix,
            path_id=entry.path_id if content.add_path else None,
            originated=entry.originated,
            record=record.kind,
        )
        if content.prefix is None:
            yield from _other(content, entry, seen, record)
            continue
        reading = read(canonical(entry.attributes, content.family), content.two_octet, cut=True)
        for problem in reading.problems:
            told = replace(seen, type=ElementType.MALFORMED, action=str(problem.remedy), detail=problem.reason)
            yield replace(told, raw=problem.raw, offset=record.offset)
        if not any(problem.remedy in WITHDRAWING for problem in reading.problems):
            yield replace(seen, attributes=reading.attributes(family(content.prefix)))


def _other(content: Rib, entry: RibEntry, seen: Element, record: Record) -> Iterator[Element]:
    """A path of another family than unicast: its route, where those of the family are told apart, else its octets."""
    try:
        routes = told_apart(content.family, content.nlri, announced=True, add_path=False)
        reading = read(canonical(entry.attributes, content.family), content.two_octet, cut=True)
    except Malformed as error:
        yield _skipped(seen, error.reason, record.offset, content.nlri)
        return
    part = Opaque(content.family, True, b"", content.nlri, routes)
    for found in other_elements(seen, part, reading.attributes(content.family), frozenset()):
        if found.type is ElementType.OPAQUE:
            yield replace(found, detail="in the table", path_id=seen.path_id)
        else:
            yield replace(found, type=ElementType.RIB, path_id=seen.path_id)
