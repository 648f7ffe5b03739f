"""One service as one site sees it: its fixed flows, its shares, and what every other way of asking says.

Only an answer with a valid identity of a region that there is proves that the service works. An echo reply or a
handshake proves a path, and is kept beside it as evidence.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from analyzers.probing.beside import PairBeside
from analyzers.probing.flows import Flows
from analyzers.probing.moments import moment
from analyzers.probing.named import Named
from analyzers.probing.shares import Moved, Shares
from analyzers.probing.track import NEVER, Track
from anycast.intent import Intent, Service
from anycast.plain import Plain
from anycast.prefix import Prefix
from anycast.probe import HEARD, Outcome, Probe, ProbeResult, Proof, Target

PATH_ONLY = (Probe.ICMP, Probe.TCP)
BY_NAME = (Probe.HTTP, Probe.DNS)
ROUND_TRIPS = 600  # of each region: two minutes of rotating probes
CONNECTIONS = 32  # of TCP and HTTP: a quarter of a minute
MOST_NVAS = 64
AGAIN = timedelta(seconds=60)  # after flows moved, shares move for so long


class Pair:
    """What one site sees of one service."""

    def __init__(self, intent: Intent, site: str, service: Service, target: Target | None) -> None:
        self.site, self.service, self.target = site, service, target
        self.flows = Flows()
        self.shares = Shares()
        self.moved: Moved | None = None
        """The last shift that shares show and flows do not."""
        self.tracks: dict[Probe, Track] = {}
        """Every way of asking besides fixed flows: UDP stands for the probes that never use a source port twice."""
        self.alive: dict[str, datetime] = {}
        """When each region last proved itself to anything but a fixed flow,"""
        self.since: dict[str, tuple[int, int]] = {}
        """Rotating probes since each region's last answer, and how many were lost."""
        self.served: dict[str, Track] = {}
        """How HTTP and DNS fare since each region last answered one of them as an application should."""
        self.reached: dict[str, datetime] = {}
        """When each NVA last answered a probe from a new port,"""
        self.anew: dict[str, tuple[int, int]] = {}
        """and probes from new ports since, to whomever, and how many were lost."""
        self.connections: deque[tuple[datetime, bool]] = deque(maxlen=CONNECTIONS)
        """When the last TCP connections were begun, and whether each failed without a word or was reset."""
        self.trips: dict[str, deque[float]] = {}
        """Round trips of rotating probes by region, seconds."""
        self.named = Named()
        self.at = self.heard_at = NEVER
        """When the last probe was sent, and the last that anybody answered, in whatever way, besides fixed flows."""
        self.beside = PairBeside(intent, site, service.name)
        self._know(intent)

    def learn(self, intent: Intent) -> None:
        """Take another intent, which still names the service."""
        self.service = next(service for service in intent.services if service.name == self.service.name)
        self._know(intent)
        self.beside.learn(intent)

    def meet(self, intent: Intent, target: Target) -> None:
        """Take another target for the service: the agent's file changed."""
        self.target = target
        self._know(intent)

    def _know(self, intent: Intent) -> None:
        self.flows.regions = frozenset(intent.by_region)
        nvas = {str(nva.address) for region in intent.regions for nva in region.nvas}
        service = {str(self.target.address)} if self.target is not None and self.target.address is not None else set()
        self.flows.ignored = frozenset(nvas | service)

    @property
    def prefix(self) -> Prefix:
        """The prefix of the service that is asked: the one that the target's address lies in, else the first."""
        address = self.target.address if self.target is not None else None
        holding = (p for p in self.service.prefixes if address is not None and p.version == address.version)
        return next((prefix for prefix in holding if address in prefix), self.service.prefixes[0])

    def apply(self, results: Sequence[ProbeResult]) -> None:
        """Fold in what one batch holds of it."""
        fixed = self.flows.apply
        for result in results:
            outcome = result.outcome
            if result.tainted or outcome is Outcome.UNSENT or outcome is Outcome.LATE:
                continue
            if result.probe is Probe.UDP:
                if result.flow >= 0:
                    fixed(result)
                else:
                    self._rotating(result)
            elif result.probe is Probe.TRACE:
                self.flows.traced(result.flow, result.hops, result.at)
            elif result.probe in BY_NAME or result.probe in PATH_ONLY:
                self._other(result)
        self.at = max(self.at, self.flows.at)
        self.beside.apply(results)

    def _rotating(self, result: ProbeResult) -> None:
        region = self._region(result)
        self._note(result, region)
        lost = result.outcome is Outcome.SILENT or result.outcome is Outcome.UNREACHABLE
        for name, (sent, missed) in self.since.items():
            self.since[name] = (sent + 1, missed + lost)
        for name, (sent, missed) in self.anew.items():
            self.anew[name] = (sent + 1, missed + lost)
        if region is not None:
            self.since[region] = (0, 0)
            nva = result.identity.nva if result.identity is not None else ""
            if nva in self.reached or len(self.reached) < MOST_NVAS:
                self.reached[nva] = max(result.at, self.reached.get(nva, NEVER))
                self.anew[nva] = (0, 0)
            trips = self.trips.get(region)
            if trips is None:
                trips = self.trips[region] = deque(maxlen=ROUND_TRIPS)
            if result.rtt is not None:
                trips.append(result.rtt)
        if region is not None or lost:
            moved = self.shares.count(result.at, region)
            shift = self.flows.shift
            if moved is not None and not (shift is not None and abs(moved.at - shift.at) <= AGAIN) and self._new(moved):
                self.moved = moved

    def _new(self, moved: Moved) -> bool:
        return self.moved is None or moved.at - self.moved.at > AGAIN

    def _other(self, result: ProbeResult) -> None:
        region = None if result.probe in PATH_ONLY else self._region(result)
        self._note(result, region)
        if result.probe is Probe.TCP or result.probe is Probe.HTTP:
            broken = result.outcome is Outcome.SILENT or result.outcome is Outcome.RESET
            self.connections.append((result.at, broken))
        if result.probe in PATH_ONLY:
            return
        self.named.take(result, region)
        if region is not None:
            if region not in self.served:
                self.served[region] = Track()
            self.served[region].good(result.at)
        elif result.outcome is not Outcome.ANSWERED:
            for track in self.served.values():
                track.bad(result.at, result.outcome.value)

    def _note(self, result: ProbeResult, region: str | None) -> None:
        track = self.tracks.get(result.probe)
        if track is None:
            track = self.tracks[result.probe] = Track()
        self.at = max(self.at, result.at)
        if result.outcome in HEARD and result.at > self.heard_at:
            self.heard_at = result.at
        if region is not None:
            track.good(result.at)
            self.alive[region] = max(self.alive.get(region, NEVER), result.at)
        elif result.probe in PATH_ONLY and result.outcome is Outcome.ANSWERED:
            track.good(result.at)
        elif result.outcome is not Outcome.BROKEN and result.outcome is not Outcome.ANSWERED:
            track.bad(result.at, result.outcome.value)

    def _region(self, result: ProbeResult) -> str | None:
        """The region that an answer proves; None for one that proves nothing."""
        identity = result.identity
        if result.outcome is not Outcome.ANSWERED or result.proof is Proof.NONE or identity is None:
            return None
        return identity.region if identity.region in self.flows.regions else None

    def gap(self) -> None:
        """What counts in a row begins anew."""
        self.flows.gap()
        for track in (*self.tracks.values(), *self.served.values()):
            track.gap()
        self.since.clear()
        self.anew.clear()
        self.beside.gap()

    @property
    def troubled(self) -> bool:
        """Whether anything lost its last probe."""
        if self.flows.losing:
            return True
        return any(track.lost for track in self.tracks.values()) or any(track.lost for track in self.served.values())

    def last_heard(self) -> datetime:
        """When the last probe was sent that anybody at the service's address answered, in whatever way."""
        fixed = max((flow.ok_at for flow in self.flows.by_number.values()), default=NEVER)
        return max(fixed, self.flows.heard_at, self.heard_at)

    def plain(self) -> Mapping[str, Plain]:
        """Return what survives a restart."""
        moved = self.moved
        return {
            "flows": self.flows.plain(),
            "shares": self.shares.plain(),
            "moved": None if moved is None else [moved.at.timestamp(), dict(moved.before), dict(moved.after)],
            "alive": {region: at.timestamp() for region, at in sorted(self.alive.items())},
            "served": sorted(self.served),
            "beside": self.beside.plain(),
        }

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back."""
        self.flows.restore(plain["flows"])
        self.shares.restore(plain["shares"])
        if plain["moved"] is not None:
            at, before, after = plain["moved"]
            self.moved = Moved(moment(at) or NEVER, before, after)
        self.alive = {region: moment(at) or NEVER for region, at in plain["alive"].items()}
        self.served = {region: Track() for region in plain["served"]}
        self.beside.restore(plain["beside"])
