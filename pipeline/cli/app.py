"""`catchment`: the table of commands."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.version import version

app = typer.Typer(
    name="catchment",
    help="Watch private anycast: who advertises, who hears it, where each site lands, and what is wrong.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Config = Annotated[Path, typer.Option("-c", "--config", help="The intent file.", show_default=True)]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder of the daemon.  [default: $CATCHMENT_DATA, else ./data]"),
]


@app.callback(invoke_without_command=True)
def root(show: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    """Watch private anycast: who advertises, who hears it, where each site lands, and what is wrong."""
    if show:
        typer.echo(f"catchment {version()}")
        raise typer.Exit


@app.command()
def run(
    config: Config = Path("catchment.yaml"),
    data: Data = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Log every session event.")] = False,
) -> None:
    """Run the daemon: the BMP station, judging, the API, the console and alerts, until it is told to stop.

    SIGHUP reads the intent file again. A listening BMP socket may be inherited (LISTEN_FDS, as systemd passes it).
    """
    from pipeline.cli.run import run as command

    raise typer.Exit(command(config, data, verbose))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The intent file to read.")],
    as_json: Json = False,
    strict: Annotated[bool, typer.Option("--strict", help="Leave with an error on lints, too.")] = False,
) -> None:
    """Read an intent file and name every mistake at once: file, line, key, and what would be right."""
    from pipeline.cli.intent import check as command

    raise typer.Exit(command(file, as_json, strict))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the intent file, for editors."""
    from pipeline.cli.intent import schema as command

    raise typer.Exit(command())


@app.command()
def learn(
    data: Data = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write to a file instead; it must not exist."),
    ] = None,
) -> None:
    """Write a first intent file from what the running daemon sees. Only the names are left to you."""
    from pipeline.cli.intent import learn as command

    raise typer.Exit(command(data, output))


@app.command()
def status(data: Data = None, as_json: Json = False) -> None:
    """Show services by region and site, feeds and sessions, as the running daemon sees them now."""
    from pipeline.cli.present import status as command

    raise typer.Exit(command(data, as_json))


@app.command()
def findings(
    data: Data = None,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="pending, open or cleared; may be repeated.  [default: pending and open]"),
    ] = None,
    as_json: Json = False,
) -> None:
    """List what is wrong, newest first, with evidence and what to do."""
    from pipeline.cli.present import findings as command

    raise typer.Exit(command(data, state, as_json))


@app.command()
def history(
    prefix: Annotated[str | None, typer.Argument(help="A prefix; everything watched when left out.")] = None,
    since: Annotated[str, typer.Option("--from", help="RFC 3339 time, or how long ago: 30m, 6h, 7d.")] = "24h",
    until: Annotated[
        str | None,
        typer.Option("--to", help="RFC 3339 time.  [default: now]"),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", help="Instead: the state of the prefix at this time, from every vantage."),
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many lines.", min=1, max=10_000)] = 1000,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Tell what happened to a prefix. Reads the data folder, with or without a running daemon."""
    from pipeline.cli.past import history as command

    raise typer.Exit(command(data, prefix, since, until, at, limit, as_json))


@app.command()
def decode(
    files: Annotated[
        list[Path] | None, typer.Argument(help="BMP or MRT files, gzip or not; - is standard input.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines (the default; here for symmetry).")] = True,
) -> None:
    """Decode BMP and MRT into JSON lines, one an element."""
    from pipeline.cli.past import decode as command

    raise typer.Exit(command(files or [Path("-")]))


def _lab_commands() -> None:
    from pipeline.cli.lab import lab_app

    app.add_typer(lab_app, name="lab")


@app.command()
def demo(
    seconds: Annotated[float, typer.Option(help="Rough length of the story.")] = 120.0,
    recording: Annotated[
        bool, typer.Option("--recording", help="Play the recording even where the lab could run.")
    ] = False,
    live: Annotated[bool, typer.Option("--live", help="Fail rather than fall back to the recording.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep running after the story, until interrupted.")] = False,
    port: Annotated[int, typer.Option(help="Port of the page on 127.0.0.1.")] = 8470,
) -> None:
    """Watch a two-region anycast network lose an advertisement, fail over, recover and be hijacked, in two minutes."""
    from pipeline.cli.demo import demo as command

    raise typer.Exit(command(seconds, recording, live, keep, port))


def main() -> None:
    """Run the command line; errors of ours are sentences, not tracebacks."""
    from pipeline.client import DaemonRefused, NoDaemon

    _lab_commands()
    try:
        app()
    except (NoDaemon, DaemonRefused) as error:
        typer.secho(f"catchment: {error}", err=True, fg="red")
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
