"""Whether a site's agent is heard: without it nothing is known of what the site sees.

A batch that came twice is one. Everything here follows from the batches' own times, so that it does not matter when
anybody asks.
"""

from collections import deque
from datetime import datetime, timedelta

from anycast.plain import Plain
from anycast.probe import AgentReported

LOST_AFTER = timedelta(seconds=10)  # forty batches; a restart of the agent takes three seconds or so
SETTLE = timedelta(seconds=3)  # of an agent that is heard anew: a round of every probe, and a second for losses
TAINTED = 0.05  # of the time, as for `agent-tainted`
SPAN = timedelta(seconds=5)  # over which the taint is averaged
RUNS = 4  # remembered: two agents that report for one site at once are two


class Hearing:
    """One agent as it is heard."""

    def __init__(self) -> None:
        self.at: datetime | None = None
        """When its last batch was taken; None while there was none."""
        self.since: datetime | None = None
        """Since when it is heard without a gap."""
        self.runs: dict[str, int] = {}
        """The last number of each run, the run that was heard last at the end."""
        self.taints: deque[tuple[datetime, float]] = deque(maxlen=40)
        self.tainted = False
        """Whether its own loop lagged for more than a twentieth of its last seconds."""

    def take(self, report: AgentReported) -> bool | None:
        """Take a batch that is not late: None when it came before, else whether there is a gap before it."""
        last = self.runs.pop(report.run, None)
        if last is not None and report.sequence <= last:
            self.runs[report.run] = last
            return None
        self.runs[report.run] = report.sequence
        while len(self.runs) > RUNS:
            del self.runs[next(iter(self.runs))]
        gap = last is None or self.at is None or report.at - self.at > LOST_AFTER
        if self.at is None or report.at - self.at > LOST_AFTER:
            self.since = report.at
            self.taints.clear()
        self.at = report.at if self.at is None else max(self.at, report.at)
        self.taints.append((report.at, report.tainted))
        recent = [part for at, part in self.taints if self.at - at <= SPAN]
        self.tainted = sum(recent) / len(recent) > TAINTED
        return gap

    def lost(self, now: datetime) -> bool:
        """Whether it was not heard for `LOST_AFTER`, or never."""
        return self.at is None or now - self.at > LOST_AFTER

    def known(self, now: datetime) -> bool:
        """Whether what it does not see is not there."""
        settled = self.since is not None and now - self.since >= SETTLE
        return settled and not self.lost(now) and not self.tainted

    def plain(self) -> Plain:
        """Return what survives a restart: which batches were taken. Whether it is heard must be seen anew."""
        return dict(self.runs)

    def restore(self, plain: Plain) -> None:
        """Take it back."""
        self.runs = {str(run): int(number) for run, number in plain.items()}
