"""A Docker engine of a test's own: its state and its socket in a temporary folder, no bridge, no packet filter."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests import needs
from tests.rig import eventually

RELEASE = "bookworm"
BASE = f"debian:{RELEASE}-slim"
APT = ("sources.list.d/debian.sources", "sources.list", "apt.conf.d/*")
"""How this machine reaches Debian: a base image that was made here reaches it the same way."""


class Engine:
    """dockerd, until closed; and everything asked of it."""

    def __init__(self) -> None:
        needs.root()
        daemon, self._client = needs.tool("dockerd", "docker.io"), _debians("docker", "docker.io")
        self.folder = Path(tempfile.mkdtemp(prefix="ce", dir="/tmp"))  # short: there are sockets in it
        self.socket, self._log = self.folder / "sock", self.folder / "log"
        argv = [
            *(daemon, f"--data-root={self.folder}/data", f"--exec-root={self.folder}/exec"),
            *(f"--pidfile={self.folder}/pid", f"--host=unix://{self.socket}", "--bridge=none"),
            *("--iptables=false", "--ip6tables=false", "--ip-masq=false"),
            *(f"--add-runtime=ours={self._runtime()}", "--default-runtime=ours"),
        ]
        with self._log.open("wb") as log:
            self._daemon = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
        try:
            eventually(self._answers, 60, what="a Docker engine")
        except BaseException:
            self.close()
            raise

    def _runtime(self) -> Path:
        path = self.folder / "runtime"
        path.write_text(f'#!/bin/sh\nPYTHONPATH={needs.ROOT} exec {sys.executable} -m tests.containers.runtime "$@"\n')
        path.chmod(0o700)
        return path

    @property
    def environment(self) -> dict[str, str]:
        """For clients of it: the classic builder, and no settings of whoever runs the test."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**kept, "DOCKER_HOST": f"unix://{self.socket}", "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}

    def docker(
        self, *words: str, check: bool = True, given: bytes | None = None
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run the client; what it says on standard error is in the failure."""
        done = subprocess.run(
            [self._client, *words], env=self.environment, input=given, capture_output=True, timeout=1500
        )
        assert not check or done.returncode == 0, (words, (done.stdout + done.stderr)[-4000:].decode(errors="replace"))
        return done

    def ask(self, *words: str) -> str:
        """What the client prints."""
        return self.docker(*words).stdout.decode().strip()

    def inspect(self, name: str) -> dict[str, Any]:
        """Everything about a container or an image."""
        [found] = json.loads(self.ask("inspect", name))
        return dict(found)

    def compose(self, project: Path, *words: str, check: bool = True) -> "subprocess.CompletedProcess[bytes]":
        """Run docker-compose in a folder."""
        argv = [needs.tool("docker-compose"), "--ansi", "never", *words]
        done = subprocess.run(argv, cwd=project, env=self.environment, capture_output=True, timeout=1500)
        assert not check or done.returncode == 0, (words, (done.stdout + done.stderr)[-4000:].decode(errors="replace"))
        return done

    def make_base(self) -> None:
        """Make the base image out of Debian's packages, under the name that it has elsewhere."""
        root = self.folder / "base"
        argv = [needs.tool("debootstrap"), "--variant=minbase", RELEASE, str(root), _mirror()]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout[-2000:]
        for source in (path for name in APT for path in Path("/etc/apt").glob(name)):
            if source.parent.name != "apt.conf.d" or "Acquire" in source.read_text():  # no hooks of other programs
                shutil.copy(source, root / source.relative_to("/"))
        with tarfile.open(self.folder / "base.tar", "w") as tar:
            tar.add(root, arcname=".", filter=_no_devices)
        self.docker("import", str(self.folder / "base.tar"), BASE)
        shutil.rmtree(root)

    def close(self) -> None:
        """End every container and the engine, by its pid, and remove what it had."""
        if self._daemon.poll() is None:
            running = self.docker("ps", "-q", check=False).stdout.split()
            if running:
                self.docker("kill", *(each.decode() for each in running), check=False)
            self._daemon.send_signal(signal.SIGTERM)
            self._daemon.wait(60)
        for line in reversed(Path("/proc/mounts").read_text().splitlines()):
            mounted = line.split()[1]
            if mounted.startswith(f"{self.folder}/"):
                subprocess.run(["umount", "-l", mounted], capture_output=True, timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._daemon.poll() is None, self._log.read_text()[-3000:]
        return self.docker("version", check=False).returncode == 0


def _mirror() -> str:
    """Where this machine's apt has the release from."""
    argv = ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"]
    told = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout
    found = [line.removeprefix(f"{RELEASE} ") for line in told.splitlines() if line.startswith(f"{RELEASE} ")]
    assert found, f"apt has no {RELEASE} here, and the base image is made of it: {told!r}"
    return found[0]


def _debians(name: str, package: str) -> str:
    """Debian's own, where another stands before it on the path."""
    return shutil.which(name, path="/usr/bin") or needs.tool(name, package)


def _no_devices(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if entry.isdev() and not entry.isfile() else entry


def offline(compose: Mapping[str, Any]) -> dict[str, Any]:
    """The compose file for an engine without networks: every service has a loopback of its own, GoBGP shares one.

    What services are, may and are limited to stays as it is written.
    """
    services = {}
    for name, told in compose["services"].items():
        dropped = ("networks", "ports", "depends_on", "network_mode", "profiles")
        kept = {key: value for key, value in told.items() if key not in dropped}
        services[name] = {**kept, "network_mode": "service:catchment" if name == "gobgp" else "none"}
    return {**{key: compose[key] for key in ("volumes", "secrets")}, "services": services}
