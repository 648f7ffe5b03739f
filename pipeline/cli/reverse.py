"""`catchment reverse`. Its imports wait, so that the help is quick and the process small."""

import json
import sys
from pathlib import Path


def reverse(file: Path, check: bool, as_json: bool) -> int:
    """Run, or check the file only; 1 when it has mistakes, 2 when the machine does not let it run."""
    from collector.probe.reverse.written import load
    from collector.written.problem import ConfigError, rendered

    try:
        settings = load(file)
    except ConfigError as error:
        if check and as_json:
            sys.stdout.write(json.dumps([problem.plain() for problem in error.problems], indent=2) + "\n")
        else:
            (sys.stdout if check else sys.stderr).write("\n".join(rendered(error.problems)) + "\n")
        return 1
    if check:
        sys.stdout.write("[]\n" if as_json else f"{file}: no mistakes; {len(settings.pairs)} pings a round\n")
        return 0
    from collector.probe.process import AgentError, run
    from collector.probe.reverse.reverser import Reverser
    from pipeline.cli.responder import log_to_stderr

    log_to_stderr(as_json)
    try:
        run(settings.agent, lambda _, deliver, keys: Reverser(settings, deliver, keys))
    except AgentError as error:
        sys.stderr.write(f"catchment reverse: {error}\n")
        return 2
    return 0
