"""The whole lab: up, looked at from every side, broken a little, and down without a trace."""

import collections
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab import app, faults, lifecycle, processes, space, state, truth
from lab.daemons import bird, frr, gobgp
from lab.topology import HTTP_PORT, ID_PORT, SERVICES, Lab, Role, Timers, service
from tests import needs

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

SOCKETS = Path("/var/run/frr")
WEU = {"ams": {"172.16.0.1", "172.16.1.1"}, "nyc": {"172.16.10.1", "172.16.11.1"}}
EUS = {"ams": {"172.16.2.1", "172.16.3.1"}, "nyc": {"172.16.12.1", "172.16.13.1"}}


def tools() -> None:
    needs.root()
    for program, package in (("bird", "bird2"), ("bgpd", "frr"), ("gobgpd", "gobgpd"), ("haproxy", "haproxy")):
        needs.tool(program, package)
    needs.tool("nft", "nftables")


def eventually(true: Callable[[], bool], within: float) -> float:
    """Wait until something is so and return how long that took; fail after `within` seconds."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within, f"not so within {within:g} s"
        time.sleep(0.05)
    return time.monotonic() - began


def ask(lab: Lab, site: str, name: str, timeout: float = 3) -> dict[str, str]:
    """Ask a service who answers, from a site's client: the body, with the header that names the NVA."""

    def get() -> dict[str, str]:
        client = http.client.HTTPConnection(str(service(name).address), HTTP_PORT, timeout=timeout)
        try:
            client.request("GET", "/.well-known/anycast-id")
            answer = client.getresponse()
            body: dict[str, str] = json.loads(answer.read())
            return {**body, "header": answer.headers["X-Anycast-NVA"]}
        finally:
            client.close()

    return space.inside(lab.namespace(f"{site}-client"), get)


def traces(lab: Lab) -> dict[str, object]:
    """Everything that a lab could leave behind on the machine."""
    return {
        "namespaces": space.named(lab.prefix),
        "processes": processes.strays(lab),
        "folder": lab.folder.exists(),
        "frr": sorted(entry.name for entry in SOCKETS.iterdir()) if SOCKETS.is_dir() else [],
        "mounts": [line for line in Path("/proc/mounts").read_text().splitlines() if f"/{lab.prefix}" in line],
    }


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab that is up; what runs on it leaves it healthy."""
    tools()
    made = Lab(f"up{os.getpid()}", state=Path("/run/catchment-lab-tests"))
    lifecycle.up(made)
    yield made
    lifecycle.down(made)


def test_up_ends_with_every_process_running_and_every_session_established(lab: Lab) -> None:
    now = lifecycle.status(lab)
    assert now.healthy
    assert len(now.sessions) == 43
    assert now.timers is Timers.LAB


def test_a_second_up_is_refused_and_leaves_the_first_alone(lab: Lab) -> None:
    with pytest.raises(RuntimeError, match="is up already"):
        lifecycle.up(lab)
    assert lifecycle.status(lab).healthy


def test_ams_forwards_to_the_preferred_region_over_both_msees_and_nyc_to_both_regions(lab: Lab) -> None:
    web = str(service("web").prefix)
    assert set(truth.fib(lab, "ams-ce1", web)) == WEU["ams"]
    assert set(truth.fib(lab, "nyc-ce1", web)) == WEU["nyc"] | EUS["nyc"]


def test_nyc_reaches_dns_over_the_vpn_of_the_region_without_prepends(lab: Lab) -> None:
    assert truth.fib(lab, "nyc-ce1", str(service("dns").prefix)) == ("172.17.10.1",)
    paths = {row.peer: row.as_path for row in truth.adj_in_of_edge(lab, "nyc-ce1") if row.prefix == "10.250.0.53/32"}
    assert paths["172.17.10.1"] == (65515, 65010)
    assert paths["172.17.11.1"] == (65515, 65020, 65020, 65020, 65020)


def test_expressroute_shows_its_own_as_and_the_regional_community_only(lab: Lab) -> None:
    heard = [row for row in truth.adj_in_of_edge(lab, "ams-ce1") if row.prefix == "10.250.0.53/32"]
    assert {row.as_path for row in heard} == {(12076,)}
    regions = {row.peer: row.communities[0] for row in heard}
    assert regions == {**dict.fromkeys(WEU["ams"], "12076:51002"), **dict.fromkeys(EUS["ams"], "12076:51004")}


def test_local_pref_by_region_reaches_the_collector_over_ibgp(lab: Lab) -> None:
    chosen = {
        row.peer: row.local_pref
        for row in truth.adj_in_of_collector(lab)
        if row.prefix == "10.250.0.10/32" and row.peer in ("10.90.0.1", "10.91.0.1")
    }
    assert chosen == {"10.90.0.1": 200, "10.91.0.1": 100}


def test_the_collector_hears_what_each_route_server_instance_holds(lab: Lab) -> None:
    for node in lab.of(Role.ROUTE_SERVER):
        held = {row.prefix: row for row in truth.table_of_bird(lab, node.name) if row.best}
        heard = {row.prefix: row for row in truth.adj_in_of_collector(lab) if row.peer == str(node.address)}
        vnet = {"10.10.0.0/16", "10.20.0.0/16"}
        assert heard.keys() - vnet == held.keys()
        for prefix, row in held.items():
            assert heard[prefix].as_path == (65515, *row.as_path)
            assert heard[prefix].next_hop == str(node.address)
            assert set(row.communities) <= set(heard[prefix].communities)


def test_gateways_get_every_path_with_the_nvas_next_hop_and_forward_over_both(lab: Lab) -> None:
    rows = [row for row in truth.table_of_bird(lab, "weu-gw") if row.prefix == "10.250.0.10/32"]
    assert {(row.peer, row.next_hop) for row in rows} == {
        (instance, nva) for instance in ("10.10.255.4", "10.10.255.5") for nva in ("10.10.1.4", "10.10.1.5")
    }
    assert truth.fib(lab, "weu-gw", "10.250.0.10/32") == ("10.10.1.4", "10.10.1.5")


def test_the_collector_advertises_nothing_to_anybody(lab: Lab) -> None:
    assert len(truth.adj_in_of_collector(lab)) > 50
    for session in lab.sessions_of(gobgp.NODE):
        sent = gobgp.ask(lab, "neighbor", str(session.listener.address), "adj-out")
        assert not sent, session


CANARY = "192.0.2.0/24"


def heard_the_canary(lab: Lab) -> list[str]:
    rows = [row for node in lab.of(*truth.BIRDS) for row in truth.table_of_bird(lab, node.name)]
    rows += [row for node in lab.of(Role.EDGE) for row in truth.table_of_edge(lab, node.name)]
    return sorted(row.router for row in rows if row.prefix == CANARY and row.peer == "10.99.0.10")


def test_a_route_in_the_collectors_own_table_reaches_nobody_unless_the_policy_is_taken_off(lab: Lab) -> None:
    def say(*words: str) -> None:
        space.run(lab.namespace(gobgp.NODE), ["gobgp", *words])

    peers = sorted(session.listener.node for session in lab.sessions_of(gobgp.NODE))
    say("global", "rib", "add", CANARY)
    try:
        say("neighbor", "all", "softresetout")
        time.sleep(1)
        assert heard_the_canary(lab) == []
        say("global", "policy", "export", "set", "default", "accept")
        say("neighbor", "all", "softresetout")
        eventually(lambda: heard_the_canary(lab) == peers, within=5)
    finally:
        # A soft reset takes back nothing that the policy forbids now; a new gobgpd has never said it.
        running = processes.find(lab, gobgp.NODE, "gobgpd")
        assert running is not None
        processes.stop([running])
        gobgp.start(lab)
    eventually(lambda: not lifecycle.lacking(lab), within=20)
    assert heard_the_canary(lab) == []


def test_each_client_is_answered_by_the_region_that_bgp_says(lab: Lab) -> None:
    assert {ask(lab, "ams", each.name)["region"] for each in SERVICES for _ in range(3)} == {"weu"}
    assert ask(lab, "nyc", "dns")["region"] == "weu"


def test_forty_connections_from_nyc_land_on_both_regions_and_all_four_nvas(lab: Lab) -> None:
    answers = [ask(lab, "nyc", "web") for _ in range(40)]
    assert {answer["region"] for answer in answers} == {"weu", "eus"}
    counted = collections.Counter(answer["nva"] for answer in answers)
    assert len(counted) == 4, counted
    assert all(answer["nva"] == answer["header"] for answer in answers)


def test_round_trips_are_those_of_the_wires(lab: Lab) -> None:
    def connect(site: str) -> float:
        began = time.monotonic()
        client = http.client.HTTPConnection(str(service("dns").address), HTTP_PORT, timeout=3)
        space.inside(lab.namespace(f"{site}-client"), client.connect)
        client.close()
        return time.monotonic() - began

    assert 0.008 <= min(connect("ams") for _ in range(5)) < 0.02
    # There over the VPN (42 ms), back over ExpressRoute (40 ms).
    assert 0.082 <= min(connect("nyc") for _ in range(5)) < 0.1


def test_the_status_says_how_late_the_delay_line_is_and_a_late_one_makes_times_void(lab: Lab) -> None:
    now = lifecycle.status(lab)
    assert now.lateness is not None
    assert now.lateness.frames > 0
    late = replace(now, lateness=replace(now.lateness, p99_us=1_500))
    assert "1500 us" in str(late.void)
    assert "does not report" in str(replace(now, lateness=None).void)


def test_offloads_are_off_where_the_delay_line_reads(lab: Lab) -> None:
    report = json.loads((lab.node_folder("wire") / "lateness.json").read_text())
    assert report["frames"] > 0
    assert report["unfinished"] == 0


def test_bmp_is_dialled_by_both_edges_and_by_gobgp(lab: Lab) -> None:
    seen: set[str] = set()
    with lifecycle.bmp_listener(lab) as listener:
        listener.settimeout(5)
        while seen != {"10.90.0.1", "10.91.0.1", "10.99.0.10"}:
            connection, (peer, _) = listener.accept()
            with connection:
                connection.settimeout(5)
                version, kind = connection.recv(6)[0::5]
                assert (version, kind) == (3, 4), "every stream begins with an Initiation"
            seen.add(peer)


def test_flows_outlive_both_route_server_instances_until_the_hold_time(lab: Lab) -> None:
    """The data path never crosses them."""
    frozen = [processes.find(lab, node.name, "bird") for node in lab.of(Role.ROUTE_SERVER, place="weu")]
    web = str(service("web").prefix)
    began = time.monotonic()
    for process in frozen:
        assert process is not None
        processes.send(process, signal.SIGSTOP)
    try:
        while time.monotonic() - began < 5:  # the hold time is 9 s, and the last KEEPALIVE at most 3 s old
            assert ask(lab, "ams", "web")["region"] == "weu"
        took = 5 + eventually(lambda: set(truth.fib(lab, "ams-ce1", web)) == EUS["ams"], within=8)
        assert took < 11
        assert ask(lab, "ams", "web")["region"] == "eus"
    finally:
        for process in frozen:
            assert process is not None
            processes.send(process, signal.SIGCONT)
    eventually(lambda: not lifecycle.lacking(lab), within=30)
    eventually(lambda: set(truth.fib(lab, "ams-ce1", web)) == WEU["ams"], within=5)


def test_an_application_that_dies_takes_its_nvas_routes_with_it(lab: Lab) -> None:
    app = processes.find(lab, "weu-app1", "app")
    assert app is not None

    def announced() -> bool:
        return "10.10.1.4" in truth.heard_by_collector(lab, "10.250.0.10/32")

    assert announced()
    processes.send(app, signal.SIGSTOP)
    try:
        eventually(lambda: not announced(), within=8)
        assert ask(lab, "ams", "web")["nva"] == "weu-nva2"
        assert all(each.established for each in truth.sessions(lab)), "the sessions stay up: only the routes go"
    finally:
        processes.send(app, signal.SIGCONT)
    eventually(announced, within=8)


def test_the_nvas_way_back_does_not_die_with_its_bgp_daemon(lab: Lab) -> None:
    assert "10.90.0.0/15 via 10.10.0.4" in space.run(lab.namespace("weu-nva1"), ["ip", "route"]).stdout
    assert "proto bird" not in space.run(lab.namespace("weu-nva1"), ["ip", "route"]).stdout


def test_edges_have_no_kernel_nexthop_groups(lab: Lab) -> None:
    assert space.run(lab.namespace("nyc-ce1"), ["ip", "nexthop"]).stdout == ""
    assert "no zebra nexthop kernel enable" in frr.ask(lab, "nyc-ce1", "show running-config")


def test_route_server_drops_a_path_that_holds_its_own_as(lab: Lab) -> None:
    def paths() -> set[str]:
        return {row.peer for row in truth.table_of_bird(lab, "eus-rs0") if row.prefix == "10.250.0.10/32"}

    node = lab.by_name["eus-nva2"]
    written = bird.write(lab, node, Timers.LAB)
    whole = written.read_text()
    assert paths() == {"10.20.1.4", "10.20.1.5"}
    try:
        written.write_text(whole.replace("  accept;\n}", "  bgp_path.prepend(65515);\n  accept;\n}", 1))
        bird.ask(lab, node.name, "configure")
        eventually(lambda: paths() == {"10.20.1.4"}, within=5)
    finally:
        written.write_text(whole)
        bird.ask(lab, node.name, "configure")
    eventually(lambda: paths() == {"10.20.1.4", "10.20.1.5"}, within=5)


def test_udp_is_answered_by_region_and_nva_too(lab: Lab) -> None:
    def who() -> app.Identity | None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(2)
            asker.sendto(app.request(b"8 octets", 1, time.time_ns()), ("10.250.8.77", ID_PORT))
            return app.identity_of(asker.recv(2048))

    answers = [space.inside(lab.namespace("nyc-client"), who) for _ in range(30)]
    assert {answer.region for answer in answers if answer} == {"weu", "eus"}
    assert len({answer.nva for answer in answers if answer}) == 4


def hold_times(lab: Lab) -> set[int]:
    """What the collector's sessions agreed on."""
    return {peer["timers"]["state"]["negotiated_hold_time"] for peer in gobgp.ask(lab, "neighbor")}


def test_two_labs_run_side_by_side_and_down_takes_one_only(lab: Lab) -> None:
    other = Lab(f"two{os.getpid()}", 1, state=lab.state)
    before = traces(other)
    try:
        made = lifecycle.up(other, Timers.AZURE)
        assert made.sessions == 43
        assert hold_times(lab) == {9}
        assert hold_times(other) == {180}
        assert lifecycle.status(lab).healthy
        assert ask(other, "ams", "web")["region"] == "weu"
    finally:
        gone = lifecycle.down(other)
    assert gone.namespaces == len(other.nodes)
    assert traces(other) == before
    assert lifecycle.status(lab).healthy


def test_down_of_a_lab_that_is_not_there_is_no_error() -> None:
    assert lifecycle.down(Lab("nowhere")) == lifecycle.Down(0, 0)
    assert not lifecycle.status(Lab("nowhere")).up


UP = "import sys; from pathlib import Path; from lab import lifecycle; from lab.topology import Lab; " + (
    "lifecycle.up(Lab(sys.argv[1], state=Path(sys.argv[2])), progress=lambda said: print(said, flush=True))"
)

DOWN = UP.replace("lifecycle.up(", "lifecycle.down(").replace(", progress=lambda said: print(said, flush=True)", "")


def test_up_names_the_daemon_that_died_and_its_last_words_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tools()
    made = Lab(f"dead{os.getpid()}", 4, state=Path("/run/catchment-lab-tests"))
    before = traces(made)
    monkeypatch.setattr(bird, "config", lambda *_: "rooter id 1.2.3.4;")
    with pytest.raises(RuntimeError, match=r"bird on weu-gw has ended; its last words: .*syntax error"):
        lifecycle.up(made)
    assert traces(made) == before


@pytest.mark.parametrize("step", ["making", "starting", "waiting"])
def test_down_leaves_nothing_after_up_was_killed_half_way(step: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    tools()
    made = Lab(f"half{os.getpid()}", 2, state=Path("/run/catchment-lab-tests"))
    before = traces(made)
    argv = [sys.executable, "-c", UP, made.name, str(made.state)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=needs.ROOT) as child:
        assert child.stdout is not None
        try:
            assert any(line.startswith(step) for line in child.stdout)
            time.sleep(0.1)  # into the middle of the step
        finally:
            child.kill()
    left = traces(made)
    assert left["folder"]
    assert left["namespaces"]
    with pytest.raises(RuntimeError, match=f"half up; take it down first: catchment lab down --name {made.name}"):
        lifecycle.up(made)
    if step == "making":
        with pytest.raises(RuntimeError, match=r"BIRD of weu-nva\d does not answer \(.*\); `catchment lab status"):
            faults.inject(made, "withdraw", ["weu", "web"], print)
        assert (lifecycle.status(made).up, lifecycle.status(made).namespaces > 0) == (False, True)
    lifecycle.down(made)
    assert traces(made) == before


def test_down_finishes_what_a_killed_down_began() -> None:
    tools()
    made = Lab(f"down{os.getpid()}", 3, state=Path("/run/catchment-lab-tests"))
    before = traces(made)
    lifecycle.up(made)
    with subprocess.Popen([sys.executable, "-c", DOWN, made.name, str(made.state)], cwd=needs.ROOT) as child:
        eventually(lambda: not lifecycle.status(made).healthy, within=20)
        child.kill()
    assert traces(made) != before
    lifecycle.down(made)
    assert traces(made) == before


def test_down_works_without_its_state_file(tmp_path: Path) -> None:
    tools()
    made = Lab(f"lost{os.getpid()}", 3, state=Path("/run/catchment-lab-tests"))
    before = traces(made)
    lifecycle.up(made)
    state.path(made).unlink()
    assert lifecycle.down(made).processes > 30
    assert traces(made) == before
