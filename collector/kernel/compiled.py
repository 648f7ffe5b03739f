"""How the functions of this package are compiled and cached.

numba is imported when the first of them is compiled, not before: a process that finds all it calls made ahead
(`collector.kernel.ahead`) does without, which saves it half a second.
"""

import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from collector.kernel.ahead import Unlike, made

Compiled = Callable[..., Any]


class _Lazy:
    """A function for numba to compile. To numba it is its compiled self, by the type that it says it has."""

    def __init__(self, function: Compiled, **options: Any) -> None:
        self.function, self._options = function, options
        self.__name__, self.__module__, self.__doc__ = function.__name__, function.__module__, function.__doc__

    @cached_property
    def compiled(self) -> Any:
        """numba's dispatcher."""
        from numba import njit

        return njit(nogil=True, boundscheck=True, **self._options)(self.function)

    @property
    def _numba_type_(self) -> Any:
        return self.compiled._numba_type_

    def __call__(self, *arguments: Any) -> Any:
        return self.compiled(*arguments)


class _Entry(_Lazy):
    """One that Python calls, which may have been made ahead."""

    @property
    def name(self) -> str:
        """What it is found by."""
        return f"{self.__module__}.{self.__name__}"

    @property
    def signatures(self) -> Any:
        """The types that numba has compiled it for."""
        return self.compiled.signatures

    def __call__(self, *arguments: Any) -> Any:
        ahead = made(self.name)
        if ahead is not None:
            try:
                return ahead(*arguments)
            except Unlike:
                pass  # of other types than those that it was made for
        return self.compiled(*arguments)


class _Spelled:
    """A function that writes LLVM, for numba to call when it compiles a call of it."""

    def __init__(self, function: Compiled) -> None:
        self._function = function

    @cached_property
    def _numba_type_(self) -> Any:
        from numba.core.registry import cpu_target
        from numba.extending import intrinsic

        self._kept = intrinsic(self._function)
        cpu_target.typing_context.refresh()  # it is looked up while something is compiled, and must be known at once
        return cpu_target.typing_context.resolve_value_type(self._kept)


def inner(function: Compiled) -> Compiled:
    """For functions that only other compiled functions call: compiled into their callers."""
    return _Lazy(function, forceinline=True)


def apart(function: Compiled) -> Compiled:
    """For rarer and larger ones of them: compiled once, and called."""
    return _Lazy(function)


def entry(function: Compiled) -> Compiled:
    """For functions that Python calls. Each closes over `FINGERPRINT`."""
    return _Entry(function, cache=True)


def spelled(function: Compiled) -> Any:
    """For functions that write LLVM themselves: (typing context, argument types) -> (signature, code generator)."""
    return _Spelled(function)


def _fingerprint() -> int:
    here = Path(__file__).parent
    sources = [*sorted(here.glob("*.py")), here.parents[1] / "anycast" / "route.py"]  # communities have names there
    digest = hashlib.blake2b(b"".join(path.read_bytes() for path in sources), digest_size=6)
    return int.from_bytes(digest.digest(), "big")


FINGERPRINT: Final = _fingerprint()
"""Of all source that is compiled. numba looks only at the file of the function that it caches, so a change in a callee
would leave a stale cache; what a function closes over is part of its cache key."""
