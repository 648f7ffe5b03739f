"""Calls of what was made ahead: arguments as a frame of 64-bit words, results in the same frame.

An array is its address and its shape; it is C-contiguous and aligned. A tuple is its parts, one behind the other.
"""

import ctypes
import pickle
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from collector.kernel.ahead import Unlike

Leaf: TypeAlias = Sequence[Any]
"""(dtype, dimensions, whether it is written to); a number has no dimensions."""

_NATIVE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64)
"""numba's calling convention: (place of the result, place of the error, arguments) -> status. ctypes gives the GIL up
for each call, as `nogil` does."""
_NUMBERS: Final[dict[str, tuple[type, ...]]] = {
    "uint64": (np.uint64,),
    "int64": (int, np.int64),
    "bool": (bool, np.bool_),
}


class _Error(ctypes.Structure):
    """What numba tells of an error: class and arguments, pickled when it was compiled."""

    _fields_ = (
        ("pickled", ctypes.c_void_p),
        ("size", ctypes.c_int32),
        ("hash", ctypes.c_void_p),
        ("unwrap", ctypes.c_void_p),
        ("dynamic", ctypes.c_int32),
    )


class Call:
    """One function."""

    def __init__(self, address: int, arguments: Sequence[Sequence[Leaf]], results: Sequence[str], several: bool):
        """`arguments`: the leaves of each; `results`: types of numbers; `several`: they are a tuple, be it of one."""
        self._run = _NATIVE(address)
        self._kinds = [
            tuple((np.dtype(kind), int(dimensions), _flags(written)) for kind, dimensions, written in leaves)
            for leaves in arguments
        ]
        self._last: list[tuple[Any, list[int]]] = [(None, [])] * len(self._kinds)
        self._signed = [result.startswith("int") for result in results]
        self._several = several

    def __call__(self, *arguments: Any) -> Any:
        """Call it; raises `Unlike` before it, and from it what numba would raise."""
        if len(arguments) != len(self._kinds):
            raise Unlike
        words = [word for number, given in enumerate(arguments) for word in self._words(number, given)]
        frame = (ctypes.c_uint64 * max(len(words), len(self._signed)))(*words)
        result, error = ctypes.c_void_p(), ctypes.POINTER(_Error)()
        if self._run(ctypes.addressof(result), ctypes.addressof(error), ctypes.addressof(frame)) != 0:
            raise _raised(error)
        found = tuple(word - (word >> 63 << 64) * sign for word, sign in zip(frame, self._signed, strict=False))
        return found if self._several else found[0] if found else None

    def _words(self, number: int, given: Any) -> list[int]:
        """The words of an argument. A tuple of arrays is mostly the same as the last time; held, it stays as it is."""
        if not isinstance(given, tuple):
            return _words((given,), self._kinds[number])
        last, words = self._last[number]
        if given is not last:
            words = _words(tuple(_flat(given)), self._kinds[number])
            self._last[number] = given, words
        return words


def _words(values: Sequence[Any], leaves: Sequence[tuple[Any, int, int]]) -> list[int]:
    if len(values) != len(leaves):
        raise Unlike
    words = []
    for value, (dtype, dimensions, flags) in zip(values, leaves, strict=True):
        if not dimensions:
            if type(value) not in _NUMBERS[dtype.name]:
                raise Unlike
            words.append(int(value))
        elif type(value) is np.ndarray and value.dtype == dtype and value.ndim == dimensions:
            if value.flags.num & flags != flags:
                raise Unlike
            words += value.__array_interface__["data"][0], *value.shape
        else:
            raise Unlike
    return words


def _flags(written: bool) -> int:
    """What an array must be: C-contiguous, aligned, and writeable where it is written to (numpy's ndarraytypes.h)."""
    return 0x1 | 0x100 | (0x400 if written else 0)


def _flat(values: tuple[Any, ...]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, tuple):
            yield from _flat(value)
        else:
            yield value


def _raised(error: Any) -> Exception:
    if not error or error.contents.unwrap:
        return RuntimeError("compiled code failed, and does not say why")
    kind, arguments, _ = pickle.loads(ctypes.string_at(error.contents.pickled, error.contents.size))
    raised: Exception = kind(*arguments)
    return raised
