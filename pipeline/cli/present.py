"""`catchment status` and `catchment findings`: what the running daemon says of now."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from rich.text import Text

from anycast.finding import Kind
from anycast.kinds import KINDS
from anycast.plain import Plain, parse_stamp
from pipeline.cli.shown import (
    HEALTH_STYLE,
    SEVERITY_STYLE,
    STATE_STYLE,
    ago,
    clock,
    counted,
    data_folder,
    hanging,
    lasted,
    print_json,
    show,
    table,
    worded,
)
from pipeline.client import Client

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
"""Times inside evidence, to be read by people."""
_INDENT = Text(" " * 8)


def status(data: Path | None, every: bool, as_json: bool) -> int:
    """Print the situation; 0 when every service is ok, 1 otherwise, so that scripts can ask."""
    client = Client(data_folder(data))
    daemon, services = client.get("/api/v1/status"), client.get("/api/v1/services")["services"]
    if as_json:
        print_json({**daemon, "services": services})
    else:
        show(_daemon(daemon), "")
        _findings(client.get("/api/v1/findings", state=["open"])["findings"])
        _services(services)
        _sites(services)
        _feeds(daemon["feeds"])
        _sessions(daemon["sessions"], every)
    return 0 if all(service["health"] == "ok" for service in services) else 1


def findings(data: Path | None, states: list[str] | None, as_json: bool) -> int:
    """Print findings with evidence; 1 when any is open."""
    records = Client(data_folder(data)).get("/api/v1/findings", state=states, limit=10_000)["findings"]
    if as_json:
        print_json(records)
    elif not records:
        show(Text(_nothing(states), style="green"))
        if states is None:
            _unseen(data)
    for number, record in enumerate(() if as_json else sorted(records, key=_worst_first)):
        if number:
            show("")
        _finding(record)
    return 1 if any(record["state"] == "open" for record in records) else 0


def _unseen(data: Path | None) -> None:
    """Say which feeds nobody hears: that nothing is wrong is as much as the others can tell."""
    lost = [
        feed["exporter"] for feed in Client(data_folder(data)).get("/api/v1/status")["feeds"] if not feed["connected"]
    ]
    if lost:
        show(Text(f"But nobody hears {', '.join(lost)}: no BMP connection.", style="yellow"))


def _worst_first(record: Plain) -> tuple[bool, int]:
    """What is not over first, the worst of it before the rest; the newest first among equals, as they come."""
    over = record["state"] == "cleared"
    return over, 0 if over else list(SEVERITY_STYLE).index(record["finding"]["severity"])


def _nothing(states: list[str] | None) -> str:
    if not states or "open" in states:
        return "Nothing is wrong, as far as anybody sees."
    return f"No finding is {' or '.join(dict.fromkeys(states))}."


def _daemon(daemon: Plain) -> Text:
    intent = daemon["intent"]
    said = Text(f"Catchment {daemon['version']}, {daemon['mode']}, up {ago(daemon['started'])}, pid {daemon['pid']}\n")
    said.append(f"intent {intent['source']}, read at {clock(intent['loaded'])} UTC")
    if intent["problem"]:
        said.append("\nThat file was read again and not taken, for it has mistakes:", style="red")
        said.append("".join(f"\n  {line}" for line in intent["problem"].splitlines()))
    for each in intent.get("restart", ()):  # an older daemon does not say
        words = f"\n{each['key']} is {each['running']}, and {each['file']} in the file: restart to apply it"
        said.append(words, style="yellow")
    return said


def _findings(records: Plain) -> None:
    if records:
        worst = Counter(record["finding"]["severity"] for record in records)
        said = ", ".join(f"{worst[severity]} {severity}" for severity in SEVERITY_STYLE if worst[severity])
        line = f"{counted(len(records), 'open finding')} ({said}); catchment findings tells of them"
        show(Text(line, style=next(SEVERITY_STYLE[each] for each in SEVERITY_STYLE if worst[each])), "")


def _services(services: Plain) -> None:
    if not services:
        show("No service is written down yet; catchment learn writes a first intent.", "")
        return
    made = table("SERVICE", "PREFIX", "STATE", "REGION", "ROLE", "ROUTE SERVER", "NVAS", title="Services by region")
    for service in services:
        head = [service["service"], service["prefix"], worded(service["health"], HEALTH_STYLE)]
        for region in service["regions"]:
            numbers = f"{region['nvas_present']}/{region['nvas_expected']}"
            row = [region["region"], region["role"], worded(region["presence"], STATE_STYLE), numbers]
            made.add_row(*head, *row)
            head = ["", "", ""]
    show(made, "")


def _sites(services: Plain) -> None:
    made = table("SERVICE", "SITE", "LANDS ON", "INTENDED", "HEARD", title="Where sites land, by BGP")
    for service in services:
        for site in service["sites"]:
            intended = " then ".join("+".join(tier) for tier in site["intended"])
            made.add_row(service["service"], site["site"], _landed(site), intended, "+".join(site["heard"]) or "-")
    if made.row_count:
        show(made, "")


def _landed(site: Plain) -> Text:
    """Where a site lands, in a word: the first tier is as it should be, another one is not."""
    if "landed" in site:
        first = site["intended"][0] if site["intended"] else [site["landed"]]
        return Text("+".join(site.get("lands_on", [site["landed"]])), style="" if site["landed"] in first else "yellow")
    chosen = [cell["presence"] for cell in site["cells"] if cell["rung"] == "V6"]
    if "present" in chosen:
        return Text("no region of ours", style="red")
    return Text("nowhere", style="red") if chosen and set(chosen) == {"absent"} else Text("unknown", style="yellow")


def _feeds(feeds: Plain) -> None:
    if not feeds:
        show("No router may connect: the intent names no exporter.", "")
        return
    numbers = ("MESSAGES", "ROUTES", "MALFORMED")
    made = table("EXPORTER", "ADDRESS", "STATE", "FOR", *numbers, title="Feeds", right=numbers)
    for feed in feeds:
        state = Text("connected", style="green") if feed["connected"] else Text("not connected", style="red")
        counts = (f"{feed[name.lower()]:,}" for name in numbers)
        made.add_row(feed["exporter"], feed["address"] or "-", state, ago(feed.get("since")), *counts)
    show(made)
    for feed in feeds:
        if not feed["connected"] and feed.get("detail"):
            show(Text(f"{feed['exporter']}: {feed['detail']}", style="dim"))
    show("")


def _sessions(sessions: Plain, every: bool) -> None:
    made = table("VANTAGE", "RUNG", "PEER", "STATE", "FOR", "ROUTES", title="Sessions", right=("ROUTES",))
    shown = [each for each in sessions if every or each["state"] in ("down", "unknown") or _spoken_of(each)]
    for session in shown:
        routes = "-" if session.get("routes") is None else f"{session['routes']:,}"
        row = [session["vantage"], session.get("rung", "-"), session["peer"], worded(session["state"], STATE_STYLE)]
        made.add_row(*row, ago(session.get("since")), routes)
    if shown:
        show(made)
    if len(shown) < len(sessions):
        more = f"and {counted(len(sessions) - len(shown), 'other view')} that no vantage names; --all shows them"
        show(Text(more, style="dim"))


def _spoken_of(session: Plain) -> bool:
    """Whether the intent speaks of this very session."""
    return "rung" in session and "/*/" not in session["vantage"]


def _finding(record: Plain) -> None:
    finding = record["finding"]
    severity = finding["severity"]
    head = Text(f"{severity:<8}", style=SEVERITY_STYLE[severity])
    summary = Text(finding["summary"], style="bold" if record["state"] == "open" else "")
    show(hanging(head, Text.assemble((finding["kind"], "bold"), f"  {_stands(record)}\n", summary)))
    for label, text in _gathered(finding.get("evidence", ())):
        show(hanging(_INDENT + " -", Text.assemble((f"{label}: ", "dim"), _STAMP.sub(_clock, text))))
    if record["state"] != "cleared":
        show(hanging(_INDENT + " >", Text(KINDS[Kind(finding["kind"])].action)))
    show(hanging(_INDENT, Text(f"docs/runbooks/{finding['kind']}.md", style="dim")))


def _gathered(evidence: Plain) -> Iterator[tuple[str, str]]:
    """Evidence, with single words under one label (names of vantages, say) in one line."""
    for (label, words), rows in groupby(evidence, key=lambda row: (row[0], " " not in row[1])):
        texts = [text for _, text in rows]
        yield from [(label, ", ".join(texts))] if words else ((label, text) for text in texts)


def _clock(found: re.Match[str]) -> str:
    return clock(found[0], fine=True)


def _stands(record: Plain) -> str:
    """Where a finding stands, and since when."""
    since = record["finding"]["since"]
    after = f", some time after {clock(before)}" if (before := record["finding"].get("not_before")) else ""
    muted = f", muted by {record['muted_by']}" if record.get("muted_by") else ""
    if "cleared_at" in record:
        length = parse_stamp(record["cleared_at"]) - parse_stamp(since)
        return f"cleared: {clock(since)} to {clock(record['cleared_at'])} UTC, {lasted(length)}{muted}"
    return f"{record['state']} for {ago(since)}, since {clock(since)} UTC{after}{muted}"
