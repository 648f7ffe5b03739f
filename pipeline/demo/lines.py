"""The demo's lines in the terminal: short, folded at its width with the rest under the beginning, plain where asked."""

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, replace

from rich.text import Text

from anycast.plain import Plain, parse_stamp
from pipeline.cli.shown import SEVERITY_STYLE, console

MARGIN = "  "
CLOCK, WORD = 12, 11  # columns of a time of day, and of the word for what happened
NARROWEST = 40
"""Columns of text at least, on however narrow a terminal."""

_SHOWN = {
    "feed": None,
    "finding": {"opened", "changed", "cleared"},
    "session": {"peer-down"},
    "route": {"withdrawn", "announced"},
}
"""Events worth a line in the terminal, by kind; None is all of a kind. The page shows every one."""
_ROUTE = re.compile(r"(?P<prefix>\S+) \S+ at (?P<where>\S+) \[path .*\](?P<how>.*)")
_LOST = re.compile(r"(?P<lost>.* was lost: [a-z-]+), .*(?P<so>; last heard .*)")
_SECONDS = re.compile(r"(\d) s\b")
_HELD = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line before it is folded: three columns."""

    word: str
    text: str
    at: str = ""
    """Time of day; empty for what has none."""
    style: str = ""


def events(happened: Iterable[Plain]) -> tuple[Line, ...]:
    """Lines of the daemon's timeline; one prefix withdrawn, or announced, at several vantages in a row is one line."""
    lines: list[Line] = []
    places: list[str] = []
    row: tuple[str, str] | None = None
    for event in happened:
        if not _worth(event):
            continue
        where = _ROUTE.fullmatch(event["text"]) if event["kind"] == "route" else None
        line = Line(event["what"], _short(event), _clock(event["at"]), SEVERITY_STYLE.get(event.get("severity"), ""))
        same = (line.word, where["prefix"]) if where is not None and not where["how"] else None
        if where is not None and same is not None and same == row:
            places.append(where["where"])
            lines[-1] = replace(lines[-1], text=f"{where['prefix']} at {', '.join(places)}")
            continue
        row, places = same, [where["where"]] if where is not None else []
        lines.append(line)
    return tuple(lines)


def _worth(event: Plain) -> bool:
    words = _SHOWN.get(event["kind"], set())
    return words is None or event["what"] in words


def _clock(stamp: str) -> str:
    """The time of day in UTC, with milliseconds: `CLOCK` columns."""
    return f"{parse_stamp(stamp):%H:%M:%S.%f}"[:CLOCK]


def _short(event: Plain) -> str:
    """An event's sentence without what its own columns say, and without what only the page has room for."""
    text = str(event["text"])
    match event["kind"]:
        case "finding":
            return text.replace(f" {event['what']}: ", ": ", 1)
        case "feed":
            return _LOST.sub(r"\g<lost>\g<so>", text)
        case "route":
            return _ROUTE.sub(r"\g<prefix> at \g<where>\g<how>", text)
    return text


def told(message: Plain) -> Line:
    """The line of a message that the webhook received."""
    subject = message["subject"]
    about = subject.get("service") or subject.get("exporter") or ""
    lasted = message.get("duration_seconds")
    length = "" if lasted is None else f", after {lasted:.1f} s"
    text = f"{message['status']} {message['severity']} {message['kind']}: {about}{length}"
    return Line(f"{_symbol('✉', '*')} webhook", text, style="magenta")


def show(line: Line) -> None:
    """Print a line in its columns."""
    lead = len(MARGIN) + CLOCK + 1 + WORD + 1
    text = f"\n{' ' * lead}".join(_folded(line.text, lead))
    at, word = (f"{line.at:<{CLOCK}}", "dim"), (f"{line.word:<{WORD}}", line.style)
    _print(Text.assemble(MARGIN, at, " ", word, " ", text))


def say(sentence: str) -> None:
    """One sentence of the narrator."""
    _print(Text(f"{_symbol('▶', '>')} " + f"\n{MARGIN}".join(_folded(sentence, 2)), style="bold"))


def aside(sentence: str) -> None:
    """A sentence of less weight."""
    _print(Text("\n".join(f"{MARGIN}{part}" for part in _folded(sentence, len(MARGIN))), style="dim"))


def plain(sentence: str) -> None:
    """A sentence that is neither the narrator's nor an aside."""
    _print(Text(f"\n{MARGIN}{MARGIN}".join(_folded(f"{MARGIN}{sentence}", len(MARGIN)))))


def _folded(text: str, lead: int) -> list[str]:
    """Fold at the terminal's width, less the columns in front; words stay whole, and seconds with their number."""
    width = max(NARROWEST, console.width - lead)
    held = _SECONDS.sub(f"\\1{_HELD}s", text)
    parts = textwrap.wrap(held, width, break_long_words=False, break_on_hyphens=False)
    return [part.replace(_HELD, " ") for part in parts] or [""]


def _symbol(symbol: str, plain: str) -> str:
    return symbol if console.encoding.startswith("utf") else plain


def _print(text: Text) -> None:
    """Print without folding again. NO_COLOR takes bold and dim away, too: what is asked for is plain text."""
    console.print(Text(text.plain) if console.no_color else text, soft_wrap=True)
    console.file.flush()
