"""The agent's file, from its path to settings or to every mistake in it at once."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from anycast.probe import Identity, Target, TargetKind
from collector.probe.config.fit import misfits
from collector.probe.config.lints import lints
from collector.probe.config.shape import AGENT, CENTRE, CONTROL, IDENTITY, PROBES, SERVICE, WHO, Mistake, Walk
from collector.probe.config.values import (
    AgentSettings,
    Asked,
    CanaryProbe,
    Centre,
    DnsProbe,
    HttpProbe,
    IcmpProbe,
    Matcher,
    MtuProbe,
    Part,
    Probes,
    TcpProbe,
    ThroughputProbe,
    TraceProbe,
    UdpProbe,
)
from collector.probe.config.words import read_name, read_path
from collector.probe.identity.keys import KEY_IDS, KEYS_PER_SITE
from collector.written.document import LARGEST, Document, read_document, within
from collector.written.problem import ConfigError, KeyPath, Problem, Weight
from collector.written.words import shown

MOST_PROBLEMS = 1000
MOST_TARGETS = 500
MOST_KNOWN = 1000
SOURCE_PORTS = 20_000
"""First source port of fixed flows; below what systems give out by themselves (ip_local_port_range)."""

MADE: Mapping[str, type[Any]] = {
    "udp": UdpProbe, "icmp": IcmpProbe, "tcp": TcpProbe, "http": HttpProbe, "dns": DnsProbe, "mtu": MtuProbe,
    "trace": TraceProbe, "canary": CanaryProbe, "throughput": ThroughputProbe,
}  # fmt: skip
SPELT: Mapping[str, str] = {"source_port": "source", "bytes": "octets", "ca_file": "ca"}
"""Keys of probes whose value is named otherwise in settings."""


def load(path: Path) -> AgentSettings:
    """Read an agent's file. Raises ConfigError with every problem of it when at least one of them is an error."""
    settings, problems = check(path)
    if settings is None:
        raise ConfigError(problems)
    return settings


def check(path: Path) -> tuple[AgentSettings | None, tuple[Problem, ...]]:
    """Return the settings (None when there are errors), and every problem in the order of the file."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        said = f"cannot be read: {error.strerror or error}; name an agent's file that can"
        return None, (Problem(str(path), 0, 0, (), said),)
    return read(raw, path)


def read(raw: bytes, path: Path) -> tuple[AgentSettings | None, tuple[Problem, ...]]:
    """Check the bytes of an agent's file that stands, or will stand, at `path`; answers as `check` does."""
    document = read_document(raw, "an agent's file")
    faults = [Problem(str(path), each.mark.line, each.mark.column, each.path, each.message) for each in document.faults]
    if document.tree is None and faults:
        return None, tuple(faults)[:MOST_PROBLEMS]
    walk = Walk(document)
    settings = _Reading(walk, path).settings()
    problems = [*faults, *_problems(walk.mistakes, document, path, Weight.ERROR)]
    if not problems and settings is not None:
        problems = list(_problems(lints(settings), document, path, Weight.LINT))
    refused = any(each.severity is Weight.ERROR for each in problems)
    ordered = sorted(problems, key=lambda each: (each.line, each.column))[:MOST_PROBLEMS]
    return None if refused else settings, tuple(ordered)


def _problems(mistakes: list[Mistake], document: Document, path: Path, weight: Weight) -> Iterator[Problem]:
    for each in dict.fromkeys(mistakes):
        mark = document.mark(each.path, each.on_key)
        yield Problem(str(path), mark.line, mark.column, each.path, each.message, weight)


class _Reading:
    """One file on its way to settings; paths in it are seen from its own folder."""

    def __init__(self, walk: Walk, path: Path) -> None:
        self._walk, self._path, self._folder = walk, path, path.absolute().parent

    def settings(self) -> AgentSettings | None:
        """Return the settings, made of what could be read; None where too little could."""
        if not isinstance(self._walk.document.tree, dict):
            said = "is empty" if self._walk.document.tree is None else "is no mapping"
            self._walk.wrong((), f"{said}; an agent's file begins with `agent: 1`")
            return None
        top = self._walk.part((), AGENT)
        centre = self._centre()
        targets = [*self._targets("services", SERVICE), *self._targets("controls", CONTROL)]
        first = top.get("source_ports", SOURCE_PORTS)
        settings = AgentSettings(
            source=self._path,
            site=top.get("site", ""),
            centre=centre,
            data=self._folder / top.get("data", Path("agent-data")),
            keys=self._keys(),
            targets=tuple(ported(targets, first)),
            **_given(top, quota="spool", user="user", cap="rate_cap", timeout="timeout", late="late", lag="taint_lag"),
        )
        self._walk.mistakes += misfits(settings, self._walk.document.tree)
        return settings

    def _centre(self) -> Centre:
        found = self._walk.part(("centre",), CENTRE) if self._has(("centre",)) else {}
        ca = found.get("ca_file")
        token = self._folder / found.get("token_file", Path("token"))
        return Centre(found.get("url", ""), token, self._folder / ca if ca else None)

    def _has(self, path: KeyPath) -> bool:
        return within(self._walk.document.tree, path)

    def _keys(self) -> dict[int, Path]:
        found: dict[int, Path] = {}
        for key, value in (self._walk.mapping(("keys",)) if self._has(("keys",)) else {}).items():
            if not (key.isascii() and key.isdigit() and int(key[:6]) in KEY_IDS):
                self._walk.wrong(("keys", key), f"{shown(key)} is no key's id; it is a number from 1 to 65535", True)
                continue
            try:
                found[int(key)] = self._folder / read_path(value)
            except ValueError as error:
                self._walk.wrong(("keys", key), str(error))
        if len(found) > KEYS_PER_SITE:
            self._walk.wrong(("keys",), f"holds {len(found)} keys; {KEYS_PER_SITE} at most are valid at once")
        return found

    def _targets(self, under: str, table: Mapping[str, Any]) -> Iterator[Asked]:
        if not self._has((under,)):
            return
        names = self._walk.mapping((under,))
        if len(names) > MOST_TARGETS:
            self._walk.wrong((under,), f"holds {len(names)} targets; one agent asks {MOST_TARGETS} at most")
        for name in list(names)[:MOST_TARGETS]:
            path: KeyPath = (under, name)
            try:
                read_name(name)
            except ValueError as error:
                self._walk.wrong(path, str(error), on_key=True)
            found = self._walk.part(path, table)
            if not isinstance(names[name], dict):
                continue
            probes = {probe: made for probe in PROBES if probe in names[name] and (made := self._probe(path, probe))}
            circuit = self._circuit(names[name])
            target = Target(
                name=name,
                kind=found.get("kind", TargetKind.SERVICE if under == "services" else TargetKind.GATEWAY),
                address=found.get("address"),
                region=found.get("region"),
                nva=found.get("nva") or (name if found.get("kind") is TargetKind.NVA else None),
                circuit=circuit,
                service=found.get("service"),
            )
            yield Asked(target, Probes(**probes))

    def _circuit(self, target: Mapping[str, Any]) -> str | None:
        throughput = target.get("throughput")
        circuit = throughput.get("circuit") if isinstance(throughput, dict) else None
        return circuit if isinstance(circuit, str) else None

    def _probe(self, target: KeyPath, probe: str) -> Any:
        """One probe's values; None where it lacks what it is nothing without."""
        path = (*target, probe)
        found = self._walk.part(path, PROBES[probe])
        if any(key.needs and name not in found for name, key in PROBES[probe].items()):
            return None
        values = {SPELT.get(key, key): value for key, value in found.items() if key != "circuit"}
        if "ca" in values:
            values["ca"] = self._folder / values["ca"]
        if "identity" in PROBES[probe] and self._has((*path, "identity")):
            values["identity"] = self._matcher((*path, "identity"), probe)
        if probe == "udp":
            values.setdefault("source", 0)
        return MADE[probe](**values)

    def _matcher(self, path: KeyPath, probe: str) -> Matcher | None:
        found = self._walk.part(path, IDENTITY)
        fitting = (Part.ANSWER,) if probe == "dns" else (Part.HEADER, Part.JSON, Part.BODY, Part.CERTIFICATE)
        given = [part for part in Part if str(part) in self._walk.mapping(path)]
        if len(given) != 1 or given[0] not in fitting:
            self._walk.wrong(path, f"needs exactly one of {', '.join(map(str, fitting))}", on_key=True)
        where = found.get(str(given[0])) if given else None
        names_itself = given[:1] == [Part.BODY] and isinstance(where, str) and "{}" not in where
        known = {} if names_itself and not self._has((*path, "known")) else self._known((*path, "known"))
        if where is None:
            return None
        return Matcher(given[0], where if isinstance(where, str) else "", known)

    def _known(self, path: KeyPath) -> dict[str, Identity]:
        names = self._walk.mapping(path) if self._has(path) else {}
        if not names or len(names) > MOST_KNOWN:
            said = f"needs `known`: 1 to {MOST_KNOWN} texts that may be found, each with who that is"
            self._walk.wrong(path[:-1], f"{said}, such as {{web-1: {{region: weu}}}}", on_key=True)
        return {text: Identity(**self._walk.part((*path, text), WHO)) for text in list(names)[:MOST_KNOWN]}


def _given(top: Mapping[str, Any], **names: str) -> dict[str, Any]:
    """Values that the file gives, under the names of settings; the rest keeps its defaults."""
    return {name: top[key] for name, key in names.items() if key in top}


def ported(targets: list[Asked], first: int) -> Iterator[Asked]:
    """Give each target that is asked by UDP source ports of its own, from `first` on, around those that are written."""
    written = [udp for asked in targets if (udp := asked.probes.udp) is not None and udp.source]
    taken = {port for udp in written for port in range(udp.source, udp.source + udp.flows)}
    free = first
    for asked in targets:
        udp = asked.probes.udp
        if udp is None or udp.source:
            yield asked
            continue
        while not taken.isdisjoint(range(free, free + udp.flows)):
            free += 1
        yield replace(asked, probes=replace(asked.probes, udp=replace(udp, source=free)))
        free += udp.flows
