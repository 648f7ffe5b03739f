"""Choosing what a fault is done to, from the words on the command line."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.faults.verb import FaultError
from lab.topology import REGIONS, SERVICES, Lab, Node, Role, Service, service


def nodes(lab: Lab, word: str, role: Role) -> tuple[Node, ...]:
    """Return the nodes of a role that a word names: one by its name, or all of a region; none where it names none."""
    return tuple(node for node in lab.of(role) if word in (node.name, node.place))


def one(lab: Lab, words: Sequence[str], role: Role, default: str) -> Node:
    """Return the only node that is named, or the default. Raises FaultError listing what there is."""
    word = words[0] if words else default
    names = [node.name for node in lab.of(role)]
    if len(words) > 1 or word not in names:
        raise FaultError(f"say one of {', '.join(names)}, not {' '.join(words)!r}")
    return lab.by_name[word]


@dataclass(frozen=True, slots=True)
class Advertisement:
    """One service as some NVAs of one region advertise it."""

    nvas: tuple[Node, ...]
    service: Service
    where: str

    @property
    def region(self) -> str:
        """The region of the NVAs."""
        return self.nvas[0].place

    @property
    def target(self) -> str:
        """In words."""
        return f"{self.service.name} in {self.where}"


def advertisement(lab: Lab, words: Sequence[str], where: str, what: str) -> Advertisement:
    """Read a region or an NVA and a service, in any order; `where` and `what` stand in for those not named."""
    known = {each.name: each for each in SERVICES}
    for word in words:
        if word in known:
            what = word
        elif nodes(lab, word, Role.NVA):
            where = word
        else:
            raise FaultError(
                f"{word!r} is no region ({_names(REGIONS)}), no NVA ({_names(lab.of(Role.NVA))}) "
                f"and no service ({_names(SERVICES)})"
            )
    found = Advertisement(nodes(lab, where, Role.NVA), service(what), where)
    if found.region not in found.service.prepends:
        raise FaultError(f"{found.region} does not advertise {what}")
    return found


def _names(things: Sequence[Node | Service | object]) -> str:
    return ", ".join(str(getattr(thing, "name", thing)) for thing in things)
