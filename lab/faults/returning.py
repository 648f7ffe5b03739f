"""Faults of the way back, and of how flows are hashed: routes and settings of the kernel that BGP does not see."""

import json
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from lab import plumbing, space
from lab.daemons import nft
from lab.daemons.application import behind, serves
from lab.faults.machines import fresh
from lab.faults.rules import SERVED, names, places
from lab.faults.targets import one
from lab.faults.verb import Fault, FaultError, Say
from lab.topology import ON_PREMISES, SERVICES, Lab, Node, Role
from lab.witness import FibMonitor, TableWatcher, Witness

STATE_TABLE = "fault_state"


def remove_return(lab: Lab, words: Sequence[str]) -> Fault:
    """NVAs lose their route to the sites: what they answer goes nowhere."""
    word = words[0] if words else "weu"
    nvas = places(lab, word, Role.NVA)
    if len(words) > 1 or not nvas:
        raise FaultError(f"say a region or an NVA such as weu or weu-nva1, not {' '.join(words)!r}")
    return _rerouted(lab, word, nvas, lambda node: "blackhole", "the sites cannot be answered")


def asymmetric(lab: Lab, words: Sequence[str]) -> Fault:
    """An NVA's answers go back through the other NVA, which keeps state and drops TCP that it never saw begin."""
    nva = one(lab, words, Role.NVA, "weu-nva1")
    [other] = [node for node in lab.of(Role.NVA, place=nva.place) if node.name != nva.name]
    moved = _rerouted(lab, nva.name, (nva,), lambda node: f"via {other.address}", f"it answers through {other.name}")

    def inject(say: Say) -> None:
        # What the other NVA never saw begin is no connection to it. Unicast to servers, of which it sees
        # only a half, is left alone; and an answer from an address that it has itself would be a martian to its kernel.
        rule = f"ip saddr {{ {SERVED} }} meta l4proto tcp ct state invalid counter drop;"
        space.sysctl(lab.namespace(other.name), {"net.ipv4.conf.all.accept_local": 1})
        chain = f"chain passing {{ type filter hook forward priority 0; {rule} }}"
        ruleset = f"table inet {STATE_TABLE} {{\n  {chain}\n}}\n"
        space.run(lab.namespace(other.name), ["nft", "-f", "-"], stdin=fresh(STATE_TABLE, ruleset))
        say(f"{other.name}: nftables drops TCP without a connection")
        moved.inject(say)

    def heal(say: Say) -> None:
        moved.heal(say)
        space.run(lab.namespace(other.name), ["nft", "-f", "-"], stdin=fresh(STATE_TABLE, ""))
        space.sysctl(lab.namespace(other.name), {"net.ipv4.conf.all.accept_local": 0})
        say(f"{other.name}: nftables drops it no more")

    return Fault(moved.target, moved.onset, inject, moved.recovery, heal)


def _rerouted(lab: Lab, target: str, nvas: Sequence[Node], way: Callable[[Node], str], why: str) -> Fault:
    """Another way to the sites on some NVAs, and the gateway again."""

    def inject(say: Say) -> None:
        for nva in nvas:
            word = way(nva)
            route = f"blackhole {ON_PREMISES}" if word == "blackhole" else f"{ON_PREMISES} {word}"
            space.batch([f"route replace {route}"], lab.namespace(nva.name))
            say(f"{nva.name}: {why}")

    def heal(say: Say) -> None:
        for nva in nvas:
            space.batch([f"route replace {ON_PREMISES} via {_gateway(lab, nva)}"], lab.namespace(nva.name))
            say(f"{nva.name}: answers through the gateway again")

    return Fault(
        target,
        lambda: FibMonitor(lab.namespace(nvas[-1].name), ON_PREMISES, lambda hops: _gateway(lab, nvas[-1]) not in hops),
        inject,
        lambda: FibMonitor(
            lab.namespace(nvas[0].name), ON_PREMISES, lambda hops: _gateway(lab, nvas[0]) in hops, needs_change=False
        ),
        heal,
    )


def _gateway(lab: Lab, nva: Node) -> str:
    return str(lab.by_name[f"{nva.place}-gw"].address)


def remove_snat(lab: Lab, words: Sequence[str]) -> Fault:
    """NVAs hand UDP on with the client's own address, and their servers answer around them, by the gateway."""
    word = words[0] if words else "weu"
    nvas = places(lab, word, Role.NVA)
    if len(words) > 1 or not nvas:
        raise FaultError(f"say a region or an NVA such as weu or weu-nva1, not {' '.join(words)!r}")
    apps = [serves(lab, nva) for nva in nvas]

    def inject(say: Say) -> None:
        for nva, app in zip(nvas, apps, strict=True):
            if nft.source_chain(lab, nva):
                space.run(lab.namespace(nva.name), ["nft", "delete", "chain", "ip", nft.TABLE, "source"])
                say(f"{nva.name}: source addresses are translated no more")
            space.batch([f"route replace default via {_gateway(lab, nva)}"], lab.namespace(app.name))
            say(f"{app.name}: answers by the gateway, around its NVA")

    def heal(say: Say) -> None:
        for nva, app in zip(nvas, apps, strict=True):
            space.batch([f"route replace default via {behind(lab, app).address}"], lab.namespace(app.name))
            nft.reload(lab, nva)
            say(f"{nva.name}: translates again; {app.name} answers through it")

    return Fault(
        word,
        lambda: _answers_by(lab, apps[-1], str(_gateway(lab, nvas[-1]))),
        inject,
        lambda: _answers_by(lab, apps[-1], str(nvas[-1].address)),
        heal,
    )


def _answers_by(lab: Lab, app: Node, hop: str) -> Witness:
    def ask() -> str | None:
        route = space.run(lab.namespace(app.name), ["ip", "route", "show", "default"]).stdout.strip()
        return route if f"via {hop} " in f"{route} " else None

    return TableWatcher(f"kernel's routes on {app.name}", ask, 0.05)


def polarise(lab: Lab, words: Sequence[str]) -> Fault:
    """A router hashes by addresses alone: every flow between two hosts takes one leg."""
    word = words[0] if words else "weu-gw"
    routers = {node.name: node for node in lab.of(Role.EDGE, Role.GATEWAY)}
    if len(words) > 1 or word not in routers:
        raise FaultError(f"say one of {names(tuple(routers.values()))}, not {' '.join(words)!r}")
    node = routers[word]
    meant = plumbing.ROUTING[node.role]
    return Fault(
        node.name,
        lambda: _hashes(lab, node, 0),
        lambda say: _hash(lab, node, {"net.ipv4.fib_multipath_hash_policy": 0}, say),
        lambda: _hashes(lab, node, meant["net.ipv4.fib_multipath_hash_policy"]),
        lambda say: _hash(lab, node, meant, say),
    )


def _hash(lab: Lab, node: Node, settings: Mapping[str, int], say: Say) -> None:
    space.sysctl(lab.namespace(node.name), settings)
    say(f"{node.name}: {', '.join(f'{name} = {value}' for name, value in settings.items())}")


def _hashes(lab: Lab, node: Node, policy: int) -> Witness:
    def ask() -> str | None:
        said = space.run(lab.namespace(node.name), ["sysctl", "-n", "net.ipv4.fib_multipath_hash_policy"]).stdout
        return f"hash policy {policy}" if said.strip() == str(policy) else None

    return TableWatcher(f"kernel's settings on {node.name}", ask, 0.05)


def fib_stuck(lab: Lab, words: Sequence[str]) -> Fault:
    """An edge router's kernel keeps one of several equal paths; its BGP table and its routing daemon know nothing."""
    word = words[0] if words else "ams-ce1"
    edges = {node.name: node for node in lab.of(Role.EDGE)}
    if len(words) > 1 or word not in edges:
        raise FaultError(f"say one of {names(tuple(edges.values()))}, not {' '.join(words)!r}")
    node, prefix = edges[word], SERVICES[0].prefix
    kept = lab.node_folder(node.name) / "fib-stuck.json"
    namespace = lab.namespace(node.name)
    return Fault(
        f"{SERVICES[0].name} at {node.name}",
        lambda: FibMonitor(namespace, prefix, lambda hops: len(hops) == 1),
        lambda say: _stick(namespace, prefix, kept, say),
        lambda: FibMonitor(namespace, prefix, lambda hops: len(hops) > 1, needs_change=False),
        lambda say: _unstick(namespace, prefix, kept, say),
    )


def _stick(namespace: str, prefix: IPv4Network, kept: Path, say: Say) -> None:
    [route] = json.loads(space.run(namespace, ["ip", "-j", "route", "show", "exact", str(prefix)]).stdout)
    hops = route.get("nexthops", [])
    if len(hops) < 2:
        raise FaultError(f"{namespace} has one path only to {prefix}; there is nothing to lose")
    kept.write_text(json.dumps(route))
    space.batch([_line(prefix, route, hops[:1])], namespace)
    say(f"{namespace}: the kernel forwards {prefix} to {hops[0]['gateway']} alone")


def _unstick(namespace: str, prefix: IPv4Network, kept: Path, say: Say) -> None:
    if kept.exists():
        route = json.loads(kept.read_text())
        space.batch([_line(prefix, route, route["nexthops"])], namespace)
        kept.unlink()
        say(f"{namespace}: the kernel forwards {prefix} to all of its paths again")


def _line(prefix: IPv4Network, route: Mapping[str, Any], hops: Sequence[Mapping[str, Any]]) -> str:
    """The `ip` command that puts a route in the place of the one with its protocol and metric."""
    metric = f" metric {route['metric']}" if "metric" in route else ""
    ways = "".join(f" nexthop via {hop['gateway']} dev {hop['dev']}" for hop in hops)
    return f"route replace {prefix} proto {route['protocol']}{metric}{ways}"
