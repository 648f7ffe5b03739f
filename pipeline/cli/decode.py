"""`catchment decode`: its options. What it does is in `pipeline.cli.decoding`, imported when it runs."""

import gc
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How elements are written."""

    JSONL = "jsonl"
    BGPDUMP = "bgpdump"
    TABLE = "table"


def _option(name: str, help: str, metavar: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(*name.split(), help=help, metavar=metavar)
    return option


Files = Annotated[
    list[Path] | None,
    typer.Argument(
        help="BMP, MRT or packet captures; - is standard input.",
        metavar="FILE",
        show_default=False,
    ),
]
As = Annotated[
    Format, typer.Option("--format", help="jsonl: a JSON object a line. bgpdump: as bgpdump -m. table: to read.")
]
Words = list[str] | None
Output = Annotated[Path | None, _option("-o --output", "Write to this file, complete or not at all.", "FILE")]
Filter = Annotated[Words, _option("--filter", 'Such as "prefix more 10.0.0.0/8 and peer 65010".', "FILTER")]
Exact = Annotated[Words, _option("--prefix", "This prefix.", "PREFIX")]
More = Annotated[Words, _option("--prefix-more", "This prefix and what lies inside it.", "PREFIX")]
Less = Annotated[Words, _option("--prefix-less", "This prefix and what covers it.", "PREFIX")]
Either = Annotated[Words, _option("--prefix-any", "This prefix, what lies inside it, what covers it.", "PREFIX")]
Peer = Annotated[Words, _option("--peer", "AS number, address or network of the peer.", "PEER")]
Origin = Annotated[Words, _option("--origin", "AS number that the path ends in.", "ASN")]
AsPath = Annotated[
    Words,
    _option(
        "--as-path", "Expression as on routers: ^65010_ or _(65020|65030)$; !^65010_ for the others.", "EXPRESSION"
    ),
]
Community = Annotated[Words, _option("--community", "65010:100, 65010:*, no-export, or large: 65010:1:*.", "COMMUNITY")]
Type = Annotated[
    Words, _option("--type", "announcements, withdrawals, ribs, peerstates, ... or A, W, R, S, ...", "TYPE")
]
Family = Annotated[Words, _option("--family", "4 or 6.", "4|6")]
Rib = Annotated[Words, _option("--rib", "adj-in-pre, adj-in-post, loc, adj-out-pre or adj-out-post.", "RIB")]
Router = Annotated[Words, _option("--router", "Name of the BMP exporter, or address of an MRT file's writer.", "NAME")]
From = Annotated[str | None, _option("--from", "Not before: 2026-01-31T08:00:00Z, or seconds since 1970.", "TIME")]
Until = Annotated[str | None, _option("--until", "Not after.", "TIME")]


def decode(
    files: Files = None,
    as_: As = Format.JSONL,
    stats: Annotated[bool, typer.Option("--stats", help="Counts and rates instead of elements.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --stats: the counts as JSON.")] = False,
    output: Output = None,
    force: Annotated[bool, typer.Option("--force", help="Let -o overwrite a file.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress bar.")] = False,
    exact: Exact = None,
    more: More = None,
    less: Less = None,
    either: Either = None,
    peer: Peer = None,
    origin: Origin = None,
    as_path: AsPath = None,
    community: Community = None,
    type_: Type = None,
    family: Family = None,
    rib: Rib = None,
    router: Router = None,
    since: From = None,
    until: Until = None,
    filters: Filter = None,
) -> None:
    """Decode BMP, MRT and packet captures, one line an element: announcements (A), withdrawals (W), routes of table
    dumps (R), sessions (S), and what else there is; malformed messages (M) are told with their bytes, and the rest is
    decoded.

    Options that filter may be repeated: one of the values must match, of each option that is given.

    \b
      catchment decode rib.mrt.gz --prefix-more 10.0.0.0/8 --format table
      catchment decode updates.mrt --peer 65010 --type W | jq -r .prefix
      catchment decode *.bmp --filter 'path "_65020_" and not community 65010:*'
      curl -s https://... | catchment decode --stats

    Leaves with 1 when anything could not be decoded, and with 2 when it could not begin, or not write.
    """
    gc.disable()  # until what decodes is loaded
    from pipeline.cli.decoding import Asked, run

    prefixes = {"exact": exact, "more": more, "less": less, "any": either}
    terms = {
        "peer": peer,
        "origin": origin,
        "path": as_path,
        "community": community,
        "elemtype": type_,
        "ipversion": family,
        "rib": rib,
        "router": router,
    }
    asked = Asked(
        tuple(files or ()),
        str(as_),
        stats,
        as_json,
        output,
        force,
        quiet,
        {how: tuple(values or ()) for how, values in prefixes.items()},
        {term: tuple(values or ()) for term, values in terms.items()},
        (since, until),
        tuple(filters or ()),
    )
    try:
        raise typer.Exit(run(asked))
    finally:
        gc.enable()
