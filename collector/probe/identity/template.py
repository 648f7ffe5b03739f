"""What is looked for in a body: literal text with holes, such as `served by {instance} in {region}.`

Not a regular expression: a body comes from the network, and those of the standard library can take exponential time on
it. A hole takes one to 63 letters, digits, `.`, `_` and `-`, up to the next place where the text behind the hole
begins, or as many as there are where nothing is behind it. Each place of a body is looked at once: linear time.
"""

import re
from dataclasses import dataclass

HOLES = ("region", "nva", "instance", "generation", "")
LONGEST_TEXT = 1000  # characters of a template
LONGEST_NAME = 63  # characters in a hole: what a name has in the intent
MOST_TRIED = 1000  # places where the first literal stands; a page that repeats it more often names nobody

_HOLE = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Template:
    """Literals around holes: one literal more than holes."""

    literals: tuple[str, ...]
    holes: tuple[str, ...]
    """Names of HOLES; the text in the empty one is looked up among known texts."""

    def find(self, body: str) -> dict[str, str] | None:
        """Return what stands in the holes where the template first fits; None where it fits nowhere."""
        first, at = self.literals[0], -1
        for _ in range(MOST_TRIED):
            at = body.find(first, at + 1)
            if at < 0:
                return None
            found = self._fits(body, at + len(first))
            if found is not None:
                return found
        return None

    def _fits(self, body: str, at: int) -> dict[str, str] | None:
        found = {}
        for hole, literal in zip(self.holes, self.literals[1:], strict=True):
            end = _end(body, at, literal)
            if not at < end <= at + LONGEST_NAME or not _NAME.fullmatch(body, at, end):
                return None
            found[hole] = body[at:end]
            at = end + len(literal)
        return found


def read_template(value: object) -> Template:
    """Read `{name}` and the text around it; raises ValueError with a sentence."""
    if not isinstance(value, str) or not value or len(value) > LONGEST_TEXT:
        raise ValueError(f"{value!r:.60} is no text of 1 to {LONGEST_TEXT} characters; write one such as 'by {{nva}}.'")
    pieces = _HOLE.split(value)
    literals, holes = tuple(pieces[::2]), tuple(pieces[1::2])
    if not holes or any(hole not in HOLES for hole in holes) or len(set(holes)) != len(holes):
        known = "{region}, {nva}, {instance}, {generation} or {}"
        raise ValueError(f"{value!r:.60} needs a hole, each once, where the name stands in the body: {known}")
    if not literals[0] or any(not literal for literal in literals[1:-1]):
        raise ValueError(f"{value!r:.60} needs text before each hole, to know where the hole begins")
    return Template(literals, holes)


def _end(body: str, at: int, literal: str) -> int:
    """Where a hole ends that begins at `at`; -1 where its literal does not follow."""
    if literal:
        return body.find(literal, at + 1, at + LONGEST_NAME + len(literal))
    name = _NAME.match(body, at, at + LONGEST_NAME + 1)
    return name.end() if name else -1
