"""`catchment influx`: how servers take time series. Its imports wait, so that the help is quick."""

from pathlib import Path
from typing import Annotated

import typer

influx_app = typer.Typer(
    help="See how servers take time series.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="The daemon's data folder, or its socket (default: $CATCHMENT_DATA, else ./data).",
        metavar="FOLDER",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@influx_app.command(short_help="Show how each server stands.")
def status(data: Data = None, as_json: Json = False) -> None:
    """Show each server that time series are written to: what it does, how far behind it is, and what it said last.

    Leaves with 1 when one of them does not take what there is.
    """
    from pipeline.cli.sinks import status as command

    raise typer.Exit(command(data, as_json))


@influx_app.command(short_help="Show points that servers refused.")
def quarantine(
    data: Data = None,
    sink: Annotated[str | None, typer.Option("--sink", help="Of one server only.", metavar="NAME")] = None,
    limit: Annotated[int, typer.Option(help="At most so many, the newest.", metavar="N", min=1, max=10_000)] = 20,
    as_json: Json = False,
) -> None:
    """Show the points that servers refused, with their reasons. The newest come first."""
    from pipeline.cli.sinks import quarantine as command

    raise typer.Exit(command(data, sink, limit, as_json))
