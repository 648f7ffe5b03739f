"""Our own programs in the lab: application servers, the NVAs' health checks and the delay line."""

import json
import signal
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from anycast.intent import TrafficMode
from lab import processes, topology
from lab.app import Trouble
from lab.delay import End, Wire, text_of, wires_of
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
    ports = ["--http", str(APP_HTTP_PORT), "--udp", str(APP_ID_PORT), "--trouble", str(_trouble_file(lab, app))]
    return processes.start(lab, app.name, "app", [sys.executable, "-m", "lab.app", *who, *ports])


def ail(lab: Lab, app: Node, trouble: Trouble) -> None:
    """Make an application slow or failing, or well again. Raises RuntimeError when it does not run."""
    running = processes.find(lab, app.name, "app")
    _trouble_file(lab, app).write_text(json.dumps(asdict(trouble)))
    if running is None or not processes.send(running, signal.SIGHUP):
        raise RuntimeError(f"the application on {app.name} does not run")


def _trouble_file(lab: Lab, app: Node) -> Path:
    return lab.node_folder(app.name) / "trouble.json"


def start_health(lab: Lab, nva: Node) -> Process:
    """Start an NVA's health check: through its own HAProxy where it is a proxy, at the server where it is not."""
    proxied = region(nva.place).mode is TrafficMode.PROXY
    target = f"{SERVICES[0].address}:{HTTP_PORT}" if proxied else f"{serves(lab, nva).address}:{APP_HTTP_PORT}"
    argv = ["--app", target, "--control", f"{lab.node_folder(nva.name)}/bird.ctl"]
    for service in SERVICES:
        if nva.place in service.prepends:
            argv += ["--protocol", service.protocol]
    return processes.start(lab, nva.name, "health", [sys.executable, "-m", "lab.health", *argv])


def wires(lab: Lab) -> tuple[Wire, ...]:
    """Return the delay line's wires: names, ends, and microseconds each way."""
    return tuple(_wire(wire) for wire in lab.wires)


def _wire(wire: topology.Wire) -> Wire:
    each_way = wire.one_way_delay // timedelta(microseconds=1)
    return Wire(wire.name, End(wire.namespace, wire.left), End(wire.namespace, wire.right), each_way, each_way)


def carried(lab: Lab) -> tuple[Wire, ...]:
    """Return the wires as the running delay line carries them now."""
    return wires_of(_wires_file(lab).read_text())


def recarry(lab: Lab, changed: Iterable[Wire]) -> None:
    """Have the delay line carry all of its wires as `changed` says. Raises RuntimeError when it does not run."""
    line = processes.find(lab, "wire", "delay")
    draft = _wires_file(lab).with_suffix(".new")
    draft.write_text(text_of(tuple(changed)))
    draft.replace(_wires_file(lab))
    if line is None or not processes.send(line, signal.SIGHUP):
        raise RuntimeError("the delay line does not run")


def carried_at(lab: Lab) -> float:
    """Return when the delay line last took other wires, seconds since the epoch; 0 where it never did."""
    try:
        return float(_wires_file(lab).with_suffix(".at").read_text())
    except (FileNotFoundError, ValueError):
        return 0.0


def _wires_file(lab: Lab) -> Path:
    return lab.node_folder("wire") / "wires.json"


def lateness(lab: Lab) -> Path:
    """Return the file in which the delay line reports its own lateness, every second."""
    return lab.node_folder("wire") / "lateness.json"


def start_delay(lab: Lab) -> Process:
    """Start the delay line; it has written its first report when all wires are open."""
    [node] = lab.of(Role.WIRE)
    file = _wires_file(lab)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text_of(wires(lab)))
    argv = ["--wires", str(file), "--report", str(lateness(lab))]
    return processes.start(lab, node.name, "delay", [sys.executable, "-m", "lab.delay", *argv])
