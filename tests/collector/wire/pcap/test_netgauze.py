"""What `decode` makes of the shared captures, against NetGauze's own decoding of them.

Differences, each with its reason: NetGauze published 106 of the 291 BGP messages of `multiple-sessions`, so its lines
are looked for among ours; and a KEEPALIVE or an OPEN is no element.
"""

from collections import Counter
from typing import Any

from collector.wire.element import Element, ElementType
from collector.wire.elements import elements
from tests import needs
from tests.collector.wire import netgauze

ROUTE = ElementType.ANNOUNCEMENT, ElementType.WITHDRAWAL
Said = tuple[str, ...]


def read(name: str) -> list[Element]:
    """The elements of a shared capture."""
    with (needs.captures() / f"{name}.pcap").open("rb") as file:
        return list(elements(file))


def ours(found: list[Element]) -> Counter[Said]:
    """Routes as (letter, prefix and path id, origin, AS path, next hop, MED, LOCAL_PREF)."""
    return Counter(_ours(element) for element in found if element.type in ROUTE)


def _ours(element: Element) -> Said:
    letter, value = str(element.type), element.attributes
    route = f"{element.prefix}#{element.path_id or 0}"
    if value is None:
        return letter, route, "", "", "", "", ""
    origin = value.origin.name.lower() if value.origin is not None else ""
    numbers = ("" if number is None else str(number) for number in (value.med, value.local_pref))
    return letter, route, origin, " ".join(map(str, value.as_path.asns)), str(value.next_hop or ""), *numbers


def theirs(updates: list[Any]) -> Counter[Said]:
    """The routes of NetGauze's UPDATEs."""
    said: Counter[Said] = Counter()
    for update in updates:
        announced, withdrawn, *attributes = netgauze.theirs(update)
        said.update(("A", route, *attributes) for route in announced)
        said.update(("W", route, "", "", "", "", "") for route in withdrawn)
    return said


def test_every_route_of_the_bmp_capture_is_what_netgauze_reads() -> None:
    lines: list[Any] = list(netgauze.lines(needs.captures() / "bmp/frr-10.8-upa.netgauze.json"))
    said = [
        line["V3"]["RouteMonitoring"]["update_message"]["Update"] for line in lines if "RouteMonitoring" in line["V3"]
    ]
    found = read("bmp/frr-10.8-upa")
    assert ours(found) == theirs(said)
    assert ours(found).total() == 22
    ups = Counter(next(iter(line["V3"])) for line in lines)
    assert sum(element.state == "up" for element in found) == ups["PeerUpNotification"] == 7
    assert sum(element.state == "opened" for element in found) == ups["Initiation"] == 3
    assert not [element for element in found if element.type in (ElementType.MALFORMED, ElementType.NOTE)]


def test_every_route_that_netgauze_reads_of_the_bgp_sessions_is_told() -> None:
    lines: list[Any] = list(netgauze.lines(needs.captures() / "bgp/multiple-sessions.netgauze.json"))
    said = theirs([line["Update"] for line in lines if isinstance(line, dict) and "Update" in line])
    found = read("bgp/multiple-sessions")
    assert said.total() > 30
    assert not said - ours(found)
    assert Counter(str(element.type) for element in found) == {"A": 128, "S": 22, "E": 20}, "nothing torn, none guessed"
    assert sum(element.state == "up" for element in found) == 20


def test_times_are_those_of_the_capture_and_sides_those_of_the_sessions() -> None:
    routes = [element for element in read("bgp/multiple-sessions") if element.type in ROUTE]
    assert {str(element.time)[:10] for element in routes} == {"2018-02-08"}
    assert all(
        element.peer_asn == 64512 and element.router and element.router != str(element.peer) for element in routes
    )
