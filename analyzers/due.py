"""When a view changes by itself next: for whoever runs it on a clock of their own, and need not tick in between."""

from collections.abc import Iterator
from datetime import datetime

from analyzers.view import View


def next_due(view: View, after: datetime) -> datetime | None:
    """Return the first time later than `after` at which `tick` may do something; None where only news can.

    `age_out` is left out: what it forgets is in no finding.
    """
    return min((at for at in _deadlines(view) if at > after), default=None)


def _deadlines(view: View) -> Iterator[datetime]:
    limits = view.intent.thresholds
    if view.started is not None:
        yield view.started + limits.settle  # from then on, who never connected is missed
    for feed in view.feeds.values():
        if not feed.open or feed.since is None:
            continue
        if not feed.ready:
            yield feed.since + limits.quiet
        if not feed.settled:
            yield feed.since + limits.settle
        for table in view.loading.get(feed.router, ()):
            if table.busy_until is not None:
                yield table.busy_until + limits.quiet
