"""Gaps in our sight of the lab, made and ended, with what may happen in them; and what Catchment says afterwards.

A cycle is: all in sight; sight is lost; perhaps a region really withdraws a service meanwhile (or had before); sight
returns. Then our state must equal the routers' own tables, and what is said must be what truly differs, and no more.
"""

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from anycast.plain import parse_stamp
from lab import faults, processes
from lab.daemons import gobgp
from tests.prove.labs import WatchedLab, now
from tests.rig import eventually

REGIONS = ("weu", "eus")
EXPORTERS = ("ams-ce1", "nyc-ce1", "gobgp")


class Mode(StrEnum):
    """What truly happens around a gap."""

    NOTHING = "nothing"
    DURING = "during"
    """A region withdraws a service while we do not see it."""
    BEFORE = "before"
    """A region withdrew a service, and people were told, before the gap."""


@dataclass(frozen=True)
class Gap:
    """One way to lose sight."""

    feeds: tuple[str, ...]
    """Exporters whose feed is lost."""
    begin: Callable[[WatchedLab], None]
    end: Callable[[WatchedLab], None]


def _cut(way: str) -> Gap:
    def begin(watched: WatchedLab) -> None:
        for exporter in EXPORTERS:
            faults.inject(watched.lab, "cut-bmp", [way, exporter])

    def end(watched: WatchedLab) -> None:
        faults.heal(watched.lab)

    return Gap(EXPORTERS, begin, end)


def _kill_gobgp(watched: WatchedLab) -> None:
    process = processes.find(watched.lab, "collector", "gobgpd")
    assert process is not None, "no gobgpd runs that could be killed"
    processes.send(process, signal.SIGKILL)


def _end(how: signal.Signals) -> Gap:
    return Gap(EXPORTERS, lambda watched: watched.rig.stop(how), lambda watched: watched.rig.start())


def _start_gobgp(watched: WatchedLab) -> None:
    gobgp.start(watched.lab)


GAPS = {
    "bmp-reset": _cut("--reset"),
    "bmp-silent": _cut("--silent"),
    "gobgp-killed": Gap(("gobgp",), _kill_gobgp, _start_gobgp),
    "catchment-stopped": _end(signal.SIGTERM),
    "catchment-killed": _end(signal.SIGKILL),
}


@dataclass
class Account:
    """What a cycle showed; every list must be empty."""

    gap: str
    mode: Mode
    feeds: int
    seconds: float = 0.0
    differences: list[str] = field(default_factory=list)
    """Between our state and the routers' tables."""
    false: list[str] = field(default_factory=list)
    """Lines about `missing`, and about routes, that nothing true stands behind."""
    lacking: list[str] = field(default_factory=list)
    """What was true and was not said, or not with both ends of the gap."""
    repeated: list[str] = field(default_factory=list)
    """What the receiver was told twice."""

    @property
    def wrong(self) -> list[str]:
        """All of it."""
        return [*self.differences, *self.false, *self.lacking, *self.repeated]


def cycle(watched: WatchedLab, name: str, mode: Mode, draw: random.Random) -> Account:
    """Lose sight once and take account of it."""
    gap, region = GAPS[name], draw.choice(REGIONS)
    account, begun = Account(name, mode, len(gap.feeds)), time.monotonic()
    if mode is Mode.BEFORE:
        earlier = len(watched.hook.messages)
        watched.withdraw(region)
        eventually(lambda: _is_told(watched, region, earlier), 20, what=f"the receiver to be told of web in {region}")
        watched.resynced()
        time.sleep(1)
    since, told = now(), len(watched.hook.messages)
    gap.begin(watched)
    time.sleep(draw.uniform(0, 3))
    left, gone = time.time(), 0.0
    if mode is Mode.DURING:
        gone = watched.withdraw(region)
    time.sleep(draw.uniform(0, 1))
    gap.end(watched)
    watched.resynced()
    account.differences += watched.equal()
    if mode is Mode.DURING:
        _said_of_what_went(watched, account, gap, region, since, left, gone)
    time.sleep(3)  # a hold-down, so that what would open opens
    _nothing_false(watched, account, region, since, told)
    if mode is not Mode.NOTHING:
        watched.announce(region)
        watched.healthy()
        watched.resynced()
        account.differences += watched.equal()
    _told_once(watched, account)
    account.seconds = round(time.monotonic() - begun, 1)
    return account


def _key(region: str) -> str:
    return f"missing|service=web|prefix=10.250.0.10/32|region={region}"


def _is_told(watched: WatchedLab, region: str, earlier: int) -> bool:
    later = watched.hook.messages[earlier:]
    return any(message["key"] == _key(region) and message["status"] == "opened" for message in later)


def _said_of_what_went(
    watched: WatchedLab, account: Account, gap: Gap, region: str, since: datetime, left: float, gone: float
) -> None:
    """What was withdrawn in the gap is a finding, and a line for each vantage that has both ends of the gap."""
    try:
        eventually(lambda: _key(region) in watched.rig.open_keys(), 15, what=_key(region))
    except AssertionError:
        account.lacking.append(f"{_key(region)} did not open")
    lines = [line for line in watched.lines(since, "route") if line["what"] == "withdrawn"]
    seen = {line["vantage"] for line in lines}
    wanted = {f"gobgp/{region}-nva1", f"gobgp/{region}-nva2", f"gobgp/{region}-rs0", f"gobgp/{region}-rs1"}
    wanted |= {f"{site}-{region}-msee{number}" for site in ("ams", "nyc") for number in (1, 2)}
    account.lacking += [f"no line says that web went at {vantage}" for vantage in sorted(wanted - seen)]
    for line in lines:
        blind = _feed(line["vantage"]) in gap.feeds
        if blind and not _covers(line, left, gone):
            account.lacking.append(
                f"{line['text']}: it went between {_time(left)} and {_time(gone)}, not between "
                f"{line.get('not_before')} and {line['at']}"
            )


def _feed(vantage: str) -> str:
    return "gobgp" if vantage.startswith("gobgp/") else f"{vantage[:3]}-ce1"


def _covers(line: dict[str, Any], left: float, gone: float) -> bool:
    """Whether the interval that a line gives holds all of the time in which it happened."""
    if "not_before" not in line:
        return False
    return parse_stamp(line["not_before"]).timestamp() <= left and gone <= parse_stamp(line["at"]).timestamp()


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _nothing_false(watched: WatchedLab, account: Account, region: str, since: datetime, told: int) -> None:
    """No `missing` but of what is really missing, and no route that changed but of that service."""
    real = account.mode is Mode.DURING
    for line in watched.lines(since, "finding"):
        truly = real and line.get("service") == "web" and line.get("region") == region
        if line["text"].startswith("missing") and not truly:
            account.false.append(line["text"])
    account.false += [
        line["text"] for line in watched.lines(since, "route") if not (real and line.get("service") == "web")
    ]
    if not real:
        messages = watched.hook.messages[told:]
        account.false += [f"told: {m['key']} {m['status']}" for m in messages if m["kind"].startswith("missing")]


def _told_once(watched: WatchedLab, account: Account) -> None:
    seen: set[tuple[str, str, str]] = set()
    for message in watched.hook.messages:
        what = (message["id"], message["status"], message["severity"])
        if what in seen:
            account.repeated.append(f"told again: {message['key']} {message['status']}")
        seen.add(what)
