"""A daemon that watches twenty services through a collector's GoBGP, an edge router, and another that may dump."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.client import Client, NoDaemon, socket_path
from tests.rig import eventually
from tests.speaker import Speaker, attributes

SERVICES = 20
INTENT = """\
catchment: 1
listen: {{bmp: "127.0.0.1:{bmp}", http: "127.0.0.1:0"}}
services:
{services}
regions:
  weu:
    route_server: {{instances: {{weu-rs0: 10.10.255.4, weu-rs1: 10.10.255.5}}}}
    nvas: {{weu-nva1: {{address: 10.10.1.4, asn: 65010}}, weu-nva2: {{address: 10.10.1.5, asn: 65010}}}}
    recognise: {{communities: ["12076:51002"]}}
  eus:
    route_server: {{instances: {{eus-rs0: 10.20.255.4, eus-rs1: 10.20.255.5}}}}
    nvas: {{eus-nva1: {{address: 10.20.1.4, asn: 65020}}, eus-nva2: {{address: 10.20.1.5, asn: 65020}}}}
    recognise: {{communities: ["12076:51004"]}}
sites:
  ams: {{routers: {{ams-ce1: 127.0.7.2}}, tiers: [[weu, eus]]}}
  nyc: {{routers: {{nyc-ce1: 127.0.7.3}}, tiers: [[weu, eus]]}}
exporters:
  gobgp: {{addresses: [127.0.7.1], collector: true}}
  ams-ce1: {{addresses: [127.0.7.2]}}
  nyc-ce1: {{addresses: [127.0.7.3]}}
{exporters}thresholds: {{quiet: 1s, settle: 10s, flap_count: 1000}}
"""
PREFIXES = tuple(f"172.30.{number}.1/32" for number in range(SERVICES))
"""Of the services, by number: outside of what a dump holds."""
NVAS = (("10.10.1.4", 65010), ("10.10.1.5", 65010), ("10.20.1.4", 65020), ("10.20.1.5", 65020))
INSTANCES = (("10.10.255.4", 65010), ("10.10.255.5", 65010), ("10.20.255.4", 65020), ("10.20.255.5", 65020))
MSEES = (("172.16.0.1", "12076:51002"), ("172.16.0.5", "12076:51004"))
POURS = "127.0.7.3"
"""Where the edge router that dumps connects from."""
PATIENCE = 60.0
METRIC = re.compile(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", re.MULTILINE)


@dataclass
class Scene:
    """The daemon and who speaks to it."""

    folder: Path
    port: int
    child: "subprocess.Popen[bytes]"
    gobgp: Speaker
    edge: Speaker

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def client(self) -> Client:
        """A way to ask the daemon."""
        return Client(self.data)

    @property
    def pid(self) -> int:
        """The daemon's process."""
        return self.child.pid

    def announce(self, service: int) -> None:
        """The first NVA announces a service (again)."""
        peer, asn = NVAS[0]
        self.gobgp.announce(peer, asn, PREFIXES[service], attributes(peer, asn))

    def withdraw(self, service: int) -> None:
        """The first NVA withdraws a service."""
        peer, asn = NVAS[0]
        self.gobgp.withdraw(peer, asn, PREFIXES[service])

    def speak(self) -> None:
        """Everybody but the router that dumps says what a healthy network says."""
        self.gobgp.connect("gobgp")
        for peer, asn in NVAS:
            self.gobgp.peer_up(peer, asn)
            for prefix in PREFIXES:
                self.gobgp.announce(peer, asn, prefix, attributes(peer, asn))
        for peer, asn in INSTANCES:
            self.gobgp.peer_up(peer, 65515)
            for prefix in PREFIXES:
                self.gobgp.announce(peer, 65515, prefix, attributes(peer, 65515, asn))
        self.edge.connect("ams-ce1")
        for peer, community in MSEES:
            self.edge.peer_up(peer, 12076, local_asn=65101)
            for prefix in PREFIXES:
                self.edge.announce(peer, 12076, prefix, attributes(peer, 12076, communities=(community,)))

    def healthy(self) -> bool:
        """Whether every service is seen from everybody who speaks, every table is complete, and nothing is wrong."""
        services = self.client.get("/api/v1/services")["services"]
        sessions = self.client.get("/api/v1/status")["sessions"]
        regions = [region for service in services for region in service["regions"]]
        present = all(region["presence"] == "present" for region in regions)
        complete = sum(session["state"] == "up" for session in sessions) == len(NVAS) + len(INSTANCES) + len(MSEES)
        return present and complete and not [record for record in self.findings() if "nyc" not in record["key"]]

    def findings(self, *states: str) -> list[dict[str, Any]]:
        """Findings in these states (pending and open by default)."""
        return list(self.client.get("/api/v1/findings", state=list(states) or None)["findings"])

    def metrics(self) -> dict[str, float]:
        """What /metrics says now, by name and labels."""
        return metrics(self.data)

    def resident(self) -> int:
        """MiB of memory that the daemon holds."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def metrics(data: Path) -> dict[str, float]:
    """Read /metrics over the Unix socket: a number for each name with its labels."""
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(30)
        door.connect(str(socket_path(data)))
        door.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: door.recv(1 << 16), b"")).decode()
    return {name: float(value) for name, value in METRIC.findall(answer)}


@contextmanager
def scene(exporters: str = "") -> Iterator[Scene]:
    """Start a daemon in a folder of its own, and have everybody speak; end it whatever happens.

    `exporters`: more of them, as lines of the intent.
    """
    with tempfile.TemporaryDirectory(prefix="catchment-prove-") as name:
        folder = Path(name)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        intent = folder / "mine.yaml"
        intent.write_text(INTENT.format(bmp=port, services=_services(), exporters=exporters))
        child = _start(folder, intent)
        station = ("127.0.0.1", port)
        made = Scene(folder, port, child, Speaker(station, "127.0.7.1"), Speaker(station, "127.0.7.2"))
        try:
            eventually(lambda: _answers(made), PATIENCE, what="an answer of the daemon")
            made.speak()
            eventually(made.healthy, PATIENCE, what="a healthy network")
            yield made
        finally:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            made.gobgp.reset()
            made.edge.reset()


def _services() -> str:
    regions = "{weu: active, eus: active}"
    return "\n".join(
        f"  s{number:02}: {{prefix: {prefix}, mode: proxy, regions: {regions}}}"
        for number, prefix in enumerate(PREFIXES)
    )


def _start(folder: Path, intent: Path) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "pipeline", "run", "-c", str(intent), "--data", str(folder / "data")]
    with (folder / "daemon.log").open("ab") as output:
        return subprocess.Popen(argv, stdout=output, stderr=output)


def _answers(made: Scene) -> bool:
    if made.child.poll() is not None:
        raise AssertionError("the daemon ended:\n" + (made.folder / "daemon.log").read_text()[-3000:])
    try:
        return bool(made.client.get("/api/v1/status"))
    except NoDaemon:
        return False
