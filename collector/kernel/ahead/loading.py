"""An object file into memory, as numba loads its own: by llvmlite, for this very processor."""

from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]

from collector.kernel.ahead.calls import Call

_ENGINES: list[Any] = []
"""Whoever was loaded stays: its functions may be running."""


def machine() -> Any:
    """Return this processor, with numba's options for code that is loaded where there is room."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="static" if target.name.startswith("x86") else "default",
        codemodel="jitdefault",
        jit=True,
    )


def load(table: dict[str, dict[str, Any]], code: bytes) -> dict[str, Call]:
    """Load an object file; `table` has of each function its symbol and types, as `making` writes them.

    Raises RuntimeError when llvmlite cannot.
    """
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _ENGINES.append(engine)
    addresses = {name: engine.get_function_address(of["symbol"]) for name, of in table.items()}
    if not all(addresses.values()):
        raise RuntimeError("a function is not in the object file")
    return {name: Call(addresses[name], of["arguments"], of["results"], of["several"]) for name, of in table.items()}
