"""What a test needs of its machine: a missing thing is said, and is a failure when REQUIRE_ALL=1."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _lacking(reason: str) -> None:
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"left out, but everything is required here: {reason}", pytrace=False)
    pytest.skip(f"left out: {reason}")


def captures() -> Path:
    """Return the folder of real routers' captures (`CATCHMENT_CAPTURES`, default `../shared/captures`)."""
    folder = Path(os.environ.get("CATCHMENT_CAPTURES") or ROOT.parent / "shared" / "captures")
    if not folder.is_dir():
        # A clean clone elsewhere passes without them, whatever else is required.
        pytest.skip("left out: no captures of real routers here; name their folder in CATCHMENT_CAPTURES")
    return folder


def tool(name: str, package: str | None = None) -> str:
    """Return the path of an installed program, named as its Debian package offers it."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/lib/frr")
    if path is None:
        _lacking(f"{name} is not installed; apt-get install {package or name}")
    assert path is not None
    return path


def root() -> None:
    """Only root may make network namespaces."""
    if os.geteuid() != 0:
        _lacking("not root, so no network namespaces")
