"""Questions to the journal."""

import json
import subprocess
import sys
import threading
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from anycast.change import Cause, ChangeKind, Presence
from anycast.columns import Action, Phase, SessionEvent
from anycast.observation import PeerType, Rib, Session
from anycast.plain import to_plain
from anycast.prefix import parse_prefix
from anycast.route import AsPath, Attributes, Origin, parse_community
from store.journal import Journal
from store.places import Match
from store.reader import Reader
from store.schema import JournalError, nanoseconds
from store.seal import seal
from tests import needs
from tests.store.made import NOON, WEB, at, attributes, batch, event, route, routes, write

OTHER = "192.0.2.0/24"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """An open journal; the reader's folder is the same."""
    return Journal(tmp_path)


def _presence(reader: Reader, second: float) -> dict[str, str]:
    return {str(item.source.session.peer): str(item.presence) for item in reader.state(WEB, at(second)).rows}


def test_an_empty_journal_answers_with_nothing(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    assert reader.state(WEB, NOON).rows == ()
    assert reader.fill([WEB], NOON).rows == ()
    assert reader.fill([], NOON).rows == ()
    assert reader.routes(WEB, NOON, at(1)).rows == ()
    assert reader.changes(None, NOON, at(1)).rows == ()
    assert reader.highest_session(NOON) == 0


def test_matches_are_exact_inside_covering_and_touching(journal: Journal, tmp_path: Path) -> None:
    names = ["0.0.0.0/0", "10.0.0.0/8", "10.250.0.0/16", "10.250.0.10/32", "10.251.0.0/16", "2001:db8::/32"]
    write(journal, NOON, *routes(*(route(n, name) for n, name in enumerate(names))))
    found = {
        match: [str(row.prefix) for row in Reader(tmp_path).routes(parse_prefix(names[2]), NOON, at(60), match).rows]
        for match in Match
    }
    assert found == {
        Match.EXACT: names[2:3],
        Match.INSIDE: names[2:4],
        Match.COVERING: names[0:3],
        Match.TOUCHING: names[0:4],
    }
    journal.close()


def test_route_rows_come_with_source_and_attributes_in_order_and_in_time(journal: Journal, tmp_path: Path) -> None:
    up = ("sessions", batch("sessions", event(0, SessionEvent.PEER_UP)))
    rows = [route(1, path_id=9), route(2, attributes=0), route(3, attributes=77, rib=2, phase=Phase.DUMP), route(4)]
    write(journal, NOON, ("attributes", attributes(1)), up, ("routes", batch("routes", *rows)))
    page = Reader(tmp_path).routes(WEB, at(1), at(4))
    assert not page.more
    assert [(row.at, row.action, row.phase) for row in page.rows] == [
        (at(1), Action.ANNOUNCE, Phase.LIVE),
        (at(2), Action.WITHDRAW, Phase.LIVE),
        (at(3), Action.ANNOUNCE, Phase.DUMP),
    ]
    assert page.rows[0].source.session == Session("gobgp", ip_address("10.0.0.1"))
    assert page.rows[0].attributes is not None
    assert (page.rows[0].path_id, page.rows[0].attributes.octets) == (9, b"set 1")
    assert [row.attributes for row in page.rows[1:]] == [None, None], "a withdrawal, and a set that is lost"
    assert page.rows[2].source.rib is Rib.LOC
    journal.close()


def test_answers_stop_at_the_limit_and_say_so(journal: Journal, tmp_path: Path) -> None:
    write(journal, NOON, *routes(*(route(n) for n in range(5))))
    reader = Reader(tmp_path)
    assert [len(reader.routes(WEB, NOON, at(60), limit=n).rows) for n in (3, 5)] == [3, 5]
    assert [reader.routes(WEB, NOON, at(60), limit=n).more for n in (3, 5)] == [True, False]
    journal.close()


def test_a_peer_that_is_down_has_nothing_and_a_feed_that_is_lost_proves_nothing(
    journal: Journal, tmp_path: Path
) -> None:
    reader = Reader(tmp_path)
    begin = [event(0, SessionEvent.FEED_OPENED), event(0, SessionEvent.PEER_UP, 1), event(0, SessionEvent.PEER_UP, 2)]
    ends = [event(20, SessionEvent.PEER_DOWN, 1), event(30, SessionEvent.FEED_LOST)]
    again = [
        event(40, SessionEvent.FEED_OPENED),
        event(40, SessionEvent.PEER_UP, 1),
        event(40, SessionEvent.PEER_UP, 2),
    ]
    rows = [route(1, phase=Phase.DUMP), route(1, session=2, phase=Phase.DUMP), route(41, phase=Phase.DUMP)]
    rows.append(route(41, OTHER, session=2, phase=Phase.DUMP))
    write(journal, NOON, ("sessions", batch("sessions", *begin, *ends, *again)), ("routes", batch("routes", *rows)))
    one, two = "10.0.0.1", "10.0.0.2"
    present, absent, unknown = Presence.PRESENT, Presence.ABSENT, Presence.UNKNOWN
    assert _presence(reader, 10) == {one: present, two: present}
    assert _presence(reader, 25) == {one: absent, two: present}
    assert _presence(reader, 35) == {one: unknown, two: unknown}
    assert _presence(reader, 42) == {one: present, two: unknown}, "the second table still loads"
    assert _presence(reader, 46) == {one: present, two: absent}, "withdrawn while we could not see"
    journal.close()


def test_a_source_that_never_had_the_prefix_is_absent_once_its_table_is_complete(
    journal: Journal, tmp_path: Path
) -> None:
    up = ("sessions", batch("sessions", event(0, SessionEvent.PEER_UP, 1)))
    write(journal, NOON, up, ("routes", batch("routes", route(1, OTHER, phase=Phase.DUMP))))
    assert [_presence(Reader(tmp_path), second) for second in (0.5, 2, 6)] == [
        {},
        {"10.0.0.1": Presence.UNKNOWN},
        {"10.0.0.1": Presence.ABSENT},
    ]
    journal.close()


def test_a_newly_watched_prefix_is_filled_with_all_that_touches_it_and_is_present(
    journal: Journal, tmp_path: Path
) -> None:
    rows = [route(1, "10.0.0.0/8"), route(1), route(1, "10.250.0.10/32", session=2, path_id=4), route(1, OTHER)]
    gone = [route(2, "0.0.0.0/0"), route(3, "0.0.0.0/0", 0)]
    write(journal, NOON, ("attributes", attributes(1)), ("routes", batch("routes", *rows, *gone)))
    held = Reader(tmp_path).fill([WEB, parse_prefix("198.51.100.0/24")], at(5)).rows
    assert [(str(item.prefix), item.path_id, item.presence) for item in held] == [
        ("10.0.0.0/8", 0, Presence.PRESENT),
        ("10.250.0.10/32", 0, Presence.PRESENT),
        ("10.250.0.10/32", 4, Presence.PRESENT),
    ]
    assert all(item.attributes for item in held)
    journal.close()


def test_session_events_and_malformed_bytes_come_back_as_written(journal: Journal, tmp_path: Path) -> None:
    rows = [event(0, SessionEvent.FEED_OPENED), event(1, SessionEvent.STATS, detail='{"0": 1}')]
    bad = (nanoseconds(at(2)), "edge", "10.0.0.9", "too short", "message-skipped", b"\x00\xff")
    write(journal, NOON, ("sessions", batch("sessions", *rows)), ("malformed", batch("malformed", bad)))
    first, second = Reader(tmp_path).sessions(NOON, at(60)).rows
    assert (first.event, first.session, first.router) == (SessionEvent.FEED_OPENED, None, "gobgp")
    assert second.session == Session("gobgp", ip_address("10.0.0.1"), PeerType.GLOBAL)
    assert second.detail == '{"0": 1}'
    [row] = Reader(tmp_path).malformed(NOON, at(60)).rows
    assert (row.at, row.reason, row.raw) == (at(2), "too short", b"\x00\xff")
    journal.close()


def test_changes_come_back_as_the_values_they_were(journal: Journal, tmp_path: Path) -> None:
    community = parse_community("12076:51002")
    was = Attributes(Origin.IGP, AsPath.of(65515, 65010), ip_address("10.10.1.4"), communities=(community,))
    before, source = json.dumps(to_plain(was)), ("gobgp", "10.0.0.1", 0, 0, "adj-in-pre")
    rows = [
        (nanoseconds(at(0)), None, "withdrawn", "resync", *source, str(WEB), 0, before, ""),
        (nanoseconds(at(1)), nanoseconds(at(0)), "withdrawn", "resync", *source, OTHER, 0, before, ""),
    ]
    write(journal, NOON, ("changes", batch("changes", *rows)))
    reader = Reader(tmp_path)
    [change] = reader.changes(WEB, NOON, at(60)).rows
    assert (change.kind, change.cause, change.prefix) == (ChangeKind.WITHDRAWN, Cause.RESYNC, WEB)
    assert (change.before, change.after, change.not_before) == (was, None, None)
    assert [item.not_before for item in reader.changes(None, NOON, at(60)).rows] == [None, NOON]
    assert reader.changes(WEB, at(1), at(60)).rows == ()
    journal.close()


def test_feeds_that_a_crash_left_open_are_named(journal: Journal, tmp_path: Path) -> None:
    rows = [event(0, SessionEvent.FEED_OPENED), event(0, SessionEvent.FEED_OPENED, router="edge")]
    write(journal, NOON, ("sessions", batch("sessions", *rows, event(1, SessionEvent.FEED_LOST, router="edge"))))
    assert Reader(tmp_path).open_feeds(at(5)) == ("gobgp",)
    journal.close()


def test_as_numbers_of_both_opens_are_those_of_the_last_peer_up(journal: Journal, tmp_path: Path) -> None:
    def opens(own: int, peer: int) -> str:
        return json.dumps({"local": {"asn": own, "hold_time": 9}, "remote": {"asn": peer}})

    up = SessionEvent.PEER_UP
    rows = [
        event(0, up, 1, detail=opens(65101, 12076)),
        event(1, up, 2),
        event(2, up, 3, detail=opens(65101, 65515)),
        event(3, SessionEvent.PEER_DOWN, 3, detail='{"reason": "remote-closed"}'),
        event(4, up, 1, detail=opens(65101, 12077)),
    ]
    write(journal, at(5), ("sessions", batch("sessions", *rows)))
    reader = Reader(tmp_path)
    early = {str(session.peer): asns for session, asns in reader.as_numbers(at(3)).items()}
    assert early == {"10.0.0.1": (65101, 12076), "10.0.0.3": (65101, 65515)}
    assert reader.as_numbers(at(4))[Session("gobgp", ip_address("10.0.0.1"))] == (65101, 12077)


def test_the_highest_session_id_is_known_for_the_next_collector(journal: Journal, tmp_path: Path) -> None:
    write(journal, NOON, ("sessions", batch("sessions", event(0, SessionEvent.PEER_UP, 41))))
    journal.close()
    seal(tmp_path, NOON + timedelta(days=3))
    assert Reader(tmp_path).highest_session(NOON + timedelta(days=3)) == 41


def test_a_name_full_of_sql_is_a_name(journal: Journal, tmp_path: Path) -> None:
    hostile = "'; drop table routes; --"
    write(
        journal,
        NOON,
        ("sessions", batch("sessions", event(0, SessionEvent.PEER_UP, router=hostile))),
        *routes(route(1)),
    )
    [held] = Reader(tmp_path).fill([WEB], at(5)).rows
    assert held.source.session.router == hostile
    journal.close()


def test_a_folder_with_a_quote_in_its_name_is_read_like_any_other(tmp_path: Path) -> None:
    folder = tmp_path / "it's here"
    journal = Journal(folder)
    write(journal, NOON, *routes(route(1)))
    journal.close()
    seal(folder, at(7200))
    assert len(Reader(folder).routes(WEB, NOON, at(60)).rows) == 1


def test_reading_while_writing_and_sealing_misses_nothing_that_was_committed(tmp_path: Path) -> None:
    journal, reader, done = Journal(tmp_path, segment_size=20_000), Reader(tmp_path), threading.Event()
    counts: list[int] = []
    failures: list[tuple[int, int]] = []

    def read() -> None:
        while not done.is_set():
            least = journal.committed - first
            found = len(reader.routes(WEB, NOON, at(10**6), limit=10**6).rows)
            counts.append(found)
            if found < 50 * least:
                failures.append((found, least))

    first = journal.committed
    thread = threading.Thread(target=read)
    thread.start()
    for second in range(60):
        write(journal, NOON, *routes(*[route(second)] * 50))
        if second % 7 == 6:
            seal(tmp_path, NOON)
    done.set()
    thread.join()
    journal.close()
    assert failures == []
    assert counts == sorted(counts)
    assert len(set(counts)) > 2, "it did read while the journal grew"


def test_another_process_reads_while_the_writer_holds_the_journal(journal: Journal, tmp_path: Path) -> None:
    write(journal, NOON, *routes(route(1)))
    program = (
        "import sys; from pathlib import Path; from store.reader import Reader; from tests.store.made import *;"
        "print(len(Reader(Path(sys.argv[1])).routes(WEB, NOON, at(9)).rows))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=needs.ROOT)
    assert told.stdout == "1\n"
    journal.close()


def test_files_that_keep_going_away_are_an_error_and_not_an_answer(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(journal, NOON, *routes(route(1)))

    def gone(path: Path) -> list[object]:
        raise FileNotFoundError(path)

    monkeypatch.setattr("store.scan.whole_batches", gone)
    with pytest.raises(JournalError, match="went away 5 times"):
        Reader(tmp_path).routes(WEB, NOON, at(9))
    journal.close()
