"""How a site came to rest after something changed: one episode, measured."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Episode:
    """One service prefix at one site, from the first sign of a change until nothing changes any more.

    Durations are seconds from `began`. What was not seen is None: the control plane where the site has no vantage that
    changed, the data plane where it has no agent.
    """

    site: str
    service: str
    prefix: str
    began: datetime
    """The first event of the control plane or the first lost probe, whichever came first."""
    first: str
    """What came first, in words."""
    ended: datetime | None
    """The last event of any sort; None while it goes on."""
    region: str = ""
    """The region that it began with, where one is known."""
    detection: float | None = None
    """From the first lost probe to the first event of the control plane: how long the network did not notice."""
    control_plane: float | None = None
    """To the last update at the site's own vantages."""
    outage: float | None = None
    """From the first lost probe to the last, of the fixed flows; 0 when none was lost."""
    lost: int = 0
    """Probes lost."""
    remap: float | None = None
    """To the last answer by which a fixed flow was seen to have moved."""
    steps: int = 0
    """Changes at the site's busiest vantage: more than one is path hunting."""
