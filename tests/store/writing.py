"""A writer that is killed: submits one row after the other and tells, on standard output, each that is on disk."""

import sys
from pathlib import Path

from store.journal import Journal
from store.writer import JournalWriter
from tests.store.made import route, routes

PADDING = 400
"""Rows a submission, so that a kill often falls into the middle of a write."""


def main() -> None:
    """Write until killed; the first argument is the folder, the second the first number."""
    writer = JournalWriter(Journal(Path(sys.argv[1])), linger=0.0)
    number, waiting = int(sys.argv[2]), []
    while True:
        number += 1
        waiting.append((number, writer.submit(routes(*[route(number)] * PADDING), timeout=10)))
        while waiting and (len(waiting) > 3 or waiting[0][1].done()):
            done, future = waiting.pop(0)
            future.result()
            sys.stdout.write(f"{done}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
