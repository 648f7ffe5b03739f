"""Where a command writes a lot: standard output, or a file that is there whole or not at all."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol, cast


class OutputError(OSError):
    """The output cannot be written: a sentence."""


class Output(Protocol):
    """Takes octets; `keep` at the end, or `drop` when there is no end."""

    def write(self, data: bytes) -> None:
        """Take some octets."""
        ...

    def keep(self) -> None:
        """Everything was written."""
        ...

    def flush(self) -> None:
        """Hand on what was written so far. Raises OutputError."""
        ...

    def drop(self) -> None:
        """It was interrupted; leave nothing half-written behind."""
        ...


def open_output(path: Path | None, force: bool) -> Output:
    """Standard output, a new file, or (with `force`) one instead of a file that is there.

    Raises OutputError when the file is there, and OSError when it cannot be made. Devices and pipes are written to.
    """
    if path is None or str(path) == "-":
        return _Standard()
    if (
        path.exists() and not path.is_file()
    ):  # asked of the name as given: /dev/stdout may lead to a pipe, which has none
        return _Device(path)
    target = Path(os.path.realpath(path))
    if target.exists() and not force:
        raise OutputError(f"{path}: there is such a file; --force overwrites it")
    return _File(target, path, force)


@contextmanager
def _sentence(shown: object) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{shown}: {error.strerror or error}") from error


class _Standard:
    def __init__(self) -> None:
        self._binary = cast(BinaryIO | None, getattr(sys.stdout, "buffer", None))
        self._at_once = sys.stdout.isatty()

    def write(self, data: bytes) -> None:
        if self._binary is None:  # somebody took standard output to be text alone
            sys.stdout.write(data.decode())
            return
        with _sentence("standard output"):
            self._binary.write(data)
            if self._at_once:
                self._binary.flush()

    def flush(self) -> None:
        self.keep()

    def keep(self) -> None:
        with _sentence("standard output"):
            sys.stdout.flush()

    def drop(self) -> None:
        with suppress(OSError):
            sys.stdout.flush()


class _Device:
    def __init__(self, path: Path) -> None:
        self._shown, self._file = path, path.open("wb")

    def write(self, data: bytes) -> None:
        with _sentence(self._shown):
            self._file.write(data)

    def flush(self) -> None:
        with _sentence(self._shown):
            self._file.flush()

    def keep(self) -> None:
        with _sentence(self._shown):
            self._file.close()

    def drop(self) -> None:
        with suppress(OSError):
            self._file.close()


class _File:
    """Written under another name in the same folder, and given its own when it is whole."""

    def __init__(self, target: Path, shown: Path, force: bool) -> None:
        self._target, self._shown, self._force = target, shown, force
        try:
            handle, self._temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        except OSError as error:
            error.filename = str(target.parent)  # the file's own name nobody has given
            raise
        self._file = os.fdopen(handle, "wb", buffering=1 << 20)

    def write(self, data: bytes) -> None:
        with _sentence(self._shown):
            self._file.write(data)

    def flush(self) -> None:
        with _sentence(self._shown):
            self._file.flush()

    def keep(self) -> None:
        mask = os.umask(0)
        os.umask(mask)
        with _sentence(self._shown):
            os.fchmod(self._file.fileno(), 0o666 & ~mask)
            self._file.close()
        try:
            if self._force:
                os.replace(self._temporary, self._target)
                return
            self._name()
        except FileExistsError as error:
            raise OutputError(f"{self._shown}: somebody else has made such a file meanwhile") from error
        finally:
            self._remove()

    def _name(self) -> None:
        try:
            os.link(self._temporary, self._target)  # unlike a rename, it fails where somebody was quicker
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            if self._target.exists():
                raise FileExistsError from None
            os.replace(self._temporary, self._target)

    def drop(self) -> None:
        with suppress(OSError):
            self._file.close()
        self._remove()

    def _remove(self) -> None:
        Path(self._temporary).unlink(missing_ok=True)


def nobody_reads() -> None:
    """Standard output is closed at its other end: let the interpreter's last flush go nowhere."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
