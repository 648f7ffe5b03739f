"""After a crash the time without us is a gap with both its ends, and not a time of silence."""

from pathlib import Path

from anycast.change import Presence
from anycast.columns import SessionEvent
from store.gap import feeds_lost
from store.journal import Journal
from store.reader import Reader
from tests.store.made import WEB, at, batch, event, route, write


def test_while_the_daemon_was_dead_routes_are_unknown(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    up = batch("sessions", event(0, SessionEvent.FEED_OPENED), event(0, SessionEvent.PEER_UP))
    write(first, at(0), ("sessions", up), ("routes", batch("routes", route(1))))
    first._lock.release()
    second, reader = Journal(tmp_path), Reader(tmp_path)
    [before] = reader.state(WEB, at(30)).rows
    write(second, at(60), ("sessions", feeds_lost(reader.open_feeds(at(60)), at(10))))
    [seen], [unseen] = reader.state(WEB, at(9)).rows, reader.state(WEB, at(30)).rows
    assert [before.presence, seen.presence, unseen.presence] == [Presence.PRESENT, Presence.PRESENT, Presence.UNKNOWN]
    assert reader.open_feeds(at(60)) == ()
    second.close()
