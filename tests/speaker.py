"""A router's BMP exporter for tests: real bytes over real TCP from an address of loopback."""

import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address, ip_address, ip_network

from anycast.observation import PeerType
from anycast.prefix import Address
from anycast.route import Asn, AsPath, Attributes, Origin, parse_community
from collector.wire.bgp.encode import encode_message, encode_update
from collector.wire.bgp.families import Afi
from collector.wire.bgp.message import MessageType
from collector.wire.bgp.nlri import Nlri
from collector.wire.bgp.open import Open
from collector.wire.bmp import values as bmp
from collector.wire.bmp.encode import encode

PATIENCE = 90.0  # a first start compiles the kernel


class Speaker:
    """One exporter."""

    def __init__(self, station: tuple[str, int], source: str) -> None:
        self._station, self._source = station, source
        self._socket: socket.socket | None = None

    def connect(self, name: str = "router") -> None:
        """Dial until the station answers, and introduce ourselves."""
        deadline = time.monotonic() + PATIENCE
        while self._socket is None:
            opened = socket.socket()
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind((self._source, 0))
            try:
                opened.connect(self._station)
                self._socket = opened
            except ConnectionRefusedError:
                opened.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        tlvs = (bmp.Tlv(2, name.encode()), bmp.Tlv(1, b"a router of a test"))
        self.send(encode(bmp.Initiation(tlvs)))

    def send(self, octets: bytes) -> None:
        """Send bytes as they are."""
        assert self._socket is not None
        self._socket.sendall(octets)

    def reset(self) -> None:
        """Hang up with a reset."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self._socket.close()
            self._socket = None

    def peer_up(self, peer: str, asn: int, local_asn: int = 65099, hold_time: int = 9) -> None:
        """Say that a session is up."""
        message = bmp.PeerUp(
            header=header(peer, asn),
            local_address=ip_address("10.10.9.4"),
            local_port=179,
            remote_port=40000,
            sent=opened(local_asn, "10.10.9.4", hold_time),
            received=opened(asn, peer, hold_time),
        )
        self.send(encode(message))

    def peer_down(self, peer: str, asn: int) -> None:
        """Say that a session is down: the far side closed it without a word."""
        self.send(encode(bmp.PeerDown(header(peer, asn), bmp.PeerDownCode.REMOTE_CLOSED)))

    def announce(self, peer: str, asn: int, prefix: str, attributes: Attributes) -> None:
        """Announce a route."""
        self._update(peer, asn, encode_update((Nlri(ip_network(prefix)),), attributes))

    def withdraw(self, peer: str, asn: int, prefix: str) -> None:
        """Withdraw a route."""
        self._update(peer, asn, encode_update(withdrawn=(Nlri(ip_network(prefix)),)))

    def end_of_rib(self, peer: str, asn: int) -> None:
        """End the table."""
        self._update(peer, asn, b"\0\0\0\0")

    def _update(self, peer: str, asn: int, body: bytes) -> None:
        message = encode_message(MessageType.UPDATE, body)
        self.send(encode(bmp.RouteMonitoring(header(peer, asn), message)))


def header(peer: str, asn: int) -> bmp.PerPeerHeader:
    """A per-peer header of now."""
    now = time.time()
    address = ip_address(peer)
    return bmp.PerPeerHeader(
        PeerType.GLOBAL, 0, 0, address, Asn(asn), IPv4Address(peer), int(now), int(now % 1 * 1_000_000)
    )


def opened(asn: int, identifier: str, hold_time: int) -> Open:
    """An OPEN with what everybody offers."""
    families = (Afi(1, 1),)
    return Open(
        4, Asn(asn), hold_time, IPv4Address(identifier), families=families, four_octet_as=True, route_refresh=True
    )


def attributes(next_hop: str, *path: int, communities: Sequence[str] = (), local_pref: int | None = None) -> Attributes:
    """The attributes of an ordinary route."""
    hop: Address = ip_address(next_hop)
    marks = tuple(parse_community(text) for text in communities)
    return Attributes(Origin.IGP, AsPath.of(*path), hop, local_pref=local_pref, communities=marks)
