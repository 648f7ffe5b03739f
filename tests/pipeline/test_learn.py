"""`catchment learn` as one begins: a file that only says who may connect, and then one that watches."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anycast.intent import Rung
from pipeline.config import check, load
from tests.pipeline.terminal import catchment
from tests.pipeline.watched import WEB, Watched

FIRST = """\
catchment: 1
listen: {{bmp: "127.0.0.1:{bmp}", http: "127.0.0.1:0"}}
services: {{}}
regions: {{}}
exporters:
  gobgp: {{addresses: [127.0.7.1], collector: true}}
  ams-ce1: {{addresses: [127.0.7.2]}}
"""


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    made.intent.write_text(FIRST.format(bmp=made.bmp))
    try:
        made.start()
        yield made
    finally:
        made.close()


def test_what_is_learned_watches_what_is_there_and_finds_it_gone(watched: Watched) -> None:
    watched.healthy()
    data, mine = watched.folder / "data", watched.folder / "learned.yaml"

    def six_tables() -> bool:
        seen = watched.client.get("/api/v1/seen")["exporters"]
        return [len(session["routes"]) for exporter in seen for session in exporter["sessions"]] == [1] * 6

    watched.wait(six_tables, what="the routes of six sessions in the journal")
    said = catchment("learn", "--data", str(data), "-o", str(mine))
    assert said.code == 0
    assert said.err.splitlines()[0] == "catchment learn: not connected, so nothing is known of: ams-ce1"
    assert {str(problem.severity) for problem in check(mine)} == {"lint"}
    config = load(mine)
    assert config.listen.bmp.port == watched.bmp
    assert [str(prefix) for prefix in config.intent.watched] == [WEB]
    rungs = [vantage.rung for vantage in config.intent.vantages if vantage.peer is not None]
    assert (rungs.count(Rung.V1), rungs.count(Rung.V2)) == (2, 4)

    watched.stop()
    watched.gobgp.reset()
    shutil.rmtree(data)
    watched.intent = mine
    watched.start()
    watched.healthy()
    watched.wait(lambda: watched.presence("region-1") == watched.presence("region-2") == "present", what="both there")
    time.sleep(3)
    assert watched.findings("pending", "open", "cleared") == set()
    watched.withdraw("eus")
    gone = f"missing|service=service-1|prefix={WEB}|region=region-2"
    watched.wait(lambda: gone in watched.findings("open"), what="missing open")


def test_before_anything_connected_nothing_is_written_and_what_to_do_is_said(watched: Watched) -> None:
    data, mine = watched.folder / "data", watched.folder / "learned.yaml"
    said = catchment("learn", "--data", str(data), "-o", str(mine))
    assert (said.code, said.out, mine.exists()) == (2, "", False)
    assert said.err == (
        "catchment learn: nothing has connected yet, so there is nothing to learn from; let gobgp, ams-ce1 send BMP "
        f"here (`listen.bmp` of {watched.intent} says where), and ask again when `catchment status` shows it "
        "connected\n"
    )
    watched.gobgp.connect("gobgp")
    watched.wait(lambda: any(f["connected"] for f in watched.client.get("/api/v1/status")["feeds"]), what="a feed")
    said = catchment("learn", "--data", str(data), "-o", str(mine))
    assert (said.code, mine.exists()) == (2, False)
    assert (
        said.err == "catchment learn: gobgp: connected, but no session is reported up yet; ask again in some seconds\n"
    )
