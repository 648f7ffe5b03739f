"""One service as one site sees it."""

from collections.abc import Sequence

from analyzers.probing.beside import PairBeside
from anycast.intent import Intent, Service
from anycast.probe import ProbeResult, Target


class Pair:
    """What one site sees of one service."""

    def __init__(self, intent: Intent, site: str, service: Service, target: Target | None) -> None:
        self.site, self.service, self.target = site, service, target
        self.beside = PairBeside(intent, site, service.name)

    def learn(self, intent: Intent) -> None:
        """Take another intent, which still names the service."""
        self.service = next(service for service in intent.services if service.name == self.service.name)
        self.beside.learn(intent)

    def apply(self, results: Sequence[ProbeResult]) -> None:
        """Fold in what one batch holds of it."""
        self.beside.apply(results)

    def gap(self) -> None:
        """What counts in a row begins anew."""
        self.beside.gap()
