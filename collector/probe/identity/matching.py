"""Who answered, for services that cannot be changed: read from what they say anyway, and so matched, not authenticated.

Whoever can answer can say any of this. It tells regions apart while all are honest; it proves nothing against
somebody who is not.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from anycast.probe import Identity
from collector.probe.config.values import Matcher, Part
from collector.probe.identity.template import read_template

LARGEST_BODY = 1 << 16  # octets that are looked at; a JSON document must end within them
LONGEST_TEXT = 1000  # characters of a header or a JSON text
NAMES = ("region", "nva", "instance", "generation")


@dataclass(frozen=True, slots=True)
class Heard:
    """What an answer said, as far as the probe has it."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Under lower-case names."""
    body: bytes = b""
    names: tuple[str, ...] = ()
    """Of the TLS certificate: its DNS subject alternative names, else its common name."""
    texts: tuple[str, ...] = ()
    """Of a DNS answer: the strings of its TXT record, else its NSID."""


class Unmatched(ValueError):
    """An answer that names nobody, or somebody who is not known: a sentence."""


def matched(matcher: Matcher, heard: Heard) -> Identity:
    """Return whom an answer names; raises Unmatched. The proof is `Proof.MATCHED`, never more."""
    return _READERS[matcher.part](matcher, heard)


def named(text: str, known: Mapping[str, Identity]) -> Identity:
    """Return who is known under a text; with nothing known, `region|nva|instance|generation` names its parts and a
    single word the instance. Raises Unmatched."""
    text = text.strip()
    if text in known:
        return known[text]
    if known or not text or len(text) > LONGEST_TEXT or not text.isprintable():
        raise Unmatched(f"{text!r:.60} is nobody that is known")
    parts = text.split("|")
    if len(parts) > len(NAMES):
        raise Unmatched(f"{text!r:.60} has more than four parts")
    return Identity(instance=text) if len(parts) == 1 else Identity(*parts)


def pointed(document: object, where: str) -> str:
    """Return the text or number at a JSON pointer (RFC 6901), or at keys separated by dots; raises Unmatched."""
    parts = [_unescaped(part) for part in where[1:].split("/")] if where.startswith("/") else where.split(".")
    here = document
    for part in parts:
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list) and _index(part) is not None and int(part) < len(here):
            here = here[int(part)]
        else:
            raise Unmatched(f"the body has nothing at {where}")
    if isinstance(here, bool) or not isinstance(here, str | int):
        raise Unmatched(f"what stands at {where} is no text")
    return str(here)


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")  # in this order: RFC 6901, section 4


def _index(part: str) -> int | None:
    """RFC 6901, section 4: digits without a leading zero."""
    good = part.isascii() and part.isdigit() and len(part) < 10 and (part == "0" or part[0] != "0")
    return int(part) if good else None


def _header(matcher: Matcher, heard: Heard) -> Identity:
    value = heard.headers.get(matcher.where.lower())
    if value is None:
        raise Unmatched(f"there is no header {matcher.where}")
    return named(value, matcher.known)


def _json(matcher: Matcher, heard: Heard) -> Identity:
    if len(heard.body) > LARGEST_BODY:
        raise Unmatched(f"the body is longer than {LARGEST_BODY} octets")
    try:
        document = json.loads(heard.body)
    except (ValueError, RecursionError):
        raise Unmatched("the body is not JSON") from None
    return named(pointed(document, matcher.where), matcher.known)


def _body(matcher: Matcher, heard: Heard) -> Identity:
    found = _template(matcher.where).find(heard.body[:LARGEST_BODY].decode("utf-8", "replace"))
    if found is None:
        raise Unmatched("the body does not say who answered where it should")
    text = found.pop("", None)
    if text is None:
        return Identity(**found)
    who = named(text, matcher.known)
    said = {name: found.get(name, "") or getattr(who, name) for name in NAMES}
    return Identity(**said)


_template = lru_cache(maxsize=1000)(read_template)  # as many as an agent has targets, and more


def _certificate(matcher: Matcher, heard: Heard) -> Identity:
    known = {name.lower(): who for name, who in matcher.known.items()}
    found = {known[name.lower()] for name in heard.names if name.lower() in known}
    if len(found) != 1:
        names = ", ".join(heard.names)
        raise Unmatched(f"the certificate is for {names!r:.60}, {'nobody' if not found else 'several'} that is known")
    return found.pop()


def _answer(matcher: Matcher, heard: Heard) -> Identity:
    if not heard.texts:
        raise Unmatched("the answer has neither a TXT record nor an NSID")
    return named("".join(heard.texts), matcher.known)


_READERS: Mapping[Part, Callable[[Matcher, Heard], Identity]] = {
    Part.HEADER: _header,
    Part.JSON: _json,
    Part.BODY: _body,
    Part.CERTIFICATE: _certificate,
    Part.ANSWER: _answer,
}
