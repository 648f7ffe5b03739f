"""The collector says nothing to anybody, and the tap that shows it is not blind."""

from collections.abc import Iterator

import pytest

from tests import needs
from tests.prove import silent_collector
from tests.prove.labs import WatchedLab, watched_lab
from tests.prove.silent_collector import CANARY, OCCASIONS, OPPOSITES, plant, watch
from tests.prove.tap import MARKER, Tap, said, split

lab = pytest.mark.lab


@pytest.fixture(scope="module")
def watched() -> Iterator[WatchedLab]:
    needs.root()
    for program, package in (("bird", "bird2"), ("gobgpd", "gobgpd"), ("bgpd", "frr"), ("haproxy", "haproxy")):
        needs.tool(program, package)
    with watched_lab("trtap") as made:
        plant(made.lab)
        yield made


@pytest.fixture
def tap(watched: WatchedLab) -> Iterator[Tap]:
    with Tap(watched.lab) as opened:
        yield opened


@lab
@pytest.mark.parametrize("occasion", list(OCCASIONS))
def test_no_nlri_leaves_the_collector(watched: WatchedLab, tap: Tap, occasion: str) -> None:
    seen = watch(watched, tap, OCCASIONS[occasion])
    assert (seen["nlri"], seen["withdrawn"], seen["unread"]) == ([], [], [])
    assert seen["sessions"] == len(watched.lab.sessions_of("collector")) == 10


@lab
def test_without_its_export_policy_the_same_tap_sees_the_canary_on_every_session(watched: WatchedLab, tap: Tap) -> None:
    seen = watch(watched, tap, OPPOSITES["without-export-policy"])
    told = {line.partition(":")[0] for line in seen["nlri"] if CANARY in line}
    assert told == {f"to {name}" for name in tap.peers.values()}
    assert silent_collector.planted(watched.lab)


@lab
def test_without_its_import_policy_the_same_tap_sees_withdrawals_of_what_was_never_announced(
    watched: WatchedLab, tap: Tap
) -> None:
    seen = watch(watched, tap, OPPOSITES["without-import-policy"])
    assert (seen["nlri"], seen["unread"]) == ([], [])
    assert seen["withdrawn"]


def test_a_segment_is_read_only_when_it_is_whole_messages() -> None:
    keepalive = MARKER + b"\0\x13\4"
    assert split(keepalive * 2) == (True, [(4, b""), (4, b"")])
    assert split(keepalive + b"x") == (False, [(4, b"")])
    assert split(keepalive[:-1]) == (False, [])


def test_announcements_and_withdrawals_are_told_apart_from_an_end_of_rib() -> None:
    assert said(b"\0\0\0\0") == ("", "")
    assert said(b"\0\0\0\6\x80\x0f\3\0\1\1") == ("", "")
    assert said(b"\0\0\0\0\x20\xc0\0\2\x7b") == ("192.0.2.123/32", "")
    assert said(b"\0\5\x20\xc0\0\2\x7b\0\0") == ("", "192.0.2.123/32")
    assert said(b"\0\0\0\5\x80\x0e\2\0\2")[0] == "MP_REACH 0002"
