"""What was heard, kept as MRT that others read back: the same routes, whole, once, and within bounds."""

import gzip
import io
import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.observation import Announced, FeedOpened, SessionDown, SessionUp, Withdrawn
from collector.archive.compression import Compression
from collector.archive.convert import Made, convert, retain
from collector.archive.raw import PART, RAW, RECORD, Kind, Piece, RawFiles, exporter_of, folder_of, pieces
from collector.recorded.mrt import Passed, mrt_moments
from collector.wire.element import Element, ElementType
from collector.wire.elements import elements
from tests import needs
from tests.collector.bmp.feeds import run
from tests.collector.bmp.streams import (
    announce,
    attribute,
    bgp,
    header,
    initiation,
    message,
    monitoring,
    nlri,
    open_message,
    peer_down,
    peer_up,
    reach,
    statistics,
    table,
    update,
    withdraw,
)
from tests.collector.bmp.streams import attributes as path_attributes

NS = 1_000_000_000
AT = 1_790_000_000 * NS
SERVICE = "10.250.0.10/32"
ROUTES = (ElementType.ANNOUNCEMENT, ElementType.WITHDRAWAL)


def raw_files(folder: Path, every: float = 60, quota: int = 1 << 30) -> RawFiles:
    made = RawFiles(folder / "raw", every, quota)
    made.begin()
    return made


def keep(folder: Path, *messages: bytes, exporter: str = "edge") -> RawFiles:
    """Messages a second apart, from one connection."""
    raw = raw_files(folder)
    raw.put(exporter, Piece(Kind.OPENED, AT))
    for number, octets in enumerate(messages):
        raw.put(exporter, Piece(Kind.OCTETS, AT + number * NS, octets))
    raw.rotate(AT, everything=True)
    return raw


def made(folder: Path, compression: Compression = Compression.GZIP) -> list[Made]:
    return list(convert(folder / "raw", folder / "mrt", compression))


def kept(folder: Path, below: str = "") -> list[Element]:
    """Every element of the archive, in the order of the files' names."""
    found = []
    for path in sorted((folder / "mrt" / below).rglob("updates.*")):
        with path.open("rb") as file:
            found += list(elements(file))
    return found


def said(found: list[Element]) -> list[tuple[object, ...]]:
    return [
        (e.type, e.peer, e.prefix, e.path_id, e.attributes and (e.attributes.as_path, e.attributes.communities))
        for e in found
        if e.type in ROUTES
    ]


UP = (initiation(), peer_up())


@pytest.mark.parametrize("compression", Compression)
def test_what_came_over_bmp_is_read_back_from_mrt(tmp_path: Path, compression: Compression) -> None:
    keep(tmp_path, *UP, announce(SERVICE), withdraw(SERVICE), peer_down())
    [one] = made(tmp_path, compression)
    found = kept(tmp_path)
    assert [str(e.type) for e in found] == ["S", "A", "W", "S"]
    assert [e.state for e in found if e.type is ElementType.STATE] == ["established", "idle"]
    assert [e.time for e in found if e.type in ROUTES] == [
        datetime.fromtimestamp(AT / NS + number, UTC) for number in (2, 3)
    ]
    assert (one.exporter, one.left_out) == ("edge", 1)
    assert not list((tmp_path / "raw").rglob(f"*{RAW}"))


def test_bgpdump_reads_the_archive_back(tmp_path: Path) -> None:
    keep(tmp_path, *UP, announce(SERVICE), withdraw(SERVICE))
    [one] = made(tmp_path)
    [path] = one.files
    printed = subprocess.run([needs.tool("bgpdump"), "-m", path], check=True, capture_output=True, text=True).stdout
    assert [line.split("|")[2:6] for line in printed.splitlines()] == [
        ["STATE", "192.0.2.1", "65001", "1"],
        ["A", "192.0.2.1", "65001", SERVICE],
        ["W", "192.0.2.1", "65001", SERVICE],
    ]
    assert {line.split("|")[0] for line in printed.splitlines()} == {"BGP4MP_ET"}


CAPTURES = ("iosxr-24.4.1", "iosxr-25.1.1", "huawei-vrp-a", "junos-mx204", "frr-8.0.1-6wind")
"""FRR 8.0.1 leaves NEXT_HOP out of post-policy routes, and sends 2-octet AS paths without the flag that says so."""


@pytest.mark.parametrize("name", CAPTURES)
def test_routes_of_real_routers_survive_the_way_through_mrt(tmp_path: Path, name: str) -> None:
    """Counted, since views go to files of their own."""
    stream = gzip.decompress((needs.captures() / "bmp" / f"{name}.bmp.gz").read_bytes())
    (tmp_path / "x.bmp").write_bytes(stream)
    with (tmp_path / "x.bmp").open("rb") as file:
        sent = [element for element in elements(file) if element.peer is not None]
    keep(tmp_path, *(stream[start : start + 1000] for start in range(0, len(stream), 1000)))
    made(tmp_path)
    for rib in {element.rib for element in sent if element.type in ROUTES and element.rib.startswith("adj-in")}:
        there = kept(tmp_path, f"edge/{rib}")
        expected = Counter(said([element for element in sent if element.rib == rib]))
        assert expected
        assert not expected - Counter(said(there))


def test_path_ids_are_kept_and_named_as_such(tmp_path: Path) -> None:
    both = open_message(add_path=3)
    route = monitoring(update(attrs=path_attributes(65001), announced=nlri(SERVICE, path_id=7)))
    keep(tmp_path, initiation(), peer_up(sent=both, received=both), route)
    made(tmp_path)
    assert [element.path_id for element in kept(tmp_path) if element.type in ROUTES] == [7]


def test_path_ids_that_the_exporter_left_out_are_not_named(tmp_path: Path) -> None:
    """FRR 10 and GoBGP 3.10 leave them out of sessions that agreed on them, and MRT has no way to say so."""
    both = open_message(add_path=3)
    keep(tmp_path, initiation(), peer_up(sent=both, received=both), announce(SERVICE, "10.9.0.0/16"), withdraw(SERVICE))
    [one] = made(tmp_path)
    routes = [element for element in kept(tmp_path) if element.type in ROUTES]
    assert [(str(e.type), str(e.prefix), e.path_id) for e in routes] == [
        ("A", SERVICE, None),
        ("A", "10.9.0.0/16", None),
        ("W", SERVICE, None),
    ]
    assert not [element for element in kept(tmp_path) if element.type is ElementType.MALFORMED]
    printed = subprocess.run(
        [needs.tool("bgpdump"), "-m", *one.files], check=True, capture_output=True, text=True
    ).stdout
    assert [line.split("|")[5] for line in printed.splitlines()[1:]] == [SERVICE, "10.9.0.0/16", SERVICE]


def test_what_a_router_leaves_out_of_its_own_table_withdraws_nothing(tmp_path: Path) -> None:
    """FRR 8.0 leaves out NEXT_HOP, GoBGP AS_PATH of its own routes; where a peer does, that is RFC 7606, 3 d."""
    post, pre = header(flags=0x40), header()
    bare = update(attrs=attribute(1, b"\0"), announced=nlri(SERVICE))
    keep(tmp_path, *UP, monitoring(bare, post), monitoring(bare, pre))
    made(tmp_path)
    [own] = (element for element in kept(tmp_path, "edge/adj-in-post") if element.type in ROUTES)
    assert own.attributes is not None
    assert (str(own.type), str(own.attributes.as_path), str(own.attributes.next_hop)) == ("A", "", "0.0.0.0")
    [heard] = (element for element in kept(tmp_path, "edge/adj-in-pre") if element.type in ROUTES)
    assert str(heard.type) == "W"


def test_an_update_whose_lengths_lie_is_kept_as_it_is(tmp_path: Path) -> None:
    """It would read if anything were put into it."""
    attrs = attribute(1, b"\0") + reach("2001:db8::/32")
    lying = bgp(2, b"\0\0" + (len(attrs) + 9).to_bytes(2, "big") + attrs)
    keep(tmp_path, *UP, monitoring(lying, header(flags=0x40)))
    made(tmp_path)
    [told] = kept(tmp_path, "edge/adj-in-post")
    assert (told.type, told.action) == (ElementType.MALFORMED, "message-skipped")
    assert lying[19:] in told.raw


def test_as_paths_of_two_octets_are_called_so_where_both_sides_fit(tmp_path: Path) -> None:
    narrow = update(attrs=path_attributes(65001, 64999, width=2), announced=nlri(SERVICE))
    keep(tmp_path, *UP, monitoring(narrow))
    [one] = made(tmp_path)
    assert [str(element.type) for element in kept(tmp_path)] == ["S", "A"]
    printed = subprocess.run(
        [needs.tool("bgpdump"), "-m", *one.files], check=True, capture_output=True, text=True
    ).stdout
    assert printed.splitlines()[-1].split("|")[6] == "65001 64999"
    wide = header(asn=4_200_000_001)
    keep(tmp_path / "wide", initiation(), peer_up(wide), monitoring(narrow, wide))
    made(tmp_path / "wide")
    *_, said_so, route = kept(tmp_path / "wide")
    assert (said_so.action, route.peer_asn) == ("read-as-two-octet", 4_200_000_001)


def judged(folder: Path, view: str = "adj-in-pre") -> list[tuple[str, str]]:
    """Routes that a station judges to which a view's files are played."""
    passed = Passed()
    files = [io.BytesIO(gzip.decompress(path.read_bytes())) for path in sorted(folder.rglob(f"{view}/updates.*"))]
    outcome = run([moment.octets for moment in mrt_moments(files, "edge", 0, passed)])
    assert (passed.damaged, passed.unread) == (0, 0)
    seen = [seen for seen in outcome.observations if isinstance(seen, Announced | Withdrawn)]
    return [(type(one).__name__, str(one.prefix)) for one in seen]


ORPHAN = announce("10.251.0.0/24", head=header("192.0.2.7"))
HEARD = [("Announced", SERVICE)]


def test_a_replay_judges_what_the_station_judged_and_nothing_else(tmp_path: Path) -> None:
    """Not what comes from a session without a Peer Up, and in the next file no more than in the first."""
    raw = keep(tmp_path, *UP, ORPHAN, announce(SERVICE), ORPHAN)
    raw.put("edge", Piece(Kind.OCTETS, AT + 60 * NS, ORPHAN + withdraw(SERVICE)))
    raw.rotate(AT, everything=True)
    made(tmp_path)
    station = run(b"".join((*UP, ORPHAN, announce(SERVICE), ORPHAN, ORPHAN, withdraw(SERVICE))))
    assert station.feed.counted().quarantined == 3
    assert judged(tmp_path) == [*HEARD, ("Withdrawn", SERVICE)]
    states = [element for element in kept(tmp_path) if element.old_state == element.state == "idle"]
    assert [str(element.peer) for element in states] == ["192.0.2.7"]


STEPS = st.lists(
    st.builds(
        lambda make, peer: make(header(peer)),
        st.sampled_from(
            (
                peer_up,
                peer_down,
                lambda head: announce(SERVICE, head=head),
                lambda head: withdraw(SERVICE, head=head),
            )
        ),
        st.sampled_from(("192.0.2.1", "192.0.2.2")),
    ),
    max_size=12,
)


@given(STEPS, st.integers(0, 12))
def test_whatever_the_sessions_do_a_replay_judges_what_the_station_judged(steps: list[bytes], cut: int) -> None:
    with TemporaryDirectory() as folder:
        raw = keep(Path(folder), UP[0], *steps[:cut])
        raw.put("edge", Piece(Kind.OCTETS, AT + 60 * NS, b"".join(steps[cut:])))
        raw.rotate(AT, everything=True)
        made(Path(folder))
        found = judged(Path(folder))
    station = run(UP[0] + b"".join(steps))
    seen = [seen for seen in station.observations if isinstance(seen, Announced | Withdrawn)]
    assert found == [(type(one).__name__, str(one.prefix)) for one in seen]


def test_a_late_peer_up_is_heard_in_every_view_of_which_it_was_said_that_there_is_none(tmp_path: Path) -> None:
    post = header(flags=0x40)
    keep(tmp_path, UP[0], announce(SERVICE, head=post), peer_up(), withdraw(SERVICE, head=post))
    made(tmp_path)
    assert judged(tmp_path, "adj-in-post") == [*HEARD, ("Withdrawn", SERVICE)]


def test_what_a_stream_says_that_begins_in_its_middle_is_judged_in_a_replay_too(tmp_path: Path) -> None:
    keep(tmp_path, announce(SERVICE))
    made(tmp_path)
    assert judged(tmp_path) == HEARD


def test_what_trails_a_peer_down_brings_no_session_up(tmp_path: Path) -> None:
    sent = (*UP, announce(SERVICE), peer_down(), announce("10.9.0.0/16"))
    keep(tmp_path, *sent)
    made(tmp_path)
    files = [io.BytesIO(gzip.decompress(path.read_bytes())) for path in sorted(tmp_path.rglob("updates.*"))]
    octets = [moment.octets for moment in mrt_moments(files, "edge", 0, Passed())]
    kinds = [type(seen) for seen in run(octets).observations]
    assert kinds == [FeedOpened, SessionUp, Announced, SessionDown, Announced]
    assert kinds == [type(seen) for seen in run(b"".join(sent)).observations]


def test_sessions_and_half_a_message_go_on_in_the_next_file(tmp_path: Path) -> None:
    both = open_message(add_path=3)
    route = monitoring(update(attrs=path_attributes(65001), announced=nlri(SERVICE, path_id=7)))
    raw = raw_files(tmp_path)
    raw.put("edge", Piece(Kind.OPENED, AT))
    raw.put("edge", Piece(Kind.OCTETS, AT, initiation() + peer_up(sent=both, received=both) + route[:20]))
    raw.put("edge", Piece(Kind.OCTETS, AT + 61 * NS, route[20:]))
    raw.rotate(AT, everything=True)
    assert len(made(tmp_path)) == 2
    assert [element.path_id for element in kept(tmp_path) if element.type in ROUTES] == [7]


def test_a_new_connection_forgets_the_half_message_of_the_one_before(tmp_path: Path) -> None:
    raw = raw_files(tmp_path)
    raw.put("edge", Piece(Kind.OCTETS, AT, b"".join(UP) + announce(SERVICE)[:30]))
    raw.put("edge", Piece(Kind.LOST, AT + 1))
    raw.put("edge", Piece(Kind.OPENED, AT + 2))
    raw.put("edge", Piece(Kind.OCTETS, AT + 3, b"".join(UP) + announce("10.250.8.0/24")))
    raw.rotate(AT, everything=True)
    made(tmp_path)
    assert [str(element.prefix) for element in kept(tmp_path) if element.type in ROUTES] == ["10.250.8.0/24"]


def test_views_and_distinguishers_have_files_of_their_own(tmp_path: Path) -> None:
    post, vrf = header(flags=0x40), header(kind=1, distinguisher=0xFDE90000_00000001)
    keep(tmp_path, *UP, peer_up(vrf), announce(SERVICE), announce(SERVICE, head=post), announce(SERVICE, head=vrf))
    [one] = made(tmp_path)
    places = {str(path.parent.relative_to(tmp_path / "mrt" / "edge")) for path in one.files}
    assert places == {"adj-in-pre", "adj-in-post", "adj-in-pre/fde9000000000001"}


def test_what_mrt_has_no_record_for_is_counted(tmp_path: Path) -> None:
    keep(tmp_path, *UP, statistics((7, 1)), message(0, b"not a route monitoring"))
    assert [one.left_out for one in made(tmp_path)] == [3]


def test_wide_as_numbers_fit_into_old_records(tmp_path: Path) -> None:
    narrow = header(flags=0x20, asn=4_200_000_000)
    route = monitoring(update(attrs=path_attributes(23456, width=2), announced=nlri(SERVICE)), narrow)
    keep(tmp_path, initiation(), peer_up(header(asn=4_200_000_000)), route)
    made(tmp_path)
    [found] = [element for element in kept(tmp_path) if element.type in ROUTES]
    assert (found.peer_asn, str(found.prefix)) == (23456, SERVICE)


def test_a_conversion_killed_anywhere_leaves_every_route_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before each of its renames and deletions in turn; the last attempt is let through."""
    messages = (*UP, peer_up(header("192.0.2.2")), *table(40), announce(SERVICE, head=header(flags=0x40)))
    wanted: list[tuple[object, ...]] = []
    for killed_at in count():
        folder = tmp_path / str(killed_at)
        keep(folder, *messages)
        steps = count()
        real_rename, real_unlink = Path.rename, Path.unlink

        def step(at: int = killed_at, steps: "count[int]" = steps) -> None:
            if next(steps) == at:
                raise KeyboardInterrupt

        def rename(self: Path, target: Path) -> Path:
            step()
            return real_rename(self, target)  # noqa: B023

        def unlink(self: Path, missing_ok: bool = False) -> None:
            step()
            real_unlink(self, missing_ok=missing_ok)  # noqa: B023

        with monkeypatch.context() as patched:
            patched.setattr(Path, "rename", rename)
            patched.setattr(Path, "unlink", unlink)
            try:
                made(folder)
                whole = True
            except KeyboardInterrupt:
                whole = False
        made(folder)
        found = sorted(said(kept(folder)), key=repr)
        wanted = wanted or found
        assert len(found) == 41
        assert found == wanted
        assert not [path for path in folder.rglob("*") if path.suffix in (".new", ".done", RAW, PART)]
        if whole:
            assert killed_at > 5
            return


def test_what_a_crash_cut_off_is_left_out_and_the_rest_is_kept(tmp_path: Path) -> None:
    keep(tmp_path, *UP, announce(SERVICE), withdraw(SERVICE))
    [path] = (tmp_path / "raw").rglob(f"*{RAW}")
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        read = list(pieces(path))
        assert sum(RECORD.size + len(piece.octets) for piece in read) <= size
    path.write_bytes(whole[:-1])
    made(tmp_path)
    assert [str(element.type) for element in kept(tmp_path)] == ["S", "A"]


def test_what_a_crash_left_open_is_converted_after_the_next_start(tmp_path: Path) -> None:
    raw = raw_files(tmp_path)
    raw.put("edge", Piece(Kind.OCTETS, AT, b"".join(UP) + announce(SERVICE)))
    raw.rotate(AT)  # flushed, not closed
    assert made(tmp_path) == []
    shutil.copytree(tmp_path / "raw", tmp_path / "after" / "raw")
    raw_files(tmp_path / "after")
    assert len(made(tmp_path / "after")) == 1
    raw.rotate(AT, everything=True)


def test_files_are_closed_when_their_time_is_over(tmp_path: Path) -> None:
    raw = raw_files(tmp_path, every=60)
    raw.put("edge", Piece(Kind.OCTETS, AT, b"".join(UP)))
    raw.rotate(AT + 59 * NS)
    assert not list((tmp_path / "raw").rglob(f"*{RAW}"))
    raw.rotate(AT + 60 * NS)
    assert len(list((tmp_path / "raw").rglob(f"*{RAW}"))) == 1


def test_raw_files_stay_within_their_quota_and_what_is_dropped_is_counted(tmp_path: Path) -> None:
    raw = raw_files(tmp_path, quota=1000)
    for number in range(20):
        raw.put("edge", Piece(Kind.OCTETS, AT + number, bytes(100)))
    raw.rotate(AT, everything=True)
    size = sum(path.stat().st_size for path in (tmp_path / "raw").rglob(f"*{RAW}"))
    assert 800 <= size <= 1000
    assert raw.dropped == 2000 - size // (100 + RECORD.size) * 100
    assert "as much as they may" in raw.failure
    for path in (tmp_path / "raw").rglob(f"*{RAW}"):
        path.unlink()
    raw.measure()
    raw.put("edge", Piece(Kind.OCTETS, AT, bytes(100)))
    raw.rotate(AT, everything=True)
    assert raw.failure == ""


def test_a_disk_that_refuses_stops_nothing_and_is_told(tmp_path: Path) -> None:
    raw = raw_files(tmp_path)
    (tmp_path / "raw" / "edge").write_text("a file where a folder must be")
    raw.put("edge", Piece(Kind.OCTETS, AT, bytes(100)))
    assert raw.dropped == 100
    assert "File exists" in raw.failure


def test_old_files_go_and_then_the_oldest_until_the_quota_is_kept(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for age in range(10):
        path = tmp_path / "mrt" / "edge" / f"updates.2026010{age}.000000.mrt.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(100))
        modified = (now - timedelta(days=age)).timestamp()

        os.utime(path, (modified, modified))
    gone = retain(tmp_path / "mrt", now - timedelta(days=7, hours=1), quota=500)
    assert [path.name[14:16] for path in gone] == ["09", "08", "07", "06", "05"]
    assert retain(tmp_path / "mrt", now - timedelta(days=7), quota=500) == ()


@pytest.mark.parametrize("name", ["edge", "a/b", "..", ".", "ä ö", "x" * 60, "a.b"])
def test_any_exporter_has_a_folder_of_its_own_and_none_escapes(tmp_path: Path, name: str) -> None:
    folder = (tmp_path / folder_of(name)).resolve()
    assert folder.parent == tmp_path.resolve()
    assert exporter_of(folder_of(name)) == name


def test_a_full_disk_loses_whole_records_and_nothing_of_what_was_written(tmp_path: Path) -> None:
    """A real file system of 64 KiB that fills up in the middle of a record."""
    script = (
        f'mount -t tmpfs -o size=64k none {tmp_path} && {sys.executable} -c "'
        "from pathlib import Path; from collector.archive.raw import *;"
        f"raw = RawFiles(Path('{tmp_path}'), 60, 1 << 30); raw.begin();"
        "[raw.put('edge', Piece(Kind.OCTETS, 1 + at, bytes(5000))) for at in range(30)];"
        "raw.rotate(0, True); [path] = Path('" + str(tmp_path) + "').rglob('*.raw');"
        'read = list(pieces(path)); print(len(read), {len(piece.octets) for piece in read}, raw.dropped, raw.failure)"'
    )
    needs.root()
    run = subprocess.run(["unshare", "--mount", "sh", "-c", script], check=True, capture_output=True, text=True)
    assert run.stdout.startswith("13 {5000} 85000 the archive does not take what is heard: ")
