"""One result as the agent knows it, by its own clocks, before the centre gives it a time.

Each probe gives one result, at the time limit at the latest. An answer that comes after it, while it is still listened
for, gives a second one: LATE, with the `mono`, target, flow and port of the SILENT one before. It is an amendment for
history; the loss was counted already, so no verdict rests on it (`ProbeResult.counts` is false). A second copy of an
answer gives nothing.
"""

from dataclasses import dataclass, field

from anycast.probe import ROTATING, Identity, Outcome, Probe, Proof


@dataclass(slots=True)
class Taken:
    """One probe and how it ended. All durations are ns; fields mean what they mean in `anycast.probe.ProbeResult`.

    Not frozen: to freeze so many fields takes 5 us, a fifth of what a whole probe may take. Nobody writes to one but
    `collector.probe.agent.lag`, before it is delivered.
    """

    mono: int
    """CLOCK_MONOTONIC when it was sent (when it was due, if it never was), ns."""
    wall: int
    """The wall clock at the same moment, ns since 1970."""
    probe: Probe
    target: str
    outcome: Outcome
    flow: int = ROTATING
    port: int = 0
    rtt: int | None = None
    identity: Identity | None = None
    proof: Proof = Proof.NONE
    forward: int | None = None
    held: int | None = None
    connect: int | None = None
    first_byte: int | None = None
    ttl: int = 0
    far_ttl: int = 0
    seen: str = ""
    status: int = 0
    value: float | None = None
    """Octets a second, octets, or seconds, as in `ProbeResult.value`."""
    hops: tuple[str, ...] = ()
    detail: str = ""
    tainted: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """How the agent itself did since it was last asked. Durations are ns."""

    lag: int = 0
    """99th percentile of the loop's lag."""
    tainted: float = 0.0
    """The part of the time in which the loop lagged, 0 to 1."""
    unsent: int = 0
    """Probes that were due and not sent: the cap on the rate, a full socket, a lagging loop, or a refusal."""
    sent: int = 0
    step: int = 0
    """How far the wall clock stepped against the monotonic one."""
    lacking: tuple[str, ...] = field(default=())
    """What cannot be done here, each a sentence."""
