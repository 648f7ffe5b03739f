"""What just happened, newest first."""

from collections.abc import Iterable

from anycast.situation import Event
from dashboards.console.markup import clock, join, tag, text

SHOWN = 200  # lines on the page
KEPT = 1000  # events to choose them from
UNTOLD = {"pending", "dropped", "told"}
"""Steps that only history keeps: what nobody is told of, and that somebody was told."""


def timeline(events: Iterable[Event]) -> str:
    """Events as HTML, newest first; a plain sentence while there are none."""
    told = [event for event in events if event.what not in UNTOLD]
    newest = sorted(told, key=lambda event: event.number, reverse=True)[:SHOWN]
    if not newest:
        return tag("p", "quiet", "Nothing has happened since the daemon began to watch.")
    return tag("ol", "timeline", join(map(_line, newest)))


def _line(event: Event) -> str:
    severity = str(event.severity) if event.severity else ""
    cells = join(
        (
            tag("time", "", clock(event.at)),
            tag("span", f"what {severity}", text(event.what)),
            tag("span", "said", text(event.text)),
        )
    )
    return tag("li", f"about-{event.kind}", cells, data_number=str(event.number), data_what=event.what)
