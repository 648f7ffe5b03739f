"""Faults of our own eyes: a feed cut, GoBGP or Catchment restarted. Blindness is told; the network is not blamed."""

from collections.abc import Iterator

import pytest

from lab import faults
from tests.lab.watching import STEADY, Case, case, lab_watched, try_fault
from tests.rig import Rig, eventually

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

CUTS = (
    case("cut-bmp", "--reset", "ams-ce1", opens={"blind|site=ams|exporter=ams-ce1"}),
    case("cut-bmp", "--silent", "nyc-ce1", opens={"blind|site=nyc|exporter=nyc-ce1"}),
)
RESTARTS = (("restart-gobgp",), ("restart-catchment",), ("restart-catchment", "--kill"))


@pytest.fixture(scope="module")
def watched() -> Iterator[Rig]:
    with lab_watched("eyes", 8491) as made:
        yield made


@pytest.mark.parametrize("fault", CUTS, ids=str)
def test_a_cut_feed_is_blindness_and_nothing_else(watched: Rig, fault: Case) -> None:
    try_fault(watched, fault)


@pytest.mark.parametrize("restart", RESTARTS, ids=" ".join)
def test_restarts_are_no_fault_of_the_network(watched: Rig, restart: tuple[str, ...]) -> None:
    watched.forget()
    verb, *words = restart
    faults.inject(watched.lab, verb, words)
    eventually(watched.answers, 30, what="an answer of the daemon")
    eventually(watched.healthy, 90, what="a healthy network")
    watched.settled(set(), within=5, steady=STEADY)
    assert watched.seen_open <= {"blind|exporter=gobgp"}
