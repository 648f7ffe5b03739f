"""Every capture of a real router: through the station over TCP, and compiled code against the plain decoder.

Counts are hand counts: those of the README beside the captures, of its section on what is odd about each, and of
the tables of message types made by counting common headers (`counted_headers` below, which shares no code).
"""

from collections import Counter
from pathlib import Path

import pytest

from anycast.observation import Announced, FeedLost, LostReason, PeerType, SessionUp, Withdrawn
from tests import needs
from tests.collector.bmp.feeds import captured, cut, run
from tests.collector.bmp.stations import eventually, running

NAMES = (
    "bmpv4-add-path.pcap",
    "frr-10.8-upa.pcap",
    "frr-8.0.1-6wind.bmp.gz",
    "huawei-vrp-a.bmp.gz",
    "huawei-vrp-b.bmp.gz",
    "huawei-vrp-c.bmp.gz",
    "huawei-vrp-d.bmp.gz",
    "huawei-vrp-ne40e.bmp.gz",
    "iosxr-24.1.2.bmp.gz",
    "iosxr-24.4.1.bmp.gz",
    "iosxr-25.1.1.bmp.gz",
    "iosxr-7.10.1.bmp.gz",
    "iosxr-7.10.2.bmp.gz",
    "junos-mx204.bmp.gz",
    "path-marking.pcap",
)
VERSION_4 = ("bmpv4-add-path.pcap", "path-marking.pcap")
OF_NOBODY = {"frr-8.0.1-6wind.bmp.gz": 1, "iosxr-24.4.1.bmp.gz": 20}
"""IPv4 routes of sessions without Peer Up: FRR's own, under peer 0.0.0.0 of AS 0, and those of two VPN peers."""
TYPES = {0: "route-monitoring", 1: "statistics-report", 2: "peer-down", 3: "peer-up", 4: "initiation", 5: "termination"}


def capture(name: str) -> bytes:
    path: Path = needs.captures() / "bmp" / name
    assert path.is_file(), f"{name} is missing beside the other captures"
    return captured(path)


def counted_headers(stream: bytes) -> Counter[str]:
    """Count messages by nothing but version, length and type of their common headers."""
    counts, at = Counter[str](), 0
    while at < len(stream):
        assert stream[at] == 3
        counts[TYPES[stream[at + 5]]] += 1
        at += int.from_bytes(stream[at + 1 : at + 5], "big")
    return counts


def test_no_capture_is_forgotten() -> None:
    there = {path.name for path in (needs.captures() / "bmp").iterdir() if path.suffix in (".gz", ".pcap")}
    assert there == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_a_capture_goes_through_the_station(name: str) -> None:
    stream = capture(name)
    async with running() as station:
        router = await station.router()
        await router.send(stream)
        router.writer.write_eof()
        await eventually(lambda: station.of(FeedLost))
        await eventually(lambda: not station.exporter().connected)
        counters, [lost] = station.exporter().counters, station.of(FeedLost)
        assert station.station.status().failures == 0
    if name in VERSION_4:
        assert (lost.reason, counters.messages) == (LostReason.MALFORMED, 0)
        return
    assert lost.reason is LostReason.CLOSED
    assert +counters.by_type == counted_headers(stream)
    assert counters.malformed == 0
    rows = sum(heard.tables["routes"].num_rows for heard in station.heard if "routes" in heard.tables)
    judged = len(station.of(Announced)) + len(station.of(Withdrawn))
    assert rows == counters.routes == judged + OF_NOBODY.get(name, 0)


@pytest.mark.parametrize("name", NAMES)
def test_compiled_code_and_the_plain_decoder_agree_on_a_capture(name: str) -> None:
    stream = capture(name)
    fast, plain = run(stream), run(stream, plain=True)
    for table in ("routes", "sessions", "malformed"):
        assert fast.table(table) == plain.table(table)
    assert fast.observations == plain.observations
    assert {row["id"]: row for row in fast.table("attributes")} == {row["id"]: row for row in plain.table("attributes")}
    if fast.table("routes"):
        assert fast.feed.counted().plain < plain.feed.counted().plain


@pytest.mark.parametrize("name", ["frr-8.0.1-6wind.bmp.gz", "iosxr-24.4.1.bmp.gz", "huawei-vrp-b.bmp.gz"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_any_cut_of_a_stream_is_the_same_to_us(name: str, size: int) -> None:
    stream = capture(name)[: 20_000 if size == 1 else None]
    whole, pieces = run(stream), run(cut(stream, size))
    assert pieces.observations == whole.observations
    assert pieces.table("routes") == whole.table("routes")


# Figures of the README beside the captures and of what is known about them (quirks named there), counted by hand.


def test_ios_xr_sends_routes_of_two_sessions_without_peer_up() -> None:
    counters = run(capture("iosxr-24.4.1.bmp.gz")).feed.counted()
    assert (counters.by_type["route-monitoring"], counters.by_type["peer-up"]) == (1_245, 37)
    assert (counters.orphans, counters.orphan_messages, counters.quarantined) == (2, 20, 20)


def test_huawei_puts_tlvs_behind_its_updates() -> None:
    counters = run(capture("huawei-vrp-b.bmp.gz")).feed.counted()
    assert counters.trailing == 200


def test_huawei_repeats_its_peer_ups() -> None:
    counters = run(capture("huawei-vrp-ne40e.bmp.gz")).feed.counted()
    assert (counters.by_type["route-monitoring"], counters.by_type["statistics-report"]) == (1_957, 2_274)
    assert counters.by_type["peer-up"] == 136
    assert counters.duplicate_ups == 136 - len({row["session"] for row in _ups("huawei-vrp-ne40e.bmp.gz")})


def _ups(name: str) -> list[dict[str, object]]:
    return [row for row in run(capture(name)).table("sessions") if row["event"] == 2]


def test_frr_8_names_its_loc_rib_as_a_peer_that_cannot_be_and_has_narrow_paths() -> None:
    outcome = run(capture("frr-8.0.1-6wind.bmp.gz"))
    counters = outcome.feed.counted()
    assert (counters.by_type["route-monitoring"], counters.by_type["statistics-report"]) == (598, 176)
    assert (counters.orphans, counters.orphan_messages, counters.quarantined) == (1, 3, 1)  # its own, of AS 0
    up = [seen.session.peer_type for seen in outcome.observations if isinstance(seen, SessionUp)]
    assert Counter(up) == {PeerType.GLOBAL: 4, PeerType.LOC_RIB: 1}
    assert (
        counters.tolerated == 187 + 3
    )  # without NEXT_HOP in a table of its own; AS paths that only read with 2 octets
