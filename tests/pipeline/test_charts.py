"""Charts of a data folder: shares with their intervals, legs with their losses, shifts with what explains them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from anycast.catchment import LegKind
from anycast.charted import Window
from anycast.finding import Finding, Kind, Record, Severity, State, Step, Subject, Transition
from anycast.intent import Intent
from anycast.probe import Outcome, Probe, Proof
from pipeline.charts import Charts
from pipeline.timeline import Narrator
from store.journal import Journal
from store.ledger import LedgerFile
from tests.store.made import NOON, at
from tests.store.probing import Row, probe_row, probes

MINUTE = Window(NOON, at(60), 10.0)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal")
    yield made
    made.close()


def append(journal: Journal, *rows: Row) -> None:
    journal.append([probes(*rows)], NOON)
    journal.commit()


def _told(number: int, kind: Kind, site: str) -> Transition:
    subject = Subject("web", "10.250.0.10/32", site=site)
    why = (("event", "10.250.0.10/32 withdrawn at V1 weu-nva1"),)
    finding = Finding(kind, subject, Severity.INFO, at(20), "traffic moved", why)
    record = Record(f"id{number}", finding, State.OPEN, at(21), at(21))
    return Transition(at(21), Step.OPENED, record)


def charts(journal: Journal) -> Charts:
    return Charts(journal.folder.path.parent)


def test_shares_have_intervals_and_answers_that_prove_nothing_are_in_nobodys(journal: Journal) -> None:
    append(journal, *(probe_row(n / 10) for n in range(30)), *(probe_row(n / 10, region="eus") for n in range(10)))
    append(journal, probe_row(1, outcome=Outcome.SILENT), probe_row(2, outcome=Outcome.INVALID))
    chart = charts(journal).shares("ams", "web", MINUTE)
    [step] = chart.steps
    assert (chart.probe, step.at, step.sent, step.lost) == (Probe.UDP, NOON, 42, 1)
    eus, weu = step.regions
    assert (weu.region, weu.answers, weu.share.value, weu.share.samples) == ("weu", 30, 0.75, 40)
    assert weu.share.low == pytest.approx(0.5981, abs=1e-4)
    assert weu.share.high == pytest.approx(0.8581, abs=1e-4)
    assert eus.share.value == 0.25
    assert weu.proof is Proof.AUTHENTICATED
    assert step.loss.value == pytest.approx(1 / 42)


def test_matched_identities_are_told_apart_from_authenticated_ones(journal: Journal) -> None:
    append(journal, *(probe_row(n, probe=Probe.HTTP, proof=Proof.MATCHED) for n in range(5)))
    chart = charts(journal).shares("ams", "web", MINUTE)
    assert {region.proof for step in chart.steps for region in step.regions} == {Proof.MATCHED}
    assert charts(journal).smoke("ams", "web", MINUTE).bins[0].proof is Proof.MATCHED


def test_a_flow_loses_on_the_leg_that_it_takes(journal: Journal) -> None:
    for flow in range(4):
        nva = f"weu-nva{flow % 2 + 1}"
        append(journal, *(probe_row(n, flow=flow, nva=nva, rtt=(10 + flow) * 10**6) for n in range(0, 30, 2)))
        lost = Outcome.SILENT if flow % 2 else Outcome.ANSWERED
        append(journal, *(probe_row(n + 1, flow=flow, nva=nva, outcome=lost) for n in range(0, 30, 2)))
    append(journal, *(probe_row(40 + n, flow=1, outcome=Outcome.SILENT) for n in range(5)))
    found = {(step.at, step.name): step for step in charts(journal).legs("ams", "web", MINUTE).steps}
    well, lossy = found[NOON, "weu-nva1"], found[NOON, "weu-nva2"]
    assert (well.flows, well.loss.value, well.loss.samples) == (2, 0.0, 20)
    assert (lossy.flows, lossy.loss.value, lossy.loss.samples) == (2, 0.5, 20)
    assert lossy.latency == pytest.approx(0.012)
    assert well.region == lossy.region == "weu"
    silent = found[at(40), "weu-nva2"]
    assert (silent.flows, silent.loss.value, silent.latency) == (1, 1.0, None), "it is on the leg of its last answer"


def test_circuits_are_where_flows_part_on_their_way_to_nvas(journal: Journal) -> None:
    for flow in range(4):
        nva, circuit = f"weu-nva{flow % 2 + 1}", f"172.16.0.{1 + flow // 2}"
        hops = f"192.0.2.1 {circuit} 10.10.1.{4 + flow % 2} 10.250.0.10"
        append(journal, probe_row(1, probe=Probe.TRACE, flow=flow, hops=hops))
        append(journal, *(probe_row(n, flow=flow, nva=nva) for n in range(20)))
    append(journal, *(probe_row(15 + n / 10, flow=3, outcome=Outcome.SILENT) for n in range(10)))
    steps = charts(journal).legs("ams", "web", MINUTE, ("10.10.1.4", "10.10.1.5")).steps
    circuits = [step for step in steps if step.kind is LegKind.CIRCUIT]
    assert [(step.at, step.name, step.loss.value > 0) for step in circuits] == [
        (NOON, "172.16.0.1", False),
        (NOON, "172.16.0.2", False),
        (at(10), "172.16.0.1", False),
        (at(10), "172.16.0.2", True),
    ]
    assert {step.name for step in steps if step.kind is LegKind.NVA} == {"weu-nva1", "weu-nva2"}


def test_a_flow_that_is_traced_another_way_changes_its_circuit_from_then_on(journal: Journal) -> None:
    for flow in range(2):
        append(journal, *(probe_row(n, flow=flow) for n in range(40)))
        append(journal, probe_row(1, probe=Probe.TRACE, flow=flow, hops=f"192.0.2.1 172.16.0.{1 + flow}"))
    append(journal, probe_row(21, probe=Probe.TRACE, flow=1, hops="192.0.2.1 172.16.0.9"))
    append(journal, probe_row(31, probe=Probe.TRACE, flow=1, hops="192.0.2.1 *"))
    steps = [step for step in charts(journal).legs("ams", "web", MINUTE).steps if step.kind is LegKind.CIRCUIT]
    names = [sorted(step.name[-1] for step in steps if step.at == at(n)) for n in (0, 10, 20, 30)]
    assert names == [["1", "2"], ["1", "2"], ["1", "9"], ["1", "9"]], "silence of a hop changes nothing"


async def test_shifts_come_from_the_ledger_with_what_explains_them(journal: Journal) -> None:
    folder = journal.folder.path.parent
    file = LedgerFile(folder / "ledger.sqlite")
    try:
        for number, (kind, site) in enumerate(
            ((Kind.CATCHMENT_SHIFT, "ams"), (Kind.CATCHMENT_SHIFT, "nyc"), (Kind.DEAD_LEG, "ams"))
        ):
            step = _told(number, kind, site)
            event = replace(Narrator(Intent((), (), (), (), ())).judged(step), number=number + 1)
            told = [step]
            if number == 0:
                again = replace(step.record, finding=replace(step.record.finding, severity=Severity.WARNING))
                after = replace(step.record, finding=replace(step.record.finding, summary="traffic moved back"))
                told += [Transition(at(30), Step.CHANGED, again), Transition(at(40), Step.CHANGED, after)]
            await file.commit(told, [event])
    finally:
        await file.close()
    [shift, back] = charts(journal).shares("ams", "web", MINUTE).shifts
    assert (back.at, back.text, back.finding) == (at(40), "traffic moved back", "id0"), "one record tells of both"
    assert (shift.at, shift.severity) == (at(20), Severity.INFO)
    assert shift.explained == "10.250.0.10/32 withdrawn at V1 weu-nva1"
    [later] = charts(journal).shares("ams", "web", Window(at(21), at(60), 10.0)).shifts
    assert later == back
    assert charts(journal).shares("ams", "web", Window(at(41), at(60), 10.0)).shifts == ()


def test_without_anything_there_is_nothing_and_no_error(journal: Journal) -> None:
    found = charts(journal)
    assert found.smoke("ams", "web", MINUTE).bins == ()
    assert found.smoke("ams", "web", MINUTE).probe is None
    assert found.shares("ams", "web", MINUTE).steps == ()
    assert found.shares("ams", "web", MINUTE).shifts == ()
    assert found.legs("ams", "web", MINUTE).steps == ()
