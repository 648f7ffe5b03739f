"""Rows of the table `probes` as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from anycast.probe import Identity, Outcome, Probe, ProbeResult, Proof, TargetKind
from store.schema import moment

PROBES: Final = tuple(Probe)
"""The orders that the columns `probe`, `kind`, `outcome` and `proof` count in."""
KINDS: Final = tuple(TargetKind)
OUTCOMES: Final = tuple(Outcome)
PROOFS: Final = tuple(Proof)

COLUMNS: Final = """epoch_ns("at"), epoch_ns(agent_at), site, run, batch, number, late, probe, target, kind, outcome,
    flow, port, rtt, region, nva, instance, generation, proof, forward, held, connect, first_byte, ttl, far_ttl, seen,
    status, value, hops, detail, tainted"""


@dataclass(frozen=True, slots=True)
class Probed:
    """One result as the journal has it."""

    site: str
    run: str
    batch: int
    number: int
    """Place in its batch, from 0."""
    late: bool
    """It waited in the agent's spool: nothing was judged from it."""
    kind: TargetKind | None
    """None where the centre did not know the target yet."""
    agent_at: datetime
    """When it was sent by the agent's own wall clock."""
    result: ProbeResult


def probed(row: Sequence[Any]) -> Probed:
    """Make a value of a row of COLUMNS."""
    (at, agent_at, site, run, batch, number, late, probe, target, kind, outcome, flow, port, rtt, region, nva, instance,
     generation, proof, forward, held, connect, first_byte, ttl, far_ttl, seen, status, value, hops, detail,
     tainted) = row  # fmt: skip
    result = ProbeResult(
        at=moment(at),
        probe=PROBES[probe],
        target=target,
        outcome=OUTCOMES[outcome],
        flow=flow,
        port=port,
        rtt=_seconds(rtt),
        identity=Identity(region, nva, instance, generation) if region or nva or instance or generation else None,
        proof=PROOFS[proof],
        forward=_seconds(forward),
        held=_seconds(held),
        connect=_seconds(connect),
        first_byte=_seconds(first_byte),
        ttl=ttl,
        far_ttl=far_ttl,
        seen=seen,
        status=status,
        value=value,
        hops=tuple(hops.split()),
        detail=detail,
        tainted=tainted,
    )
    return Probed(site, run, batch, number, late, None if kind is None else KINDS[kind], moment(agent_at), result)


def _seconds(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e9
