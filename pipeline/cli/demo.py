"""`catchment demo`."""

import math
import os
import shutil
import socket
import subprocess
import sys

SHORTEST = 60.0
"""Seconds of a story, at least: findings must open before what caused them is healed, and hold-downs do not shrink."""


def demo(seconds: float, recording: bool, live: bool, keep: bool, port: int) -> int:
    """Play the story, live where the machine can, else from the recording, and say which."""
    if not (SHORTEST <= seconds < math.inf):
        sys.stderr.write(
            f"catchment demo: --seconds {seconds:g} is no length for the story; name {SHORTEST:g} or more\n"
        )
        return 2
    why_not = "a recording was asked for" if recording else _why_not_live()
    if (taken := _taken(port)) is not None:
        sys.stderr.write(f"catchment demo: the page cannot have port {port}: {taken}; name another with --port\n")
        return 2
    if why_not is None:
        from pipeline.demo.stage import perform

        return perform(seconds, keep, port)
    if live:
        sys.stderr.write(f"catchment demo: the lab cannot run here: {why_not}\n")
        return 2
    from pipeline.demo.replayed import perform as replay

    return replay(seconds, keep, port, why_not)


def _taken(port: int) -> str | None:
    """Why nobody can listen on a port of loopback now; None when somebody can."""
    try:
        with socket.create_server(("127.0.0.1", port)):
            return None
    except (OSError, OverflowError) as error:
        return getattr(error, "strerror", None) or str(error)


def _why_not_live() -> str | None:
    if not sys.platform.startswith("linux"):
        return "network namespaces need Linux"
    if os.geteuid() != 0:
        return "network namespaces need root"
    from lab.packages import LAB, missing

    lacking = missing(LAB)
    if lacking:
        return f"not installed: {' '.join(lacking)}"
    return None if _namespaces() else "this machine lets not even root make network namespaces"


def _namespaces() -> bool:
    """Whether namespaces can be made, which a container's root often may not: tried on one that goes at once."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return True  # not in the way: `ip` will say what is wrong
    return subprocess.run([unshare, "--net", "--mount", "true"], capture_output=True, check=False).returncode == 0
