"""`catchment run`."""

import asyncio
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imports are slow, and an intent file with a mistake should be told at once
    from pipeline.config import Config


def run(config_file: Path, data: Path | None, verbose: bool) -> int:
    """Run until stopped; 1 when the intent file is wrong, 2 when the machine does not let us."""
    from pipeline.config import ConfigError, load, rendered

    try:
        config = load(config_file)
    except ConfigError as error:
        sys.stderr.write("\n".join(rendered(error.problems)) + "\n")
        return 1
    for line in rendered(config.lints):
        sys.stderr.write(line + "\n")
    if data is not None:
        socket = data.absolute() / "catchment.sock"
        config = replace(config, data=data.absolute(), listen=replace(config.listen, socket=socket))
    _log(verbose)
    return _run(config)


def _run(config: "Config") -> int:
    from pipeline.daemon import run as daemon
    from store.ledger import LedgerError
    from store.schema import JournalError

    try:
        asyncio.run(daemon(config, os.environ.get("CATCHMENT_MODE", "live")))
    except (JournalError, LedgerError, ValueError) as error:
        sys.stderr.write(f"catchment run: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"catchment run: {error.strerror or error}\n")
        return 2
    return 0


def _log(verbose: bool) -> None:
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        stream=sys.stderr,
        force=True,
    )
    logging.getLogger("apscheduler").setLevel(logging.INFO if verbose else logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.INFO if verbose else logging.WARNING)
    if verbose:
        logging.getLogger("collector").setLevel(logging.DEBUG)
