"""Listening sockets that whoever started us opened before: systemd's LISTEN_FDS convention (sd_listen_fds(3)).

It lets a supervisor bind a privileged or firewalled port, and it lets the lab listen inside a network namespace while
the daemon itself stays outside.
"""

import os
import socket

FIRST = 3  # SD_LISTEN_FDS_START


def inherited_socket(name: str) -> socket.socket | None:
    """Return the inherited listening socket of that name (LISTEN_FDNAMES); None when none was passed to this process.

    Raises ValueError when the descriptor that was promised is no listening TCP socket.
    """
    pid = os.environ.get("LISTEN_PID")
    if pid is not None and pid != str(os.getpid()):
        return None
    count = int(os.environ.get("LISTEN_FDS") or 0)
    names = (os.environ.get("LISTEN_FDNAMES") or "").split(":")
    for number in range(count):
        if number < len(names) and names[number] == name:
            return _listening(FIRST + number, name)
    return None


def _listening(descriptor: int, name: str) -> socket.socket:
    try:
        opened = socket.socket(fileno=descriptor)
        listens = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise ValueError(
            f"LISTEN_FDS promises descriptor {descriptor} as {name!r}, but it is no open socket"
        ) from error
    if not listens:
        raise ValueError(f"LISTEN_FDS promises descriptor {descriptor} as {name!r}, but it does not listen")
    opened.setblocking(False)
    return opened
