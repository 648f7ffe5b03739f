"""Run the benchmarks: all, one after the other, for nothing else may run beside a measurement, or one with its options.

python -m benchmarks [decode [--rounds N] [--routes N] [--only WORD] [--json]] [bulk_lane | journal ...]
"""

import subprocess
import sys

SCRIPTS = ("decode", "bulk_lane", "journal", "probing", "whole_agent", "influx")


def main() -> int:
    """Run each as a process of its own; 1 when any fails, 2 when there is none of that name."""
    name, *rest = sys.argv[1:] or ("",)
    if name and name not in SCRIPTS:
        print(f"there is no benchmark {name}; there are {', '.join(SCRIPTS)}", file=sys.stderr)
        return 2
    failed = 0
    for script in (name,) if name else SCRIPTS:
        print(f"== {script}", flush=True)
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{script}", *rest]).returncode
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
