"""docs/decode.md and docs/stream.md: their examples run.

`python -m tests.pipeline.decode_docs` writes what the examples print into the documents.
"""

import io
import re
import shlex
import tempfile
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any

from tests.collector.stream.samples import documented
from tests.needs import ROOT

DECODE, STREAM = ROOT / "docs" / "decode.md", ROOT / "docs" / "stream.md"
CONSOLE = re.compile(r"```console\n(.*?)```\n", re.DOTALL)
PYTHON = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


def written() -> dict[Path, str]:
    """Both documents as they should be."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        Path("weu.bmp").write_bytes(documented())
        names: dict[str, Any] = {}
        decode = CONSOLE.sub(lambda found: _console(found[1]), DECODE.read_text())
        stream = PYTHON.sub(lambda found: _python(found[1], names), STREAM.read_text())
    return {DECODE: decode, STREAM: stream}


def _console(block: str) -> str:
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    return "```console\n" + "".join(f"{command}\n{_said(command[2:])}" for command in commands) + "```\n"


def _said(command: str) -> str:
    """What a command prints on a terminal of 80 columns, both of its outputs."""
    from tests.pipeline.terminal import in_terminal

    said = in_terminal(*shlex.split(command)[1:], NO_COLOR="1")
    return "".join(f"{line.rstrip()}\n" for line in said.lines)


def _python(source: str, names: dict[str, Any]) -> str:
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(source, str(STREAM), "exec"), names)
    shown = f"\n```text\n{printed.getvalue()}```\n" if printed.getvalue() else ""
    return f"```python\n{source}```\n{shown}"


def main() -> None:
    """Write both documents."""
    for path, text in written().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
