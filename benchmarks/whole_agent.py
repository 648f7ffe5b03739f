"""The whole agent as `catchment agent` runs it, 10 services of 32 flows at 2 Hz: CPU and memory of the process.

python -m benchmarks.whole_agent [--seconds S] [--all]

Probes, batches and the spool; its centre does not answer, so that what is measured includes writing all results to
disk. With --all each service is also asked by ICMP, TCP, HTTP and four canaries, each once a second.
"""

import argparse
import json
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.prober import KEY_SECRET
from benchmarks.probing import CORE, OTHER, PORT, started

HEAD = """agent: 1
site: london
centre: {url: "https://127.0.0.1:9", token_file: token}
user: nobody
keys: {1: key}
data: data
rate_cap: 1000
services:
"""


def file_of(services: int, everything: bool) -> str:
    """Write an agent's file."""
    lines = [HEAD]
    for number in range(services):
        lines.append(f"  svc{number}:\n    address: 127.0.0.{10 + number}\n    udp: {{port: {PORT}, rotating: 0}}\n")
        if everything:
            lines.append(f"    icmp: {{every: 1s}}\n    tcp: {{port: {PORT + 1}, every: 1s}}\n")
            url = f"http://svc{number}.example:{PORT + 1}/.well-known/anycast-id"
            lines.append(f'    http: {{url: "{url}", every: 1s}}\n')
            lines.append(f"    canary: {{port: {PORT + 2}}}\n")
    return "".join(lines)


def main() -> int:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--all", action="store_true")
    told = parser.parse_args()
    if os.geteuid() != 0:
        sys.stderr.write("left out: only root starts an agent that then becomes somebody else\n")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "agent.yaml").write_text(file_of(10, told.all))
        for secret, text in (("key", KEY_SECRET.hex()), ("token", secrets.token_urlsafe(32))):
            (folder / secret).write_text(text + "\n")
            (folder / secret).chmod(0o600)
        responder = (sys.executable, "-m", "benchmarks.identity_responder", "0.0.0.0", str(PORT))
        command = (str(Path(sys.executable).with_name("catchment")), "agent", "-c", str(folder / "agent.yaml"))
        with started(*responder, core=OTHER), started(*command, core=CORE, says=False) as agent:
            time.sleep(4.0)
            assert agent.poll() is None, "the agent ended"
            before, began = _cpu(agent.pid), time.perf_counter()
            time.sleep(told.seconds)
            share = (_cpu(agent.pid) - before) / (time.perf_counter() - began)
            memory = _memory(agent.pid)
    figures = {"core_percent": round(100 * share, 2), "load": os.getloadavg()[0]} | memory
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> dict[str, float]:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {"rss_mb": int(lines["VmRSS"].split()[0]) / 1024, "peak_mb": int(lines["VmHWM"].split()[0]) / 1024}


if __name__ == "__main__":
    sys.exit(main())
