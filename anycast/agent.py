"""An agent as it is heard and as it speaks of itself; what the API and the console show."""

from dataclasses import dataclass
from datetime import datetime

from anycast.catchment import AgentState


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """One agent: of a site, or of an NVA that finds the catchment of hosts."""

    name: str
    """The site's, or the NVA's."""
    nva: bool
    state: AgentState
    meant: bool
    """Whether the intent says that there is one."""
    heard: datetime | None
    """When its last batch was taken; None while there was none."""
    since: datetime | None = None
    """Since when it is heard without a gap."""
    run: str = ""
    """Random for each of its starts."""
    batch: int = 0
    """Number of its last batch in that run."""
    host: str = ""
    targets: int = 0
    """How many targets it probes."""
    lag: float = 0.0
    """99th percentile of its event loop's lag, as its last batch said; seconds."""
    tainted: float = 0.0
    """The part of its last seconds in which its loop lagged, 0 to 1."""
    skew: float | None = None
    """Its wall clock minus ours, seconds; None while it is not known."""
    dropped: int = 0
    """Results that its full spool gave up, since we began to listen,"""
    unsent: int = 0
    """probes that were due and not sent,"""
    late: int = 0
    """and batches that waited in its spool for too long to be judged."""
    lacking: tuple[str, ...] = ()
    """What it cannot do, each a sentence of its own."""
