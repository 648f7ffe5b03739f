"""`catchment run`."""

import asyncio
import json
import logging
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.thrift import thrift

if TYPE_CHECKING:  # imports are slow, and an intent file with a mistake should be told at once
    from pipeline.config import Config


def run(config_file: Path, data: Path | None, verbose: bool, as_json: bool = False) -> int:
    """Run until stopped; 1 when the intent file is wrong, 2 when the machine does not let us."""
    from collector.kernel import ahead
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
        given = frozenset(("data", "listen.socket"))
        config = replace(config, data=data.absolute(), listen=replace(config.listen, socket=socket), given=given)
    _log(verbose, as_json)
    thrift()
    ahead.use()  # of the installation, while the place of compiled code is still that
    _compiled_code_beside(config.data)
    return _run(config)


def _compiled_code_beside(data: Path) -> None:
    """Keep compiled code in the data folder where the installation cannot be written to; NUMBA_CACHE_DIR overrules."""
    import collector

    installed = Path(collector.__path__[0])
    if not os.access(installed, os.W_OK):
        os.environ.setdefault("NUMBA_CACHE_DIR", str(data / "compiled"))


def _run(config: "Config") -> int:
    from pipeline.cli.shown import complain
    from pipeline.daemon import run as daemon
    from store.ledger import LedgerError
    from store.schema import JournalError

    try:
        asyncio.run(daemon(config, os.environ.get("CATCHMENT_MODE", "live")))
    except (JournalError, LedgerError, ValueError, OSError) as error:
        return complain("run", error)
    return 0


def _log(verbose: bool, as_json: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(PLAIN))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("apscheduler").setLevel(logging.INFO if verbose else logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.INFO if verbose else logging.WARNING)
    if verbose:
        logging.getLogger("collector").setLevel(logging.DEBUG)


def json_logs() -> bool:
    """Whether this process logs JSON lines: whoever it starts does, too."""
    return any(isinstance(handler.formatter, JsonLines) for handler in logging.getLogger().handlers)


PLAIN = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """One JSON object a line: `at`, `level`, `logger`, `message`, and `traceback` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        shown = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            shown["traceback"] = self.formatException(record.exc_info)
        return json.dumps(shown)
