"""One control: an NVA, an application or a gateway at its own address, as one site sees it."""

from collections.abc import Sequence

from analyzers.probing.beside import ControlBeside
from anycast.probe import ProbeResult, Target


class Control:
    """What one site sees of it."""

    def __init__(self, site: str, target: Target) -> None:
        self.site, self.target = site, target
        self.beside = ControlBeside(site, target)

    def apply(self, results: Sequence[ProbeResult]) -> None:
        """Fold in what one batch holds of it."""
        self.beside.apply(results)

    def gap(self) -> None:
        """What counts in a row begins anew."""
        self.beside.gap()
