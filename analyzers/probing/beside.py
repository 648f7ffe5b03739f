"""What else is kept of a pair, a control and an agent: one class for each, handed the same results as the rest.

A *pair* is one service as one site sees it; a *control* is one NVA, application or gateway at its own address, as one
site sees it. `apply` gets what one batch holds of it, in the order of the batch, results that do not count included
(`ProbeResult.counts`). Memory is bounded whatever comes. Nothing happens by itself: what depends on time is asked with
`now`, so that the outcome does not depend on how often anybody asks.

`gap` says that the batches before and after it are not of one run, or lie more than `LOST_AFTER` apart: what counts
in a row begins anew, what was learnt stays. `plain` is what survives a restart of ours, as `json.dumps` takes it;
`restore` takes it back. Where nothing changed since, `plain` should return the very object that it returned before.
"""

from collections.abc import Mapping, Sequence

from anycast.intent import Intent
from anycast.plain import Plain
from anycast.probe import AgentReported, ProbeResult, Target


class PairBeside:
    """What is kept of one service at one site, beside the flows and shares."""

    def __init__(self, intent: Intent, site: str, service: str) -> None:
        self.site, self.service = site, service

    def learn(self, intent: Intent) -> None:
        """Take another intent, which still names the site and the service."""

    def apply(self, results: Sequence[ProbeResult]) -> None:
        """Fold in what one batch holds of it."""

    def gap(self) -> None:
        """What counts in a row begins anew."""

    def plain(self) -> Mapping[str, Plain]:
        """Return what survives a restart."""
        return {}

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back."""


class ControlBeside:
    """What is kept of one control at one site, beside whether it answers."""

    def __init__(self, site: str, target: Target) -> None:
        self.site, self.target = site, target

    def apply(self, results: Sequence[ProbeResult]) -> None:
        """Fold in what one batch holds of it."""

    def gap(self) -> None:
        """What counts in a row begins anew."""

    def plain(self) -> Mapping[str, Plain]:
        """Return what survives a restart."""
        return {}

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back."""


class AgentBeside:
    """What is kept of one site's agent, beside when it was heard."""

    def __init__(self, site: str) -> None:
        self.site = site

    def apply(self, report: AgentReported) -> None:
        """Fold in one batch, whole; late ones and those of a second agent too."""

    def plain(self) -> Mapping[str, Plain]:
        """Return what survives a restart."""
        return {}

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back."""
