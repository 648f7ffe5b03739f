"""The live timeline: a numbered line for whatever happened, in memory for watchers, in the ledger for history."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import datetime

from anycast.change import Cause, Change, ChangeKind
from anycast.finding import Severity, State, Step, Transition
from anycast.intent import Intent, Vantage
from anycast.observation import FeedLost, FeedOpened, LostReason, Observation, Session, SessionDown, SessionUp, Source
from anycast.route import Attributes
from anycast.situation import Event, EventKind

KEPT = 2000  # lines in memory: a client that was away longer asks for history
PENDING_CLIENT = 1000  # lines a slow client may lag before it is let go

_VERB = {
    ChangeKind.ANNOUNCED: "announced",
    ChangeKind.REPLACED: "changed",
    ChangeKind.WITHDRAWN: "withdrawn",
}


class Timeline:
    """Numbers events, keeps the last ones, and wakes those who follow."""

    def __init__(self, last_number: int = 0) -> None:
        self._number = last_number
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._followers: dict[asyncio.Queue[Event | None], int] = {}
        """Each follower's queue, and how many lines it may hold."""

    @property
    def last_number(self) -> int:
        """The number of the newest event."""
        return self._number

    @property
    def followers(self) -> int:
        """How many clients follow now."""
        return len(self._followers)

    def number(self, events: Iterable[Event]) -> tuple[Event, ...]:
        """Give out numbers, in order."""
        numbered = []
        for event in events:
            self._number += 1
            numbered.append(replace(event, number=self._number))
        return tuple(numbered)

    def publish(self, events: Iterable[Event]) -> None:
        """Show numbered events to everybody who follows; one who lags too far is let go and reconnects."""
        for event in events:
            self._kept.append(event)
            for queue, most in tuple(self._followers.items()):
                if queue.qsize() >= most:
                    del self._followers[queue]
                    queue.put_nowait(None)
                else:
                    queue.put_nowait(event)

    def recent(self, limit: int = 200) -> tuple[Event, ...]:
        """The newest events in memory, oldest first."""
        return tuple(self._kept)[-limit:]

    async def follow(self, after: int = 0) -> AsyncIterator[Event]:
        """Events numbered above `after`: those in memory first, then each as it happens."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        for event in self._kept:
            if event.number > after:
                queue.put_nowait(event)
        self._followers[queue] = queue.qsize() + PENDING_CLIENT  # what it missed before is not its lag
        try:
            while (event_or_end := await queue.get()) is not None:
                yield event_or_end
        finally:
            self._followers.pop(queue, None)

    def close(self) -> None:
        """End every follower's stream."""
        for queue in self._followers:
            queue.put_nowait(None)
        self._followers.clear()


class Narrator:
    """Turns what happened into events; knows each session's last state, so that a resync tells only differences."""

    def __init__(self, intent: Intent) -> None:
        self.intent = intent
        self._up: dict[Session, bool] = {}

    def observed(self, observation: Observation) -> Event | None:
        """The event of a feed or session observation; None when nothing changed, or for routes (changes tell those)."""
        match observation:
            case FeedOpened(at=at, router=router, name=name):
                return _event(at, EventKind.FEED, "feed-opened", f"{router} opened its BMP feed ({name or 'unnamed'})")
            case FeedLost(at=at, router=router, reason=reason, detail=detail):
                severity = Severity.INFO if reason is LostReason.STOPPED else Severity.WARNING
                text = (
                    f"{router}'s BMP feed was lost: {reason}{', ' + detail if detail else ''}; "
                    f"last heard {_clock(at)}, its routes are unknown since"
                )
                return _event(at, EventKind.FEED, "feed-lost", text, severity=severity)
            case SessionUp(at=at, session=session):
                return self._session(at, session, True, "")
            case SessionDown(at=at, session=session, reason=reason, detail=detail):
                return self._session(at, session, False, f": {reason}{', ' + detail if detail else ''}")
            case _:
                return None

    def _session(self, at: datetime, session: Session, up: bool, why: str) -> Event | None:
        before = self._up.get(session)
        self._up[session] = up
        if before is up or len(self._up) > 100_000:
            return None
        vantage = self.intent.vantage_of(session)
        what = "peer-up" if up else "peer-down"
        text = f"{session.router} reports its session with {_who(vantage, session)} {'up' if up else 'down'}{why}"
        severity = Severity.INFO if up else Severity.WARNING
        return _placed(_event(at, EventKind.SESSION, what, text, severity=severity), vantage, session)

    def changed(self, change: Change) -> Event:
        """The event of a route's true difference."""
        vantage = self.intent.vantage(change.source)
        service = next((row[0].name for row in self.intent.services_of(change.prefix)), None)
        attributes = change.after or change.before
        where = _who(vantage, change.source.session)
        text = f"{change.prefix} {_VERB[change.kind]} at {where}{_described(attributes)}{_how(change)}"
        event = _event(change.at, EventKind.ROUTE, str(change.kind), text)
        event = replace(event, prefix=str(change.prefix), service=service, not_before=change.not_before)
        return _placed(event, vantage, change.source.session, change.source)

    def judged(self, transition: Transition) -> Event:
        """The event of a finding's step."""
        record, finding = transition.record, transition.record.finding
        seconds = ""
        if transition.step is Step.CLEARED and record.cleared_at is not None:
            seconds = f" (lasted {(record.cleared_at - finding.since).total_seconds():.1f} s)"
        muted = f" [muted by {record.muted_by}]" if record.muted_by and record.state is State.OPEN else ""
        event = _event(
            transition.at,
            EventKind.FINDING,
            str(transition.step),
            f"{finding.kind} {transition.step}: {finding.summary}{seconds}{muted}",
            severity=finding.severity,
        )
        subject = finding.subject
        return replace(
            event,
            service=subject.service,
            prefix=subject.prefix,
            region=subject.region,
            site=subject.site,
            vantage=subject.vantage,
            finding=record.id,
            not_before=finding.not_before,
        )


def not_running(since: datetime, until: datetime, stopped: bool) -> Event:
    """The event of our own absence. `stopped`: somebody stopped us in order; otherwise we died."""
    how = "it was stopped" if stopped else "it died without a word"
    text = (
        f"Catchment was not running from {_full(since)} to {_full(until)}: {how}; "
        "what happened meanwhile is told as far as the routers' tables still show it"
    )
    severity = Severity.INFO if stopped else Severity.WARNING
    return replace(_event(until, EventKind.DAEMON, "not-running", text, severity), not_before=since)


def _event(at: datetime, kind: EventKind, what: str, text: str, severity: Severity | None = None) -> Event:
    return Event(number=0, at=at, kind=kind, what=what, text=text, severity=severity)


def _placed(event: Event, vantage: Vantage | None, session: Session, source: Source | None = None) -> Event:
    if vantage is None:
        return replace(event, vantage=str(source or session))
    name = vantage.name if vantage.peer is not None else f"{session.router}/{session.peer}"
    return replace(event, vantage=name, region=vantage.region, site=vantage.site)


def _who(vantage: Vantage | None, session: Session) -> str:
    if vantage is None or vantage.peer is None:
        return str(session)
    return vantage.nva or vantage.instance or vantage.name


def _described(attributes: Attributes | None) -> str:
    if attributes is None:
        return ""
    path = str(attributes.as_path) or "local"
    return f" [path {path}, next hop {attributes.next_hop}]"


def _how(change: Change) -> str:
    match change.cause:
        case Cause.UPDATE:
            return ""
        case Cause.PEER_DOWN:
            return ", with its session"
        case Cause.RESYNC:
            if change.not_before is None:
                return ", in the first table that was seen"
            return f", unseen between {_clock(change.not_before)} and {_clock(change.at)}"


def _full(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _clock(at: datetime) -> str:
    return at.strftime("%H:%M:%S")
