"""The files of the lab's agents and responders are ones that their programs take, and say what the lab is."""

import stat
from pathlib import Path

import pytest

from anycast.probe import Identity, TargetKind
from collector.probe.config.read import check
from collector.probe.responder.written import load as load_responder
from lab import state
from lab.daemons import probing
from lab.intent import render
from lab.state import State
from lab.topology import SERVICES, SITES, Lab, Role, Site
from pipeline.config import check as check_intent
from pipeline.config import load
from tests import needs


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    needs.tool("openssl")
    found = Lab("paper", state=tmp_path)
    found.folder.mkdir()
    probing.make_secrets(found)
    return found


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_an_agents_file_has_no_mistakes_and_asks_for_every_service_and_control(lab: Lab, site: Site) -> None:
    file = lab.folder / "agent.yaml"
    file.write_text(probing.agent_file(lab, site))
    settings, problems = check(file)
    assert problems == ()
    assert settings is not None
    assert settings.site == site.name
    kinds = [asked.target.kind for asked in settings.targets]
    assert kinds.count(TargetKind.SERVICE) == len(SERVICES)
    assert kinds.count(TargetKind.NVA) == kinds.count(TargetKind.APPLICATION) == len(lab.of(Role.NVA))
    assert kinds.count(TargetKind.GATEWAY) == 1
    assert settings.rate <= settings.cap


def test_every_nva_and_application_answers_as_itself_to_every_site(lab: Lab) -> None:
    for node in lab.of(*probing.RESPONDS):
        file = lab.folder / f"{node.name}.yaml"
        file.write_text(probing.responder_file(lab, node))
        settings = load_responder(file)
        assert settings.identity == Identity(node.place, node.name.replace("-app", "-nva"), node.name, "1")
        assert {key.site for key in settings.keys} == {site.name for site in SITES}


def test_with_probes_the_intent_lets_agents_in_and_without_it_does_not(lab: Lab) -> None:
    file = lab.folder / "lab.yaml"
    file.write_text(render(lab))
    assert not any(site.agent for site in load(file).intent.sites)
    state.save(lab, State(lab.name, probing=True))
    file.write_text(render(lab))
    assert check_intent(file) == ()
    assert all(site.agent for site in load(file).intent.sites)


def test_what_is_secret_is_for_nobody_else(lab: Lab) -> None:
    secret = [*probing.folder(lab).glob("*.token"), *probing.folder(lab).glob("*.key")]
    assert len(secret) == 2 * len(SITES) + 1
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
