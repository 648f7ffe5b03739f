"""What does not fit together in an agent's file: rates over the cap, ports that two have, probes without a key."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from anycast.probe import TargetKind
from collector.probe.config.shape import CONTROL, PROBES, Mistake
from collector.probe.config.values import AgentSettings, Asked, Part
from collector.written.problem import KeyPath

HIGHEST = 65535


def misfits(settings: AgentSettings, tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield what does not fit; `tree` tells what was written from what is a default."""
    for check in CHECKS:
        yield from check(settings, tree)


def _places(settings: AgentSettings) -> Iterator[tuple[tuple[str, str], Asked]]:
    for asked in settings.targets:
        under = "services" if asked.target.kind is TargetKind.SERVICE else "controls"
        yield (under, asked.target.name), asked


def names_and_addresses_are_used_once(settings: AgentSettings, tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """Results go by the target's name, and one service's address is no other's."""
    names: dict[str, KeyPath] = {}
    addresses: dict[object, str] = {}
    for path, asked in _places(settings):
        name, address = asked.target.name, asked.target.address
        if name in names:
            yield Mistake(path, f"{name} is the name of a service already; call the control otherwise", on_key=True)
        names.setdefault(name, path)
        if address is not None and asked.target.kind is TargetKind.SERVICE:
            if address in addresses:
                yield Mistake((*path, "address"), f"{address} is the address of {addresses[address]} already")
            addresses.setdefault(address, name)


def targets_are_asked(settings: AgentSettings, tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """Each target is asked by something, at an address where that needs one."""
    for path, _ in _places(settings):
        written = tree[path[0]][path[1]]
        by = [probe for probe in PROBES if probe in written]
        if not by and written.keys() <= CONTROL.keys():  # else a misspelt key may be what it is asked by
            said = f"is asked by nothing; write one of {', '.join(PROBES)}, such as `icmp: {{every: 1s}}`"
            yield Mistake(path, said, on_key=True)
        needing = [probe for probe in by if probe not in ("http", "throughput")]
        if needing and "address" not in written:
            yield Mistake(path, f"needs `address`: it is asked by {needing[0]}; write one, such as 10.250.0.10", True)


def controls_say_where_they_stand(settings: AgentSettings, tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """An NVA or an application is a control of its region."""
    for path, asked in _places(settings):
        target = asked.target
        if target.kind in (TargetKind.NVA, TargetKind.APPLICATION) and "region" not in tree[path[0]][path[1]]:
            yield Mistake(path, f"needs `region`: the one that this {target.kind} stands in", on_key=True)


def probes_are_whole(settings: AgentSettings, tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """A trace follows fixed flows, a canary sits on a port or asks a URL, what is under a key has a key."""
    for path, asked in _places(settings):
        written, probes = tree[path[0]][path[1]], asked.probes
        if probes.trace is not None and "udp" not in written:
            yield Mistake((*path, "trace"), "follows the flows of `udp`, which is not there; write it, too", True)
        if probes.canary is not None and bool(probes.canary.port) == bool(probes.canary.url):
            yield Mistake((*path, "canary"), "needs either `port` or `url`, and not both", on_key=True)
        if settings.keys or "keys" in tree:
            continue
        under_key = [("udp", probes.udp is not None)]
        under_key += [("http", probes.http is not None and "identity" not in written["http"])]
        for probe, needs in under_key:
            if needs:
                said = "asks for an identity under a key, and there is none; write `keys: {1: ./agent.key}`"
                instead = ", or say by `identity` how the answer names who answered" if probe == "http" else ""
                yield Mistake((*path, probe), said + instead, on_key=True)


def certificates_come_by_tls(settings: AgentSettings, tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """What is read from a certificate needs one."""
    for path, asked in _places(settings):
        http = asked.probes.http
        if http is None or http.url.startswith("https:"):
            continue
        if http.ca is not None:
            yield Mistake((*path, "http", "ca_file"), "is for https; the URL is http, so leave it out", on_key=True)
        if http.identity is not None and http.identity.part is Part.CERTIFICATE:
            said = "is read from the certificate of https; the URL is http, so write https or another way"
            yield Mistake((*path, "http", "identity"), said, on_key=True)


def source_ports_are_apart(settings: AgentSettings, tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """No two fixed flows have one source port."""
    owners: dict[int, str] = {}
    for path, asked in _places(settings):
        udp = asked.probes.udp
        if udp is None:
            continue
        ports = range(udp.source, udp.source + udp.flows)
        if ports[-1] > HIGHEST:
            yield Mistake((*path, "udp"), f"flows take source ports up to {ports[-1]}, and {HIGHEST} is the last")
        other = next((owners[port] for port in ports if port in owners), None)
        if other is not None:
            said = f"source ports {ports[0]} to {ports[-1]} overlap those of {other}"
            yield Mistake((*path, "udp", "source_port"), f"{said}; each target has its own")
        owners |= dict.fromkeys(ports, asked.target.name)


def rates_are_under_the_cap(settings: AgentSettings, tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """All targets together ask for no more than the cap."""
    if settings.rate > settings.cap:
        most = max(settings.targets, key=lambda asked: asked.probes.rate)
        path: KeyPath = ("rate_cap",) if "rate_cap" in tree else ()
        yield Mistake(
            path,
            f"targets ask for {settings.rate:.0f} probes a second, and the cap is {settings.cap:.0f}; "
            f"ask less often ({most.target.name} takes {most.probes.rate:.0f}), or write a higher `rate_cap`",
            on_key=not path,
        )


def times_are_in_order(settings: AgentSettings, tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """An answer is late only after it was lost."""
    if settings.late < settings.timeout:
        key = "late" if "late" in tree else "timeout"
        said = f"late answers are told up to {settings.late:g} s, before the timeout of {settings.timeout:g} s"
        yield Mistake((key,), f"{said}; write a later one")


CHECKS: tuple[Callable[[AgentSettings, Mapping[str, Any]], Iterator[Mistake]], ...] = (
    names_and_addresses_are_used_once,
    targets_are_asked,
    controls_say_where_they_stand,
    probes_are_whole,
    certificates_come_by_tls,
    source_ports_are_apart,
    rates_are_under_the_cap,
    times_are_in_order,
)
