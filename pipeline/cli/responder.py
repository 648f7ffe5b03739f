"""`catchment responder`: who answers. Its imports wait, so that the help is quick and the process small."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

responder_app = typer.Typer(
    help="Answer who is here, on NVAs and beside applications.",
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@responder_app.callback(invoke_without_command=True)
def responder(
    context: typer.Context,
    config: Annotated[Path, typer.Option("-c", "--config", help="The responder's file.", metavar="FILE")] = Path(
        "responder.yaml"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Log JSON lines; counters go to standard output.")] = False,
) -> None:
    """Answer who is here, over UDP and HTTP, to those who ask under a key; runs until it is told to stop.

    It answers only who is in the file's allow-list and asks under one of the file's keys, each request once, never
    with more octets than it was asked with, and never more often than the file says. Everything else is dropped without
    a word, and counted by its cause.

    SIGHUP reads the file and its keys again: services, names, keys, allow-list and rates. SIGUSR1 prints the counters,
    and so does every minute. Started by root, it becomes another user as soon as its sockets are bound.

    Leaves with 1 when the file has mistakes, and with 2 when the machine does not let it run.
    """
    if context.invoked_subcommand is None:
        raise typer.Exit(_run(config, as_json))


@responder_app.command(short_help="Check a responder's file: every mistake at once.")
def check(
    file: Annotated[Path, typer.Argument(help="The responder's file.", metavar="FILE", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read a responder's file and its keys, and name every mistake at once: file, line, key, and what would be right.

    Leaves with 1 when there is one.
    """
    from collector.probe.responder.written import load
    from collector.written.problem import ConfigError, rendered

    problems: tuple[Any, ...] = ()
    try:
        load(file)
    except ConfigError as error:
        problems = error.problems
    if as_json:
        typer.echo(json.dumps([problem.plain() for problem in problems], indent=2))
    else:
        for line in rendered(problems):
            typer.echo(line)
        typer.echo(f"{file}: {'no mistakes' if not problems else f'mistakes: {len(problems)}'}")
    raise typer.Exit(int(bool(problems)))


@responder_app.command(short_help="Make a key in a new file.")
def key(
    file: Annotated[Path, typer.Argument(help="The file to make.", metavar="FILE", show_default=False)],
) -> None:
    """Make a random key in a new file that only its owner can read; a file that is there already is never touched.

    The same key goes to the site's agent and to every responder, under the same number. To take another: make it, give
    it to every responder beside the old one (SIGHUP), then to the agent, and when the responders' counters show that
    the old one is used no more, take it out.
    """
    from collector.probe.identity.keyfile import KeyFileError, make_key

    try:
        make_key(file)
    except KeyFileError as error:
        sys.stderr.write(f"catchment responder key: {error}\n")
        raise typer.Exit(2) from None
    typer.echo(f"{file}: a new key, for its owner's eyes only")


def _run(config: Path, as_json: bool) -> int:
    import asyncio

    from collector.probe.responder.process import run
    from collector.written.problem import ConfigError

    log_to_stderr(as_json)
    try:
        asyncio.run(run(config, _print_json if as_json else _print_line))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (ValueError, OSError) as error:
        sys.stderr.write(f"catchment responder: {error}\n")
        return 2
    return 0


def log_to_stderr(as_json: bool) -> None:
    """Log to standard error, as text or as JSON lines."""
    import logging

    from pipeline.cli.run import PLAIN, JsonLines

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(PLAIN))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def _print_json(status: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(status) + "\n")
    sys.stdout.flush()


def _print_line(status: dict[str, Any]) -> None:
    def listed(counts: dict[str, int]) -> str:
        return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"

    shown = f"answered: {listed(status['answered'])}; by key: {listed(status['keys'])}"
    sys.stdout.write(f"{shown}; dropped: {listed(status['dropped'])}\n")
    sys.stdout.flush()
