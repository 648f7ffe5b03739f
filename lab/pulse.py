"""Starve a process: stop it and let it go on, again and again.

    python -m lab.pulse --pid 4711 --stopped 0.15 --running 0.15

It gets the part of the time that it is let run, in pieces; what it measures meanwhile is its own pauses. SIGTERM ends
this, and lets the process go on.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence


def pulse(pid: int, stopped: float, running: float) -> None:
    """Stop and continue a process until it is gone or we are told to end."""
    ending: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.append(1))
    try:
        while not ending:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(stopped)
            os.kill(pid, signal.SIGCONT)
            time.sleep(running)
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and pulse until a signal."""
    parser = argparse.ArgumentParser(prog="python -m lab.pulse", description="Starve a process.")
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--stopped", type=float, default=0.15, metavar="SECONDS")
    parser.add_argument("--running", type=float, default=0.15, metavar="SECONDS")
    options = parser.parse_args(arguments)
    pulse(options.pid, options.stopped, options.running)
    return 0


if __name__ == "__main__":
    sys.exit(main())
