"""What charts say against the same sums made by hand, whether the rows are sealed, closed, growing, or each in part."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from statistics import median

import pytest

from anycast.probe import Outcome, Probe, Proof
from store.charts import NAMES, Charts, Place
from store.journal import Journal
from store.probed import Probed
from store.schema import nanoseconds
from store.seal import seal
from store.tail import Tail
from tests.store.made import NOON, at
from tests.store.probing import Row, probe_row, probes

SECOND = 10**9
HOUR = timedelta(hours=1)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path)
    yield made
    made.close()


def append(journal: Journal, *rows: Row, seconds: float = 0.0) -> None:
    journal.append([probes(*rows)], at(seconds))
    journal.commit()


def test_smoke_is_quantiles_of_each_region_and_losses_of_nobody(journal: Journal) -> None:
    weu = [probe_row(number / 10, rtt=(10 + number) * 1_000_000) for number in range(100)]
    eus = [probe_row(number / 10, rtt=80_000_000, region="eus", nva="eus-nva1") for number in range(50)]
    lost = [probe_row(7.5, outcome=Outcome.SILENT), probe_row(8.5, outcome=Outcome.UNREACHABLE)]
    refused = probe_row(9.5, outcome=Outcome.REFUSED, rtt=2_000_000)
    append(journal, *weu, *eus, *lost, refused)
    way, found = Charts(journal.folder.path).smoke("ams", "web", NOON, at(10), 10 * SECOND)
    assert way is Probe.UDP
    assert [(row.step, row.region, row.sent, row.lost) for row in found] == [
        (0, "", 3, 2),
        (0, "eus", 50, 0),
        (0, "weu", 100, 0),
    ]
    nobody, far, near = found
    assert (near.least, near.most) == (10_000_000, 109_000_000)
    assert near.p50 == median(range(10, 110)) * 1_000_000
    assert near.p25 == pytest.approx(34.75e6)
    assert near.p90 == pytest.approx(99.1e6)
    assert far.least == far.p25 == far.p99 == far.most == 80_000_000
    assert (nobody.least, nobody.p50, nobody.most) == (None, None, None), "a refusal is no round trip of the service"


def test_what_says_nothing_of_the_network_is_in_no_chart(journal: Journal) -> None:
    for outcome in (Outcome.UNSENT, Outcome.LATE, Outcome.BEGAN):
        append(journal, probe_row(1, outcome=outcome), probe_row(1, outcome=outcome, flow=1))
    append(journal, probe_row(1, tainted=True), probe_row(2, tainted=True, flow=2))
    append(journal, probe_row(1, site="nyc"), probe_row(1, target="dns"), probe_row(-1), probe_row(10))
    charts = Charts(journal.folder.path)
    assert charts.smoke("ams", "web", NOON, at(10), SECOND) == (None, [])
    assert charts.shares("ams", "web", NOON, at(10), SECOND) == (None, [])
    assert charts.flows("ams", "web", NOON, at(10), SECOND) == []
    append(journal, probe_row(5))
    assert charts.shares("ams", "web", NOON, at(10), SECOND)[1] == [(5, "weu", 1, 0, 2)]


def test_the_way_of_asking_is_the_first_that_names_who_answers_unless_it_is_said(journal: Journal) -> None:
    append(journal, probe_row(1, probe=Probe.ICMP, proof=Proof.NONE, region="", nva="", rtt=1_000_000))
    charts = Charts(journal.folder.path)
    assert charts.smoke("ams", "web", NOON, at(10), SECOND)[0] is Probe.ICMP
    append(journal, probe_row(1, probe=Probe.HTTP, proof=Proof.MATCHED))
    assert charts.smoke("ams", "web", NOON, at(10), SECOND)[0] is Probe.HTTP
    append(journal, probe_row(1))
    assert charts.smoke("ams", "web", NOON, at(10), SECOND)[0] is Probe.UDP
    way, [row] = charts.smoke("ams", "web", NOON, at(10), SECOND, Probe.ICMP)
    assert (way, row.least) == (Probe.ICMP, 1_000_000)
    assert charts.smoke("ams", "web", NOON, at(10), SECOND, Probe.DNS) == (None, [])


def test_an_identity_that_proves_nothing_is_nobodys_region(journal: Journal) -> None:
    append(journal, probe_row(1, proof=Proof.NONE, region="weu"), probe_row(1.5, outcome=Outcome.INVALID, region="weu"))
    charts = Charts(journal.folder.path)
    assert {row.region for row in charts.smoke("ams", "web", NOON, at(10), SECOND)[1]} == {""}
    assert {row.region for row in charts.shares("ams", "web", NOON, at(10), SECOND)[1]} == {""}


def test_shares_are_of_new_source_ports_and_rest_on_the_weakest_proof(journal: Journal) -> None:
    append(journal, *(probe_row(n / 10, flow=3, region="eus") for n in range(10)))
    append(journal, *(probe_row(n / 10) for n in range(5)), probe_row(0.9, outcome=Outcome.SILENT))
    append(journal, *(probe_row(n / 10, probe=Probe.HTTP, proof=Proof.MATCHED, region="eus") for n in range(7)))
    charts = Charts(journal.folder.path)
    assert charts.shares("ams", "web", NOON, at(10), SECOND) == (Probe.UDP, [(0, "", 1, 1, None), (0, "weu", 5, 0, 2)])
    late = charts.shares("ams", "web", at(0.55), at(10), SECOND)
    assert late == (Probe.HTTP, [(0, "eus", 1, 0, 1)]), "UDP proves nothing here, and HTTP does"


def test_flows_are_counted_each_by_itself(journal: Journal) -> None:
    append(journal, *(probe_row(n / 2, flow=n % 2, nva=f"weu-nva{n % 2 + 1}", rtt=(n + 1) * 1000) for n in range(20)))
    append(journal, probe_row(1.1, flow=0, outcome=Outcome.SILENT), probe_row(1.2))
    found = Charts(journal.folder.path).flows("ams", "web", NOON, at(10), 10 * SECOND)
    assert found == [
        (0, 0, "", "", 1, 1, None),
        (0, 0, "weu-nva1", "weu", 10, 0, 10_000),
        (0, 1, "weu-nva2", "weu", 10, 0, 11_000),
    ]


def test_ways_are_told_when_they_change(journal: Journal) -> None:
    for n, last in enumerate("11551"):
        append(journal, probe_row(n, probe=Probe.TRACE, flow=4, hops=f"192.0.2.1 172.16.0.{last}"))
        append(journal, probe_row(n, probe=Probe.TRACE, flow=5, hops="192.0.2.1 *"))
    found = Charts(journal.folder.path).ways("ams", "web", NOON, at(10))
    assert [(way.flow, way.hops[-1]) for way in found] == [
        (4, "172.16.0.1"),
        (5, "*"),
        (4, "172.16.0.5"),
        (4, "172.16.0.1"),
    ]
    assert [way.at // SECOND - found[0].at // SECOND for way in found] == [0, 0, 2, 4]


def test_pages_of_results_follow_each_other_without_a_gap(journal: Journal) -> None:
    rows = [probe_row(n // 5, number=n, run=f"run{n % 2}", target="web" if n % 3 else "dns") for n in range(50)]
    append(journal, *rows, probe_row(3, site="nyc"))
    charts = Charts(journal.folder.path)
    got: list[Probed] = []
    after: Place | None = None
    while True:
        page = charts.results("ams", None, NOON, at(100), 7, after)
        got += page.rows
        if not page.more:
            break
        last = page.rows[-1]
        after = (nanoseconds(last.result.at) // 1000, last.run, last.batch, last.number)
    assert sorted(each.number for each in got) == list(range(50))
    assert [each.result.at for each in got] == sorted(each.result.at for each in got)
    assert {each.result.target for each in charts.results("ams", "dns", NOON, at(100), 100).rows} == {"dns"}


def test_names_that_are_made_up_do_not_make_an_answer_longer(journal: Journal) -> None:
    append(journal, *(probe_row(1, region=f"made-{n}") for n in range(500)), *(probe_row(2) for _ in range(9)))
    charts = Charts(journal.folder.path)
    for _, found in (charts.smoke("ams", "web", NOON, at(9), SECOND), charts.shares("ams", "web", NOON, at(9), SECOND)):
        regions = {row.region for row in found}
        assert len(regions) <= NAMES + 1
        assert "weu" in regions


def test_charts_are_the_same_wherever_the_rows_are(tmp_path: Path) -> None:
    random = Random(5)
    rows = [
        probe_row(
            random.random() * 7200,
            site=random.choice(("ams", "nyc")),
            flow=random.choice((-1, -1, 0, 1, 2)),
            outcome=random.choice((*[Outcome.ANSWERED] * 20, Outcome.SILENT)),
            **{"target": random.choice(("web", "dns"))},
        )
        for _ in range(3000)
    ]
    one, mixed = Journal(tmp_path / "one"), Journal(tmp_path / "mixed")
    append(one, *rows)
    asked = [Charts(journal.folder.path) for journal in (one, mixed)]

    def answers(charts: Charts) -> object:
        window = ("ams", "web", NOON, at(7200), 60 * SECOND)
        return charts.smoke(*window), charts.shares(*window), charts.flows(*window)

    for number in range(0, 3000, 100):
        hour = number / 100 * 600
        append(mixed, *rows[number : number + 100], seconds=hour)
        if number % 700 == 0:
            answers(asked[1])
            seal(mixed.folder.path, at(hour))
    assert len(list(mixed.folder.segments(".growing"))) == 1
    assert len(list(mixed.folder.sealed.glob("*/probes-*"))) > 2
    assert answers(asked[0]) == answers(asked[1]) == answers(Charts(mixed.folder.path))
    one.close()
    mixed.close()


def test_what_was_followed_is_not_read_again(journal: Journal) -> None:
    append(journal, *(probe_row(n) for n in range(100)))
    charts = Charts(journal.folder.path)
    charts.follow(NOON)
    assert sum(segment.num_rows for segment in charts._tail._known.popitem()[1].chunks) == 100
    charts.follow(NOON + timedelta(days=9))
    assert charts._tail._known == {}
    append(journal, probe_row(101))
    assert sum(row.sent for row in charts.shares("ams", "web", NOON, at(200), SECOND)[1]) == 101


def test_the_tail_reads_what_was_added_and_forgets_what_was_sealed(journal: Journal) -> None:
    tail = Tail("probes", ("site", "target"))
    growing = journal.folder.growing
    for number in range(1, 40):
        append(journal, probe_row(number))
        assert tail.read(list(growing.glob("*/*"))).num_rows == number
    assert tail.read(list(growing.glob("*/*"))).column_names == ["site", "target"]
    assert tail.read([]).num_rows == 0
    assert tail.read(list(growing.glob("*/*"))).num_rows == 39


def test_the_tail_waits_for_the_end_of_a_batch_and_drops_what_was_taken_back(journal: Journal) -> None:
    tail = Tail("probes", ("site",))
    append(journal, probe_row(1))
    [path] = journal.folder.growing.glob("*/*")
    first = path.stat().st_size
    append(journal, probe_row(2), probe_row(3))
    whole = path.read_bytes()
    for end in range(first, len(whole), 97):
        path.write_bytes(whole[:end])
        assert tail.read([path]).num_rows == 1, end
    path.write_bytes(whole)
    assert tail.read([path]).num_rows == 3
    path.write_bytes(whole[:first])
    assert tail.read([path]).num_rows == 1, "a commit that failed"
    path.write_bytes(whole)
    assert tail.read([path]).num_rows == 3
