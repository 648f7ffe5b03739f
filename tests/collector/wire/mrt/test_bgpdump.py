"""Every shared MRT file against bgpdump -m, line for line; where we differ, it is said here and why."""

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from collector.wire.element import Element, ElementType
from collector.wire.elements import elements
from tests import needs
from tests.collector.wire.oracle import Line, as_bgpdump, bgpdump

EQUAL = {  # lines of `bgpdump -m FILE | wc -l`, as the captures' README has them too
    "bird-mrtdump_bgp.mrt": ("BGP4MP", 24),
    "bird-mrtdump_rib.mrt": ("TABLE_DUMP2", 18),
    "bird6-mrtdump_bgp.mrt": ("BGP4MP", 24),
    "bird6-mrtdump_rib.mrt": ("TABLE_DUMP2", 10),
    "openbgpd_bgp.mrt": ("BGP4MP", 109),
    "openbgpd_rib_table-v2.mrt": ("TABLE_DUMP2", 31),
    "quagga_bgp.mrt": ("BGP4MP", 38),
    "quagga_rib.mrt": ("TABLE_DUMP2", 9),
    "rrc15.updates.20100227.1600.gz": ("BGP4MP", 53_806),
}


def read(name: str) -> Iterator[Element]:
    """The elements of a shared MRT file."""
    with (needs.captures() / "mrt" / name).open("rb") as file:
        yield from elements(file)


def ours(name: str, form: str) -> Counter[Line]:
    """Our lines of a shared MRT file."""
    return Counter(line for element in read(name) if (line := as_bgpdump(element, form)) is not None)


def kinds(name: str) -> Counter[str]:
    """How many elements of each type a shared MRT file has."""
    return Counter(str(element.type) for element in read(name))


@pytest.mark.parametrize("name", EQUAL)
def test_lines_are_those_of_bgpdump(name: str) -> None:
    form, count = EQUAL[name]
    theirs = bgpdump(needs.captures() / "mrt" / name)
    assert theirs.total() == count
    found = list(read(name))
    assert Counter(line for element in found if (line := as_bgpdump(element, form)) is not None) == theirs
    assert not [element for element in found if element.type is ElementType.MALFORMED]


def test_deprecated_records_differ_in_withdrawals_only() -> None:
    """bgpdump prints the peer's address in place of each of the 25 withdrawn prefixes: 193.0.0.56/24."""
    name = "rrc00.updates.19990903.1041.gz"
    theirs, found = bgpdump(needs.captures() / "mrt" / name), ours(name, "BGP")
    assert theirs.total() == found.total() == 65_315
    missing, extra = sorted((theirs - found).elements()), sorted((found - theirs).elements())
    assert len(missing) == len(extra) == 25
    assert {line[2] for line in (*missing, *extra)} == {"W"}
    assert Counter(line[1] for line in missing) == Counter(line[1] for line in extra)
    assert all(line[5].startswith("193.0.0.56/") for line in missing)
    lengths = [Counter(line[5].partition("/")[2] for line in lines) for lines in (missing, extra)]
    assert lengths[0] == lengths[1]


def test_an_old_table_dump_differs_in_its_aggregator_only() -> None:
    """OpenBGPD writes an AGGREGATOR of 8 octets into TABLE_DUMP; bgpdump reads 6 and prints 0 253.232.192.168."""
    name = "openbgpd_rib_table.mrt"
    theirs, found = bgpdump(needs.captures() / "mrt" / name), ours(name, "TABLE_DUMP")
    assert theirs.total() == found.total() == 31
    [missing], [extra] = (theirs - found).elements(), (found - theirs).elements()
    assert (missing[-2], extra[-2]) == ("0 253.232.192.168", "65000 192.168.0.15")
    assert missing[:-2] == extra[:-2]


@pytest.mark.parametrize(
    ("name", "noise", "routes"),
    [("bird_bgp.mrt", "0.0.0.0/0", 14), ("bird6_bgp.mrt", "::/0", 14)],
)
def test_path_ids_that_an_old_archive_hides_are_found_in_the_open(name: str, noise: str, routes: int) -> None:
    """BIRD 1.6 recorded a session with path ids under the plain subtypes.

    bgpdump prints 24 announcements, most of them of default routes that nobody sent. The peer's OPEN in the file offers
    path ids; read with them, each of the six UPDATEs with routes has three, three or one prefix (counted by hand).
    """
    theirs = bgpdump(needs.captures() / "mrt" / name)
    assert sum(count for line, count in theirs.items() if line[2] == "STATE") == 12
    assert any(noise in line for line in theirs)
    found = [element for element in read(name) if element.type is ElementType.ANNOUNCEMENT]
    assert len(found) == routes
    assert all(element.prefix != ip_network(noise) and element.path_id in (1, 2) for element in found)
    told = [element for element in read(name) if element.type is ElementType.MALFORMED]
    assert [element.action for element in told] == ["taken-as-is"] * 6


def test_a_table_that_bgpdump_cannot_read_holds_the_routes_of_its_other_form() -> None:
    """OpenBGPD's `table-mp` has deprecated records; bgpdump reads the `table-v2` of the same router."""
    assert bgpdump(needs.captures() / "mrt" / "openbgpd_rib_table-mp.mrt").total() == 0
    other = bgpdump(needs.captures() / "mrt" / "openbgpd_rib_table-v2.mrt")
    found = ours("openbgpd_rib_table-mp.mrt", "TABLE_DUMP2")
    assert found.total() == 31
    # The dumps were made minutes apart, and the old form has no 4-octet AS numbers: routes are compared.
    assert Counter(line[5] for line in found.elements()) == Counter(line[5] for line in other.elements())
    wide = {line[5] for line in other if any(int(asn) > 65535 for asn in line[6].split())}
    assert {line[3:] for line in found if line[5] not in wide} == {line[3:] for line in other if line[5] not in wide}


def test_what_else_the_files_say_is_counted() -> None:
    """End-of-RIBs, NOTIFICATIONs and other families by hand from `bgpdump -H` and the records' subtypes."""
    assert kinds("openbgpd_rib_table-v2.mrt") == {"R": 33}, "two RIB_GENERIC records are of vpnv4"
    # 68 000101 0000fdf20000000f c0a8 and 70 000101 0000fdf20000000f c0a807, by hand: 24 bits of label, 64 of RD
    vpn = [element for element in read("openbgpd_rib_table-v2.mrt") if element.family == "vpnv4"]
    assert [(str(e.prefix), e.route_distinguisher, e.labels) for e in vpn] == [
        ("192.168.0.0/16", "65010:15", (16,)),
        ("192.168.7.0/24", "65010:15", (16,)),
    ]
    assert kinds("bird-mrtdump_bgp.mrt") == {"S": 13, "A": 12, "E": 2}, "12 state changes and a NOTIFICATION"
    assert kinds("quagga_bgp.mrt") == {"S": 22, "A": 34, "E": 14}, "18 of unicast, and 16 of vpnv4 in four UPDATEs"
