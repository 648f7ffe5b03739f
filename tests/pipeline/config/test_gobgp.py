"""The collector's GoBGP configuration, and GoBGP's own opinion of it."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from pipeline.config import ConfigError, load
from pipeline.config.gobgp import gobgp_configuration
from tests import needs

CONTOSO = needs.ROOT / "examples" / "contoso.yaml"


def changed(folder: Path, old: str, new: str) -> Path:
    file = folder / "intent.yaml"
    text = CONTOSO.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return file


def test_every_peer_of_the_intent_is_a_neighbor() -> None:
    made = tomllib.loads(gobgp_configuration(load(CONTOSO)))
    neighbors = {
        each["config"]["neighbor-address"]: (each["config"]["peer-as"], each["config"]["local-as"])
        for each in made["neighbors"]
    }
    assert neighbors == {
        "10.10.1.4": (65010, 65099), "10.10.1.5": (65010, 65099),
        "10.10.255.4": (65515, 65099), "10.10.255.5": (65515, 65099),
        "10.20.1.4": (65020, 65099), "10.20.1.5": (65020, 65099),
        "10.20.255.4": (65515, 65099), "10.20.255.5": (65515, 65099),
        "10.90.0.1": (65101, 65101), "10.91.0.1": (65102, 65102),
    }  # fmt: skip


def test_nothing_is_ever_learned_or_advertised_and_everything_is_dialled() -> None:
    made = tomllib.loads(gobgp_configuration(load(CONTOSO)))
    assert made["global"]["apply-policy"]["config"] == {
        "default-import-policy": "reject-route",
        "export-policy-list": ["advertise-nothing"], "default-export-policy": "reject-route",
    }  # fmt: skip
    [policy] = made["policy-definitions"]
    [statement] = policy["statements"]
    assert policy["name"] == "advertise-nothing"
    assert "conditions" not in statement
    assert statement["actions"] == {"route-disposition": "reject-route"}
    assert all(each["transport"]["config"] == {"passive-mode": False} for each in made["neighbors"])


def test_what_it_hears_comes_to_us_before_policy() -> None:
    [server] = tomllib.loads(gobgp_configuration(load(CONTOSO)))["bmp-servers"]
    assert server["config"] == {
        "address": "127.0.0.1", "port": 11019, "route-monitoring-policy": "pre-policy", "statistics-timeout": 15,
    }  # fmt: skip


def test_an_as_number_that_the_intent_does_not_say_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"exporters\.gobgp: needs `asn`"):
        gobgp_configuration(load(changed(tmp_path, ", asn: 65099", "")))
    with pytest.raises(ConfigError, match=r"sites\.nyc: needs `asn`"):
        gobgp_configuration(load(changed(tmp_path, "    asn: 65102\n", "")))


def test_another_collector_is_asked_for_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gobgp-eus is no collector"):
        gobgp_configuration(load(CONTOSO), "gobgp-eus")
    assert gobgp_configuration(load(CONTOSO), "gobgp") == gobgp_configuration(load(CONTOSO))


def test_gobgpd_takes_it(tmp_path: Path) -> None:
    gobgpd = needs.tool("gobgpd")
    file = tmp_path / "gobgpd.toml"
    text = gobgp_configuration(load(CONTOSO))
    file.write_text(text)
    assert _dry(gobgpd, file) == 0
    file.write_text(text.replace("peer-as = 65010", 'peer-as = "many"'))
    assert _dry(gobgpd, file) != 0


def _dry(gobgpd: str, file: Path) -> int:
    return subprocess.run(
        [gobgpd, "--dry-run", "-f", str(file)], capture_output=True, check=False, timeout=30
    ).returncode
