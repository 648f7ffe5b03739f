"""The lab's network as values."""

from collections import Counter
from datetime import timedelta
from ipaddress import IPv4Address

import pytest

from lab.topology import REGIONS, SERVICES, Lab, Role, Timers


def test_both_regions_have_two_instances_two_nvas_two_applications_a_gateway_and_two_msees() -> None:
    lab = Lab()
    for region in REGIONS:
        counted = Counter(node.role for node in lab.nodes if node.place == region.name)
        assert counted == {
            Role.FABRIC: 1,
            Role.ROUTE_SERVER: 2,
            Role.NVA: 2,
            Role.APPLICATION: 2,
            Role.GATEWAY: 1,
            Role.VPN: 1,
            Role.MSEE: 2,
        }


def test_no_interface_is_cabled_twice_and_every_name_fits_the_kernel() -> None:
    ports = [(port.node, port.interface) for link in Lab().links for port in (link.left, link.right)]
    assert max(Counter(ports).values()) == 1
    assert max(len(interface) for _, interface in ports) <= 15


def test_every_end_of_a_session_stands_on_an_address_of_its_node() -> None:
    lab = Lab()
    own = {(node.name, node.address) for node in lab.nodes}
    own |= {
        (port.node, port.address.ip)
        for link in lab.links
        for port in (link.left, link.right)
        if port.address is not None
    }
    ends = [end for session in lab.sessions for end in (session.dialer, session.listener)]
    assert [end for end in ends if (end.node, end.address) not in own] == []


def test_no_address_is_given_to_two_nodes() -> None:
    lab = Lab()
    holders: dict[IPv4Address, set[str]] = {}
    for link in lab.links:
        for port in (link.left, link.right):
            if port.address is not None:
                holders.setdefault(port.address.ip, set()).add(port.node)
    assert [address for address, nodes in holders.items() if len(nodes) > 1] == []


def test_the_collector_dials_every_nva_every_instance_and_every_edge() -> None:
    lab = Lab()
    heard = {session.listener.node for session in lab.sessions_of("collector")}
    assert heard == {node.name for node in lab.of(Role.NVA, Role.ROUTE_SERVER, Role.EDGE)}
    assert all(session.dialer.node == "collector" for session in lab.sessions_of("collector"))


def test_towards_an_edge_the_collector_stands_in_the_sites_own_as() -> None:
    lab = Lab()
    towards = {session.listener.node: session for session in lab.sessions_of("collector")}
    assert towards["ams-ce1"].dialer.asn == towards["ams-ce1"].listener.asn
    assert towards["weu-nva1"].dialer.asn != towards["weu-nva1"].listener.asn


def test_round_trips_differ_by_site_and_region() -> None:
    delays = {wire.name: 2 * wire.one_way_delay for wire in Lab().wires}
    assert delays["ams-weu1"] == timedelta(milliseconds=8)
    assert delays["ams-eus2"] == timedelta(milliseconds=80)
    assert delays["nyc-weu1"] == timedelta(milliseconds=80)
    assert delays["nyc-eus2"] == timedelta(milliseconds=12)
    assert delays["nyc-weuv"] > delays["nyc-weu1"]


def test_two_labs_share_addresses_and_no_name() -> None:
    one, other = Lab("one"), Lab("other", 1)
    assert one.nodes == other.nodes
    spaces = [{lab.namespace(node.name) for node in lab.nodes} for lab in (one, other)]
    assert spaces[0].isdisjoint(spaces[1])
    assert one.folder != other.folder
    assert one.wires[0].namespace != other.wires[0].namespace


def test_no_labs_name_is_the_beginning_of_anothers_namespaces() -> None:
    assert not Lab("lab2").namespace("wire").startswith(Lab("lab").prefix)


@pytest.mark.parametrize("name", ["", "my-lab", "2lab", "../lab", "a" * 13, "läb"])
def test_a_name_that_would_not_do_for_a_namespace_is_refused_with_what_would(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 12 letters and digits"):
        Lab(name)


def test_azure_timers_are_the_documented_ones() -> None:
    assert (Timers.AZURE.keepalive, Timers.AZURE.hold) == (60, 180)
    assert (Timers.LAB.keepalive, Timers.LAB.hold) == (3, 9)


def test_clients_dial_an_address_inside_each_service() -> None:
    assert all(service.address in service.prefix for service in SERVICES)
