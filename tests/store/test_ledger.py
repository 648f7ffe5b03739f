"""The ledger's file: one transaction a conclusion, kept through crashes, read from beside."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from anycast.change import Cause, Change, ChangeKind
from anycast.finding import Finding, Kind, Record, Severity, State, Step, Subject, Transition
from anycast.message import Delivery, DeliveryState, Message
from anycast.observation import Announced, PeerType, Rib, Session, Source
from anycast.route import Aggregator, Asn, AsPath, Attributes, Community, Origin, UnknownAttribute
from anycast.situation import Event, EventKind
from store.ledger import LedgerError, LedgerFile, LedgerNewer, LedgerReader
from store.ledger_schema import VERSION

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
FULL = Attributes(
    origin=Origin.IGP,
    as_path=AsPath.of(65515, 65010),
    next_hop=ip_address("10.10.1.4"),
    med=100,
    communities=(Community(12076 << 16 | 51002),),
    large_communities=((65010, 1, 2),),
    aggregator=Aggregator(Asn(65010), ip_address("10.0.0.1")),
    unknown=(UnknownAttribute(0xC0, 99, b"\x00\xff"),),
)
HIGH = Source(Session("gobgp", ip_address("fd00::4"), PeerType.DISTINGUISHED, 2**64 - 1), Rib.ADJ_IN_POST)
LOCAL = Source(Session("gobgp", None, PeerType.LOC_RIB), Rib.LOC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def record(ident: str = "abc", state: State = State.OPEN, **parts: object) -> Record:
    wrong = Finding(
        Kind.MISSING,
        Subject(service="web", region="weu"),
        Severity.MAJOR,
        at(0),
        'web is not advertised by weu: "gört"',
        (("weu-rs0", "absent"),),
        not_before=at(-9),
        rests_on=frozenset({"weu-rs0", "weu-rs1"}),
    )
    opened = None if state is State.PENDING else at(2)
    made = Record(ident, wrong, state, at(0), opened, at(10) if state is State.CLEARED else None)
    return replace(made, **parts)  # type: ignore[arg-type]


def step(taken: Step, after: Record, second: float = 2) -> Transition:
    return Transition(at(second), taken, after)


def message(ident: str = "abc", receiver: str = "ops", taken: Step = Step.OPENED) -> Message:
    return Message(f"{ident}.{taken}@{receiver}", receiver, record(ident), taken, at(2))


def event(number: int, second: float = 0, **parts: str) -> Event:
    return Event(number, at(second), EventKind.ROUTE, "withdrawn", f"line {number}", **parts)  # type: ignore[arg-type]


def change(
    kind: ChangeKind, second: float, source: Source = HIGH, prefix: str = "10.250.0.10/32", **attributes: int
) -> Change:
    after = None if kind is ChangeKind.WITHDRAWN else replace(FULL, **attributes)  # type: ignore[arg-type]
    return Change(at(second), kind, Cause.UPDATE, source, ip_network(prefix), 7, None, after)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[LedgerFile]:
    file = LedgerFile(tmp_path / "ledger.db")
    yield file
    await file.close()


async def test_records_come_back_as_they_were(ledger: LedgerFile) -> None:
    kept = [
        record("a", State.PENDING),
        record("b", muted_by="patch night"),
        record("c", State.CLEARED),
        record("d", State.CLEARED, opened_at=None),
    ]
    await ledger.commit([step(Step.PENDING, one) for one in kept])
    assert await ledger.ask(lambda reader: reader.records(dropped=True)) == tuple(reversed(kept))
    assert await ledger.ask(LedgerReader.live) == (kept[0], kept[1])
    assert await ledger.ask(lambda reader: reader.record("b")) == kept[1]
    assert await ledger.ask(lambda reader: reader.record("x")) is None


async def test_records_are_found_by_state_and_by_when_they_were_over(ledger: LedgerFile) -> None:
    ended = [record(ident, State.CLEARED, cleared_at=at(second)) for ident, second in (("a", 10), ("b", 20))]
    dropped = record("c", State.CLEARED, opened_at=None, cleared_at=at(30))
    await ledger.commit([step(Step.CLEARED, one) for one in (*ended, dropped, record("d"))])

    async def found(*states: State, since: float | None = None, limit: int = 9) -> list[str]:
        moment = None if since is None else at(since)
        return [one.id for one in await ledger.ask(lambda reader: reader.records(states, moment, limit))]

    assert await found() == ["d", "b", "a"]
    assert await found(State.CLEARED) == ["b", "a"]
    assert await found(State.CLEARED, State.OPEN, since=15) == ["d", "b"]
    assert await found(State.PENDING) == []
    assert await found(limit=1) == ["d"]


async def test_a_record_follows_its_transitions_which_all_stay(ledger: LedgerFile) -> None:
    taken = [
        step(Step.PENDING, record(state=State.PENDING), 0),
        step(Step.OPENED, record(), 2),
        step(Step.CLEARED, record(state=State.CLEARED), 12),
    ]
    for one in taken:
        await ledger.commit([one])
    assert await ledger.ask(lambda reader: reader.transitions("abc")) == tuple(taken)
    assert await ledger.ask(lambda reader: reader.records()) == (record(state=State.CLEARED),)


async def test_a_conclusion_is_committed_whole_or_not_at_all(ledger: LedgerFile) -> None:
    await ledger.commit(events=[event(1)])
    with pytest.raises(sqlite3.IntegrityError):
        await ledger.commit([step(Step.OPENED, record())], [event(2), event(1)], [message()], facts={"a": 1})
    assert await ledger.ask(lambda reader: (reader.records(), reader.outbox(), reader.facts())) == ((), (), {})
    await ledger.commit([step(Step.OPENED, record())], [event(2)], [message()], facts={"a": 1})
    assert await ledger.ask(lambda reader: len(reader.events())) == 2
    assert await ledger.ask(lambda reader: (len(reader.records()), len(reader.outbox()))) == (1, 1)


async def test_what_is_committed_is_there_after_a_kill(tmp_path: Path) -> None:
    program = (
        "import asyncio, os, signal, sys; from pathlib import Path\n"
        "from store.ledger import LedgerFile\n"
        "async def run():\n"
        "    ledger = LedgerFile(Path(sys.argv[1]))\n"
        "    await ledger.commit(facts={'told': 1})\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(run())\n"
    )
    path = tmp_path / "ledger.db"
    ended = subprocess.run([sys.executable, "-c", program, str(path)], check=False, cwd=Path(__file__).parents[2])
    assert ended.returncode == -9
    ledger = LedgerFile(path)  # the lock died with its holder
    assert await ledger.ask(LedgerReader.facts) == {"told": 1}
    await ledger.close()


async def test_events_are_found_by_prefix_time_number_and_subject(ledger: LedgerFile) -> None:
    web, dns = "10.250.0.10/32", "10.250.0.53/32"
    await ledger.commit(
        events=[
            event(1, 0, prefix=web, service="web", region="weu"),
            event(2, 10, prefix=dns, service="dns", region="weu"),
            event(3, 20, prefix=web, service="web", region="eus", finding="abc"),
            event(4, 30),
        ]
    )

    async def found(**wanted: object) -> list[int]:
        return [line.number for line in await ledger.ask(lambda reader: reader.events(**wanted))]  # type: ignore[arg-type]

    assert await found() == [1, 2, 3, 4]
    assert await found(prefix=ip_network(web)) == [1, 3]
    assert await found(start=at(10), end=at(30)) == [2, 3]
    assert await found(after_number=2) == [3, 4]
    assert await found(limit=2) == [1, 2]
    assert await found(limit=2, newest=True) == [3, 4]
    assert await found(service="web", region="eus") == [3]
    assert await found(finding="abc") == [3]
    with pytest.raises(TypeError, match="not found by text"):
        await found(text="x")
    assert await ledger.ask(LedgerReader.last_event) == 4


async def test_an_event_comes_back_as_it_was(ledger: LedgerFile) -> None:
    full = Event(
        9,
        at(1.000001),
        EventKind.FINDING,
        "opened",
        "text",
        Severity.CRITICAL,
        *("web", "10.250.0.10/32", "weu", "ams", "weu-rs0", "abc"),
        at(-1),
    )
    await ledger.commit(events=[full])
    assert await ledger.ask(LedgerReader.events) == (full,)


async def test_watched_routes_follow_their_changes(ledger: LedgerFile) -> None:
    await ledger.commit(
        changes=[
            change(ChangeKind.ANNOUNCED, 1),
            change(ChangeKind.ANNOUNCED, 2, LOCAL),
            change(ChangeKind.ANNOUNCED, 3, prefix="2001:db8::/32"),
        ]
    )
    await ledger.commit(changes=[change(ChangeKind.REPLACED, 4, med=5), change(ChangeKind.WITHDRAWN, 5, LOCAL)])
    assert await ledger.ask(LedgerReader.watched) == (
        Announced(at(1), HIGH, ip_network("10.250.0.10/32"), replace(FULL, med=5), 7),
        Announced(at(3), HIGH, ip_network("2001:db8::/32"), FULL, 7),
    )


async def test_a_withdrawal_and_the_same_announcement_in_one_commit_leave_the_later_beginning(
    ledger: LedgerFile,
) -> None:
    await ledger.commit(changes=[change(ChangeKind.ANNOUNCED, 1)])
    await ledger.commit(changes=[change(ChangeKind.WITHDRAWN, 2), change(ChangeKind.ANNOUNCED, 3)])
    [route] = await ledger.ask(LedgerReader.watched)
    assert route.at == at(3)


async def test_watched_routes_can_be_written_anew(ledger: LedgerFile) -> None:
    await ledger.commit(changes=[change(ChangeKind.ANNOUNCED, 1), change(ChangeKind.ANNOUNCED, 1, LOCAL)])
    kept = Announced(at(1), LOCAL, ip_network("10.250.0.10/32"), FULL, 7)
    await ledger.rewrite_watched([kept])
    assert await ledger.ask(LedgerReader.watched) == (kept,)


async def test_facts_replace_those_of_the_same_name(ledger: LedgerFile) -> None:
    await ledger.commit(facts={"cursor": {"file": "a", "row": 3}, "alive": at(0)})
    await ledger.commit(facts={"alive": at(5)})
    assert await ledger.ask(LedgerReader.facts) == {
        "cursor": {"file": "a", "row": 3},
        "alive": "2026-11-23T03:00:05.000000Z",
    }


async def test_a_message_is_owed_once_however_often_it_is_committed(ledger: LedgerFile) -> None:
    await ledger.commit(owed=[message()])
    [delivery] = await ledger.due("ops", at(3), 10)
    assert delivery == Delivery(message())
    await ledger.settle(replace(delivery, state=DeliveryState.DELIVERED, attempts=1, settled_at=at(3)))
    await ledger.commit(owed=[message()])
    assert await ledger.due("ops", at(9), 10) == []
    assert await ledger.receivers() == []


async def test_of_each_finding_only_the_first_owed_message_is_due(ledger: LedgerFile) -> None:
    await ledger.commit(owed=[message("a"), message("a", taken=Step.CLEARED), message("b"), message("a", "boss")])

    async def due(receiver: str, limit: int = 10) -> list[str]:
        return [delivery.message.id for delivery in await ledger.due(receiver, at(3), limit)]

    assert await ledger.receivers() == ["boss", "ops"]
    assert await due("ops") == ["a.opened@ops", "b.opened@ops"]
    assert await due("ops", 1) == ["a.opened@ops"]
    [first, _] = await ledger.due("ops", at(3), 10)
    await ledger.settle(replace(first, state=DeliveryState.DEAD, last_error="it answered 404", settled_at=at(3)))
    assert await due("ops") == ["a.cleared@ops", "b.opened@ops"]
    assert await due("boss") == ["a.opened@boss"]


async def test_what_waits_is_due_at_its_time_and_holds_back_its_own_finding_only(ledger: LedgerFile) -> None:
    await ledger.commit(owed=[message("a"), message("a", taken=Step.CLEARED), message("b")])
    [first, _] = await ledger.due("ops", at(3), 10)
    await ledger.settle(replace(first, attempts=1, next_attempt=at(30), last_error="it answered 500"))
    assert [d.message.record.id for d in await ledger.due("ops", at(29), 10)] == ["b"]
    assert await ledger.next_attempt("ops", at(29)) == at(30)
    again = (await ledger.due("ops", at(30), 10))[0]
    assert (again.message.id, again.attempts, again.last_error) == ("a.opened@ops", 1, "it answered 500")
    assert await ledger.next_attempt("ops", at(30)) is None


async def test_a_clock_that_is_set_back_keeps_no_message_waiting(ledger: LedgerFile) -> None:
    await ledger.commit(owed=[message()])
    [delivery] = await ledger.due("ops", at(0), 1)
    await ledger.settle(replace(delivery, next_attempt=at(30)))
    assert len(await ledger.due("ops", at(-86400), 1)) == 1


async def test_whether_a_receiver_accepted_anything_of_a_record_is_known(ledger: LedgerFile) -> None:
    await ledger.commit(owed=[message("a"), message("b")])
    first, second = await ledger.due("ops", at(3), 2)
    await ledger.settle(replace(first, state=DeliveryState.DELIVERED, settled_at=at(3)))
    await ledger.settle(replace(second, state=DeliveryState.DEAD, settled_at=at(3)))
    assert [await ledger.accepted("ops", ident) for ident in ("a", "b")] == [True, False]
    assert not await ledger.accepted("boss", "a")


async def test_the_outbox_is_found_by_state_and_receiver_dead_letters_with_their_reason(ledger: LedgerFile) -> None:
    await ledger.commit(owed=[message("a"), message("b"), message("b", "boss")])
    dead = replace(
        (await ledger.due("ops", at(3), 1))[0], state=DeliveryState.DEAD, attempts=1, last_error="no", settled_at=at(3)
    )
    await ledger.settle(dead)
    assert await ledger.ask(lambda reader: reader.outbox([DeliveryState.DEAD])) == (dead,)
    assert [d.message.id for d in await ledger.ask(lambda reader: reader.outbox())] == [
        "b.opened@boss",
        "b.opened@ops",
        "a.opened@ops",
    ]
    assert len(await ledger.ask(lambda reader: reader.outbox(receiver="boss"))) == 1


async def test_a_restart_learns_what_was_told_of_what_is_not_over(ledger: LedgerFile) -> None:
    await ledger.commit(
        [step(Step.OPENED, record("a")), step(Step.OPENED, record("b"))], owed=[message("a"), message("b")]
    )
    await ledger.commit([step(Step.CLEARED, record("b", State.CLEARED))], owed=[message("b", taken=Step.CLEARED)])
    assert await ledger.ask(LedgerReader.told) == (message("a"),)


async def test_retention_takes_what_is_over_and_settled_and_nothing_else(ledger: LedgerFile) -> None:
    await ledger.commit(
        [
            step(Step.OPENED, record("live")),
            step(Step.CLEARED, record("over", State.CLEARED)),
            step(Step.CLEARED, record("owing", State.CLEARED)),
            step(Step.DROPPED, record("healed", State.CLEARED, opened_at=None)),
            step(Step.CLEARED, record("recent", State.CLEARED, cleared_at=at(500)), 502),
        ],
        [event(1, 0), event(2, 500), event(3, 600)],
        [message("live"), message("over"), message("owing")],
    )
    for delivery in await ledger.due("ops", at(3), 2):
        await ledger.settle(replace(delivery, state=DeliveryState.DELIVERED, settled_at=at(3)))
    assert await ledger.prune(at(100)) == 6  # event 1, a message, two transitions, two records
    records = await ledger.ask(lambda reader: reader.records(dropped=True))
    assert [one.id for one in records] == ["recent", "owing", "live"]
    assert [d.message.record.id for d in await ledger.ask(lambda reader: reader.outbox())] == ["owing", "live"]
    assert await ledger.ask(lambda reader: reader.transitions("over")) == ()
    assert len(await ledger.ask(lambda reader: reader.transitions("live"))) == 1


async def test_retention_leaves_the_newest_event_so_that_numbers_go_on(ledger: LedgerFile) -> None:
    await ledger.commit(events=[event(number) for number in range(1, 5000)])
    assert await ledger.prune(at(100)) == 4998
    assert await ledger.ask(LedgerReader.last_event) == 4999


async def test_another_process_reads_while_this_one_writes(ledger: LedgerFile) -> None:
    program = "import sys; from pathlib import Path; from store.ledger import LedgerReader\n"
    program += "with LedgerReader(Path(sys.argv[1])) as reader: print(len(reader.records()), reader.last_event())"
    await ledger.commit([step(Step.OPENED, record())], [event(3)])
    argv = [sys.executable, "-c", program, str(ledger.path)]
    shown = await asyncio.to_thread(
        subprocess.run, argv, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert shown.stdout.split() == ["1", "3"]


async def test_a_reader_cannot_write(ledger: LedgerFile) -> None:
    with LedgerReader(ledger.path) as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM outbox")


async def test_a_long_question_holds_up_no_commit(ledger: LedgerFile) -> None:
    go_on = threading.Event()
    question = asyncio.create_task(ledger.ask(lambda reader: go_on.wait(30)))
    await asyncio.wait_for(ledger.commit(facts={"a": 1}), 10)
    assert not question.done()
    go_on.set()
    assert await question is True


async def test_a_second_daemon_is_kept_away_and_told_why(ledger: LedgerFile) -> None:
    with pytest.raises(LedgerError, match="is in use by another Catchment"):
        LedgerFile(ledger.path)


async def test_a_closed_ledger_opens_again_with_everything(tmp_path: Path) -> None:
    first = LedgerFile(tmp_path / "new" / "ledger.db")
    await first.commit([step(Step.OPENED, record())])
    await first.close()
    second = LedgerFile(tmp_path / "new" / "ledger.db")
    assert await second.ask(LedgerReader.live) == (record(),)
    await second.close()


@pytest.mark.parametrize("open_it", [LedgerFile, LedgerReader])
async def test_a_newer_schema_is_refused_with_a_sentence_and_left_alone(
    tmp_path: Path, open_it: type[LedgerFile] | type[LedgerReader]
) -> None:
    path = tmp_path / "ledger.db"
    await LedgerFile(path).close()
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    before = path.read_bytes()
    with pytest.raises(LedgerNewer, match=f"is of version {VERSION + 1}, written by a newer Catchment"):
        open_it(path)
    assert path.read_bytes() == before


async def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path) -> None:
    other, text = tmp_path / "other.db", tmp_path / "notes.txt"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE cats (name TEXT)")
    database.close()
    text.write_text("this is no database at all" * 100)
    before = other.read_bytes()
    with pytest.raises(LedgerError, match="not a ledger of Catchment"):
        LedgerFile(other)
    assert other.read_bytes() == before
    with pytest.raises(LedgerError, match="file is not a database"):
        LedgerFile(text)
    with pytest.raises(LedgerError, match="file is not a database"):
        LedgerReader(text)


def test_reading_a_ledger_that_is_not_there_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger at"):
        LedgerReader(tmp_path / "ledger.db")
    assert not (tmp_path / "ledger.db").exists()


async def test_the_file_is_its_owners_alone_and_durable(ledger: LedgerFile) -> None:
    assert ledger.path.stat().st_mode & 0o077 == 0
    settings = [await ledger._found(f"PRAGMA {name}") for name in ("journal_mode", "synchronous")]
    assert settings == [[("wal",)], [(2,)]]  # 2 is FULL
