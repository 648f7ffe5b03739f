"""Faults of the data path that BGP does not see: packets to services are dropped, all of them or some."""

from collections.abc import Sequence

from lab.faults.rules import SERVED, Rules, dropping, names, places
from lab.faults.targets import advertisement
from lab.faults.verb import Fault, FaultError
from lab.topology import Lab, Node, Role

LEGS = (Role.NVA, Role.MSEE)
"""What a leg is named after: the NVA that flows are hashed to, or the circuit."""


def blackhole(lab: Lab, words: Sequence[str]) -> Fault:
    """NVAs drop what goes to a service; they, their applications and their routes are as well as ever."""
    found = advertisement(lab, words, "weu", "web")
    table = f"fault_hole_{found.service.name}"
    return dropping(lab, found.target, Rules(found.nvas, table, f"ip daddr {found.service.prefix}"))


def dead_leg(lab: Lab, words: Sequence[str]) -> Fault:
    """One NVA, or one circuit, swallows every packet to any service."""
    node, _ = _leg(lab, words, takes_number=False)
    return dropping(lab, node.name, Rules((node,), "fault_leg", f"ip daddr {{ {SERVED} }}"))


def lossy_leg(lab: Lab, words: Sequence[str]) -> Fault:
    """One NVA, or one circuit, loses a part of the packets to services, at random."""
    node, percent = _leg(lab, words)
    percent = 20.0 if percent is None else percent
    match = f"ip daddr {{ {SERVED} }} numgen random mod 1000 < {round(percent * 10)}"
    return dropping(lab, f"{node.name}, {percent:g} %", Rules((node,), "fault_lossy", match))


def flow_loss(lab: Lab, words: Sequence[str]) -> Fault:
    """One NVA, or one circuit, drops every packet of some flows (by default of a quarter) and none of the others."""
    node, percent = _leg(lab, words)
    percent = 25.0 if percent is None else percent
    match = f"ip daddr {{ {SERVED} }} jhash ip saddr . th sport mod 1000 seed 0x5eed < {round(percent * 10)}"
    return dropping(lab, f"{node.name}, {percent:g} % of flows", Rules((node,), "fault_flows", match))


def mtu(lab: Lab, words: Sequence[str]) -> Fault:
    """A region's circuits drop packets longer than so many octets, and say nothing."""
    sizes = [word for word in words if word.isdigit()]
    regions = [word for word in words if not word.isdigit()]
    word, size = (regions or ["weu"])[0], int((sizes or ["1400"])[0])
    circuits = places(lab, word, Role.MSEE)
    if len(sizes) > 1 or len(regions) > 1 or not circuits or not 576 <= size < 1500:
        raise FaultError(f"mtu takes a region or circuit and octets from 576 to 1499, not {' '.join(words)!r}")
    return dropping(
        lab, f"{word}, {size} octets", Rules(circuits, "fault_mtu", f"ip length > {size}", one_is_enough=True)
    )


def _leg(lab: Lab, words: Sequence[str], takes_number: bool = True) -> tuple[Node, float | None]:
    """Read an NVA or MSEE, and a percentage; the first NVA stands in where none is named."""
    numbers = [float(word.rstrip("%")) for word in words if word.rstrip("%").replace(".", "", 1).isdigit()]
    named = [word for word in words if not word.rstrip("%").replace(".", "", 1).isdigit()]
    legs = {node.name: node for node in lab.of(*LEGS)}
    word = named[0] if named else "weu-nva1"
    right = len(named) <= 1 and len(numbers) <= int(takes_number) and word in legs
    if not right or any(not 0 < number <= 100 for number in numbers):
        also = " and a percentage" if takes_number else ""
        raise FaultError(f"say one of {names(tuple(legs.values()))}{also}, not {' '.join(words)!r}")
    return legs[word], numbers[0] if numbers else None
