"""The command line. Each command's module is imported when it runs, so that `--help` is quick."""

from pipeline.cli.app import main

__all__ = ["main"]
