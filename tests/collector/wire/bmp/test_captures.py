"""Every shared BMP capture: messages against the captures' README, routes against bgpdump reading the same UPDATEs.

bgpdump reads no BMP. Each Route Monitoring's UPDATE is put into an MRT record of its own, under the peer's address, in
the subtype that says whether path ids are there; then both decoders are given the same bytes.
"""

import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

import pytest

from anycast.prefix import Address
from collector.wire.bgp.context import merged
from collector.wire.bgp.families import IPV4_UNICAST
from collector.wire.bgp.message import MessageType, body_of
from collector.wire.bgp.open import Open
from collector.wire.bgp.update import decode_update
from collector.wire.bmp.decode import decode
from collector.wire.bmp.elements import bmp_elements
from collector.wire.bmp.frames import Framer
from collector.wire.bmp.sessions import Sessions, key_of
from collector.wire.bmp.values import Message, PeerDown, PeerUp, RouteMonitoring, StatisticsReport
from collector.wire.element import Element, ElementType
from tests import needs
from tests.collector.wire.bmp.by_hand import announced
from tests.collector.wire.oracle import as_bgpdump, bgpdump

AT = datetime(2026, 9, 1, tzinfo=UTC)


class Counts(NamedTuple):
    """What a capture holds."""

    monitoring: int
    statistics: int
    ups: int
    """Route Monitoring, Statistics Reports and Peer Ups: from the README where it has them, else by the type octets."""
    announced: int
    """IPv4 and IPv6 unicast prefixes, as bgpdump prints them."""
    complete: int
    """End-of-RIBs: UPDATEs of 23 octets, and those with nothing but an empty MP_UNREACH_NLRI."""
    labelled: int
    """Labelled unicast prefixes, and those of VPNs, by the lengths in the octets alone (`by_hand`)."""
    vpn: int
    unnegotiated: int = 0
    """UPDATEs of families that the session never negotiated."""


CAPTURES = {
    "frr-8.0.1-6wind": Counts(598, 176, 10, 190, 24, 0, 382, 2),
    "huawei-vrp-a": Counts(0, 38, 2, 0, 0, 0, 0),
    "huawei-vrp-b": Counts(315, 228, 12, 143, 12, 0, 117, 79),
    "huawei-vrp-c": Counts(111, 152, 8, 139, 8, 0, 0),
    "huawei-vrp-d": Counts(921, 418, 32, 217, 39, 170, 642),
    "huawei-vrp-ne40e": Counts(1957, 2274, 136, 2315, 136, 0, 0),
    "iosxr-24.1.2": Counts(315, 6, 6, 73, 13, 92, 346),
    "iosxr-24.4.1": Counts(1245, 0, 37, 1002, 44, 140, 444),
    "iosxr-25.1.1": Counts(406, 7, 10, 145, 17, 140, 376),
    "iosxr-7.10.1": Counts(203, 7, 7, 42, 11, 140, 192),
    "iosxr-7.10.2": Counts(348, 68, 17, 1, 9, 26, 448),
    "junos-mx204": Counts(536, 252, 12, 269, 42, 198, 436),
}

every_capture = pytest.mark.parametrize("name", CAPTURES)


def octets(name: str) -> bytes:
    """One router's stream."""
    return gzip.decompress((needs.captures() / "bmp" / f"{name}.bmp.gz").read_bytes())


def messages(name: str) -> list[Message]:
    """The messages of a capture; every one decodes."""
    framer = Framer()
    frames = framer.feed(octets(name))
    assert (framer.failure, framer.pending) == (None, b"")
    return [decode(frame) for frame in frames]


def read(name: str) -> list[Element]:
    """The elements of a capture, all received at one time."""
    return list(bmp_elements([(AT, octets(name))]))


def types(stream: bytes) -> Iterator[int]:
    """The type octets of a stream, counted without any of our code."""
    at = 0
    while at < len(stream):
        yield stream[at + 5]
        at += int.from_bytes(stream[at + 1 : at + 5], "big")


@every_capture
def test_every_message_is_read(name: str) -> None:
    wanted, found, by_hand = CAPTURES[name], Counter(map(type, messages(name))), Counter(types(octets(name)))
    assert (found[RouteMonitoring], found[StatisticsReport], found[PeerUp]) == wanted[:3]
    assert (by_hand[0], by_hand[1], by_hand[3]) == wanted[:3]
    assert found.total() == by_hand.total()


@every_capture
def test_routes_are_counted(name: str) -> None:
    wanted, said = CAPTURES[name], read(name)
    found = Counter(element.type for element in said)
    by_family = Counter(element.family for element in said if element.type is ElementType.ANNOUNCEMENT)
    assert by_family["ipv4-unicast"] + by_family["ipv6-unicast"] == wanted.announced
    assert by_family["ipv4-labeled-unicast"] + by_family["ipv6-labeled-unicast"] == wanted.labelled
    assert by_family["vpnv4"] + by_family["vpnv6"] == wanted.vpn
    assert found[ElementType.ANNOUNCEMENT] == wanted.announced + wanted.labelled + wanted.vpn
    assert found[ElementType.END_OF_RIB] == wanted.complete
    assert found[ElementType.OPAQUE] == wanted.unnegotiated


@every_capture
def test_labelled_and_vpn_routes_are_those_that_their_lengths_tell(name: str) -> None:
    """The walker of `by_hand` knows nothing of families. What no OPEN names is among its prefixes, too."""
    wanted, stream, hidden = CAPTURES[name], octets(name), name == "huawei-vrp-b"
    vpn = announced(stream, 128, path_ids=hidden)
    assert vpn.total() == wanted.vpn + (wanted.unnegotiated if name == "frr-8.0.1-6wind" else 0)
    if not hidden:
        assert announced(stream, 4).total() == wanted.labelled


@every_capture
def test_the_routes_of_vpns_have_a_distinguisher_a_label_and_a_next_hop_each(name: str) -> None:
    said = read(name)
    vpn = [element for element in said if element.type is ElementType.ANNOUNCEMENT and element.family.startswith("vpn")]
    labelled = [
        element
        for element in said
        if element.type is ElementType.ANNOUNCEMENT and element.family.endswith("labeled-unicast")
    ]
    assert len(vpn) + len(labelled) == CAPTURES[name].vpn + CAPTURES[name].labelled
    assert all(element.route_distinguisher and element.labels for element in vpn)
    assert all(element.labels and not element.route_distinguisher for element in labelled)
    assert all(element.attributes is not None and element.attributes.next_hop is not None for element in vpn + labelled)


@every_capture
def test_routes_are_those_of_bgpdump(name: str, tmp_path: Path) -> None:
    theirs = bgpdump(_as_mrt(messages(name), tmp_path / "routes.mrt"))
    lines = (as_bgpdump(_as_recorded(element), "BGP4MP") for element in read(name) if element.type in "AW")
    found = Counter(line for line in lines if line is not None)
    assert theirs.total() == CAPTURES[name].announced
    assert found == theirs


@every_capture
def test_no_capture_holds_the_noise_of_path_ids_misread(name: str) -> None:
    """Lists of prefixes read with path ids where there are none, or the other way, are full of /0 and /1."""
    routes = [element.prefix for element in read(name) if element.prefix is not None]
    assert not [prefix for prefix in routes if prefix.prefixlen < 8]


@every_capture
def test_no_route_is_of_a_family_that_its_session_did_not_negotiate(name: str) -> None:
    opens: dict[object, tuple[Open | None, Open | None]] = {}
    orphans = 0
    for message in messages(name):
        if isinstance(message, PeerUp):
            sent, received = opens.get(key_of(message.header), (None, None))
            opens[key_of(message.header)] = merged(sent, message.sent), merged(received, message.received)
        elif isinstance(message, RouteMonitoring):
            sent, received = opens.get(key_of(message.header), (None, None))
            update = decode_update(body_of(message.update, MessageType.UPDATE))
            orphans += sent is None
            if sent is not None and received is not None:
                # Without a word about families a session is one of IPv4 unicast; FRR 8.0 sends such.
                offered = {*sent.families, IPV4_UNICAST} & {*received.families, IPV4_UNICAST}
                assert {family for family in update.families if family.family is not None} <= offered
    assert orphans == ORPHANS.get(name, 0)


ORPHANS = {"frr-8.0.1-6wind": 194, "iosxr-24.4.1": 20}
"""Route Monitorings under no Peer Up: FRR's whole Loc-RIB, and two VPN peers of IOS XR (counted by hand)."""


def _as_mrt(said: list[Message], path: Path) -> Path:
    """Write the UPDATEs of a capture as BGP4MP_MESSAGE_AS4, or as its form with path ids."""
    sessions, records = Sessions(), []
    for message in said:
        if isinstance(message, PeerUp):
            sessions.up(message)
        elif isinstance(message, PeerDown):
            sessions.down(message.header)
        elif isinstance(message, RouteMonitoring):
            header = message.header
            ends = _recorded(header.address)
            afi, size = (1, 4) if ends.version == 4 else (2, 16)
            body = header.asn.to_bytes(4, "big") + bytes(4) + b"\0\0" + afi.to_bytes(2, "big")
            body += ends.packed + bytes(size) + message.update
            subtype = 9 if sessions.context(header).add_path else 4
            stamp = int(AT.timestamp()).to_bytes(4, "big")
            records.append(stamp + b"\0\x10" + subtype.to_bytes(2, "big") + len(body).to_bytes(4, "big") + body)
    path.write_bytes(b"".join(records))
    return path


def _recorded(address: Address | None) -> Address:
    return address or IPv4Address(0)


def _as_recorded(element: Element) -> Element:
    return replace(element, peer=_recorded(element.peer), rib="")  # as received, whatever the view was
