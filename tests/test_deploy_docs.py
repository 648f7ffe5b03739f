"""What the pages on deployment say is what the code, the units and the compose file have."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lab.daemons import frr
from lab.topology import Lab, Role, Timers
from pipeline.config import load
from tests import needs

AZURE = (needs.ROOT / "docs" / "deploy-azure.md").read_text()
DEPLOY = (needs.ROOT / "docs" / "deploy.md").read_text()
COMPOSE: dict[str, Any] = YAML(typ="safe").load((needs.ROOT / "docker-compose.yml").read_text())
MAKERS = ("FRR", "GoBGP", "Cisco IOS-XR", "Juniper Junos", "Arista EOS", "Nokia SR OS")


def _snippet(maker: str) -> str:
    found = re.search(rf"^\*\*{maker}\*\*.*\n((?:\n|    .*\n)+)", AZURE, re.MULTILINE)
    assert found, maker
    return "\n".join(line.removeprefix("    ") for line in found[1].strip("\n").splitlines())


@pytest.mark.parametrize("maker", MAKERS)
def test_every_makers_snippet_sends_pre_policy_to_the_port_that_is_the_default(maker: str) -> None:
    text = _snippet(maker)
    assert str(load(needs.ROOT / "examples" / "contoso.yaml").listen.bmp.port) in text
    assert "10.10.9.4" in text
    assert re.search(r"pre-policy|policy pre inbound", text)


def test_what_gobgp_is_told_is_what_the_example_tells_it() -> None:
    example = tomllib.loads((needs.ROOT / "examples" / "gobgpd.toml").read_text())
    [theirs], [ours] = (part["bmp-servers"] for part in (example, tomllib.loads(_snippet("GoBGP"))))
    assert ours["config"] == {**theirs["config"], "address": "10.10.9.4"}


def test_what_frr_is_told_is_what_the_lab_tells_it() -> None:
    lab = Lab()
    told = frr.config(lab, lab.of(Role.EDGE)[0], Timers.LAB).splitlines()
    words = [re.sub(r"[\d.]+", "N", line.strip()) for line in told]
    for line in _snippet("FRR").splitlines():
        if "bmp" in line or "soft-reconfiguration" in line:
            assert re.sub(r"[\d.]+", "N", line.strip()) in words, line


def test_every_service_of_the_compose_file_and_every_volume_is_spoken_of() -> None:
    assert all(f"| `{name}` |" in DEPLOY for name in COMPOSE["services"])
    kept = COMPOSE["volumes"].keys() - {"catchment-data", "lab-data"}
    assert all(f"| `{name}` |" in DEPLOY for name in kept)
    published = {port.split(":")[1] for told in COMPOSE["services"].values() for port in told.get("ports", ())}
    assert all(port in DEPLOY for port in published)


def test_every_file_that_is_spoken_of_is_there() -> None:
    for page in (AZURE, DEPLOY):
        for link in re.findall(r"\]\(([^)#]+)\)", page):
            if "://" not in link:
                assert (needs.ROOT / "docs" / link).resolve().exists(), link
    for name in re.findall(r"deploy/[a-z.-]+\b", DEPLOY):
        assert Path(needs.ROOT / name.rstrip(".")).exists(), name


def test_every_source_that_is_named_is_in_the_list() -> None:
    body, _, sources = AZURE.partition("## Sources")
    named = {each.strip() for group in re.findall(r"\[((?:[AB]\d(?:, )?)+)\]", body) for each in group.split(",")}
    assert named
    assert all(f"[{each}]" in sources for each in named - {"A1"})
    assert named <= set(re.findall(r"\[([AB]\d)\]", sources))
