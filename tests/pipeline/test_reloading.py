"""What a reload compares: settings that wait for a restart, and what is watched that was not."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from analyzers.view import View
from anycast.change import Presence
from anycast.intent import Intent, Thresholds
from anycast.observation import Announced
from collector.bmp.peers import PeerTable
from pipeline.config import Config, load
from pipeline.reloading import News, news_of, waiting
from tests import needs
from tests.analyzers import network
from tests.analyzers.network import WEB, Network, nva_route, nva_source

NVA = nva_source("weu-nva1")


def config() -> Config:
    return load(needs.ROOT / "examples" / "contoso.yaml")


def test_nothing_waits_where_nothing_that_needs_a_restart_changed() -> None:
    running = config()
    quieter = replace(running.intent, thresholds=Thresholds(quiet=timedelta(seconds=9)))
    assert waiting(running, replace(running, intent=quieter)) == ()


def test_a_changed_data_folder_waits_and_its_socket_is_not_told_beside_it() -> None:
    running = config()
    data = Path("/elsewhere")
    read = replace(running, data=data, listen=replace(running.listen, socket=data / "catchment.sock", names=("a.b",)))
    [names, folder] = waiting(running, read)
    assert (names.key, names.running, names.file) == ("listen.names", "no names", "a.b")
    assert str(folder) == f"data: runs with {running.data}, the file says /elsewhere; restart Catchment to apply it"


def test_what_the_command_line_gave_is_not_compared() -> None:
    running = replace(config(), given=frozenset({"data"}))
    assert waiting(running, replace(running, data=Path("/elsewhere"), listen=running.listen))[:0] == ()
    assert "data" not in {each.key for each in waiting(running, replace(running, data=Path("/elsewhere")))}


def without(intent: Intent, nva: str) -> Intent:
    return replace(intent, vantages=tuple(v for v in intent.vantages if v.nva != nva))


def test_news_are_prefixes_and_sessions_that_are_watched_more_than_before() -> None:
    after = network.intent()
    before = without(after, "weu-nva1")
    sessions = [NVA.session, nva_source("weu-nva2").session]
    assert news_of(sessions, before, after) == News(whole=frozenset(sessions[:1]), named=frozenset(sessions[:1]))
    assert not news_of(sessions, after, before)
    assert not news_of(sessions, after, after)
    fewer = replace(after, services=after.services[1:])
    assert news_of(sessions, fewer, after).prefixes == {WEB}


def test_what_is_withdrawn_while_history_is_asked_is_not_put_in() -> None:
    seen = Network(without(network.intent(), "weu-nva1"))
    view: View = seen.view
    route = Announced(seen.now, NVA, WEB, nva_route("weu-nva1", WEB))
    for withdrawn, presence in ((False, Presence.PRESENT), (True, Presence.ABSENT)):
        seen.withdraw(NVA, WEB)
        view.reconfigure(without(network.intent(), "weu-nva1"))
        view.await_fill()
        if withdrawn:
            seen.withdraw(NVA, WEB)
        view.reconfigure(network.intent())
        view.fill([route])
        assert view.presence("weu-nva1", WEB) is presence


def test_quiet_applies_to_sessions_that_are_there_already() -> None:
    table = PeerTable(5.0)
    table.quiet_after(1.5)
    assert int(table.arrays.quiet[0]) == 1_500_000_000
