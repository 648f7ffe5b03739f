"""Who is silent at a site: a region, everybody, or the site itself. Only losses that no later answer ends count.

Answers come at once and losses a second late. So when three probes in a row are known to be lost, everything sent in
the second after them is unanswered too, and a break of some hundred milliseconds is over before it is known.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analyzers.probing.controls import Life
from analyzers.probing.flows import Flow
from analyzers.probing.pairs import BY_NAME, PATH_ONLY, Pair
from analyzers.probing.probing import SiteSeen
from analyzers.probing.track import NEVER, Track
from anycast.probe import Outcome, Probe, TargetKind

FLOWS = 3  # distinct ones that must lose
FEW = 4  # flows of a leg below which
LOSSES = 6  # so many losses must do: one bad flow is no leg
ANY = 3  # losses of everything together
EXPECTED = 10.0  # answers of a region that did not come, where no flow is known to land there
AT_ONCE = timedelta(seconds=1)  # silence is known a second late; refusals come at once, and must last as long
IDENTITY = (Probe.UDP, *BY_NAME)


@dataclass(frozen=True, slots=True)
class Silence:
    """Something that answered, or should, and does not."""

    since: datetime
    """When the first probe was sent of those that nobody answered."""
    flows: int = 0
    """Fixed flows concerned; 0 where others tell."""
    refused: bool = False
    """Somebody answers that nobody is there."""


def of_flows(flows: Sequence[Flow], last: datetime, now: datetime) -> Silence | None:
    """Return the silence of some flows, where none of their probes sent after `last` was answered."""
    last = max(last, max((flow.ok_at for flow in flows), default=NEVER))
    losing = [flow for flow in flows if flow.lost and flow.lost_last > last]
    losses = sum(flow.lost for flow in losing)
    if len(losing) < FLOWS and not (len(flows) < FEW and losing and losses >= LOSSES):
        return None
    since = min(flow.lost_since if flow.lost_since > last else flow.lost_last for flow in losing)
    refused = any(flow.said != Outcome.SILENT for flow in losing)
    if refused and now - since < AT_ONCE:
        return None
    return Silence(since, len(flows), any(flow.said == Outcome.REFUSED for flow in losing))


def of_region(pair: Pair, region: str, now: datetime) -> Silence | None:
    """Return the silence of a region at a site: of the flows that land there, else of its share."""
    last = pair.alive.get(region, NEVER)
    flows = [flow for flow in pair.flows.active() if flow.region == region]
    if flows:
        return of_flows(flows, last, now)
    sent, lost = pair.since.get(region, (0, 0))
    asked, _, answers, _ = pair.shares.since(NEVER)
    share = answers.get(region, 0) / asked if asked else 0.0
    expected = sent * share
    return Silence(last) if expected >= EXPECTED and lost >= expected / 2 else None


def of_everybody(pair: Pair, now: datetime) -> Silence | None:
    """Return the silence of every region at a site.

    Who names itself is judged by that: where probes ask for an identity, an echo reply or a handshake ends no silence.
    """
    named = [pair.tracks[probe] for probe in IDENTITY if probe in pair.tracks]
    paths = [pair.tracks[probe] for probe in PATH_ONLY if probe in pair.tracks]
    flows = list(pair.flows.active())
    asking = [*named, *flows] or paths
    last = max((track.ok_at for track in asking), default=NEVER)
    if not asking or not _losing(asking, last):
        return None
    worked = [track for track in paths if track.ok_at > NEVER]
    losing = _losing({*asking, *worked}, last)
    if sum(track.lost for track in losing) < ANY:
        return None
    since = min(_began(track, last) for track in losing)
    quick = any(track.said != Outcome.SILENT for track in losing)
    if quick and now - since < AT_ONCE:
        return None
    return Silence(since, len(flows), any(track.said == Outcome.REFUSED for track in losing))


def of_site(seen: SiteSeen) -> Silence | None:
    """Return the silence of all that a site asks, its gateways included: the site is cut off, or its agent's host."""
    if any(not pair.troubled for pair in seen.pairs.values()):
        return None
    last, losing = last_heard(seen), list(_all(seen))
    losing = _losing(losing, last)
    gateways = [control for control in seen.controls.values() if control.target.kind is TargetKind.GATEWAY]
    if sum(track.lost for track in losing) < ANY + 2:
        return None
    if any(control.life(last, 1) is not Life.DEAD for control in gateways):
        return None
    return Silence(min(_began(track, last) for track in losing))


def last_heard(seen: SiteSeen) -> datetime:
    """When the last probe was sent from a site that anybody at all answered."""
    services = (pair.last_heard() for pair in seen.pairs.values())
    return max((*services, *(control.heard_at for control in seen.controls.values())), default=NEVER)


def _all(seen: SiteSeen) -> Iterator[Track]:
    for pair in seen.pairs.values():
        yield from pair.tracks.values()
        yield from pair.flows.active()
    for control in seen.controls.values():
        yield from control.tracks.values()


def _losing(tracks: Iterable[Track], last: datetime) -> list[Track]:
    return [track for track in tracks if track.lost and track.lost_last > last]


def _began(track: Track, last: datetime) -> datetime:
    return track.lost_since if track.lost_since > last else track.lost_last
