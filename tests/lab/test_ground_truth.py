"""The log of faults has the last word on each, and what is active outlives the process that did it."""

from dataclasses import replace
from pathlib import Path

import pytest

from lab import ground_truth
from lab.faults import FaultError, active
from lab.ground_truth import Entry
from lab.topology import Lab

ONE = Entry("a1", "withdraw", ("weu",), "web in weu", 100.0, "a monitor", 100.2, "gone")
TWO = Entry("b2", "hijack", (), "10.250.0.10/32", 90.0)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    found = Lab("paper", state=tmp_path)
    found.folder.mkdir()
    return found


def test_a_later_line_is_the_whole_truth_about_a_fault(lab: Lab) -> None:
    assert ground_truth.read(ground_truth.path(lab)) == ()
    healed = replace(ONE, t_heal=110.0, t_heal_effect=110.5)
    for entry in (ONE, TWO, healed):
        ground_truth.append(lab, entry)
    assert ground_truth.read(ground_truth.path(lab)) == (TWO, healed)
    assert len(ground_truth.path(lab).read_text().splitlines()) == 3


def test_active_faults_are_there_for_another_process_until_they_are_dropped(lab: Lab) -> None:
    assert active.load(lab) == ()
    with active.alone(lab):
        active.put(lab, ONE)
        active.put(lab, TWO)
        active.put(lab, replace(ONE, t_effect=101.0))
    assert active.load(lab) == (TWO, replace(ONE, t_effect=101.0))
    active.drop(lab, TWO)
    assert [each.id for each in active.load(lab)] == ["a1"]


def test_a_lab_that_is_not_up_has_no_faults(tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="not up"), active.alone(Lab("nowhere", state=tmp_path)):
        pass
