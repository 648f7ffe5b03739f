"""AS-path expressions that may be written, and those that a long path would make slow."""

import re
import time

import pytest

from pipeline.config.paths import as_path_expression

LONG_PATH = " ".join(["65010"] * 1000) + " 1x"  # as long as one UPDATE can carry, and matching nothing


@pytest.mark.parametrize(
    "text",
    [
        "65010$", "(^| )65010$", "^65515 65010", "^65515( 65010)+$", "(^| )(65010|65020|65030)( |$)", r"\b65010\b",
        "^65515 .*65010$", "^12076$", "( 65010){2,}$", "(?:65010 )*65020", "650[0-9]0", r"\d+ 65010",
    ],
)  # fmt: skip
def test_what_people_write_is_taken_and_quick(text: str) -> None:
    expression = re.compile(as_path_expression(text))
    begun = time.process_time()
    expression.search(LONG_PATH)
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize(
    "text",
    [
        "(65010+)+$", "(65010 ?)+$", "(6|5|65)*$", "(a*)*$", "((6501)*0)+$", r"(\d+ )+$", r"(6\(+)+$", "([)+]*)*$",
        ".*.*x", r"\d*\d*x", "1*1*1*x", r"(65010)\1", "(?=65010)", "(?P<n>6)", "a?" * 20, "(1|2)" * 20, "(a{2,}){3}",
    ],
)  # fmt: skip
def test_what_could_be_slow_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"repeats|back reference|choices"):
        as_path_expression(text)


def test_an_as_number_alone_is_an_expression() -> None:
    assert as_path_expression(65010) == "65010"


@pytest.mark.parametrize("value", [None, True, "", 1.5, ["65010"]])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is no expression"):
        as_path_expression(value)
