"""Write docs/findings.md out of the table of kinds: `python -m analyzers.document > docs/findings.md`."""

import sys
from collections.abc import Iterator
from datetime import timedelta

from anycast.finding import Kind
from anycast.intent import Thresholds
from anycast.kinds import KINDS, About

OPENING = """\
# Findings

Every kind of finding, generated from `anycast/kinds.py` by `python -m analyzers.document > docs/findings.md`. The word
is the same in code, metric label, alert title, dashboard filter and runbook.

A finding is *pending* from the first judgement and *open* when its hold-down has run out; it clears when it has been
gone for the second hold-down. While a vantage that it rests on is unknown it does not clear: unknown is not absent.
Hold-downs can be set for each kind under `hold_downs` in the intent.
"""


def document() -> str:
    """Return the whole page."""
    return "\n".join(
        (OPENING, *_index(), "", *(line for kind in Kind for line in _section(kind, KINDS[kind])), *_figures())
    )


def _index() -> Iterator[str]:
    yield "| kind | severity | opens after | clears after | rungs |"
    yield "|---|---|---|---|---|"
    for kind in Kind:
        about = KINDS[kind]
        held = about.hold_down
        rungs = ", ".join(about.rungs) or "none"
        yield f"| [{kind}](#{kind}) | {about.severity} | {_span(held.open)} | {_span(held.clear)} | {rungs} |"


def _section(kind: Kind, about: About) -> Iterator[str]:
    held = about.hold_down
    yield f"## {kind}"
    yield ""
    yield about.meaning
    yield ""
    yield f"- Severity: {about.severity}, unless said otherwise above."
    yield f"- Opens after {_span(held.open)}, clears after {_span(held.clear)}: {about.held}."
    yield f"- Rungs it needs: {', '.join(about.rungs) or 'none'}."
    yield f"- What to do: {about.action}"
    yield f"- Runbook: [runbooks/{kind}.md](runbooks/{kind}.md)"
    yield ""


def _figures() -> Iterator[str]:
    limits = Thresholds()
    yield "## Figures they compare with"
    yield ""
    yield "Set under `thresholds` in the intent."
    yield ""
    yield "| name | default | why this |"
    yield "|---|---|---|"
    for name, why in SOURCES.items():
        value = getattr(limits, name)
        shown = _span(value) if isinstance(value, timedelta) else f"{value:g}"
        yield f"| `{name}` | {shown} | {why} |"
    yield ""


SOURCES = {
    "flap_count": "one failover is one down; RIPE-580 warns of punishing less than several",
    "flap_window": "see above; the decay's half-life is half of it",
    "cascade_window": "health checks that share a dependency fail within each other's intervals, tens of seconds",
    "limit_warning": "time to aggregate before anything breaks",
    "limit_major": "the next deployment may tear the session down",
    "quiet": "FRR sends End-of-RIB before the routes, GoBGP none at all for a peer that came up later; routers pause "
    "less than a second within a table",
    "settle": "the longest that common routers wait before they dial a peer again",
    "age_out": "a day, so that a night's maintenance forgets nothing",
    "hold_margin": "what still goes to a region that withdrew has arrived by then, and a health check that asks each "
    "second has withdrawn after three bad answers",
    "latency": "less is noise of a path that is shared; `latency-shift` tells less as info, from 2 ms and 2 % on",
    "latency_part": "a part, so that a long way is not told for what is little on it",
    "nearer": "less is not worth a change of policy",
    "nearer_part": "as above",
    "converge_bfd": "three times 100 ms and the updates after it took 0.37 s; thrice 300 ms stay below a second",
    "converge_slack": "a withdrawal through two hops took 0.2 s; a hold time is checked once a second",
    "converge_vpn": "Azure: 10 to 15 s for a planned failover of a VPN gateway",
    "converge_expressroute": "Azure: up to a minute between gateway and MSEE, even with BFD",
}


def _span(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds and seconds % 3600 == 0:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds and seconds % 60 == 0 and seconds > 60 else f"{seconds:g} s"


if __name__ == "__main__":
    sys.stdout.write(document())
