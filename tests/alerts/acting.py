"""A network that is watched: what happens goes through analyzers and ledger into incidents, on a virtual clock."""

from dataclasses import dataclass, field

from alerts.incidents.fold import Incidents
from alerts.ledger import Ledger
from anycast.finding import Record, Step, Transition
from anycast.incident import Development, Incident, latest
from anycast.kinds import KINDS
from tests.analyzers.network import Network


@dataclass
class Acting:
    """The lab's network as `tests.analyzers.network` has it, and everything that is concluded of it."""

    network: Network = field(default_factory=Network)

    def __post_init__(self) -> None:
        self.ledger = Ledger(lambda kind: KINDS[kind].hold_down)
        self.fold = Incidents(self.network.intent)
        self.developments: list[Development] = []
        self.opened: dict[str, Record] = {}
        self.transitions: list[tuple[Transition, ...]] = []

    def wait(self, seconds: float, grain: float = 0.5) -> None:
        """Let time pass, and judge at each grain of it."""
        self.judge()
        for _ in range(round(seconds / grain)):
            self.network.wait(grain)
            self.judge()

    def judge(self) -> None:
        """Judge now."""
        network = self.network
        steps = self.ledger.judge(network.findings(), network.view.unknown(), network.now)
        if steps:
            self.transitions.append(steps)
            self.opened |= {step.record.id: step.record for step in steps if step.step is Step.OPENED}
            self.developments += self.fold.take(*steps)

    @property
    def incidents(self) -> list[Incident]:
        """Every incident as it stood last, in the order of opening."""
        return list(latest(self.developments))


def brief(incident: Incident) -> tuple[str, set[str]]:
    """Keys without prefixes: of the first cause, and of all members."""
    return short(incident.cause.key), {short(member.key) for member in incident.members}


def short(key: str) -> str:
    kind, *parts = key.split("|")
    return " ".join([kind, *(part.partition("=")[2] for part in parts if not part.startswith("prefix="))])
