"""What an NVA makes of the replies that come in at it."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from anycast.probe import Identity, Outcome, Probe, Proof
from collector.probe.config.values import AgentSettings, Centre
from collector.probe.identity.keys import Keys
from collector.probe.identity.refused import Cause, Refused
from collector.probe.reverse.hitlist import Host
from collector.probe.reverse.ping import Ping, encode_ping, request
from collector.probe.reverse.reverser import Reverser
from collector.probe.reverse.settings import ReverseSettings
from collector.probe.taken import Taken
from tests.collector.probe.reverse.test_ping import ANYCAST, FLEET, HOST, a_ping, reply_to

SECOND = 1_000_000_000
WALL = 1_700_000_000 * SECOND


def settings(nva: str = "weu-nva1") -> ReverseSettings:
    agent = AgentSettings(Path("r.yaml"), nva, Centre("https://c", Path("t")), Path("d"))
    return ReverseSettings(agent, nva[:3], nva, (ANYCAST[4],), (Host(HOST[4], "ams"),))


def an_nva(nva: str = "weu-nva1") -> tuple[Reverser, list[Taken]]:
    heard: list[Taken] = []
    return Reverser(settings(nva), heard.append, Keys((FLEET,))), heard


def reply(ping: Ping) -> bytes:
    return reply_to(request(ANYCAST[4], ping.host, 1, encode_ping(ping, FLEET)))


def test_the_nva_that_hears_a_reply_is_the_hosts_catchment_whoever_sent_it() -> None:
    other, heard = an_nva("eus-nva1")
    other.take(reply(a_ping(sent=5)), WALL, 7 * SECOND, WALL)
    [taken] = heard
    assert (taken.probe, taken.outcome, taken.proof) == (Probe.REVERSE, Outcome.ANSWERED, Proof.AUTHENTICATED)
    assert (taken.target, taken.identity, taken.detail) == ("ams/10.20.0.5", Identity("eus", "eus-nva1"), "weu-nva1")
    assert (taken.rtt, taken.seen, taken.ttl, taken.mono) == (None, "10.250.0.10", 60, 7 * SECOND)


def test_the_sender_alone_knows_how_long_it_took() -> None:
    nva, heard = an_nva()
    ours = a_ping(sent=SECOND, run=nva.number)
    nva.take(reply(ours), WALL - 2_000_000, SECOND + 9_000_000, WALL)
    assert (heard[0].rtt, heard[0].mono) == (7_000_000, SECOND + 2_000_000)


def test_a_reply_is_taken_once() -> None:
    nva, heard = an_nva()
    nva.take(reply(a_ping()), WALL, 0, WALL)
    for later, cause in ((SECOND, Cause.REPLAYED), (3 * SECOND, Cause.EXPIRED)):
        with pytest.raises(Refused) as error:
            nva.take(reply(a_ping()), WALL, later, WALL)
        assert error.value.cause is cause
    assert len(heard) == 1


def test_a_reply_to_an_address_that_is_not_ours_to_ask_from_is_not_taken() -> None:
    nva, heard = an_nva()
    packet = reply_to(request(ip_address("10.250.0.99"), HOST[4], 1, encode_ping(a_ping(), FLEET)))
    with pytest.raises(Refused, match=r"10\.250\.0\.99 is no anycast address here"):
        nva.take(packet, WALL, 0, WALL)
    assert heard == []


def test_a_host_that_is_not_in_our_list_is_told_by_its_address() -> None:
    nva, heard = an_nva()
    nva.take(reply(a_ping(ip_address("10.60.1.20"))), WALL, 0, WALL)
    assert heard[0].target == "10.60.1.20"
