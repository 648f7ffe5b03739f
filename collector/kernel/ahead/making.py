"""Making it: each entry point with the types that it has been compiled for, behind a function that takes a frame.

What may stand in the object file is judged before it is made: LLVM's own functions and nothing else, so neither Python
nor numba's runtime, and no address of this process.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]
import numba
import numba.extending
import numba.np.arrayobj
from llvmlite import ir

from collector.kernel.ahead.kept import Functions, write
from collector.kernel.ahead.loading import machine

WORD = ir.IntType(64)
types: Any = numba.types
intrinsic: Any = numba.extending.intrinsic
populate_array: Any = numba.np.arrayobj.populate_array
alone: Any = partial(
    numba.njit, nogil=True, boundscheck=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False
)
"""Without what Python would call it by, and without numba's runtime, which counts references."""


class CannotBeMade(Exception):
    """A sentence."""


def make(entries: Iterable[Any], path: Path, works: Callable[[Path], bool]) -> None:
    """Write the file for entry points that have been compiled, each for one list of types.

    Where `works` does not say so of it, the file is removed again. Raises CannotBeMade and OSError.
    """
    whole, functions = llvm.parse_assembly(""), Functions()
    for entry in entries:
        symbol, text = _framed(entry)
        whole.link_in(_alone(entry.name, text))
        functions[entry.name] = {"symbol": symbol, **_types(entry)}
    candidate = path.with_suffix(".new")
    write(functions, machine().emit_object(whole), candidate)
    if not works(candidate):
        candidate.unlink()
        raise CannotBeMade("what was made does not work here")
    candidate.replace(path)


def _one(entry: Any) -> Any:
    if len(entry.signatures) != 1:
        raise CannotBeMade(f"{entry.name} is compiled for {len(entry.signatures)} lists of types, not for one")
    return entry.signatures[0]


def _framed(entry: Any) -> tuple[str, str]:
    """Compile the function that takes a frame: its symbol, and the LLVM of it and all that it calls."""
    arguments, compiled = types.Tuple(_one(entry)), entry.compiled

    @intrinsic  # type: ignore[untyped-decorator]
    def taken(typing: Any, frame: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            return _taken(context, builder, arguments, _words(builder, given[0]))

        return arguments(types.uint64), generate

    @intrinsic  # type: ignore[untyped-decorator]
    def tell(typing: Any, frame: Any, result: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            parts = [given[1]] if isinstance(result, types.Integer) else []
            if isinstance(result, types.BaseTuple):
                parts = [builder.extract_value(given[1], number) for number in range(len(result))]
            for number, (part, kind) in enumerate(zip(parts, _numbers(result), strict=True)):
                place = builder.gep(builder.inttoptr(given[0], WORD.as_pointer()), [WORD(number)])
                builder.store(context.cast(builder, part, kind, types.uint64), place)
            return context.get_dummy_value()

        return types.void(types.uint64, result), generate

    @alone()  # type: ignore[untyped-decorator]
    def framed(frame: Any) -> Any:
        tell(frame, compiled(*taken(frame)))
        return 0

    framed.compile((types.uint64,))
    of = framed.overloads[(types.uint64,)]
    if of.library.has_dynamic_globals:
        raise CannotBeMade(f"{entry.name} has an address of this process in it")
    return of.fndesc.llvm_func_name, of.library.get_llvm_str()


def _words(builder: Any, frame: Any) -> Iterator[Any]:
    """The words of a frame, one after the other."""
    place, number = builder.inttoptr(frame, WORD.as_pointer()), 0
    while True:
        yield builder.load(builder.gep(place, [WORD(number)]))
        number += 1


def _taken(context: Any, builder: Any, kind: Any, words: Iterator[Any]) -> Any:
    """A value of a type."""
    if isinstance(kind, types.BaseTuple):
        return context.make_tuple(builder, kind, [_taken(context, builder, part, words) for part in kind])
    if not isinstance(kind, types.Array):
        return context.cast(builder, next(words), types.uint64, kind)
    array = context.make_array(kind)(context, builder)
    size = WORD(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    data = builder.inttoptr(next(words), array.data.type)
    shape = [next(words) for _ in range(kind.ndim)]
    strides = [size]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    populate_array(array, data=data, shape=shape, strides=strides, itemsize=size, meminfo=None)
    return array._getvalue()


def _alone(name: str, text: str) -> Any:
    """The module, which must need nobody else."""
    module = llvm.parse_assembly(text)
    foreign = [of.name for of in module.functions if of.is_declaration and not of.name.startswith("llvm.")]
    foreign += [of.name for of in module.global_variables if of.is_declaration]
    if foreign:
        raise CannotBeMade(f"{name} calls {foreign[0]}, which is not in it")
    if "inttoptr (i64" in text:
        raise CannotBeMade(f"{name} has an address of this process in it")
    return module


def _types(entry: Any) -> dict[str, Any]:
    """Types as `calls.Call` takes them."""
    result = entry.compiled.overloads[_one(entry)].signature.return_type
    return {
        "arguments": [list(_leaves(kind)) for kind in _one(entry)],
        "results": [str(kind) for kind in _numbers(result)],
        "several": isinstance(result, types.BaseTuple),
    }


def _numbers(result: Any) -> list[Any]:
    if isinstance(result, types.BaseTuple):
        return list(result)
    return [] if result is types.none else [result]


def _leaves(kind: Any) -> Iterator[tuple[str, int, bool]]:
    if isinstance(kind, types.BaseTuple):
        for part in kind:
            yield from _leaves(part)
    elif not isinstance(kind, types.Array):
        yield str(kind), 0, False
    elif kind.layout == "C" and kind.aligned:
        yield str(kind.dtype), kind.ndim, kind.mutable
    else:
        raise CannotBeMade(f"{kind} is not laid out as frames have it")
