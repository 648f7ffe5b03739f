"""From the agent's file to what is sent: a stream for each thing that is asked again and again."""

from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import IPv4Address
from typing import Final

from anycast.prefix import Address
from anycast.probe import ROTATING, Probe, TargetKind
from collector.probe.agent.beats import EchoLine, Living, WebLine
from collector.probe.agent.canary import Canary
from collector.probe.agent.dns import Chaos, Dns
from collector.probe.agent.flows import Flow, Rotating
from collector.probe.agent.http import Page
from collector.probe.agent.icmp import Icmp, Ping
from collector.probe.agent.kit import Asks, Kit, ns
from collector.probe.agent.mtu import Rung
from collector.probe.agent.schedule import Stream, phase
from collector.probe.agent.tcp import Handshake, Tcp
from collector.probe.agent.trace import Trace, Tracer
from collector.probe.agent.transfer import Circuits, Transfer
from collector.probe.agent.udp import Udp
from collector.probe.agent.web import Web, web
from collector.probe.config.values import AgentSettings, Asked, CanaryProbe, UdpProbe
from collector.probe.identity.keys import Keys

_NAMED: Final = IPv4Address(0)
"""Of a target that has no address: its URL has a name, and only what speaks HTTP asks it."""
Named = tuple[str, Stream]
"""A stream, and a name of it that stays the same when the agent starts again."""


class Senders:
    """All that sends, for all targets."""

    def __init__(self, kit: Kit, keys: Keys, settings: AgentSettings) -> None:
        self._kit, self._keys, self._settings = kit, keys, settings
        self._icmp = {version: Icmp(kit, version) for version in (4, 6)}
        self._udp, self._tcp, self._dns = Udp(kit, keys), Tcp(kit), Dns(kit)
        self._tracer, self._circuits = Tracer(kit), Circuits()
        self._flows: dict[tuple[str, int], Flow] = {}
        tables = self._udp.pending, self._tcp.pending, self._dns.pending, self._icmp[4].pending, self._icmp[6].pending
        self._due: tuple[Callable[[int], bool], ...] = tuple(table.due for table in tables)
        self._expire: tuple[Callable[[int], None], ...] = tuple(table.expire for table in tables)

    def open(self) -> None:
        """Open what needs rights: the ICMP sockets of the IP versions that are asked with."""
        for version in {address.version for address in self._pinged()}:
            self._icmp[version].open()

    def _pinged(self) -> Iterator[Address]:
        for asked in self._settings.targets:
            probes = asked.probes
            if asked.target.address is not None and (probes.icmp or (probes.mtu and not probes.udp)):
                yield asked.target.address

    def due(self, now: int) -> bool:
        """Whether anything under way reached a limit."""
        return any(due(now) for due in self._due)

    def expire(self, now: int) -> None:
        """Tell what reached a limit."""
        for expire in self._expire:
            expire(now)

    async def close(self) -> None:
        """Close every socket."""
        for flow in self._flows.values():
            flow.close()
        self._tcp.close()
        self._dns.close()
        self._udp.close_all()
        for icmp in self._icmp.values():
            icmp.close()

    def streams(self) -> Iterator[Named]:
        """Build every stream, and start the canaries. What cannot be done here is left out, and said."""
        for asked in self._settings.targets:
            if asked.target.address is not None:
                for number, (kind, stream) in enumerate(self._at(asked, asked.target.address)):
                    yield f"{asked.target.name} {kind} {number}", stream
            for number, (kind, stream) in enumerate(self._web(asked)):
                yield f"{asked.target.name} {kind} {number}", stream
            if asked.probes.canary is not None:
                self._canaries(asked, asked.probes.canary)

    def _at(self, asked: Asked, address: Address) -> Iterator[tuple[Probe, Stream]]:
        probes, asks = asked.probes, partial(_asks, asked, address)
        icmp = self._icmp[address.version]
        if probes.icmp is not None and icmp.able:
            yield Probe.ICMP, Ping(icmp, asks(Probe.ICMP), ns(probes.icmp.every))
        if probes.udp is not None and self._keyed(asked):
            yield from self._identified(asked, address, probes.udp)
        if probes.tcp is not None:
            yield Probe.TCP, Handshake(self._tcp, asks(Probe.TCP), probes.tcp.port, ns(probes.tcp.every))
        if probes.dns is not None:
            dns = probes.dns
            yield Probe.DNS, Chaos(self._dns, asks(Probe.DNS), dns.port, dns.name, dns.identity, ns(dns.every))
        if probes.mtu is not None and (icmp.able or (probes.udp and self._udp.able)):
            port = probes.udp.port if probes.udp and self._udp.able else None
            for size in probes.mtu.sizes:
                yield Probe.MTU, Rung((self._udp, icmp), asks(Probe.MTU), size, port, ns(probes.mtu.every))

    def _identified(self, asked: Asked, address: Address, udp: UdpProbe) -> Iterator[tuple[Probe, Stream]]:
        for number in range(udp.flows):
            asks = _asks(asked, address, Probe.UDP, number, udp.source + number)
            flow = Flow(self._udp, asks, udp.port, udp.size, ns(udp.every), udp.dscp)
            self._flows[asked.target.name, number] = flow
            yield Probe.UDP, flow
            trace = asked.probes.trace
            if trace is not None and number < trace.flows:
                traced = _asks(asked, address, Probe.TRACE, number, udp.source + number)
                yield Probe.TRACE, Trace(self._tracer, self._udp, flow, traced, trace.hops, ns(trace.every))
        if udp.rotating > 0:
            asks = _asks(asked, address, Probe.UDP)
            yield Probe.UDP, Rotating(self._udp, asks, udp.port, udp.size, ns(1 / udp.rotating), udp.dscp)

    def _keyed(self, asked: Asked) -> bool:
        if not self._udp.able:
            self._kit.lacks(f"no UDP identity of {asked.target.name}: there is no key to ask with")
        return self._udp.able

    def _web(self, asked: Asked) -> Iterator[tuple[Probe, Stream]]:
        probes, target, kit = asked.probes, asked.target, self._kit
        address = target.address or _NAMED
        if probes.http is not None and (site := self._site(asked, probes.http.url)):
            page, asks = probes.http, _asks(asked, address, Probe.HTTP)
            yield Probe.HTTP, Page(kit, self._keys, asks, site, page.identity, page.statuses, ns(page.every))
        if probes.throughput is not None and (site := self._site(asked, probes.throughput.url)):
            load, asks = probes.throughput, _asks(asked, address, Probe.THROUGHPUT)
            bounds = load.octets, ns(load.seconds)
            yield (
                Probe.THROUGHPUT,
                Transfer(kit, self._circuits.lock(target.circuit), asks, site, bounds, ns(load.every)),
            )

    def _canaries(self, asked: Asked, canary: CanaryProbe) -> None:
        made: Callable[[], Living]
        if canary.url:
            site = self._site(asked, canary.url)
            if site is None:
                return
            made = partial(WebLine, site)
        else:
            assert asked.target.address is not None, "the reader of the file asks for one"
            made = partial(EchoLine, asked.target.address, canary.port)
        every = ns(canary.every)
        for number in range(canary.connections):
            asks = _asks(asked, asked.target.address or _NAMED, Probe.CANARY, number)
            wait = phase(f"{self._settings.site} {asked.target.name} {Probe.CANARY} {number}", every)
            self._kit.tasks.start(Canary(self._kit, asks, made, every, wait).run())

    def _site(self, asked: Asked, url: str) -> Web | None:
        """Return a URL at the target's address; names and authorities are those of its HTTP probe, where it has one."""
        page = asked.probes.http
        try:
            return web(url, asked.target.address, page.host if page else "", page.ca if page else None)
        except OSError as error:  # ssl.SSLError is one
            self._kit.lacks(f"no {url} of {asked.target.name}: {page.ca if page else None} is not read: {error}")
            return None


def _asks(asked: Asked, address: Address, probe: Probe, flow: int = ROTATING, port: int = 0) -> Asks:
    target = asked.target
    return Asks(
        probe, target.name, address, flow, port, service=target.name if target.kind is TargetKind.SERVICE else ""
    )
