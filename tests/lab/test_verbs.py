"""Every fault of the lab, watched by the real daemon: the findings that should come, come, and no others."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lab import faults, lifecycle
from tests import needs
from tests.rig import Rig, eventually, rig

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

PREFIX = {"web": "10.250.0.10/32", "dns": "10.250.0.53/32", "vdi": "10.250.8.0/24"}
STEADY = 4.0  # seconds that exactly the expected findings must stay open


def about(kind: str, service: str, **parts: str) -> str:
    """The key of a finding about a service's prefix."""
    rest = "".join(f"|{name}={value}" for name, value in parts.items())
    return f"{kind}|service={service}|prefix={PREFIX[service]}{rest}"


def lost_nva(region: str, nva: str) -> set[str]:
    """One of two NVAs died: its session, and fewer equal paths for what it carried; nothing more."""
    down = f"session-down|region={region}|nva={nva}|vantage=gobgp/{nva}"
    return {down, *(about("ecmp-shrunk", service, region=region) for service in PREFIX)}


def lost_region(region: str, *services: str) -> set[str]:
    """A region stopped advertising: what that is, and what it does to redundancy and to the sites."""
    found = {about("missing", service, region=region) for service in services}
    found |= {about("redundancy-low", service) for service in services}
    if region == "weu":
        found |= {about("backup-active", service, site="ams") for service in services}
        found |= {about("backup-active", "dns", site="nyc")} if "dns" in services else set()
    return found | {about("ecmp-shrunk", service, site="nyc") for service in services if service != "dns"}


@dataclass(frozen=True)
class Case:
    """A fault, and every finding that must open while it lasts."""

    verb: str
    words: tuple[str, ...]
    expected: frozenset[str]

    def __str__(self) -> str:
        return " ".join((self.verb, *self.words))


def case(verb: str, *words: str, opens: set[str]) -> Case:
    """Write a case in one line."""
    return Case(verb, words, frozenset(opens))


LESS_EQUAL = about("ecmp-shrunk", "web", region="weu")
DRIFT = {about("attribute-drift", each, region="weu", site="ams", detail="LOCAL_PREF") for each in PREFIX}
CASES = (
    case("withdraw", "weu-nva1", "web", opens={about("missing", "web", region="weu", nva="weu-nva1"), LESS_EQUAL}),
    case("withdraw", "weu", "vdi", opens=lost_region("weu", "vdi")),
    case("kill-app", "eus", opens=lost_region("eus", "web", "dns", "vdi")),
    case("kill-nva", "weu-nva2", opens=lost_nva("weu", "weu-nva2")),
    case("freeze-nva", "eus-nva1", opens=lost_nva("eus", "eus-nva1")),
    case("silent-drop", "weu-nva1", opens=lost_nva("weu", "weu-nva1")),
    case("session-down", "weu-msee1", "ams-ce1", opens={"session-down|site=ams|vantage=ams-weu-msee1"}),
    case("hijack", opens={about("unexpected-origin", "web", detail="AS65999")}),
    case("more-specific", opens={about("more-specific", "vdi", detail="10.250.8.0/25")}),
    case("drop-prepend", opens={about("prepend-lost", "dns", region="eus")}),
    case("change-local-pref", opens=DRIFT),
    case("cut-bmp", "--reset", "ams-ce1", opens={"blind|site=ams|exporter=ams-ce1"}),
    case("cut-bmp", "--silent", "nyc-ce1", opens={"blind|site=nyc|exporter=nyc-ce1"}),
)


@pytest.fixture(scope="module")
def watched() -> Iterator[Rig]:
    needs.root()
    for program, package in (("bird", "bird2"), ("bgpd", "frr"), ("gobgpd", "gobgpd"), ("haproxy", "haproxy")):
        needs.tool(program, package)
    with TemporaryDirectory(prefix="catchment-verbs-") as folder, rig("verbs", Path(folder), 8490) as made:
        yield made


@pytest.mark.parametrize("fault", CASES, ids=str)
def test_a_fault_opens_exactly_its_findings_and_they_clear(watched: Rig, fault: Case) -> None:
    watched.forget()
    try:
        faults.inject(watched.lab, fault.verb, fault.words)
        watched.settled(set(fault.expected), within=35, steady=STEADY)
    finally:
        faults.heal(watched.lab)
    watched.settled(set(), within=40, steady=1)
    assert watched.seen_open == fault.expected
    eventually(lambda: not lifecycle.lacking(watched.lab), 30, what="a healthy lab")


def test_flapping_is_one_finding_however_often_it_goes_down(watched: Rig) -> None:
    watched.forget()
    faults.inject(watched.lab, "flap", ("eus", "vdi"))
    flapping = about("flapping", "vdi", region="eus")
    watched.settled({flapping}, within=10, steady=STEADY)
    watched.settled(set(), within=90, steady=1)
    assert watched.seen_open == {flapping}


@pytest.mark.parametrize(
    "restart", [("restart-gobgp",), ("restart-catchment",), ("restart-catchment", "--kill")], ids=" ".join
)
def test_restarts_are_no_fault_of_the_network(watched: Rig, restart: tuple[str, ...]) -> None:
    watched.forget()
    verb, *words = restart
    faults.inject(watched.lab, verb, words)
    eventually(watched.answers, 30, what="an answer of the daemon")
    eventually(watched.healthy, 90, what="a healthy network")
    watched.settled(set(), within=5, steady=STEADY)
    assert watched.seen_open <= {"blind|exporter=gobgp"}


def test_every_verb_of_the_lab_is_tried_here() -> None:
    tried = {each.verb for each in CASES} | {"flap", "restart-gobgp", "restart-catchment"}
    assert tried == set(faults.VERBS)
