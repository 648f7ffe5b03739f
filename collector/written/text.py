"""The bytes of a written file as text, and the sections that it is made of."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

REPLACED = "\ufffd"
MOST_SECTIONS = 40  # an intent has 16; each is looked for from the beginning of the file

# What YAML 1.2 (5.1) does not take as it stands.
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NEW_LINE = re.compile(r"\r\n|\r|\n")
_TOP = re.compile(r"[^\s#%\-\]}),]")
_TOP_KEY = re.compile(r"[\"']?([A-Za-z_][\w.-]*)[\"']?\s*:(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Section:
    """A key at the left margin and what belongs to it."""

    line: int
    key: str | None
    """None where the line begins with something that is no key."""
    alone: str
    """The section on its own lines of an otherwise empty text."""


def without_control(raw: bytes) -> tuple[str, list[tuple[int, int, str]]]:
    """Return the text with REPLACED for what is no text, and line, column and complaint of each line that held some."""
    if raw.startswith(_WIDE):
        return "", [(1, 1, "is UTF-16 and not UTF-8 text; save it as UTF-8")]
    found: dict[int, tuple[int, int, str]] = {}
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        lines = (number for number, line in enumerate(raw.split(b"\n"), 1) if not _decodes(line))
        found = {line: (line, 1, "is not UTF-8 text; save it as UTF-8") for line in lines}
        text = raw.decode("utf-8-sig", "replace")
    if _CONTROL.search(text):
        for number, line in enumerate(_NEW_LINE.split(text), 1):
            if at := _CONTROL.search(line):
                said = "is not YAML: holds a control character; write plain text"
                found.setdefault(number, (number, at.start() + 1, said))
        text = _CONTROL.sub(REPLACED, text)
    return text, list(found.values())


def _decodes(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def sections(text: str) -> Iterator[Section]:
    """Yield the sections of a text that is no YAML as a whole; none when there are too many."""
    lines = _NEW_LINE.split(text)
    starts = [number for number, line in enumerate(lines) if _TOP.match(line)]
    if len(starts) > MOST_SECTIONS:
        return
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=False):
        key = _TOP_KEY.match(lines[start])
        alone = "\n" * start + "\n".join(lines[start:end]) + ("\n" if end < len(lines) else "")
        yield Section(start + 1, key.group(1) if key else None, alone)
