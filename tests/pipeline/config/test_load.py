"""From a file to a configuration."""

import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from anycast.finding import Kind, Severity
from anycast.intent import HoldDown, RangeKind, Role, TrafficMode
from anycast.kinds import KINDS
from anycast.route import parse_community
from pipeline.config import Config, ConfigError, check, load, rendered
from tests import needs

EXAMPLES = needs.ROOT / "examples"
HEALTHY = Path(__file__).parent / "mistakes" / "healthy.yaml"


@pytest.fixture(scope="module")
def contoso() -> Config:
    return load(EXAMPLES / "contoso.yaml")


def written(folder: Path, text: str) -> Config:
    file = folder / "intent.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def added(folder: Path, text: str) -> Config:
    return written(folder, HEALTHY.read_text() + text)


@pytest.mark.parametrize("name", ["contoso", "minimal"])
def test_the_examples_have_neither_errors_nor_lints(name: str) -> None:
    assert check(EXAMPLES / f"{name}.yaml") == ()


def test_the_minimal_example_has_ten_lines() -> None:
    assert len((EXAMPLES / "minimal.yaml").read_text().splitlines()) == 10


def test_services_become_values(contoso: Config) -> None:
    web, dns, vdi = contoso.intent.services
    assert (web.name, web.owner, web.mode) == ("web", "team-web", TrafficMode.PROXY)
    assert web.prefixes == (ip_network("10.250.0.10/32"),)
    assert [placement.nvas for placement in web.placements] == [
        ("weu-nva1", "weu-nva2"),
        ("eus-nva1", "eus-nva2"),
    ]
    backup = dns.placements[1]
    assert (backup.role, backup.prepend, backup.communities) == (Role.BACKUP, 3, (parse_community("65020:1"),))
    assert dns.tiers == {"nyc": (("weu",), ("eus",))}
    assert vdi.prefixes == (ip_network("10.250.8.0/24"),)


def test_regions_sites_and_exporters_become_values(contoso: Config) -> None:
    intent = contoso.intent
    weu = intent.by_region["weu"]
    assert [instance.address for instance in weu.instances] == [ip_address("10.10.255.4"), ip_address("10.10.255.5")]
    assert weu.route_server_asn == 65515
    assert weu.recognition.communities == (parse_community("12076:51002"),)
    assert weu.recognition.as_path == "(^| )65010$"
    assert intent.by_site["ams"].local_pref == {"weu": 200, "eus": 100}
    assert intent.by_site["nyc"].tiers == (("weu", "eus"),)
    gobgp, ams, _ = intent.exporters
    assert (gobgp.collector, gobgp.site) == (True, None)
    assert (ams.collector, ams.site, ams.addresses) == (False, "ams", (ip_network("10.90.0.1/32"),))


def test_the_rest_of_the_intent_becomes_values(contoso: Config) -> None:
    intent = contoso.intent
    assert [(planned.kind, str(planned.prefix)) for planned in intent.plan] == [
        (RangeKind.VNET, "10.10.0.0/16"),
        (RangeKind.VNET, "10.20.0.0/16"),
        (RangeKind.ON_PREMISES, "10.90.0.0/16"),
        (RangeKind.ON_PREMISES, "10.91.0.0/16"),
    ]
    assert intent.hold_downs[Kind.MISSING] == HoldDown(timedelta(seconds=2), timedelta(seconds=2))
    assert intent.thresholds.flap_window == timedelta(minutes=5)
    assert intent.thresholds.age_out == timedelta(hours=24)
    [hook] = intent.receivers
    assert (hook.url, hook.least, hook.secret_file) == ("http://127.0.0.1:9009/hook", Severity.WARNING, None)
    [window] = intent.windows
    assert (window.start, window.regions) == (datetime(2026, 12, 1, 22, tzinfo=UTC), ("eus",))


def test_a_hold_down_that_says_one_side_keeps_the_kinds_own_other(contoso: Config) -> None:
    own = KINDS[Kind.SESSION_DOWN].hold_down
    assert contoso.intent.hold_downs[Kind.SESSION_DOWN] == HoldDown(timedelta(seconds=5), own.clear)


def test_what_the_process_needs_is_there(contoso: Config) -> None:
    assert (str(contoso.listen.bmp), str(contoso.listen.http)) == ("0.0.0.0:11019", "127.0.0.1:8470")
    assert contoso.data == EXAMPLES / "data"
    assert contoso.listen.socket == EXAMPLES / "data" / "catchment.sock"
    assert contoso.storage.routes == timedelta(days=30)
    assert contoso.storage.quota == 50_000_000_000


def test_paths_are_seen_from_the_files_folder(tmp_path: Path) -> None:
    (tmp_path / "hook.key").write_text("secret")
    receiver = "receivers: {ops: {webhook: 'https://alerts.example.com/', secret_file: hook.key}}\n"
    config = added(tmp_path, "data: seen\nlisten: {socket: run/api.sock}\n" + receiver)
    assert config.data == tmp_path / "seen"
    assert config.listen.socket == tmp_path / "run" / "api.sock"
    assert config.intent.receivers[0].secret_file == str(tmp_path / "hook.key")
    assert config.lints == ()


def test_plain_http_beyond_this_machine_is_allowed_only_where_the_file_says_so(tmp_path: Path) -> None:
    receiver = "receivers: {ops: {webhook: 'http://alerts.example.com/hook'%s}}\n"
    with pytest.raises(ConfigError, match="allow it with `plain_http: true`"):
        added(tmp_path, receiver % "")
    assert added(tmp_path, receiver % ", plain_http: true").intent.receivers[0].plain_http
    assert not added(tmp_path, receiver.replace("http:", "https:") % "").intent.receivers[0].plain_http


def test_the_file_to_learn_from_names_exporters_only_and_only_says_that_nothing_is_watched() -> None:
    [lint] = check(EXAMPLES / "first.yaml")
    assert (lint.severity, lint.key) == ("lint", "services")
    assert [exporter.name for exporter in load(EXAMPLES / "first.yaml").intent.exporters] == ["gobgp", "ams-ce1"]


@pytest.mark.parametrize("community", ["65515:40", '"65515:40"', "'65515:40'", "4293591080"])
def test_communities_may_be_quoted_or_not(tmp_path: Path, community: str) -> None:
    text = HEALTHY.read_text().replace("eus: active", f"eus: {{communities: [{community}]}}")
    assert written(tmp_path, text).intent.services[0].placements[1].communities == (parse_community("65515:40"),)


@pytest.mark.parametrize(
    ("written_as", "seconds"),
    [("500ms", 0.5), ("2s", 2), ("5m", 300), ("24h", 86400), ("7d", 604800), ("1w", 604800), ("1.5s", 1.5), ("0", 0)],
)
def test_durations_are_read(tmp_path: Path, written_as: str, seconds: float) -> None:
    config = added(tmp_path, f"thresholds: {{settle: {written_as}}}\n")
    assert config.intent.thresholds.settle == timedelta(seconds=seconds)


def test_a_number_of_nvas_asks_for_that_many_of_the_regions(tmp_path: Path) -> None:
    placement = written(tmp_path, HEALTHY.read_text().replace("eus: active", "eus: {nvas: 1}")).intent.services[0]
    assert placement.placements[1].nvas == ("eus-nva1", "eus-nva2")
    assert placement.placements[1].at_least == 1
    assert placement.placements[0].at_least is None


def test_as_many_as_there_are_is_every_one(tmp_path: Path) -> None:
    text = HEALTHY.read_text().replace("eus: active", "eus: {nvas: 2}")
    assert written(tmp_path, text).intent.services[0].placements[1].at_least is None


def test_a_file_that_is_not_there_is_a_problem_and_not_a_traceback(tmp_path: Path) -> None:
    [problem] = check(tmp_path / "none.yaml")
    assert str(problem) == (
        f"{tmp_path}/none.yaml: error: cannot be read: No such file or directory; name an intent file that can"
    )
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.yaml")
    [folder] = check(tmp_path)
    assert "Is a directory" in folder.message


def test_the_error_carries_every_problem_and_prints_them_a_line_each() -> None:
    file = HEALTHY.with_name("everything-at-once.yaml")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert str(caught.value).splitlines() == list(rendered(check(file)))


def test_a_problem_is_plain_json() -> None:
    file = HEALTHY.with_name("asn-reserved.yaml")
    [problem] = check(file)
    assert json.loads(json.dumps(problem.plain())) == {
        "file": str(file),
        "line": 11,
        "column": 48,
        "key": "regions.eus.nvas.eus-nva1.asn",
        "message": "AS 64500 is for documentation, so Route Server refuses it; use another, such as 65010",
        "severity": "error",
    }


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "intent.yaml").write_bytes(b"\xef\xbb\xbf" + HEALTHY.read_bytes())
    assert check(tmp_path / "intent.yaml") == ()


@pytest.mark.parametrize(
    ("bmp", "gobgp", "edge"),
    [
        ("0.0.0.0:11019", "127.0.0.1", "10.90.0.1"),
        ("10.10.9.4:11019", "127.0.0.1", "10.90.0.1"),
        ("127.0.0.1:11019", "127.0.0.1", "127.0.7.2"),
        ("127.0.0.1:11019", "127.0.0.0/8", "[127.0.0.1, 10.90.0.1]"),
        ("[::]:11019", "::1", "fd00::1"),
    ],
)
def test_a_listener_that_every_exporter_reaches_is_no_lint(tmp_path: Path, bmp: str, gobgp: str, edge: str) -> None:
    text = HEALTHY.read_text().replace("[127.0.0.1]", f"['{gobgp}']")
    text = text.replace("{addresses: [10.90.0.1]}", f"{{addresses: {edge if edge[0] == '[' else [edge]}}}")
    (tmp_path / "intent.yaml").write_text(text + f'listen: {{bmp: "{bmp}"}}\n')
    assert [each for each in check(tmp_path / "intent.yaml") if each.key == "listen.bmp"] == []
