"""The command line. Each command's module is imported when it runs, so that `--help` is quick."""

import gc

gc.disable()  # a fifth of what imports cost goes into looking for garbage among modules, which are none

from pipeline.cli.app import main  # noqa: E402

gc.enable()

__all__ = ["main"]
