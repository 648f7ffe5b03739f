"""docs/quirks.md names a test for each habit, and each of them is there."""

import ast
import re
from functools import cache
from pathlib import Path

from tests.needs import ROOT

PAGE = (ROOT / "docs" / "quirks.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows(page: str) -> list[str]:
    """The rows of its tables, without their heads."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [line for line in lines if not line.startswith(("| habit", "|---"))]


@cache
def functions_of(path: Path) -> frozenset[str]:
    """The test functions of a file."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in ast.parse(path.read_text()).body if isinstance(node, kinds))


def lacking(page: str) -> list[str]:
    """Tests that a page names and nobody has."""
    return [name for path, name in NAMED.findall(page) if name not in functions_of(ROOT / path)]


def test_every_habit_has_a_test_that_is_there() -> None:
    assert lacking(PAGE) == []
    assert [row for row in rows(PAGE) if len(NAMED.findall(row)) != 1] == []
    assert len(rows(PAGE)) > 60


def test_no_habit_is_told_twice() -> None:
    named = NAMED.findall(PAGE)
    assert len(set(named)) == len(named)


def test_a_test_that_is_not_there_is_missed() -> None:
    assert lacking("`tests/collector/bmp/test_quirks.py::test_nobody_wrote_this`") == ["test_nobody_wrote_this"]


def test_the_page_of_what_is_decoded_leads_to_it() -> None:
    assert "(quirks.md)" in (ROOT / "docs" / "decoding.md").read_text()
