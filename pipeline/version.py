"""Which version this is."""


def version() -> str:
    """Return the installed version; `0+source` in a tree that was never installed."""
    from importlib.metadata import PackageNotFoundError  # it brings the parser of mails with it
    from importlib.metadata import version as installed

    try:
        return installed("catchment")
    except PackageNotFoundError:
        return "0+source"
