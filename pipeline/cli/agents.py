"""`catchment agents`: who may report. Its imports wait, so that the help is quick."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

agents_app = typer.Typer(
    help="Let probe agents in, and see how they are.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@agents_app.command(short_help="Show how each agent is.")
def status(
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="The daemon's data folder, or its socket (default: $CATCHMENT_DATA, else ./data).",
            metavar="FOLDER",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show each agent as the running daemon hears it: whether it can be believed, and what it says of itself.

    Leaves with 1 when an agent that the intent names is not heard, or its host lags.
    """
    from pipeline.cli.attendance import status as command

    raise typer.Exit(command(data, as_json))


@agents_app.command(short_help="Make a token for a site's agent.")
def enrol(
    site: Annotated[str, typer.Argument(help="The site, or NVA, as the intent file names it.", show_default=False)],
    config: Annotated[Path, typer.Option("-c", "--config", help="The intent file.", metavar="FILE")] = Path(
        "catchment.yaml"
    ),
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Where the token goes (default: SITE.agent-token here).", metavar="FILE"),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", help="A name or address by which agents reach us; may be repeated.", metavar="HOST"),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Make another token beside the one that is there; both are valid.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a token for the agent of a site, and print the agent's part of its file; or for an NVA that pings hosts.

    The token goes into a new file that only its owner can read, to be carried to the agent's machine; here only its
    fingerprint stays. Where `agents.certificate` names a file that is not there, a self-signed certificate is made,
    for --host and this machine's own name: carry it along, for the agent believes it alone.

    A running daemon knows the token after `catchment reload`.

    Leaves with 1 when the intent file has mistakes, and with 2 when nothing could be made.
    """
    from collector.written.problem import ConfigError
    from pipeline.agents.enrol import EnrolError
    from pipeline.agents.enrol import enrol as make
    from pipeline.config import load

    try:
        made = make(load(config), site, output or Path(f"{site}.agent-token"), host or (), again)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None
    except EnrolError as error:
        sys.stderr.write(f"catchment agents enrol: {error}\n")
        raise typer.Exit(2) from None
    if as_json:
        files = {"token_file": str(made.token), "ca_file": str(made.ca) if made.ca else None}
        shown = {"site": made.site, "url": made.url, **files, "made": [str(path) for path in made.made]}
        typer.echo(json.dumps(shown, indent=2))
        return
    for path in made.made:
        typer.echo(f"# made {path}")
    carried = " and ".join(str(path) for path in (made.token, made.ca) if path is not None)
    typer.echo(f"# Carry {carried} to the agent's machine, and write into the agent's file:")
    typer.echo(made.part())
