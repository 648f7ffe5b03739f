"""AS-path expressions: what may be written, so that no route that a router sends can make matching slow."""

import re

AS_PATH_LONGEST = 200
MOST_REPEATS = 2  # `*`, `+`, `{1,}`: each multiplies the work by the length of the path
MOST_CHOICES = 8  # `?` and groups with `|`: each doubles the work at worst

_CLASS = "\0"  # stands for an escape or a character class once the expression's shape is looked at
_ESCAPES = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")
_FIXED = re.compile(r"\{\d+\}")
_REPEAT = re.compile(r"[*+]|\{\d*,\d*\}")
_WIDE_REPEAT = re.compile(r"[.\0](?:[*+]|\{\d*,\d*\})")
_CHOICE = re.compile(r"(?<![*+}?])\?|\|[^()]*\)")
_REPEATED_GROUP = re.compile(r"\)[*+{]")
_REFUSED = re.compile(r"\\[1-9]|\(\?(?!:)")


def as_path_expression(value: object) -> str:
    """Return an expression that is searched in AS paths as text (`65515 65010`).

    Python's expressions backtrack: repetition inside repetition is exponential in the length of a path, and paths come
    from outside. So that is refused, with back references and extensions, and what multiplies is bounded.
    Raises ValueError with what would be right.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text:
        raise ValueError(f"{value!r} is no expression; write one as text, such as '(^| )65010$'")
    if len(text) > AS_PATH_LONGEST:
        raise ValueError(f"the expression has {len(text)} characters; it may have {AS_PATH_LONGEST}")
    if _REFUSED.search(text):
        raise ValueError(f"{text!r} has a back reference or an extension; use groups, alternatives and repetition only")
    if "_" in text:
        raise ValueError(f"{text!r} has _, which no path holds; write (^| ) before a number and ( |$) after it instead")
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r} is no regular expression: {error}; write one such as '(^| )65010$'") from None
    _refuse_slow(text)
    return text


def _refuse_slow(text: str) -> None:
    shape = _ESCAPES.sub(_CLASS, text).replace("(?:", "(")
    for end in (match.start() for match in _REPEATED_GROUP.finditer(shape)):
        if re.search(r"[*+{|?]", _FIXED.sub("", shape[_opening(shape, end) + 1 : end])):
            raise ValueError(
                f"{text!r} repeats a group that itself repeats or branches, which a long path would make slow; "
                "repeat plain groups only, such as ( 65010)+"
            )
    if len(_REPEAT.findall(shape)) > MOST_REPEATS or len(_WIDE_REPEAT.findall(shape)) > 1:
        raise ValueError(
            f"{text!r} repeats too often, which a long path would make slow; "
            f"repeat in {MOST_REPEATS} places at most, and any-character things such as .* once"
        )
    if len(_CHOICE.findall(shape)) > MOST_CHOICES:
        raise ValueError(f"{text!r} has more than {MOST_CHOICES} choices in a row; write a simpler expression")


def _opening(shape: str, end: int) -> int:
    depth = 0
    for at in range(end, -1, -1):
        depth += {")": 1, "(": -1}.get(shape[at], 0)
        if depth == 0:
            return at
    return 0
