"""`catchment check`, `schema` and `learn`: the intent file."""

import sys
from pathlib import Path

from pipeline.cli.shown import data_folder, print_json
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
        sys.stdout.write(f"{file}: {_counted(len(errors), 'error')}, {_counted(lints, 'lint')}\n")
    return int(bool(errors) or (strict and bool(problems)))


def schema() -> int:
    """Print the JSON Schema."""
    from pipeline.config.schema import schema as made

    print_json(made())
    return 0


def learn(data: Path | None, output: Path | None) -> int:
    """Print or write an intent file made from what the running daemon sees."""
    from pipeline.config.learn import learn as written
    from pipeline.config.learn import seen_from_plain

    text = written(seen_from_plain(Client(data_folder(data)).get("/api/v1/seen")))
    if output is None:
        sys.stdout.write(text)
        return 0
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        sys.stderr.write(f"catchment learn: {output} exists; name a file that does not\n")
        return 2
    sys.stderr.write(
        f"wrote {output}; rename what is called region-1, nva-1 and so on, then: catchment check {output}\n"
    )
    return 0


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
