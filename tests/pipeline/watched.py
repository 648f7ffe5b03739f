"""A daemon of its own for a test: a small intent, exporters on loopback, and everything asked over its Unix socket."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from pipeline.client import Client, NoDaemon
from tests.rig import eventually
from tests.speaker import Speaker, attributes

INTENT = """\
catchment: 1
listen: {{bmp: "127.0.0.1:{bmp}", http: "127.0.0.1:0"}}
services:
  web: {{prefix: 10.250.0.10/32, owner: team-web, regions: {{weu: active, eus: active}}}}
regions:
  weu:
    route_server: {{instances: {{weu-rs0: 10.10.255.4, weu-rs1: 10.10.255.5}}}}
    nvas: {{weu-nva1: {{address: 10.10.1.4, asn: 65010}}}}
    recognise: {{communities: ["12076:51002"]}}
  eus:
    route_server: {{instances: {{eus-rs0: 10.20.255.4, eus-rs1: 10.20.255.5}}}}
    nvas: {{eus-nva1: {{address: 10.20.1.4, asn: 65020}}}}
    recognise: {{communities: ["12076:51004"]}}
sites: {{ams: {{routers: {{ams-ce1: 127.0.7.2}}, tiers: [[weu], [eus]]}}}}
exporters: {{gobgp: {{addresses: [127.0.7.1], collector: true}}, ams-ce1: {{addresses: [127.0.7.2]}}}}
thresholds: {{quiet: 1s, settle: 10s}}
receivers: {{hook: {{webhook: "{hook}", least: info}}}}
"""
WEB = "10.250.0.10/32"
NVAS = {"weu": ("10.10.1.4", 65010), "eus": ("10.20.1.4", 65020)}
INSTANCES = {"weu": ("10.10.255.4", "10.10.255.5"), "eus": ("10.20.255.4", "10.20.255.5")}


class Hook(ThreadingHTTPServer):
    """A receiver that keeps what it is sent."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Hook)
        self.server.messages.append(json.loads(body) | {"key_header": self.headers["Idempotency-Key"]})
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


class Watched:
    """The daemon and its surroundings."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.hook = folder, Hook()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.bmp = probe.getsockname()[1]
        self.intent = folder / "mine.yaml"
        self.intent.write_text(INTENT.format(bmp=self.bmp, hook=self.hook.url))
        self.log = folder / "daemon.log"
        self.client = Client(folder / "data")
        self.gobgp = Speaker(("127.0.0.1", self.bmp), "127.0.7.1")
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the daemon; returns when it answers."""
        argv = [sys.executable, "-m", "pipeline", "run", "-c", str(self.intent), "--data", str(self.folder / "data")]
        with self.log.open("ab") as output:
            self.child = subprocess.Popen(argv, stdout=output, stderr=output, env=os.environ | {"PYTHONWARNINGS": ""})
        eventually(self._answers, 30, what="an answer of the daemon")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the daemon and return its exit code."""
        assert self.child is not None
        self.child.send_signal(how)
        return self.child.wait(15)

    def _answers(self) -> bool:
        assert self.child is not None
        assert self.child.poll() is None, self.log.read_text()[-3000:]
        try:
            return bool(self.client.get("/api/v1/status"))
        except NoDaemon:
            return False

    def healthy(self, *regions: str) -> None:
        """Have the collector's GoBGP speak: every session up, and web advertised by the NVAs of `regions`."""
        self.gobgp.connect("gobgp")
        for region, (nva, asn) in NVAS.items():
            self.gobgp.peer_up(nva, asn)
            for instance in INSTANCES[region]:
                self.gobgp.peer_up(instance, 65515)
        for region in regions or tuple(NVAS):
            self.advertise(region)

    def advertise(self, region: str) -> None:
        """Announce web from a region: its NVA, and both Route Server instances."""
        nva, asn = NVAS[region]
        self.gobgp.announce(nva, asn, WEB, attributes(nva, asn))
        for instance in INSTANCES[region]:
            self.gobgp.announce(instance, 65515, WEB, attributes(instance, 65515, asn))

    def withdraw(self, region: str) -> None:
        """Withdraw web from a region."""
        nva, asn = NVAS[region]
        self.gobgp.withdraw(nva, asn, WEB)
        for instance in INSTANCES[region]:
            self.gobgp.withdraw(instance, 65515, WEB)

    def presence(self, region: str) -> str:
        """The three-valued presence of web in a region."""
        [service] = self.client.get("/api/v1/services")["services"]
        return str(next(each["presence"] for each in service["regions"] if each["region"] == region))

    def findings(self, *states: str) -> set[str]:
        """Keys of findings in these states (pending and open by default), without ams-ce1, which never speaks here."""
        records = self.client.get("/api/v1/findings", state=list(states) or None)["findings"]
        return {record["key"] for record in records if "ams" not in record["key"]}

    def wait(self, ask: Callable[[], object], within: float = 15, what: str = "") -> None:
        """Wait until something is true; the daemon's log is in the failure."""
        try:
            eventually(ask, within, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log.read_text()[-2500:]}") from error

    def close(self) -> None:
        """End everything."""
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        self.gobgp.reset()
        self.hook.shutdown()
        self.hook.server_close()


@contextmanager
def running(folder: Path) -> Iterator[Watched]:
    """A daemon that was started, with its surroundings; all of it ends, whatever happens."""
    made = Watched(folder)
    try:
        made.start()
        yield made
    finally:
        made.close()
