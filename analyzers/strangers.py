"""`identity-invalid`: somebody answers for a service who is not who they should be."""

from collections.abc import Iterator
from datetime import datetime

from analyzers.evidence import lines
from analyzers.grounds import grounds
from analyzers.lately import moment
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity
from anycast.intent import Intent


def identity_invalid(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield services of which a site got answers with an identity that is forged, replayed, or nobody's."""
    for ground in grounds(view, intent, now, lambda pair: pair.beside.strangers.found(now.timestamp())):
        stranger = ground.pair.beside.strangers.found(now.timestamp())
        if stranger is not None:
            best = ground.site.chosen or ground.site.heard
            yield Finding(
                Kind.IDENTITY_INVALID,
                ground.subject(),
                Severity.CRITICAL,
                moment(stranger.since),
                f"{ground.name}: somebody answers {ground.seen.site} with an identity that is not valid",
                (
                    ("why", stranger.why),
                    ("claims to be", stranger.claims or "nobody: no identity could be read"),
                    *lines(best),
                ),
                None,
                frozenset({ground.seen.name}),
            )
