"""Big-endian reads and whole-word copies, each behind one explicit check of its own.

numba checks every octet of a byte-wise read; here a word is one load behind one check, so reading past the end raises
IndexError just as well and costs an eighth. Offsets are `uint64`.
"""

from typing import Any

import numpy as np

from collector.kernel.compiled import inner, spelled

u64 = np.uint64
_0, _1, _2, _4, _8 = (u64(number) for number in (0, 1, 2, 4, 8))


def _at(context: Any, builder: Any, kind: Any, array: Any, offset: Any, width: int) -> Any:
    """Pointer to `width` bits at an octet offset of an array's data."""
    from llvmlite import ir  # type: ignore[import-untyped]

    data = context.make_array(kind)(context, builder, array).data
    octets = builder.bitcast(data, ir.IntType(8).as_pointer())
    return builder.bitcast(builder.gep(octets, [offset]), ir.IntType(width).as_pointer())


def _load_of(width: int) -> Any:
    def load(typing: Any, array: Any, offset: Any) -> Any:
        from llvmlite import ir
        from numba import types

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = _at(context, builder, signature.args[0], arguments[0], arguments[1], width)
            word = builder.bswap(builder.load(pointer, align=1))
            return builder.zext(word, ir.IntType(64)) if width < 64 else word

        return types.uint64(array, types.uint64), generate

    return spelled(load)


_load16, _load32, load64 = _load_of(16), _load_of(32), _load_of(64)
"""`load64(buffer, at)` is eight octets that the caller has made sure of with `need`."""


@spelled
def _move64(typing: Any, source: Any, at: Any, target: Any, to: Any) -> Any:
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        read = _at(context, builder, signature.args[0], arguments[0], arguments[1], 64)
        write = _at(context, builder, signature.args[2], arguments[2], arguments[3], 64)
        builder.store(builder.load(read, align=1), write, align=1)
        return context.get_dummy_value()

    return types.void(source, types.uint64, target, types.uint64), generate


@spelled
def put(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Store `value`, cast to the array's type, at `index`, which the caller has checked against the array's length."""
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        data = context.make_array(kind)(context, builder, arguments[0]).data
        cast = context.cast(builder, arguments[2], signature.args[2], kind.dtype)
        builder.store(cast, builder.gep(data, [arguments[1]]))
        return context.get_dummy_value()

    return types.void(array, types.uint64, value), generate


@spelled
def borrow(typing: Any, array: Any) -> Any:
    """The same array without its reference count, which is otherwise touched, atomically, wherever an array of a tuple
    is.

    For arrays that the caller of the entry point holds, and only while it does.
    """
    from llvmlite import ir

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        whole = context.make_array(signature.args[0])(context, builder, arguments[0])
        whole.meminfo = ir.Constant(whole.meminfo.type, None)
        whole.parent = ir.Constant(whole.parent.type, None)
        return whole._getvalue()

    return array(array), generate


@inner
def need(buffer: Any, at: Any, octets: Any) -> None:
    """Raise IndexError unless `octets` octets are there at `at`."""
    size = u64(len(buffer))
    if at > size or octets > size - at:
        raise IndexError("a read past the end of the buffer")


@inner
def byte(buffer: Any, at: Any) -> Any:
    """One octet as uint64."""
    return u64(buffer[at])


@inner
def word16(buffer: Any, at: Any) -> Any:
    """Two octets as uint64."""
    need(buffer, at, _2)
    return _load16(buffer, at)


@inner
def word32(buffer: Any, at: Any) -> Any:
    """Four octets as uint64."""
    need(buffer, at, _4)
    return _load32(buffer, at)


@inner
def word64(buffer: Any, at: Any) -> Any:
    """Eight octets as uint64."""
    need(buffer, at, _8)
    return load64(buffer, at)


@inner
def copy(source: Any, start: Any, end: Any, target: Any, to: Any) -> Any:
    """Copy octets [start, end) of `source` to offset `to` of `target`, both uint8; returns the offset behind them."""
    size = end - start
    if end < start:
        raise IndexError("a copy that ends before it starts")
    need(source, start, size)
    need(target, to, size)
    done = _0
    while size - done >= _8:
        _move64(source, start + done, target, to + done)
        done += _8
    while done < size:
        target[to + done] = source[start + done]
        done += _1
    return to + size
