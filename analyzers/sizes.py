"""`mtu-blackhole`: packets up to one size arrive, larger ones vanish, and nobody says that they are too big."""

from collections.abc import Iterator
from datetime import datetime

from analyzers.lately import moment
from analyzers.probing.probing import SiteSeen
from analyzers.probing.sizes import Swallowed
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent


def mtu_blackhole(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield targets that large packets from a site never reach."""
    at = now.timestamp()
    for site, seen in sorted(view.probing.sites.items()):
        if not seen.hearing.known(now):
            continue
        for service, pair in sorted(seen.pairs.items()):
            found = pair.beside.ladder.found(at)
            if found is not None:
                subject = Subject(service, str(pair.prefix), site=site)
                yield _finding(seen, subject, f"{service} {pair.prefix}", found)
        for name, control in sorted(seen.controls.items()):
            found = control.beside.ladder.found(at)
            if found is not None:
                target = control.target
                yield _finding(seen, Subject(region=target.region, nva=target.nva, site=site, detail=name), name, found)


def _finding(seen: SiteSeen, subject: Subject, name: str, found: Swallowed) -> Finding:
    return Finding(
        Kind.MTU_BLACKHOLE,
        subject,
        Severity.MAJOR,
        moment(found.since),
        f"{name}: large packets from {seen.site} vanish without a word",
        (
            ("arrives", f"IP packets of {found.arrives} octets, with DF set"),
            ("vanishes", f"IP packets of {found.vanishes} octets: no answer, and no ICMP error"),
        ),
        None,
        frozenset({seen.name}),
    )
