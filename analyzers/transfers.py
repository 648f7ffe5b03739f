"""`throughput-drop`: a bounded transfer that is much slower than those before it; and what its tests disturb."""

from collections.abc import Iterator
from datetime import datetime

from analyzers.lately import moment
from analyzers.probing.probing import SiteSeen
from analyzers.probing.transfers import Drop, Transfers
from analyzers.view import View
from anycast.finding import Finding, Kind, Subject
from anycast.intent import Intent
from anycast.probe import Target


def _tests(seen: SiteSeen) -> Iterator[tuple[str, Target | None, Transfers]]:
    for service, pair in sorted(seen.pairs.items()):
        yield service, pair.target, pair.beside.transfers
    for name, control in sorted(seen.controls.items()):
        yield name, control.target, control.beside.transfers


BLURRED = 2.0  # seconds: a window of round trips may have opened so long before what it shows began


def disturbed(seen: SiteSeen, now: datetime) -> float | None:
    """Return since when (seconds since 1970) what is seen may be a test's doing; None while none fills a circuit.

    Any circuit of the site: which one answers come by is not known for certain.
    """
    at = now.timestamp()
    since = [began for _, _, tests in _tests(seen) if (began := tests.disturbs(at)) is not None]
    return min(since) - BLURRED if since else None


def throughput_drop(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield targets of which the last test reached less than half of what is usual."""
    for site, seen in sorted(view.probing.sites.items()):
        if not seen.hearing.known(now):
            continue
        for name, target, tests in _tests(seen):
            drop = tests.found(now.timestamp())
            if drop is not None:
                yield _finding(seen, site, name, target, name in seen.pairs, drop)


def _finding(seen: SiteSeen, site: str, name: str, target: Target | None, service: bool, drop: Drop) -> Finding:
    where = Subject(service=name, site=site) if service else Subject(site=site, detail=name)
    circuit = target.circuit if target is not None else None
    evidence = [("usual", _speed(drop.usual)), ("last test", _speed(drop.speed))]
    return Finding(
        Kind.THROUGHPUT_DROP,
        where,
        drop.severity,
        moment(drop.since),
        f"{name}: a transfer to {site} is much slower than usual",
        (*evidence, *([("circuit", circuit)] if circuit is not None else [])),
        None,
        frozenset({seen.name}),
    )


def _speed(octets: float) -> str:
    bits = octets * 8
    return f"{bits / 1e9:.2f} Gbit/s" if bits >= 1e9 else f"{bits / 1e6:.1f} Mbit/s"
