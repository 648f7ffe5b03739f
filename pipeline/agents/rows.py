"""One batch as rows for the journal, and as what is judged."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import pyarrow as pa

from anycast.probe import AgentReported, Identity, Outcome, Probe, ProbeResult, Proof, Target
from collector.probe.batch import Batch
from store.probed import KINDS, OUTCOMES, PROBES, PROOFS
from store.schema import SUBMITTED, moment

INDEX: Final[Mapping[str, Mapping[str, int]]] = {
    "probe": {str(each): number for number, each in enumerate(PROBES)},
    "outcome": {str(each): number for number, each in enumerate(OUTCOMES)},
    "proof": {str(each): number for number, each in enumerate(PROOFS)},
}
_KIND: Final = {kind: number for number, kind in enumerate(KINDS)}
_WORDS: Final[Mapping[str, type[StrEnum]]] = {"probe": Probe, "outcome": Outcome, "proof": Proof}
_SAME: Final[Mapping[str, Mapping[str, Any]]] = {
    name: {str(each): each for each in words} for name, words in _WORDS.items()
}


def times(batch: Batch, offset: int | None, received: int) -> list[int]:
    """Return when each result was sent by our clock, ns since 1970, and never after it was `received`.

    Without an offset the agent's wall clock has to do.
    """
    if offset is None:
        return [min(wall, received) for wall in batch.columns["wall"]]
    return [min(mono + offset, received) for mono in batch.columns["mono"]]


def table(batch: Batch, at: Sequence[int], late: bool, targets: Mapping[str, Target]) -> pa.RecordBatch:
    """Return a batch as rows of the table `probes`."""
    rows, columns = batch.rows, batch.columns
    kinds = {name: _KIND[target.kind] for name, target in targets.items()}
    made: dict[str, Sequence[Any]] = {
        **columns,
        "at": at,
        "agent_at": columns["wall"],
        "site": [batch.site] * rows,
        "run": [batch.run] * rows,
        "batch": [batch.sequence] * rows,
        "number": range(rows),
        "late": [late] * rows,
        "kind": [kinds.get(name) for name in columns["target"]],
        **{name: [index[word] for word in columns[name]] for name, index in INDEX.items()},
    }
    schema = SUBMITTED["probes"]
    return pa.RecordBatch.from_arrays([pa.array(made[field.name], field.type) for field in schema], schema=schema)


def report(batch: Batch, at: Sequence[int], late: bool, skew: int | None, received: datetime) -> AgentReported:
    """Return a batch as what is judged; a late one without its results, which are history."""
    health = batch.health
    return AgentReported(
        at=received,
        site=batch.site,
        run=batch.run,
        sequence=batch.sequence,
        results=() if late else tuple(_results(batch.columns, at)),
        targets=batch.targets,
        host=batch.host,
        interval=batch.interval,
        skew=None if skew is None else skew / 1e9,
        step=health.step / 1e9,
        lag=health.lag / 1e9,
        tainted=health.tainted,
        dropped=batch.dropped,
        unsent=health.unsent,
        lacking=health.lacking,
        late=late,
    )


def _results(columns: Mapping[str, Sequence[Any]], at: Sequence[int]) -> list[ProbeResult]:
    def words(name: str) -> list[Any]:
        return [_SAME[name][word] for word in columns[name]]

    def seconds(name: str) -> list[float | None]:
        return [None if value is None else value / 1e9 for value in columns[name]]

    build: Callable[..., ProbeResult] = ProbeResult
    identities = map(_identity, columns["region"], columns["nva"], columns["instance"], columns["generation"])
    return list(
        map(
            build, map(moment, at), words("probe"), columns["target"], words("outcome"), columns["flow"],
            columns["port"], seconds("rtt"), identities, words("proof"), seconds("forward"), seconds("held"),
            seconds("connect"), seconds("first_byte"), columns["ttl"], columns["far_ttl"], columns["seen"],
            columns["status"], columns["value"], [tuple(hops.split()) for hops in columns["hops"]],
            columns["detail"], columns["tainted"],
        )
    )  # fmt: skip


def _identity(region: str, nva: str, instance: str, generation: str) -> Identity | None:
    return Identity(region, nva, instance, generation) if region or nva or instance or generation else None
