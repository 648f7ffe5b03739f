"""AS-path expressions: what they find, what they do not, what is none, and that no path takes long."""

import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.route import Asn, AsPath, Segment, SegmentKind
from collector.stream.expression import DEEPEST, LONGEST, STATES, ExpressionError, PathExpression

FINDS = (
    ("^681_1444_", "681 1444 3"),
    ("^681_1444_", "681 1444"),
    ("_65010_", "65010"),
    ("_65010_", "1 65010 2"),
    ("_65010_", "1 {2,65010}"),
    ("_65010_", "(65010 3) 1"),
    ("_65010_", "[3,65010] 1"),
    ("^_65010", "65010"),
    ("^$", ""),
    (".*", ""),
    ("^[0-9]+$", "65010"),
    ("^6451[2-9]$", "64515"),
    ("_65010$", "3 65010"),
    ("1|2$", "1 3"),
    ("(_6501[05])+$", "1 65010 65015"),
    (r"\{2,3\}", "1 {2,3}"),
    ("{2,3}", "1 {2,3}"),
    (r"^\d+ \d+$", "64500 1"),
    ("^65010(_65010)*$", "65010 65010 65010"),
    ("[_]3", "1 3"),
    ("1[^0-9]+2", "1 2"),
    ("()*1", "1"),
    ("^1**$", "111"),
)
MISSES = (
    ("^681_1444_", "681 14445"),
    ("^681_1444_", "2 681 1444"),
    ("_65010_", "165010"),
    ("_65010_", "650100 65011"),
    ("^$", "1"),
    ("^[0-9]+$", "65010 1"),
    ("^6451[2-9]$", "64511"),
    ("_65010$", "65010 3"),
    ("^65010(_65010)*$", "65010 65011 65010"),
    ("1[^0-9]+2", "132"),
    ("{2,3}", "22"),
    ("3$1", "31"),
)
WRONG = {
    "": "empty",
    "AS65010": "'A' stands in no AS path",
    "*1": "'*' repeats nothing",
    "(1": "'(' is never closed",
    "1)": "')' closes no group",
    "[12": "'[' is never closed",
    "[5-1]": "'5-1' is no range of digits",
    "(1)_\\1": "refers back",
    "1\\": "escapes nothing",
    "(" * (DEEPEST + 1): f"more than {DEEPEST} deep",
    "1" * (LONGEST + 1): f"{LONGEST} are the most",
}


@pytest.mark.parametrize(("text", "path"), FINDS)
def test_an_expression_finds(text: str, path: str) -> None:
    assert PathExpression(text).search(path)


@pytest.mark.parametrize(("text", "path"), MISSES)
def test_an_expression_does_not_find(text: str, path: str) -> None:
    assert not PathExpression(text).search(path)


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_expression_is_told_with_the_place_and_what_would_be_right(text: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(WRONG[text])):
        PathExpression(text)


CATASTROPHES = ("(([0-9]+)+)+x", "(.*)*x", "^(([0-9]+ ?)*)*x$", "([0-9 ]|[0-9 ]|[0-9 ])*x", "(.*.*.*.*.*)x", "(_?.?)*x")


@pytest.mark.parametrize("text", CATASTROPHES)
def test_what_takes_a_backtracking_engine_for_ever_takes_ours_no_longer_than_any_other(text: str) -> None:
    """Twenty times the path takes about twenty times as long, not a million times."""
    expression = PathExpression(text.replace("x", r"\}"))
    short, long = "1 " * 500, "1 " * 10_000
    assert not expression.search(short)
    began = time.perf_counter()
    assert not expression.search(long)
    assert time.perf_counter() - began < 1
    assert expression.search(long + "1}")


def test_an_expression_with_too_many_states_forgets_them_and_still_finds() -> None:
    """The automaton of this one has 2 to the power of 40 states."""
    expression = PathExpression("1" + "[01]" * 40 + "2")
    noise = "".join(random.Random(7).choices("01", k=20_000))
    assert not expression.search(noise)
    assert len(expression._known) <= STATES
    assert expression.search(noise + "1" + "0" * 40 + "2")
    assert not expression.search("0" + "1" * 10 + "2")


PIECES = st.sampled_from(
    ["1", "2", "23", "_", "^", "$", ".", "[12]", "[^2]", "(1|_2)", "(2_?)*", "1*", "_+", "3?", "|"]
)


@given(
    st.lists(PIECES, min_size=1, max_size=8).map("".join).filter(lambda text: not text.startswith(("*", "+", "?"))),
    st.lists(st.sampled_from([1, 2, 3, 12, 23, 123]), max_size=5),
    st.booleans(),
)
def test_it_finds_what_a_backtracking_engine_finds(text: str, asns: list[int], as_set: bool) -> None:
    path = AsPath.of(*asns)
    if as_set and asns:
        path = AsPath((*path.segments, Segment(SegmentKind.SET, (Asn(1), Asn(2)))))
    theirs = re.sub(r"(?<!\[)_", r"(?:^|$|[ ,{}()\[\]])", text).replace("$", r"\Z")
    assert PathExpression(text).search(str(path)) == bool(re.search(theirs, str(path)))
