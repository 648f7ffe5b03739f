"""`tcp-break`: long-lived connections of a site that break together, with what changed in BGP just before."""

from collections.abc import Iterator
from datetime import datetime

from analyzers.evidence import Line
from analyzers.grounds import grounds
from analyzers.lately import changed_before, moment
from analyzers.probing.canaries import Broken
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity
from anycast.intent import Intent


def tcp_break(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield sites of whose canaries for a service a quarter or more broke within ten seconds."""
    for ground in grounds(view, intent, now, lambda pair: pair.beside.canaries.found(now.timestamp())):
        broken = ground.pair.beside.canaries.found(now.timestamp())
        if broken is not None:
            yield Finding(
                Kind.TCP_BREAK,
                ground.subject(),
                Severity.WARNING,
                moment(broken.since),
                f"{ground.name}: long-lived connections of {ground.seen.site} broke together",
                (*_counts(broken), *changed_before(ground, broken.since)),
                None,
                frozenset({ground.seen.name}),
            )


def _counts(broken: Broken) -> Iterator[Line]:
    yield ("connections", f"{broken.reset + broken.hung} of {broken.of}")
    if broken.reset:
        yield ("reset", f"{broken.reset}: somebody who does not know the connection answered")
    if broken.hung:
        yield ("hung", f"{broken.hung}: nobody answers on them, while new connections are answered")
