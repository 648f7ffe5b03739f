"""What routers' habits must not make of the network: findings, or the lack of them."""

from dataclasses import replace

from anycast.change import Presence
from anycast.observation import Rib, StatsReported
from tests.analyzers.network import WEB, Network, nva_source

NVA = nva_source("weu-nva1")
POST = replace(NVA, rib=Rib.ADJ_IN_POST)


def mirrored() -> Network:
    """Return the healthy network, in which one NVA's routes are exported behind the policy, too."""
    network = Network()
    for (source, prefix), attributes in tuple(network.table.items()):
        if source == NVA:
            network.announce(POST, prefix, attributes)
    network.wait(10)
    return network


def test_routes_of_two_views_of_one_session_are_counted_once() -> None:
    network, both = Network(), mirrored()
    assert both.wrong() == network.wrong() == set()
    for seen in (network, both):
        seen.withdraw(NVA, WEB)
        seen.wait(10)
    assert both.wrong() == network.wrong() != set()
    assert both.view.presence(NVA, WEB) is Presence.ABSENT


def test_what_goes_from_a_view_that_no_vantage_names_is_no_fault() -> None:
    network = mirrored()
    network.withdraw(POST, WEB)
    network.wait(10)
    assert network.wrong() == set()
    assert network.view.presence(NVA, WEB) is Presence.PRESENT


def test_statistics_of_withdrawals_that_gobgp_counts_elsewhere_are_no_fault() -> None:
    """RFC 7854, 4.8, means treat-as-withdraw by 11 and 12; GoBGP counts what was withdrawn."""
    network = Network()
    network.see(StatsReported(network.now, NVA.session, ((11, 0, 0, 70_000), (12, 0, 0, 70_000))))
    network.wait(10)
    assert network.wrong() == set()
