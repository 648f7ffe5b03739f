"""The token of a server, from a file that nobody else should read."""

import stat
from pathlib import Path
from typing import Final

LONGEST: Final = 4096


class TokenError(Exception):
    """The token cannot be used; the sentence says why, and never what is in the file."""


def read_token(path: Path) -> str:
    """Read a token: the first line of a file. Raises TokenError."""
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST + 1)
    except OSError as error:
        raise TokenError(
            f"the token file {path} cannot be read: {error.strerror}; write the server's token there"
        ) from None
    token = raw.strip()
    if not token or len(raw) > LONGEST or not token.isascii() or any(octet <= 0x20 for octet in token):
        raise TokenError(f"the token file {path} holds no token; write the server's token there, on one line")
    return token.decode()


def shared(path: Path) -> str | None:
    """Say, in a sentence, that others may read a token file; None where they may not, or nothing is there."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    if not mode & 0o077:
        return None
    return f"the token file {path} may be read by others (mode {mode:04o}); chmod 600 it"
