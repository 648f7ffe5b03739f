"""What an agent says of itself, added up since we began to listen, and what is to be said of it now."""

from dataclasses import dataclass
from datetime import datetime

from analyzers.probing.hearing import Hearing
from anycast.agent import AgentStatus
from anycast.catchment import AgentState
from anycast.probe import AgentReported


@dataclass(slots=True)
class Account:
    """One agent's own words. Nothing of it survives a restart: its next batch says it again."""

    host: str = ""
    lag: float = 0.0
    skew: float | None = None
    dropped: int = 0
    unsent: int = 0
    late: int = 0
    lacking: tuple[str, ...] = ()

    def take(self, report: AgentReported) -> None:
        """Fold in one batch; of one that was late only what it adds."""
        self.dropped += report.dropped
        self.unsent += report.unsent
        self.late += report.late
        if not report.late:
            self.host, self.lag, self.lacking = report.host, report.lag, report.lacking
            self.skew = self.skew if report.skew is None else report.skew


def state(hearing: Hearing | None, now: datetime) -> AgentState:
    """Return whether what an agent reports can be believed now."""
    if hearing is None or (hearing.at is None and not hearing.runs):
        return AgentState.NEVER
    if hearing.lost(now):
        return AgentState.LOST
    if hearing.tainted:
        return AgentState.TAINTED
    return AgentState.HEARD if hearing.known(now) else AgentState.NEW


def status(
    name: str, nva: bool, meant: bool, hearing: Hearing | None, account: Account, targets: int, now: datetime
) -> AgentStatus:
    """Return an agent as it is now."""
    run, batch = next(reversed(hearing.runs.items()), ("", 0)) if hearing is not None else ("", 0)
    recent = [part for _, part in hearing.taints] if hearing is not None else []
    return AgentStatus(
        name,
        nva,
        state(hearing, now),
        meant,
        hearing.at if hearing is not None else None,
        hearing.since if hearing is not None else None,
        run,
        batch,
        account.host,
        targets,
        account.lag,
        sum(recent) / len(recent) if recent else 0.0,
        account.skew,
        account.dropped,
        account.unsent,
        account.late,
        account.lacking,
    )
