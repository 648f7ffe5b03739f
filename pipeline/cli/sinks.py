"""What `catchment influx` prints."""

from pathlib import Path

from rich.text import Text

from anycast.plain import Plain
from pipeline.cli.shown import clock, counted, data_folder, print_json, show, table
from pipeline.client import Client

STYLES = {"delivering": "green", "waiting": "yellow", "holding": "bold red"}


def status(data: Path | None, as_json: bool) -> int:
    """Print how each sink stands; 1 when one does not deliver."""
    sinks = Client(data_folder(data)).get("/api/v1/influx")["sinks"]
    if as_json:
        print_json(sinks)
    elif not sinks:
        show(Text("No time series are written: the intent file has no `influx`.", style="dim"))
    else:
        _table(sinks)
        for sink in sinks:
            _errors(sink)
    return 0 if all(sink["state"] == "delivering" for sink in sinks) else 1


def quarantine(data: Path | None, sink: str | None, limit: int, as_json: bool) -> int:
    """Print what was refused."""
    found = Client(data_folder(data)).get("/api/v1/influx/quarantine", sink=sink, limit=limit)["quarantine"]
    if as_json:
        print_json(found)
        return 0
    rows = [(name, line) for name, lines in found.items() for line in lines]
    if not rows:
        show(Text("No server refused a point.", style="green"))
    for name, line in rows:
        show(Text(f"{clock(line['at'])}  {name}  {line['reason']}"), Text(f"        {line['line']}", style="dim"))
    return 0


def _table(sinks: Plain) -> None:
    numbers = ("BEHIND", "DELIVERED", "REFUSED", "UNFIT", "GONE")
    rows = table("SERVER", "STATE", *numbers, "URL", right=numbers)
    for sink in sinks:
        rows.add_row(
            Text(sink["name"]),
            Text(sink["state"], style=STYLES[sink["state"]]),
            Text(_behind(sink["behind"])),
            *(Text(f"{sink[name]:,}") for name in ("delivered", "quarantined", "unfit", "forgotten")),
            Text(sink["url"]),
        )
    show(rows)


def _behind(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds else "-"


def _errors(sink: Plain) -> None:
    if sink.get("last_error"):
        show(Text(f"{sink['name']}: {clock(sink['last_error_at'])} {sink['last_error']}", style="yellow"))
    if sink["quarantined"]:
        said = f"{counted(sink['quarantined'], 'point')} in quarantine; `catchment influx quarantine` shows them"
        show(Text(f"{sink['name']}: {said}"))
