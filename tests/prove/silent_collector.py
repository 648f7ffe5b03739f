"""The collector advertises nothing: no NLRI leaves it, announced or withdrawn, though there is a route it could tell.

On the lab: a canary route stands in GoBGP's own table, and a tap reads every BGP session of the collector, with a
decoder of its own. Nothing may be announced or withdrawn when GoBGP is stopped and started, when it is killed and
started, when every peer asks for all routes (ROUTE-REFRESH), and when GoBGP (SIGHUP) and Catchment (its API) read their
files again. The opposites: with the export policy taken out of GoBGP's file, the same tap sees the canary; with the
import policy taken out, it sees withdrawals of what was never announced.
"""

import signal
from collections.abc import Callable
from typing import Any

from lab import processes, space, truth
from lab.daemons import bird, frr, gobgp
from lab.topology import Lab, Role
from tests.prove.figures import Proven, Target, load
from tests.prove.labs import WatchedLab, watched_lab
from tests.prove.partial import Partial, Repeat
from tests.prove.tap import Tap
from tests.rig import eventually

NAME = "silent-collector"
SEED = 20264
ROUNDS = 2
CANARY = "192.0.2.123/32"
EXPORT = '  export-policy-list = ["advertise-nothing"]', '  default-export-policy = "reject-route"'
"""The lines of GoBGP's file without which it tells everything."""
IMPORT = '  import-policy-list = ["learn-nothing"]', '  default-import-policy = "reject-route"'
"""The lines without which it withdraws what it never told."""


def prove(say: Callable[[str], None]) -> Proven:
    """Run every occasion, and the opposites."""
    partial = Partial(NAME, "occasions")
    todo = [(name, act) for _ in range(ROUNDS) for name, act in OCCASIONS.items()] + [*OPPOSITES.items()]
    if len(partial.repeats) < len(todo):
        with watched_lab("pvtap") as watched, Tap(watched.lab) as tap:
            plant(watched.lab)
            for name, act in todo[len(partial.repeats) :]:
                partial.add({"occasion": name, **watch(watched, tap, act)})
                say(f"{len(partial.repeats)} of {len(todo)}: {_summed(partial.repeats[-1])}")
    return _proven(partial.repeats)


def watch(watched: WatchedLab, tap: Tap, act: Callable[[WatchedLab, Tap], None]) -> Repeat:
    """Do something, and return what the tap saw of it, once every session is up and has carried something."""
    tap.read()
    act(watched, tap)
    eventually(lambda: all_up(watched.lab), 45, what="all sessions of the collector")
    eventually(lambda: tap.peek().to_peers.keys() == tap.peers.keys(), 20, what="a message on every session")
    assert planted(watched.lab), f"{CANARY} is not in GoBGP's own table, so silence would prove nothing"
    seen = tap.read()
    return {
        "messages": sum(seen.to_peers.values()),
        "sessions": len(seen.to_peers),
        "refreshes": sum(seen.refreshes.values()),
        "refreshing": len(+seen.refreshes),
        "nlri": seen.nlri,
        "withdrawn": seen.withdrawn,
        "unread": seen.unread,
        "load": load(),
    }


def plant(lab: Lab) -> None:
    """Put the canary into GoBGP's own table, as soon as gobgpd answers."""
    command = ["gobgp", "global", "rib", "add", CANARY]
    eventually(lambda: space.run(lab.namespace("collector"), command, check=False).returncode == 0, 20, 0.05, "gobgpd")


def planted(lab: Lab) -> bool:
    """Whether the canary is in GoBGP's own table."""
    return CANARY in (gobgp.ask(lab, "global", "rib", CANARY) or {})


def all_up(lab: Lab) -> bool:
    """Whether every session of the collector is up at both ends."""
    up = truth.established(lab, lab.by_name["collector"])
    return up == {str(session.listener.address) for session in lab.sessions_of("collector")}


def again(lab: Lab, how: signal.Signals) -> None:
    """End gobgpd and start it; the canary is there before its sessions are."""
    process = processes.find(lab, "collector", "gobgpd")
    assert process is not None, "no gobgpd runs"
    processes.send(process, how)
    eventually(lambda: processes.find(lab, "collector", "gobgpd") is None, 10, 0.02, "the end of gobgpd")
    gobgp.start(lab)
    plant(lab)
    assert not all_up(lab), "the sessions were up before the canary was there"


def _stopped(watched: WatchedLab, tap: Tap) -> None:
    again(watched.lab, signal.SIGTERM)


def _killed(watched: WatchedLab, tap: Tap) -> None:
    again(watched.lab, signal.SIGKILL)


def _refreshed(watched: WatchedLab, tap: Tap) -> None:
    """Every peer asks for everything, and the tap sees each of them ask."""
    lab = watched.lab
    for session in lab.sessions_of("collector"):
        peer = lab.by_name[session.listener.node]
        if peer.role is Role.EDGE:
            _ask_by_frr(lab, peer.name, str(session.dialer.address))
        else:
            bird.ask(lab, peer.name, f"reload in {bird.protocol('collector')}")
    eventually(lambda: (+tap.peek().refreshes).keys() == tap.peers.keys(), 10, what="a ROUTE-REFRESH of every peer")


def _ask_by_frr(lab: Lab, edge: str, collector: str) -> None:
    """FRR asks its peer only when it has not kept what it heard: so it forgets that first."""
    family = ("configure terminal", f"router bgp {lab.by_name[edge].asn}", "address-family ipv4 unicast")
    frr.ask(lab, edge, *family, f"no neighbor {collector} soft-reconfiguration inbound")
    frr.ask(lab, edge, f"clear bgp ipv4 unicast {collector} soft in")
    frr.ask(lab, edge, *family, f"neighbor {collector} soft-reconfiguration inbound")


def _reloaded(watched: WatchedLab, tap: Tap) -> None:
    """GoBGP and Catchment read their files again."""
    process = processes.find(watched.lab, "collector", "gobgpd")
    assert process is not None, "no gobgpd runs"
    processes.send(process, signal.SIGHUP)
    assert watched.rig.client.post("/api/v1/reload") == {"reloaded": True, "problems": [], "restart": []}


OCCASIONS: dict[str, Callable[[WatchedLab, Tap], None]] = {
    "start": _stopped,
    "restart": _killed,
    "route-refresh": _refreshed,
    "reload": _reloaded,
}


def _without_export(watched: WatchedLab, tap: Tap) -> None:
    """Start GoBGP without its export policy: now the tap must see the canary."""
    _bare(watched.lab, EXPORT)
    eventually(lambda: any(CANARY in line for line in tap.peek().nlri), 15, what="the canary on the wire")


def _without_import(watched: WatchedLab, tap: Tap) -> None:
    """Start GoBGP without its import policy: now the tap must see withdrawals."""
    _bare(watched.lab, IMPORT)
    eventually(lambda: bool(tap.peek().withdrawn), 15, what="a withdrawal on the wire")


OPPOSITES: dict[str, Callable[[WatchedLab, Tap], None]] = {
    "without-export-policy": _without_export,
    "without-import-policy": _without_import,
}


def _bare(lab: Lab, policy: tuple[str, ...]) -> None:
    """Start GoBGP without some lines of its file, which is whole again when every session is up."""
    path = lab.node_folder(gobgp.NODE) / "gobgpd.toml"
    text = path.read_text()
    left = [line for line in text.splitlines() if line not in policy]
    assert len(left) == len(text.splitlines()) - len(policy), f"{path} does not hold {' and '.join(policy)}"
    path.write_text("\n".join(left))
    try:
        again(lab, signal.SIGTERM)
        eventually(lambda: all_up(lab), 45, what="all sessions of the collector")
    finally:
        path.write_text(text)


def _summed(repeat: Repeat) -> str:
    return (
        f"{repeat['occasion']}: {repeat['messages']} messages on {repeat['sessions']} sessions, "
        f"{repeat['refreshes']} route refreshes, {len(repeat['nlri'])} announcements, "
        f"{len(repeat['withdrawn'])} withdrawals, {len(repeat['unread'])} unread"
    )


def _proven(repeats: list[Repeat]) -> Proven:
    silent = [repeat for repeat in repeats if repeat["occasion"] in OCCASIONS]
    bare = {repeat["occasion"]: repeat for repeat in repeats if repeat["occasion"] in OPPOSITES}
    told = {line.partition(":")[0] for line in bare["without-export-policy"]["nlri"] if CANARY in line}
    figures: dict[str, Any] = {
        "occasions": len(silent),
        "sessions": min(repeat["sessions"] for repeat in silent),
        "messages": sum(repeat["messages"] for repeat in silent),
        "route_refreshes": sum(repeat["refreshes"] for repeat in silent),
        "announcements": sum(len(repeat["nlri"]) for repeat in silent),
        "withdrawals": sum(len(repeat["withdrawn"]) for repeat in silent),
        "unread": sum(len(repeat["unread"]) for repeat in silent),
        "load_average": max(repeat["load"] for repeat in repeats),
        "sessions_that_hear_the_canary_without_the_export_policy": len(told),
        "withdrawals_without_the_import_policy": len(bare["without-import-policy"]["withdrawn"]),
    }
    targets = (
        Target("UPDATEs that announce anything", figures["announcements"], exactly=0),
        Target("UPDATEs that withdraw anything", figures["withdrawals"], exactly=0),
        Target("segments that the tap could not read", figures["unread"], exactly=0),
        Target("sessions on which it saw messages, every time", figures["sessions"], at_least=10),
        Target("route refreshes that peers asked for", figures["route_refreshes"], at_least=10 * ROUNDS),
        Target("sessions that hear the canary without the export policy", float(len(told)), at_least=1),
        Target(
            "withdrawals of what was never announced, without the import policy",
            figures["withdrawals_without_the_import_policy"],
            at_least=1,
        ),
    )
    return Proven(SEED, figures, targets)
