"""`catchment demo`."""

import os
import shutil
import sys

from pipeline.cli.shown import console


def demo(seconds: float, recording: bool, live: bool, keep: bool, port: int) -> int:
    """Play the story, live where the machine can, else from the recording, and say which."""
    why_not = None if not recording else "a recording was asked for"
    why_not = why_not or _why_not_live()
    if why_not is None:
        from pipeline.demo.play import perform

        return perform(seconds, keep, port)
    if live:
        sys.stderr.write(f"catchment demo: the lab cannot run here: {why_not}\n")
        return 2
    from pipeline.demo.replayed import perform as replay

    console.print(f"mode: recording ({why_not}): BMP of the lab's routers, through the real station over TCP")
    return replay(seconds, keep, port)


def _why_not_live() -> str | None:
    if not sys.platform.startswith("linux"):
        return "network namespaces need Linux"
    if os.geteuid() != 0:
        return "network namespaces need root"
    from lab.packages import LAB, missing

    lacking = missing(LAB)
    if lacking:
        return f"not installed: {' '.join(lacking)}"
    return None if shutil.which("ip") else "there is no ip command"
