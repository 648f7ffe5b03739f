"""GoBGP: the collector. It hears every NVA, every Route Server instance and every edge router, and says nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab import processes, space
from lab.state import Process
from lab.topology import BMP_PORT, COLLECTOR, COLLECTOR_ADDRESS, Lab, Session, Timers

NODE = "collector"
STATISTICS = 15
"""Seconds between statistics reports over BMP."""


def config(lab: Lab, timers: Timers) -> str:
    """Return gobgpd's configuration (TOML).

    Nothing leaves. An export policy and its default keep in what GoBGP could tell. An import policy keeps what it hears
    out of its table, for GoBGP withdraws from peers what it never announced to them. BMP tells what peers said before
    either. A route of GoBGP's own may be in its table, so that a canary can show the export policy at work. Add-path is
    left out, for GoBGP's first dump over BMP has no path identifiers whatever the peers agreed on.
    """
    lines = (*_global(), *(line for session in lab.sessions_of(NODE) for line in _neighbor(session, timers)))
    return "\n".join((*lines, ""))


def _global() -> Iterator[str]:
    yield "[global.config]"
    yield from (f"  as = {COLLECTOR}", f'  router-id = "{COLLECTOR_ADDRESS}"', "  port = 179")
    yield f'  local-address-list = ["{COLLECTOR_ADDRESS}"]'
    yield "[global.apply-policy.config]"
    yield from ('  import-policy-list = ["learn-nothing"]', '  default-import-policy = "reject-route"')
    yield from ('  export-policy-list = ["advertise-nothing"]', '  default-export-policy = "reject-route"')
    yield from _policy("learn-nothing", "own-routes-only", "accept-route", route_type="local")
    yield from _policy("advertise-nothing", "reject-all", "reject-route")
    yield "[[bmp-servers]]"
    yield "  [bmp-servers.config]"
    yield from (f'    address = "{COLLECTOR_ADDRESS}"', f"    port = {BMP_PORT}")
    yield from ('    route-monitoring-policy = "pre-policy"', f"    statistics-timeout = {STATISTICS}")


def _policy(name: str, statement: str, disposition: str, route_type: str | None = None) -> Iterator[str]:
    """A policy of one statement, which holds for every route unless a type is named."""
    yield from ("[[policy-definitions]]", f'  name = "{name}"')
    yield from ("  [[policy-definitions.statements]]", f'    name = "{statement}"')
    if route_type is not None:
        yield "    [policy-definitions.statements.conditions.bgp-conditions]"
        yield f'      route-type = "{route_type}"'
    yield from ("    [policy-definitions.statements.actions]", f'      route-disposition = "{disposition}"')


def _neighbor(session: Session, timers: Timers) -> Iterator[str]:
    """One peer; towards an edge router we stand in the site's own AS, so that its best path comes with LOCAL_PREF."""
    near, far = session.dialer, session.listener
    yield "[[neighbors]]"
    yield "  [neighbors.config]"
    yield from (f'    neighbor-address = "{far.address}"', f"    peer-as = {far.asn}", f"    local-as = {near.asn}")
    yield f'    description = "{far.node}"'
    yield "  [neighbors.timers.config]"
    yield from (f"    hold-time = {timers.hold}", f"    keepalive-interval = {timers.keepalive}")
    # Anything shorter is 5 s to it, and its first dial comes 5 s after its start in any case.
    yield "    connect-retry = 5"
    yield "  [neighbors.transport.config]"
    yield from (f'    local-address = "{near.address}"', "    passive-mode = false")
    if far.asn != near.asn:
        yield "  [neighbors.ebgp-multihop.config]"
        yield from ("    enabled = true", "    multihop-ttl = 4")
    yield "  [[neighbors.afi-safis]]"
    yield "    [neighbors.afi-safis.config]"
    yield '      afi-safi-name = "ipv4-unicast"'


def write(lab: Lab, timers: Timers) -> Path:
    """Write the configuration and return its path."""
    path = lab.node_folder(NODE) / "gobgpd.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(config(lab, timers))
    return path


def start(lab: Lab) -> Process:
    """Start gobgpd on the configuration that `write` wrote."""
    argv = ["gobgpd", "-f", f"{lab.node_folder(NODE)}/gobgpd.toml", "--api-hosts", "127.0.0.1:50051", "--pprof-disable"]
    return processes.start(lab, NODE, "gobgpd", [*argv, "--log-level", "info"])


def redial(lab: Lab) -> None:
    """Make gobgpd dial the BMP station now, unless it is connected: its own pause between attempts grows to 32 s.

    Nothing happens where gobgpd does not run.
    """
    station = f"{COLLECTOR_ADDRESS}:{BMP_PORT}"
    shown = space.run(lab.namespace(NODE), ["gobgp", "bmp"], check=False).stdout
    if any(line.split()[:2] == [station, "Down"] for line in shown.splitlines()):
        space.run(lab.namespace(NODE), ["gobgp", "bmp", "del", station])
        space.run(lab.namespace(NODE), ["gobgp", "bmp", "add", station, "pre", "-s", str(STATISTICS)])


def ask(lab: Lab, *arguments: str) -> Any:
    """Return what `gobgp ... -j` says, parsed; None where it prints nothing.

    Raises RuntimeError with its words when it fails, among them when gobgpd does not run.
    """
    printed = space.run(lab.namespace(NODE), ["gobgp", *arguments, "-j"]).stdout.strip()
    return json.loads(printed) if printed else None
