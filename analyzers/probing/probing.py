"""The fold over what agents report. One `Probing` belongs to each view; only it writes what is below it."""

from datetime import datetime

from anycast.intent import Intent
from anycast.probe import AgentReported


class Probing:
    """All that agents reported, by site."""

    def __init__(self, intent: Intent) -> None:
        self.intent = intent
        self.heard: dict[str, AgentReported] = {}
        """The last batch that was not late, by site."""

    def learn(self, intent: Intent) -> None:
        """Take another intent and keep what was seen of sites and services that it still names."""
        self.intent = intent
        self.heard = {site: report for site, report in self.heard.items() if site in intent.by_site}

    def apply(self, report: AgentReported) -> None:
        """Fold one batch in; one that came late is history, and one of a site that is not ours is nothing."""
        if not report.late and report.site in self.intent.by_site:
            self.heard[report.site] = report

    def tick(self, now: datetime) -> None:
        """Let everything happen that is due by `now`."""
