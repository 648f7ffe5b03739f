"""The daemons' configurations: what they say, and that the real programs take them."""

import subprocess
from pathlib import Path

import pytest

from lab.daemons import bird, frr, gobgp, haproxy, nft
from lab.topology import Lab, Node, Role, Timers
from lab.truth import BIRDS
from tests import needs

LAB = Lab("check")


def node(name: str) -> Node:
    return LAB.by_name[name]


@pytest.mark.parametrize("each", LAB.of(*BIRDS), ids=lambda each: each.name)
@pytest.mark.parametrize("timers", Timers)
def test_bird_takes_every_configuration(each: Node, timers: Timers, tmp_path: Path) -> None:
    path = tmp_path / "bird.conf"
    path.write_text(bird.config(LAB, each, timers))
    done = subprocess.run([needs.tool("bird", "bird2"), "-p", "-c", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_bird_refuses_a_broken_one(tmp_path: Path) -> None:
    path = tmp_path / "bird.conf"
    path.write_text(bird.config(LAB, node("weu-nva1"), Timers.LAB).replace("router id", "rooter id"))
    done = subprocess.run([needs.tool("bird", "bird2"), "-p", "-c", path], capture_output=True, text=True, check=False)
    assert done.returncode != 0


@pytest.mark.parametrize("timers", Timers)
def test_gobgp_takes_the_collectors_configuration(timers: Timers, tmp_path: Path) -> None:
    path = tmp_path / "gobgpd.toml"
    path.write_text(gobgp.config(LAB, timers))
    done = subprocess.run([needs.tool("gobgpd"), "-d", "-f", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_haproxy_takes_the_configuration_of_a_proxy(tmp_path: Path) -> None:
    path = tmp_path / "haproxy.cfg"
    path.write_text(haproxy.config(LAB, node("weu-nva1")))
    done = subprocess.run([needs.tool("haproxy"), "-c", "-f", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("each", LAB.of(Role.EDGE), ids=lambda each: each.name)
def test_frr_takes_the_configuration_of_every_edge(each: Node, tmp_path: Path) -> None:
    path = tmp_path / "bgpd.conf"
    path.write_text(frr.config(LAB, each, Timers.LAB))
    argv = [needs.tool("vtysh", "frr"), "-C", "-f", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_the_collector_is_told_twice_to_export_nothing() -> None:
    said = gobgp.config(LAB, Timers.LAB)
    assert 'default-export-policy = "reject-route"' in said
    assert 'export-policy-list = ["advertise-nothing"]' in said
    assert "add-paths" not in said


def test_the_backups_prepend_is_in_its_filter_until_it_is_dropped() -> None:
    whole = bird.config(LAB, node("eus-nva1"), Timers.LAB)
    assert whole.count("bgp_path.prepend(65020)") == 3
    assert "prepend" not in bird.config(LAB, node("eus-nva1"), Timers.LAB, dropped_prepends=["dns"])
    assert "prepend" not in bird.config(LAB, node("weu-nva1"), Timers.LAB)


def test_an_msee_strips_private_as_numbers_and_tags_its_region() -> None:
    said = bird.config(LAB, node("eus-msee1"), Timers.LAB)
    assert "bgp_path.delete([ 64512..65534" in said
    assert "bgp_community.add((12076, 51004))" in said


def test_the_rogue_router_announces_nothing_to_begin_with() -> None:
    said = bird.config(LAB, node("nyc-rogue"), Timers.LAB)
    assert said.count("protocol static") == said.count("{ disabled;") == len(bird.ROGUE_ROUTES)


def test_only_a_site_that_prefers_regions_sets_local_pref_by_community() -> None:
    assert "set local-preference 200" in frr.config(LAB, node("ams-ce1"), Timers.LAB)
    nyc = frr.config(LAB, node("nyc-ce1"), Timers.LAB)
    assert "match community" not in nyc
    assert "set local-preference 300" in nyc


def test_a_proxy_translates_udp_only_and_dnat_keeps_the_clients_address() -> None:
    proxy, dnat = nft.ruleset(LAB, node("weu-nva1")), nft.ruleset(LAB, node("eus-nva1"))
    assert "tcp dport" not in proxy
    assert "snat to" in proxy
    assert "tcp dport 80 dnat to 10.20.2.4:8080" in dnat
    assert "snat to" not in dnat


@pytest.mark.parametrize("timers", Timers)
def test_timers_are_the_ones_asked_for_in_every_daemon(timers: Timers) -> None:
    assert f"hold time {timers.hold}; keepalive time {timers.keepalive};" in bird.config(LAB, node("weu-rs0"), timers)
    assert f" timers bgp {timers.keepalive} {timers.hold}\n" in frr.config(LAB, node("ams-ce1"), timers)
    assert f"hold-time = {timers.hold}\n" in gobgp.config(LAB, timers)
