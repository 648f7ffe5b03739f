"""A first intent from what is seen: complete but for names."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from anycast.intent import Intent, Role, Rung
from anycast.observation import Rib
from anycast.plain import to_plain
from anycast.route import community_text
from pipeline.config import Problem
from pipeline.config.learn import learn
from pipeline.config.load import read
from pipeline.config.seen import Seen, SeenExporter, SeenSession, seen_from_plain
from tests.pipeline.config import sight


def learned(seen: Seen) -> tuple[Intent, tuple[Problem, ...]]:
    config, problems = read(learn(seen).encode(), Path("learned.yaml"))
    assert config is not None, problems
    return config.intent, problems


@pytest.fixture(scope="module")
def intent() -> Intent:
    found, problems = learned(sight.healthy())
    assert problems == ()
    return found


def test_what_is_learned_of_a_healthy_network_has_neither_errors_nor_lints() -> None:
    assert learned(sight.healthy())[1] == ()
    assert learned(sight.healthy(named=True))[1] == ()


def test_instances_and_nvas_are_grouped_into_regions(intent: Intent) -> None:
    shown = {
        region.name: (
            [str(instance.address) for instance in region.instances],
            [(str(nva.address), nva.asn) for nva in region.nvas],
        )
        for region in intent.regions
    }
    assert shown == {
        "region-1": (["10.10.255.4", "10.10.255.5"], [("10.10.1.4", 65010), ("10.10.1.5", 65010)]),
        "region-2": (["10.20.255.4", "10.20.255.5"], [("10.20.1.4", 65020), ("10.20.1.5", 65020)]),
    }


def test_services_have_roles_prepends_and_communities(intent: Intent) -> None:
    assert [str(service.prefixes[0]) for service in intent.services] == list(sight.SERVICES)
    web, dns, _ = intent.services
    assert [(each.region, each.role, each.prepend) for each in dns.placements] == [
        ("region-1", Role.ACTIVE, 0),
        ("region-2", Role.BACKUP, 3),
    ]
    # 65517:65517 is Route Server's own and not on the route at the NVA.
    assert [[community_text(each) for each in placement.communities] for placement in web.placements] == [
        ["65010:100"],
        ["65020:100"],
    ]


def test_regions_are_recognised_by_community_and_where_paths_survive_by_path(intent: Intent) -> None:
    marks = {region.name: region.recognition for region in intent.regions}
    assert [community_text(each) for each in marks["region-1"].communities] == ["12076:51002"]
    assert [community_text(each) for each in marks["region-2"].communities] == ["12076:51004"]
    assert marks["region-1"].as_path == "(^| )65010$"


def test_sites_have_tiers_and_the_local_pref_of_a_policy(intent: Intent) -> None:
    first, second = intent.sites
    assert first.tiers == (("region-1",), ("region-2",))
    assert first.local_pref == {"region-1": 200}
    assert second.tiers == (("region-1", "region-2"),)
    assert second.local_pref == {}
    assert intent.services[1].tiers == {"site-2": (("region-1",), ("region-2",))}
    assert intent.services[0].tiers == {}


def test_a_feed_and_the_session_with_the_collector_are_one_router(intent: Intent) -> None:
    assert [(router.name, str(router.address)) for site in intent.sites for router in site.routers] == [
        ("edge-1", "10.90.0.1"),
        ("edge-2", "10.91.0.1"),
    ]
    assert [(exporter.name, exporter.site) for exporter in intent.exporters] == [
        ("gobgp", None), ("edge-1", "site-1"), ("edge-2", "site-2"),
    ]  # fmt: skip


def test_sessions_from_azure_expect_their_region(intent: Intent) -> None:
    expects = {vantage.name: vantage.expects for vantage in intent.vantages if vantage.expects}
    assert expects == {
        **{f"edge-{edge}-msee{number}": ("region-1",) for edge in (1, 2) for number in (1, 2)},
        **{f"edge-{edge}-msee{number}": ("region-2",) for edge in (1, 2) for number in (3, 4)},
        "edge-2-vpn1": ("region-1",),
        "edge-2-vpn2": ("region-2",),
    }


def test_every_session_has_its_rung_and_the_hold_time_that_was_agreed_on(intent: Intent) -> None:
    seen = sight.healthy()
    names = {exporter.addresses[0].network_address: exporter.name for exporter in intent.exporters}
    for exporter in seen.exporters:
        for session in exporter.sessions:
            found = [
                vantage for vantage in intent.vantages
                if vantage.exporter == names[exporter.address] and vantage.peer in (session.peer, None)
            ]  # fmt: skip
            assert found, session.peer
            assert found[0].hold_time == 9


def test_the_address_plan_is_what_route_servers_hold_beside_services(intent: Intent) -> None:
    assert [str(planned.prefix) for planned in intent.plan] == [
        "10.10.0.0/16", "10.20.0.0/16", "10.90.1.0/24", "10.91.1.0/24",
    ]  # fmt: skip


def test_routers_keep_names_of_their_own() -> None:
    found, _ = learned(sight.healthy(named=True))
    assert [exporter.name for exporter in found.exporters] == ["gobgp", "ams-ce1", "nyc-ce1"]


@pytest.mark.parametrize("name", ["null", "on", "8", "a b", "a: b", "é", "x" * 80, "region-1", "gobgp"])
def test_a_name_that_a_file_cannot_hold_is_replaced(name: str) -> None:
    exporters = sight.healthy().exporters
    seen = Seen((*exporters[:2], replace(exporters[2], name=name)))
    assert learned(seen)[1] == ()


def test_the_order_of_arrival_does_not_matter() -> None:
    seen, chance = sight.healthy(), Random(7)
    shuffled = Seen(tuple(_shuffled(each, chance) for each in chance.sample(seen.exporters, len(seen.exporters))))
    assert shuffled != seen
    assert learn(shuffled) == learn(seen)


def _shuffled(exporter: SeenExporter, chance: Random) -> SeenExporter:
    sessions = [replace(each, routes=tuple(chance.sample(each.routes, len(each.routes)))) for each in exporter.sessions]
    chance.shuffle(sessions)
    return replace(exporter, sessions=tuple(sessions))


def test_facts_survive_the_way_over_json() -> None:
    seen = sight.healthy(named=True)
    assert seen_from_plain(json.loads(json.dumps(to_plain(seen)))) == seen


def test_routers_and_people_find_the_daemon_where_they_did(tmp_path: Path) -> None:
    seen = replace(sight.healthy(), listen={"bmp": "0.0.0.0:11019", "http": "[::1]:8513"})
    config, problems = read(learn(seen).encode(), tmp_path / "learned.yaml")
    assert config is not None, problems
    assert (str(config.listen.bmp), str(config.listen.http)) == ("0.0.0.0:11019", "[::1]:8513")
    assert "listen:" not in learn(sight.healthy())


def test_without_openings_peers_are_told_apart_by_their_paths() -> None:
    def silent(each: SeenSession) -> SeenSession:
        return replace(each, local=None, remote=None)

    gobgp = sight.gobgp()
    peers = tuple(map(silent, gobgp.sessions[:8])) + gobgp.sessions[8:]
    found, _ = learned(Seen((replace(gobgp, sessions=peers),)))
    assert [len(region.nvas) for region in found.regions] == [2, 2]


def test_a_session_that_is_timed_otherwise_is_written_down() -> None:
    gobgp = sight.gobgp()
    slow = replace(gobgp.sessions[0], local=sight.opened(65099, sight.COLLECTOR, 180))
    slow = replace(slow, remote=sight.opened(65010, "10.10.1.4", 90))
    seen = Seen((replace(gobgp, sessions=(slow, *gobgp.sessions[1:])), *sight.healthy().exporters[1:]))
    found, problems = learned(seen)
    times = {vantage.name: vantage.hold_time for vantage in found.vantages if vantage.rung is Rung.V1}
    assert times["gobgp/region-1-nva1"] == 90
    assert times["gobgp/region-1-nva2"] == 9
    assert problems == ()


def test_without_regional_communities_what_nvas_set_recognises() -> None:
    found, _ = learned(sight.without_communities(sight.healthy(), regional_only=True))
    marks = [[community_text(each) for each in region.recognition.communities] for region in found.regions]
    assert marks == [["65010:100"], ["65020:100"]]
    assert found.sites[0].tiers == (("region-1",), ("region-2",))


def test_without_any_mark_nothing_is_guessed() -> None:
    """The opposite of the healthy case: stripped paths and no communities leave the first site's landing open."""
    text = learn(sight.without_communities(sight.healthy()))
    found, _ = learned(sight.without_communities(sight.healthy()))
    assert found.sites[0].tiers == ()
    assert "# ? tiers" in text
    assert [region.recognition.communities for region in found.regions] == [(), ()]


def test_two_regional_communities_without_evidence_are_named_and_given_to_nobody() -> None:
    text = learn(sight.without_communities(sight.healthy(), but=("12076:51002", "12076:51004")))
    assert "# ? heard, but not whose: 12076:51002, 12076:51004" in text
    assert "recognise: {communities" not in text.replace("# ? recognise", "")


def test_a_default_route_and_a_nested_prefix_are_left_out_and_said() -> None:
    gobgp = sight.gobgp()
    more = (sight.route("0.0.0.0/0", (65010,), "10.10.1.4"), sight.route("10.250.8.0/25", (65010,), "10.10.1.4"))
    loud = replace(gobgp.sessions[0], routes=gobgp.sessions[0].routes + more)
    seen = Seen((replace(gobgp, sessions=(loud, *gobgp.sessions[1:])), *sight.healthy().exporters[1:]))
    text = learn(seen)
    assert "# ? left out: 0.0.0.0/0, the default route" in text
    assert "# ? left out: 10.250.8.0/25, inside 10.250.8.0/24" in text
    assert [str(service.prefixes[0]) for service in learned(seen)[0].services] == list(sight.SERVICES)


def test_an_nva_that_does_not_advertise_a_prefix_is_not_meant_to() -> None:
    gobgp = sight.gobgp()
    quiet = replace(gobgp.sessions[5], routes=gobgp.sessions[5].routes[1:])
    seen = Seen((replace(gobgp, sessions=(*gobgp.sessions[:5], quiet, *gobgp.sessions[6:])),))
    web = learned(seen)[0].services[0]
    assert [placement.nvas for placement in web.placements] == [
        ("region-1-nva1", "region-1-nva2"),
        ("region-2-nva1",),
    ]


def test_two_views_of_a_session_are_one_session() -> None:
    ams = sight.ams_edge("")
    both = [each for session in ams.sessions for each in (replace(session, rib=Rib.ADJ_IN_POST, routes=()), session)]
    exporters = sight.healthy().exporters
    assert learn(Seen((exporters[0], replace(ams, sessions=tuple(both)), exporters[2]))) == learn(sight.healthy())


def test_a_router_that_sends_only_the_post_policy_view_is_read_in_that() -> None:
    ams = sight.ams_edge("")
    after = tuple(replace(session, rib=Rib.ADJ_IN_POST) for session in ams.sessions)
    found, problems = learned(Seen((sight.healthy().exporters[0], replace(ams, sessions=after))))
    # Without the second site's VPN nobody sees the prepend, and the lint is right.
    assert [problem.key for problem in problems] == ["services.service-2.regions.region-2.prepend"]
    assert {vantage.rib for vantage in found.vantages if vantage.expects} == {Rib.ADJ_IN_POST}


def test_a_vnet_range_tells_whose_community_it_is_where_nvas_set_none() -> None:
    ams = sight.ams_edge("")

    def with_vnet(number: int, session: SeenSession) -> SeenSession:
        vnet, community = (("10.10.0.0/16", "12076:51002"), ("10.20.0.0/16", "12076:51004"))[number // 2]
        return replace(session, routes=(*session.routes, sight.route(vnet, (12076,), "172.16.0.1", community)))

    sessions = tuple(with_vnet(number, session) for number, session in enumerate(ams.sessions[:4]))
    seen = Seen((sight.gobgp(), replace(ams, sessions=sessions)))
    found, _ = learned(sight.without_communities(seen, but=("12076:51002", "12076:51004")))
    marks = [[community_text(each) for each in region.recognition.communities] for region in found.regions]
    assert marks == [["12076:51002"], ["12076:51004"]]


def test_the_rest_of_a_full_table_costs_little() -> None:
    ams = sight.ams_edge("")
    world = tuple(
        sight.route(f"{one}.{two}.0.0/16", (12076, 3356), "172.16.0.1", "12076:51002")
        for one in range(60, 140)
        for two in range(256)
    )
    full = (replace(ams.sessions[0], routes=ams.sessions[0].routes + world), *ams.sessions[1:])
    exporters = sight.healthy().exporters
    assert learn(Seen((exporters[0], replace(ams, sessions=full), exporters[2]))) == learn(sight.healthy())


def test_a_session_that_is_down_teaches_nothing() -> None:
    gobgp = sight.gobgp()
    down = replace(gobgp.sessions[0], up=False)
    found, _ = learned(Seen((replace(gobgp, sessions=(down, *gobgp.sessions[1:])),)))
    assert [len(region.nvas) for region in found.regions] == [1, 2]


@pytest.mark.parametrize(
    "seen",
    [Seen(), Seen(sight.healthy().exporters[1:]), Seen(sight.healthy().exporters[:1])],
    ids=["nothing", "edges alone", "collector alone"],
)
def test_little_seen_still_makes_a_file_that_check_takes(seen: Seen) -> None:
    config, problems = read(learn(seen).encode(), Path("learned.yaml"))
    assert config is not None, problems


def test_one_as_for_all_nvas_still_tells_regions_apart() -> None:
    same = sight.Azure(20, 65010, "12076:51004", 0)
    peers = (
        sight.nva(sight.WEU, 4), sight.nva(same, 4), sight.instance(sight.WEU, 4), sight.instance(sight.WEU, 5),
        sight.instance(same, 4), sight.instance(same, 5),
    )  # fmt: skip
    found, _ = learned(Seen((SeenExporter(sight.gobgp().address, "", None, peers),)))
    assert [[str(nva.address) for nva in region.nvas] for region in found.regions] == [["10.10.1.4"], ["10.20.1.4"]]


def test_ipv6_is_written_so_that_it_can_be_read() -> None:
    v6 = sight.Azure(10, 65010, "12076:51002", 0)
    nva = sight.nva(v6, 4)
    routed = replace(nva, routes=(sight.route("fd00:250::10/128", (65010,), "fd00::4"),))
    peers = (routed, sight.instance(v6, 4), sight.instance(v6, 5))
    found, _ = learned(Seen((SeenExporter(sight.gobgp().address, "", None, peers),)))
    assert [str(service.prefixes[0]) for service in found.services] == ["fd00:250::10/128"]


def test_where_nothing_else_tells_regions_apart_next_hops_do() -> None:
    """Paths and communities are stripped, but each region has a service of its own."""
    gobgp, ams = sight.gobgp(), sight.ams_edge("")
    own = {10: sight.WEB, 20: sight.DNS}

    def only(session: SeenSession, prefix: str) -> SeenSession:
        return replace(session, routes=tuple(route for route in session.routes if str(route.prefix) == prefix))

    peers = tuple(only(each, own[int(str(each.peer).split(".")[1])]) for each in gobgp.sessions[:8])
    heard = tuple(only(each, own[10 if number < 2 else 20]) for number, each in enumerate(ams.sessions[:4]))
    seen = sight.without_communities(Seen((replace(gobgp, sessions=peers), replace(ams, sessions=heard))))
    found, _ = learned(seen)
    hops = [[str(hop) for hop in region.recognition.next_hops] for region in found.regions]
    assert hops == [["172.16.0.1/32", "172.16.1.1/32"], ["172.16.2.1/32", "172.16.3.1/32"]]


def test_nvas_without_a_route_server_are_a_region_that_says_so() -> None:
    gobgp = sight.gobgp()
    seen = Seen((replace(gobgp, sessions=(*gobgp.sessions[:2], *gobgp.sessions[4:6]), collector=True),))
    found, problems = learned(seen)
    assert [[nva.asn for nva in region.nvas] for region in found.regions] == [[65010, 65010], [65020, 65020]]
    assert {problem.message.split(",")[0] for problem in problems} == {"has no Route Server instance"}


def test_a_peer_that_is_nothing_known_is_named() -> None:
    gobgp = sight.gobgp()
    stranger = sight.session("10.10.7.7", sight.opened(65099, sight.COLLECTOR), sight.opened(64777, "10.10.7.7"))
    text = learn(Seen((replace(gobgp, sessions=(*gobgp.sessions, stranger)),)))
    assert "# ? the collector peers with 10.10.7.7 (AS 64777), which is nothing known" in text
