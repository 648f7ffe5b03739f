"""What a full re-dump is worth: no event. And a withdrawal with the same announcement after it: two.

On the lab. A re-dump of everything: every NVA and Route Server instance sends GoBGP its whole table again, which GoBGP
also goes through again (a soft reset in), and each edge router goes through all that its neighbours said, and says all
of it again (a soft reset both ways). That it came is seen from the daemon's own count of routes. Then one NVA withdraws
a service and announces it again as it was.
"""

import random
import time
from collections.abc import Callable
from typing import Any

from lab import space, truth
from lab.daemons import bird, frr
from lab.topology import SERVICES, Role
from tests.prove.figures import Proven, Target, load
from tests.prove.labs import WatchedLab, now, watched_lab
from tests.prove.partial import Partial, Repeat
from tests.rig import eventually

NAME = "redump"
SEED = 20263
REPEATS = 10
LEAST = 60
"""Routes that a re-dump holds at least: each of three services at twenty vantages."""
NVA, VANTAGE = "weu-nva1", "gobgp/weu-nva1"


def prove(say: Callable[[str], None]) -> Proven:
    """Run both parts."""
    dumps, pairs = Partial(NAME, "dumps"), Partial(NAME, "pairs")
    if len(dumps.repeats) < REPEATS or len(pairs.repeats) < REPEATS:
        with watched_lab("pvdump") as watched:
            while len(dumps.repeats) < REPEATS:
                dumps.add(redump(watched))
                say(f"re-dump {len(dumps.repeats)} of {REPEATS}: {dumps.repeats[-1]}")
            while len(pairs.repeats) < REPEATS:
                pairs.add(pair(watched, random.Random(SEED + len(pairs.repeats))))
                say(f"withdrawn and announced {len(pairs.repeats)} of {REPEATS}: {pairs.repeats[-1]}")
    return _proven(dumps.repeats, pairs.repeats)


def redump(watched: WatchedLab) -> Repeat:
    """Have everybody send everything again; returns how many routes came, and how many events came of them."""
    since, before, told = now(), _routes(watched), len(watched.hook.messages)
    _again(watched)
    eventually(lambda: _all_came(watched, before), 20, what=f"the re-dump; before it there were {before}")
    time.sleep(1.5)
    after = _routes(watched)
    lines = [*watched.lines(since, "route"), *watched.lines(since, "finding")]
    return {
        "routes": sum(after.values()) - sum(before.values()),
        "events": len(lines),
        "notifications": len(watched.hook.messages) - told,
        "texts": [line["text"] for line in lines],
        "load": load(),
    }


def _again(watched: WatchedLab) -> None:
    lab = watched.lab
    for session in lab.sessions_of("collector"):
        peer = lab.by_name[session.listener.node]
        if peer.role is not Role.EDGE:
            bird.ask(lab, peer.name, f"reload out {bird.protocol('collector')}")
        space.run(lab.namespace("collector"), ["gobgp", "neighbor", str(peer.address), "softresetin"])
    for edge in lab.of(Role.EDGE):
        frr.ask(lab, edge.name, "clear bgp ipv4 unicast * soft")


def _routes(watched: WatchedLab) -> dict[str, int]:
    return {feed["exporter"]: feed["routes"] for feed in watched.rig.client.get("/api/v1/status")["feeds"]}


def _all_came(watched: WatchedLab, before: dict[str, int]) -> bool:
    came = {exporter: routes - before[exporter] for exporter, routes in _routes(watched).items()}
    return sum(came.values()) >= LEAST and all(count >= len(SERVICES) for count in came.values())


def pair(watched: WatchedLab, draw: random.Random) -> Repeat:
    """Have one NVA withdraw a service and announce it as it was; returns what was said of its vantage."""
    service = draw.choice(SERVICES)
    prefix, address = str(service.prefix), str(watched.lab.by_name[NVA].address)
    since = now()
    bird.ask(watched.lab, NVA, f"disable {service.protocol}")
    eventually(lambda: address not in truth.heard_by_collector(watched.lab, prefix), 10, 0.02, f"{prefix} to go")
    bird.ask(watched.lab, NVA, f"enable {service.protocol}")
    eventually(lambda: address in truth.heard_by_collector(watched.lab, prefix), 10, 0.02, f"{prefix} to come")
    eventually(lambda: not watched.rig.records(), 20, what="a healthy network")
    time.sleep(0.5)
    lines = [line for line in watched.lines(since, "route") if line["vantage"] == VANTAGE]
    return {"said": [line["what"] for line in lines], "prefixes": sorted({line["prefix"] for line in lines})}


def _proven(dumps: list[Repeat], pairs: list[Repeat]) -> Proven:
    figures: dict[str, Any] = {
        "redumps": len(dumps),
        "routes_sent_again": sum(repeat["routes"] for repeat in dumps),
        "routes_sent_again_least": min(repeat["routes"] for repeat in dumps),
        "events": sum(repeat["events"] for repeat in dumps),
        "notifications": sum(repeat["notifications"] for repeat in dumps),
        "load_average": max(repeat["load"] for repeat in dumps),
        "withdrawn_and_announced": len(pairs),
        "pairs_said_as_two": sum(repeat["said"] == ["withdrawn", "announced"] for repeat in pairs),
    }
    targets = (
        Target("routes in the smallest re-dump", figures["routes_sent_again_least"], at_least=LEAST),
        Target("events of all re-dumps", figures["events"], exactly=0),
        Target("notifications of all re-dumps", figures["notifications"], exactly=0),
        Target("pairs said as exactly two events", figures["pairs_said_as_two"], exactly=len(pairs)),
    )
    return Proven(SEED, figures, targets)
