"""How true shares are: what the console says of a site's regions, against packets counted in the network.

On the lab's real routers, at the site whose traffic is meant to be shared. Probes from ports that are used once are
counted at each region's gateway by nftables, which shares nothing with Catchment; what the API says of the same two
minutes is held against it. That is the traffic of the probes themselves; how far they stand for all traffic is chance
(two per cent is one standard deviation of 600 samples), and the interval that is shown beside each share says so: how
often the hash's own share, over very many ports, lies in it is counted, too.
"""

import json
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from lab import space
from lab.faults.machines import fresh
from lab.topology import RESPONDER_PORT, SERVICES, Lab
from tests.prove.figures import Proven, Target, load, percentile
from tests.prove.labs import WatchedLab, watched_lab
from tests.prove.partial import Partial

NAME = "shares"
SEED = 20266
SITE = "nyc"
REGIONS = ("weu", "eus")
SHARED = ("web", "vdi")
WINDOW = 120.0
"""Seconds over which the API counts: 600 probes at five a second."""
WINDOWS = 10
ROTATING = 32768
"""Ports of probes that use each once begin here (ip_local_port_range); fixed flows have lower ones."""
PORTS = 20_000
"""Datagrams by which the hash's own share is taken."""
TABLE = "proof_shares"


def prove(say: Callable[[str], None]) -> Proven:
    """Count through some windows."""
    partial = Partial(NAME, "windows")
    if len(partial.repeats) < WINDOWS:
        with watched_lab("pvshar", probes=True) as watched:
            for region in REGIONS:
                _count_at(watched.lab, region)
            hashed = {service: _hashed(watched.lab, service) for service in SHARED}
            time.sleep(WINDOW + 20)
            while len(partial.repeats) < WINDOWS:
                row = _window(watched, hashed)
                partial.add(row)
                say(f"{len(partial.repeats)} of {WINDOWS}: {row['services']}")
    return _proven(partial.repeats[:WINDOWS])


def _count_at(lab: Lab, region: str) -> None:
    """Count probes to each service where they pass the region's gateway."""
    rules = " ".join(
        f'ip daddr {service.address} udp dport {RESPONDER_PORT} udp sport >= {ROTATING} counter name "{service.name}"; '
        for service in SERVICES
    )
    counters = " ".join(f"counter {service.name} {{ }}" for service in SERVICES)
    chain = f"chain passing {{ type filter hook forward priority -10; {rules} }}"
    ruleset = fresh(TABLE, f"table inet {TABLE} {{ {counters} {chain} }}\n")
    space.run(lab.namespace(f"{region}-gw"), ["nft", "-f", "-"], stdin=ruleset)


def _counted(lab: Lab) -> dict[tuple[str, str], int]:
    """Packets by region and service, so far."""
    found = {}
    for region in REGIONS:
        argv = ["nft", "-j", "list", "counters", "table", "inet", TABLE]
        listed = json.loads(space.run(lab.namespace(f"{region}-gw"), argv).stdout)
        for entry in listed["nftables"]:
            if "counter" in entry:
                found[region, entry["counter"]["name"]] = int(entry["counter"]["packets"])
    return found


def _hashed(lab: Lab, service: str) -> float:
    """The part of very many ports that the routers' hashes lead to the first region."""
    address = str(next(each.address for each in SERVICES if each.name == service))
    before = _counted(lab)

    def send() -> None:
        for port in range(ROTATING, ROTATING + PORTS):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flow:
                flow.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    flow.bind(("0.0.0.0", port))
                except OSError:
                    continue  # a probe has it
                flow.sendto(b"count me", (address, RESPONDER_PORT))
            if port % 50 == 0:
                time.sleep(0.01)

    space.inside(lab.namespace(f"{SITE}-client"), send)
    time.sleep(1)
    return _share(before, _counted(lab), service)


def _share(before: Mapping[tuple[str, str], int], after: Mapping[tuple[str, str], int], service: str) -> float:
    counts = [after[region, service] - before[region, service] for region in REGIONS]
    return counts[0] / sum(counts)


def _window(watched: WatchedLab, hashed: Mapping[str, float]) -> dict[str, Any]:
    before = _counted(watched.lab)
    time.sleep(WINDOW)
    after = _counted(watched.lab)
    time.sleep(1.5)  # until the last of them are answered, and reported
    shown = watched.rig.client.get("/api/v1/catchment", site=SITE)["catchment"]
    return {
        "services": {service: _compared(shown, service, before, after, hashed[service]) for service in SHARED},
        "load": load(),
    }


def _compared(
    shown: list[dict[str, Any]],
    service: str,
    before: Mapping[tuple[str, str], int],
    after: Mapping[tuple[str, str], int],
    hashed: float,
) -> dict[str, Any]:
    [row] = [each for each in shown if each["service"] == service]
    [share] = [each["share"] for each in row["regions"] if each["region"] == REGIONS[0]]
    truth = _share(before, after, service)
    return {
        "shown": round(share["value"], 4),
        "samples": share["samples"],
        "counted": round(truth, 4),
        "error": round(abs(share["value"] - truth), 4),
        "hash": round(hashed, 4),
        "hash_inside": share["low"] <= hashed <= share["high"],
    }


def _proven(rows: list[dict[str, Any]]) -> Proven:
    each = [found for row in rows for found in row["services"].values()]
    errors = [found["error"] for found in each]
    figures = {
        "windows": len(each),
        "samples_least": min(found["samples"] for found in each),
        "error_median": percentile(errors, 0.5),
        "error_most": max(errors),
        "hash_inside_interval": sum(found["hash_inside"] for found in each),
        "load_average": max(row["load"] for row in rows),
        "each": each,
    }
    return Proven(
        SEED,
        figures,
        (
            Target("share against packets counted in the network, the largest error", max(errors), at_most=0.02),
            Target("samples of a share, the fewest", figures["samples_least"], at_least=550),
            Target(
                "windows whose interval holds the hash's own share",
                figures["hash_inside_interval"] / len(each),
                at_least=0.8,
            ),
        ),
    )
