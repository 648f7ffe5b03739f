"""Every fault of the network, watched by the real daemon: the findings that should come, come, and no others."""

from collections.abc import Iterator

import pytest

from lab import faults
from tests.lab.test_blindness import CUTS, RESTARTS
from tests.lab.test_probed_verbs import CASES as PROBED
from tests.lab.test_slower_verbs import CASES as SLOWER
from tests.lab.watching import PREFIX, STEADY, Case, about, case, lab_watched, try_fault
from tests.rig import Rig

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]


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


ELSEWHERE = {"fib-stuck", "narrow"}
"""Faults that no lab test holds to their findings yet."""
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
)


@pytest.fixture(scope="module")
def watched() -> Iterator[Rig]:
    with lab_watched("verbs", 8490) as made:
        yield made


@pytest.mark.parametrize("fault", CASES, ids=str)
def test_a_fault_opens_exactly_its_findings_and_they_clear(watched: Rig, fault: Case) -> None:
    try_fault(watched, fault)


def test_flapping_is_one_finding_however_often_it_goes_down(watched: Rig) -> None:
    watched.forget()
    faults.inject(watched.lab, "flap", ("eus", "vdi"))
    flapping = about("flapping", "vdi", region="eus")
    watched.settled({flapping}, within=10, steady=STEADY)
    watched.settled(set(), within=90, steady=1)
    assert watched.seen_open == {flapping}


def test_every_verb_of_the_lab_is_tried_here() -> None:
    tried = {each.verb for each in (*CASES, *CUTS)} | {"flap", *(verb for verb, *_ in RESTARTS)}
    probed = {each.words.split()[0] for each in (*PROBED, *SLOWER)} | {"noise"}
    assert tried | probed | ELSEWHERE == set(faults.VERBS)
