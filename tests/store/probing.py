"""Rows of the table `probes`, made by hand."""

import pyarrow as pa

from anycast.probe import Outcome, Probe, Proof, TargetKind
from store.probed import KINDS, OUTCOMES, PROBES, PROOFS
from store.schema import SUBMITTED, nanoseconds
from tests.store.made import at, batch

Row = tuple[object, ...]


def probe_row(seconds: float, **given: object) -> Row:
    """A UDP probe of web from ams that weu answered in 10 ms, so many seconds after noon; `given` departs from it."""
    answered = given.get("outcome", Outcome.ANSWERED) is Outcome.ANSWERED
    when = nanoseconds(at(seconds))
    usual: dict[str, object] = {
        "at": when, "agent_at": when, "site": "ams", "run": "run", "batch": 1, "number": int(seconds * 1000) % 2**31,
        "late": False, "probe": Probe.UDP, "target": "web", "kind": TargetKind.SERVICE, "outcome": Outcome.ANSWERED,
        "flow": -1, "port": 40000, "rtt": 10_000_000 if answered else None, "region": "weu" if answered else "",
        "nva": "weu-nva1" if answered else "", "instance": "", "generation": "",
        "proof": Proof.AUTHENTICATED if answered else Proof.NONE, "forward": None, "held": None, "connect": None,
        "first_byte": None, "ttl": 0, "far_ttl": 0, "seen": "", "status": 0, "value": None, "hops": "", "detail": "",
        "tainted": False,
    }  # fmt: skip
    row = usual | given
    places = {"probe": PROBES, "kind": KINDS, "outcome": OUTCOMES, "proof": PROOFS}
    for name, order in places.items():
        row[name] = order.index(row[name])
    return tuple(row[field.name] for field in SUBMITTED["probes"])


def probes(*rows: Row) -> list[tuple[str, pa.RecordBatch]]:
    """A submission of probes."""
    return [("probes", batch("probes", *rows))]
