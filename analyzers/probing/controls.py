"""One control: an NVA, an application or a gateway at its own address, as one site sees it.

An application that is asked in several ways is judged by the one nearest to what its users do: HTTP and DNS before TCP
before UDP, and ICMP, which its machine answers for it, only where nothing else is asked. Of an NVA and a gateway any
answer will do.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from analyzers.probing.beside import ControlBeside
from analyzers.probing.moments import moment
from analyzers.probing.track import NEVER, Track
from anycast.plain import Plain
from anycast.probe import HEARD, Outcome, Probe, ProbeResult, Target, TargetKind

RANKED = (Probe.HTTP, Probe.DNS, Probe.TCP, Probe.UDP, Probe.ICMP)
ASKED = timedelta(seconds=15)  # a way of asking of which nothing was heard for longer is not in use any more
TURNS = 16


class Life(StrEnum):
    """What is known of it."""

    ALIVE = "answers"
    DEAD = "silent"
    UNKNOWN = "unknown"


class Control:
    """What one site sees of it."""

    def __init__(self, site: str, target: Target) -> None:
        self.site, self.target = site, target
        self.tracks: dict[Probe, Track] = {}
        self.turns: deque[tuple[datetime, bool]] = deque(maxlen=TURNS)
        """When it was found dead (three failures in a row) and alive again; the first answer ever is no turn."""
        self.at = self.heard_at = NEVER
        """When the last probe was sent, and the last that anybody answered."""
        self.beside = ControlBeside(site, target)

    def apply(self, results: Sequence[ProbeResult]) -> None:
        """Fold in what one batch holds of it."""
        for result in results:
            if result.counts and result.probe in RANKED:
                self._count(result)
        self.beside.apply(results)

    def _count(self, result: ProbeResult) -> None:
        track = self.tracks.get(result.probe)
        if track is None:
            track = self.tracks[result.probe] = Track()
        self.at = max(self.at, result.at)
        if result.outcome in HEARD and result.at > self.heard_at:
            self.heard_at = result.at
        if self._good(result):
            was, dead = track.lost_since, track.lost >= 3
            track.good(result.at)
            if dead and not track.lost and track is self.best():
                self._turned(was, result.at)
        elif result.outcome is not Outcome.BROKEN:  # errors are an application's own, and somebody's answer
            track.bad(result.at, result.outcome.value)

    def _turned(self, dead: datetime, alive: datetime) -> None:
        self.turns.append((dead, False))
        self.turns.append((alive, True))

    def _good(self, result: ProbeResult) -> bool:
        if self.target.kind is not TargetKind.APPLICATION:
            return result.outcome in HEARD
        identity, region = result.identity, self.target.region
        stranger = identity is not None and region is not None and identity.region not in ("", region)
        return result.outcome is Outcome.ANSWERED and not stranger

    def best(self) -> Track | None:
        """Return the track that it is judged by; None while nothing was heard of it."""
        for probe in RANKED:
            track = self.tracks.get(probe)
            if track is not None and self.at - track.at <= ASKED:
                return track
        return None

    def life(self, since: datetime, least: int = 1) -> Life:
        """Say whether it answered a probe sent since then, or lost `least` in a row, the last of them since then."""
        if self.target.kind is not TargetKind.APPLICATION:
            tracks = [track for track in self.tracks.values() if self.at - track.at <= ASKED]
        else:
            tracks = [track] if (track := self.best()) is not None else []
        if any(track.ok_at >= since for track in tracks):
            return Life.ALIVE
        dead = tracks and all(track.lost >= least and track.lost_last >= since for track in tracks)
        return Life.DEAD if dead else Life.UNKNOWN

    def silent_since(self) -> datetime | None:
        """When the failures in a row began; None where the last probe was answered."""
        tracks = [track for track in self.tracks.values() if track.lost]
        return min((track.lost_since for track in tracks), default=None)

    def gap(self) -> None:
        """What counts in a row begins anew."""
        for track in self.tracks.values():
            track.gap()
        self.beside.gap()

    def plain(self) -> Mapping[str, Plain]:
        """Return what survives a restart."""
        return {
            "turns": [[at.timestamp(), alive] for at, alive in self.turns],
            "beside": self.beside.plain(),
        }

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back."""
        self.turns.extend((moment(at) or NEVER, alive) for at, alive in plain["turns"])
        self.beside.restore(plain["beside"])
