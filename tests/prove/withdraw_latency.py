"""How soon a withdrawal is known: from its bytes reaching the daemon's socket to a finding that is pending.

Sent: the time just before the exporter's `sendall` of one BMP message with one withdrawal. Pending: the time at which a
follower of the event stream on the Unix socket holds the line that says so, which is published after the ledger's
commit. Both are read on this machine's one clock, so the figure holds the exporter's system call, loopback TCP,
decoding, judging, the commit to disk, and HTTP. Opened and cleared are taken the same way, less the hold-down of 2 s.

Twenty services take turns, at random moments, while nothing else happens (`idle`), and while another exporter dumps
tables of a million routes, one after the other, through all of the repeats (`during_dumps`).
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.prove.dumps import ROUTES, Dumps, Pace
from tests.prove.figures import Proven, Target, load, spread
from tests.prove.follower import Follower
from tests.prove.partial import Partial, Repeat
from tests.prove.pouring import Pouring
from tests.prove.scene import POURS, SERVICES, Scene, scene

NAME = "withdraw-latency"
SEED = 20261
REPEATS = 200
GAP = 0.5
"""Seconds between two withdrawals, on average."""
HOLD_DOWN = 2.0
PENDING_MS = 100.0
POURED = 100_000.0
"""Routes a second that must come in all the time for it to count as a dump."""
GIVEN_UP = 30.0
KEPT = 20
"""Repeats that are written down together."""
STEPS = ("pending", "opened", "cleared")


@dataclass
class Running:
    """One repeat under way."""

    service: int
    sent: float
    healed: float = 0.0
    seen: dict[str, float] = field(default_factory=dict)
    record: str = ""


def prove(say: Callable[[str], None]) -> Proven:
    """Measure both parts."""
    figures: dict[str, Any] = {"repeats": REPEATS, "services": SERVICES, "hold_down_s": HOLD_DOWN}
    figures["target_p99_ms"] = PENDING_MS
    targets: list[Target] = []
    for part in ("idle", "during_dumps"):
        partial = Partial(NAME, part)
        if len(partial.repeats) < REPEATS:
            _measure(part, partial, say)
        figures[part] = _figures(partial.repeats[:REPEATS])
        targets += _targets(part, figures[part])
    rates = [repeat["routes_per_second"] for repeat in partial.repeats]
    figures["during_dumps"] |= {"routes": ROUTES, "routes_per_second": round(sum(rates) / len(rates))}
    figures["during_dumps"]["routes_per_second_least"] = round(min(rates))
    targets.append(Target("routes a second, the least while 20 repeats ran", min(rates), at_least=POURED))
    return Proven(SEED, figures, tuple(targets))


def _measure(part: str, partial: Partial, say: Callable[[str], None]) -> None:
    with scene() as made:
        if part == "idle":
            _repeat(made, part, partial, say)
            return
        with Pouring(made.port, POURS, ROUTES, SEED) as pouring, Dumps(made, pouring) as dumps:
            _repeat(made, part, partial, say)
        if dumps.failure:
            raise AssertionError(dumps.failure)


def _repeat(made: Scene, part: str, partial: Partial, say: Callable[[str], None]) -> None:
    """Withdraw and announce until there are enough repeats."""
    draw = random.Random(SEED + len(partial.repeats))
    follower, running, done = Follower(made.data), dict[str, Running](), list[Running]()
    wanted, started, due = REPEATS - len(partial.repeats), 0, time.time()
    pace = Pace(made)
    while len(partial.repeats) < REPEATS:
        service = started % SERVICES
        if started < wanted and time.time() >= due and f"s{service:02}" not in running:
            running[f"s{service:02}"] = Running(service, time.time())
            made.withdraw(service)
            started, due = started + 1, time.time() + GAP * draw.uniform(0.5, 1.5)
        line = follower.next(min(max(due - time.time(), 0.001), 0.5))
        if line is not None and (ended := _step(made, running, *line)) is not None:
            done.append(ended)
        if len(done) >= KEPT or len(done) + len(partial.repeats) == REPEATS:
            _keep(made, partial, done, pace.rate())
            say(f"{part}: {len(partial.repeats)} of {REPEATS}")
            done = []
        _not_lost(made, running)


def _keep(made: Scene, partial: Partial, done: list[Running], rate: float) -> None:
    durations = {str(record["id"]): _seconds(record) for record in made.findings("cleared")}
    for each in done:
        partial.add(_row(each, durations, rate))


def _step(made: Scene, running: dict[str, Running], arrived: float, line: dict[str, Any]) -> Running | None:
    """Take a line of the timeline; returns the repeat that it ends."""
    each = running.get(line.get("service", ""))
    if each is not None and line["kind"] == "route" and line["what"] == "withdrawn":
        each.seen["received"] = datetime.fromisoformat(line["at"]).timestamp()
    if each is None or line["kind"] != "finding" or not line["text"].startswith("missing ") or "site" in line:
        return None
    each.seen.setdefault(line["what"], arrived)
    each.seen.setdefault(f"{line['what']} at", datetime.fromisoformat(line["at"]).timestamp())
    each.record = line["finding"]
    if line["what"] == "opened":
        each.healed = time.time()
        made.announce(each.service)
    if line["what"] == "cleared":
        return running.pop(line["service"])
    return None


def _not_lost(made: Scene, running: dict[str, Running]) -> None:
    for each in running.values():
        if time.time() - each.sent > GIVEN_UP:
            log = (made.folder / "daemon.log").read_text()[-2000:]
            raise AssertionError(
                f"s{each.service:02} was withdrawn, and of {STEPS} there came {list(each.seen)}\n{log}"
            )


def _seconds(record: dict[str, Any]) -> float:
    since, until = (datetime.fromisoformat(text) for text in (record["finding"]["since"], record["cleared_at"]))
    return (until - since).total_seconds()


def _row(each: Running, durations: dict[str, float], rate: float) -> Repeat:
    return {
        "sent": each.sent,
        "received": each.seen["received"] - each.sent,
        "judged": each.seen["pending at"] - each.sent,
        "pending": each.seen["pending"] - each.sent,
        "opened": each.seen["opened"] - each.sent - HOLD_DOWN,
        "cleared": each.seen["cleared"] - each.healed - HOLD_DOWN,
        "duration_error": abs(durations[each.record] - (each.healed - each.sent)),
        "routes_per_second": rate,
        "load": load(),
    }


def _figures(repeats: list[Repeat]) -> dict[str, float]:
    names = {"pending": "pending", "opened": "opened_after_hold_down", "cleared": "cleared_after_hold_down"}
    figures: dict[str, float] = {"load_average": max(repeat["load"] for repeat in repeats)}
    for key, name in (("received", "received"), ("judged", "judged"), *names.items(), ("duration_error",) * 2):
        figures |= spread([repeat[key] for repeat in repeats], name)
    return figures


def _targets(part: str, figures: dict[str, float]) -> list[Target]:
    words = part.replace("_", " ")
    return [
        Target(f"pending, {words}, 99th percentile", figures["pending_p99_ms"], at_most=PENDING_MS, unit="ms"),
        Target(
            f"open after its hold-down, {words}, 99th percentile",
            figures["opened_after_hold_down_p99_ms"],
            at_most=PENDING_MS,
            unit="ms",
        ),
        Target(f"duration, {words}, largest error", figures["duration_error_max_ms"], at_most=PENDING_MS, unit="ms"),
    ]
