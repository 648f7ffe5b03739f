"""Any text is a configuration or a ConfigError, never another exception."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.config import Config, rendered
from pipeline.config.load import read
from tests import needs

EXAMPLE = (needs.ROOT / "examples" / "contoso.yaml").read_bytes()
WORDS = st.sampled_from(
    ["null", "[]", "{}", "-1", "0", "1e400", "true", "''", "a", "[[a]]", "{a: b}", "10.0.0.1", "::1", "*a", "&a", "!!x",
     '"\\UFFFFFFFF"', '"\\ud800"', "9" * 25, "0001-01-01T00:00:00+23:59", "fe80::1%eth0", "http://[", "%"]
)  # fmt: skip
GATE = settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
HUNT = settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def judged(raw: bytes) -> None:
    config, problems = read(raw, Path("intent.yaml"))
    assert isinstance(config, Config) or problems
    for line in rendered(problems):
        line.encode("utf-8")
        assert "\n" not in line


LINES = EXAMPLE.decode().splitlines()


def changed(edits: list[tuple[int, str]]) -> bytes:
    """The example with some of its values replaced."""
    lines = list(LINES)
    for number, word in edits:
        line = lines[number % len(lines)]
        key, colon, _ = line.partition(": ")
        lines[number % len(lines)] = f"{key}: {word}" if colon else f"{line.split('#')[0]} {word}"
    return "\n".join(lines).encode("utf-8", "surrogatepass")


EDITS = st.lists(st.tuples(st.integers(0, len(LINES)), WORDS), min_size=1, max_size=4)


@GATE
@given(st.text())
def test_any_text(text: str) -> None:
    judged(text.encode("utf-8", "surrogatepass"))


@GATE
@given(st.binary())
def test_any_bytes(raw: bytes) -> None:
    judged(raw)


@GATE
@given(EDITS)
def test_any_change_of_the_example(edits: list[tuple[int, str]]) -> None:
    judged(changed(edits))


@GATE
@given(st.integers(0, len(EXAMPLE)), st.integers(0, 40), st.binary(max_size=6))
def test_any_damage_to_the_example(start: int, size: int, put: bytes) -> None:
    judged(EXAMPLE[:start] + put + EXAMPLE[start + size :])


@pytest.mark.hunt
@HUNT
@given(EDITS)
def test_any_change_of_the_example_at_length(edits: list[tuple[int, str]]) -> None:
    judged(changed(edits))
