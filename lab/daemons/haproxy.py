"""HAProxy: the NVAs of a region in reverse-proxy mode.

It binds the anycast addresses, and says in a header which NVA answered.
"""

from collections.abc import Iterator
from pathlib import Path

from lab import processes
from lab.daemons.application import serves
from lab.state import Process
from lab.topology import APP_HTTP_PORT, HTTP_PORT, SERVICES, Lab, Node


def config(lab: Lab, node: Node) -> str:
    """Return the configuration of one NVA's HAProxy."""
    return "\n".join((*_lines(lab, node), ""))


def _lines(lab: Lab, node: Node) -> Iterator[str]:
    yield from ("global", "  maxconn 1000", "  nbthread 1", "  no numa-cpu-mapping")
    yield f"  stats socket {lab.node_folder(node.name)}/haproxy.sock mode 600 level admin"
    yield from ("defaults", "  mode http", "  timeout connect 1s", "  timeout client 30s", "  timeout server 30s")
    yield "frontend anycast"
    for service in SERVICES:
        if node.place in service.prepends:
            yield f"  bind {service.address}:{HTTP_PORT}"
    yield from (f"  http-response set-header X-Anycast-NVA {node.name}", "  default_backend application")
    yield "backend application"
    # No check of HAProxy's own: the NVA's health check decides, and its withdrawal is what the lab is about.
    app = serves(lab, node)
    yield f"  server {app.name} {app.address}:{APP_HTTP_PORT}"


def write(lab: Lab, node: Node) -> Path:
    """Write a node's configuration and return its path."""
    path = lab.node_folder(node.name) / "haproxy.cfg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(config(lab, node))
    return path


def start(lab: Lab, node: Node) -> Process:
    """Start HAProxy, one process in the foreground, on the configuration that `write` wrote."""
    argv = ["haproxy", "-db", "-f", f"{lab.node_folder(node.name)}/haproxy.cfg"]
    return processes.start(lab, node.name, "haproxy", argv)
