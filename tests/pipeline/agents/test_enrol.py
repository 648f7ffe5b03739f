"""Letting a site's agent in: what is made, what is printed, and what is never overwritten."""

import stat
from pathlib import Path

import pytest

from collector.probe.config.read import load as load_agent
from collector.probe.uplink import read_token
from pipeline.agents.enrol import EnrolError, enrol
from pipeline.agents.tokens import Tokens, read_fingerprints
from pipeline.config import load
from tests.pipeline.agents.site import INTENT
from tests.pipeline.terminal import catchment


@pytest.fixture
def intent(tmp_path: Path) -> Path:
    path = tmp_path / "catchment.yaml"
    path.write_text(INTENT.format(host="127.0.0.1", port=8471, more=""))
    return path


def test_a_token_a_certificate_and_the_agents_part_of_its_file(intent: Path, tmp_path: Path) -> None:
    made = enrol(load(intent), "ams", tmp_path / "ams.agent-token", ["centre.example"])
    assert made.url == "https://centre.example:8471"
    assert made.ca == tmp_path / "agents" / "centre.pem"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in made.made}
    assert modes == {"centre.pem": 0o644, "centre.key": 0o600, "ams.token": 0o600, "ams.agent-token": 0o600}
    token = read_token(made.token)
    assert Tokens({"ams": read_fingerprints(tmp_path / "agents" / "ams.token")}).site_of(token) == "ams"
    assert token not in (tmp_path / "agents" / "ams.token").read_text(), "here only the fingerprint stays"
    (tmp_path / "centre.pem").write_bytes(made.ca.read_bytes())
    (tmp_path / "agent.yaml").write_text(f"agent: 1\n{made.part()}\nservices: {{}}\n")
    settings = load_agent(tmp_path / "agent.yaml")
    assert (settings.site, settings.centre.url, settings.centre.token) == ("ams", made.url, made.token)
    assert settings.centre.ca == tmp_path / "centre.pem"


def test_a_second_site_gets_a_token_and_the_same_certificate(intent: Path, tmp_path: Path) -> None:
    enrol(load(intent), "ams", tmp_path / "a", ["centre.example"])
    before = (tmp_path / "agents" / "centre.pem").read_bytes()
    made = enrol(load(intent), "nyc", tmp_path / "n", [])
    assert (tmp_path / "agents" / "centre.pem").read_bytes() == before
    assert made.url == "https://centre.example:8471", "by the name that the certificate has"


def test_another_token_is_made_only_when_asked_and_beside_the_one_that_is_there(intent: Path, tmp_path: Path) -> None:
    config = load(intent)
    old = read_token(enrol(config, "ams", tmp_path / "a", []).token)
    with pytest.raises(EnrolError, match="ams has a token already"):
        enrol(config, "ams", tmp_path / "b", [])
    new = read_token(enrol(config, "ams", tmp_path / "b", [], again=True).token)
    last = read_token(enrol(config, "ams", tmp_path / "c", [], again=True).token)
    tokens = Tokens({"ams": read_fingerprints(tmp_path / "agents" / "ams.token")})
    assert [tokens.site_of(each) for each in (old, new, last)] == [None, "ams", "ams"]


def test_nothing_is_overwritten_and_what_is_missing_is_said(intent: Path, tmp_path: Path) -> None:
    config = load(intent)
    with pytest.raises(EnrolError, match=r"fra is no site of .*; the sites are ams, nyc"):
        enrol(config, "fra", tmp_path / "a", [])
    (tmp_path / "a").write_text("mine")
    with pytest.raises(EnrolError, match="is there already"):
        enrol(config, "ams", tmp_path / "a", [])
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "centre.key").write_text("mine")
    with pytest.raises(EnrolError, match="the other of certificate and key is not"):
        enrol(config, "ams", tmp_path / "b", [])
    lines = intent.read_text().splitlines()
    without = (line.partition(", agent:")[0] + "}" if ", agent:" in line else line for line in lines)
    intent.write_text("\n".join(without))
    with pytest.raises(EnrolError, match=r"write `agent: \{token_file: ./agents/ams.token\}` under sites.ams"):
        enrol(load(intent), "ams", tmp_path / "b", [])
    assert not (tmp_path / "b").exists()


def test_the_command_prints_what_to_carry_and_what_to_write(intent: Path, tmp_path: Path) -> None:
    said = catchment("agents", "enrol", "ams", "-c", str(intent), "-o", str(tmp_path / "t"), "--host", "c.example")
    assert said.code == 0
    assert "  url: https://c.example:8471" in said.lines
    assert read_token(tmp_path / "t") not in said.out + said.err, "a terminal remembers"
    assert catchment("agents", "enrol", "ams", "-c", str(intent), "-o", str(tmp_path / "u")).code == 2
