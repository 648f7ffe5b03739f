"""`catchment sites`: where sites land, now as the daemon knows it, and before as the journal has it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.table import Table
from rich.text import Text

from anycast.charted import SharesChart, SmokeChart, Window
from anycast.plain import Plain, parse_stamp, to_plain
from pipeline.asked import when
from pipeline.cli.shown import ago, clock, complain, counted, data_folder, note, print_json, safe, show, table
from pipeline.client import Client, NoDaemon

FIT_STYLE = {
    "as-meant": "green",
    "not-as-meant": "yellow",
    "against-bgp": "red",
    "silent": "bold red",
    "not-probed": "yellow",
    "unseen": "yellow",
}
WRONG = ("not-as-meant", "against-bgp", "silent")
LEG_STYLE = {"fine": "green", "lossy": "yellow", "dead": "bold red"}
MATCHED = "matched, not authenticated"
STEPS = 24  # lines of history
BAR = 20  # characters of a bar
HOUR = "1h"


def sites(
    data: Path | None, site: str | None, service: str | None, since: str | None, until: str | None, as_json: bool
) -> int:
    """Print the matrix, or one service at one site with its legs and history; 1 when anything is not as meant."""
    folder = data_folder(data)
    if site is None or service is None:
        if since is not None or until is not None:
            said = "--from and --to are for one service at one site: catchment sites SITE SERVICE --from 6h"
            return complain("sites", said)
        return _matrix(Client(folder).get("/api/v1/catchment", site=site), site, as_json)
    now = datetime.now(UTC)
    try:
        start, end = when(since or HOUR, now), when(until, now) if until else now
        if start >= end:
            raise ValueError(f"--from ({start:%Y-%m-%d %H:%M:%S} UTC) must be before --to")
    except ValueError as error:
        return complain("sites", error)
    return _one(folder, site, service, Window(start, end, (end - start).total_seconds() / STEPS), as_json)


def _matrix(told: Plain, site: str | None, as_json: bool) -> int:
    found = told["catchment"]
    if as_json:
        print_json(told)
    elif not found:
        show(f"The intent names no site {site}." if site else "The intent names no site, or no service.")
    else:
        show(_table(found))
        for line in _notes(found):
            show(line)
    return 1 if any(each["fit"] in WRONG for each in found) else 0


def _table(found: Sequence[Plain]) -> Table:
    numbers = ("LOSS", "MEDIAN")
    made = table("SITE", "SERVICE", "MEANT", "BY BGP", "ANSWERS", *numbers, "", right=numbers)
    before = None
    for each in found:
        name = "" if each["site"] == before else safe(each["site"])
        before = each["site"]
        meant = ", ".join("+".join(tier) for tier in each["intended"]) or "anywhere"
        by_bgp = "+".join(each["by_bgp"]) or "unknown"
        loss = percent(each["loss"]["value"]) if each["loss"]["samples"] else "-"
        made.add_row(
            name, safe(each["service"]), safe(meant), safe(by_bgp), _answers(each), loss, _median(each), _fit(each)
        )
    return made


def _answers(each: Plain) -> Text:
    """Regions that answer, with their shares; `~` where their names are only matched."""
    shown = [region for region in each["regions"] if region["share"]["value"] or region["flows"]]
    parts = (f"{safe(region['region'])}{_mark(region)} {percent(region['share']['value'])}" for region in shown)
    said = ", ".join(parts) or "-"
    return Text(said, style="" if each["agent"] == "heard" else "dim")


def _mark(region: Plain) -> str:
    return "~" if region["proof"] == "matched" else ""


def _median(each: Plain) -> str:
    """The median of the region that answers most."""
    answering = [region for region in each["regions"] if region["share"]["value"] and "latency" in region]
    most = max(answering, key=lambda region: region["share"]["value"], default=None)
    return millis(most["latency"]["p50"]) if most is not None else "-"


def _fit(each: Plain) -> Text:
    fit = each["fit"]
    word = f"agent {each['agent']}" if fit == "unseen" else fit.replace("-", " ")
    return Text("no agent" if each["agent"] == "never" else word, style=FIT_STYLE[fit])


def _notes(found: Sequence[Plain]) -> Iterator[Text]:
    if any(region["proof"] == "matched" for each in found for region in each["regions"]):
        yield Text(f"~ {MATCHED}: anybody could say it", style="yellow")
    unheard = {each["site"]: each for each in found if each["agent"] not in ("heard", "never")}
    for site, each in unheard.items():
        last = f"; what is shown was seen {ago(each.get('heard'))} ago" if "heard" in each else ""
        yield Text(f"The agent of {safe(site)} is {each['agent']}{last}, and proves nothing of now.", style="yellow")
    for each in found:
        if each["hosts"]:
            where = ", ".join(f"{safe(region)} {count}" for region, count in each["hosts"].items())
            yield Text(f"Hosts of {safe(each['site'])} for {safe(each['service'])}: {where}", style="dim")


def _one(folder: Path, site: str, service: str, window: Window, as_json: bool) -> int:
    client, now, past = Client(folder), None, None
    try:
        found = client.get("/api/v1/catchment", site=site, service=service)["catchment"]
        if not found:
            return complain("sites", f"the intent names no service {service} at a site {site}")
        now = found[0]
    except NoDaemon as error:
        if folder.is_socket():
            raise
        note(f"{error}; this is from the data folder alone")
    try:
        past = _past(client, now is not None, folder, site, service, window)
    except (OSError, ValueError) as error:
        return complain("sites", error)
    if as_json:
        print_json({"now": now, **past})
        return 1 if now is not None and now["fit"] in WRONG else 0
    if now is not None:
        _present(now)
    _history(past["shares"], past["smoke"], window)
    return 1 if now is not None and now["fit"] in WRONG else 0


def _past(client: Client, daemon: bool, folder: Path, site: str, service: str, window: Window) -> Plain:
    """Shares and round trips, from the daemon where there is one, else from the folder. Raises OSError."""
    if daemon:
        times = {"from": to_plain(window.start), "to": to_plain(window.end)}
        step = f"{max(1, round(window.step))}s"
        shares = client.get("/api/v1/catchment/history", site=site, service=service, step=step, **times)
        return {
            "shares": shares,
            "smoke": client.get("/api/v1/probes/smoke", site=site, target=service, bins=STEPS, **times),
        }
    from pipeline.charts import Charts
    from pipeline.past import Past

    Past(folder)  # says who is to blame when there is none
    charts = Charts(folder)
    shares_chart: SharesChart = charts.shares(site, service, window)
    smoke_chart: SmokeChart = charts.smoke(site, service, window)
    return {"shares": to_plain(shares_chart), "smoke": to_plain(smoke_chart)}


def _present(now: Plain) -> None:
    head = Text.assemble(
        (f"{safe(now['site'])} to {safe(now['service'])}", "bold"), f"  {safe(now['prefix'])}  ", _fit(now)
    )
    meant = " then ".join("+".join(tier) for tier in now["intended"]) or "anywhere"
    show(head, f"meant   {safe(meant)}", f"by BGP  {safe('+'.join(now['by_bgp'])) or 'unknown'}", _agent(now))
    if now["hosts"]:
        show("hosts   " + ", ".join(f"{safe(region)} {count}" for region, count in now["hosts"].items()))
    show("")
    _regions(now)
    _legs(now["legs"])
    if "shift" in now:
        shift = now["shift"]
        sides = (", ".join(f"{safe(region)} {count}" for region, count in shift[side]) for side in ("before", "after"))
        why = safe(shift.get("explained", "no event of BGP explains it"))
        show(Text(f"Traffic moved {ago(shift['at'])} ago, from {' to '.join(sides)} ({why})", style="yellow"), "")


def _agent(now: Plain) -> Text:
    said = f"agent   {now['agent']}"
    if now["agent"] == "heard":
        return Text(said)
    last = f": what follows was seen {ago(now['heard'])} ago, and proves nothing of now" if "heard" in now else ""
    return Text(said + last, style="yellow")


def _regions(now: Plain) -> None:
    numbers = ("SHARE", "FLOWS", "MEDIAN", "P99")
    made = table("REGION", "", *numbers[:1], "95 %", *numbers[1:], "IDENTITY", right=numbers)
    for region in now["regions"]:
        share, latency = region["share"], region.get("latency")
        proof = MATCHED if region["proof"] == "matched" else region["proof"].replace("none", "-")
        sure = f"{percent(share['low']).removesuffix(' %')} to {percent(share['high'])}" if share["samples"] else "-"
        times = [millis(latency[name]) for name in ("p50", "p99")] if latency else ["-", "-"]
        row = [bar(share["value"], 10), percent(share["value"]), sure, str(region["flows"]), *times]
        made.add_row(safe(region["region"]), *row, Text(proof, style="yellow" if proof == MATCHED else ""))
    show(made, "")


def _legs(legs: Plain) -> None:
    if not legs:
        return
    numbers = ("FLOWS", "LOSS", "MEDIAN")
    made = table("LEG", "", "REGION", "STATE", *numbers, right=numbers)
    for leg in legs:
        name = safe(leg["said"]) + (f" ({safe(leg['name'])})" if leg["said"] != leg["name"] else "")
        state = Text(leg["state"], style=LEG_STYLE[leg["state"]])
        loss, took = percent(leg["loss"]["value"]), millis(leg.get("latency"))
        made.add_row(name, leg["kind"], safe(leg.get("region", "-")), state, str(leg["flows"]), loss, took)
    show(made, "")


def _history(shares: Plain, smoke: Plain, window: Window) -> None:
    if not shares["steps"]:
        show(f"No probe was sent from {window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC.")
        return
    numbers = ("LOSS", "MEDIAN")
    made = table("FROM (UTC)", "ANSWERED", "", *numbers, right=numbers)
    trips = list(_trips(smoke))
    for step in shares["steps"]:
        at = parse_stamp(step["at"])
        parts = ", ".join(
            f"{safe(part['region'])}{_mark(part)} {percent(part['share']['value'])}" for part in step["regions"]
        )
        most = max((part["share"]["value"] for part in step["regions"]), default=0.0)
        took = next((p50 for begins, p50 in reversed(trips) if begins <= at + timedelta(seconds=1)), None)
        loss = Text(percent(step["loss"]["value"]), style="red" if step["loss"]["low"] > 0.01 else "")
        made.add_row(clock(step["at"]), parts or "nobody", bar(most, BAR), loss, millis(took))
    show(made)
    for shift in shares["shifts"]:
        why = f" ({safe(shift['explained'])})" if shift.get("explained") else ""
        show(Text(f"{clock(shift['at'], fine=True)} {safe(shift['text'])}{why}", style="yellow"))
    sent = sum(step["sent"] for step in shares["steps"])
    show(
        Text(
            f"{counted(sent, 'probe')} by {str(shares.get('probe', '')).upper()}, each from a new source port",
            style="dim",
        )
    )


def _trips(smoke: Plain) -> Iterator[tuple[datetime, float]]:
    """The median of the region that answered most, step by step."""
    most: dict[str, Plain] = {}
    for each in smoke["bins"]:
        if "p50" in each and each["sent"] > most.get(each["at"], {"sent": 0})["sent"]:
            most[each["at"]] = each
    yield from ((parse_stamp(at), each["p50"]) for at, each in sorted(most.items()))


def percent(part: float) -> str:
    """A part of a whole: `100 %`, `12 %`, `0.17 %`."""
    shown = part * 100
    if 0 < shown < 1:
        return f"{shown:.2f} %"
    shown = min(shown, 99.9) if shown < 100 else shown
    return f"{shown:.1f} %" if 99 < shown < 100 or 0 < shown < 10 else f"{shown:.0f} %"


def millis(seconds: float | None) -> str:
    """A length of time in milliseconds; a dash for none."""
    if seconds is None:
        return "-"
    shown = seconds * 1000
    return f"{shown:.0f} ms" if shown >= 100 else f"{shown:.1f} ms"


def bar(part: float, width: int) -> str:
    """A part of a whole as a bar."""
    full = round(part * width)
    return "█" * full + "·" * (width - full)
