"""`catchment agent`. Its imports wait, so that the help is quick and the process small."""

import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collector.written.problem import Problem


def agent(file: Path, check: bool, as_json: bool) -> int:
    """Run, or check the file only; 1 when it has mistakes, 2 when the machine does not let the agent run."""
    from collector.probe.config.read import check as read
    from collector.written.problem import Weight, rendered

    settings, problems = read(file)
    if check:
        _print(file, problems, as_json)
        return int(any(problem.severity is Weight.ERROR for problem in problems))
    for line in rendered(problems):
        sys.stderr.write(line + "\n")
    if settings is None:
        return 1
    from collector.probe.process import AgentError, run

    _log(as_json)
    try:
        run(settings)
    except AgentError as error:
        sys.stderr.write(f"catchment agent: {error}\n")
        return 2
    return 0


def _print(file: Path, problems: "Sequence[Problem]", as_json: bool) -> None:
    from collector.written.problem import rendered

    if as_json:
        sys.stdout.write(json.dumps([problem.plain() for problem in problems], indent=2) + "\n")
        return
    for line in rendered(problems):
        sys.stdout.write(line + "\n")
    if not problems:
        sys.stdout.write(f"{file}: no mistakes\n")


def _log(as_json: bool) -> None:
    from pipeline.cli.run import PLAIN, JsonLines

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(PLAIN))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("aiohttp").setLevel(logging.WARNING)
