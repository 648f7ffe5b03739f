"""Machine code of the entry points, made at the installation, so that a command begins without numba.

numba's own cache needs numba, and that is half a second of imports and type inference before the first call. Here the
installation (`python -m collector.bmp.warm`) keeps the same functions as one object file, with no type inference left
to do: each takes the address of a frame of words (`calls`), calls nothing but what LLVM itself brings (`making`), and
is loaded by llvmlite, as numba loads its own (`loading`). It is used only where all that it rests on is as it was, and
where nobody else could have written it (`kept`); otherwise numba does it, and nothing is said.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

_MADE: dict[str, Callable[..., Any]] = {}


class Unlike(Exception):
    """The arguments are not of the types that a function was made for; nothing was called."""


def made(name: str) -> Callable[..., Any] | None:
    """Return a function that was made ahead and is in use, by its module and name; it raises `Unlike`."""
    return _MADE.get(name)


def use(path: Path | None = None) -> bool:
    """Use from now on what was made ahead, by default at the installation; whether there is any that fits."""
    from collector.kernel.ahead.kept import read

    if not _MADE and (kept := read(path)) is not None:
        from collector.kernel.ahead.loading import load

        _MADE.update(load(*kept))
    return bool(_MADE)
