"""`catchment lab`: the watched network in miniature, on this machine."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from pipeline.cli.shown import console, print_json

if TYPE_CHECKING:  # the command line does not load the lab to print its help
    from lab.lifecycle import ProcessState, Status
    from lab.truth import SessionState

lab_app = typer.Typer(
    help="The watched network in miniature: real routers in network namespaces (Linux, root).", no_args_is_help=True
)

Name = Annotated[str, typer.Option("--name", help="Which lab; several may run side by side.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


@lab_app.command()
def up(
    name: Name = "lab",
    timers: Annotated[str, typer.Option(help="lab (3/9 s) or azure (60/180 s).")] = "lab",
    as_json: Json = False,
) -> None:
    """Bring the lab up: two regions, two sites, and the collector's GoBGP. Ends when every session is established."""
    from lab import lifecycle
    from lab.topology import Lab, Timers

    made = lifecycle.up(Lab(name), Timers(timers), progress=_progress)
    if as_json:
        print_json({"lab": name, "seconds": made.took.total_seconds(), "sessions": made.sessions})
        return
    console.print(
        f"lab {name!r} is up after {made.took.total_seconds():.0f} s: {made.namespaces} namespaces, "
        f"{made.processes} processes, {made.sessions} BGP sessions"
    )
    console.print(
        f"watch it: catchment lab watch --name {name}    break it: catchment lab fault withdraw --name {name}"
    )


@lab_app.command()
def down(name: Name = "lab") -> None:
    """End the lab and leave nothing behind, also after a crash."""
    from lab import lifecycle
    from lab.topology import Lab

    gone = lifecycle.down(Lab(name))
    console.print(f"lab {name!r} is gone: {gone.processes} processes ended, {gone.namespaces} namespaces removed")


@lab_app.command()
def status(name: Name = "lab", as_json: Json = False) -> None:
    """Show what runs and which sessions are established; leaves with 1 when anything is not."""
    from lab import lifecycle
    from lab.topology import Lab

    now = lifecycle.status(Lab(name))
    if as_json:
        print_json(
            {
                "lab": name,
                "up": now.up,
                "healthy": now.healthy,
                "timers": now.timers,
                "namespaces": now.namespaces,
                "processes": [
                    {"node": p.process.node, "name": p.process.name, "alive": p.alive} for p in now.processes
                ],
                "sessions": [_session(each) for each in now.sessions],
            }
        )
    elif not now.up:
        console.print(f"lab {name!r} is not up; catchment lab up --name {name}")
    else:
        _table(now)
    raise typer.Exit(0 if now.healthy else 1)


@lab_app.command()
def watch(
    name: Name = "lab",
    data: Annotated[Path | None, typer.Option("--data", help="Data folder.  [default: one of the lab's own]")] = None,
    port: Annotated[int, typer.Option(help="Port of the page on 127.0.0.1.")] = 8470,
) -> None:
    """Run the daemon on the lab, until interrupted: its station listens inside, its page outside."""
    from pipeline.demo.stage import watch as command

    raise typer.Exit(command(name, data, port))


@lab_app.command(context_settings={"ignore_unknown_options": True})
def fault(
    verb: Annotated[str | None, typer.Argument(help="What to break; without it the verbs are listed.")] = None,
    words: Annotated[list[str] | None, typer.Argument(help="What to break it at; each verb has a default.")] = None,
    name: Name = "lab",
    as_json: Json = False,
) -> None:
    """Break something, and say when it took effect by an independent witness."""
    from lab import faults
    from lab.topology import Lab

    if verb is None:
        _verbs()
        return
    try:
        entry = faults.inject(Lab(name), verb, tuple(words or ()), say=_silent if as_json else _progress)
    except (faults.FaultError, faults.EffectNotSeen, RuntimeError) as error:
        raise typer.Exit(_failed(error)) from error
    if as_json:
        print_json(asdict(entry))


@lab_app.command()
def heal(name: Name = "lab") -> None:
    """Undo every fault that was made."""
    from lab import faults
    from lab.topology import Lab

    try:
        healed = faults.heal(Lab(name), say=_progress)
    except RuntimeError as error:
        raise typer.Exit(_failed(error)) from error
    if not healed:
        console.print("nothing to heal")


def _failed(error: Exception) -> int:
    console.print(f"catchment lab: {error}", style="red")
    return 1


def _silent(_sentence: str) -> None:
    return


def _progress(sentence: str) -> None:
    console.print(Text(f"  {sentence}", style="dim"))


def _session(state: "SessionState") -> dict[str, object]:
    session = state.session
    return {"dialer": session.dialer.node, "listener": session.listener.node, "established": state.established}


def _table(now: "Status") -> None:
    table = Table(box=None, pad_edge=False)
    for head in ("FROM", "TO", "SESSION"):
        table.add_column(head)
    for each in now.sessions:
        state = Text("established", style="green") if each.established else Text("down", style="red")
        table.add_row(each.session.dialer.node, each.session.listener.node, state)
    dead = [f"{p.process.node}/{p.process.name}" for p in now.processes if not p.alive]
    console.print(table)
    console.print(f"{len(now.processes) - len(dead)} of {len(now.processes)} processes run; dead: {dead or 'none'}")


def _verbs() -> None:
    from lab.faults import VERBS

    table = Table(box=None, pad_edge=False)
    for head in ("VERB", "WHAT IT DOES", "WORDS", "TOOK EFFECT WHEN"):
        table.add_column(head)
    for name, verb in VERBS.items():
        table.add_row(name, verb.does, Text(verb.arguments), verb.witness)
    console.print(table)


def _process(state: "ProcessState") -> dict[str, object]:
    return {"node": state.process.node, "name": state.process.name, "alive": state.alive}
