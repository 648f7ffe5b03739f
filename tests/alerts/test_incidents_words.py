"""First lines of incidents: whom, what and where, and nothing twice."""

import pytest

from alerts.incidents.words import because, headline
from anycast.finding import Finding, Kind
from anycast.incident import Incident, latest
from tests.alerts.test_incidents_fold import DNS, WEB, Book, made

LINES = {
    "web: missing in weu": made(Kind.MISSING, 0, **WEB, region="weu"),
    "web: missing at weu-nva1 in weu": made(Kind.MISSING, 0, **WEB, region="weu", nva="weu-nva1"),
    "dns: missing at nyc": made(Kind.MISSING, 0, **DNS, site="nyc", vantage="nyc-ce1-best"),
    "dns: missing in weu at nyc": made(Kind.MISSING, 0, **DNS, region="weu", site="nyc"),
    "web: unexpected-origin AS64666": made(Kind.UNEXPECTED_ORIGIN, 0, **WEB, detail="AS64666"),
    "session-down at weu-nva1 in weu": made(Kind.SESSION_DOWN, 0, region="weu", nva="weu-nva1", vantage="weu-nva1"),
    "session-down at ams-ce1/172.16.0.1": made(Kind.SESSION_DOWN, 0, site="ams", vantage="ams-ce1/172.16.0.1"),
    "blind at ams-ce1": made(Kind.BLIND, 0, site="ams", exporter="ams-ce1"),
    "web: missing-everywhere": made(Kind.MISSING_EVERYWHERE, 0, **WEB),
}


@pytest.mark.parametrize("line", LINES)
def test_the_first_line_says_whom_what_and_where(line: str) -> None:
    assert headline(one(LINES[line])) == line


def one(finding: Finding) -> Incident:
    book = Book()
    book.open(5, only=finding)
    [incident] = latest(book.developments)
    return incident


def test_services_come_from_the_members_and_many_are_counted() -> None:
    book = Book()
    book.open(5, down=made(Kind.SESSION_DOWN, 0, region="weu", nva="weu-nva1", vantage="weu-nva1"))
    for name in "abcde":
        less = made(Kind.ECMP_SHRUNK, 0, service=name, prefix="10.250.0.10/32", region="weu")
        book.open(6, **{name: less})
    [incident] = latest(book.developments)
    assert headline(incident) == "a, b, c and 2 more: session-down at weu-nva1 in weu"
    assert because(incident.members[0]) == incident.members[0].summary
    assert because(incident.members[1]).endswith("(an NVA of the region is gone with its session)")
