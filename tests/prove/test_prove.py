from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import evidence
from tests.prove import __main__ as proving
from tests.prove import partial
from tests.prove.figures import Proven, Target, percentile
from tests.prove.partial import Partial


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(partial, "FOLDER", tmp_path)
    monkeypatch.setattr(evidence, "FOLDER", tmp_path / "evidence")
    return tmp_path


def test_a_proof_goes_on_where_it_was_stopped(folder: Path) -> None:
    Partial("some", "part").add({"ms": 1})
    again = Partial("some", "part")
    again.add({"ms": 2})
    assert Partial("some", "part").repeats == [{"ms": 1}, {"ms": 2}]
    assert Partial("some", "other").repeats == []


def test_repeats_of_other_code_are_forgotten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Partial("some", "part").add({"ms": 1})
    monkeypatch.setattr(partial, "code", lambda: "another")
    assert Partial("some", "part").repeats == []


def test_fresh_forgets_one_proof_and_no_other(folder: Path) -> None:
    Partial("some", "part").add({"ms": 1})
    Partial("someone", "part").add({"ms": 2})
    partial.forget("some")
    assert (Partial("some", "part").repeats, Partial("someone", "part").repeats) == ([], [{"ms": 2}])


def test_the_code_that_is_measured_has_a_name_of_its_own() -> None:
    assert len(partial.code()) == 16
    assert partial.code() == partial.code()


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target("a", 100.0, at_most=100), True),
        (Target("a", 100.1, at_most=100), False),
        (Target("a", 0, exactly=0), True),
        (Target("a", 1, exactly=0), False),
        (Target("a", 9, at_least=10), False),
        (Target("a", 10, at_least=10), True),
    ],
)
def test_a_target_is_met_or_missed(target: Target, met: bool) -> None:
    assert target.met is met
    assert str(target).startswith("met" if met else "MISSED")


def test_a_percentile_is_one_of_the_values_and_covers_its_share() -> None:
    values = [float(number) for number in range(1, 201)]
    assert [percentile(values, share) for share in (0.5, 0.99, 1.0)] == [100.0, 198.0, 200.0]
    assert percentile([7.0], 0.99) == 7.0


@pytest.mark.parametrize(("value", "proven"), [(0.0, True), (1.0, False)])
def test_a_missed_target_fails_the_run_and_the_figures_are_kept(folder: Path, value: float, proven: bool) -> None:
    found = Proven(7, {"wrong": value}, (Target("wrong", value, exactly=0),))
    proof = SimpleNamespace(NAME="made", __doc__="What is made.", prove=lambda say: found)
    assert proving.run(proof, True) is proven  # type: ignore[arg-type]
    assert '"wrong"' in (folder / "evidence" / "made.json").read_text()
