"""Small pieces of HTML. Everything that came from a router or a file goes through `text`, without exception."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html import escape

LONGEST = 255  # characters shown of any one text that a router chose
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def text(value: object) -> str:
    """Escape for HTML; control and direction characters become visible, and long texts are cut."""
    plain = str(value)
    seen = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in plain[:LONGEST])
    return escape(seen + ("…" if len(plain) > LONGEST else ""))


def tag(name: str, classes: str, inner: str, **attributes: str) -> str:
    """One element; `inner` is HTML already, attribute values are escaped here."""
    given = "".join(f' {key.replace("_", "-")}="{text(value)}"' for key, value in attributes.items())
    return f'<{name} class="{classes}"{given}>{inner}</{name}>'


def join(parts: Iterable[str]) -> str:
    """Several elements, one after another."""
    return "".join(parts)


def span_of(length: timedelta) -> str:
    """A length of time in one word: `12s`, `3m`, `2h`, `5d`."""
    seconds = max(0, int(length.total_seconds()))
    return next((f"{seconds // size}{unit}" for size, unit in _UNITS if seconds >= size), "0s")


def since(at: datetime | None, now: datetime) -> str:
    """How long it has been so, in one word; a dash when nobody knows."""
    return "-" if at is None else span_of(now - at)


def percent(part: float) -> str:
    """A part of a whole, with as many digits as say something: `100 %`, `12 %`, `0.17 %`."""
    shown = part * 100
    if 0 < shown < 0.01:
        return "< 0.01 %"
    if 99.9 < shown < 100 or 0 < shown < 1:
        return f"{min(shown, 99.99):.2f} %"
    return f"{shown:.1f} %" if 0 < shown < 10 or 99 < shown < 100 else f"{shown:.0f} %"


def millis(seconds: float | None) -> str:
    """A length of time in milliseconds, three digits of it; a dash for none."""
    if seconds is None:
        return "-"
    shown = seconds * 1000
    return f"{shown:.0f} ms" if shown >= 100 else f"{shown:.1f} ms" if shown >= 10 else f"{shown:.2f} ms"


def clock(at: datetime) -> str:
    """The time of day in UTC, to the millisecond."""
    utc = at.astimezone(UTC)
    return f"{utc:%H:%M:%S}.{utc.microsecond // 1000:03d}"
