"""The file and the hitlist of reverse catchment: the example loads, mistakes are told."""

import shutil
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import pytest

from anycast.probe import TargetKind
from collector.probe.identity.keyfile import make_key
from collector.probe.reverse.hitlist import HitlistError, Host, read_hitlist
from collector.probe.reverse.written import load
from collector.written.problem import ConfigError

EXAMPLE = Path(__file__).parents[4] / "examples" / "reverse.yaml"
MINIMAL = """\
reverse: 1
region: weu
nva: weu-nva1
centre: {url: "https://centre.example:8471", token_file: ./t}
keys: {100: ./fleet.key}
addresses: [10.250.0.10]
hosts: ./hosts.txt
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_key(tmp_path / "fleet.key")
    (tmp_path / "hosts.txt").write_text("# AMS\n10.20.0.5  ams\n\n10.60.1.20 cph a site with no agent # here\n")
    return tmp_path


def mistakes(folder: Path, text: str) -> list[str]:
    path = folder / "reverse.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load(path)
    return [str(problem).removeprefix(f"{path}:") for problem in error.value.problems]


def test_the_example_loads(folder: Path) -> None:
    shutil.copy(EXAMPLE, folder)
    settings = load(folder / "reverse.yaml")
    assert (settings.region, settings.nva, settings.every, settings.rate) == ("weu", "weu-nva1", 60, 100)
    assert (settings.agent.site, settings.agent.user, settings.agent.centre.token.name) == (
        "weu-nva1",
        "nobody",
        "weu-nva1.token",
    )
    assert [asked.target.name for asked in settings.agent.targets] == ["ams/10.20.0.5", "cph/10.60.1.20"]
    assert {asked.target.kind for asked in settings.agent.targets} == {TargetKind.HOST}
    assert settings.pairs == tuple((ip_address("10.250.0.10"), host) for host in settings.hosts)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: "", "is empty; a file of reverse catchment begins with `reverse: 1`"),
        (lambda t: t.replace("nva: weu-nva1\n", ""), "needs `nva`; write this NVA's name"),
        (lambda t: t + "rate: 1001\n", "8:7: error: rate: 1001 is not right here; write a number from 1 to 1000"),
        (lambda t: t + "evry: 60s\n", "8:1: error: evry: is no key that is known here; did you mean every?"),
        (lambda t: t + "every: 1s\n", "8:8: error: every: '1s' is not right here; write 5s to 1d"),
        (lambda t: t.replace("{100: ./fleet.key}", "{}"), "5:1: error: keys: holds 0 keys; write one, or two"),
        (lambda t: t.replace("100:", "0:"), "'0' is no key id"),
        (lambda t: t.replace("fleet.key", "none"), "none cannot be read: No such file"),
        (lambda t: t.replace("hosts.txt", "none"), "none cannot be read: No such file or directory; name a file"),
        (lambda t: t.replace("10.250.0.10", "10.20.0.5"), "10.20.0.5 is one of the hosts, too; ping others"),
        (lambda t: t.replace("10.250.0.10", "'fd00::1'"), "has no address of the family of 10.20.0.5"),
        (lambda t: t + "rate: 1\nevery: 5s\n", ""),
    ],
)
def test_each_mistake_is_told(folder: Path, change: Callable[[str], str], said: str) -> None:
    if not said:
        many = "".join(f"10.20.0.{number} ams\n" for number in range(1, 5))
        (folder / "hosts.txt").write_text(many)
        said = "1:1: error: 4 pings at 1 a second take 4 s of a round of 5 s; write a longer `every`, or fewer hosts"
    found = mistakes(folder, change(MINIMAL))
    assert any(said in line for line in found), found


def test_the_key_must_not_be_open_to_others(folder: Path) -> None:
    (folder / "fleet.key").chmod(0o644)
    assert "is open to others (mode 0644)" in mistakes(folder, MINIMAL)[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no host; write an address and its site on each line"),
        ("10.20.0.5\n", ":1: '10.20.0.5' has no site; write `10.20.0.5 ams`"),
        ("\nams 10.20.0.5\n", ":2: 'ams' is not an address such as 10.20.0.5"),
        ("10.20.0.5 ams\n10.20.0.5 cph\n", ":2: 10.20.0.5 is there twice; keep one"),
        ("224.0.0.1 ams\n", "is not the address of one host"),
        ("255.255.255.255 ams\n", "is not the address of one host"),
        ("127.0.0.1 ams\n", "is not the address of one host"),
        ("fe80::1%eth0 ams\n", "has a zone"),
        ("10.20.0.5 -\n", "'-' is no site's name"),
        ("10.20.0.5 " + "s" * 60 + "\n", "is longer than 63 characters"),
        ("x\n" * 100, "and 80 more"),
        ("".join(f"10.20.{n >> 8}.{n & 255} ams\n" for n in range(1001)), "names 1001 hosts; 1000 at most"),
        ("#" * (1 << 20) + "\n", "has more than 1048576 octets"),
    ],
)
def test_a_hitlist_that_is_not_taken_says_why(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "hosts.txt"
    path.write_text(text)
    with pytest.raises(HitlistError) as error:
        read_hitlist(path)
    assert said in str(error.value)


def test_a_host_is_known_by_its_site_and_address(folder: Path) -> None:
    assert read_hitlist(folder / "hosts.txt")[0] == Host(ip_address("10.20.0.5"), "ams")
