"""One prober as a process, for `benchmarks.probing`: asks at a rate for some seconds and says what that took, as JSON.

python -m benchmarks.prober icmp|udp --rate N [--seconds S] [--targets N] [--address A] [--port P] [--keep FILE]
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections import Counter
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from anycast.probe import Target, TargetKind
from collector.probe.agent.garbage import calm
from collector.probe.agent.loop import Prober
from collector.probe.config.values import AgentSettings, Asked, Centre, IcmpProbe, Probes, UdpProbe
from collector.probe.identity.keys import Key, Keys
from collector.probe.taken import Taken

KEY_SECRET = b"benchmarks of probing"
KEY = Key(1, "london", KEY_SECRET)
WARM = 1.0
"""Seconds before anything counts."""


def settings(told: argparse.Namespace) -> AgentSettings:
    """As many targets and flows as give the rate; all have one address, which costs what many do."""
    each = told.rate / told.targets
    probes = (
        Probes(icmp=IcmpProbe(1 / each))
        if told.how == "icmp"
        else Probes(udp=UdpProbe(told.port, 0, told.flows, told.flows / each, 0.0))
    )
    targets = []
    for number in range(told.targets):
        if probes.udp is not None:
            probes = Probes(udp=UdpProbe(told.port, 20_000 + number * told.flows, told.flows, told.flows / each, 0.0))
        address = ip_address(told.address) + (number if told.spread else 0)
        targets.append(Asked(Target(f"svc{number}", TargetKind.SERVICE, address), probes))
    centre = Centre("https://centre.invalid", Path("token"))
    cap = told.rate * 1.1 + 100
    return AgentSettings(Path("agent.yaml"), "london", centre, Path("data"), cap=cap, targets=tuple(targets))


async def measure(told: argparse.Namespace) -> dict[str, Any]:
    """Run a prober and count."""
    calm()
    ended: Counter[str] = Counter()
    kept: list[tuple[str, int, int]] = []
    counting = False

    def deliver(taken: Taken) -> None:
        if counting:
            ended[f"{taken.outcome}{' tainted' if taken.tainted else ''}"] += 1
            if told.keep and taken.rtt is not None:
                kept.append((f"udp {taken.port}" if taken.port else f"icmp {at[taken.target]}", taken.wall, taken.rtt))

    asked = settings(told)
    at = {each.target.name: str(each.target.address) for each in asked.targets}
    prober = Prober(asked, deliver, Keys((KEY,)))
    running = asyncio.ensure_future(prober.run())
    await asyncio.sleep(WARM)
    prober.health()
    counting, began = True, (time.perf_counter(), _cpu())
    await asyncio.sleep(told.seconds)
    wall, cpu = time.perf_counter() - began[0], _cpu() - began[1]
    health = prober.health()
    counting = False
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    if told.keep:
        Path(told.keep).write_text(json.dumps(kept))
    return {
        "sent_per_second": round(health.sent / wall),
        "cpu_us_per_probe": round(cpu / max(1, health.sent) * 1e6, 2),
        "core_percent": round(cpu / wall * 100, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "unsent": health.unsent,
        "lag_p99_ms": round(health.lag / 1e6, 2),
        "ended": dict(ended),
        "lacking": health.lacking,
    }


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("how", choices=("icmp", "udp"))
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--targets", type=int, default=10)
    parser.add_argument("--flows", type=int, default=32)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=31122)
    parser.add_argument("--keep", default="", help="a file: what, when it was sent (ns), its round trip (ns)")
    parser.add_argument(
        "--spread", action="store_true", help="each target has an address of its own, from --address up"
    )
    json.dump(asyncio.run(measure(parser.parse_args())), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
