"""YAML text to plain values: the core schema, places, and bounds that hostile text meets early."""

import time

import pytest

from collector.written.document import DEEPEST, LARGEST, LONGEST_SCALAR, Document, Tree, read_document

SECONDS = 15.0  # for what takes about two on an idle machine


def parsed(text: str) -> Tree:
    document = read_document(text.encode())
    assert not document.faults
    return document.tree


def fault(text: str | bytes) -> str:
    [found] = read_document(text if isinstance(text, bytes) else text.encode()).faults
    return f"{found.mark.line}:{found.mark.column} {found.message}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("65515:40", "65515:40"), ("190:20:30", "190:20:30"), ("on", "on"), ("no", "no"), ("0o17", "0o17"),
        ("true", True), ("False", False), ("~", None), ("", None), ("017", 17), ("-4", -4), ("0.8", 0.8),
        ("1e3", 1000.0),
        ('"12"', "12"), ("2026-12-01", "2026-12-01"), ("1_000", "1_000"), ("9" * 30, "9" * 30), (".inf", ".inf"),
    ],
)  # fmt: skip
def test_scalars_are_read_as_yaml_1_2_says(text: str, value: object) -> None:
    found = parsed(f"a: {text}\n")["a"]
    assert found == value
    assert type(found) is type(value)


def test_a_version_directive_of_1_1_does_not_change_that() -> None:
    assert parsed("%YAML 1.1\n---\na: 190:20:30\nb: yes\n") == {"a": "190:20:30", "b": "yes"}


def test_every_value_knows_its_place() -> None:
    document = read_document(b"a:\n  b: [x, y]\n")
    assert (document.mark(("a", "b", 1)).line, document.mark(("a", "b", 1)).column) == (2, 10)
    assert (document.mark(("a", "b"), on_key=True).line, document.mark(("a", "b"), on_key=True).column) == (2, 3)
    assert document.mark(("a", "nothing")) == document.keys[("a",)]
    assert document.mark(()).line == 1


def test_a_key_given_twice_is_one_fault_and_the_first_value_counts() -> None:
    document = read_document(b"a: 1\nb: 2\na: {c: 3}\n")
    assert [each.message for each in document.faults] == ["is given twice, first on line 1; keep one"]
    assert document.tree == {"a": 1, "b": 2}
    assert ("a", "c") not in document.values


def test_an_empty_text_holds_nothing() -> None:
    assert read_document(b"# nothing\n") == Document()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x 1\n", "1:4 &x is an anchor"),
        ("a: *x\n", "1:4 *x is an alias"),
        ("a: !!int 4\n", "1:4 'tag:yaml.org,2002:int' is a tag"),
        ("a: !ruby/object 4\n", "1:4 '!ruby/object' is a tag"),
        ("? [a]\n: 1\n", "1:3 has a list, a mapping or an alias for a key"),
        ("a: 1\n---\nb: 2\n", "2:1 begins a second document"),
        ("a: [1\n", "2:1 is not YAML"),
        ('a: "\\ud800"\n', "1:4 holds a control character or half a character"),
        ('a: "\\x00"\n', "1:4 holds a control character"),
        ('a: "\\UFFFFFFFF"\n', "1:1 is not YAML"),
        (f"a: {'x' * (LONGEST_SCALAR + 1)}\n", "1:4 has 4097 characters"),
        ("[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), "1:18 is nested deeper than 16 levels"),
        ("b: 1\na: \x07\n", "2:4 is not YAML: holds a control character"),
    ],
)
def test_what_has_no_place_in_an_intent_is_a_fault(text: str, said: str) -> None:
    assert fault(text).startswith(said)


def test_bytes_that_are_not_utf_8_name_their_line() -> None:
    assert fault(b"a: 1\nb: \xff\n") == "2:1 is not UTF-8 text; save it as UTF-8"


def test_a_file_over_a_mebibyte_is_not_looked_at() -> None:
    assert fault(b"#" * (LARGEST + 1)).startswith("1:1 has 1048577 bytes")


LAUGHS = "a: &a [lol, lol, lol]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        "[" * LARGEST,
        "{a: " * (LARGEST // 4),
        "- " * (LARGEST // 2),
        "? " * (LARGEST // 2),
        "a: [" + "1," * (LARGEST // 2 - 5) + "]",
        "\n".join(f"k{number}: v" for number in range(90_000)),
        "a: '" + "\n" * (LARGEST - 10) + "'",
        "#\n" * (LARGEST // 2),
        "a: !<tag:" + "x" * (LARGEST - 20) + "> 1",
        "a: \"" + "\\x41" * (LARGEST // 4 - 10) + '"',
        "a: " + "9" * (LARGEST - 10),
        "k: v\n" * (LARGEST // 5),
    ],
    ids=["laughs", "brackets", "braces", "dashes", "questions", "items", "keys", "lines", "comments", "tag", "escapes",
         "digits", "twice"],
)  # fmt: skip
def test_hostile_text_ends_soon(text: str) -> None:
    begun = time.process_time()
    document = read_document(text.encode())
    assert time.process_time() - begun < SECONDS
    assert document.faults or document.tree is None
