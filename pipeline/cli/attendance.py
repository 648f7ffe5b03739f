"""`catchment agents status`: whether each agent can be believed, and what it says of itself."""

from pathlib import Path

from rich.text import Text

from anycast.plain import Plain
from pipeline.cli.shown import ago, counted, data_folder, print_json, safe, show, table
from pipeline.cli.sites import millis, percent
from pipeline.client import Client

STYLE = {"heard": "green", "new": "yellow", "tainted": "yellow", "lost": "red", "never": "yellow"}


def status(data: Path | None, as_json: bool) -> int:
    """Print every agent; 1 when one that is meant to report is not heard."""
    told = Client(data_folder(data)).get("/api/v1/agents")
    found = told["agents"]
    if as_json:
        print_json(told)
    elif not found:
        show("No agent is written down; `agent` of a site in the intent file lets one in.")
    else:
        _table(found)
    return 1 if any(each["meant"] and each["state"] != "heard" for each in found) else 0


def _table(found: Plain) -> None:
    numbers = ("TARGETS", "LAG", "TAINTED", "CLOCK")
    made = table("AGENT", "STATE", "HEARD", "HOST", *numbers, "GIVEN UP", right=numbers)
    for each in found:
        name = safe(each["name"]) + (" (NVA)" if each["nva"] else "")
        state = Text(each["state"], style=STYLE[each["state"]])
        heard = f"{ago(each['heard'])} ago" if "heard" in each else "-"
        if "heard" not in each:
            made.add_row(name, state, heard, *["-"] * 6)
            continue
        clock = "-" if each.get("skew") is None else f"{each['skew']:+.3f} s"
        dropped = [counted(each["dropped"], "result")] if each["dropped"] else []
        given_up = ", ".join([*dropped, *([f"{each['unsent']:,} unsent"] if each["unsent"] else [])])
        numbers_of = (str(each["targets"]), millis(each["lag"]), percent(each["tainted"]), clock)
        made.add_row(name, state, heard, safe(each["host"]) or "-", *numbers_of, given_up or "nothing")
    show(made)
    for each in found:
        for lacks in each["lacking"]:
            show(Text(f"{safe(each['name'])}: {safe(lacks)}", style="yellow"))
