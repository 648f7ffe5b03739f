"""Decode a file to columns, as often as asked; one JSON object a pass.

python -m benchmarks.columns FILE [PASSES]
"""

import json
import sys
import time

from collector.files.batch import FileBatch
from collector.files.read import read
from collector.wire.element import ElementType

ROUTES = (ElementType.ANNOUNCEMENT, ElementType.WITHDRAWAL, ElementType.RIB)


def decode(path: str) -> dict[str, float]:
    """Read a file once; returns routes, and seconds of the clock and of the processor."""
    wall, cpu, routes = time.perf_counter(), time.process_time(), 0
    with open(path, "rb", buffering=0) as file:
        for item in read(file):
            if isinstance(item, FileBatch):
                routes += len(item)
            else:
                routes += item.type in ROUTES
    return {"routes": routes, "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def main() -> None:
    """Decode, and print."""
    path, passes = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for _ in range(passes):
        print(json.dumps(decode(path)), flush=True)


if __name__ == "__main__":
    main()
