"""docs/decode.md and docs/stream.md say what the code does."""

from tests.pipeline.decode_docs import CONSOLE, DECODE, PYTHON, STREAM, written


def test_the_examples_print_what_the_documents_say() -> None:
    for path, text in written().items():
        assert path.read_text() == text, f"{path.name}: python -m tests.pipeline.decode_docs writes what is right"


def test_there_are_examples_and_they_print_something() -> None:
    assert len(CONSOLE.findall(DECODE.read_text())) >= 5
    assert all(len(block.splitlines()) > 1 for block in CONSOLE.findall(DECODE.read_text()))
    assert sum(bool(printed) for _, printed in PYTHON.findall(STREAM.read_text())) >= 4
