"""Catchment's own programs at the edges: responders on application servers and NVAs, an agent at each site's client.

They are started as an operator would start them, from files, by their command lines; what they share with the centre
(keys, tokens, a certificate) is made anew for each lab.
"""

import hashlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lab import processes
from lab.app import BULK, BULK_OCTETS
from lab.daemons.application import behind
from lab.state import Process
from lab.topology import (
    AGENTS_PORT,
    APP_HTTP_PORT,
    COLLECTOR_ADDRESS,
    HTTP_PORT,
    ON_PREMISES,
    RESPONDER_PORT,
    SERVICES,
    SITES,
    Lab,
    Node,
    Role,
    Site,
    region,
)

FLOWS = 32
EVERY = "500ms"
RESPONDS = (Role.APPLICATION, Role.NVA)


def folder(lab: Lab) -> Path:
    """Return where the lab's keys, tokens and certificate are."""
    return lab.folder / "probing"


def certificate(lab: Lab) -> tuple[Path, Path]:
    """Return the files of the centre's certificate and its key."""
    return folder(lab) / "centre.pem", folder(lab) / "centre.key"


def token(lab: Lab, site: str) -> Path:
    """Return the file with a site's token."""
    return folder(lab) / f"{site}.token"


def fingerprint(lab: Lab, site: str) -> Path:
    """Return the file with the fingerprint of a site's token: all that the centre has of it."""
    return folder(lab) / f"{site}.fingerprint"


def _key(lab: Lab, site: Site) -> Path:
    return folder(lab) / f"{site.name}.key"


def make_secrets(lab: Lab) -> None:
    """Make what the ends share. Raises RuntimeError with openssl's words when it refuses."""
    folder(lab).mkdir(parents=True, exist_ok=True)
    folder(lab).chmod(0o700)
    for site in SITES:
        word = secrets.token_urlsafe(32)
        _write(token(lab, site.name), word + "\n")
        _write(fingerprint(lab, site.name), f"sha256:{hashlib.sha256(word.encode()).hexdigest()}\n")
        _write(_key(lab, site), secrets.token_hex(32) + "\n")
    pem, key = certificate(lab)
    subject = ["-subj", "/CN=lab centre", "-addext", f"subjectAltName=IP:{COLLECTOR_ADDRESS}", "-days", "30"]
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    done = subprocess.run(
        [*argv, "-keyout", str(key), "-out", str(pem), *subject], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"openssl makes no certificate for the lab: {done.stderr.strip()}")
    key.chmod(0o600)


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def responder_file(lab: Lab, node: Node) -> str:
    """Return the file of the responder on an application server or an NVA."""
    return "\n".join((*_responder(lab, node), ""))


def _responder(lab: Lab, node: Node) -> Iterator[str]:
    nva = behind(lab, node) if node.role is Role.APPLICATION else node
    vnet = region(node.place).vnet  # a proxying NVA asks for its clients
    yield "responder: 1"
    yield "user: root"  # the lab is root's own, and so are its keys
    yield f"region: {node.place}"
    yield f"nva: {nva.name}"
    yield f"instance: {node.name}"
    yield 'generation: "1"'
    yield f"services: [{', '.join(each.name for each in SERVICES if node.place in each.prepends)}]"
    yield f"listen: {{udp: ['{node.address}:{RESPONDER_PORT}']}}"
    yield "keys:"
    for site in SITES:
        yield f"  {site.number + 1}: {{file: {_key(lab, site)}, site: {site.name}}}"
    yield f"allow: [{', '.join(str(each) for each in (ON_PREMISES, vnet))}]"


def start_responder(lab: Lab, node: Node) -> Process:
    """Start the responder of a node, on the file that is written here."""
    file = lab.node_folder(node.name) / "responder.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(responder_file(lab, node))
    # A little before the rest of the machine: a responder's pauses would be taken for the network's.
    argv = ["nice", "-n", "-5", sys.executable, "-m", "pipeline", "responder", "-c", str(file)]
    return processes.start(lab, node.name, "responder", argv)


def agent_file(lab: Lab, site: Site) -> str:
    """Return the file of a site's agent."""
    return "\n".join((*_agent(lab, site), ""))


def _agent(lab: Lab, site: Site) -> Iterator[str]:
    pem, _ = certificate(lab)
    yield "agent: 1"
    yield f"site: {site.name}"
    yield "centre:"
    yield f"  url: https://{COLLECTOR_ADDRESS}:{AGENTS_PORT}"
    yield f"  token_file: {token(lab, site.name)}"
    yield f"  ca_file: {pem}"
    yield f"data: {lab.node_folder(site.client)}/agent-data"
    yield "rate_cap: 2000"
    yield f"keys: {{{site.number + 1}: {_key(lab, site)}}}"
    yield "services:"
    for service in SERVICES:
        yield f"  {service.name}:"
        yield f"    address: {service.address}"
        yield f"    udp: {{port: {RESPONDER_PORT}, flows: {FLOWS}, every: {EVERY}, rotating: 5}}"
        yield f"    icmp: {{every: {EVERY}}}"
        yield f"    tcp: {{port: {HTTP_PORT}, every: 1s}}"
        yield f"    http: {_http(lab, str(service.address), HTTP_PORT)}"
        yield "    mtu: {every: 10s, sizes: [1300, 1400, 1450, 1500]}"
        yield "    trace: {every: 30s, hops: 8}"
        yield f"    canary: {{url: 'http://{service.address}/.well-known/anycast-id', connections: 4, every: 1s}}"
        if service is SERVICES[0]:
            large = f"url: 'http://{service.address}{BULK}', bytes: {BULK_OCTETS // 1_000_000}MB"
            yield f"    throughput: {{{large}, every: 60s, seconds: 5, circuit: {site.name}-er}}"
    yield "controls:"
    yield f"  gateway: {{kind: gateway, address: {site.lan[1]}, icmp: {{every: 1s}}}}"
    for node in lab.of(Role.NVA):
        yield f"  {node.name}: {{kind: nva, address: {node.address}, region: {node.place}, {_unicast()}}}"
    for node in lab.of(Role.APPLICATION):
        http = _http(lab, str(node.address), APP_HTTP_PORT)
        place = f"region: {node.place}, nva: {behind(lab, node).name}"
        yield f"  {node.name}: {{kind: application, address: {node.address}, {place}, {_unicast()}, http: {http}}}"


def _unicast() -> str:
    return f"icmp: {{every: 1s}}, udp: {{port: {RESPONDER_PORT}, flows: 1, every: {EVERY}, rotating: 0}}"


def _http(lab: Lab, address: str, port: int) -> str:
    known = ", ".join(f"{node.name}: {{region: {node.place}, nva: {node.name}}}" for node in lab.of(Role.NVA))
    where = f"http://{address}:{port}/.well-known/anycast-id"
    return f"{{url: '{where}', every: 1s, identity: {{header: X-Anycast-NVA, known: {{{known}}}}}}}"


def start_agent(lab: Lab, site: Site) -> Process:
    """Start the agent of a site, on the file that is written here."""
    file = lab.node_folder(site.client) / "agent.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(agent_file(lab, site))
    return processes.start(
        lab, site.client, "agent", [sys.executable, "-m", "lab.skewed", str(clock(lab, site)), "agent", "-c", str(file)]
    )


def clock(lab: Lab, site: Site) -> Path:
    """Return the file that says how wrong a client's wall clock is, in seconds; none means that it is right."""
    return lab.node_folder(site.client) / "clock"
