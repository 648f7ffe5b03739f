"""`catchment lab`: the watched network in miniature, on this machine."""

from typing import Annotated

import typer

from pipeline.cli.shown import console

lab_app = typer.Typer(help="The watched network in miniature: real routers in network namespaces (Linux, root).")

Name = Annotated[str, typer.Option("--name", help="Which lab; several may run side by side.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


@lab_app.command()
def up(
    name: Name = "lab",
    timers: Annotated[str, typer.Option(help="lab (3/9 s) or azure (60/180 s).")] = "lab",
) -> None:
    """Bring the lab up: two regions, two sites, and the collector's GoBGP. Ends when every session is established."""
    from lab.lifecycle import up as command

    lab = command(name, timers=timers, progress=_progress)
    console.print(f"lab {name!r} is up; its intent file is {lab.intent_path}")
    console.print(f"watch it: catchment run -c {lab.intent_path}   break it: catchment lab fault withdraw")


@lab_app.command()
def down(name: Name = "lab") -> None:
    """End the lab and leave nothing behind, also after a crash."""
    from lab.lifecycle import down as command

    command(name, progress=_progress)
    console.print(f"lab {name!r} is gone")
