"""Nothing is lost and nothing is held back, however the server behaves."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from anycast.sink import SinkState
from store.influx.pace import FIRST, MOST, Pace
from store.influx.post import BODY, Post
from store.influx.quarantine import Quarantine
from store.influx.sink import Sink
from store.influx.token import TokenError, read_token, shared
from store.influx.where import ServerKind, Where
from store.journal import Journal
from store.retention import shorten_points
from store.seal import seal
from tests.store.influx.made import NOON as NOON_SECONDS
from tests.store.influx.made import write
from tests.store.influx.server import Reply, Server, dribble, flood, refusal, reset, silent

NOW = datetime.now(UTC)
PAST = int(NOW.timestamp()) - NOON_SECONDS - 100_000
"""Points number from here on: they are some hours old, whenever this runs."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.end()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal")
    yield made
    made.close()


class Ledger:
    """Cursors that were noted, and what the server had then."""

    def __init__(self) -> None:
        self.cursors: list[int] = []

    async def note(self, cursor: int) -> None:
        self.cursors.append(cursor)


SHORT = timedelta(seconds=0.5)


def where(server: Server, **other: object) -> Where:
    return replace(Where("main", server.url, timeout=timedelta(seconds=5)), **other)  # type: ignore[arg-type]


def put(journal: Journal, count: int, first: int = 0) -> list[int]:
    """Write points; returns their numbers."""
    numbers = [PAST + number for number in range(first, first + count)]
    write(journal, NOW, numbers)
    return numbers


def sink_of(journal: Journal, to: Where, ledger: Ledger | None = None, cursor: int = 0) -> Sink:
    folder = journal.folder.path
    return Sink(
        to, folder, Quarantine(folder.parent / "main"), cursor, (ledger or Ledger()).note, Post, Pace(lambda: 0.0)
    )


@asynccontextmanager
async def running(sink: Sink) -> AsyncIterator[Sink]:
    task = asyncio.create_task(sink.run())
    try:
        yield sink
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], object], within: float = 15.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.01)


async def test_points_are_delivered_in_one_request_with_what_a_server_wants_to_know(
    server: Server, journal: Journal, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    numbers = put(journal, 5)
    to = where(server, token_file=tmp_path / "token", org="ops", bucket="net works")
    async with running(sink_of(journal, to)) as sink:
        await until(lambda: server.numbers == numbers)
        more = put(journal, 2, 5)
        sink.wake()
        await until(lambda: server.numbers == numbers + more)
    (_, path, headers, _), _ = server.requests
    assert path.split("?")[0] == "/api/v2/write"
    assert set(path.split("?")[1].split("&")) == {"org=ops", "bucket=net+works", "precision=ns"}
    assert headers["Authorization"] == "Token s3cret"
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Type"].startswith("text/plain")


async def test_the_cursor_is_noted_after_the_server_took_the_points_and_not_before(
    server: Server, journal: Journal
) -> None:
    ledger, numbers = Ledger(), put(journal, 3)
    server.behaviour = lambda lines: refusal(500, "not now")
    async with running(sink_of(journal, where(server), ledger)):
        await until(lambda: len(server.requests) >= 2)
        assert ledger.cursors == []
        server.behaviour = lambda lines: Reply()
        await until(lambda: ledger.cursors)
        assert server.numbers == numbers
    taken = len(server.requests)
    async with running(sink_of(journal, where(server), ledger, ledger.cursors[-1])):
        put(journal, 1, 3)
        await until(lambda: len(server.numbers) == 4)
    assert [len(lines) for _, _, _, lines in server.requests[taken:]] == [1]


async def test_one_who_was_killed_before_the_note_sends_the_same_points_again(server: Server, journal: Journal) -> None:
    numbers = put(journal, 4)
    for _ in range(2):
        async with running(sink_of(journal, where(server))):
            before = len(server.requests)
            await until(lambda before=before: len(server.requests) > before)  # type: ignore[misc]
    await until(lambda: server.numbers == numbers)
    assert server.requests[0][3] == server.requests[1][3]


@pytest.mark.parametrize("status", [400, 422])
async def test_lines_that_are_refused_are_put_aside_with_the_reason_and_hold_nothing_back(
    server: Server, journal: Journal, status: int
) -> None:
    numbers = put(journal, 100)
    bad = {numbers[0], numbers[13], numbers[14], numbers[99]}

    def picky(lines: list[str]) -> Reply:
        found = [line for line in lines if any(f"value={number}i" in line for number in bad)]
        return refusal(status, f"unable to parse '{found[0]}': bad") if found else Reply()

    server.behaviour = picky
    async with running(sink_of(journal, where(server))) as sink:
        await until(lambda: len(server.numbers) == 96)
        await until(lambda: sink.status().quarantined == 4)
        put(journal, 1, 100)
        await until(lambda: len(server.numbers) == 97)
        status_now = sink.status()
    assert server.numbers == [n for n in numbers if n not in bad] + [PAST + 100]
    assert (status_now.state, status_now.quarantined, status_now.delivered) == (SinkState.DELIVERING, 4, 97)
    assert "a point was refused" in status_now.last_error
    kept = sink.quarantine.last(10)
    assert [int(each.line.split("=")[1].split("i")[0]) for each in kept] == sorted(bad, reverse=True)
    assert all(each.reason.startswith(f"{status}: unable to parse") for each in kept)
    assert len(server.requests) < 60


async def test_a_server_that_refuses_each_line_gets_them_slowly_and_all_are_put_aside(
    server: Server, journal: Journal
) -> None:
    put(journal, 8)
    server.behaviour = lambda lines: refusal(400, "no")
    async with running(sink_of(journal, where(server, lines=4))) as sink:
        await until(lambda: sink.status().quarantined == 4)
        at = time.monotonic()
        await until(lambda: sink.status().quarantined == 8)
        assert time.monotonic() - at > 1.5
    assert server.numbers == []
    assert len(sink.quarantine.last(100)) == 8


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "does not let us in"), (403, "does not let us in"), (404, "does not know where to write")],
)
async def test_who_is_not_let_in_holds_and_goes_on_when_that_is_mended(
    server: Server, journal: Journal, status: int, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("store.influx.pace.HELD", 0.2)
    (tmp_path / "token").write_text("old")
    numbers = put(journal, 3)
    server.behaviour = lambda lines: refusal(status, "unauthorized access")
    async with running(sink_of(journal, where(server, token_file=tmp_path / "token"))) as sink:
        await until(lambda: len(server.requests) > 2)
        held = sink.status()
        assert held.state is SinkState.HOLDING
        assert said in held.last_error
        assert held.behind > 0
        assert held.quarantined == 0
        (tmp_path / "token").write_text("new")
        await until(lambda: server.requests[-1][2]["Authorization"] == "Token new")
        server.behaviour = lambda lines: Reply()
        await until(lambda: server.numbers == numbers)
        await until(lambda: sink.status().state is SinkState.DELIVERING)
        assert sink.status().behind == 0


async def test_what_is_too_large_is_halved_and_one_line_that_is_goes_aside(server: Server, journal: Journal) -> None:
    numbers = put(journal, 50)
    server.behaviour = lambda lines: refusal(413, "too large") if len(lines) > 3 else Reply()
    async with running(sink_of(journal, where(server))) as sink:
        await until(lambda: server.numbers == numbers)
        server.behaviour = lambda lines: (
            refusal(413, "too large") if f"value={PAST + 51}i" in " ".join(lines) else Reply()
        )
        more = put(journal, 3, 50)
        await until(lambda: server.numbers == [*numbers, more[0], more[2]])
        assert sink.status().quarantined == 1
    assert max(len(lines) for _, _, _, lines in server.requests) == 50
    assert sink.quarantine.last(2)[0].reason == "413: too large"


async def test_requests_are_bounded_in_lines_and_in_octets(server: Server, journal: Journal) -> None:
    numbers = put(journal, 100)
    async with running(sink_of(journal, where(server, lines=40, octets=300))):
        await until(lambda: server.numbers == numbers)
    assert max(sum(len(line) + 1 for line in lines) for _, _, _, lines in server.requests) <= 300
    async with running(sink_of(journal, where(server, lines=40))):
        before = len(server.requests)
        await until(lambda: len(server.requests) == before + 3)
    assert [len(lines) for _, _, _, lines in server.requests[before:]] == [40, 40, 20]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("dated", [False, True])
async def test_a_server_that_asks_for_a_pause_gets_it(
    server: Server, journal: Journal, status: int, dated: bool
) -> None:
    numbers = put(journal, 2)

    def pause(_lines: list[str]) -> Reply:
        asked = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True) if dated else "2"
        return Reply(status, b'{"message": "slow down"}', {"Retry-After": asked})

    server.replies = [pause]
    async with running(sink_of(journal, where(server))) as sink:
        await until(lambda: sink.status().state is SinkState.WAITING)
        assert sink.status().last_error == f"{status}: slow down"
        assert sink.status().next_attempt is not None
        await until(lambda: server.numbers == numbers)
    (first, *_), (second, *_) = server.requests
    assert 1.9 < second - first < 4


@pytest.mark.parametrize(
    "fault",
    [
        lambda lines: refusal(500, "internal"),
        lambda lines: refusal(502, "bad gateway"),
        lambda lines: refusal(503, "starting"),
        lambda lines: Reply(how=reset),
        lambda lines: Reply(how=silent),
    ],
    ids=["500", "502", "503", "reset", "silent"],
)
async def test_a_server_that_fails_is_tried_again_and_loses_nothing(
    server: Server, journal: Journal, fault: Callable[[list[str]], Reply]
) -> None:
    numbers = put(journal, 20)
    server.replies = [fault, fault, fault]
    async with running(sink_of(journal, where(server, lines=7, timeout=SHORT))) as sink:
        await until(lambda: sink.status().state is SinkState.WAITING)
        await until(lambda: server.numbers == numbers)
        assert sink.status().quarantined == 0


async def test_a_server_that_is_not_there_is_found_when_it_comes(journal: Journal) -> None:
    first = Server()
    port = first.server_port
    first.end()
    numbers = put(journal, 5)
    to = Where("main", f"http://127.0.0.1:{port}")
    async with running(sink_of(journal, to)) as sink:
        await until(lambda: sink.status().state is SinkState.WAITING)
        assert sink.status().last_error == "the server was not reached: Connection refused"
        second = Server(port=port)
        await until(lambda: second.numbers == numbers)
        second.end()


async def test_nobody_is_followed_to_another_place(server: Server, journal: Journal) -> None:
    other, numbers = Server(), put(journal, 1)
    for status in (301, 302, 307, 308):
        server.behaviour = lambda lines, status=status: Reply(status, b"", {"Location": other.url})  # type: ignore[misc]
        async with running(sink_of(journal, where(server))) as sink:
            await until(lambda: sink.status().state is SinkState.HOLDING)
            assert f"sends us on to {other.url}" in sink.status().last_error
    server.behaviour = lambda lines: Reply()
    async with running(sink_of(journal, where(server))):
        await until(lambda: server.numbers == numbers)
    assert other.requests == []
    other.end()


async def test_a_page_that_asks_to_log_in_is_no_success(server: Server, journal: Journal) -> None:
    put(journal, 1)
    server.behaviour = lambda lines: Reply(200, b"<html>please log in</html>")
    async with running(sink_of(journal, where(server))) as sink:
        await until(lambda: sink.status().state is SinkState.HOLDING)
        assert "no server's that takes points" in sink.status().last_error
        assert sink.status().delivered == 0


async def test_an_answer_without_end_is_read_up_to_a_limit(server: Server, journal: Journal) -> None:
    put(journal, 1)
    server.replies = [lambda lines: Reply(how=flood)]
    async with running(sink_of(journal, where(server))) as sink:
        await until(lambda: sink.status().quarantined == 1)
        await until(lambda: len(server.replies) == 1)
    told = server.replies[0]([]).body.decode()
    assert BODY < int(told.split('"')[-2].split()[0]) < 64 << 20
    assert len(sink.quarantine.last(1)[0].reason) < 1000


async def test_a_server_that_dribbles_is_cut_off(
    server: Server, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.influx.post.GRACE", 0.5)
    numbers = put(journal, 1)
    server.replies = [lambda lines: Reply(how=dribble)]
    async with running(sink_of(journal, where(server, timeout=SHORT))):
        at = time.monotonic()
        await until(lambda: server.numbers == numbers)
        assert time.monotonic() - at < 8


async def test_a_backlog_stays_in_the_journal(journal: Journal) -> None:
    for number in range(20):
        put(journal, 5_000, 5_000 * number)
    sink = sink_of(journal, Where("main", "http://127.0.0.1:9", lines=1_000))
    async with running(sink):
        await until(lambda: sink.status().requests >= 2)
        assert sum(len(part) for part in sink._pending._parts) == 1_000


async def test_points_of_the_future_and_too_old_ones_are_reported_and_hold_nothing_back(
    server: Server, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    fresh = put(journal, 2)
    hours = 3600
    old = [PAST - 40 * hours * 24 + n for n in range(150)]
    write(journal, NOW, [*old, PAST + 100_000 + 2 * hours])
    last = put(journal, 1, 2)
    with caplog.at_level(logging.WARNING):
        async with running(sink_of(journal, where(server, max_age=timedelta(days=30)))) as sink:
            await until(lambda: server.numbers == fresh + last)
            assert sink.status().unfit == 151
    assert "150 points are not sent: they are older than 30 days" in caplog.text
    assert "1 points are not sent: they are of a time that is yet to come" in caplog.text
    assert len(sink.quarantine.last(1000)) == 101
    assert sink.status().cursor == sink._follower.cursor


async def test_what_retention_took_first_is_reported(
    server: Server, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    for day in (9, 8, 0):
        now = NOW - timedelta(days=day)
        journal.rotate(now)
        write(journal, now, [PAST - 86_400 * day])
    journal.rotate(NOW + timedelta(hours=1))
    seal(journal.folder.path, NOW + timedelta(hours=1))
    assert shorten_points(journal.folder.path, NOW, days=7, quota=1 << 30) == 2
    with caplog.at_level(logging.ERROR):
        async with running(sink_of(journal, where(server))) as sink:
            await until(lambda: server.numbers == [PAST])
            assert sink.status().forgotten == 2
    assert "retention took 2 points before they were delivered" in caplog.text


async def test_the_token_is_in_no_status_log_or_quarantine_even_where_the_server_repeats_it(
    server: Server, journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "token").write_text("hunter2hunter2")
    put(journal, 2)
    server.replies = [
        lambda lines: refusal(500, "Token hunter2hunter2 crashed me"),
        lambda lines: refusal(401, "who is hunter2hunter2?"),
        *[lambda lines: refusal(400, "hunter2hunter2 may not write this")] * 3,
    ]
    with caplog.at_level(logging.DEBUG), pytest.MonkeyPatch.context() as patched:
        patched.setattr("store.influx.pace.HELD", 0.2)
        async with running(sink_of(journal, where(server, token_file=tmp_path / "token"))) as sink:
            await until(lambda: sink.status().quarantined == 2)
            assert "*** may not write this" in sink.status().last_error
    assert server.requests[0][2]["Authorization"] == "Token hunter2hunter2"
    assert "hunter2" not in caplog.text + repr(sink.status()) + repr(sink.quarantine.last(9)) + repr(sink.where)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"", "holds no token"), (b"two words", "holds no token"), (b"x" * 9999, "no token")],
)
def test_a_token_file_that_holds_none_is_named_and_not_shown(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TokenError, match=said) as caught:
        read_token(file)
    assert str(file) in str(caught.value)
    assert "words" not in str(caught.value)


def test_a_token_file_that_others_may_read_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("t")
    file.chmod(0o640)
    assert shared(file) == f"the token file {file} may be read by others (mode 0640); chmod 600 it"
    file.chmod(0o600)
    assert shared(file) is None


async def test_a_sink_without_its_token_holds_until_the_file_is_there(
    server: Server, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.influx.pace.HELD", 0.2)
    numbers = put(journal, 1)
    async with running(sink_of(journal, where(server, token_file=tmp_path / "token"))) as sink:
        await until(lambda: sink.status().state is SinkState.HOLDING)
        assert "cannot be read" in sink.status().last_error
        (tmp_path / "token").write_text("there")
        await until(lambda: server.numbers == numbers)


async def test_influxdb_1_gets_the_same_lines_under_its_own_address(
    server: Server, journal: Journal, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("user:pass")
    put(journal, 1)
    to = where(server, kind=ServerKind.INFLUXDB_1, bucket="net/week", token_file=tmp_path / "token", gzip=False)
    async with running(sink_of(journal, to)):
        await until(lambda: server.numbers)
    [(_, path, headers, _)] = server.requests
    assert path == "/write?db=net&precision=n&rp=week"
    assert headers["Authorization"] == "Basic dXNlcjpwYXNz"
    assert "Content-Encoding" not in headers


def test_waits_double_up_to_a_limit_with_chance_in_them_and_begin_anew() -> None:
    least, most = Pace(lambda: 0.0), Pace(lambda: 1.0)
    assert [least.again() for _ in range(7)] == [FIRST / 2, FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST, MOST / 2, MOST / 2]
    assert [most.again() for _ in range(7)][-1] == MOST
    least.well()
    assert least.again() == FIRST / 2
    assert Pace(lambda: 0.5).later(10) > 10
    assert 10 <= Pace(lambda: 1.0).later(10) <= 11
