"""MRT through the whole pipeline: what a recording does not have is unknown, and what it says counts."""

from datetime import timedelta
from pathlib import Path

import pytest

from anycast.intent import Intent
from collector.wire.bgp.message import MessageType
from collector.wire.mrt.values import RecordType
from pipeline.config import load
from pipeline.replay.recordings import recordings
from tests.collector.bmp.streams import attributes, nlri
from tests.collector.wire.mrt import writing
from tests.pipeline.replay.test_replay import INTENT, opened, run

WEB, OTHER = "10.250.0.10/32", "10.250.8.0/24"
AT = writing.STAMP
LOOK = timedelta(seconds=120)


@pytest.fixture
def intent(tmp_path: Path) -> Intent:
    (tmp_path / "one.yaml").write_text(INTENT)
    return load(tmp_path / "one.yaml").intent


def update(stamp: int, announced: str = "", withdrawn: str = "") -> bytes:
    gone, there = (nlri(prefix) if prefix else b"" for prefix in (withdrawn, announced))
    sent = attributes(65010, next_hop="10.10.1.4") if announced else b""
    body = len(gone).to_bytes(2, "big") + gone + len(sent).to_bytes(2, "big") + sent + there
    whole = b"\xff" * 16 + (19 + len(body)).to_bytes(2, "big") + bytes((MessageType.UPDATE,)) + body
    return writing.record(RecordType.BGP4MP, 4, writing.ends(4) + whole, stamp)


def dump(*prefixes: str) -> bytes:
    table = writing.peer_table((b"\0\x0a\x0a\1\4\x0a\x0a\1\4\xfd\xf2",))
    sent = attributes(65010, next_hop="10.10.1.4")
    return table + b"".join(writing.rib(2, nlri(prefix), sent) for prefix in prefixes)


def found(intent: Intent, folder: Path, *files: bytes) -> list[tuple[str, str, float | None]]:
    paths = []
    for number, content in enumerate(files):
        path = folder / f"{number}.mrt"
        path.write_bytes(content)
        paths.append(str(path))
    return opened(run(intent, recordings(paths, intent), linger=LOOK)[0])


def test_updates_that_say_nothing_of_a_service_find_nothing(intent: Intent, tmp_path: Path) -> None:
    assert found(intent, tmp_path, update(AT, OTHER) + update(AT + 300, withdrawn=OTHER)) == []


def test_updates_that_withdraw_a_service_find_it_missing_from_then_on(intent: Intent, tmp_path: Path) -> None:
    file = update(AT, OTHER) + update(AT + 100, withdrawn=WEB) + update(AT + 150, OTHER) + update(AT + 160, WEB)
    assert found(intent, tmp_path, file) == [("missing-everywhere", "cleared", 60.0)]


def test_updates_that_announce_and_withdraw_it_find_it_missing(intent: Intent, tmp_path: Path) -> None:
    file = update(AT, WEB) + update(AT + 100, withdrawn=WEB)
    assert found(intent, tmp_path, file) == [("missing-everywhere", "open", None)]


def test_with_the_dump_before_it_everything_is_known(intent: Intent, tmp_path: Path) -> None:
    assert found(intent, tmp_path, dump(WEB), update(AT + 100, OTHER)) == []
    assert found(intent, tmp_path, dump(OTHER), update(AT + 100, OTHER)) == [("missing-everywhere", "open", None)]
    nothing = found(intent, tmp_path, dump(), update(AT + 100, OTHER))  # a dump shows no session that has no route
    assert nothing == [("session-down", "cleared", 105.0), ("missing-everywhere", "open", None)]


def test_a_dump_after_the_updates_makes_it_known_from_then_on(intent: Intent, tmp_path: Path) -> None:
    assert found(intent, tmp_path, update(AT - 100, OTHER), dump(OTHER)) == [("missing-everywhere", "open", None)]
    assert found(intent, tmp_path, update(AT - 100, OTHER), dump(WEB)) == []
