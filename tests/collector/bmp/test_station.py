"""The station on real TCP: who may connect, how connections end, and that no feed disturbs another."""

import asyncio
import logging
import socket
from collections import Counter
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from anycast.observation import (
    Announced,
    FeedLost,
    FeedOpened,
    LostReason,
    MalformedSeen,
    SessionDown,
    SessionUp,
    StatsReported,
    TableComplete,
    Withdrawn,
)
from collector.bmp.allow import Allow
from collector.bmp.ids import Numbered
from collector.bmp.session import BmpFeed
from collector.bmp.station import Limits, Station
from collector.bmp.watch import Watch
from collector.heard import Heard
from tests.collector.bmp import streams as s
from tests.collector.bmp.feeds import KEY, everything
from tests.collector.bmp.stations import EDGE, OTHER, eventually, running


async def test_what_a_router_says_is_heard_in_order() -> None:
    async with running() as station:
        router = await station.router()
        await router.send(
            s.initiation(),
            s.peer_up(),
            s.announce("10.250.0.10/32"),
            s.end_of_rib(),
            s.statistics((7, 1)),
            s.withdraw("10.250.0.10/32"),
            s.peer_down(),
            s.termination(),
        )
        kinds = [FeedOpened, SessionUp, Announced, TableComplete, StatsReported, Withdrawn, SessionDown, FeedLost]
        await eventually(lambda: len(station.observations) == len(kinds))
        assert [type(observation) for observation in station.observations] == kinds
        assert station.of(FeedOpened)[0].name == "edge1"
        assert station.of(FeedLost)[0].reason is LostReason.TERMINATED
        assert await router.reader.read() == b""  # and the station closed the connection


async def test_receive_times_are_ours_and_rise() -> None:
    before = datetime.now(UTC)
    async with running() as station:
        router = await station.router()
        await router.send(s.initiation(), s.peer_up(), s.announce("10.0.0.0/24", "10.0.1.0/24"))
        await eventually(lambda: len(station.of(Announced)) == 2)
        times = [observation.at for observation in station.observations]
    assert times == sorted(times)
    assert before - timedelta(milliseconds=1) < times[0] < datetime.now(UTC)


async def test_a_stranger_is_refused_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    async with running(exporters=[("127.0.0.2/32", "edge1")]) as station:
        with caplog.at_level(logging.WARNING):
            router = await station.router(EDGE)
            assert await router.reader.read() == b""
        assert station.station.status().refused == 1
        assert station.station.status().strangers == {EDGE: 1}
        assert "refused a connection from 127.0.0.1: it is no exporter of the intent" in caplog.text
        assert station.heard == []


async def test_the_longest_prefix_names_the_exporter() -> None:
    async with running(exporters=[("127.0.0.0/8", "others"), (f"{OTHER}/32", "edge2")]) as station:
        one, two = await station.router(EDGE), await station.router(OTHER)
        await one.send(s.initiation())
        await two.send(s.initiation())
        await eventually(lambda: {seen.router for seen in station.of(FeedOpened)} == {"others", "edge2"})


@pytest.mark.parametrize(("how", "reason"), [("reset", LostReason.RESET), ("close", LostReason.CLOSED)])
async def test_reset_and_closed_are_told_apart(how: str, reason: LostReason) -> None:
    async with running() as station:
        router = await station.router()
        await router.send(s.initiation(), s.peer_up())
        await eventually(lambda: station.of(SessionUp))
        if how == "reset":
            router.reset()
        else:
            await router.close()
        await eventually(lambda: station.of(FeedLost))
        [lost] = station.of(FeedLost)
        assert lost.reason is reason
        await eventually(lambda: not station.exporter().connected)
        assert str(reason) in station.exporter().detail


async def test_what_came_before_the_end_is_heard_before_it() -> None:
    async with running() as station:
        router = await station.router()
        await router.send(s.initiation(), s.peer_up(), *s.table(20_000))
        await router.close()
        await eventually(lambda: station.of(FeedLost))
        assert len(station.of(Announced)) == 20_000
        assert isinstance(station.observations[-1], FeedLost)


async def test_a_connection_that_says_nothing_is_no_feed() -> None:
    async with running() as station:
        router = await station.router()
        await eventually(lambda: station.exporter().connected)
        await router.close()
        await eventually(lambda: not station.exporter().connected)
        assert station.observations == []


async def test_a_router_that_comes_back_is_heard_at_once() -> None:
    async with running() as station:
        first = await station.router()
        await first.send(s.initiation(), s.peer_up(), s.announce("10.0.0.0/24"))
        await eventually(lambda: station.of(Announced))
        second = await station.router()  # the first is still open: nobody noticed that it is dead
        await second.send(s.initiation(), s.peer_up(), s.announce("10.0.0.0/24"))
        await eventually(lambda: len(station.of(Announced)) == 2)
        kinds = [type(seen) for seen in station.observations]
        once = [FeedOpened, SessionUp, Announced]
        assert kinds == [*once, FeedLost, *once]
        assert station.of(FeedLost)[0].reason is LostReason.CLOSED
        assert await first.reader.read() == b""
        assert station.exporter().connections == 2


@pytest.mark.parametrize(("how", "quiet"), [("another", 0.5), ("reset", 0.5), ("close", 0.0)])
async def test_a_feed_is_lost_from_its_last_sign_of_life_unless_the_router_closed_it(how: str, quiet: float) -> None:
    async with running() as station:
        router = await station.router()
        await router.send(s.initiation(), s.peer_up())
        await eventually(lambda: station.of(SessionUp))
        await asyncio.sleep(0.5)
        if how == "another":
            await (await station.router()).send(s.initiation())
        elif how == "reset":
            router.reset()
        else:
            await router.close()
        await eventually(lambda: station.of(FeedLost))
        [lost], [up] = station.of(FeedLost), station.of(SessionUp)
        since_then = (datetime.now(UTC) - lost.at).total_seconds()
        assert lost.at >= up.at
        assert quiet - 0.1 < since_then < quiet + 0.4


async def test_a_stray_second_connection_ends_nothing() -> None:
    async with running() as station:
        first = await station.router()
        await first.send(s.initiation(), s.peer_up())
        await eventually(lambda: station.of(SessionUp))
        stray = await station.router()
        await stray.close()
        await first.send(s.announce("10.0.0.0/24"))
        await eventually(lambda: station.of(Announced))
        assert station.of(FeedLost) == []


async def test_two_connections_that_chase_each_other_off_are_stopped() -> None:
    async with running() as station:
        routers = []
        for number in range(5):
            routers.append(await station.router())
            await routers[-1].send(s.initiation())
            await eventually(lambda: len(station.of(FeedOpened)) == min(number + 1, 4))  # noqa: B023
        assert await routers[-1].reader.read() == b""
        assert len(station.of(FeedLost)) == 3
        assert station.station.status().refused == 1
        assert station.exporter().connected


async def test_of_two_routers_that_connect_from_one_address_the_first_is_heard(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running() as station:
        first = await station.router()
        await first.send(s.initiation("ams-ce1"), s.peer_up(), s.announce("10.0.0.0/24"))
        await eventually(lambda: station.of(Announced))
        second = await station.router()
        with caplog.at_level(logging.WARNING):
            await second.send(s.initiation("nyc-ce1"), s.peer_up(), s.announce("10.9.0.0/24"))
            assert await second.reader.read() == b""
        await first.send(s.withdraw("10.0.0.0/24"))
        await eventually(lambda: station.of(Withdrawn))
        assert [str(seen.prefix) for seen in station.of(Announced)] == ["10.0.0.0/24"]
        assert station.of(FeedLost) == []
        assert station.station.status().refused == 1
    assert "it calls itself 'nyc-ce1', and 'ams-ce1' is connected as edge1" in caplog.text


async def test_a_router_that_was_renamed_is_heard_once_its_old_connection_is_over() -> None:
    async with running() as station:
        first = await station.router()
        await first.send(s.initiation("ams-ce1"))
        await eventually(lambda: station.of(FeedOpened))
        await first.close()
        await eventually(lambda: station.of(FeedLost))
        await (await station.router()).send(s.initiation("ams-edge1"))
        await eventually(lambda: len(station.of(FeedOpened)) == 2)
        assert station.station.status().refused == 0


async def test_a_broken_stream_ends_its_own_feed_only() -> None:
    async with running() as station:
        good, bad = await station.router(EDGE), await station.router(OTHER)
        await good.send(s.initiation(), s.peer_up())
        await bad.send(s.initiation(), b"\x03\x00\x00\x00\x05\x00", b"x" * 100)
        await eventually(lambda: station.of(FeedLost))
        await good.send(s.announce("10.0.0.0/24"))
        await eventually(lambda: station.of(Announced))
        [lost], [malformed] = station.of(FeedLost), station.of(MalformedSeen)
        assert (lost.router, lost.reason) == ("edge2", LostReason.MALFORMED)
        assert malformed.action == "feed-closed"
        assert malformed.raw.startswith(b"\x03\x00\x00\x00\x05\x00")
        assert await bad.reader.read() == b""
        assert station.exporter("edge1").connected
        assert not station.exporter("edge2").connected


async def test_an_error_of_our_own_ends_one_feed_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    taken = BmpFeed.take

    def broken(feed: BmpFeed) -> Heard | None:
        if feed.router == "edge2" and feed.waiting:
            raise ZeroDivisionError
        return taken(feed)

    async with running() as station:
        good, bad = await station.router(EDGE), await station.router(OTHER)
        await bad.send(s.initiation())
        await eventually(lambda: station.of(FeedOpened))
        monkeypatch.setattr(BmpFeed, "take", broken)
        with caplog.at_level(logging.ERROR):
            await bad.send(s.peer_up())
            await eventually(lambda: station.of(FeedLost))
        await good.send(s.initiation(), s.peer_up(), s.announce("10.0.0.0/24"))
        await eventually(lambda: station.of(Announced))
        assert station.station.status().failures == 1
        assert "ZeroDivisionError" in caplog.text
        assert await bad.reader.read() == b""


async def test_stopping_says_no_feed_lost_and_hands_over_what_came() -> None:
    heard: list[Heard] = []
    async with running(on_heard=heard.append) as station:
        router = await station.router()
        await router.send(s.initiation(), s.peer_up(), *s.table(5_000))
        await eventually(lambda: station.exporter().counters.octets > 100_000)
    observations = [observation for item in heard for observation in item.observations]
    assert Counter(map(type, observations))[Announced] == 5_000
    assert not any(isinstance(observation, FeedLost) for observation in observations)


async def test_a_socket_that_listens_already_is_taken() -> None:
    station = Station(Allow([(ip_network("127.0.0.1/32"), "edge1")]), Watch(), Numbered(), lambda heard: None, key=KEY)
    await station.start()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = await station.serve(listening.dup())
        assert address == listening.getsockname()
        _, writer = await asyncio.open_connection(*address)
        await eventually(lambda: station.status().exporters[0].connected)
        writer.close()
        await station.close()


async def test_an_awaitable_answer_holds_up_the_next_and_loses_nothing() -> None:
    begun, ended = [], []

    async def slowly(heard: Heard) -> None:
        begun.append(heard)
        await asyncio.sleep(0.02)
        ended.append(heard)
        assert begun == ended

    async with running(on_heard=slowly) as station:
        router = await station.router()
        await router.send(s.initiation(), s.peer_up(), *s.table(3_000))
        await router.close()
        await eventually(lambda: ended and any(isinstance(o, FeedLost) for o in ended[-1].observations))
    assert sum(isinstance(o, Announced) for heard in ended for o in heard.observations) == 3_000


async def test_when_on_heard_fails_the_station_says_so() -> None:
    def broken(heard: Heard) -> None:
        raise ValueError("the journal is full")

    async with running(on_heard=broken) as station:
        router = await station.router()
        await router.send(s.initiation())
        with pytest.raises(ValueError, match="the journal is full"):
            await asyncio.wait_for(station.station.failed(), 5)


async def test_another_watch_holds_from_then_on() -> None:
    async with running(Watch([ip_network("10.1.0.0/16")])) as station:
        router = await station.router()
        await router.send(s.initiation(), s.peer_up(), s.announce("10.1.1.0/24", "10.2.1.0/24"))
        await eventually(lambda: station.of(Announced))
        station.station.watch(Watch([ip_network("10.2.0.0/16")]))
        await router.send(s.announce("10.1.2.0/24", "10.2.2.0/24"))
        await eventually(lambda: len(station.of(Announced)) == 2)
        assert [str(seen.prefix) for seen in station.of(Announced)] == ["10.1.1.0/24", "10.2.2.0/24"]


async def test_an_exporter_that_leaves_the_intent_is_let_go() -> None:
    async with running() as station:
        one, two = await station.router(EDGE), await station.router(OTHER)
        await one.send(s.initiation())
        await two.send(s.initiation())
        await eventually(lambda: len(station.of(FeedOpened)) == 2)
        station.station.allow(Allow([(ip_network(f"{OTHER}/32"), "edge2")]))
        await eventually(lambda: station.of(FeedLost))
        assert station.of(FeedLost)[0].router == "edge1"
        assert [status.exporter for status in station.station.status().exporters] == ["edge2"]
        assert station.exporter("edge2").connected


async def test_counts_and_names_are_kept_across_connections() -> None:
    async with running() as station:
        for _ in range(2):
            router = await station.router()
            await router.send(s.initiation("ams-ce1", "FRR"), s.peer_up(), s.announce("10.0.0.0/24"))
            await router.close()
            await eventually(lambda: not station.exporter().connected and station.exporter().counters.routes)
            await eventually(lambda: station.station.status().undelivered == 0)
        await eventually(lambda: station.exporter().counters.routes == 2)
        status = station.exporter()
        assert (status.name, status.description, status.address) == ("ams-ce1", "FRR", EDGE)
        assert status.counters.messages == 6
        assert status.counters.by_type["peer-up"] == 2
        assert status.connections == 2


async def test_what_memory_cannot_hold_waits_on_disk_and_arrives_in_order(tmp_path: Path) -> None:
    gate = asyncio.Event()
    heard: list[Heard] = []

    async def later(item: Heard) -> None:
        await gate.wait()
        heard.append(item)

    limits = Limits(inbox=256 << 10, spool=64 << 20)
    async with running(Watch(), limits=limits, spool=tmp_path, on_heard=later) as station:
        router = await station.router()
        stream = b"".join(s.table(400_000))
        sending = asyncio.create_task(router.send(s.initiation(), s.peer_up(), stream))
        await asyncio.wait_for(sending, 20)  # the router never waits for us
        await eventually(lambda: station.exporter().counters.octets + station.exporter().waiting > len(stream))
        assert station.exporter().spooled > 0
        gate.set()
        await router.close()
        await eventually(lambda: not station.exporter().connected, 30)
        status = station.exporter()
    rows = sum(item.tables["routes"].num_rows for item in heard if "routes" in item.tables)
    assert rows == status.counters.routes == 400_000
    assert status.counters.malformed == 0
    assert status.overloads == 0


async def test_a_flood_costs_the_bulk_lane_first_and_then_the_feed(tmp_path: Path) -> None:
    gate = asyncio.Event()
    heard: list[Heard] = []

    async def later(item: Heard) -> None:
        await gate.wait()
        heard.append(item)

    limits = Limits(inbox=64 << 10, spool=1 << 20)
    async with running(Watch(), limits=limits, spool=tmp_path, on_heard=later) as station:
        router = await station.router()
        flood = asyncio.create_task(router.send(s.initiation(), s.peer_up(), *s.table(400_000)))
        await eventually(lambda: station.exporter().overloads == 2, 30)
        gate.set()
        await eventually(lambda: not station.exporter().connected)
        flood.cancel()
        await asyncio.gather(flood, return_exceptions=True)
        lost = [o for item in heard for o in item.observations if isinstance(o, FeedLost)]
        assert [item.reason for item in lost] == [LostReason.OVERLOADED]
        assert station.exporter().counters.given_up > 0
        again = await station.router()  # and the router may come back
        await again.send(s.initiation())
        await eventually(lambda: station.exporter().connected)


async def test_a_watched_route_is_not_held_up_by_the_dump_of_another_router() -> None:
    """The figure is measured by benchmarks/bulk_lane.py; here a generous bound shows that turns are taken."""
    at: list[float] = []
    loop = asyncio.get_running_loop()

    def note(heard: Heard) -> None:
        if heard.router == "edge2" and any(isinstance(o, Announced) for o in heard.observations):
            at.append(loop.time())

    watch = Watch([ip_network("10.250.0.10/32")])
    async with running(watch, on_heard=note) as station:
        big, small = await station.router(EDGE), await station.router(OTHER)
        await small.send(s.initiation(), s.peer_up())
        stream = b"".join(s.table(300_000))
        dumping = asyncio.create_task(big.send(s.initiation(), s.peer_up(), stream))
        await eventually(lambda: station.exporter("edge1").counters.routes > 0)
        sent = loop.time()
        await small.send(s.announce("10.250.0.10/32"))
        await eventually(lambda: at)
        assert at[0] - sent < 0.5
        await dumping


def test_the_watch_asks_once_a_session() -> None:
    asked: list[object] = []

    def whole(session: object) -> bool:
        asked.append(session)
        return everything(session)

    from tests.collector.bmp.feeds import run

    run(s.initiation() + s.peer_up() + s.announce("10.0.0.0/24") * 50, Watch((), whole))
    assert len(asked) == 1


async def test_a_router_whose_rows_wait_holds_up_no_other() -> None:
    gate = asyncio.Event()
    heard: list[Heard] = []

    async def stuck(item: Heard) -> None:
        if item.router == "edge1":
            await gate.wait()
        heard.append(item)

    async with running(Watch(), on_heard=stuck) as station:
        big, small = await station.router(EDGE), await station.router(OTHER)
        await big.send(s.initiation(), s.peer_up(), *s.table(600_000, sharing=30))
        await eventually(lambda: station.station.status().undelivered >= 16)
        await small.send(s.initiation())
        await eventually(lambda: heard)
        assert [item.router for item in heard] == ["edge2"]
        gate.set()
        await eventually(lambda: station.exporter("edge1").counters.routes == 600_000)
