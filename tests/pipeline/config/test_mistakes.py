"""One file per mistake: `mistakes/NAME.yaml`, and beside it in `NAME.expected` the exact lines that `check` prints."""

from pathlib import Path

import pytest

from pipeline.config import ConfigError, Weight, check, load, rendered

FOLDER = Path(__file__).parent / "mistakes"
FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_mistake_is_named_with_file_line_key_and_what_would_be_right(file: Path) -> None:
    expected = file.with_suffix(".expected").read_text(encoding="utf-8").splitlines()
    found = [line.removeprefix(f"{FOLDER}/") for line in rendered(check(file))]
    assert found == expected


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_is_refused_exactly_when_one_of_its_problems_is_an_error(file: Path) -> None:
    problems = check(file)
    if any(problem.severity is Weight.ERROR for problem in problems):
        with pytest.raises(ConfigError) as caught:
            load(file)
        assert caught.value.problems == problems
    else:
        assert load(file).lints == problems


def test_every_file_but_the_healthy_one_has_a_problem_of_the_weight_its_name_says() -> None:
    weights = {file.stem: {problem.severity for problem in check(file)} for file in FILES}
    assert weights.pop("healthy") == set()
    for name, found in weights.items():
        assert found == ({Weight.LINT} if name.startswith("lint-") else {Weight.ERROR}), name


def test_every_problem_points_into_the_file() -> None:
    for file in FILES:
        lines = file.read_bytes().split(b"\n")
        for problem in check(file):
            assert 1 <= problem.line <= len(lines), problem
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1, problem


def test_every_mistake_of_a_file_is_named_at_once() -> None:
    commented = [
        number
        for number, line in enumerate((FOLDER / "everything-at-once.yaml").read_text().splitlines(), 1)
        if "#" in line
    ]
    found = {problem.line for problem in check(FOLDER / "everything-at-once.yaml")}
    overlap_is_told_at_the_inner_prefix = {15: 12}
    overlap_is_told_at_the_inner_source = {34: 33}
    moved = overlap_is_told_at_the_inner_prefix | overlap_is_told_at_the_inner_source
    assert found == {moved.get(line, line) for line in commented}
