"""runc for a machine whose root lacks a capability: a privileged container has what there is, and nothing else.

Without it such a machine starts no privileged container at all.
"""

import json
import os
import sys
from collections.abc import Container
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests import needs

NAMES = (
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP"),
    *("LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER"),
    *("SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE"),
    *("SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP"),
    *("MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF"),
    "CHECKPOINT_RESTORE",
)
"""Capabilities by their number (linux/capability.h)."""


def there() -> frozenset[str]:
    """Return the capabilities that this process' descendants may have."""
    status = Path("/proc/self/status").read_text()
    [bounds] = [line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:")]
    return frozenset(f"CAP_{name}" for number, name in enumerate(NAMES) if int(bounds, 16) >> number & 1)


def without(process: dict[str, Any], had: Container[str]) -> dict[str, Any]:
    """Return a process as runc is told of it, without capabilities that are not there."""
    given = process.get("capabilities", {})
    return process | {"capabilities": {kind: [name for name in names if name in had] for kind, names in given.items()}}


def main() -> None:
    """Leave out what is not there, of a container that is created or a process that joins one, and become runc."""
    words, had = sys.argv[1:], there()
    for option, value in pairwise(words):
        if option == "--bundle":
            path = Path(value) / "config.json"
            config = json.loads(path.read_text())
            path.write_text(json.dumps(config | {"process": without(config["process"], had)}))
        elif option == "--process":
            path = Path(value)
            path.write_text(json.dumps(without(json.loads(path.read_text()), had)))
    runc = needs.tool("runc", "runc")
    os.execv(runc, [runc, *words])


if __name__ == "__main__":
    main()
