"""Faults that are nftables rules: loaded at once, counted by the kernel, and gone with their table."""

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from lab import space
from lab.faults.machines import fresh
from lab.faults.verb import Fault, Say
from lab.topology import SERVICES, Lab, Node, Role
from lab.witness import WITHIN, EffectNotSeen, Sighting, TableWatcher, Witness, dropped

SERVED = ", ".join(str(service.prefix) for service in SERVICES)
"""What goes to any service, as an nftables set's elements."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules on what arrives at some nodes from others."""

    nodes: tuple[Node, ...]
    table: str
    match: str
    """What they drop, in nftables' words; what a node sends to itself is left alone."""
    one_is_enough: bool = False
    """Whether a packet that one of the nodes dropped shows the effect: it may be that no other gets any."""

    def load(self, lab: Lab, say: Say) -> None:
        """Begin to drop."""
        for node in self.nodes:
            rule = f'iif != "lo" {self.match} counter drop;'
            chain = f"chain arriving {{ type filter hook prerouting priority -400; {rule} }}"
            ruleset = f"table inet {self.table} {{\n  {chain}\n}}\n"
            space.run(lab.namespace(node.name), ["nft", "-f", "-"], stdin=fresh(self.table, ruleset))
            say(f"{node.name}: nftables drops {self.match}")

    def unload(self, lab: Lab, say: Say) -> None:
        """Drop nothing any more; no error where nothing was dropped."""
        for node in self.nodes:
            space.run(lab.namespace(node.name), ["nft", "-f", "-"], stdin=fresh(self.table, ""))
            say(f"{node.name}: nftables drops it no more")


class Dropping:
    """The kernel drops since the rules were loaded, and has counted a packet on every node: what is lost is on its way.

    A ruleset takes effect as a whole the moment that it is loaded; the time is that of the command, some milliseconds
    early, which makes no detection look faster than it was.
    """

    def __init__(self, lab: Lab, rules: Rules) -> None:
        self.name = f"nftables counters on {', '.join(node.name for node in rules.nodes)}"
        self._namespaces, self._table = [lab.namespace(node.name) for node in rules.nodes], rules.table
        self._opened, self._enough = time.time(), any if rules.one_is_enough else all

    def effect(self, within: float = WITHIN) -> Sighting:
        """Return when the rules were loaded, once each node has dropped a packet."""
        deadline = time.monotonic() + within
        while not self._enough(self._count(namespace) for namespace in self._namespaces):
            if time.monotonic() > deadline:
                raise EffectNotSeen(f"the {self.name} counted no packet within {within:g} s: does anything go there?")
            time.sleep(0.05)
        return Sighting(self._opened, f"{sum(map(self._count, self._namespaces))} packets dropped")

    def _count(self, namespace: str) -> int:
        try:
            return dropped(namespace, self._table)
        except RuntimeError:
            return 0  # not loaded yet

    def close(self) -> None:
        """Nothing is held open between two questions."""


def gone(lab: Lab, rules: Rules) -> Witness:
    """No node has the table any more."""

    def ask() -> str | None:
        left = [node.name for node in rules.nodes if _loaded(lab.namespace(node.name), rules.table)]
        return None if left else "no such rule any more"

    return TableWatcher("list of nftables' tables", ask)


def _loaded(namespace: str, table: str) -> bool:
    argv = space.entering(namespace, ["nft", "list", "table", "inet", table])
    return subprocess.run(argv, capture_output=True, timeout=15, check=False).returncode == 0


def dropping(lab: Lab, target: str, rules: Rules) -> Fault:
    """The fault that some rules are."""
    return Fault(
        target=target,
        onset=lambda: Dropping(lab, rules),
        inject=lambda say: rules.load(lab, say),
        recovery=lambda: gone(lab, rules),
        heal=lambda say: rules.unload(lab, say),
    )


def places(lab: Lab, word: str, *roles: Role) -> tuple[Node, ...]:
    """Return the nodes of some roles that a word names: one by its name, or all of a region."""
    return tuple(node for node in lab.of(*roles) if word in (node.name, node.place))


def names(nodes: Sequence[Node]) -> str:
    """Return what nodes are called, for a sentence."""
    return ", ".join(node.name for node in nodes)
