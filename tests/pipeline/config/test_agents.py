"""What an intent file says of agents: who is let in, where, by what they know us, and what is wrong with that."""

import os
from pathlib import Path

import pytest

from pipeline.config import Weight, check, load
from tests.pipeline.config.test_mistakes import FOLDER

HEALTHY = (FOLDER / "healthy.yaml").read_text()
LISTEN, AGENTS = 'listen: {agents: "0.0.0.0:8471"}\n', "agents: {certificate: ./centre.pem, key: ./centre.key}\n"


@pytest.fixture
def intent(tmp_path: Path) -> Path:
    for name in ("centre.pem", "centre.key", "ams.token", "agent.yaml"):
        (tmp_path / name).write_text("there\n")
        os.chmod(tmp_path / name, 0o600)
    return tmp_path / "catchment.yaml"


def written(path: Path, more: str, agent: str = ", agent: {token_file: ./ams.token}") -> Path:
    text = HEALTHY.replace("tiers: [[weu], [eus]]}", f"tiers: [[weu], [eus]]{agent}}}")
    path.write_text(text.replace("catchment: 1\n", "catchment: 1\n" + more))
    return path


def test_who_is_let_in_and_by_what_they_know_us(intent: Path) -> None:
    config = load(written(intent, LISTEN + AGENTS + "agent: ./agent.yaml\nstorage: {probes: 3d}\n"))
    assert config.lints == ()
    assert str(config.listen.agents) == "0.0.0.0:8471"
    assert config.agents is not None
    assert config.agents.certificate == intent.parent / "centre.pem"
    assert config.agents.tokens == {"ams": intent.parent / "ams.token"}
    assert config.agent == intent.parent / "agent.yaml"
    assert config.storage.probes.days == 3
    assert [(site.name, site.agent) for site in config.intent.sites] == [("ams", True)]


def test_without_a_word_of_agents_none_is_let_in(intent: Path) -> None:
    config = load(written(intent, "", agent=""))
    assert (config.listen.agents, config.agents, config.agent) == (None, None, None)
    assert config.storage.probes.days == 7
    assert not config.intent.sites[0].agent


@pytest.mark.parametrize(
    ("more", "agent", "expected"),
    [
        (AGENTS, "", "agents: lets nobody in; write where agents report as `listen.agents`"),
        (LISTEN.replace("8471", "8470") + AGENTS, "", "listen.agents: the console listens there already"),
        (LISTEN.replace("8471", "11019") + AGENTS, "", "listen.agents: BMP listens there already"),
        (LISTEN + "agents: {certificate: ./centre.pem}\n", "", "agents: needs `key`; write the file with the"),
        (LISTEN + AGENTS, ", agent: {}", "sites.ams.agent: needs `token_file`; write the file that `catchment agents"),
        (LISTEN + AGENTS, ", agent: {token: x, token_file: ./ams.token}", "is no key that is known here"),
        ("listen: {agents: yes}\n" + AGENTS, "", "'yes' is not an address and a port such as 127.0.0.1:8470"),
    ],
)
def test_a_mistake_is_named(intent: Path, more: str, agent: str, expected: str) -> None:
    problems = check(written(intent, more, agent))
    [error] = [each for each in problems if each.severity is Weight.ERROR]
    assert expected in str(error)
    assert not any("unread" in str(each) for each in problems), "nothing is said of what was not written"


def test_a_key_that_others_can_read_is_told(intent: Path) -> None:
    os.chmod(intent.parent / "centre.key", 0o644)
    [lint] = check(written(intent, LISTEN + AGENTS))
    assert (lint.severity, lint.key) == (Weight.LINT, "agents.key")
    assert "others can read ./centre.key" in lint.message
