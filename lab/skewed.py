"""Run an agent as a site's own host would: with a wall clock of its own, and with a processor when it needs one.

Namespaces share the machine's clock: here it is wrong by what a file says. They share its processors, too, with forty
programs that are not the site's; real-time scheduling keeps their pauses out of what the agent measures.

    python -m lab.skewed FILE agent -c agent.yaml

The file holds seconds, is read anew every tenth of a second, and may come and go. What the kernel stamps stays right:
only what the process reads of the wall clock is wrong, and its monotonic clock goes on as ever.
"""

import os
import runpy
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

EVERY = 100_000_000  # ns between two looks at the file


class Skew:
    """How far the wall clock is off now."""

    def __init__(self, file: Path, real: Callable[[], int], steady: Callable[[], int]) -> None:
        self._file, self._real, self._steady = file, real, steady
        self._next = self._offset = 0

    def time_ns(self) -> int:
        """The wrong time, ns since the epoch."""
        if self._steady() >= self._next:
            self._next = self._steady() + EVERY
            try:
                self._offset = round(float(self._file.read_text()) * 1e9)
            except (OSError, ValueError):
                self._offset = 0
        return self._real() + self._offset

    def time(self) -> float:
        """The wrong time, seconds since the epoch."""
        return self.time_ns() / 1e9


def main() -> None:
    """Put the wrong clock in the place of the right one, and become the command."""
    skew = Skew(Path(sys.argv[1]), time.time_ns, time.monotonic_ns)
    time.time_ns, time.time = skew.time_ns, skew.time
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    sys.argv[1:] = sys.argv[2:]
    runpy.run_module("pipeline", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
