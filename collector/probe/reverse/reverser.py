"""Reverse catchment at work on one NVA: rounds of pings, and whose replies come in here, whoever sent them."""

import asyncio
import random
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping

from anycast.prefix import Address
from anycast.probe import Identity, Outcome, Probe, Proof
from collector.probe.agent.clock import round_trip
from collector.probe.identity.datagram import Request
from collector.probe.identity.keys import Key, Keys
from collector.probe.identity.nonces import Nonces
from collector.probe.identity.refused import Cause, Refused
from collector.probe.reverse import sockets
from collector.probe.reverse.hitlist import Host
from collector.probe.reverse.ping import Heard, Ping, decode_reply, encode_ping, request
from collector.probe.reverse.settings import ReverseSettings
from collector.probe.taken import Health, Taken
from collector.probe.wire.ancillary import SPACE, stamp_and_ttl

TICK = 0.01  # seconds between two looks at what may be sent
AT_ONCE = 64  # replies between two looks at what else is to be done
LARGEST = 2048  # octets of a packet that is looked at; ours have 200
RUNS = 4096  # starts of NVAs that are told apart: ten of a fleet of four hundred


class Reverser:
    """Pings and hears until cancelled (`collector.probe.process.Probing`)."""

    def __init__(self, settings: ReverseSettings, deliver: Callable[[Taken], None], keys: Keys) -> None:
        """The first of `keys` signs; pings of the fleet may come back under any."""
        self._settings, self._deliver, self._keys = settings, deliver, keys
        self._key: Key = next(iter(keys))
        self.number = secrets.randbits(32)
        """Of this start, among all of the fleet."""
        self._nonces = Nonces(runs=RUNS)
        self._hosts: Mapping[Address, Host] = {host.address: host for host in settings.hosts}
        self._sending: dict[int, socket.socket] = {}
        self._hearing: list[socket.socket] = []
        self._sequence = self._sent = self._unsent = 0
        self._lag = 0
        self._troubles: dict[str, None] = {}
        self.refused: Counter[Cause] = Counter()
        """Replies that were not taken, by cause."""

    def open(self) -> None:
        """Open the sockets; raises OSError."""
        for version in sorted({address.version for address, _ in self._settings.pairs}):
            self._sending[version] = sockets.sending(version)
            self._hearing.append(sockets.hearing(version))

    async def run(self) -> None:
        """Ping and hear."""
        loop = asyncio.get_running_loop()
        for sock in self._hearing:
            loop.add_reader(sock, self._hear, sock)
        try:
            while True:
                began = loop.time()
                await self._round()
                await asyncio.sleep(max(0.0, began + self._settings.every - loop.time()))
        finally:
            for sock in (*self._hearing, *self._sending.values()):
                loop.remove_reader(sock)
                sock.close()

    def health(self) -> Health:
        """Say how it did since it was last asked."""
        told = Health(lag=self._lag, sent=self._sent, unsent=self._unsent, lacking=tuple(self._troubles))
        self._lag = self._sent = self._unsent = 0
        self._troubles.clear()
        return told

    async def _round(self) -> None:
        """Ping every host once from each address, in another order each time, never faster than the rate."""
        loop = asyncio.get_running_loop()
        pairs = list(self._settings.pairs)
        random.shuffle(pairs)
        rate, due = self._settings.rate, loop.time()
        for number, (address, host) in enumerate(pairs):
            due = max(due, loop.time() - TICK)  # what was missed is not caught up with in a burst
            if due > loop.time():
                await self._sleep(due - loop.time())
            elif number % AT_ONCE == 0:
                await asyncio.sleep(0)
            due += 1 / rate
            self._ping(address, host.address)

    async def _sleep(self, seconds: float) -> None:
        seconds = max(seconds, TICK)
        before = time.monotonic_ns()
        await asyncio.sleep(seconds)
        self._lag = max(self._lag, time.monotonic_ns() - before - round(seconds * 1e9))

    def _ping(self, address: Address, host: Address) -> None:
        self._sequence += 1
        nonce = secrets.randbits(64)
        ping = Ping(self._key.id, self.number, nonce, time.monotonic_ns(), host, self._settings.nva)
        packet = request(address, host, self._sequence, encode_ping(ping, self._key))
        try:
            sockets.send(self._sending[host.version], packet, host)
        except OSError as error:
            self._unsent += 1
            if len(self._troubles) < 8:
                self._troubles[f"pings from {address} are not sent: {error.strerror}"] = None
        else:
            self._sent += 1

    def _hear(self, sock: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                packet, ancillary, _, _ = sock.recvmsg(LARGEST, SPACE)
            except OSError:
                return
            stamp, _ = stamp_and_ttl(ancillary)
            try:
                self.take(packet, stamp, time.monotonic_ns(), time.time_ns())
            except Refused as refused:
                self.refused[refused.cause] += 1

    def take(self, packet: bytes, stamp: int, mono: int, wall: int) -> None:
        """Take a packet that came in, with the kernel's stamp of it and the clocks now, all ns; raises Refused."""
        heard = decode_reply(packet, self._keys)
        ping = heard.ping
        if heard.anycast not in self._settings.addresses:
            raise Refused(Cause.SERVICE, f"{heard.anycast} is no anycast address here")
        self._nonces.take(Request(ping.key, ping.run, ping.nonce, ping.sent), mono)
        self._deliver(self._taken(heard, stamp, mono, wall))

    def _taken(self, heard: Heard, stamp: int, mono: int, wall: int) -> Taken:
        """The hearer's own name is the identity: this NVA is the host's catchment. The sender stands in `detail`."""
        ping, told = heard.ping, self._settings
        ours = ping.run == self.number
        rtt = round_trip(ping.sent, mono, wall, stamp) if ours else None
        host = self._hosts.get(ping.host)
        return Taken(
            mono=mono - rtt if rtt is not None else mono,
            wall=wall - rtt if rtt is not None else wall,
            probe=Probe.REVERSE,
            target=host.name if host is not None else str(ping.host),
            outcome=Outcome.ANSWERED,
            rtt=rtt,
            identity=Identity(told.region, told.nva),
            proof=Proof.AUTHENTICATED,
            ttl=heard.ttl,
            seen=str(heard.anycast),
            detail=ping.nva,
        )
