"""Our own programs in the lab: application servers, the NVAs' health checks and the delay line."""

import json
import sys
from datetime import timedelta
from pathlib import Path

from anycast.intent import TrafficMode
from lab import processes
from lab.state import Process
from lab.topology import APP_HTTP_PORT, APP_ID_PORT, HTTP_PORT, SERVICES, Lab, Node, Role, region


def serves(lab: Lab, nva: Node) -> Node:
    """Return the application server behind an NVA: the one with its number."""
    return lab.by_name[nva.name.replace("-nva", "-app")]


def behind(lab: Lab, app: Node) -> Node:
    """Return the NVA in front of an application server."""
    return lab.by_name[app.name.replace("-app", "-nva")]


def start_app(lab: Lab, app: Node) -> Process:
    """Start the application on a server."""
    who = ["--region", app.place, "--nva", behind(lab, app).name, "--instance", app.name]
    ports = ["--http", str(APP_HTTP_PORT), "--udp", str(APP_ID_PORT)]
    return processes.start(lab, app.name, "app", [sys.executable, "-m", "lab.app", *who, *ports])


def start_health(lab: Lab, nva: Node) -> Process:
    """Start an NVA's health check: through its own HAProxy where it is a proxy, at the server where it is not."""
    proxied = region(nva.place).mode is TrafficMode.PROXY
    target = f"{SERVICES[0].address}:{HTTP_PORT}" if proxied else f"{serves(lab, nva).address}:{APP_HTTP_PORT}"
    argv = ["--app", target, "--control", f"{lab.node_folder(nva.name)}/bird.ctl"]
    for service in SERVICES:
        if nva.place in service.prepends:
            argv += ["--protocol", service.protocol]
    return processes.start(lab, nva.name, "health", [sys.executable, "-m", "lab.health", *argv])


def wires(lab: Lab) -> str:
    """Return the delay line's wires as JSON: names, ends, and microseconds each way."""
    return json.dumps(
        [
            {
                "name": wire.name,
                "a": [wire.namespace, wire.left],
                "b": [wire.namespace, wire.right],
                "us": [wire.one_way_delay // timedelta(microseconds=1)] * 2,
            }
            for wire in lab.wires
        ],
        indent=1,
    )


def lateness(lab: Lab) -> Path:
    """Return the file in which the delay line reports its own lateness, every second."""
    return lab.node_folder("wire") / "lateness.json"


def start_delay(lab: Lab) -> Process:
    """Start the delay line; it has written its first report when all wires are open."""
    [node] = lab.of(Role.WIRE)
    folder = lab.node_folder(node.name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wires.json").write_text(wires(lab))
    argv = ["--wires", f"{folder}/wires.json", "--report", str(lateness(lab))]
    return processes.start(lab, node.name, "delay", [sys.executable, "-m", "lab.delay", *argv])
