"""Every mistake is named at once: whatever else is wrong, and wherever, the same is said of it as when it is alone."""

from itertools import combinations
from pathlib import Path

import pytest

from pipeline.config.load import read

SOUND = """\
catchment: 1
services:
  web:
    prefix: 10.250.0.10/32
    owner: team-web
    regions:
      weu: active
      eus: {role: backup, nvas: [eus-nva1], prepend: 3}
    tiers: {ams: [[weu], [eus]]}
  dns: {prefix: 10.250.0.53/32, regions: {weu: active, eus: active}}
regions:
  weu:
    route_server: {instances: {weu-rs0: 10.10.255.4, weu-rs1: 10.10.255.5}}
    nvas:
      weu-nva1: {address: 10.10.1.4, asn: 65010}
      weu-nva2: {address: 10.10.1.5, asn: 65010}
    recognise: {communities: [12076:51002], as_path: "65010$"}
  eus:
    route_server: {instances: {eus-rs0: 10.20.255.4, eus-rs1: 10.20.255.5}}
    nvas:
      eus-nva1: {address: 10.20.1.4, asn: 65020}
      eus-nva2: {address: 10.20.1.5, asn: 65020}
    recognise: {communities: [12076:51004], as_path: "65020$"}
sites:
  ams:
    routers: {ams-ce1: 10.90.0.1}
    tiers: [[weu], [eus]]
    local_pref: {weu: 200, eus: 100}
  nyc:
    routers: {nyc-ce1: 10.91.0.1}
    tiers: [[weu, eus]]
    local_pref: {weu: 200, eus: 100}
exporters:
  gobgp: {addresses: [127.0.0.1], collector: true}
  ams-ce1: {addresses: [10.90.0.1]}
  nyc-ce1: {addresses: [10.91.0.1]}
vantages:
  msee1: {exporter: ams-ce1, peer: 172.16.0.1, rung: V5, expects: [weu], hold_time: 9}
  msee2: {exporter: ams-ce1, peer: 172.16.0.5, rung: V5, expects: [eus], hold_time: 9}
timers: {hold: 9}
thresholds: {flap_count: 3, quiet: 5s, limit_major: 0.9}
receivers:
  ops: {webhook: "http://127.0.0.1:9009/hook", least: warning}
maintenance:
  - {name: night, from: 2026-12-01T22:00:00Z, to: 2026-12-02T02:00:00Z, regions: [eus]}
listen: {bmp: "0.0.0.0:11019", http: "127.0.0.1:8470"}
"""

Edit = tuple[str, str, tuple[str, ...]]

# What is changed, into what, and the keys that are complained of. A line may be changed in several places.
EDITS: tuple[Edit, ...] = (
    ("catchment: 1", "catchment: 2", ("catchment",)),
    ("10.250.0.10/32", "10.250.0.10/24", ("services.web.prefix",)),
    ("owner: team-web", "owner: 7", ("services.web.owner",)),
    ("[eus-nva1]", "[eus-nva9]", ("services.web.regions.eus.nvas[0]",)),
    ("role: backup", "role: spare", ("services.web.regions.eus.role",)),
    ("      weu: active", "      neu: active\n      weu: active", ("services.web.regions.neu",)),
    ("tiers: {ams", "tiers: {lon", ("services.web.tiers.lon",)),
    ("[[weu], [eus]]}", "[[weu], 7, [usw]]}", ("services.web.tiers.?[1]", "services.web.tiers.?[2][0]")),
    ("10.250.0.53/32, regions: {weu", "10.250.0.53/32, regions: {asia", ("services.dns.regions.asia",)),
    ("weu-rs1: 10.10.255.5", "weu-rs1: 10.10.255.4", ("regions.weu.route_server.instances.weu-rs1",)),
    ("weu-nva1: {address: 10.10.1.4, asn", "weu-nva1: {address: 10.10.1, asn", ("regions.weu.nvas.weu-nva1.address",)),
    ("asn: 65010}\n      weu-nva2", "asn: 65515}\n      weu-nva2", ("regions.weu.nvas.weu-nva1.asn",)),
    ("asn: 65010}\n    recognise", "asn: 65010, colour: red}\n    recognise", ("regions.weu.nvas.weu-nva2.colour",)),
    ("{communities: [12076:51002]", "{communities: [12076:99999]", ("regions.weu.recognise.communities[0]",)),
    ('"65010$"', '"(65010$"', ("regions.weu.recognise.as_path",)),
    ("eus-nva2: {address: 10.20.1.5", "weu-nva2: {address: 10.20.1.4", (
        "regions.eus.nvas.weu-nva2", "regions.eus.nvas.weu-nva2.address")),
    ("eus-rs1: 10.20.255.5}", "eus-rs1: *rs}", ("regions.eus.route_server.instances.eus-rs1",)),
    ("[12076:51004]", "&mark [12076:51004]", ("regions.eus.recognise.communities",)),
    ("{ams-ce1: 10.90.0.1}\n    tiers: [[weu], [eus]]", "{ams-ce1: 10.90.1}\n    tiers: [[weu], [east]]", (
        "sites.ams.routers.ams-ce1", "sites.ams.tiers[1][0]")),
    ("local_pref: {weu: 200, eus: 100}\n  nyc", "local_pref: {weu: much, west: 100}\n  nyc", (
        "sites.ams.local_pref.weu", "sites.ams.local_pref.west")),
    ("routers: {nyc-ce1: 10.91.0.1}", "routers: {nyc-ce1: 10.91.0.1}\n    never: [weu, 3, north]", (
        "sites.nyc.never[1]", "sites.nyc.never[2]")),
    ("collector: true", "collector: true, sites: [lux]", ("exporters.gobgp.sites[0]",)),
    ("[127.0.0.1]", "[0.0.0.0/0]", ("exporters.gobgp.addresses[0]",)),
    ("  nyc-ce1: {addresses", "  nyc-c1: {addresses", ("exporters.nyc-c1",)),
    ("peer: 172.16.0.1, rung: V5, expects: [weu]", "peer: 172.16.0, rung: V5, expects: [we]", (
        "vantages.msee1.expects[0]", "vantages.msee1.peer")),
    ("exporter: ams-ce1, peer: 172.16.0.5", "exporter: ams-ce7, peer: 172.16.0.5", ("vantages.msee2.exporter",)),
    ("expects: [eus], hold_time: 9", "expects: [eus], hold_time: 2, site: lon", (
        "vantages.msee2.hold_time", "vantages.msee2.site")),
    ("timers: {hold: 9}", "timers: {hold: !!int 9}", ("timers.hold",)),
    ("flap_count: 3", "flap_count: 1", ("thresholds.flap_count",)),
    ("quiet: 5s", "quiet: 5", ("thresholds.quiet",)),
    ("limit_major: 0.9", "limit_major: 0.7", ("thresholds.limit_major",)),
    ("http://127.0.0.1:9009/hook", "http://alerts.example.com/hook", ("receivers.ops.webhook",)),
    ("least: warning", "least: high, <<: *usual", ("receivers.ops.<<", "receivers.ops.least")),
    ("from: 2026-12-01T22", "from: 2026-12-03T22", ("maintenance[0].to",)),
    ("name: night", "name: night, kinds: [mising]", ("maintenance[0].kinds[0]",)),
    ("regions: [eus]}", "regions: [sweden]}", ("maintenance[0].regions[0]",)),
    ('"127.0.0.1:8470"', '"127.0.0.1:11019"', ("listen.http",)),
)  # fmt: skip


def edited(*edits: Edit) -> str:
    text = SOUND
    for old, new, _ in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def complaints(text: str) -> list[tuple[str, str]]:
    """Key and sentence of each problem, in the order of the file."""
    return [(each.key, each.message) for each in read(text.encode(), Path("intent.yaml"))[1]]


def alone(edit: Edit) -> list[tuple[str, str]]:
    return complaints(edited(edit))


def places(found: list[tuple[str, str]]) -> list[str]:
    return sorted(key.replace("tiers.ams", "tiers.?").replace("tiers.lon", "tiers.?") for key, _ in found)


def expected(*edits: Edit) -> list[str]:
    return sorted(key.replace("tiers.lon", "tiers.?") for _, _, keys in edits for key in keys)


def test_a_sound_file_has_no_mistake() -> None:
    assert complaints(SOUND) == []


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit[2][0])
def test_a_mistake_alone_is_named_and_nothing_that_follows_from_it(edit: Edit) -> None:
    assert places(alone(edit)) == expected(edit)


def test_all_of_them_together_are_named_at_once() -> None:
    """Left to right, as each is written on: an edit that another one swallowed would not be found."""
    assert places(complaints(edited(*EDITS))) == expected(*EDITS)


def test_any_two_are_named_together() -> None:
    wrong = []
    for one, other in combinations(EDITS, 2):
        found = places(complaints(edited(one, other)))
        if found != expected(one, other):
            wrong.append((one[2], other[2], sorted(set(found) ^ set(expected(one, other)))))
    assert wrong == []


# One mistake of which much could be thought to follow: section or part gone, names gone, addresses gone.
FOLLOWED: tuple[Edit, ...] = (
    ("regions:\n  weu:\n    route", "regions: *all\nzones:\n  weu:\n    route", ("regions", "zones")),
    ("sites:\n  ams:\n", "sites:\n  ams: &a\n", ("sites.ams",)),
    ("    nvas:\n      weu-nva1", "    appliances:\n      weu-nva1", ("regions.weu.appliances",)),
    ("routers: {ams-ce1: 10.90.0.1}", "routers: ams-ce1", ("sites.ams.routers",)),
    ("routers: {ams-ce1: 10.90.0.1}", "routers: *one", ("sites.ams.routers",)),
    ("routers: {ams-ce1: 10.90.0.1}", "routers: {}", ("sites.ams.routers",)),
    ("  ams:\n", "  ams\n", ("",)),
    ("routers: {ams-ce1: 10.90.0.1}", "", ("sites.ams",)),
    ("routers: {ams-ce1: 10.90.0.1}", "<<: *usual", ("sites.ams.<<",)),
    ("prefix: 10.250.0.10/32", "prefixes: [10.250.0.10/8]", ("services.web.prefixes[0]",)),
    ("ams-ce1: {addresses: [10.90.0.1]}", "ams-ce1: 10.90.0.1", ("exporters.ams-ce1",)),
    ("collector: true", "collector: yes, regions: [weu]", ("exporters.gobgp.collector",)),
    ("peer: 172.16.0.1, rung: V5", "peer: 172.16.0.5, rung: V5, rib: none", ("vantages.msee1.rib",)),
    ("exporter: ams-ce1, peer: 172.16.0.1, rung: V5", "exporter: gobgp, peer: 10.10.1.9", ("vantages.msee1",)),
    ("limit_major: 0.9", "limit_warning: most, limit_major: 0.7", ("thresholds.limit_warning",)),
    ('webhook: "http://127.0.0.1:9009/hook"', 'webhook: "http://a.example/", plain_http: yes', (
        "receivers.ops.plain_http",)),
    ("  ams:\n    routers", "  a ms:\n    asn: no\n    routers", (
        "exporters.ams-ce1", "services.web.tiers.?", "sites.a ms", "sites.a ms.asn")),
)  # fmt: skip


@pytest.mark.parametrize("edit", FOLLOWED[:-1], ids=lambda edit: edit[1][:40])
def test_what_may_only_follow_from_a_mistake_is_not_told(edit: Edit) -> None:
    assert places(alone(edit)) == expected(edit)


def test_what_stands_under_a_name_that_is_none_is_looked_at() -> None:
    found = dict(alone(FOLLOWED[-1]))
    assert "'a ms' is no name" in found["sites.a ms"]
    assert "'no' is not an AS number" in found["sites.a ms.asn"]


def test_a_peer_whose_address_cannot_be_read_does_not_make_its_vantage_wrong() -> None:
    text = edited(("exporter: ams-ce1, peer: 172.16.0.1, rung: V5", "exporter: gobgp, peer: 10.10.1.4", ()))
    assert "vantages.msee1" not in dict(complaints(text))
    assert [key for key, _ in complaints(text.replace("10.10.1.4, asn", "10.10.1.x, asn"))] == [
        "regions.weu.nvas.weu-nva1.address"
    ]


UNREADABLE = (
    ("owner: team-web", 'owner: "team-web', "services"),
    ("    owner: team-web", "\towner: team-web", "services"),
    ("recognise: {communities: [12076:51002]", "recognise: {communities: [12076:51002", "regions"),
    ("timers: {hold: 9}", "timers {hold 9}", "timers"),
    ("least: warning}", "least: warning", "receivers"),
    ("least: warning", 'least: "\\UFFFFFFFF"', "receivers"),
)


@pytest.mark.parametrize(("old", "new", "section"), UNREADABLE, ids=[case[2] + case[1][:12] for case in UNREADABLE])
def test_what_is_no_yaml_hides_its_own_section_only(old: str, new: str, section: str) -> None:
    others = [edit for edit in EDITS if edit[2][0].split(".")[0] in {"thresholds", "exporters", "maintenance"}]
    text = edited(*others)
    assert text.count(old) == 1
    found = complaints(text.replace(old, new))
    [no_yaml] = [said for key, said in found if not key]
    assert no_yaml.startswith("is not YAML")
    wanted = [key for key in expected(*others) if section != "timers" or not key.startswith("timers")]
    assert places([each for each in found if each[0]]) == wanted


def test_two_sections_that_are_no_yaml_are_both_named() -> None:
    text = SOUND.replace("owner: team-web", 'owner: "team-web').replace("least: warning}", "least: warning")
    lines = [problem.line for problem in read(text.encode(), Path("intent.yaml"))[1]]
    assert len(lines) == 2
    assert lines[0] < text[: text.index("regions:\n  weu:")].count("\n") + 2 < lines[1]


def test_text_that_is_no_utf_8_and_control_characters_are_named_line_by_line() -> None:
    raw = SOUND.encode().replace(b"team-web", b"\xe9quipe").replace(b"name: night", b"name: nu\xeet\x07")
    raw = raw.replace(b"least: warning", b"least: war\x07ning").replace(b"flap_count: 3", b"flap_count: 1")
    lines = SOUND.splitlines()
    line = {word: next(n for n, text in enumerate(lines, 1) if word in text) for word in ("team-web", "flap", "ops:")}
    assert [(each.line, each.message.split(";")[0]) for each in read(raw, Path("intent.yaml"))[1]] == [
        (line["team-web"], "is not UTF-8 text"),
        (line["flap"], "1 is too small"),
        (line["ops:"], "is not YAML: holds a control character"),
        (line["ops:"] + 2, "is not UTF-8 text"),
    ]


def test_utf_16_is_one_mistake() -> None:
    [problem] = read(SOUND.encode("utf-16"), Path("intent.yaml"))[1]
    assert problem.message == "is UTF-16 and not UTF-8 text; save it as UTF-8"


def test_an_error_behind_a_thousand_lints_refuses_the_file() -> None:
    many = "".join(f"  s{n}: {{prefix: 10.{n // 250}.{n % 250}.0/24, regions: {{weu: active}}}}\n" for n in range(1200))
    text = SOUND.replace("  dns:", many + "  dns:").replace("hold: 9}", "hold: 2}")
    text += "address_plan: {vnet: [10.0.0.0/13]}\n"
    config, problems = read(text.encode(), Path("intent.yaml"))
    assert config is None
    assert "timers.hold" in {each.key for each in problems}
