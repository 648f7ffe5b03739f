"""A progress bar on standard error: how far a file is read, how fast, and how many elements it had."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collector.stream.metered import Metered

EVERY: Final = 0.1
"""Seconds between two looks at how far it is."""


class Progress:
    """Nothing is shown."""

    def begin(self, file: Path, size: int | None, metered: "Metered") -> None:
        """A file is being read; its size is None where it is a pipe."""

    def passed(self, elements: int) -> None:
        """So many elements more."""

    def aside(self, say: Callable[..., object], *words: str) -> None:
        """Say something on standard error."""
        say(*words)


class _Bar(Progress):
    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task: Any = None
        self._metered: Metered | None = None
        self._elements = 0
        self._next = 0.0

    def begin(self, file: Path, size: int | None, metered: "Metered") -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
        name = "standard input" if str(file) == "-" else file.name
        self._task = self._bar.add_task(name if len(name) <= 24 else f"{name[:23]}…", total=size, elements="")
        self._metered, self._elements, self._next = metered, 0, 0.0

    def passed(self, elements: int) -> None:
        self._elements += elements
        now = time.monotonic()
        if now >= self._next and self._metered is not None:
            self._next = now + EVERY
            self._bar.update(self._task, completed=self._metered.octets, elements=f"{self._elements:,} elements")

    def aside(self, say: Callable[..., object], *words: str) -> None:
        self._bar.stop()
        say(*words)
        self._bar.start()


@contextmanager
def progress(shows: bool) -> Iterator[Progress]:
    """A bar, where it `shows`."""
    if not shows:
        yield Progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("{task.fields[elements]}"),
    )
    with Bar(
        *columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False
    ) as bar:
        yield _Bar(bar)
