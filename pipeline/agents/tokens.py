"""Tokens of sites: whoever holds one may write that site's results, and no other's.

We keep fingerprints (SHA-256 of the token), not tokens: a token is 256 bits of chance, so nothing slower is needed. A
file may hold two, one a line, while a token takes another's place.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_LINE: Final = re.compile(r"sha256:([0-9a-f]{64})")
_LARGEST: Final = 4_096
MOST: Final = 2


class TokenError(ValueError):
    """A token file that cannot be used; the message is a sentence for the operator."""


def make_token() -> str:
    """Return a new token."""
    return "catchment_" + secrets.token_urlsafe(32)


def fingerprint(token: str) -> str:
    """Return a token's line in a token file."""
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def read_fingerprints(path: Path) -> tuple[bytes, ...]:
    """Read a token file. Raises TokenError."""
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise TokenError(f"{path} cannot be read: {error.strerror}; `catchment agents enrol` makes it") from None
    lines = [line.strip() for line in raw.decode("ascii", "replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    found = [_LINE.fullmatch(line) for line in lines]
    if len(raw) > _LARGEST or not 1 <= len(found) <= MOST or not all(found):
        raise TokenError(
            f"{path} does not hold one or two lines such as sha256:..., as `catchment agents enrol` writes"
        )
    return tuple(bytes.fromhex(match.group(1)) for match in found if match is not None)


class Tokens:
    """The fingerprints of all sites."""

    def __init__(self, fingerprints: Mapping[str, tuple[bytes, ...]]) -> None:
        self._known = [(site, known) for site, several in fingerprints.items() for known in several]

    def site_of(self, token: str) -> str | None:
        """Return whose token it is; takes as long for a wrong one as for a right one."""
        given = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        found = None
        for site, known in self._known:
            if hmac.compare_digest(known, given):
                found = site
        return found
