"""What the journal knows of prefixes that nobody watched, beside what the ledger knows of those that are watched."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from anycast.route import Attributes
from pipeline.past import Past
from tests.pipeline.watched import WEB, Watched, running
from tests.speaker import Speaker, attributes

DNS = "10.250.0.53/32"
MSEE = "172.16.0.1"


class Edge:
    """An edge router as FRR 8.4 exports it: its own AS (65101) stands in front of what its eBGP peer (12076) sent."""

    def __init__(self, watched: Watched) -> None:
        self.speaker = Speaker(("127.0.0.1", watched.bmp), "127.0.7.2")

    def rises(self) -> None:
        self.speaker.connect("ams-ce1")
        self.speaker.peer_up(MSEE, 12076, local_asn=65101)

    def announces(self, prefix: str, *path: int) -> None:
        self.speaker.announce(MSEE, 12076, prefix, _heard(65101, *path))


def _heard(*path: int) -> Attributes:
    return attributes(MSEE, *path, communities=("12076:51002",))


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with running(tmp_path) as made:
        yield made


@pytest.fixture
def edge(watched: Watched) -> Iterator[Edge]:
    made = Edge(watched)
    try:
        made.rises()
        made.announces(DNS, 12076)
        made.announces(WEB, 12076)
        watched.wait(lambda: _paths(watched, WEB) == ["12076"], what="web at the edge")
        yield made
    finally:
        made.speaker.reset()


def _paths(watched: Watched, prefix: str) -> list[str]:
    rows = watched.client.get("/api/v1/routes", prefix=prefix)["routes"]
    return [row["attributes"]["as_path"] for row in rows if row["vantage"].startswith("ams-ce1")]


def _whats(watched: Watched, prefix: str) -> list[str]:
    events = watched.client.get("/api/v1/history", prefix=prefix)["events"]
    return [event["what"] for event in events if event["kind"] == "route"]


def _watch_dns(watched: Watched) -> None:
    dns = f"services:\n  dns: {{prefix: {DNS}, regions: {{weu: active}}}}\n"
    watched.intent.write_text(watched.intent.read_text().replace("services:\n", dns))
    assert watched.client.post("/api/v1/reload") == {"reloaded": True, "problems": [], "restart": []}


def test_a_newly_watched_prefix_begins_as_the_peer_sent_it_so_that_nothing_seems_to_change(
    watched: Watched, edge: Edge
) -> None:
    time.sleep(1)
    _watch_dns(watched)
    assert _paths(watched, DNS) == ["12076"]
    edge.announces(DNS, 12076)
    edge.announces(WEB, 12076, 65010)
    watched.wait(lambda: _whats(watched, WEB) == ["announced", "replaced"], what="a true change of web")
    assert _whats(watched, DNS) == ["announced"], "said once more is not changed"
    edge.announces(DNS, 12076, 65010)
    watched.wait(lambda: _whats(watched, DNS) == ["announced", "replaced"], what="a true change of dns")


def test_history_of_a_prefix_that_nobody_watches_is_what_the_routers_sent(watched: Watched, edge: Edge) -> None:
    edge.speaker.withdraw(MSEE, 12076, DNS)
    watched.wait(lambda: len(_whats(watched, DNS)) == 2, what="two events from the journal")
    first, second = watched.client.get("/api/v1/history", prefix=DNS)["events"]
    assert first["text"] == f"{DNS} announced at ams-ce1/{MSEE} [path 12076, next hop {MSEE}]"
    assert second["text"] == f"{DNS} withdrawn at ams-ce1/{MSEE} [path 12076, next hop {MSEE}]"
    assert first["at"] < second["at"]
    past, now = Past(watched.folder / "data"), datetime.now(UTC)
    told = past.events(ip_network(DNS), now - timedelta(minutes=1), now, 10)
    assert [event.text for event in told.events] == [first["text"], second["text"]]
    assert past.events(ip_network(DNS), now - timedelta(minutes=1), now, 1).events == told.events[1:]
    assert past.events(ip_network(DNS), now - timedelta(minutes=1), now, 1).more
    assert past.events(ip_network(DNS), now - timedelta(hours=2), now - timedelta(hours=1), 10) == ((), False)


def test_history_from_before_a_prefix_was_watched_goes_on_without_a_seam(watched: Watched, edge: Edge) -> None:
    edge.announces(DNS, 12076, 65010)
    watched.wait(lambda: _whats(watched, DNS) == ["announced", "replaced"], what="two events from the journal")
    _watch_dns(watched)
    edge.speaker.withdraw(MSEE, 12076, DNS)
    watched.wait(lambda: len(_whats(watched, DNS)) == 3, what="the withdrawal, from the ledger")
    assert _whats(watched, DNS) == ["announced", "replaced", "withdrawn"]


def test_the_state_at_a_time_is_as_the_peers_sent_it(watched: Watched, edge: Edge) -> None:
    def at_the_edge(at: datetime) -> list[tuple[str, str]]:
        rows: list[dict[str, Any]] = Past(watched.folder / "data").state(ip_network(DNS), at)
        return [(row["presence"], row["attributes"]["as_path"]) for row in rows if row["attributes"]]

    watched.wait(lambda: at_the_edge(datetime.now(UTC)), what="dns in the journal")
    here = datetime.now(UTC)
    edge.announces(DNS, 12076, 65010)
    watched.wait(lambda: at_the_edge(datetime.now(UTC)) == [("present", "12076 65010")], what="the other path")
    assert at_the_edge(here) == [("present", "12076")]
    assert at_the_edge(here - timedelta(hours=1)) == []
