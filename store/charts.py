"""What probes showed over time, summed up: questions to the table `probes` that a page waits for.

Rows are sealed by site, target, way of asking and time, so that one target's hours lie together; what is not sealed yet
is kept in memory (`store.tail`). Results that say nothing of the network (`ProbeResult.counts`) are left out.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from anycast.probe import LOST, Outcome, Probe, Proof
from store.answers import Page
from store.probed import COLUMNS as PROBED
from store.probed import OUTCOMES, PROBES, PROOFS, Probed, probed
from store.reader import SPOOLED, Reader
from store.scan import Scan, stamp
from store.schema import nanoseconds
from store.tail import Tail

WAYS: Final = (Probe.UDP, Probe.HTTP, Probe.DNS, Probe.TCP, Probe.ICMP)
"""Ways of asking that have a round trip; whoever says who answers comes first."""
NAMES: Final = 32
"""Different regions, or NVAs, in one answer: an agent that makes more of them up does not make it longer."""
MOST: Final = 200_000
"""Rows of one answer, before they are put together."""
MOST_WAYS: Final = 10_000
"""Changes of traceroutes."""

_COLUMNS: Final = (
    "at", "site", "target", "probe", "outcome", "flow", "rtt", "region", "nva", "proof", "hops", "tainted",
)  # fmt: skip
_NOTHING: Final = (Outcome.UNSENT, Outcome.LATE, Outcome.BEGAN)


def _places(outcomes: Iterable[Outcome]) -> str:
    return "(" + ", ".join(str(OUTCOMES.index(outcome)) for outcome in sorted(outcomes)) + ")"


_LOST: Final = f"outcome in {_places(LOST)}"
_ANSWERED: Final = f"outcome = {OUTCOMES.index(Outcome.ANSWERED)}"
_PROVEN: Final = f"{_ANSWERED} and proof > {PROOFS.index(Proof.NONE)}"
_STEP: Final = """(epoch_ns("at") - $first) // $width"""
_WHERE: Final = f"""site = $site and target = $target and not tainted and outcome not in {_places(_NOTHING)}
    and "at" >= $start::TIMESTAMPTZ_NS and "at" < $end::TIMESTAMPTZ_NS"""


class Smoked(NamedTuple):
    """Round trips of one step that one region answered; of `region` "" what nobody answered, or who cannot be told."""

    step: int
    region: str
    sent: int
    lost: int
    least: int | None
    """Nanoseconds, as those that follow; None where nothing was answered."""
    p25: float | None
    p50: float | None
    p75: float | None
    p90: float | None
    p99: float | None
    most: int | None
    proof: int | None
    """The weakest that an answer rests on: index in anycast.probe.Proof."""


class Shared(NamedTuple):
    """Probes from new source ports in one step that one region answered; of `region` "" what proves no region."""

    step: int
    region: str
    sent: int
    lost: int
    proof: int | None


class Flowed(NamedTuple):
    """Probes of one fixed flow in one step that one NVA answered; of `nva` "" what none did."""

    step: int
    flow: int
    nva: str
    region: str
    sent: int
    lost: int
    p50: float | None


class Way(NamedTuple):
    """How a flow was traced: nanoseconds since 1970."""

    at: int
    flow: int
    hops: tuple[str, ...]


Place = tuple[int, str, int, int]
"""Where a page ended: microseconds since 1970, run, batch and number of its last result."""


class Charts(Reader):
    """A reader that keeps of the growing segments what charts need. Threads may share it."""

    def __init__(self, path: Path) -> None:
        """Look at one journal folder."""
        super().__init__(path)
        self._tail = Tail("probes", _COLUMNS)

    def follow(self, now: datetime) -> None:
        """Read what was added: so that the next chart waits for no more than what comes after."""
        self._look(now.astimezone(UTC).date() - timedelta(days=1), date.max, lambda scan: scan.narrow(self._tail))

    def smoke(
        self, site: str, target: str, start: datetime, end: datetime, width: int, probe: Probe | None = None
    ) -> tuple[Probe | None, list[Smoked]]:
        """Return round trips in steps of `width` ns, and by which way of asking: by the first of WAYS when None.

        The way is None where none has any result.
        """
        wanted = WAYS if probe is None else (probe,)
        ways = ", ".join(str(PROBES.index(way)) for way in wanted)
        sql = f"""select probe, {_STEP} as step, region, count(*), count(*) filter ({_LOST}), min(rtt),
                  quantile_cont(rtt, [0.25, 0.5, 0.75, 0.9, 0.99]), max(rtt), min(proof) filter ({_ANSWERED})
                  from (select probe, "at", outcome, proof, if({_PROVEN}, region, '') as region,
                        if({_ANSWERED}, rtt, null) as rtt from probes where {_WHERE} and probe in ({ways}))
                  group by all order by step, region limit {MOST}"""
        rows = self._chart(sql, site, target, start, end, width)
        found = next((way for way in wanted if any(row[0] == PROBES.index(way) for row in rows)), None)
        ours = [row for row in rows if found is not None and row[0] == PROBES.index(found)]
        return found, _named([Smoked(*row[1:6], *(row[6] or (None,) * 5), *row[7:]) for row in ours])

    def shares(
        self, site: str, service: str, start: datetime, end: datetime, width: int
    ) -> tuple[Probe | None, list[Shared]]:
        """Return who answered probes from new source ports, in steps of `width` ns, and by which way of asking.

        UDP where anybody proves a region by it, else HTTP or DNS, of which every probe is a new connection.
        """
        ways = (Probe.UDP, Probe.HTTP, Probe.DNS)
        numbers = ", ".join(str(PROBES.index(way)) for way in ways)
        sql = f"""select probe, {_STEP} as step, region, count(*), count(*) filter ({_LOST}), min(proof)
                  from (select probe, "at", outcome, if({_PROVEN}, region, '') as region,
                        if({_PROVEN}, proof, null) as proof
                        from probes where {_WHERE} and flow < 0 and probe in ({numbers}))
                  group by all order by step, region limit {MOST}"""
        rows = self._chart(sql, site, service, start, end, width)
        proven = {row[0] for row in rows if row[2]} or {row[0] for row in rows}
        found = next((way for way in ways if PROBES.index(way) in proven), None)
        ours = [row for row in rows if found is not None and row[0] == PROBES.index(found)]
        return found, _named([Shared(*row[1:]) for row in ours])

    def flows(self, site: str, service: str, start: datetime, end: datetime, width: int) -> list[Flowed]:
        """Return what became of each fixed flow, in steps of `width` ns."""
        sql = f"""select {_STEP} as step, flow, nva, any_value(region), count(*), count(*) filter ({_LOST}), median(rtt)
                  from (select "at", flow, outcome, if({_PROVEN}, nva, '') as nva, if({_PROVEN}, region, '') as region,
                        if({_ANSWERED}, rtt, null) as rtt
                        from probes where {_WHERE} and flow >= 0 and probe = {PROBES.index(Probe.UDP)})
                  group by step, flow, nva order by step, flow, nva limit {MOST}"""
        return [Flowed(*row) for row in self._chart(sql, site, service, start, end, width)]

    def ways(self, site: str, service: str, start: datetime, end: datetime) -> list[Way]:
        """Return how fixed flows were traced in [start, end), whenever it was otherwise than before."""
        sql = f"""select epoch_ns("at"), flow, hops from probes
                  where {_WHERE} and flow >= 0 and hops <> '' and probe = {PROBES.index(Probe.TRACE)}
                  qualify hops is distinct from lag(hops) over (partition by flow order by "at")
                  order by "at", flow limit {MOST_WAYS}"""
        return [Way(at, flow, tuple(hops.split())) for at, flow, hops in self._chart(sql, site, service, start, end, 1)]

    def results(
        self, site: str, target: str | None, start: datetime, end: datetime, limit: int, after: Place | None = None
    ) -> Page[Probed]:
        """Return results of one agent sent in [start, end), oldest first, those behind `after` where it is given."""
        behind = 'and (epoch_ns("at") // 1000, run, batch, number) > ($us, $run, $batch, $number)' if after else ""
        asked = "and target = $target" if target is not None else ""
        sql = f"""select {PROBED} from probes where site = $site {asked} {behind}
                  and "at" >= $start::TIMESTAMPTZ_NS and "at" < $end::TIMESTAMPTZ_NS
                  order by epoch_ns("at") // 1000, run, batch, number limit $limit"""
        known = {"site": site, "limit": limit + 1, "start": stamp(nanoseconds(start)), "end": stamp(nanoseconds(end))}
        more = {} if after is None else dict(zip(("us", "run", "batch", "number"), after, strict=True))
        given = known | more | ({} if target is None else {"target": target})

        def ask(scan: Scan) -> Page[Probed]:
            found = scan.rows(sql, given, "probes")
            return Page(tuple(map(probed, found[:limit])), len(found) > limit)

        return self._look(start.astimezone(UTC).date(), (end + SPOOLED).astimezone(UTC).date(), ask)

    def _chart(self, sql: str, site: str, target: str, start: datetime, end: datetime, width: int) -> list[Any]:
        first = nanoseconds(start)
        times = {"start": stamp(first), "end": stamp(nanoseconds(end)), "first": first, "width": width}
        known: Mapping[str, object] = {"site": site, "target": target, **times}
        parameters = {name: value for name, value in known.items() if f"${name}" in sql}

        def ask(scan: Scan) -> list[Any]:
            scan.narrow(self._tail)
            return scan.rows(sql, parameters)

        return self._look(start.astimezone(UTC).date(), (end + SPOOLED).astimezone(UTC).date(), ask)


Named = TypeVar("Named", Smoked, Shared)


def _named(rows: list[Named]) -> list[Named]:
    """Leave the regions that have most of the probes; what others answered is nobody's that we know."""
    total: dict[str, int] = {}
    for row in rows:
        total[row.region] = total.get(row.region, 0) + row.sent
    kept = set(sorted(total, key=lambda region: -total[region])[:NAMES]) | {""}
    return rows if len(total) <= NAMES else [row for row in rows if row.region in kept]
