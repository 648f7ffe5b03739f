import asyncio
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from anycast.change import Cause, Change, ChangeKind
from anycast.finding import Finding, Kind, Record, Severity, State, Step, Subject, Transition
from anycast.intent import Intent, Rung, Vantage
from anycast.observation import DownReason, FeedLost, LostReason, Session, SessionDown, SessionUp, Source
from anycast.route import AsPath, Attributes
from anycast.situation import Event, EventKind
from pipeline.timeline import KEPT, PENDING_CLIENT, Narrator, Timeline

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
NVA = Session("gobgp", ip_address("10.10.1.4"))
INTENT = Intent(
    (),
    (),
    (),
    (),
    (Vantage("gobgp/weu-nva1", "gobgp", ip_address("10.10.1.4"), Rung.V1, nva="weu-nva1", region="weu"),),
)


def _event(number: int = 0) -> Event:
    return Event(number, AT, EventKind.ROUTE, "withdrawn", "gone")


def _change(cause: Cause = Cause.UPDATE, not_before: datetime | None = None) -> Change:
    before = Attributes(as_path=AsPath.of(65010), next_hop=ip_address("10.10.1.4"))
    prefix = ip_network("10.250.0.10/32")
    return Change(AT, ChangeKind.WITHDRAWN, cause, Source(NVA), prefix, 0, before, None, not_before)


def test_numbers_grow_by_one_and_go_on_where_they_stopped() -> None:
    timeline = Timeline(last_number=41)
    assert [event.number for event in timeline.number([_event(), _event()])] == [42, 43]
    assert timeline.last_number == 43


async def test_a_follower_gets_what_it_missed_and_then_what_comes() -> None:
    timeline = Timeline()
    timeline.publish(timeline.number([_event(), _event(), _event()]))
    following = timeline.follow(after=1)
    assert [(await anext(following)).number for _ in range(2)] == [2, 3]
    timeline.publish(timeline.number([_event()]))
    assert (await anext(following)).number == 4


async def test_a_follower_that_lags_too_far_is_let_go_and_the_others_stay() -> None:
    timeline = Timeline()
    slow, quick = timeline.follow(), timeline.follow()
    timeline.publish(timeline.number([_event()]))
    await anext(slow), await anext(quick)
    for _ in range(1 + PENDING_CLIENT + 1):  # the one event with which each began, and then its lag
        timeline.publish(timeline.number([_event()]))
        await anext(quick)
    assert timeline.followers == 1
    assert len([event async for event in slow]) == 1 + PENDING_CLIENT


async def test_who_comes_back_to_a_long_backlog_is_not_let_go_for_it() -> None:
    timeline = Timeline()
    timeline.publish(timeline.number([_event()] * KEPT))
    back = timeline.follow(0)
    first = await anext(back)
    timeline.publish(timeline.number([_event()] * PENDING_CLIENT))
    assert timeline.followers == 1
    rest = [(await anext(back)).number for _ in range(KEPT + PENDING_CLIENT - 1)]
    assert [first.number, *rest] == list(range(1, KEPT + PENDING_CLIENT + 1))
    timeline.publish(timeline.number([_event()] * (KEPT + 2 * PENDING_CLIENT)))
    assert timeline.followers == 0


async def test_closing_ends_every_stream() -> None:
    timeline = Timeline()
    waiting = asyncio.ensure_future(anext(timeline.follow(), None))
    await asyncio.sleep(0)
    timeline.close()
    assert await waiting is None


def test_memory_is_bounded() -> None:
    timeline = Timeline()
    timeline.publish(timeline.number(_event() for _ in range(KEPT + 10)))
    assert len(timeline.recent(10 * KEPT)) == KEPT


def test_a_session_that_is_up_before_and_after_a_gap_makes_no_event() -> None:
    narrator = Narrator(INTENT)
    assert narrator.observed(SessionUp(AT, NVA)) is not None
    assert narrator.observed(FeedLost(AT, "gobgp", LostReason.RESET)) is not None
    assert narrator.observed(SessionUp(AT, NVA)) is None


def test_a_session_that_went_down_says_whose_and_why() -> None:
    event = Narrator(INTENT).observed(SessionDown(AT, NVA, DownReason.REMOTE_CLOSED, "hold timer expired"))
    assert event is not None
    assert event.text == "gobgp reports its session with weu-nva1 down: remote-closed, hold timer expired"
    assert event.region == "weu"
    assert event.vantage == "gobgp/weu-nva1"


def test_a_change_names_the_prefix_the_place_and_the_path() -> None:
    event = Narrator(INTENT).changed(_change())
    assert event.text == "10.250.0.10/32 withdrawn at weu-nva1 [path 65010, next hop 10.10.1.4]"


def test_a_change_found_after_a_gap_says_between_which_times_it_happened() -> None:
    event = Narrator(INTENT).changed(_change(cause=Cause.RESYNC, not_before=AT - timedelta(minutes=2)))
    assert event.text.endswith("unseen between 02:58:00 and 03:00:00")
    assert event.not_before == AT - timedelta(minutes=2)


def test_a_cleared_finding_says_how_long_it_lasted() -> None:
    finding = Finding(Kind.MISSING, Subject(service="web", region="weu"), Severity.MAJOR, AT, "web is missing in weu")
    record = Record("id", finding, State.CLEARED, AT, AT, AT + timedelta(seconds=21.5))
    event = Narrator(INTENT).judged(Transition(AT + timedelta(seconds=23.5), Step.CLEARED, record))
    assert event.text == "missing cleared: web is missing in weu (lasted 21.5 s)"
    assert event.finding == "id"
