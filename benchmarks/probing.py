"""Probing measured: how many probes a core sends, how right their times are, and what an ordinary agent costs.

python -m benchmarks.probing [throughput | accuracy | agent] [--rounds N] [--seconds S] [--json]

throughput  ICMP on loopback, on one core: ours, fping (-t 1000) and blackbox_exporter, in turns, each alone on its core
accuracy    our round trips beside a packet capture on a veth, at 2,000 probes a second, ICMP and UDP
agent       10 services of 32 flows at 2 Hz: CPU and memory

Needs root; fping and prometheus-blackbox-exporter are left out where they are not installed. What else the machine did
is told as its load.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import aiohttp

ROOT = Path(__file__).resolve().parent.parent
PYTHON: Final = sys.executable
TARGETS: Final = 200
ASKED: Final = 25_000.0
"""Probes a second that ours is asked for: more than must be shown."""
EXPORTER: Final = "prometheus-blackbox-exporter"
PORT: Final = 31122
NEAR, FAR = "198.18.0.1", "198.18.0.2"
CORE, OTHER = "0", "1"
SPREAD: Final = 50
"""Addresses that are asked by ICMP: a capture tells echoes of one address apart by their time alone."""
NUMBERS: Final = 60_000
AFTER: Final = 50_000_000
"""ns after which what left is another probe."""


def run(*command: str, core: str | None = None, within: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, on a core, in a namespace."""
    return subprocess.run(_placed(command, core, within), check=True, capture_output=True, text=True, cwd=ROOT)


def _placed(command: tuple[str, ...], core: str | None, within: str | None) -> list[str]:
    inside = ["ip", "netns", "exec", within] if within else []
    return [*inside, *(["taskset", "-c", core] if core else []), *command]


@contextmanager
def started(*command: str, core: str, within: str | None = None, says: bool = True) -> Iterator[subprocess.Popen[str]]:
    """Run a command beside what is measured; wait for its first line."""
    with subprocess.Popen(_placed(command, core, within), stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            if says:
                assert process.stdout is not None
                process.stdout.readline()
            yield process
        finally:
            process.kill()


def ours(how: str, rate: float, told: argparse.Namespace, *more: str, within: str | None = None) -> dict[str, Any]:
    """Run our prober as a process of its own."""
    options = ("--rate", str(rate), "--seconds", str(told.seconds), *more)
    done = run(PYTHON, "-m", "benchmarks.prober", how, *options, core=CORE, within=within)
    return dict(json.loads(done.stdout))


def fping(told: argparse.Namespace) -> dict[str, Any] | None:
    """As many targets, as fast as it goes. It has numbers for 65,536 probes in ten seconds, and ends when they are used
    up, so that is how long a turn of it may be."""
    if shutil.which("fping") is None:
        return None
    count = max(1, min(NUMBERS // TARGETS, round(ASKED * told.seconds / TARGETS)))
    targets = [f"127.0.1.{number}" for number in range(TARGETS)]
    period = 1000 * TARGETS / ASKED
    command = ["fping", "-q", "-c", str(count), "-p", f"{period:g}", "-i", "0", "-t", "1000", *targets]
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(_placed(tuple(command), CORE, None), capture_output=True, text=True)
    wall, after = time.perf_counter() - began, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    sent = [int(line.split("=", 1)[1].split("/")[0]) for line in done.stderr.splitlines() if "xmt/rcv" in line]
    got = [int(line.split("=", 1)[1].split("/")[1]) for line in done.stderr.splitlines() if "xmt/rcv" in line]
    return _rate(sum(sent), cpu, wall, answered=sum(got))


def blackbox(told: argparse.Namespace) -> dict[str, Any] | None:
    """Asked over HTTP, as Prometheus asks it, by sixteen connections from the other core."""
    if shutil.which(EXPORTER) is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "blackbox.yml"
        config.write_text('{"modules": {"icmp": {"prober": "icmp", "icmp": {"preferred_ip_protocol": "ip4"}}}}')
        listen = "127.0.0.1:31115"
        command = (EXPORTER, f"--config.file={config}", f"--web.listen-address={listen}", "--log.level=error")
        with started(*command, core=CORE, says=False) as process:
            os.sched_setaffinity(0, {int(OTHER)})
            try:
                url = f"http://{listen}/probe?module=icmp&target=127.0.1.1"
                return asyncio.run(_scrape(process.pid, url, told.seconds))
            finally:
                os.sched_setaffinity(0, {int(CORE), int(OTHER)})


async def _scrape(pid: int, url: str, seconds: float) -> dict[str, Any]:
    good = 0

    async def ask(session: aiohttp.ClientSession, end: float) -> None:
        nonlocal good
        while time.perf_counter() < end:
            async with session.get(url) as response:
                good += "probe_success 1" in await response.text()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=16)) as session:
        for _ in range(100):
            try:
                await (await session.get(url)).text()
                break
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
        began, cpu = time.perf_counter(), _cpu_of(pid)
        await asyncio.gather(*(ask(session, began + seconds) for _ in range(16)))
        return _rate(good, _cpu_of(pid) - cpu, time.perf_counter() - began, answered=good)


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rate(sent: int, cpu: float, wall: float, answered: int) -> dict[str, Any]:
    each = cpu / max(1, sent)
    return {
        "sent_per_second": round(sent / wall),
        "cpu_us_per_probe": round(each * 1e6, 2),
        "core_percent": round(100 * cpu / wall, 1),
        "per_core": round(1 / each) if each else 0,
        "answered": answered,
    }


def throughput(told: argparse.Namespace) -> dict[str, Any]:
    """In turns, so that whatever else the machine does meets all of them."""
    rounds: dict[str, list[dict[str, Any]]] = {"ours": [], "fping": [], "blackbox_exporter": []}
    for _ in range(told.rounds):
        mine = ours("icmp", ASKED, told, "--targets", str(TARGETS))
        rounds["ours"].append(mine | {"per_core": round(1e6 / mine["cpu_us_per_probe"])})
        for name, other in (("fping", fping(told)), ("blackbox_exporter", blackbox(told))):
            if other is not None:
                rounds[name].append(other)
    found: dict[str, Any] = {"rounds": rounds, "load": os.getloadavg()[0]}
    for name, turns in rounds.items():
        if turns:
            found[name] = {
                figure: median(turn[figure] for turn in turns)
                for figure in ("sent_per_second", "cpu_us_per_probe", "per_core")
            }
    return found


@contextmanager
def two_hosts() -> Iterator[tuple[str, str]]:
    """Two namespaces and a veth between them, of our own, gone afterwards."""
    near, far = (f"catchment-bench-{os.getpid()}-{side}" for side in "ab")
    run("ip", "netns", "add", near)
    run("ip", "netns", "add", far)
    try:
        run("ip", "-n", near, "link", "add", "near0", "type", "veth", "peer", "name", "far0", "netns", far)
        for name, link, address in ((near, "near0", NEAR), (far, "far0", FAR)):
            run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", link)
            run("ip", "-n", name, "link", "set", link, "up")
            run("ip", "-n", name, "link", "set", "lo", "up")
        for number in range(1, SPREAD):
            run("ip", "-n", far, "addr", "add", f"198.18.0.{2 + number}/24", "dev", "far0")
        yield near, far
    finally:
        for name in (near, far):
            subprocess.run(["ip", "netns", "del", name], check=False)


def accuracy(told: argparse.Namespace) -> dict[str, Any]:
    """Beside a capture of our own on the veth's near end; the kernel stamps both, and each stamps for itself."""
    found: dict[str, Any] = {"load": os.getloadavg()[0], "rate": 2000}
    with two_hosts() as (near, far), tempfile.TemporaryDirectory() as folder:
        responder = (PYTHON, "-m", "benchmarks.identity_responder", FAR, str(PORT))
        with started(*responder, core=OTHER, within=far):
            for how in ("icmp", "udp"):
                pairs, kept = Path(folder) / f"{how}.pairs", Path(folder) / f"{how}.kept"
                tap = (PYTHON, "-m", "benchmarks.wire_tap", "near0", str(told.seconds + 2.5), str(pairs))
                with started(*tap, core=OTHER, within=near) as capture:
                    spread = ("--spread",) if how == "icmp" else ()
                    more = ("--targets", str(SPREAD if spread else 10), "--address", FAR, "--keep", str(kept), *spread)
                    figures = ours(how, 2000.0, told, *more, within=near)
                    capture.wait(timeout=60)
                found[how] = figures | _errors(json.loads(kept.read_text()), json.loads(pairs.read_text()))
    return found


def _errors(kept: list[list[Any]], pairs: list[list[Any]]) -> dict[str, Any]:
    """Our round trip minus the wire's, for each probe that both saw."""
    seen: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for what, left, came in sorted(pairs):
        seen[what].append((left, came - left))
    errors = []
    for what, sent, rtt in kept:
        at = bisect_left(seen[what], (sent, 0))  # the first of its flow that left after we took the time
        if at < len(seen[what]) and seen[what][at][0] - sent < AFTER:
            errors.append(abs(rtt - seen[what][at][1]) / 1000)
    errors.sort()
    assert errors, "the capture and the prober saw nothing in common"
    return {
        "compared": len(errors),
        "of": len(kept),
        "error_us": {f"p{part}": round(errors[len(errors) * part // 100], 1) for part in (50, 90, 99)},
        "error_us_max": round(errors[-1], 1),
        "wire_rtt_us_p50": round(median(came - left for _, left, came in pairs) / 1000, 1),
    }


def agent(told: argparse.Namespace) -> dict[str, Any]:
    """10 services of 32 flows, each at 2 Hz."""
    with started(PYTHON, "-m", "benchmarks.identity_responder", "127.0.0.1", str(PORT), core=OTHER):
        turns = [ours("udp", 640.0, told, "--targets", "10", "--flows", "32") for _ in range(told.rounds)]
    return {
        "load": os.getloadavg()[0],
        "core_percent": median(turn["core_percent"] for turn in turns),
        "cpu_us_per_probe": median(turn["cpu_us_per_probe"] for turn in turns),
        "peak_mb": max(turn["peak_mb"] for turn in turns),
        "rounds": turns,
    }


MEASURES = {"throughput": throughput, "accuracy": accuracy, "agent": agent}


def main() -> int:
    """Measure what is named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", nargs="?", choices=sorted(MEASURES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--json", action="store_true", help="one JSON document with every round")
    told = parser.parse_args()
    if os.geteuid() != 0:
        print("left out: probing is measured as root, with raw sockets and namespaces", file=sys.stderr)
        return 0
    found = {name: MEASURES[name](told) for name in ([told.what] if told.what else MEASURES)}
    if told.json:
        print(json.dumps(found))
        return 0
    for name, figures in found.items():
        print(f"== {name}")
        for key, value in figures.items():
            if key != "rounds":
                print(f"  {key}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
