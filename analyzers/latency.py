"""`latency-shift` and `jitter`: a region's answers take longer to come to a site than they did, or scatter more.

Judged for each region that answered, so that a site that lands elsewhere is slower and shows no shift. While a
throughput test fills the site's circuit nothing new is told: what stood before it still stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from analyzers.evidence import Line
from analyzers.grounds import Ground, grounds
from analyzers.lately import changed_before, milliseconds, moment
from analyzers.probing.latency import NORMAL_AFTER, Series
from analyzers.transfers import disturbed
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity
from anycast.intent import Intent, Thresholds
from anycast.plain import stamp

HALF_AN_HOUR = timedelta(seconds=NORMAL_AFTER)


@dataclass(frozen=True, slots=True)
class _Moved:
    """What one NVA's answers show. Times are seconds since 1970, durations seconds."""

    nva: str
    since: float
    before: float
    moved: float
    severity: Severity
    not_before: float | None
    agreed: str
    flows: str = ""


def latency_shift(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield regions whose answers take longer (or less long) to come to a site than they did."""
    for ground in grounds(view, intent, now, lambda pair: pair.beside.latency.troubled):
        test = disturbed(ground.seen, now)
        for region in ground.pair.beside.latency.regions():
            series = list(ground.pair.beside.latency.of(region))
            found = [moved for nva, kept in series if (moved := _moved(nva, kept, intent.thresholds, now)) is not None]
            found = [moved for moved in found if test is None or moved.since < test]
            if found and region in intent.by_region:
                yield _shift(ground, region, found, len(series))


def _moved(nva: str, series: Series, limits: Thresholds, now: datetime) -> _Moved | None:
    shift, level = series.found(now.timestamp()), series.level
    if shift is not None:
        much = shift.worst > max(limits.latency.total_seconds(), limits.latency_part * shift.before)
        severity = Severity.WARNING if much else Severity.INFO
        agreed = ", ".join(shift.agreed)
        return _Moved(nva, shift.since, shift.before, shift.moved, severity, shift.not_before, agreed)
    flows = series.flows
    if flows.leg and flows.since is not None and level is not None and now.timestamp() - series.last <= 5:
        which = ", ".join(map(str, flows.slow[:12])) + (", ..." if len(flows.slow) > 12 else "")
        words = f"{len(flows.slow)} of {flows.of} fixed flows ({which}), the others are as before"
        return _Moved(nva, flows.since, level, flows.moved, Severity.WARNING, None, "each flow's own past", words)
    return None


def _shift(ground: Ground, region: str, found: list[_Moved], among: int) -> Finding:
    worst = max(found, key=lambda moved: (moved.severity.rank, moved.moved))
    first = min(found, key=lambda moved: moved.since)
    how = "slower" if worst.moved > 0 else "faster"
    since = moment(first.since)
    part = any(moved.flows for moved in found) or len(found) < among
    evidence: list[Line] = []
    for moved in found:
        label = f"answers of {moved.nva}" if moved.nva else "answers"
        evidence.append(
            (label, f"{milliseconds(moved.before)} before, {milliseconds(abs(moved.moved))} {_how(moved)} since")
        )
        evidence += [("which flows", moved.flows)] if moved.flows else []
        evidence.append(("agree", moved.agreed))
    evidence.append(("becomes normal", f"at {stamp(since + HALF_AN_HOUR)}, if it stays so until then"))
    evidence += changed_before(ground, first.since)
    return Finding(
        Kind.LATENCY_SHIFT,
        ground.subject(region),
        worst.severity,
        since,
        f"{ground.name}: {region} answers {ground.seen.site} {how} than before{', on a part of the ways' * part}",
        tuple(evidence),
        moment(first.not_before) if first.not_before is not None else None,
        frozenset({ground.seen.name}),
    )


def _how(moved: _Moved) -> str:
    return "more" if moved.moved > 0 else "less"


def jitter(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield regions whose answers scatter much more than they did."""
    for ground in grounds(view, intent, now, lambda pair: pair.beside.latency.troubled):
        test = disturbed(ground.seen, now)
        for region in ground.pair.beside.latency.regions():
            series = ground.pair.beside.latency.of(region)
            wide = {nva: wide for nva, kept in series if (wide := kept.scatter.found(now.timestamp())) is not None}
            wide = {nva: found for nva, found in wide.items() if test is None or found.since < test}
            if not wide or region not in intent.by_region:
                continue
            yield Finding(
                Kind.JITTER,
                ground.subject(region),
                Severity.WARNING,
                moment(min(found.since for found in wide.values())),
                f"{ground.name}: the round trips of {region} to {ground.seen.site} scatter much more than before",
                tuple(
                    (
                        f"answers of {nva}" if nva else "answers",
                        f"the 95th percentile lay {milliseconds(found.before)} above the median, "
                        f"{milliseconds(found.spread)} since",
                    )
                    for nva, found in sorted(wide.items())
                ),
                None,
                frozenset({ground.seen.name}),
            )
