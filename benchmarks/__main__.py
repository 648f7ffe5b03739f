"""Run every benchmark, one after the other, for nothing else may run beside a measurement."""

import subprocess
import sys
from pathlib import Path

SCRIPTS = ("bulk_lane", "journal")


def main() -> int:
    """Run each as a process of its own; 1 when any fails."""
    failed = 0
    for name in SCRIPTS:
        print(f"== {name}", flush=True)
        failed |= subprocess.run([sys.executable, str(Path(__file__).with_name(f"{name}.py"))]).returncode
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
