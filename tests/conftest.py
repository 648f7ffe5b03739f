"""Two ways to run the property tests.

gate  the default: the same examples every run, so that a failure is the change's and not the day's.
hunt  `pytest -m hunt`: every property test, random, with twenty times the examples; what it finds becomes a named test.
"""

import os

import pytest
from hypothesis import is_hypothesis_test, settings

for decides in ("COLUMNS", "LINES"):  # parallel workers are given a terminal's size, and have none
    os.environ.pop(decides, None)

settings.register_profile("gate", derandomize=True, max_examples=100, deadline=None, database=None)
settings.register_profile("hunt", max_examples=2000, deadline=None, database=None, print_blob=True)


def _hunting(config: pytest.Config) -> bool:
    return bool(config.getoption("markexpr") == "hunt")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the profile before any property is defined."""
    settings.load_profile("hunt" if _hunting(config) else "gate")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let `-m hunt` select every property test."""
    if _hunting(config):
        for item in items:
            if isinstance(item, pytest.Function) and is_hypothesis_test(item.obj):
                item.add_marker(pytest.mark.hunt)
                item.add_marker(pytest.mark.timeout(1800))
