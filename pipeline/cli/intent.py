"""`catchment check`, `schema`, `learn`, `gobgp` and `reload`: the intent file."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from anycast.plain import Plain
from pipeline.cli.shown import complain, counted, data_folder, note, print_json
from pipeline.client import Client


def check(file: Path, as_json: bool, strict: bool) -> int:
    """Print every problem; 1 on an error (with `strict` on a lint, too), 0 otherwise."""
    from pipeline.config import check as problems_of
    from pipeline.config import rendered

    problems = problems_of(file)
    errors = [problem for problem in problems if problem.severity == "error"]
    if as_json:
        print_json([problem.plain() for problem in problems])
    else:
        for line in rendered(problems):
            sys.stdout.write(line + "\n")
        lints = len(problems) - len(errors)
        sys.stdout.write(f"{file}: {counted(len(errors), 'error')}, {counted(lints, 'lint')}\n")
    return int(bool(errors) or (strict and bool(problems)))


def schema() -> int:
    """Print the JSON Schema."""
    from pipeline.config.schema import schema as made

    print_json(made())
    return 0


def learn(data: Path | None, output: Path | None, as_json: bool) -> int:
    """Print or write an intent file made from what the running daemon sees."""
    from pipeline.config.learn import learn as written
    from pipeline.config.learn import seen_from_plain

    client = Client(data_folder(data), timeout=120)  # a full table is a few seconds of the journal
    seen, status = seen_from_plain(client.get("/api/v1/seen")), client.get("/api/v1/status")
    if not any(session.up for exporter in seen.exporters for session in exporter.sessions):
        return complain("learn", _nothing(status))
    text = written(seen)
    if as_json:
        text = json.dumps(_tree(text), indent=2) + "\n"
    for line in _unready(status):
        note(f"catchment learn: {line}")
    if output is None:
        sys.stdout.write(text)
        return 0
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return complain("learn", f"{output} exists; name a file that does not")
    except OSError as error:
        return complain("learn", error)
    note(f"wrote {output}; rename what is called region-1, site-1 and so on, then: catchment check {output}")
    return 0


def gobgp(file: Path, exporter: str | None, as_json: bool) -> int:
    """Print the configuration of a collector's GoBGP; 1 when the intent does not say enough."""
    import tomllib

    from pipeline.config import ConfigError, load, rendered
    from pipeline.config.gobgp import gobgp_configuration

    try:
        text = gobgp_configuration(load(file), exporter)
    except ConfigError as error:
        sys.stderr.write("\n".join(rendered(error.problems)) + "\n")
        return 1
    if as_json:
        print_json(tomllib.loads(text))
    else:
        sys.stdout.write(text)
    return 0


def reload(data: Path | None, as_json: bool) -> int:
    """Have the daemon read its intent file again; 1 when it was not taken."""
    answer = Client(data_folder(data), timeout=60).post("/api/v1/reload")
    if as_json:
        print_json(answer)
    elif answer["reloaded"]:
        rest = [f"{each['key']}: {each['running']} runs, the file says {each['file']}" for each in answer["restart"]]
        but = "; a restart applies the rest:\n  " + "\n  ".join(rest) if rest else ", and all of it is in effect"
        sys.stdout.write(f"the intent file was read again{but}\n")
    else:
        sys.stderr.write("".join(f"{problem}\n" for problem in answer["problems"]))
        sys.stderr.write("the intent file was not taken; what was in effect before still is\n")
    return 0 if answer["reloaded"] else 1


def _nothing(status: Plain) -> str:
    """Why there is nothing to learn from, and what to do."""
    connected = [feed["exporter"] for feed in status["feeds"] if feed["connected"]]
    waiting = [feed["exporter"] for feed in status["feeds"] if not feed["connected"]]
    source = status["intent"]["source"]
    if connected:
        return f"{', '.join(connected)}: connected, but no session is reported up yet; ask again in some seconds"
    if waiting:
        told = f"nothing has connected yet, so there is nothing to learn from; let {', '.join(waiting)} send BMP here"
        return f"{told} (`listen.bmp` of {source} says where), and ask again when `catchment status` shows it connected"
    return f"no router may connect, so there is nothing to learn from; name some under `exporters` of {source}"


def _unready(status: Plain) -> list[str]:
    """What keeps the picture from being whole, so that it had better be learned again later."""
    away = [feed["exporter"] for feed in status["feeds"] if not feed["connected"]]
    states = Counter(session["state"] for session in status["sessions"])
    lines = [f"not connected, so nothing is known of: {', '.join(away)}"] if away else []
    if states["loading"]:
        lines.append(f"{counted(states['loading'], 'table')} still being loaded; ask again in some seconds")
    return lines


def _tree(text: str) -> Any:
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(text)
