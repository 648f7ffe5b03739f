"""The agent's file: what it means, and every mistake in it at once, with its place and what would be right."""

import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.probe import Identity, TargetKind
from collector.probe.config.read import check, load, read
from collector.probe.config.values import AgentSettings, Part, TraceProbe
from collector.written.problem import ConfigError, Weight

EXAMPLE = Path(__file__).parents[4] / "examples" / "agent.yaml"
HEAD = """agent: 1
site: ams
centre: {url: "https://centre.example:8471", token_file: ./ams.token}
keys: {1: ./k}
"""


def settings_of(text: str) -> AgentSettings:
    settings, problems = read(text.encode(), Path("/etc/agent/agent.yaml"))
    assert settings is not None, problems
    return settings


def said(text: str) -> list[str]:
    _, problems = read(text.encode(), Path("agent.yaml"))
    return [str(each) for each in problems if each.severity is Weight.ERROR]


def test_the_example_means_what_it_says() -> None:
    settings, problems = check(EXAMPLE)
    assert settings is not None
    assert all(each.severity is Weight.LINT and "is not there" in each.message for each in problems)
    assert (settings.site, settings.user, settings.quota, settings.lag) == ("ams", "nobody", 200_000_000, 0.02)
    assert settings.centre.token == EXAMPLE.parent / "ams.token"
    web, dns, vdi, *controls = settings.targets
    assert web.target.kind is TargetKind.SERVICE
    assert web.target.circuit == "ams-er1"
    assert web.probes.udp is not None
    assert (web.probes.udp.source, web.probes.udp.flows, web.probes.udp.every) == (20_000, 32, 0.5)
    assert dns.probes.dns is not None
    assert dns.probes.dns.identity is not None
    assert dns.probes.dns.identity.known["weu-dns"] == Identity(region="weu")
    assert vdi.probes.http is not None
    assert vdi.probes.http.identity is not None
    assert (vdi.probes.http.identity.part, vdi.probes.http.identity.where) == (Part.HEADER, "X-Served-By")
    assert [each.target.kind for each in controls] == [TargetKind.NVA] * 3 + [
        TargetKind.APPLICATION,
        TargetKind.GATEWAY,
    ]
    assert controls[0].target.nva == "weu-nva1", "an NVA is itself"
    assert controls[3].target.nva == "weu-nva1", "an application stands behind one"


def test_each_target_has_source_ports_of_its_own_around_those_that_are_written() -> None:
    settings = settings_of(
        HEAD
        + """source_ports: 30000
services:
  a: {address: 10.0.0.1, udp: {port: 9, flows: 8}}
  b: {address: 10.0.0.2, udp: {port: 9, flows: 8, source_port: 30010}}
  c: {address: 10.0.0.3, udp: {port: 9, flows: 8}}
"""
    )
    assert [asked.probes.udp.source for asked in settings.targets if asked.probes.udp] == [30000, 30010, 30018]


def test_what_is_left_out_is_what_the_settings_say() -> None:
    settings = settings_of(HEAD + "services: {a: {address: 10.0.0.1, udp: {port: 9}, trace: {}}}\n")
    assert (settings.cap, settings.timeout, settings.late, settings.user) == (1000.0, 1.0, 10.0, "nobody")
    assert settings.data == Path("/etc/agent/agent-data")
    assert settings.targets[0].probes.trace == TraceProbe()


SERVICE = "services: {a: {address: 10.0.0.1, "
MISTAKES = [
    ("", "agent.yaml:1:1: error: is empty; an agent's file begins with `agent: 1`"),
    (HEAD, "1:1: error: needs `services`; write each service with its address and how it is asked"),
    (HEAD.replace("agent: 1", "agent: 2") + SERVICE + "icmp: {}}}", "1:8: error: agent: 2 is not right here; write 1"),
    (HEAD.replace("https", "http") + SERVICE + "icmp: {}}}", "is not a URL such as https://catchment.example.com:8471"),
    (HEAD.replace(":8471", ":8471/x") + SERVICE + "icmp: {}}}", "has a path; write https://, the host and the port"),
    (HEAD + SERVICE + "icmp: {every: 5}}}", "services.a.icmp.every: 5 has no unit; write 5s for seconds, or m, h or d"),
    (HEAD + SERVICE + "icmp: {every: 1ms}}}", "'1ms' is not right here; write 10ms to 1d"),
    (HEAD + SERVICE + "icmp: 5}}", "services.a.icmp: 5 is not right here; write a mapping of keys and values"),
    (HEAD + SERVICE + "icmpp: {}}}", "services.a.icmpp: is no key that is known here; did you mean icmp?"),
    (HEAD + SERVICE + "udp: {}}}", "services.a.udp: needs `port`; write the port of the responder, such as 31122"),
    (HEAD + SERVICE + "udp: {port: 9, flows: 0}}}", "flows: 0 is not right here; write a whole number from 1 to 256"),
    (HEAD + SERVICE + "trace: {}}}", "services.a.trace: follows the flows of `udp`, which is not there"),
    (HEAD + SERVICE + "canary: {}}}", "services.a.canary: needs either `port` or `url`, and not both"),
    (HEAD + SERVICE + "mtu: {sizes: [1400, 1400]}}}", "1400 stands in the list twice; keep one"),
    (HEAD + SERVICE + "mtu: {sizes: []}}}", "write a list of up to 16, such as [1400, 1500]"),
    (HEAD + "services: {a: {icmp: {}}}", "services.a: needs `address`: it is asked by icmp"),
    (HEAD + "services: {a: {address: 10.0.0.1}}", "services.a: is asked by nothing; write one of udp, icmp"),
    (HEAD + "services: {'a b': {address: 10.0.0.1, icmp: {}}}", "'a b' is no name; a name is made of"),
    (
        HEAD + SERVICE + "icmp: {}}, b: {address: 10.0.0.1, icmp: {}}}",
        "b.address: 10.0.0.1 is the address of a already",
    ),
    (
        HEAD + SERVICE + "icmp: {}}}\ncontrols: {a: {kind: gateway, address: 10.0.0.9, icmp: {}}}",
        "controls.a: a is the name of a service already; call the control otherwise",
    ),
    (
        HEAD + SERVICE + "icmp: {}}}\ncontrols: {n: {kind: nva, address: 10.0.0.9, icmp: {}}}",
        "controls.n: needs `region`: the one that this nva stands in",
    ),
    (
        HEAD + SERVICE + "icmp: {}}}\ncontrols: {n: {address: 10.0.0.9, icmp: {}}}",
        "controls.n: needs `kind`; write nva, application or gateway",
    ),
    (
        HEAD.replace("keys: {1: ./k}\n", "") + SERVICE + "udp: {port: 9}}}",
        "services.a.udp: asks for an identity under a key, and there is none; write `keys: {1: ./agent.key}`",
    ),
    (HEAD.replace("1: ./k", "x: ./k") + SERVICE + "icmp: {}}}", "'x' is no key's id; it is a number from 1 to 65535"),
    (
        HEAD + SERVICE + 'http: {url: "http://a/", identity: {header: A}}}}',
        "http.identity: needs `known`: 1 to 1000 texts that may be found, each with who that is",
    ),
    (
        HEAD + SERVICE + 'http: {url: "http://a/", identity: {header: A, json: b, known: {x: {region: weu}}}}}}',
        "http.identity: needs exactly one of header, json, body, certificate",
    ),
    (
        HEAD + SERVICE + 'http: {url: "http://a/", identity: {certificate: true, known: {x: {region: weu}}}}}}',
        "http.identity: is read from the certificate of https; the URL is http",
    ),
    (
        HEAD + SERVICE + 'http: {url: "http://a/", identity: {body: "(", known: {x: {region: weu}}}}}}',
        "'(' needs a hole, each once, where the name stands in the body: {region}, {nva}, {instance}",
    ),
    (
        HEAD.replace("1: ./k", "1: ./k, 2: ./l, 3: ./m") + SERVICE + "icmp: {}}}",
        "keys: holds 3 keys; 2 at most are valid at once",
    ),
    (
        HEAD + SERVICE + "udp: {port: 9, source_port: 65530}}}",
        "flows take source ports up to 65561, and 65535 is the last",
    ),
    (
        HEAD
        + SERVICE
        + "udp: {port: 9, source_port: 3000}}, b: {address: 10.0.0.2, udp: {port: 9, source_port: 3031}}}",
        "services.b.udp.source_port: source ports 3031 to 3062 overlap those of a; each target has its own",
    ),
    (
        HEAD + "rate_cap: 50\n" + SERVICE + "udp: {port: 9}}}",
        "rate_cap: targets ask for 69 probes a second, and the cap is 50; ask less often (a takes 69)",
    ),
    (
        HEAD + SERVICE + "udp: {port: 9, every: 10ms}}}",
        "1:1: error: targets ask for 3205 probes a second, and the cap is 1000",
    ),
    (HEAD + "timeout: 5s\nlate: 2s\n" + SERVICE + "icmp: {}}}", "late: late answers are told up to 2 s, before the"),
    (HEAD + SERVICE + "icmp: &x {}}}", "&x is an anchor; leave it out, aliases are not taken"),
]


@pytest.mark.parametrize(("text", "expected"), MISTAKES, ids=[str(number) for number in range(len(MISTAKES))])
def test_a_mistake_is_named_with_its_place_and_what_would_be_right(text: str, expected: str) -> None:
    [only] = said(text)
    assert expected in only


def test_every_mistake_is_named_at_once() -> None:
    found = said("agent: 1\nsitee: x\ncentre: {}\nservices: {a: {address: x, icmp: {every: 0}}}\n")
    assert len(found) == 5, found


def test_a_file_with_a_mistake_is_not_loaded_and_one_without_is(tmp_path: Path) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text(HEAD + "services: {}\n")
    assert load(file).site == "ams"
    file.write_text(HEAD + "services: []\n")
    with pytest.raises(ConfigError, match="services"):
        load(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "nothing.yaml")


def test_a_secret_that_everybody_can_read_is_told(tmp_path: Path) -> None:
    file, token, key = tmp_path / "agent.yaml", tmp_path / "ams.token", tmp_path / "k"
    file.write_text(HEAD + "services: {a: {address: 10.0.0.1, icmp: {}}}\n")
    for secret in (token, key):
        secret.write_text("secret")
        os.chmod(secret, 0o600)
    assert check(file)[1] == ()
    os.chmod(token, 0o644)
    [lint] = check(file)[1]
    assert (lint.severity, lint.key) == (Weight.LINT, "centre.token_file")


@given(st.binary(max_size=300))
def test_any_bytes_are_settings_or_problems(raw: bytes) -> None:
    settings, problems = read(raw, Path("x"))
    assert settings is not None or problems


@given(st.integers(0, 1 << 32), st.sampled_from(["", "[]", "{}", "5", "~", '"x"', "*a", "[[1]]", "{a: 1}", "true"]))
def test_a_spoilt_example_is_settings_or_problems(seed: int, value: str) -> None:
    chance = random.Random(seed)
    lines = EXAMPLE.read_text().splitlines()
    for _ in range(chance.randint(1, 4)):
        line = chance.randrange(len(lines))
        key, colon, _ = lines[line].partition(":")
        lines[line] = (
            key + colon + " " + value if colon and chance.random() < 0.8 else lines[line][chance.randint(0, 9) :]
        )
    settings, problems = read("\n".join(lines).encode(), Path("x"))
    assert settings is not None or problems


def test_a_body_that_names_its_parts_needs_nothing_known() -> None:
    http = 'http: {url: "http://a/", identity: {body: "by {nva} in {region}"}}}}'
    [asked] = settings_of(HEAD + SERVICE + http).targets
    assert asked.probes.http is not None
    assert asked.probes.http.identity is not None
    assert asked.probes.http.identity.known == {}
    assert any("needs `known`" in line for line in said(HEAD + SERVICE + http.replace("{nva} in {region}", "{}")))
