"""Work in a child process of ours: what it says, a sentence a line, or why it failed."""

import asyncio
import sys


async def in_a_child(what: str, module: str, *arguments: str) -> tuple[str, ...]:
    """Run `python -m module arguments`; returns the lines it printed.

    Raises RuntimeError, with `what` it was and its last words, when it fails. Cancelled, it kills the child.
    """
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdout=pipe, stderr=pipe)
    try:
        said, failed = await child.communicate()
    except asyncio.CancelledError:
        child.kill()
        raise
    if child.returncode != 0:
        last = failed.decode(errors="replace").strip().splitlines()[-1:] or [f"exit {child.returncode}"]
        raise RuntimeError(f"{what} failed: {last[0]}")
    return tuple(said.decode().splitlines())
