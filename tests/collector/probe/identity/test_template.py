"""Templates take the text that stands in their holes, in linear time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.probe.identity.template import LONGEST_NAME, read_template


@pytest.mark.parametrize(
    ("template", "body", "found"),
    [
        ("by {nva}.", "<p>served by weu-nva1.</p>", {"nva": "weu-nva1"}),
        ("by {nva}", "served by weu-nva1</p>", {"nva": "weu-nva1"}),
        ("by {nva}", "by <b>x</b>, by eus-nva2", {"nva": "eus-nva2"}),
        ("<{region}|{nva}>", "a <b> <weu|nva1> <eus|nva2>", {"region": "weu", "nva": "nva1"}),
        ("@{region}-{nva}.example", "@weu-nva-1.example", {"region": "weu", "nva": "nva-1"}),
        ("id={}.example.com", "id=web.7.example.com", {"": "web.7"}),
        ("by {nva}.", "by .", None),
        ("by {nva}.", "by a b.", None),
        ("by {nva}", "by " + "x" * LONGEST_NAME, {"nva": "x" * LONGEST_NAME}),
        ("by {nva}", "by " + "x" * (LONGEST_NAME + 1), None),
        ("by {nva}.", "by " + "x" * LONGEST_NAME + ".", {"nva": "x" * LONGEST_NAME}),
        ("by {nva}.", "by " + "x" * (LONGEST_NAME + 1) + ".", None),
        ("by {nva}", "nothing", None),
        ("by {nva}", "", None),
    ],
)
def test_a_hole_takes_a_name_up_to_the_text_behind_it(template: str, body: str, found: dict[str, str] | None) -> None:
    assert read_template(template).find(body) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no text"),
        (7, "is no text"),
        ("x" * 1001, "is no text"),
        ("by", "needs a hole"),
        ("by {host}", "needs a hole"),
        ("by {nva} {nva}", "each once"),
        ("{nva} it was", "needs text before each hole"),
        ("by {region}{nva}", "needs text before each hole"),
    ],
)
def test_a_template_that_cannot_work_is_told(text: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_template(text)


@given(st.text("ab{}. ", max_size=300))
def test_any_body_is_read_or_not_and_nothing_is_raised(body: str) -> None:
    found = read_template("a{}b").find(body)
    assert found is None or f"a{found['']}b" in body


def test_a_body_made_to_be_slow_is_not() -> None:
    template = read_template("a" * 20 + "{}" + "a" * 40 + "b")
    began = time.process_time()
    for _ in range(10):
        assert template.find("a" * (1 << 16)) is None
    assert time.process_time() - began < 1
