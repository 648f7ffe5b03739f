"""`catchment status` and `catchment findings`: what the running daemon says of now."""

from pathlib import Path

from rich.table import Table
from rich.text import Text

from anycast.plain import Plain
from pipeline.cli.shown import (
    HEALTH_STYLE,
    SEVERITY_STYLE,
    STATE_STYLE,
    ago,
    clock,
    console,
    data_folder,
    print_json,
    worded,
)
from pipeline.client import Client


def status(data: Path | None, as_json: bool) -> int:
    """Print the situation; 0 when every service is ok, 1 otherwise, so that scripts can ask."""
    client = Client(data_folder(data))
    daemon, services = client.get("/api/v1/status"), client.get("/api/v1/services")["services"]
    if as_json:
        print_json({**daemon, "services": services})
    else:
        _services(services)
        _sites(services)
        _feeds(daemon["feeds"])
        _sessions(daemon["sessions"])
    return 0 if all(service["health"] == "ok" for service in services) else 1


def findings(data: Path | None, states: list[str] | None, as_json: bool) -> int:
    """Print findings with evidence; 1 when any is open."""
    records = Client(data_folder(data)).get("/api/v1/findings", state=states)["findings"]
    if as_json:
        print_json(records)
    elif not records:
        console.print("Nothing is wrong that anybody sees.", style="green")
    else:
        for record in records:
            _finding(record)
    return 1 if any(record["state"] == "open" for record in records) else 0


def _services(services: Plain) -> None:
    table = Table(title="Services by region", title_justify="left", box=None, pad_edge=False)
    for name in ("SERVICE", "PREFIX", "STATE", "REGION", "ROLE", "ROUTE SERVER", "NVAS"):
        table.add_column(name)
    for service in services:
        head = [service["service"], service["prefix"], worded(service["health"], HEALTH_STYLE)]
        for region in service["regions"]:
            counted = f"{region['nvas_present']}/{region['nvas_expected']}"
            row = [region["region"], region["role"], worded(region["presence"], STATE_STYLE), counted]
            table.add_row(*head, *row)
            head = ["", "", ""]
    console.print(table, "")


def _sites(services: Plain) -> None:
    table = Table(title="Where sites land, by BGP", title_justify="left", box=None, pad_edge=False)
    for name in ("SERVICE", "SITE", "LANDS ON", "INTENDED", "HEARD"):
        table.add_column(name)
    for service in services:
        for site in service["sites"]:
            intended = " then ".join("+".join(tier) for tier in site["intended"])
            landed = Text(site.get("landed") or "unknown", style="" if site.get("landed") else "yellow")
            table.add_row(service["service"], site["site"], landed, intended, "+".join(site["heard"]) or "-")
    if table.row_count:
        console.print(table, "")


def _feeds(feeds: Plain) -> None:
    table = Table(title="Feeds", title_justify="left", box=None, pad_edge=False)
    for name in ("EXPORTER", "ADDRESS", "STATE", "FOR", "MESSAGES", "ROUTES", "MALFORMED"):
        table.add_column(name)
    for feed in feeds:
        state = Text("connected", style="green") if feed["connected"] else Text("lost", style="red")
        counts = (f"{feed[name]:,}" for name in ("messages", "routes", "malformed"))
        table.add_row(feed["exporter"], feed["address"], state, ago(feed.get("since")), *counts)
    console.print(table, "")


def _sessions(sessions: Plain) -> None:
    table = Table(title="Sessions", title_justify="left", box=None, pad_edge=False)
    for name in ("VANTAGE", "RUNG", "PEER", "STATE", "FOR", "ROUTES"):
        table.add_column(name)
    for session in sessions:
        routes = "-" if session.get("routes") is None else f"{session['routes']:,}"
        row = [session["vantage"], session.get("rung", "-"), session["peer"], worded(session["state"], STATE_STYLE)]
        table.add_row(*row, ago(session.get("since")), routes)
    console.print(table)


def _finding(record: Plain) -> None:
    finding = record["finding"]
    head = Text.assemble(
        (f"{finding['severity']:<8} ", SEVERITY_STYLE[finding["severity"]]),
        (finding["kind"], "bold"),
        f"  {record['state']} since {clock(finding['since'])} UTC ({ago(finding['since'])})",
    )
    console.print(head)
    console.print(f"  {finding['summary']}", soft_wrap=False)
    for label, text in finding["evidence"]:
        console.print(Text.assemble(("  - ", "dim"), (f"{label}: ", "dim"), text))
    console.print(Text(f"  runbook: docs/runbooks/{finding['kind']}.md", style="dim"))
