"""A site with an agent and a centre, as processes of their own: what was taken, and what is in the journal."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipeline.agents.enrol import enrol
from pipeline.config import load
from store.folder import Folder
from store.scan import Scan
from tests import needs

INTENT = """catchment: 1
listen: {{bmp: "127.0.0.1:0", http: "127.0.0.1:0", agents: "{host}:{port}"}}
agents: {{certificate: ./agents/centre.pem, key: ./agents/centre.key}}
services: {{web: {{prefix: 10.250.0.10/32, regions: {{weu: active}}}}}}
regions: {{weu: {{nvas: {{weu-nva1: {{address: 10.10.1.4, asn: 65010}}}}}}}}
sites:
  ams: {{routers: {{ams-ce1: 10.90.0.1}}, tiers: [[weu]], agent: {{token_file: ./agents/ams.token}}}}
  nyc: {{routers: {{nyc-ce1: 10.91.0.1}}, tiers: [[weu]], agent: {{token_file: ./agents/nyc.token}}}}
exporters: {{ams-ce1: {{addresses: [10.90.0.1]}}}}
{more}"""
AGENT = """agent: 1
site: {site}
centre: {{url: "https://{host}:{port}", token_file: ./{site}.agent-token, ca_file: ./agents/centre.pem}}
data: ./{data}
spool: {quota}
user: {user}
services: {{web: {{address: 127.0.0.1, icmp: {{every: 100ms}}}}}}
"""


def free_port() -> int:
    """A TCP port that nobody has."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


def wait_for(path: Path, words: str, within: float = 60.0) -> str:
    """Wait until a log says something."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        said = path.read_text() if path.exists() else ""
        if words in said:
            return said
        time.sleep(0.05)
    raise AssertionError(f"{path} did not say {words!r} within {within:.0f} s:\n{path.read_text()[-3000:]}")


@dataclass
class Place:
    """One folder with an intent file, tokens, and agents' files."""

    folder: Path
    host: str = "127.0.0.1"
    more: str = ""
    prefix: Sequence[str] = ()
    """Before an agent's command: the way into a namespace."""
    port: int = field(default_factory=free_port)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        os.chmod(self.folder, 0o755)
        self.intent.write_text(INTENT.format(host=self.host, port=self.port, more=self.more))
        for site in ("ams", "nyc"):
            enrol(load(self.intent), site, self.folder / f"{site}.agent-token", [self.host])

    @property
    def intent(self) -> Path:
        """The intent file."""
        return self.folder / "catchment.yaml"

    def agent_file(self, site: str = "ams", data: str = "agent-data", quota: str = "200MB") -> Path:
        """Write an agent's file."""
        path = self.folder / f"{data}.yaml"
        user = "nobody"
        path.write_text(AGENT.format(site=site, host=self.host, port=self.port, data=data, quota=quota, user=user))
        return path

    def centre(self, module: str = "tests.pipeline.agents.centre") -> "subprocess.Popen[bytes]":
        """Start a centre: the door for agents and the journal alone, or the whole daemon."""
        log = self.folder / "centre.log"
        log.unlink(missing_ok=True)
        argv = [sys.executable, "-m", *module.split(), str(self.intent)]
        started = self._start(argv, log)
        wait_for(log, "listening for agents")
        return started

    def agent(self, file: Path, rate: int = 100) -> "subprocess.Popen[bytes]":
        """Start an agent that takes `rate` results a second and says in `truth` which were taken."""
        truth = file.with_suffix(".truth")
        argv = [*self.prefix, sys.executable, "-m", "tests.pipeline.agents.taking", str(file), str(truth), str(rate)]
        return self._start(argv, file.with_suffix(".log"))

    def _start(self, argv: Sequence[str], log: Path) -> "subprocess.Popen[bytes]":
        with log.open("ab") as output:
            started = subprocess.Popen(argv, cwd=needs.ROOT, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        self.processes.append(started)
        return started

    def end(self) -> None:
        """Kill what still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()

    def journal(self) -> list[tuple[str, str, int, int, str]]:
        """Site, run, batch, number and name of every result in the journal, in the order of writing."""
        scan = Scan(Folder(self.folder / "data" / "journal"), date.min, date.max)
        try:
            return [
                (str(site), str(run), int(batch), int(number), str(detail))
                for site, run, batch, number, detail in scan.rows(
                    "select site, run, batch, number, detail from probes order by row", {}, "probes"
                )
            ]
        finally:
            scan.close()


def stop(process: "subprocess.Popen[bytes]", how: signal.Signals = signal.SIGTERM, within: float = 30.0) -> int:
    """End a process; returns what it left with."""
    process.send_signal(how)
    return process.wait(within)


def truth(file: Path) -> list[str]:
    """Names of the results that an agent took, in order: those that its spool had."""
    path = file.with_suffix(".truth")
    raw = path.read_text() if path.exists() else ""
    return raw[: raw.rfind("\n") + 1].split()


@dataclass(frozen=True)
class Account:
    """What was taken, beside what is in the journal."""

    taken: int
    missing: list[str]
    twice: list[str]
    disordered: list[str]
    """Runs whose results are not in order, or lack a batch in the middle."""
    untold: int
    """Results in the journal of which the truth does not know: an agent was killed between its spool and its truth."""


def accounted(place: Place, *files: Path) -> Account:
    """Compare the journal with what agents took."""
    rows = place.journal()
    names = Counter(name for *_, name in rows)
    taken = [name for file in files for name in truth(file)]
    runs: dict[str, list[tuple[int, int]]] = {}
    for _, run, batch, number, _ in rows:
        runs.setdefault(run, []).append((batch, number))
    return Account(
        taken=len(taken),
        missing=sorted(set(taken) - names.keys()),
        twice=sorted(name for name, count in names.items() if count > 1),
        disordered=[run for run, places in runs.items() if places != sorted(places) or not _whole(places)],
        untold=len(names.keys() - set(taken)),
    )


def _whole(places: Sequence[tuple[int, int]]) -> bool:
    batches = {batch for batch, _ in places}
    return len(batches) == max(batches) - min(batches) + 1
