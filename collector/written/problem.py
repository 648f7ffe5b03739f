"""What is wrong with a file, said so that it can be put right: file, line, key, and what would be right."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

KeyPath = tuple[str | int, ...]
"""Where in the file: mapping keys and list indices from the top."""


class Weight(StrEnum):
    """Whether a problem keeps the file from being used."""

    ERROR = "error"
    LINT = "lint"
    """The file can be used; it probably does not mean what was meant."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file."""

    file: str
    line: int
    """From 1; 0 when the file could not be read at all."""
    column: int
    """From 1; 0 when the file could not be read at all."""
    path: KeyPath
    message: str
    """What is wrong, and what would be right."""
    severity: Weight = Weight.ERROR

    @property
    def key(self) -> str:
        """The key path as people write it: `services.web.prefixes[1]`; empty for the file as a whole."""
        return key_text(self.path)

    def plain(self) -> dict[str, str | int]:
        """Return the problem as JSON can carry it."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "key": self.key,
            "message": self.message,
            "severity": str(self.severity),
        }

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (where, str(self.severity), self.key, self.message) if part)


class ConfigError(Exception):
    """A file that cannot be used. Carries every problem of it, lints too, in the order of the file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(rendered(problems)))
        self.problems = problems


def key_text(path: KeyPath) -> str:
    """Write a key path as people do: `services.web.prefixes[1]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def rendered(problems: Iterable[Problem]) -> tuple[str, ...]:
    """Return one line of text for each problem: `file:line:column: severity: key: message`."""
    return tuple(map(str, problems))
