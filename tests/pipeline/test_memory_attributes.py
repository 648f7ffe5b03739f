"""An attribute set comes once, with the router that sent it first: no crash may leave others' rows without it."""

import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from collector.batch import AttributeTable
from collector.bmp.ids import Numbered
from collector.bmp.session import BmpFeed
from collector.bmp.watch import Watch
from collector.wire.bgp.encode import encode_message, encode_update
from collector.wire.bgp.message import MessageType
from collector.wire.bgp.nlri import Nlri
from collector.wire.bmp import values as bmp
from collector.wire.bmp.encode import encode
from store.places import Match
from store.reader import Reader
from tests import needs
from tests.collector.bmp import streams
from tests.collector.bmp.feeds import AT, KEY, everything
from tests.pipeline.crashing import PREFIX
from tests.pipeline.watched import INTENT
from tests.speaker import Speaker, attributes, header

STRANGER = "10.99.0.1"  # a peer that is not watched: all of this is the bulk lane
DUMPED = 128_000
SHARED = attributes(STRANGER, 65010, 65011, 65012, communities=("65010:77",))


def test_no_committed_row_lacks_its_attributes_when_we_are_killed_while_their_first_sender_waits(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    intent, stall = tmp_path / "mine.yaml", tmp_path / "stall"
    intent.write_text(INTENT.format(bmp=port, hook="http://127.0.0.1:9/") + f"data: {tmp_path / 'data'}\n")
    argv = [sys.executable, "-m", "tests.pipeline.crashing", str(intent)]
    child = subprocess.Popen(argv, cwd=needs.ROOT, stdout=subprocess.PIPE, text=True)
    first, second = (Speaker(("127.0.0.1", port), source) for source in ("127.0.7.1", "127.0.7.2"))
    try:
        first.connect("gobgp")
        first.peer_up(STRANGER, 65010)
        stall.touch()
        _dump(first)
        _decoded(child, DUMPED)  # more than the queue takes: what comes behind it waits
        first.announce(STRANGER, 65010, "198.51.100.0/24", SHARED)
        _decoded(child, DUMPED + 1)
        second.connect("ams-ce1")
        second.peer_up(STRANGER, 65010)
        second.announce(STRANGER, 65010, PREFIX, SHARED)
        _decoded(child, DUMPED + 2)
        time.sleep(0.5)  # it is in the queue now
        stall.unlink()
        assert child.wait(30) == -signal.SIGKILL
    finally:
        child.kill()
        child.wait()
        first.reset()
        second.reset()
        if child.stdout is not None:
            child.stdout.close()
    _every_row_has_its_attributes(tmp_path / "data" / "journal")


def _decoded(child: "subprocess.Popen[str]", routes: int) -> None:
    """Wait until the child says that it decoded so many routes."""
    assert child.stdout is not None
    while int(child.stdout.readline()) < routes:
        continue


def _dump(speaker: Speaker) -> None:
    """DUMPED routes, all with one attribute set, at one blow: a few slices, which the queue cannot hold."""
    messages = []
    for first in range(0x3C000000, 0x3C000000 + (DUMPED << 8), 200 << 8):
        nlri = tuple(Nlri(ip_network((first + (number << 8), 24))) for number in range(200))
        update = encode_message(MessageType.UPDATE, encode_update(nlri, attributes(STRANGER, 65010)))
        messages.append(encode(bmp.RouteMonitoring(header(STRANGER, 65010), update)))
    speaker.send(b"".join(messages))


def _every_row_has_its_attributes(journal: Path) -> None:
    reader, now = Reader(journal), datetime.now(UTC)
    start, end = now - timedelta(hours=1), now + timedelta(hours=1)
    rows = reader.routes(ip_network("0.0.0.0/0"), start, end, Match.INSIDE, limit=1_000_000).rows
    assert [row.source.session.router for row in rows if str(row.prefix) == PREFIX] == ["ams-ce1"]
    assert len(rows) > 30_000
    assert [row for row in rows if row.attributes is None] == []


def test_attribute_sets_in_hand_when_decoding_fails_come_again_with_whoever_sends_them_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = AttributeTable(KEY)
    feeds = [BmpFeed(name, table, Numbered(), Watch((), everything)) for name in ("edge1", "edge2")]
    for feed in feeds:
        feed.feed(b"".join((streams.initiation(), streams.peer_up(), streams.announce("10.0.0.0/24"))), AT)
    with monkeypatch.context() as patched:
        patched.setattr(Watch, "rows", lambda *asked: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            feeds[0].take()
    feeds[0].fail(AT)
    heard = feeds[1].take()
    assert heard is not None
    assert heard.tables["attributes"].num_rows == 1
