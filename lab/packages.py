"""The Debian packages that the lab and the browser tests need, installed without starting or enabling any service.

Debian starts a daemon when its package is installed; a policy-rc.d that says no (exit 101, Debian policy 9.3.3.1) keeps
that from happening. One that was there before is put back.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
SEARCHED = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/lib/frr"

LAB = {  # a program each package brings, and the package
    "ip": "iproute2",
    "bgpd": "frr",
    "bird": "bird2",
    "gobgpd": "gobgpd",
    "haproxy": "haproxy",
    "nft": "nftables",
    "openssl": "openssl",
}
TESTS = LAB | {
    "bgpdump": "bgpdump",
    "chromium": "chromium",
    "docker-compose": "docker-compose",
    "fping": "fping",
    "influxd": "influxdb",
    "knotd": "knot",
    "nsd": "nsd",
    "prometheus-blackbox-exporter": "prometheus-blackbox-exporter",
    "promtool": "prometheus",
    "victoria-metrics": "victoria-metrics",
}
CONTAINERS = {"debootstrap": "debootstrap", "dockerd": "docker.io"}
"""For the tests that build images, which run only when they are asked for."""
SETS = {"demo": LAB, "lab": LAB, "test": TESTS}


def missing(programs: dict[str, str]) -> list[str]:
    """Return the packages whose program is not installed, in order of name."""
    return sorted({package for program, package in programs.items() if shutil.which(program, path=SEARCHED) is None})


def can_install() -> bool:
    """Whether this is root on Debian or one of its children."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None and Path("/etc/debian_version").exists()


def install(packages: list[str]) -> None:
    """Install packages; no service is started or enabled. Raises CalledProcessError with apt's words on stderr."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with no_service_starts():
        if subprocess.run(_apt("install", *packages), env=environment, capture_output=True).returncode != 0:
            subprocess.run(_apt("update"), env=environment, check=True, stdout=subprocess.DEVNULL)
            subprocess.run(_apt("install", *packages), env=environment, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def no_service_starts() -> Iterator[None]:
    """Forbid that package scripts start services, and put back what stood there."""
    before = POLICY.read_bytes() if POLICY.exists() else None
    mode = POLICY.stat().st_mode if before is not None else 0o755
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        if before is None:
            POLICY.unlink(missing_ok=True)
        else:
            POLICY.write_bytes(before)
            POLICY.chmod(mode)


def _apt(verb: str, *packages: str) -> list[str]:
    return ["apt-get", "-y", "-q", "--no-install-recommends", verb, *packages]


def main() -> int:
    """Install what is missing for a purpose; ask first, unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--for", dest="purpose", choices=sorted(SETS), default="lab")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    arguments = parser.parse_args()
    packages = missing(SETS[arguments.purpose])
    if not packages:
        return 0
    if not can_install():
        sys.stderr.write(f"not installed here: {' '.join(packages)} (root on Debian or Ubuntu would install them)\n")
        return 0
    if not arguments.yes and not _agreed(packages):
        sys.stderr.write("left as it is; what needs them is left out\n")
        return 0
    sys.stderr.write(f"installing {' '.join(packages)} (no service is started)\n")
    install(packages)
    return 0


def _agreed(packages: list[str]) -> bool:
    if not sys.stdin.isatty():
        sys.stderr.write(f"not installed here: {' '.join(packages)}; YES=1 installs them without asking\n")
        return False
    sys.stderr.write(f"Install {' '.join(packages)} from Debian, without starting any service? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


if __name__ == "__main__":
    sys.exit(main())
