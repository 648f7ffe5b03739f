"""What an agent's file may say and this machine does not bear out: files that are not there, or that others read."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from collector.probe.config.shape import Mistake
from collector.probe.config.values import AgentSettings
from collector.written.problem import KeyPath


def lints(settings: AgentSettings) -> list[Mistake]:
    """Return what the agent would stumble over when it starts here."""
    return [*_secrets(settings), *_files(settings), *_user(settings), *_nothing(settings)]


def _secrets(settings: AgentSettings) -> Iterator[Mistake]:
    secrets: list[tuple[KeyPath, Path]] = [(("centre", "token_file"), settings.centre.token)]
    secrets += [(("keys", str(number)), path) for number, path in settings.keys.items()]
    for where, path in secrets:
        mode = _mode(path)
        if isinstance(mode, str):
            yield Mistake(where, mode)
        elif mode & stat.S_IROTH:
            yield Mistake(where, f"everybody on this machine can read {path}; take that away (chmod o-r)")


def _files(settings: AgentSettings) -> Iterator[Mistake]:
    if settings.centre.ca is not None and isinstance(mode := _mode(settings.centre.ca), str):
        yield Mistake(("centre", "ca_file"), mode)


def _mode(path: Path) -> int | str:
    """A file's mode, or why there is none to be read."""
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_mode
    except FileNotFoundError:
        return f"{path} is not there; put it there before the agent runs"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}; let the agent's user, or root that starts it, read it"


def _user(settings: AgentSettings) -> Iterator[Mistake]:
    try:
        pwd.getpwnam(settings.user)
    except KeyError:
        yield Mistake(("user",), f"this machine has no user {settings.user}; make one before root starts the agent")


def _nothing(settings: AgentSettings) -> Iterator[Mistake]:
    if not settings.targets:
        yield Mistake(("services",), "names nothing to ask, so nothing is probed; write a service with its address")
