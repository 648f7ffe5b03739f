"""What an answer means for the points that were sent. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Final

LONGEST: Final = 500
"""Characters of a server's words that are kept."""
PATIENCE: Final = 3600.0
"""Seconds that a server may ask for; one that asks for more is tried again after these."""


class Verdict(Enum):
    """What to do with what was sent."""

    TAKEN = auto()
    REFUSED = auto()
    """Something among the lines was refused, and the others perhaps taken: each half is sent by itself."""
    LARGE = auto()
    """It is too much at once."""
    HELD = auto()
    """Nothing will be taken until somebody mends something."""
    LATER = auto()
    """The server asks for a pause."""
    AGAIN = auto()
    """The server failed, or was not reached."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict, in a server's words or ours."""

    verdict: Verdict
    said: str = ""
    wait: float | None = None
    """Seconds that the server asks for; None where it does not say."""
    dropped: int | None = None
    """How many points it refused, where it says so."""


def answered(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
    """Judge an answer; `headers` has the names in lower case, `body` may have been cut."""
    words = f"{status}: {_words(headers, body)}" if body or headers.get("x-influxdb-error") else f"status {status}"
    match status:
        case 204:
            return Answer(Verdict.TAKEN)
        case 400 | 422:
            dropped = re.search(r"\bdropped=(\d{1,9})\b", words)
            return Answer(Verdict.REFUSED, words, None, int(dropped[1]) if dropped else None)
        case 413:
            return Answer(Verdict.LARGE, words)
        case 429 | 503:
            return Answer(Verdict.LATER, words, _wait(headers.get("retry-after", ""), now))
        case 401 | 403:
            return Answer(Verdict.HELD, f"the server does not let us in ({words}); look at the token and its rights")
        case 404:
            return Answer(
                Verdict.HELD, f"the server does not know where to write ({words}); look at url, org and bucket"
            )
        case _ if 300 <= status < 400:
            to = _clean(headers.get("location", "somewhere else"))
            return Answer(Verdict.HELD, f"the server sends us on to {to}; write that as `url` if it is right")
        case _ if status >= 500 or status == 408:
            return Answer(Verdict.AGAIN, words)
        case _:
            return Answer(Verdict.HELD, f"the answer was no server's that takes points ({words}); look at url and kind")


def _words(headers: Mapping[str, str], body: bytes) -> str:
    """The reason, out of the JSON that each version words otherwise."""
    text = body.decode(errors="replace")
    try:
        told = json.loads(text)
    except ValueError:
        return _clean(headers.get("x-influxdb-error") or text)
    if isinstance(told, dict):
        found = (told.get(name) for name in ("message", "error", "err"))
        text = next((word for word in found if isinstance(word, str) and word), text)
        more = told.get("data")
        if isinstance(more, list) and more and isinstance(more[0], dict):  # InfluxDB 3 names the lines
            text += f": {more[0].get('error_message', '')}"
    return _clean(text)


def _clean(text: str) -> str:
    said = re.sub(r"[\x00-\x1f\x7f-\x9f\s]+", " ", text).strip()
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


def _wait(text: str, now: datetime) -> float | None:
    """Seconds, or a date (RFC 9110, 10.2.3)."""
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), PATIENCE)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(0.0, (until - now).total_seconds()), PATIENCE)
