"""Faults of the agents at the sites and of their hosts: what they cannot see, and must not make up."""

import signal
import sys
from collections.abc import Sequence

from lab import processes
from lab.daemons import probing
from lab.faults.rules import Rules, dropping
from lab.faults.verb import Fault, FaultError, Say
from lab.topology import AGENTS_PORT, COLLECTOR_ADDRESS, SITES, Lab, Site
from lab.witness import TableWatcher, Witness

CENTRE = f"ip daddr {COLLECTOR_ADDRESS} tcp dport {AGENTS_PORT}"


def kill_agent(lab: Lab, words: Sequence[str]) -> Fault:
    """Kill a site's agent without a word of warning."""
    site, _ = _site(lab, words)
    return Fault(
        site.name,
        lambda: _runs(lab, site, False),
        lambda say: _kill(lab, site, say),
        lambda: _runs(lab, site, True),
        lambda say: _start(lab, site, say),
    )


def _kill(lab: Lab, site: Site, say: Say) -> None:
    running = processes.find(lab, site.client, "agent")
    if running is None:
        raise FaultError(f"no agent runs on {site.client}; bring the lab up with --probes")
    processes.send(running, signal.SIGKILL)
    say(f"{site.client}: agent killed (pid {running.pid})")


def _start(lab: Lab, site: Site, say: Say) -> None:
    if processes.find(lab, site.client, "agent") is None:
        say(f"{site.client}: agent started (pid {probing.start_agent(lab, site).pid})")


def _runs(lab: Lab, site: Site, wanted: bool) -> Witness:
    def ask() -> str | None:
        found = processes.find(lab, site.client, "agent") is not None
        return f"it {'runs' if found else 'is gone'}" if found is wanted else None

    return TableWatcher(f"kernel's processes on {site.client}", ask, 0.02)


def starve_agent(lab: Lab, words: Sequence[str]) -> Fault:
    """Let a site's agent run half of the time only, in pieces of 150 ms."""
    site, _ = _site(lab, words)

    def inject(say: Say) -> None:
        running = processes.find(lab, site.client, "agent")
        if running is None:
            raise FaultError(f"no agent runs on {site.client}; bring the lab up with --probes")
        processes.start(lab, site.client, "pulse", [sys.executable, "-m", "lab.pulse", "--pid", str(running.pid)])
        say(f"{site.client}: its agent runs half of the time")

    def heal(say: Say) -> None:
        pulse = processes.find(lab, site.client, "pulse")
        if pulse is not None:
            processes.stop([pulse])
        say(f"{site.client}: its agent runs all of the time")

    return Fault(site.name, lambda: _pulses(lab, site, True), inject, lambda: _pulses(lab, site, False), heal)


def _pulses(lab: Lab, site: Site, wanted: bool) -> Witness:
    def ask() -> str | None:
        found = processes.find(lab, site.client, "pulse") is not None
        return f"it is {'' if found else 'not '}stopped again and again" if found is wanted else None

    return TableWatcher(f"kernel's processes on {site.client}", ask, 0.02)


def clock_step(lab: Lab, words: Sequence[str]) -> Fault:
    """Put a site's wall clock so many seconds wrong, all at once."""
    site, seconds = _site(lab, words, 30.0)
    file = probing.clock(lab, site)

    def put(value: float, say: Say) -> None:
        draft = file.with_suffix(".new")
        draft.write_text(f"{value}\n")
        draft.replace(file)
        say(f"{site.client}: its wall clock is {value:g} s off")

    def reads(value: float) -> Witness:
        def ask() -> str | None:
            said = file.read_text().strip() if file.exists() else "0"
            return f"{said} s off" if float(said) == value else None

        return TableWatcher(f"clock of {site.client}", ask, 0.02)

    return Fault(
        f"{site.name}, {seconds:g} s",
        lambda: reads(seconds),
        lambda say: put(seconds, say),
        lambda: reads(0.0),
        lambda say: put(0.0, say),
    )


def cut_agent(lab: Lab, words: Sequence[str]) -> Fault:
    """Cut a site's agent off from the centre: what it takes waits in its spool."""
    site, _ = _site(lab, words)
    return dropping(lab, site.name, _from_client(lab, site, "fault_centre", CENTRE))


def cut_site(lab: Lab, words: Sequence[str]) -> Fault:
    """Cut a site's client off from everything but the centre, its own gateway included."""
    site, _ = _site(lab, words)
    return dropping(lab, site.name, _from_client(lab, site, "fault_site", f"ip daddr != {COLLECTOR_ADDRESS}"))


def _from_client(lab: Lab, site: Site, table: str, match: str) -> Rules:
    """Rules at the edge router: a packet that its own kernel refuses an agent was never sent, and proves nothing."""
    return Rules((lab.by_name[site.edge],), table, f'iifname "lan" {match}')


def _site(lab: Lab, words: Sequence[str], number: float | None = None) -> tuple[Site, float]:
    """Read a site, ams when none is named, and a number where one is taken."""
    given = [float(word) for word in words if word.lstrip("-").replace(".", "", 1).isdigit()]
    named = [word for word in words if not word.lstrip("-").replace(".", "", 1).isdigit()]
    known = {site.name: site for site in SITES}
    word = named[0] if named else "ams"
    if len(named) > 1 or word not in known or len(given) > int(number is not None):
        also = "" if number is None else " and a number"
        raise FaultError(f"say one of {', '.join(known)}{also}, not {' '.join(words)!r}")
    return known[word], (given or [number or 0.0])[0]
