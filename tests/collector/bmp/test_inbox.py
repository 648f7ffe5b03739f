"""What waits between the socket and the decoder."""

from ipaddress import ip_address, ip_network
from pathlib import Path

from anycast.observation import Session
from collector.bmp.allow import Allow, caller
from collector.bmp.exporters import TAKE_OVERS, WINDOW, Exporter
from collector.bmp.ids import Numbered
from collector.bmp.inbox import OWN, Inbox, Room


def drained(inbox: Inbox) -> list[tuple[bytes, int]]:
    chunks = []
    while taken := inbox.take(10):
        chunks += taken
    return chunks


def test_chunks_come_out_in_order_with_their_times() -> None:
    inbox = Inbox(100, 0, None)
    sent = [(bytes((number,)) * 3, number) for number in range(20)]
    assert all(inbox.put(*chunk) for chunk in sent)
    assert inbox.octets == 60
    assert drained(inbox) == sent
    assert inbox.octets == 0


def test_a_full_inbox_takes_no_more() -> None:
    inbox = Inbox(10, 1_000, None)
    assert inbox.put(b"x" * 10, 1)
    assert not inbox.put(b"x", 2)
    inbox.stretched = True
    assert inbox.put(b"xx", 3)
    assert not inbox.put(b"x", 4)


def test_inboxes_share_memory_and_give_it_back() -> None:
    room = Room(10 * OWN)
    greedy, other = (Inbox(10 * OWN, 0, None, room) for _ in range(2))
    assert greedy.put(b"x" * 9 * OWN, 1)
    assert not other.put(b"x" * 2 * OWN, 2)
    assert greedy.take(1)
    assert other.put(b"x" * 9 * OWN, 3)
    other.close()
    assert greedy.put(b"x" * 10 * OWN, 4)


def test_a_greedy_router_leaves_a_quiet_one_its_own_memory() -> None:
    room = Room(10 * OWN)
    greedy, quiet = (Inbox(10 * OWN, 0, None, room) for _ in range(2))
    assert greedy.put(b"x" * 10 * OWN, 1)
    assert not greedy.put(b"x", 2)
    assert quiet.put(b"x" * 10, 3)
    assert not quiet.put(b"x", 4)


def test_the_disk_takes_over_and_keeps_the_order(tmp_path: Path) -> None:
    inbox = Inbox(10, 1_000, tmp_path)
    sent = [(bytes((65 + number,)) * 6, number) for number in range(8)]
    for chunk in sent[:5]:
        assert inbox.put(*chunk)
    assert inbox.on_disk > 0
    first = inbox.take(1)
    for chunk in sent[5:]:  # there is room in memory again, but what is on disk came before
        assert inbox.put(*chunk)
    assert first + drained(inbox) == sent
    assert inbox.spooled == 7 * 6
    assert inbox.on_disk == 0
    assert inbox.put(b"again", 9)
    assert inbox.on_disk == 0
    inbox.close()
    assert list(tmp_path.iterdir()) == []


def test_the_disk_is_bounded(tmp_path: Path) -> None:
    inbox = Inbox(0, 100, tmp_path)
    assert inbox.put(b"x" * 80, 1)
    assert not inbox.put(b"x" * 80, 2)
    inbox.close()


def test_the_longest_prefix_decides_who_calls() -> None:
    allow = Allow([(ip_network("10.0.0.0/8"), "all"), (ip_address("10.90.0.1"), "ams-ce1"), (ip_network("::1"), "six")])
    asked = ("10.90.0.1", "10.90.0.2", "192.0.2.1", "::1", "::2")
    assert [allow.name(ip_address(address)) for address in asked] == ["ams-ce1", "all", None, "six", None]
    assert allow.names == ("all", "ams-ce1", "six")


def test_an_ipv4_caller_of_an_ipv6_socket_is_an_ipv4_caller() -> None:
    assert caller(("::ffff:10.90.0.1", 1, 0, 0)) == ip_address("10.90.0.1")
    assert caller(("fe80::1%eth0", 1, 0, 2)) == ip_address("fe80::1")


def test_take_overs_are_bounded_in_time() -> None:
    exporter = Exporter("edge1")
    assert [exporter.may_take_over(float(second)) for second in range(TAKE_OVERS + 1)] == [True] * TAKE_OVERS + [False]
    assert exporter.may_take_over(WINDOW + 1)


def test_session_numbers_go_on_after_a_restart() -> None:
    ids = Numbered()
    one, two = Session("a", ip_address("192.0.2.1")), Session("a", ip_address("192.0.2.2"))
    assert [ids.number(one), ids.number(two), ids.number(one)] == [1, 2, 1]
    assert ids.taken == 2
    later = Numbered(ids.saved())
    assert later.number(two) == 2
    assert later.number(Session("b", ip_address("192.0.2.1"))) == 3
