"""Where faults are seen from: the witnesses that several verbs share."""

from collections.abc import Callable, Iterator, Sequence

from lab import state
from lab.segments import BMP_INITIATION, Segment
from lab.topology import BMP_PORT, COLLECTOR_ADDRESS, SERVICES, Lab, Node, Service, Timers
from lab.witness import Every, FibMonitor, PacketTap, TableWatcher, Witness, next_hops


def timers(lab: Lab) -> Timers:
    """Return the timers that the lab came up with."""
    known = state.load(lab)
    return known.timers if known is not None else Timers.LAB


def gone(lab: Lab, nvas: Sequence[Node], service: Service | None = None) -> Witness:
    """The region's gateway forwards to none of these NVAs any more: withdrawn, and carried through Route Server.

    Without a service it is the first that goes to them now: another fault may have taken one away already.
    """
    lost = frozenset(str(nva.address) for nva in nvas)
    return _gateway(lab, nvas, service or _shown(lab, nvas[0].place, lost), lost.isdisjoint, True)


def _shown(lab: Lab, region: str, addresses: frozenset[str]) -> Service:
    gateway = lab.namespace(f"{region}-gw")
    shown = (each for each in SERVICES if addresses <= next_hops(gateway, each.prefix))
    return next(shown, SERVICES[0])


def back(lab: Lab, nvas: Sequence[Node], service: Service = SERVICES[0]) -> Witness:
    """The region's gateway forwards to all of these NVAs, again or still."""
    return _gateway(lab, nvas, service, frozenset(str(nva.address) for nva in nvas).issubset, False)


def _gateway(
    lab: Lab, nvas: Sequence[Node], service: Service, wanted: Callable[[frozenset[str]], bool], needs_change: bool
) -> Witness:
    return FibMonitor(lab.namespace(f"{nvas[0].place}-gw"), service.prefix, wanted, needs_change)


def counted(namespace: str, count: Callable[[], int]) -> Witness:
    """The kernel has counted a dropped packet."""

    def ask() -> str | None:
        packets = count()
        return f"{packets} packets dropped" if packets else None

    return TableWatcher(f"nftables counters in {namespace}", ask)


def bmp_opened(lab: Lab, source: object) -> Witness:
    """An exporter has opened a BMP connection: its Initiation was on the wire."""

    def telling(segment: Segment) -> str | None:
        begins = segment.target_port == BMP_PORT and segment.payload[:1] == b"\x03"
        if begins and segment.payload[5:6] == bytes([BMP_INITIATION]) and segment.source == source:
            return f"BMP Initiation from {segment.source}"
        return None

    return PacketTap(lab.namespace("collector"), telling)


def every(witnesses: Iterator[Witness]) -> Witness:
    """All of them must have seen it; closes those already open when one cannot be opened."""
    opened: list[Witness] = []
    try:
        opened.extend(witnesses)
    except BaseException:
        Every(*opened).close()
        raise
    return Every(*opened)


STATION = f"{COLLECTOR_ADDRESS}:{BMP_PORT}"
