"""Which version this is."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


def version() -> str:
    """Return the installed version; `0+source` in a tree that was never installed."""
    try:
        return installed("catchment")
    except PackageNotFoundError:
        return "0+source"
