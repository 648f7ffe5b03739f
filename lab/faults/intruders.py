"""Faults of others and of policy: a rogue partner's routes, and a route map with another LOCAL_PREF."""

import re
import sys
from collections.abc import Sequence
from ipaddress import IPv4Network

from lab import processes, space
from lab.daemons import bird, frr
from lab.faults.verb import Fault, FaultError, Say
from lab.segments import Segment, updates
from lab.topology import (
    COLLECTOR_ADDRESS,
    HTTP_PORT,
    REGIONS,
    RESPONDER_PORT,
    SERVICES,
    SITES,
    Lab,
    Node,
    Role,
)
from lab.witness import FibMonitor, PacketTap, Witness

OTHER_LOCAL_PREF = 150
"""Still above the other region's: drift, and nothing more."""


def hijack(lab: Lab, words: Sequence[str]) -> Fault:
    """The partner announces a service's own prefix as if it were theirs."""
    return _rogue(lab, "hijack", words)


def more_specific(lab: Lab, words: Sequence[str]) -> Fault:
    """The partner announces a part of a service's prefix, and longest match takes it everywhere."""
    return _rogue(lab, "more_specific", words)


def _rogue(lab: Lab, protocol: str, words: Sequence[str]) -> Fault:
    if words:
        raise FaultError(f"{protocol.replace('_', '-')} takes no words, not {' '.join(words)!r}")
    [rogue] = lab.of(Role.ROGUE)
    prefix = IPv4Network(bird.ROGUE_ROUTES[protocol])
    [edge] = [session.far(rogue.name).node for session in lab.sessions_of(rogue.name)]

    def via_rogue(hops: frozenset[str]) -> bool:
        return str(rogue.address) in hops

    def turn(verb: str, say: Say) -> None:
        said = bird.ask(lab, rogue.name, f"{verb} {protocol}").strip()
        say(f"{rogue.name} (AS {rogue.asn}): {prefix}; BIRD says {said}")

    return Fault(
        target=f"{prefix} from {rogue.name}",
        onset=lambda: FibMonitor(lab.namespace(edge), prefix, via_rogue),
        inject=lambda say: turn("enable", say),
        recovery=lambda: FibMonitor(lab.namespace(edge), prefix, lambda hops: not via_rogue(hops), needs_change=False),
        heal=lambda say: turn("disable", say),
    )


def impostor(lab: Lab, words: Sequence[str]) -> Fault:
    """The partner announces the web service's prefix and answers for it, with a copied identity and without a key."""
    if words:
        raise FaultError(f"impostor takes no words, not {' '.join(words)!r}")
    [rogue] = lab.of(Role.ROGUE)
    [edge] = [session.far(rogue.name) for session in lab.sessions_of(rogue.name)]
    site = next(site for site in SITES if site.name == rogue.place)
    taken, service = hijack(lab, ()), SERVICES[0]

    def inject(say: Say) -> None:
        routes = (f"route replace local {service.prefix} dev lo", f"route replace {site.range} via {edge.address}")
        space.batch(routes, lab.namespace(rogue.name))
        who = ["--region", "weu", "--nva", "weu-nva1", "--instance", "weu-app1"]
        ports = ["--udp", str(RESPONDER_PORT), "--http", str(HTTP_PORT)]
        argv = [sys.executable, "-m", "lab.impostor", "--bind", str(service.address), *ports, *who]
        processes.start(lab, rogue.name, "impostor", argv)
        say(f"{rogue.name}: answers for {service.address} as if it were weu-app1")
        taken.inject(say)

    def heal(say: Say) -> None:
        taken.heal(say)
        running = processes.find(lab, rogue.name, "impostor")
        if running is not None:
            processes.stop([running])
            say(f"{rogue.name}: answers no more")

    return Fault(taken.target, taken.onset, inject, taken.recovery, heal)


def change_local_pref(lab: Lab, words: Sequence[str]) -> Fault:
    """Set another LOCAL_PREF for a region in an edge router's route map."""
    numbers = [int(word) for word in words if word.isdigit()]
    edges = [node for node in lab.of(Role.EDGE) if node.name in words] or [lab.by_name["ams-ce1"]]
    places = [each.name for each in REGIONS if each.name in words] or ["weu"]
    if len(numbers) + sum(word in {edges[0].name, places[0]} for word in words) != len(words) or len(numbers) > 1:
        raise FaultError("change-local-pref takes an edge router, a region and a number, such as ams-ce1 weu 150")
    edge, place = edges[0], places[0]
    meant = next(site for site in SITES if site.edge == edge.name).local_pref.get(place)
    if meant is None:
        raise FaultError(f"{edge.name} sets no LOCAL_PREF for {place}; ams-ce1 does")
    value = numbers[0] if numbers else OTHER_LOCAL_PREF
    return Fault(
        target=f"{place} at {edge.name}: {value} in place of {meant}",
        onset=lambda: _told(lab, edge, value),
        inject=lambda say: _set(lab, edge, place, value, say),
        recovery=lambda: _told(lab, edge, meant),
        heal=lambda say: _set(lab, edge, place, meant, say),
    )


def _set(lab: Lab, edge: Node, place: str, value: int, say: Say) -> None:
    """The route map's own delay timer decides when it acts: the effect is later than this command."""
    entry = _entry(frr.ask(lab, edge.name, "show running-config"), place)
    command = f"set local-preference {value}"
    frr.ask(lab, edge.name, "configure terminal", entry, command)
    say(f"{edge.name}: {entry}: {command}")


def _entry(running: str, place: str) -> str:
    """Find the route-map entry that matches a region's community list in a running configuration."""
    found = re.search(
        rf"^(route-map from-azure permit \d+)\n(?: .*\n)*? match community {place}$", running, re.MULTILINE
    )
    if found is None:
        raise FaultError(f"no entry of route map from-azure matches community {place}")
    return found[1]


def _told(lab: Lab, edge: Node, value: int) -> Witness:
    """The edge router's iBGP session to the collector carries the new LOCAL_PREF of any service."""
    prefixes = {service.prefix for service in SERVICES}

    def telling(segment: Segment) -> str | None:
        if not (segment.bgp and segment.source == edge.address and segment.target == COLLECTOR_ADDRESS):
            return None
        for sent in updates(segment.payload):
            if sent.local_pref == value and prefixes & set(sent.announced):
                return f"UPDATE from {edge.name} with LOCAL_PREF {value}"
        return None

    return PacketTap(lab.namespace("collector"), telling)
