"""What probes see in incidents: one fault is one, with its cause first; and two faults are two."""

from anycast.finding import Kind
from anycast.incident import latest
from tests.alerts.test_incidents_fold import DNS, WEB, Book, made

WEU, EUS = {"region": "weu"}, {"region": "eus"}
NVA = {"region": "weu", "nva": "weu-nva1"}
AMS, NYC = {"site": "ams"}, {"site": "nyc"}


def causes(book: Book) -> list[Kind]:
    return [incident.cause.kind for incident in latest(book.developments)]


def test_a_site_that_is_cut_off_explains_what_its_agent_said_before_it_fell_silent() -> None:
    book = Book()
    book.open(2, unreachable=made(Kind.UNREACHABLE, 0, **WEB, **AMS))
    book.open(4, uplink=made(Kind.SITE_UPLINK, 0.5, **AMS))
    book.open(20, lost=made(Kind.AGENT_LOST, 5, **AMS))
    assert causes(book) == [Kind.SITE_UPLINK]
    assert book.sets() == {("lost", "unreachable", "uplink")}


def test_an_agent_that_is_lost_explains_its_own_site_and_no_other() -> None:
    book = Book()
    book.open(3, here=made(Kind.BLACKHOLE, 1, **WEB, **WEU, **AMS), there=made(Kind.LOSSY_LEG, 1, **DNS, **EUS, **NYC))
    book.open(17, lost=made(Kind.AGENT_LOST, 2, **AMS))
    assert book.sets() == {("here", "lost"), ("there",)}


def test_a_dead_application_that_is_advertised_explains_the_blackhole_and_what_users_see() -> None:
    book = Book()
    book.open(4, ams=made(Kind.BLACKHOLE, 1, **WEB, **WEU, **AMS), nyc=made(Kind.BLACKHOLE, 1.2, **WEB, **WEU, **NYC))
    book.open(5, dead=made(Kind.ADVERTISED_WHILE_DEAD, 1.1, **WEB, **NVA), none=made(Kind.UNREACHABLE, 1, **WEB, **AMS))
    book.open(6, errors=made(Kind.APP_ERRORS, 2, **WEB, **WEU))
    book.open(12, defect=made(Kind.HEALTH_CHECK_DEFECT, 1, **WEB, **NVA))
    assert causes(book) == [Kind.ADVERTISED_WHILE_DEAD]
    assert book.sets() == {("ams", "dead", "defect", "errors", "none", "nyc")}


def test_an_nva_that_dies_is_one_incident_from_its_dead_leg_to_its_session() -> None:
    book = Book()
    book.open(2, ams=made(Kind.DEAD_LEG, 0, **WEB, **NVA, **AMS), nyc=made(Kind.DEAD_LEG, 0.2, **WEB, **NVA, **NYC))
    book.open(4, stale=made(Kind.STALE_ROUTE, 0.1, **WEB, **NVA), breaks=made(Kind.TCP_BREAK, 1, **WEB, **AMS))
    assert causes(book) == [Kind.STALE_ROUTE]
    book.open(14, down=made(Kind.SESSION_DOWN, 9, **NVA, vantage="weu-nva1"))
    book.open(15, shift=made(Kind.CATCHMENT_SHIFT, 9.2, **WEB, **AMS))
    assert causes(book) == [Kind.SESSION_DOWN]
    assert len(book.sets()) == 1


def test_a_region_that_withdraws_explains_where_traffic_went() -> None:
    book = Book()
    book.open(
        3,
        gone=made(Kind.MISSING, 0, **WEB, **WEU),
        ams=made(Kind.CATCHMENT_SHIFT, 0.2, **WEB, **AMS),
        nyc=made(Kind.CATCHMENT_SHIFT, 0.3, **WEB, **NYC),
        idle=made(Kind.HEALTHY_BUT_SILENT, 0, **WEB, **WEU),
    )
    assert causes(book) == [Kind.MISSING]
    assert len(book.sets()) == 1


def test_a_blackhole_everywhere_is_one_and_in_two_regions_two() -> None:
    book = Book()
    sites = {f"s{n}": made(Kind.BLACKHOLE, n / 10, **WEB, **WEU, site=f"s{n}") for n in range(9)}
    book.open(3, **sites, other=made(Kind.BLACKHOLE, 0.4, **DNS, **EUS, **AMS))
    assert book.sets() == {tuple(sorted(sites)), ("other",)}


def test_two_dead_legs_of_two_regions_are_two_incidents_and_what_they_break_is_theirs() -> None:
    book = Book()
    other = {"region": "eus", "nva": "eus-nva2"}
    book.open(2, one=made(Kind.DEAD_LEG, 0, **WEB, **NVA, **AMS), two=made(Kind.DEAD_LEG, 0, **WEB, **other, **NYC))
    book.open(8, breaks=made(Kind.TCP_BREAK, 4, **WEB, **NYC))
    assert book.sets() == {("one",), ("breaks", "two")}


def test_a_hijack_explains_the_stranger_who_answers_and_the_silence_of_the_true_one() -> None:
    book = Book()
    book.open(1, hijack=made(Kind.UNEXPECTED_ORIGIN, 0, **WEB, detail="AS65999"))
    book.open(3, forged=made(Kind.IDENTITY_INVALID, 0.5, **WEB, **AMS), none=made(Kind.UNREACHABLE, 0.5, **WEB, **AMS))
    assert causes(book) == [Kind.UNEXPECTED_ORIGIN]
    assert len(book.sets()) == 1


def test_a_forwarding_table_explains_the_wrong_catchment_and_that_the_shift() -> None:
    book = Book()
    book.open(
        3, shift=made(Kind.CATCHMENT_SHIFT, 0, **WEB, **AMS), wrong=made(Kind.MISROUTED, 0.2, **WEB, **EUS, **AMS)
    )
    book.open(14, fib=made(Kind.FIB_DIVERGENCE, 1, **WEB, **EUS, **AMS))
    assert causes(book) == [Kind.FIB_DIVERGENCE]
    assert len(book.sets()) == 1


def test_a_shift_long_after_a_withdrawal_is_its_own() -> None:
    book = Book()
    book.open(3, gone=made(Kind.MISSING, 0, **WEB, **WEU))
    book.clear(100, "gone")
    book.open(300, shift=made(Kind.CATCHMENT_SHIFT, 299, **WEB, **AMS))
    assert book.sets() == {("gone",), ("shift",)}
