"""A view that a simulated network's agents filled, a journal of the same results, and the API over both, in process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pyarrow as pa
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from analyzers.view import View
from anycast.intent import Intent
from anycast.probe import AgentReported, Identity, Target, TargetKind
from pipeline.api.app import _invalid, _unanswerable
from pipeline.api.asking import Unanswerable
from pipeline.api.catchment import catchment_routes
from pipeline.catchments import Catchments
from pipeline.judging import Judging
from store.journal import Journal
from store.ledger import LedgerFile
from store.probed import KINDS, OUTCOMES, PROBES, PROOFS
from store.schema import SUBMITTED, nanoseconds
from tests.analyzers.probed import Probed


@dataclass
class Judged:
    """What `Catchments` reads of a `Judging`."""

    view: View
    intent: Intent


class Recorded(Probed):
    """A simulated network whose batches are kept, to be written into a journal as the centre does."""

    def __init__(self, **more: object) -> None:
        self.batches: list[AgentReported] = []
        super().__init__(services=("web",), settle=0.0, **more)  # type: ignore[arg-type]
        self.judged = False
        self.began = self.now

    def _batch(self, agent: object, at: datetime) -> AgentReported:
        made = super()._batch(agent, at)  # type: ignore[arg-type]
        self.batches.append(made)
        return made


def rows(report: AgentReported, targets: dict[str, Target], later: timedelta = timedelta()) -> pa.RecordBatch:
    """A batch as rows of the table `probes`, all so much later."""

    def ns(value: float | None) -> int | None:
        return None if value is None else round(value * 1e9)

    shown = []
    for number, result in enumerate(report.results):
        identity = result.identity or Identity()
        at = nanoseconds(result.at + later)
        kind = targets[result.target].kind if result.target in targets else TargetKind.SERVICE
        shown.append(
            {
                "at": at, "agent_at": at, "site": report.site, "run": report.run, "batch": report.sequence,
                "number": number, "late": report.late, "probe": PROBES.index(result.probe), "target": result.target,
                "kind": KINDS.index(kind), "outcome": OUTCOMES.index(result.outcome), "flow": result.flow,
                "port": result.port % 65536, "rtt": ns(result.rtt), "region": identity.region, "nva": identity.nva,
                "instance": identity.instance, "generation": identity.generation,
                "proof": PROOFS.index(result.proof), "forward": ns(result.forward), "held": ns(result.held),
                "connect": ns(result.connect), "first_byte": ns(result.first_byte), "ttl": result.ttl,
                "far_ttl": result.far_ttl, "seen": result.seen, "status": result.status, "value": result.value,
                "hops": " ".join(result.hops), "detail": result.detail, "tainted": result.tainted,
            }
        )  # fmt: skip
    schema = SUBMITTED["probes"]
    return pa.RecordBatch.from_arrays(
        [pa.array([row[field.name] for row in shown], field.type) for field in schema], schema=schema
    )


def write(data: Path, batches: Sequence[AgentReported], later: timedelta = timedelta()) -> None:
    """Write batches into the journal of a data folder, with all times so much later."""
    journal = Journal(data / "journal")
    targets: dict[str, Target] = {}
    for report in batches:
        targets |= {target.name: target for target in report.targets}
        if report.results:
            journal.append([[("probes", rows(report, targets, later))]], report.at.astimezone(UTC) + later)
    journal.close()


@contextmanager
def api(world: Recorded, data: Path, later: timedelta = timedelta()) -> Iterator[FastAPI]:
    """The API's routes over a view, and over a journal of what it saw, with all times so much later."""
    write(data, world.batches, later)
    if not (data / "ledger.sqlite").exists():
        LedgerFile(data / "ledger.sqlite")._close()
    app = FastAPI()
    app.add_exception_handler(Unanswerable, _unanswerable)
    app.add_exception_handler(RequestValidationError, _invalid)
    catchment_routes(app, Catchments(cast(Judging, Judged(world.view, world.intent)), data, lambda: world.now))
    yield app
