"""Files with one key each: 64 hexadecimal digits, readable by nobody else."""

import os
import re
import secrets
import stat
from pathlib import Path

from collector.probe.identity.keys import LONGEST_SECRET, SHORTEST_SECRET

SECRET_SIZE = 32  # octets: the output of SHA-256, which RFC 2104, section 3, asks for
_LARGEST = 4096  # octets of the file: a key, a line end, and comments
_DIGITS = re.compile(rf"(?:[0-9A-Fa-f]{{2}}){{{SHORTEST_SECRET},{LONGEST_SECRET}}}", re.ASCII)
_OTHERS = stat.S_IRWXO | stat.S_IWGRP | stat.S_IRGRP | stat.S_IXGRP


class KeyFileError(ValueError):
    """A key file that is not taken: a sentence with its path, never its content."""


def read_key(path: Path) -> bytes:
    """Return the secret in a file; raises KeyFileError where others may read or write it, or where it holds no key."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode  # of what was opened, not of what stands there a moment later
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}; `catchment responder key` makes one") from None
    if not stat.S_ISREG(mode):
        raise KeyFileError(f"{path} is no file; name one that holds a key")
    if mode & _OTHERS:
        said = f"{path} is open to others (mode {stat.S_IMODE(mode):04o})"
        raise KeyFileError(f"{said}; `chmod 600 {path}`, and if others can have read it, make a new key")
    lines = [line.strip() for line in raw.decode("ascii", "replace").splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    if len(raw) > _LARGEST or len(found) != 1 or not _DIGITS.fullmatch(found[0]):
        least, most = 2 * SHORTEST_SECRET, 2 * LONGEST_SECRET
        raise KeyFileError(f"{path} does not hold one line of {least} to {most} hexadecimal digits")
    return bytes.fromhex(found[0])


def make_key(path: Path) -> None:
    """Write a new random key to a new file that only its owner may read; raises KeyFileError when it is there already,
    or cannot be made."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise KeyFileError(f"{path} is there already, and a key is never written over; name another file") from None
    except OSError as error:
        raise KeyFileError(f"{path} cannot be made: {error.strerror}; name another place") from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), 0o600)  # whatever the umask took away
        file.write(secrets.token_hex(SECRET_SIZE) + "\n")
