"""`app-slow`, `app-errors` and `responder-slow`: what is wrong with whoever answers, and not with the way there.

An application is a service's in one region; what several sites see of it is one finding. One that is asked at its own
address only is named by that target.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from analyzers.evidence import Line
from analyzers.lately import milliseconds, moment
from analyzers.probing.applications import HELD_LONG, Errors, Slow
from analyzers.probing.beside import Application
from analyzers.probing.latency import Latency
from analyzers.probing.probing import SiteSeen
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent
from anycast.probe import Probe, TargetKind

PART = 0.5  # of what an application takes more: when the way takes so much more, the way is slow


@dataclass(frozen=True, slots=True)
class _Asked:
    """One application as one site asks it."""

    subject: Subject
    name: str
    seen: SiteSeen
    application: Application
    latency: Latency | None
    """The way to it, where answers of a service tell of it."""
    region: str


def _asked(view: View, intent: Intent, now: datetime, wanted: Callable[[Application], object]) -> Iterator[_Asked]:
    for _, seen in sorted(view.probing.sites.items()):
        if not seen.hearing.known(now):
            continue
        for service, pair in sorted(seen.pairs.items()):
            for region, kept in pair.beside.applications.items():
                if not wanted(kept):
                    continue
                prefix = str(pair.prefix)
                known = region in intent.by_region
                subject = Subject(service, prefix, region) if known else Subject(service, prefix, site=seen.site)
                where = f"of {region}" if known else f"that {seen.site} gets"
                latency = pair.beside.latency if known else None
                yield _Asked(subject, f"{service} {prefix}: the application {where}", seen, kept, latency, region)
        for name, control in sorted(seen.controls.items()):
            target = control.target
            if target.kind is TargetKind.APPLICATION and wanted(control.beside.application):
                subject = Subject(target.service, region=target.region, nva=target.nva, detail=name)
                yield _Asked(subject, f"the application {name}", seen, control.beside.application, None, "")


def app_slow(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield applications that take much longer than before, while the way to them does not."""
    found: dict[Subject, list[tuple[_Asked, Probe, Slow]]] = {}
    for asked in _asked(view, intent, now, lambda kept: _ails(kept, now.timestamp())):
        for probe, speed in asked.application.speed.items():
            slow = speed.found(now.timestamp())
            if slow is not None and _way_is_fast(asked, probe, slow, now.timestamp()):
                found.setdefault(asked.subject, []).append((asked, probe, slow))
    for subject, some in found.items():
        yield Finding(
            Kind.APP_SLOW,
            subject,
            Severity.WARNING,
            moment(min(slow.since for _, _, slow in some)),
            f"{some[0][0].name} answers much slower than before, and the way to it is as fast as ever",
            tuple(_slower(*row) for row in some),
            None,
            frozenset(asked.seen.name for asked, _, _ in some),
        )


def _way_is_fast(asked: _Asked, probe: Probe, slow: Slow, now: float) -> bool:
    """Whether something shows the way alone, and that does not explain it."""
    much = PART * (slow.after - slow.before)
    shown = False
    if probe is Probe.HTTP:
        usual, lately = asked.application.connect.usual, asked.application.connect.lately
        if usual is not None and lately is not None:
            if lately - usual >= much:
                return False
            shown = True
    if asked.latency is not None:
        for (kind, region, _), series in asked.latency.series.items():
            if region == asked.region and kind != str(Probe.DNS) and series.ready and now - series.last <= 10:
                shift = series.found(now)
                if shift is not None and shift.moved >= much:
                    return False
                shown = True
    return shown


def _slower(asked: _Asked, probe: Probe, slow: Slow) -> Line:
    what = "first octet after the handshake" if probe is Probe.HTTP else "answer"
    label = f"{probe.upper()} from {asked.seen.site}"
    return label, f"{what} after {milliseconds(slow.before)} before, {milliseconds(slow.after)} since"


def app_errors(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield applications of whose answers a tenth or more are errors."""
    found: dict[Subject, list[tuple[_Asked, Errors]]] = {}
    for asked in _asked(view, intent, now, lambda kept: kept.answers.found(now.timestamp())):
        errors = asked.application.answers.found(now.timestamp())
        if errors is not None:
            found.setdefault(asked.subject, []).append((asked, errors))
    for subject, some in found.items():
        yield Finding(
            Kind.APP_ERRORS,
            subject,
            max((errors.severity for _, errors in some), key=lambda severity: severity.rank),
            moment(min(errors.since for _, errors in some)),
            f"{some[0][0].name} answers with errors",
            tuple((f"answers to {asked.seen.site}", ", ".join(errors.words)) for asked, errors in some),
            None,
            frozenset(asked.seen.name for asked, _ in some),
        )


def responder_slow(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield responders that keep requests for long while the application beside them answers as ever."""
    found: dict[Subject, list[tuple[SiteSeen, float]]] = {}
    for _, seen in sorted(view.probing.sites.items()):
        if not seen.hearing.known(now):
            continue
        for service, pair in sorted(seen.pairs.items()):
            for (region, nva), holding in pair.beside.holding.items():
                since = holding.found(now.timestamp())
                application = pair.beside.applications.get(region)
                if since is not None and not (application is not None and _ails(application, now.timestamp())):
                    subject = Subject(service, str(pair.prefix), region, nva or None)
                    found.setdefault(subject, []).append((seen, since))
    for subject, some in found.items():
        where = " ".join(part for part in (subject.region, subject.nva) if part)
        yield Finding(
            Kind.RESPONDER_SLOW,
            subject,
            Severity.INFO,
            moment(min(since for _, since in some)),
            f"{subject.service} {subject.prefix}: the responder of {where} keeps requests for long",
            (
                ("median", f"over {milliseconds(HELD_LONG)} between its own two stamps"),
                ("asked from", ", ".join(seen.site for seen, _ in some)),
            ),
            None,
            frozenset(seen.name for seen, _ in some),
        )


def _ails(application: Application, now: float) -> bool:
    return any(speed.found(now) is not None for speed in application.speed.values())
