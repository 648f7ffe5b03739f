"""`catchment`: the table of commands. Only what is needed for the help is imported here."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from anycast.finding import State
from pipeline.cli.agents import agents_app
from pipeline.cli.dashboards import dashboards_app
from pipeline.cli.decode import decode
from pipeline.cli.influx import influx_app
from pipeline.cli.lab import lab_app
from pipeline.cli.responder import responder_app
from pipeline.version import version

app = typer.Typer(
    name="catchment",
    help="Watch private anycast: who advertises, who hears it, where each site lands, and what is wrong.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help comes in half the time, and goes through pipes as it is
    context_settings={"help_option_names": ["-h", "--help"]},
)


File = Annotated[Path, typer.Argument(help="The intent file to read.", metavar="FILE", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Config = Annotated[Path, typer.Option("-c", "--config", help="The intent file.", metavar="FILE")]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="The daemon's data folder, or its socket (default: $CATCHMENT_DATA, else ./data).",
        metavar="FOLDER",
    ),
]


@app.callback(invoke_without_command=True)
def root(show: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    """Watch private anycast: who advertises, who hears it, where each site lands, and what is wrong."""
    if show:
        typer.echo(f"catchment {version()}")
        raise typer.Exit


@app.command(short_help="Run the daemon.")
def run(
    config: Config = Path("catchment.yaml"),
    data: Data = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Log every session event.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Log JSON lines.")] = False,
) -> None:
    """Run the daemon: the BMP station, judging, the API, the console and alerts, until it is told to stop.

    SIGHUP reads the intent file again; so does `catchment reload`. SIGTERM and Ctrl-C stop it.

    A listening BMP socket may be inherited (LISTEN_FDS, as systemd passes it).

    Leaves with 1 when the intent file has mistakes, and with 2 when the machine does not let it run.
    """
    from pipeline.cli.run import run as command

    raise typer.Exit(command(config, data, verbose, as_json))


@app.command(short_help="Run a probe agent at a site.")
def agent(
    config: Annotated[Path, typer.Option("-c", "--config", help="The agent's file.", metavar="FILE")] = Path(
        "agent.yaml"
    ),
    check: Annotated[bool, typer.Option("--check", help="Name every mistake in the file at once, and leave.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Log JSON lines; with --check, print JSON.")] = False,
) -> None:
    """Probe services and controls from the site that this machine stands in, and report to the centre, until stopped.

    What is asked, and how often, is in the agent's own file and nowhere else. What the centre has not taken waits on
    this machine's disk. Started by root, it becomes another user and keeps CAP_NET_RAW alone; without that it does what
    it can, and says what it cannot.

    SIGTERM and Ctrl-C stop it, after the centre had some seconds to take what waits.

    Leaves with 1 when the file has mistakes, and with 2 when the machine does not let it run.
    """
    from pipeline.cli.agent import agent as command

    raise typer.Exit(command(config, check, as_json))


@app.command(short_help="Check an intent file: every mistake at once.")
def check(
    file: File,
    as_json: Json = False,
    strict: Annotated[bool, typer.Option("--strict", help="Leave with 1 on lints, too.")] = False,
) -> None:
    """Read an intent file and name every mistake at once: file, line, key, and what would be right.

    Leaves with 1 when there is an error.
    """
    from pipeline.cli.intent import check as command

    raise typer.Exit(command(file, as_json, strict))


@app.command(short_help="Print the JSON Schema of the intent file.")
def schema(
    as_json: Annotated[bool, typer.Option("--json", help="JSON is what it prints anyway.")] = False,
) -> None:
    """Print the JSON Schema of the intent file, for editors."""
    from pipeline.cli.intent import schema as command

    raise typer.Exit(command())


@app.command(short_help="Write a first intent file from what the daemon sees.")
def learn(
    data: Data = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write to this file; it must not exist.", metavar="FILE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, which is YAML without comments.")] = False,
) -> None:
    """Write a first intent file from what the running daemon sees. Only the names are left to you.

    To begin with nothing, say who may connect, run the daemon on that, and let the routers connect:

    \b
      catchment: 1
      services: {}
      regions: {}
      exporters:
        gobgp: {addresses: [127.0.0.1], collector: true}
        ams-ce1: {addresses: [10.90.0.1]}

    \b
      catchment run -c first.yaml
      catchment learn -o mine.yaml && catchment check mine.yaml

    It describes what is there at this moment, so learn while all is well. Then stop the daemon and run it on mine.yaml.
    """
    from pipeline.cli.intent import learn as command

    raise typer.Exit(command(data, output, as_json))


@app.command(short_help="Print the configuration of the collector's GoBGP.")
def gobgp(
    file: File,
    exporter: Annotated[
        str | None, typer.Option("--exporter", help="Which collector (default: the first of the file).", metavar="NAME")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON (gobgpd -t json) instead of TOML.")] = False,
) -> None:
    """Print the configuration of the collector's GoBGP: every peer of the intent, BMP to us, nothing advertised."""
    from pipeline.cli.intent import gobgp as command

    raise typer.Exit(command(file, exporter, as_json))


@app.command(short_help="Have the daemon read its intent file again.")
def reload(data: Data = None, as_json: Json = False) -> None:
    """Have the running daemon read its intent file again: all of it takes effect, or nothing does.

    Leaves with 1 when it was not taken, and names every problem.
    """
    from pipeline.cli.intent import reload as command

    raise typer.Exit(command(data, as_json))


@app.command(short_help="Show services, sites, feeds and sessions now.")
def status(
    data: Data = None,
    every: Annotated[bool, typer.Option("-a", "--all", help="Also sessions that no vantage names.")] = False,
    as_json: Json = False,
) -> None:
    """Show services by region and site, feeds and sessions, as the running daemon sees them now.

    Leaves with 1 when a service is not ok.
    """
    from pipeline.cli.present import status as command

    raise typer.Exit(command(data, every, as_json))


@app.command(short_help="List what is wrong, with evidence and what to do.")
def findings(
    data: Data = None,
    state: Annotated[
        list[State] | None,
        typer.Option(
            "--state",
            help="pending, open or cleared (a day back); may be repeated (default: pending and open).",
            metavar="STATE",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List what is wrong, the worst first, with evidence and what to do.

    Leaves with 1 when anything is open.
    """
    from pipeline.cli.present import findings as command

    raise typer.Exit(command(data, list(map(str, state)) if state else None, as_json))


@app.command(short_help="Show where sites land: meant, by BGP, and seen by probes.")
def sites(
    site: Annotated[str | None, typer.Argument(help="A site; all when left out.", metavar="SITE")] = None,
    service: Annotated[
        str | None, typer.Argument(help="A service: then also its legs and its history.", metavar="SERVICE")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", help="History from a time, or how long ago: 10m, 6h (default: 1h).", metavar="TIME"),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="A time, or how long ago (default: now).", metavar="TIME")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show where sites land for each service: as meant, by BGP, and who answers probes, with loss and latency.

    With a site and a service: every region with its share and confidence, every leg, and the history of both. The
    history is read from the data folder where no daemon runs.

    Shares are of probes that use each source port once. `~` marks identities that are matched, not authenticated; an
    answer without a valid identity is in nobody's share.

    Leaves with 1 when a site does not land as meant.
    """
    from pipeline.cli.sites import sites as command

    raise typer.Exit(command(data, site, service, since, until, as_json))


@app.command(short_help="Tell what happened, or what was there at a time.")
def history(
    prefix: Annotated[
        str | None, typer.Argument(help="A prefix; everything watched when left out.", metavar="PREFIX")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", help="A time, or how long ago: 30m, 6h, 7d (default: 24h).", metavar="TIME"),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="A time, or how long ago (default: now).", metavar="TIME")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", help="Instead: what every table held of the prefix at this time.", metavar="TIME"),
    ] = None,
    limit: Annotated[
        int, typer.Option(help="At most so many events, the newest.", metavar="N", min=1, max=10_000)
    ] = 1000,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Tell what happened to a prefix, oldest first, watched or not; or with --at, what was there at a time.

    Reads the data folder, with or without a running daemon. A TIME is 2026-01-31T08:00:00Z, or 6h for six hours ago.
    """
    from pipeline.cli.past import history as command

    raise typer.Exit(command(data, prefix, since, until, at, limit, as_json))


@app.command(short_help="Back the data folder up, also while the daemon runs.")
def backup(
    target: Annotated[
        Path,
        typer.Argument(
            help="A folder, or a .tar or .tar.gz file, that does not exist yet; `-` for standard output.",
            metavar="DIR|FILE",
            show_default=False,
        ),
    ],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Back up what Catchment saw and concluded, the journal and the ledger, with or without a running daemon.

    All of it is of one moment, and readable by its owner alone. A manifest has the digest of each file. The archive
    (MRT files) and agents' tokens are files of their own, and not in it.

    Leaves with 2 when it cannot be made; then nothing of it is left.
    """
    from pipeline.cli.backup import backup as command

    raise typer.Exit(command(target, data, as_json))


@app.command(short_help="Bring a backup back.")
def restore(
    source: Annotated[
        Path,
        typer.Argument(
            help="What `catchment backup` made; `-` for standard input.", metavar="DIR|FILE", show_default=False
        ),
    ],
    data: Data = None,
    check: Annotated[bool, typer.Option("--check", help="Only prove it, and bring nothing back.")] = False,
    as_json: Json = False,
) -> None:
    """Bring a backup back into a data folder that has no journal and no ledger, after every digest was proven.

    What happened between the backup and the next start was not watched, and is told so.

    Leaves with 2 when it cannot be done; then the data folder is as it was.
    """
    from pipeline.cli.backup import restore as command

    raise typer.Exit(command(source, data, check, as_json))


@app.command(short_help="Run recordings through the pipeline, on a virtual clock.")
def replay(
    files: Annotated[
        list[str],
        typer.Argument(
            help="BMP, MRT, packet captures or recordings of the lab; NAME=FILE names its exporter.", metavar="FILE"
        ),
    ],
    config: Config = Path("catchment.yaml"),
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Keep journal and ledger in this new folder, for history.", metavar="FOLDER"),
    ] = None,
    linger: Annotated[
        str, typer.Option("--linger", help="Go on for so long after the last moment: 30s, 10m.", metavar="LENGTH")
    ] = "0s",
    everything: Annotated[
        bool, typer.Option("-a", "--all", help="Also routes, sessions, and findings that healed at once.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run recorded BMP or MRT through the whole pipeline and print what it would have found, and when.

    Findings come as they open and clear, then the incidents that they make up: each with its first cause and why the
    others follow from it.

    The clock is the recording's: hold-downs and quiet timers run as they would have, and the same recording tells the
    same story every time. Files of one exporter follow each other; those of several are played side by side.

    What was sent before a recording began is unknown. Of MRT, name the table dump first, then the updates. In a packet
    capture each exporter is known by its address.

    Leaves with 1 when a finding was opened, with 2 when a file cannot be replayed.
    """
    from pipeline.cli.replay import replay as command

    raise typer.Exit(command(files, config, data, linger, everything, as_json))


app.command(short_help="Decode and filter BMP and MRT files.")(decode)


@app.command(short_help="Watch a network fail and recover, in two minutes.")
def demo(
    seconds: Annotated[float, typer.Option(help="Rough length of the story, 60 or more.")] = 120.0,
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


@app.command(short_help="Find hosts' catchments from an NVA.")
def reverse(
    config: Annotated[Path, typer.Option("-c", "--config", help="Its file.", metavar="FILE")] = Path("reverse.yaml"),
    check: Annotated[bool, typer.Option("--check", help="Only check the file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Log JSON lines; print JSON with --check.")] = False,
) -> None:
    """Ping on-premises hosts from an anycast address; the NVA that hears the reply is that host's catchment.

    Runs on every NVA of the fleet until it is told to stop, and reports to the centre as an agent does. It needs
    CAP_NET_RAW, or to be started by root, whom it leaves at once.

    Leaves with 1 when the file has mistakes, and with 2 when the machine does not let it run.
    """
    from pipeline.cli.reverse import reverse as command

    raise typer.Exit(command(config, check, as_json))


app.add_typer(responder_app, name="responder")
app.add_typer(agents_app, name="agents", short_help="Let probe agents in, and see how they are.")
app.add_typer(dashboards_app, name="dashboards", short_help="Build and push Grafana's dashboards.")
app.add_typer(influx_app, name="influx", short_help="See how servers take time series.")
app.add_typer(lab_app, name="lab")


def main() -> None:
    """Run the command line; errors of ours are sentences, not tracebacks."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:  # `>&-`: no file that is opened later may get its number
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), "w" if descriptor else "r"))
    try:
        app()
    except Exception as error:
        from pipeline.cli.shown import complain
        from pipeline.client import DaemonRefused, NoDaemon

        if not isinstance(error, NoDaemon | DaemonRefused):
            raise
        sys.exit(complain(sys.argv[1], error))
