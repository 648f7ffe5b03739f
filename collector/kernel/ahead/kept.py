"""The file of what was made ahead: a line of JSON (what it rests on, its digest, its functions), then an object file.

Whoever may write it runs code as us, so it is read only where it and its folder are root's or our own and nobody
else may write there, and only when everything that it rests on is the same to the letter.
"""

import hashlib
import json
import os
import stat
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FORMAT = 1
LONGEST = 1 << 26
"""Octets; it has a quarter of a million."""

Functions = dict[str, dict[str, Any]]


def place() -> Path:
    """Return where the file is: beside numba's own cache, in a folder of its own."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(given) if given else Path(__file__).parents[1] / "__pycache__"
    return folder / "ahead" / "kernel.o"


def rests_on() -> dict[str, object] | None:
    """Everything that may not change: our source, numba, llvmlite, numpy, Python, the processor; None without numba."""
    numba = find_spec("numba")
    if numba is None or numba.origin is None:
        return None
    import llvmlite  # type: ignore[import-untyped]
    import llvmlite.binding as llvm  # type: ignore[import-untyped]
    import numpy as np

    from collector.kernel.compiled import FINGERPRINT

    settings = {name: text for name, text in os.environ.items() if name.startswith("NUMBA_")}
    settings.pop("NUMBA_CACHE_DIR", None)
    return {
        "format": FORMAT,
        "source": FINGERPRINT,
        "making": _digest(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))),
        "numba": _digest(Path(numba.origin).with_name("_version.py").read_bytes()),
        "settings": settings,
        "llvmlite": [llvmlite.__version__, list(llvm.llvm_version_info)],
        "numpy": np.__version__,
        "python": sys.version,
        "machine": llvm.get_default_triple(),
        "processor": [llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()],
    }


def read(path: Path | None = None) -> tuple[Functions, bytes] | None:
    """Return the functions and the object file, where there is one that fits and may be trusted."""
    try:
        whole = _trusted(path or place())
        head, _, code = whole.partition(b"\n")
        said = json.loads(head)
        if said["rests on"] != rests_on() or said["digest"] != _digest(code):
            return None
    except (OSError, ImportError, RuntimeError, ValueError, KeyError, TypeError):
        return None  # none that fits: numba compiles, which is always right
    return said["functions"], code


def write(functions: Functions, code: bytes, path: Path) -> None:
    """Write the file, whole or not at all; raises OSError."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    head = json.dumps({"rests on": rests_on(), "digest": _digest(code), "functions": functions})
    part = path.with_suffix(f".{os.getpid()}")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
            file.write(head.encode() + b"\n" + code)
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def _trusted(path: Path) -> bytes:
    """What a file has that nobody else may have written; raises OSError."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _ours(folder)
        with open(os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder), "rb") as file:
            _ours(file.fileno())
            return file.read(LONGEST)
    finally:
        os.close(folder)


def _ours(opened: int) -> None:
    about = os.fstat(opened)
    if about.st_uid not in (0, os.geteuid()) or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError("others may write there")


def _digest(of: bytes) -> str:
    return hashlib.blake2b(of, digest_size=16).hexdigest()
