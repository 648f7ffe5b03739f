"""Elements of one exporter's BMP stream."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from collector.wire.bgp import message as bgp
from collector.wire.bgp.elements import update_elements
from collector.wire.bgp.problems import Remedy
from collector.wire.bgp.update import decode_update
from collector.wire.bmp.decode import decode
from collector.wire.bmp.frames import Framer
from collector.wire.bmp.sessions import Sessions
from collector.wire.bmp.values import (
    Initiation,
    Message,
    PeerDown,
    PeerUp,
    PerPeerHeader,
    RouteMirroring,
    RouteMonitoring,
    StatisticsReport,
    Termination,
    rib_of,
)
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


def skipped(seen: Element, reason: str, offset: int, raw: bytes) -> Element:
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
            message = decode(frame)
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
    yield Element(ElementType.FEED, at, router=feed.router, state="opened", detail=message.description)


def _termination(feed: Feed, message: Termination, at: datetime | None) -> Iterator[Element]:
    yield Element(ElementType.FEED, at, router=feed.router, state="ended", detail=message.detail)


def _peer_up(feed: Feed, message: PeerUp, at: datetime | None) -> Iterator[Element]:
    feed.sessions.up(message)
    opens = [side for side in (message.sent, message.received) if side is not None]
    yield replace(
        feed.seen(message.header, at),
        state="up",
        hold_time=min((side.hold_time for side in opens), default=None),
        detail="; ".join(message.problems) or message.table_name,
    )


def _peer_down(feed: Feed, message: PeerDown, at: datetime | None) -> Iterator[Element]:
    feed.sessions.down(message.header)
    reason = str(message.reason)
    yield replace(feed.seen(message.header, at), state="down", reason=reason, detail=message.detail)


def _statistics(feed: Feed, message: StatisticsReport, at: datetime | None) -> Iterator[Element]:
    counts = tuple((count.code, count.afi, count.safi, count.value) for count in message.counts)
    yield replace(feed.seen(message.header, at), type=ElementType.STATISTICS, counts=counts)


def _route_monitoring(feed: Feed, message: RouteMonitoring, at: datetime | None) -> Iterator[Element]:
    context = feed.sessions.context(message.header)
    update = decode_update(bgp.body_of(message.update, bgp.MessageType.UPDATE), context)
    yield from update_elements(update, feed.seen(message.header, at), context.add_path)


def _route_mirroring(feed: Feed, message: RouteMirroring, at: datetime | None) -> Iterator[Element]:
    """The mirrored UPDATEs; what else is mirrored says nothing of routes."""
    context = feed.sessions.context(message.header)
    for pdu in message.messages:
        kind, body, _ = bgp.split(pdu)
        if kind == bgp.MessageType.UPDATE:
            yield from update_elements(decode_update(body, context), feed.seen(message.header, at), context.add_path)
    if message.lost:
        yield replace(feed.seen(message.header, at), type=ElementType.FEED, detail="the router lost mirrored messages")


_ELEMENTS: Final[dict[type[Message], Callable[[Feed, Any, datetime | None], Iterator[Element]]]] = {
    Initiation: _initiation,
    Termination: _termination,
    PeerUp: _peer_up,
    PeerDown: _peer_down,
    StatisticsReport: _statistics,
    RouteMonitoring: _route_monitoring,
    RouteMirroring: _route_mirroring,
}
