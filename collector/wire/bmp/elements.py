"""Elements of one exporter's BMP stream."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from collector.wire.bgp import message as bgp
from collector.wire.bgp.context import UpdateContext
from collector.wire.bgp.elements import update_elements
from collector.wire.bgp.notification import decode_notification
from collector.wire.bgp.open import decode_open
from collector.wire.bgp.problems import Remedy
from collector.wire.bgp.update import decode_update
from collector.wire.bmp.decode import decode
from collector.wire.bmp.frames import Framer
from collector.wire.bmp.information import (
    INITIATION,
    PEER_DOWN,
    PEER_UP,
    ROUTE_MONITORING,
    TERMINATION,
    information,
)
from collector.wire.bmp.sessions import Sessions
from collector.wire.bmp.values import (
    Initiation,
    PeerDown,
    PeerUp,
    PerPeerHeader,
    RouteMirroring,
    RouteMonitoring,
    StatisticsReport,
    Termination,
    rib_of,
)
from collector.wire.bmp.version4 import IndexedRouteMonitoring, decode_version4
from collector.wire.element import Element, ElementType
from collector.wire.errors import Malformed

KEPT: Final = 4096
"""How much of what cannot be read is kept."""


def bmp_elements(chunks: Iterable[tuple[datetime | None, bytes]]) -> Iterator[Element]:
    """Yield the elements of one exporter's stream, given as (receive time or None, octets) in any pieces."""
    framer, feed = Framer(), Feed()
    at, left = None, b""
    for at, chunk in chunks:
        start = framer.offset
        # What follows a failure is kept as far as it is shown, whatever the pieces it comes in.
        left = b"" if framer.failure is None else left + chunk
        for frame in framer.feed(chunk):
            yield from feed.elements(frame, at, start)
            start += len(frame)
        left = left or framer.pending
        if framer.failure is not None and len(left) >= KEPT:
            break
    if framer.failure is not None:
        yield skipped(Element(ElementType.MALFORMED, at), framer.failure.reason, framer.offset, left)
    elif left:
        yield unfinished(left, at, framer.offset)


def skipped(seen: Element, reason: str, offset: int | None, raw: bytes) -> Element:
    """Say that octets which begin at an offset of the stream were passed over."""
    action = str(Remedy.MESSAGE_SKIPPED)
    return replace(seen, type=ElementType.MALFORMED, detail=reason, action=action, offset=offset, raw=raw[:KEPT])


def unfinished(left: bytes, at: datetime | None, offset: int) -> Element:
    """Say that the stream ends inside a message, of which `left` is there."""
    reason = f"the stream ends inside a message, after {len(left)} octets of it"
    return skipped(Element(ElementType.MALFORMED, at), reason, offset, left)


class Feed:
    """Who the exporter is, and its sessions."""

    def __init__(self, router: str = "") -> None:
        self.router = router
        self.sessions = Sessions()
        self.header: PerPeerHeader | None = None
        """Whom the last message was about; None where it was about no peer, or could not be read."""

    def elements(self, frame: bytes, at: datetime | None, offset: int) -> Iterator[Element]:
        """Yield what one whole message says; `offset` is where it stands, for one that is malformed."""
        seen = Element(ElementType.MALFORMED, at, router=self.router)
        self.header = None
        try:
            message = decode_version4(frame) if frame[:1] == b"\x04" else decode(frame)
            self.header = getattr(message, "header", None)
            yield from _ELEMENTS[type(message)](self, message, at)
        except Malformed as error:
            yield skipped(seen, error.reason, offset, frame)

    def seen(self, header: PerPeerHeader, at: datetime | None) -> Element:
        """Whom a message is about, and when, as the start of an element."""
        return Element(
            ElementType.STATE,
            time=at or header.router_time,
            router_time=header.router_time if at else None,
            router=self.router,
            peer=header.address,
            peer_asn=header.asn,
            peer_type=int(header.peer_type),
            distinguisher=header.distinguisher,
            rib=str(rib_of(header)),
        )


def _initiation(feed: Feed, message: Initiation, at: datetime | None) -> Iterator[Element]:
    feed.router = message.name or feed.router
    told = information(message.tlvs, INITIATION)
    opened = Element(ElementType.FEED, at, router=feed.router, state="opened", detail=message.description)
    yield replace(opened, information=told)


def _termination(feed: Feed, message: Termination, at: datetime | None) -> Iterator[Element]:
    told = information(message.tlvs, TERMINATION)
    ended = Element(ElementType.FEED, at, router=feed.router, state="ended", detail=message.detail)
    yield replace(ended, information=told)


def _session(feed: Feed, header: PerPeerHeader, at: datetime | None) -> Element:
    return replace(feed.seen(header, at), peer_identifier=header.identifier, filtered=header.filtered)


def _peer_up(feed: Feed, message: PeerUp, at: datetime | None) -> Iterator[Element]:
    feed.sessions.up(message)
    opens = [side for side in (message.sent, message.received) if side is not None]
    in_loc_rib = message.header.address is None
    yield replace(
        _session(feed, message.header, at),
        state="up",
        hold_time=min((side.hold_time for side in opens), default=None),
        detail="; ".join(message.problems) or message.table_name,
        table=message.table_name,
        local_address=None if in_loc_rib else message.local_address,
        local_port=None if in_loc_rib else message.local_port,
        remote_port=None if in_loc_rib else message.remote_port,
        sent_open=message.sent,
        received_open=message.received,
        information=information(message.tlvs, PEER_UP),
    )


def _peer_down(feed: Feed, message: PeerDown, at: datetime | None) -> Iterator[Element]:
    feed.sessions.down(message.header)
    yield replace(
        _session(feed, message.header, at),
        state="down",
        reason=str(message.reason),
        reason_code=message.code,
        detail=message.detail,
        notification=message.notification,
        fsm_event=message.fsm_event,
        table=message.table_name,
        information=information(message.tlvs, PEER_DOWN),
        raw=message.rest,
    )


def _statistics(feed: Feed, message: StatisticsReport, at: datetime | None) -> Iterator[Element]:
    counts = tuple((count.code, count.afi, count.safi, count.value) for count in message.counts)
    told = information(message.opaque, {})
    yield replace(feed.seen(message.header, at), type=ElementType.STATISTICS, counts=counts, information=told)


def _route_monitoring(feed: Feed, message: RouteMonitoring, at: datetime | None) -> Iterator[Element]:
    context, seen = feed.sessions.context(message.header), feed.seen(message.header, at)
    if message.trailing:
        seen = replace(seen, information=information(message.tlvs, ROUTE_MONITORING))
    update = decode_update(bgp.body_of(message.update, bgp.MessageType.UPDATE), context)
    yield from update_elements(update, seen, context.add_path)


def _indexed(feed: Feed, message: IndexedRouteMonitoring, at: datetime | None) -> Iterator[Element]:
    """A Route Monitoring of version 4: it may say itself which families have path ids."""
    context = feed.sessions.context(message.header)
    if message.path_ids is not None:
        context = replace(context, add_path=message.path_ids, bare=False)
    seen = replace(feed.seen(message.header, at), information=message.information)
    update = decode_update(bgp.body_of(message.update, bgp.MessageType.UPDATE), context)
    yield from update_elements(update, seen, context.add_path)


def _route_mirroring(feed: Feed, message: RouteMirroring, at: datetime | None) -> Iterator[Element]:
    """The mirrored messages; of those that the router itself found malformed no route is believed."""
    seen = replace(feed.seen(message.header, at), mirrored=True)
    context = feed.sessions.context(message.header)
    for pdu in message.messages:
        if message.errored:
            reason = "the router mirrored a BGP message of its peer that it found malformed itself"
            yield skipped(seen, reason, None, pdu)
            continue
        try:
            yield from _mirrored(pdu, seen, context)
        except Malformed as error:
            yield skipped(seen, error.reason, None, pdu)
    if message.lost:
        yield replace(seen, type=ElementType.FEED, detail="the router lost mirrored messages")
    if others := tuple(tlv for tlv in message.tlvs if tlv.code > 1):
        yield replace(seen, type=ElementType.FEED, detail="other mirrored TLVs", information=information(others, {}))


def _mirrored(pdu: bytes, seen: Element, context: UpdateContext) -> Iterator[Element]:
    """What one mirrored message says; a KEEPALIVE says nothing."""
    kind, body, _ = bgp.split(pdu)
    match kind:
        case bgp.MessageType.UPDATE:
            yield from update_elements(decode_update(body, context), seen, context.add_path)
        case bgp.MessageType.OPEN:
            opened = decode_open(body)
            yield replace(seen, detail="OPEN", received_open=opened, hold_time=opened.hold_time)
        case bgp.MessageType.NOTIFICATION:
            ended = decode_notification(body)
            yield replace(seen, reason="notification", detail=str(ended), notification=ended)
        case bgp.MessageType.ROUTE_REFRESH:
            yield replace(seen, detail="ROUTE-REFRESH", raw=body)
        case bgp.MessageType.KEEPALIVE:
            pass
        case _:
            raise Malformed(f"BGP message type {kind} is none of 1 to 5", 18, pdu)


_ELEMENTS: Final[dict[type[Any], Callable[[Feed, Any, datetime | None], Iterator[Element]]]] = {
    Initiation: _initiation,
    Termination: _termination,
    PeerUp: _peer_up,
    PeerDown: _peer_down,
    StatisticsReport: _statistics,
    RouteMonitoring: _route_monitoring,
    IndexedRouteMonitoring: _indexed,
    RouteMirroring: _route_mirroring,
}
