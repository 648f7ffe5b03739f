"""docs/decoding.md is what the decoder's tables say now."""

from pathlib import Path

from collector.wire.bgp.problems import Remedy
from collector.wire.document import ACTION_WORDS, TYPE_WORDS, document
from collector.wire.element import KEYS, ElementType

PAGE = Path(__file__).resolve().parents[3] / "docs" / "decoding.md"


def test_the_page_is_what_the_code_makes_now() -> None:
    assert PAGE.read_text() == document()


def test_every_key_type_and_action_is_on_the_page() -> None:
    assert set(TYPE_WORDS) == set(ElementType)
    assert set(ACTION_WORDS) == set(Remedy)
    page = document()
    assert not [key for key in KEYS if f"| {key} | " not in page]
