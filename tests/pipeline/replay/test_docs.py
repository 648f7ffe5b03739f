"""docs/replay.md says what `catchment replay` prints."""

from tests.pipeline.replay.docs import CONSOLE, DOCUMENT, written


def test_the_examples_print_what_the_document_says() -> None:
    assert DOCUMENT.read_text() == written(), "python -m tests.pipeline.replay.docs writes what is right"


def test_there_are_examples_of_both_sides() -> None:
    found = [match[0] for match in CONSOLE.finditer(DOCUMENT.read_text())]
    assert len(found) == 6
    assert sum("missing-everywhere opened" in each for each in found) == 4
