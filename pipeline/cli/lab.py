"""`catchment lab`: the watched network in miniature, on this machine."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:  # the command line loads neither the lab nor tables to print its help
    from lab.faults import Verb
    from lab.lifecycle import Status
    from lab.topology import Lab
    from lab.truth import SessionState

lab_app = typer.Typer(
    help="The watched network in miniature, on real routers in network namespaces (Linux, root).",
    short_help="The watched network in miniature (Linux, root).",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Option("--name", help="Which lab; several may run side by side.", metavar="NAME")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


@lab_app.command(short_help="Bring it up, until every session is established.")
def up(
    name: Name = "lab",
    timers: Annotated[Literal["lab", "azure"], typer.Option(help="lab: 3/9 s; azure: 60/180 s.")] = "lab",
    probes: Annotated[bool, typer.Option("--probes", help="With responders, and an agent at each site.")] = False,
    as_json: Json = False,
) -> None:
    """Bring the lab up: two regions, two sites, and the collector's GoBGP.

    Ends when every session is established, after some ten seconds (with Azure's timers, minutes).
    """
    from lab import lifecycle
    from lab.topology import Lab, Timers
    from pipeline.cli.shown import print_json, show

    with _sentences("up"):
        made = lifecycle.up(Lab(name), Timers(timers), progress=_silent if as_json else _progress, probes=probes)
    if as_json:
        print_json({"lab": name, "seconds": made.took.total_seconds(), "sessions": made.sessions})
        return
    show(
        f"lab {name!r} is up after {made.took.total_seconds():.0f} s: {made.namespaces} namespaces, "
        f"{made.processes} processes, {made.sessions} BGP sessions",
        f"watch it: catchment lab watch --name {name}",
        f"break it: catchment lab fault withdraw --name {name}",
    )


@lab_app.command(short_help="End it and leave nothing behind.")
def down(name: Name = "lab", as_json: Json = False) -> None:
    """End the lab and leave nothing behind, also after a crash."""
    from lab import lifecycle
    from lab.topology import Lab
    from pipeline.cli.shown import counted, print_json, show

    with _sentences("down"):
        gone = lifecycle.down(_ours(Lab(name)))
    if as_json:
        print_json({"lab": name, "processes": gone.processes, "namespaces": gone.namespaces})
    elif gone.processes or gone.namespaces:
        processes, namespaces = (f"{gone.processes} processes", counted(gone.namespaces, "namespace"))
        show(f"lab {name!r} is gone: {processes} ended, {namespaces} removed")
    else:
        show(f"lab {name!r} is not up; nothing is left of it")


@lab_app.command(short_help="Show what runs and which sessions are up.")
def status(name: Name = "lab", as_json: Json = False) -> None:
    """Show what runs and which sessions are established; leaves with 1 when anything is not."""
    from lab import lifecycle
    from lab.topology import Lab
    from pipeline.cli.shown import counted, print_json, show

    with _sentences("status"):
        now = lifecycle.status(_ours(Lab(name)))
    if as_json:
        print_json(_plain(name, now))
    elif not now.up and now.namespaces:
        left = counted(now.namespaces, "namespace")
        show(f"lab {name!r} is half up: a crash left {left} of it; take it down: catchment lab down --name {name}")
    elif not now.up:
        show(f"lab {name!r} is not up; catchment lab up --name {name}")
    else:
        _table(now)
    raise typer.Exit(0 if now.healthy else 1)


@lab_app.command(short_help="Run the daemon on it, until interrupted.")
def watch(
    name: Name = "lab",
    data: Annotated[
        Path | None, typer.Option("--data", help="Data folder (default: one of the run's own, gone afterwards).")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the page.", min=1, max=65535)] = 8470,
    host: Annotated[str, typer.Option(help="Address of the page; it asks for no password.")] = "127.0.0.1",
    more: Annotated[
        Path | None,
        typer.Option("--more", help="More of the intent file, such as an influx section.", metavar="FILE"),
    ] = None,
) -> None:
    """Run the daemon on the lab, until interrupted: its station listens inside, its page outside."""
    from lab.topology import Lab
    from pipeline.demo.stage import watch as command

    with _sentences("watch"):
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # either way the daemon ends with us
        signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's `&` would have ignored
        code = command(_ours(Lab(name)).name, data, port, host, more)
    raise typer.Exit(code)


@lab_app.command(
    short_help="Break something, and see when it took effect.", context_settings={"ignore_unknown_options": True}
)
def fault(
    verb: Annotated[
        str | None, typer.Argument(help="What to break; without it the verbs are listed.", metavar="VERB")
    ] = None,
    words: Annotated[list[str] | None, typer.Argument(help="Where; each verb has a default.", metavar="WORD")] = None,
    name: Name = "lab",
    as_json: Json = False,
) -> None:
    """Break something, and say when it took effect by an independent witness."""
    from lab import faults
    from lab.topology import Lab
    from pipeline.cli.shown import print_json

    if verb is None:
        _verbs(as_json)
        return
    with _sentences("fault"):
        entry = faults.inject(_ours(Lab(name)), verb, tuple(words or ()), say=_silent if as_json else _progress)
    if as_json:
        print_json(asdict(entry))


@lab_app.command(short_help="Undo every fault.")
def heal(name: Name = "lab", as_json: Json = False) -> None:
    """Undo every fault that was made."""
    from lab import faults
    from lab.topology import Lab
    from pipeline.cli.shown import print_json, show

    with _sentences("heal"):
        healed = faults.heal(_ours(Lab(name)), say=_silent if as_json else _progress)
    if as_json:
        print_json([asdict(entry) for entry in healed])
    elif not healed:
        show("nothing to heal")


@contextmanager
def _sentences(command: str) -> Iterator[None]:
    """What the lab cannot do is a sentence, and 1 for the shell."""
    from lab.faults import EffectNotSeen, FaultError
    from pipeline.cli.shown import complain

    try:
        yield
    except BrokenPipeError:
        raise
    except (RuntimeError, FaultError, EffectNotSeen, OSError, ValueError) as error:
        complain(f"lab {command}", error)
        raise typer.Exit(1) from error


def _ours(lab: "Lab") -> "Lab":
    """The lab, if we may look into it: to anybody else every one of its sessions would seem down."""
    if lab.folder.exists() and os.geteuid() != 0:
        raise RuntimeError(f"only root may look into the namespaces of lab {lab.name!r}; run this as root")
    return lab


def _silent(_sentence: str) -> None:
    return


def _progress(sentence: str) -> None:
    from rich.text import Text

    from pipeline.cli.shown import console

    console.print(Text(f"  {sentence}", style="dim"))


def _plain(name: str, now: "Status") -> dict[str, object]:
    processes = [{"node": each.process.node, "name": each.process.name, "alive": each.alive} for each in now.processes]
    return {
        "lab": name,
        "up": now.up,
        "healthy": now.healthy,
        "timers": now.timers,
        "namespaces": now.namespaces,
        "processes": processes,
        "sessions": [_session(each) for each in now.sessions],
        "delay_line": None if now.lateness is None else {"p99_us": now.lateness.p99_us, "void": now.void},
    }


def _session(state: "SessionState") -> dict[str, object]:
    session = state.session
    return {"dialer": session.dialer.node, "listener": session.listener.node, "established": state.established}


def _table(now: "Status") -> None:
    from pipeline.cli.shown import STATE_STYLE, show, table, worded

    made = table("FROM", "TO", "SESSION")
    for each in now.sessions:
        state = worded("up" if each.established else "down", STATE_STYLE)
        made.add_row(each.session.dialer.node, each.session.listener.node, state)
    dead = [f"{each.process.node}/{each.process.name}" for each in now.processes if not each.alive]
    up = sum(each.established for each in now.sessions)
    show(made, "", f"{up} of {len(now.sessions)} sessions are up, with {now.timers} timers")
    show(f"{len(now.processes) - len(dead)} of {len(now.processes)} processes run; dead: {', '.join(dead) or 'none'}")
    late = "" if now.lateness is None else f"the delay line is {now.lateness.p99_us} us late at the 99th percentile"
    show(f"times measured now are void: {now.void}" if now.void else late)


def _verbs(as_json: bool) -> None:
    from rich.text import Text

    from lab.faults import VERBS
    from pipeline.cli.shown import hanging, print_json, show

    if as_json:
        print_json([_verb(name, verb) for name, verb in VERBS.items()])
        return
    for name, verb in VERBS.items():
        show(Text.assemble((name, "bold"), f" {verb.arguments}"))
        default = f"By default {verb.target}. Witness: {verb.witness}"
        show(hanging(Text("  "), Text.assemble(f"{verb.does}\n", (default, "dim"))))


def _verb(name: str, verb: "Verb") -> dict[str, str]:
    words = {"words": verb.arguments, "default": verb.target, "witness": verb.witness}
    return {"verb": name, "does": verb.does, **words}
