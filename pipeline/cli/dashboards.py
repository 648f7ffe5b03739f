"""`catchment dashboards`: what people see in Grafana. Its imports wait, so that the help is quick."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from dashboards.grafana.provision import Place
    from dashboards.grafana.push import Outcome
    from dashboards.grafana.render import Setting

dashboards_app = typer.Typer(
    help="Build Grafana's dashboards, alert rules and data source, and push dashboards.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Language = Annotated[
    Literal["influxql", "metricsql"],
    typer.Option("--variant", help="influxql for InfluxDB 1, 2 and 3; metricsql for VictoriaMetrics."),
]
Console = Annotated[
    str, typer.Option("--console", help="Address of Catchment's own console, for links.", metavar="URL")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_CONSOLE = "http://127.0.0.1:8470"
_TOKEN = "/run/secrets/influx-token"


@dashboards_app.command(short_help="Write the dashboards as files.")
def build(
    out: Annotated[Path, typer.Option("--out", help="Write dashboards into this folder.", metavar="DIR")] = Path(
        "grafana"
    ),
    provisioning: Annotated[
        Path | None,
        typer.Option(
            "--provisioning",
            help="Write all that Grafana needs into this folder instead, over what is there.",
            metavar="DIR",
        ),
    ] = None,
    variant: Language = "influxql",
    console: Console = _CONSOLE,
    server: Annotated[
        str | None,
        typer.Option("--server", help="URL of the database, as Grafana sees it (with --provisioning).", metavar="URL"),
    ] = None,
    database: Annotated[
        str, typer.Option("--database", help="InfluxDB's database or bucket (with --provisioning).", metavar="NAME")
    ] = "catchment",
    token_file: Annotated[
        str,
        typer.Option(
            "--token-file",
            help="File of the database's token, as Grafana sees it; none for no token (with --provisioning).",
            metavar="FILE",
        ),
    ] = _TOKEN,
    alertmanager: Annotated[
        str, typer.Option("--alertmanager", help="URL that alerts go to (with --provisioning).", metavar="URL")
    ] = "http://alertmanager:9093",
    webhook_url_file: Annotated[
        str | None,
        typer.Option(
            "--webhook-url-file",
            help="File with the URL of a webhook to tell as well, as Grafana sees it (with --provisioning).",
            metavar="FILE",
        ),
    ] = None,
    mounted: Annotated[
        str, typer.Option("--mounted", help="Where Grafana sees the folder of --provisioning.", metavar="DIR")
    ] = "/etc/grafana/provisioning",
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that differ.")] = False,
    as_json: Json = False,
) -> None:
    """Write every dashboard as a file of JSON; with --provisioning also data source, alert rules and contact points.

    The same model makes the same octets. No secret is written: a token is named by its file, which Grafana reads.

    Leaves with 2 when a file that differs is there already and --force is not given, or nothing could be written.
    """
    from dashboards.grafana.model import Variant
    from dashboards.grafana.provision import Place
    from dashboards.grafana.render import Setting

    place = Place(
        server, database, None if token_file == "none" else token_file, alertmanager, webhook_url_file, mounted
    )
    raise typer.Exit(_build(Setting(Variant(variant), console), place, out, provisioning, force, as_json))


def _build(setting: "Setting", place: "Place", out: Path, provisioning: Path | None, force: bool, as_json: bool) -> int:
    from dashboards.grafana.folder import StandsThere, write
    from dashboards.grafana.provision import boards, files
    from pipeline.cli.shown import complain, print_json, show, table

    try:
        if provisioning is not None:
            written = write(provisioning, files(setting, place), force=True)
        else:
            written = write(out, boards(setting), force)
    except (OSError, StandsThere) as error:
        return complain("dashboards build", error)
    if as_json:
        print_json([{"path": str(each.path), "what": each.what, "octets": each.octets} for each in written])
        return 0
    rows = table("file", "", "octets", right=("octets",))
    for each in written:
        rows.add_row(str(each.path), each.what, f"{each.octets:,}")
    show(rows)
    return 0


@dashboards_app.command(short_help="Put the dashboards into a Grafana that runs.")
def push(
    url: Annotated[
        str, typer.Option("--url", help="Grafana's address; https, unless it is this machine.", metavar="URL")
    ],
    token_file: Annotated[
        Path, typer.Option("--token-file", help="A file with the token of a service account.", metavar="FILE")
    ],
    folder: Annotated[
        str, typer.Option("--folder", help="Title of the folder for them.", metavar="TITLE")
    ] = "Catchment",
    variant: Language = "influxql",
    console: Console = _CONSOLE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what differs.")] = False,
    as_json: Json = False,
) -> None:
    """Put every dashboard into a folder of a Grafana that runs. What is the same there is left alone.

    Dashboards are known by their uid, so that another push changes them and makes no second ones. What somebody has
    changed in them by hand is overwritten; --dry-run says what that would be.

    Leaves with 1 when --dry-run finds a difference, and with 2 when Grafana did not take it.
    """
    from dashboards.grafana.connection import PushError, connected, read_token
    from dashboards.grafana.model import Variant
    from dashboards.grafana.push import push as pushed
    from dashboards.grafana.render import Setting
    from pipeline.cli.shown import complain

    try:
        outcome = pushed(connected(url, read_token(token_file)), Setting(Variant(variant), console), folder, dry_run)
    except PushError as error:
        raise typer.Exit(complain("dashboards push", error)) from None
    _tell(outcome, folder, dry_run, as_json)
    raise typer.Exit(int(dry_run and outcome.differs))


def _tell(outcome: "Outcome", folder: str, dry: bool, as_json: bool) -> None:
    from pipeline.cli.shown import print_json, show, table

    if as_json:
        print_json(
            {
                "dry_run": dry,
                "folder": {"uid": outcome.folder, "title": folder, "what": outcome.folder_was},
                "dashboards": [
                    {"uid": each.uid, "title": each.title, "what": each.what, "differs": list(each.differs)}
                    for each in outcome.dashboards
                ],
            }
        )
        return
    rows = table("dashboard", "uid", "would be" if dry else "", "differs in")
    for each in outcome.dashboards:
        rows.add_row(each.title, each.uid, each.what, "\n".join(each.differs))
    show(rows)
