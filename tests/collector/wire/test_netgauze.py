"""The shared pcaps against NetGauze's own decoding of them."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from collector.wire.bgp import message as bgp
from collector.wire.bgp.open import decode_open
from collector.wire.bgp.update import Update, decode_update
from collector.wire.bmp.decode import decode
from collector.wire.bmp.frames import Framer
from collector.wire.bmp.sessions import Sessions
from collector.wire.bmp.values import Initiation, Message, PeerUp, RouteMonitoring
from collector.wire.element import Element, ElementType
from collector.wire.elements import elements
from tests import needs
from tests.collector.wire import netgauze
from tests.collector.wire.pcaps import streams

FRR = "bmp/frr-10.8-upa"
SPEAKERS = "bgp/multiple-sessions"


def feeds(name: str) -> Iterator[bytes]:
    """The payload of each direction of each connection in a shared pcap."""
    yield from streams(needs.captures() / f"{name}.pcap").values()


def published(name: str) -> list[object]:
    """NetGauze's lines beside a shared pcap."""
    return list(netgauze.lines(needs.captures() / f"{name}.netgauze.json"))


def monitored(said: list[Message]) -> Iterator[Update]:
    """The UPDATEs of one exporter, each read as its session wants it."""
    sessions = Sessions()
    for message in said:
        if isinstance(message, PeerUp):
            sessions.up(message)
        elif isinstance(message, RouteMonitoring):
            body = bgp.body_of(message.update, bgp.MessageType.UPDATE)
            yield decode_update(body, sessions.context(message.header))


def test_frr_10_8_says_what_netgauze_reads() -> None:
    """NetGauze has 34 Route Monitorings, 7 Peer Ups and 3 Initiations in three connections."""
    said = [[decode(frame) for frame in Framer().feed(feed)] for feed in feeds(FRR)]
    kinds = Counter(type(message) for messages in said for message in messages)
    assert kinds == {RouteMonitoring: 34, PeerUp: 7, Initiation: 3}
    updates = [update for messages in said for update in monitored(messages)]
    theirs = [
        netgauze.theirs(line["V3"]["RouteMonitoring"]["update_message"]["Update"])  # type: ignore[index]
        for line in published(FRR)
        if "RouteMonitoring" in line["V3"]  # type: ignore[index]
    ]
    assert not [problem for update in updates for problem in update.problems]
    assert Counter(map(netgauze.ours, updates)) == Counter(theirs)


def test_frr_10_8_offers_what_netgauze_reads() -> None:
    """NetGauze has 14 OPENs in seven Peer Ups; FRR names its host, and restarts, in each."""
    sides = [
        side
        for feed in feeds(FRR)
        for frame in Framer().feed(feed)
        if isinstance(message := decode(frame), PeerUp)
        for side in (message.sent, message.received)
    ]
    theirs = [
        netgauze.offered(line["V3"]["PeerUpNotification"][which]["Open"])  # type: ignore[index]
        for line in published(FRR)
        if "PeerUpNotification" in line["V3"]  # type: ignore[index]
        for which in ("sent_message", "received_message")
    ]
    assert len(theirs) == 14
    assert Counter(netgauze.our_offer(side) for side in sides if side is not None) == Counter(theirs)


@pytest.mark.parametrize(("name", "monitorings", "ups"), [("bmp/bmpv4-add-path", 21, 9), ("bmp/path-marking", 3, 1)])
def test_the_draft_of_version_4_says_what_netgauze_reads(name: str, monitorings: int, ups: int) -> None:
    """NetGauze has 21 Route Monitorings and 9 Peer Ups in the one capture, 3 and 1 (and a Peer Down) in the other."""
    with (needs.captures() / f"{name}.pcap").open("rb") as file:
        found = list(elements(file))
    assert not [element for element in found if element.type is ElementType.MALFORMED]
    lines = [line["V4"] for line in published(name)]  # type: ignore[index]
    theirs = [line["RouteMonitoring"] for line in lines if "RouteMonitoring" in line]
    assert (len(theirs), len([line for line in lines if "PeerUpNotification" in line])) == (monitorings, ups)
    assert len([e for e in found if e.type is ElementType.STATE and e.state == "up"]) == ups
    routes = [e for e in found if e.type in (ElementType.ANNOUNCEMENT, ElementType.WITHDRAWAL, ElementType.END_OF_RIB)]
    assert [_shown(element) for element in routes] == [row for line in theirs for row in _rows(line)]


def _shown(element: Element) -> tuple[object, ...]:
    told = {tlv["name"]: tlv for tlv in element.information}
    marked = told.get("path-marking", {}).get("status", [])
    return (
        str(element.peer or ""),
        str(element.prefix or ""),
        element.path_id,
        str(element.attributes.next_hop) if element.attributes else "",
        [tlv["index"] for tlv in element.information],
        [word.replace("-", "") for word in marked],
    )


def _rows(line: dict[str, Any]) -> Iterator[tuple[object, ...]]:
    """A row a route of NetGauze's; one for an End-of-RIB. The TLV of the BGP message itself is none of `tlvs`."""
    update = line["update_pdu"]["value"]["BgpUpdate"]["Update"]
    hops = [each["value"]["NextHop"]["next_hop"] for each in update["path_attributes"] if "NextHop" in each["value"]]
    marks = [tlv["value"]["PathMarking"] for tlv in line["tlvs"] if "PathMarking" in tlv["value"]]
    status = [word.lower().replace("_", "") for mark in marks for word in mark["path_status"].split(" | ")]
    for route in update["nlri"] or [{"network": "", "path_id": None}]:
        yield (
            line["peer_header"]["address"] or "",
            route["network"],
            route["path_id"],
            hops[0] if hops else "",
            [tlv["index"] for tlv in line["tlvs"]],
            status,
        )


@pytest.mark.parametrize("name", ["bmp/bmpv4-add-path", "bmp/path-marking"])
def test_a_live_router_that_speaks_the_draft_of_version_4_is_refused_with_a_sentence(name: str) -> None:
    [feed] = feeds(name)
    framer = Framer()
    assert framer.feed(feed) == []
    assert framer.failure is not None
    assert framer.failure.reason.startswith("BMP version 4 is a draft and is not spoken here")


def test_twenty_bgp_sessions_say_what_netgauze_reads() -> None:
    """NetGauze published 106 of the 291 messages (as many as there are markers); each is among ours, as often."""
    found: Counter[object] = Counter()
    markers = sum(feed.count(bgp.MARKER) for feed in feeds(SPEAKERS))
    for feed in feeds(SPEAKERS):
        while feed:
            kind, body, feed = bgp.split(feed)
            match kind:
                case bgp.MessageType.UPDATE:
                    found[netgauze.ours(decode_update(body))] += 1
                case bgp.MessageType.OPEN:
                    opened = decode_open(body)
                    found[opened.asn, opened.hold_time, str(opened.identifier), len(opened.capabilities)] += 1
                case other:
                    found[other] += 1
    theirs: Counter[object] = Counter()
    for line in published(SPEAKERS):
        theirs[_published(line)] += 1
    assert theirs.total() == 106
    assert found.total() == markers == 291
    assert not theirs - found


def _published(line: object) -> object:
    if line == "KeepAlive":
        return int(bgp.MessageType.KEEPALIVE)
    assert isinstance(line, dict)
    if "Update" in line:
        return netgauze.theirs(line["Update"])
    if "Open" in line:
        said = line["Open"]
        capabilities = [item for part in said["params"] for item in part["Capabilities"]]
        return said["my_as"], said["hold_time"], said["bgp_id"], len(capabilities)
    return int(bgp.MessageType.NOTIFICATION)
