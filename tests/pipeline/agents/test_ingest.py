"""What becomes of a body: in the journal once, judged once while fresh, and refused with a sentence else."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from anycast.observation import Observation
from anycast.probe import AgentReported, Identity, Outcome, Probe, Proof, Target, TargetKind
from collector.probe.batch import Batch, encode
from collector.probe.taken import Health, Taken
from pipeline.agents.clocks import SECOND, Now, Stamp
from pipeline.agents.ingest import Answer, Asked, Ingest
from pipeline.agents.marks import MOST_RUNS, Marks, recovered, save
from store.journal import Journal
from store.reader import Reader
from store.schema import Submission
from store.seal import seal
from store.writer import JournalBehind, JournalWriter

START = 1_790_000_000 * SECOND
RUN, OTHER = "0123456789abcdef", "f" * 16
NOON = datetime.fromtimestamp(START // SECOND, UTC)
TARGETS = (Target("web", TargetKind.SERVICE), Target("weu-nva1", TargetKind.NVA, region="weu", nva="weu-nva1"))


@dataclass
class Centre:
    """An ingest on a real journal, and what it handed to judging."""

    folder: Path
    heard: list[AgentReported] = field(default_factory=list)
    refusing: Exception | None = None

    def __post_init__(self) -> None:
        self.writer = JournalWriter(Journal(self.folder), clock=lambda: NOON)
        self.ingest = Ingest(self._marks(), self._submit, self._hear, dict)

    def _marks(self) -> Marks:
        return recovered(self.folder / "agents.json", self.folder, timedelta(days=7), NOON)

    def _submit(self, submission: Submission) -> "Future[int]":
        if self.refusing is not None:
            raise self.refusing
        return self.writer.submit(submission)

    def _hear(self, observations: Sequence[Observation]) -> None:
        self.heard += [each for each in observations if isinstance(each, AgentReported)]

    async def put(self, *batches: bytes, site: str = "ams", run: str = RUN, sequence: int = 1, after: float = 0.0,
                  oldest: int | None = None, boot: str = "b", at: float = 100.0) -> Answer:  # fmt: skip
        """Hand in a body that was sent at `at` seconds of the agent's clock, and came `after` seconds later."""
        mono = int(at * SECOND)
        stamp, now = Stamp(boot, mono, START + mono), Now(START + mono + int(after * SECOND), mono)
        return await self.ingest.take(Asked(site, run, sequence, stamp, oldest, b"".join(batches), now))

    def names(self) -> list[str]:
        """Details of all rows, in the order of time."""
        rows = Reader(self.folder).probes(NOON - timedelta(days=1), NOON + timedelta(days=1)).rows
        return [row.result.detail for row in rows]

    def restart(self, killed: bool = False) -> None:
        """Begin again on what is on disk."""
        if not killed:
            save(self.folder / "agents.json", self.ingest.marks, self.writer.committed, NOON)
        self.writer.close()
        self.__post_init__()


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = Centre(tmp_path)
    yield made
    made.writer.close()


def batch(sequence: int = 1, *names: str, closed: float = 100.0, run: str = RUN, site: str = "ams", boot: str = "b",
          targets: tuple[Target, ...] = TARGETS, wall: float = 0.0) -> bytes:  # fmt: skip
    mono = int(closed * SECOND)
    taken = [
        Taken(mono - 1000 * (len(names) - place), START + mono + int(wall * SECOND), Probe.UDP, "web", Outcome.ANSWERED,
              rtt=1_500_000, identity=Identity("weu", "weu-nva1"), proof=Proof.AUTHENTICATED, detail=name)
        for place, name in enumerate(names)
    ]  # fmt: skip
    health = Health(lag=2_000_000, tainted=0.25, unsent=3, step=-SECOND, lacking=("No ICMP.",))
    made = Batch(site, run, sequence, boot, mono, START + mono, "host", dropped=7, health=health, targets=targets)
    return encode(made, taken)


async def test_a_batch_is_judged_and_in_the_journal_once(centre: Centre) -> None:
    assert (await centre.put(batch(1, "a", "b"))).status == 200
    [row, _] = Reader(centre.folder).probes(NOON, NOON + timedelta(hours=1), site="ams", target="web").rows
    assert (row.site, row.run, row.batch, row.number, row.late, row.kind) == ("ams", RUN, 1, 0, False, TARGETS[0].kind)
    assert row.result.at == NOON + timedelta(seconds=100, microseconds=-2)
    assert (row.result.rtt, row.result.identity) == (0.0015, Identity("weu", "weu-nva1"))
    [heard] = centre.heard
    assert heard.results[0] == row.result
    assert (heard.targets, heard.host, heard.interval, heard.dropped) == (TARGETS, "host", 0.25, 7)
    assert (heard.lag, heard.tainted, heard.unsent, heard.step, heard.late) == (0.002, 0.25, 3, -1.0, False)
    assert heard.skew == pytest.approx(0.0)


async def test_what_comes_again_is_taken_for_what_it_is(centre: Centre) -> None:
    for _ in range(3):
        assert (await centre.put(batch(1, "a"))).said == {"taken": 1}
    assert (await centre.put(batch(1, "a"), batch(2, "b"), batch(3, "c"))).said == {"taken": 3}
    assert centre.names() == ["a", "b", "c"]
    assert [each.sequence for each in centre.heard] == [1, 2, 3]
    assert centre.ingest.counts["ams"].again == 3


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("sealed", [False, True])
async def test_after_a_restart_it_knows_what_it_has(centre: Centre, killed: bool, sealed: bool) -> None:
    await centre.put(batch(1, "a"), batch(2, "b"))
    await centre.put(batch(1, "x", run=OTHER), run=OTHER)
    if sealed:
        centre.writer.close()
        seal(centre.folder, NOON)
        centre.__post_init__()
    centre.restart(killed)
    await centre.put(batch(1, "a"), batch(2, "b"), batch(3, "c"))
    await centre.put(batch(1, "x", run=OTHER), run=OTHER)
    assert sorted(centre.names()) == ["a", "b", "c", "x"]


async def test_what_came_since_the_marks_were_written_is_found_in_the_journal(centre: Centre) -> None:
    await centre.put(batch(1, "a"))
    save(centre.folder / "agents.json", centre.ingest.marks, centre.writer.committed, NOON)
    await centre.put(batch(2, "b"), sequence=2)
    centre.restart(killed=True)
    assert centre.ingest.marks.of("ams", RUN) == 2


async def test_marks_that_cannot_be_read_are_asked_of_the_journal(centre: Centre) -> None:
    await centre.put(batch(1, "a"))
    centre.restart()
    (centre.folder / "agents.json").write_text("{")
    centre.restart(killed=True)
    assert centre.ingest.marks.of("ams", RUN) == 1


async def test_a_gap_is_answered_with_what_is_wanted_and_taken_when_nothing_older_will_come(centre: Centre) -> None:
    await centre.put(batch(1, "a"))
    answer = await centre.put(batch(5, "e"), sequence=5)
    assert (answer.status, answer.said["wanted"]) == (409, 2)
    assert (await centre.put(batch(5, "e"), sequence=5, oldest=3)).status == 409, "3 and 4 may still come"
    assert (await centre.put(batch(5, "e"), sequence=5, oldest=5)).status == 200
    assert centre.names() == ["a", "e"]


async def test_a_site_writes_its_own_only(centre: Centre) -> None:
    answer = await centre.put(batch(1, "a", site="nyc"))
    assert answer.status == 403
    assert "the token is of site ams, and the batch of nyc" in str(answer.said)
    assert centre.names() == []


async def test_wrong_bytes_are_refused_with_a_sentence(centre: Centre) -> None:
    for body, said in (
        (b"x", "not gzip"),
        (batch(2, "a"), "another batch than the body begins with"),
        (batch(1, "a", closed=101.0), "closed after the request was sent"),
    ):
        answer = await centre.put(body)
        assert answer.status == 422
        assert said in str(answer.said)
    assert centre.names() == []
    assert centre.ingest.counts["ams"].refused == 3


async def test_what_waited_is_history_and_not_judged(centre: Centre) -> None:
    await centre.put(batch(1, "old", closed=100.0), at=200.0)
    await centre.put(batch(2, "new", closed=195.0), sequence=2, at=200.0)
    assert centre.names() == ["old", "new"]
    old, new = centre.heard
    assert (old.late, old.results, old.dropped) == (True, (), 7)
    assert (new.late, len(new.results)) == (False, 1)
    first, second = Reader(centre.folder).probes(NOON, NOON + timedelta(hours=1)).rows
    assert (first.late, second.late) == (True, False)
    assert first.result.at == NOON + timedelta(seconds=100, microseconds=-1), "at its own time"
    assert centre.ingest.counts["ams"].late == 1


async def test_a_wall_clock_that_is_wrong_is_told_and_orders_nothing(centre: Centre) -> None:
    await centre.put(batch(1, "a", wall=-86_400.0))
    [row] = Reader(centre.folder).probes(NOON, NOON + timedelta(hours=1)).rows
    assert row.result.at == NOON + timedelta(seconds=100, microseconds=-1)
    assert row.agent_at == NOON + timedelta(seconds=100, days=-1)


async def test_what_another_start_of_the_machine_left_is_dated_by_its_own_clock_and_late(centre: Centre) -> None:
    await centre.put(batch(1, "a", "b", closed=5000.0, boot="beef", wall=-4_950.0), boot="b", at=100.0)
    [heard] = centre.heard
    assert heard.late
    for row in Reader(centre.folder).probes(NOON, NOON + timedelta(hours=1)).rows:
        assert row.result.at == row.agent_at == NOON + timedelta(seconds=50)


async def test_a_time_in_the_future_is_not_believed(centre: Centre) -> None:
    await centre.put(batch(1, "a", boot="beef", wall=86_400.0 * 900), boot="b")
    [row] = Reader(centre.folder).probes(NOON, NOON + timedelta(hours=1)).rows
    assert row.result.at == NOON + timedelta(seconds=100)


async def test_when_the_journal_is_behind_or_refuses_it_is_asked_to_come_again_and_judged_once(centre: Centre) -> None:
    for refusing, retry in ((JournalBehind("behind"), 1), (OSError("no"), 5)):
        centre.refusing = refusing
        answer = await centre.put(batch(1, "a"))
        assert (answer.status, answer.retry_after) == (503, retry)
    assert centre.names() == []
    centre.refusing = None
    assert (await centre.put(batch(1, "a"))).status == 200
    assert centre.names() == ["a"]
    assert [each.sequence for each in centre.heard] == [1]


async def test_the_same_batch_twice_at_the_same_time_is_written_once(centre: Centre) -> None:
    answers = await asyncio.gather(*(centre.put(batch(1, "a")) for _ in range(5)))
    assert {answer.status for answer in answers} == {200}
    assert centre.names() == ["a"]


async def test_a_caller_that_goes_away_in_the_middle_changes_nothing(centre: Centre) -> None:
    going = asyncio.ensure_future(centre.put(batch(1, "a")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    going.cancel()
    await centre.ingest.finish()
    await centre.put(batch(1, "a"))
    assert centre.names() == ["a"]


async def test_an_agent_that_reports_nothing_new_is_heard_all_the_same(centre: Centre) -> None:
    assert (await centre.put(batch(1))).status == 200
    assert [each.results for each in centre.heard] == [()]


async def test_a_target_that_was_not_told_yet_has_no_kind(centre: Centre) -> None:
    await centre.put(batch(1, "a", targets=()))
    [row] = Reader(centre.folder).probes(NOON, NOON + timedelta(hours=1)).rows
    assert row.kind is None


def test_so_many_runs_are_remembered_and_the_oldest_is_forgotten() -> None:
    marks = Marks()
    for number in range(MOST_RUNS + 1):
        marks.reach("ams", f"{number:016x}", 1)
    assert marks.of("ams", f"{0:016x}") == 0
    assert marks.of("ams", f"{1:016x}") == 1
    marks.reach("ams", f"{1:016x}", 9)
    marks.reach("ams", f"{1:016x}", 4)
    assert marks.of("ams", f"{1:016x}") == 9
    assert len(marks.plain()["ams"]) == MOST_RUNS


async def test_a_question_has_a_limit_and_a_target(centre: Centre) -> None:
    await centre.put(batch(1, *map(str, range(10))))
    reader = Reader(centre.folder)
    page = reader.probes(NOON, NOON + timedelta(hours=1), limit=4)
    assert ([row.result.detail for row in page.rows], page.more) == (["0", "1", "2", "3"], True)
    for question in ({"site": "nyc"}, {"target": "dns"}, {"probe": Probe.TCP}):
        assert reader.probes(NOON, NOON + timedelta(hours=1), **question).rows == ()
    assert len(reader.probes(NOON, NOON + timedelta(hours=1), probe=Probe.UDP).rows) == 10


async def test_late_rows_are_found_on_the_day_that_they_were_written(centre: Centre) -> None:
    journal = Centre(centre.folder / "other")
    journal.writer.close()
    journal.writer = JournalWriter(Journal(centre.folder / "other"), clock=lambda: NOON + timedelta(days=4))
    await journal.put(batch(1, "old"), at=100.0 + 4 * 86_400)
    assert journal.names() == ["old"]
    journal.writer.close()
