"""Every fault, with who decides when it took effect. `lab/README.md` shows this table; a test compares them."""

from collections.abc import Mapping
from types import MappingProxyType

from lab.faults.advertisements import drop_prepend, flap, withdraw
from lab.faults.agents import clock_step, cut_agent, cut_site, kill_agent, starve_agent
from lab.faults.applications import failing_app, slow_app, stuck_health
from lab.faults.catchment import restart_catchment
from lab.faults.distances import jitter, latency, narrow, noise
from lab.faults.forwarding import blackhole, dead_leg, flow_loss, lossy_leg, mtu
from lab.faults.intruders import change_local_pref, hijack, impostor, more_specific
from lab.faults.machines import freeze_nva, kill_app, kill_nva, restart_gobgp, silent_drop
from lab.faults.returning import asymmetric, fib_stuck, polarise, remove_return, remove_snat
from lab.faults.sessions import cut_bmp, session_down
from lab.faults.verb import Verb

_GATEWAY = "FIB monitor on the region's gateway: it forwards to the NVA no more"
_HOLD = "; with azure timers, whose hold time is longer than a witness waits, "
_NVA = "weu-nva1"
_DROPS = "nftables counters: since when the rule is there, once it has dropped a packet"
_PROCESSES = "The kernel's processes on the client"
_LINE = "The delay line: since when it carries frames so"
_EDGE = "FIB monitor on nyc-ce1: the prefix goes to the partner"

VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        "withdraw": Verb(
            "Withdraws a service gracefully: sessions stay up, the routes go.",
            "[REGION|NVA] [SERVICE]",
            "web in weu",
            _GATEWAY,
            withdraw,
        ),
        "kill-app": Verb(
            "Kills the application; health checks withdraw every service.", "[REGION|APP]", "weu", _GATEWAY, kill_app
        ),
        "kill-nva": Verb(
            "Kills an NVA's programs and pulls its cable: a dead virtual machine.",
            "[NVA]",
            "weu-nva1",
            _GATEWAY,
            kill_nva,
        ),
        "freeze-nva": Verb(
            "Stops an NVA's programs (SIGSTOP); its kernel still forwards.",
            "[NVA]",
            "weu-nva1",
            _GATEWAY + _HOLD + "the kernel's process states",
            freeze_nva,
        ),
        "silent-drop": Verb(
            "Drops every packet to and from an NVA, silently.",
            "[NVA]",
            "weu-nva1",
            _GATEWAY + _HOLD + "the kernel's drop counters",
            silent_drop,
        ),
        "session-down": Verb(
            "Shuts one BGP session down administratively.",
            "[NODE NODE]",
            "weu-msee1 and ams-ce1",
            "Packet tap at the far router: the NOTIFICATION (Cease)",
            session_down,
        ),
        "flap": Verb(
            "Withdraws and announces a service several times, one every 3 s; heals itself.",
            "[REGION|NVA] [SERVICE] [TIMES]",
            "web in weu, 4 times",
            _GATEWAY + " (first time)",
            flap,
        ),
        "hijack": Verb(
            "The partner (AS 65999) announces the web service's own prefix.", "", "nyc-rogue", _EDGE, hijack
        ),
        "more-specific": Verb(
            "The partner (AS 65999) announces a part of the vdi service's prefix.",
            "",
            "nyc-rogue",
            _EDGE,
            more_specific,
        ),
        "drop-prepend": Verb(
            "NVAs announce a backup without its prepends.",
            "[REGION|NVA] [SERVICE]",
            "dns in eus",
            "Packet tap at the region's first Route Server instance: the UPDATE with the short path",
            drop_prepend,
        ),
        "change-local-pref": Verb(
            "An edge router's route map sets another LOCAL_PREF for a region.",
            "[EDGE] [REGION] [VALUE]",
            "ams-ce1, weu, 150",
            "Packet tap at the collector: the edge router's UPDATE with the new LOCAL_PREF",
            change_local_pref,
        ),
        "cut-bmp": Verb(
            "Cuts an exporter's BMP off from the station, with a reset or silently, until healed.",
            "[--reset|--silent] [EDGE|gobgp]",
            "ams-ce1, --reset",
            "Packet tap at the collector: the RST; when silent, the kernel's drop counters",
            cut_bmp,
        ),
        "restart-gobgp": Verb(
            "Kills the collector's GoBGP and starts it again; heals itself.",
            "",
            "gobgp",
            "Packet tap at the collector: its kernel closes a BGP connection; back when gobgp says all are Established",
            restart_gobgp,
        ),
        "restart-catchment": Verb(
            "Stops (or kills) the registered Catchment and starts it again; heals itself.",
            "[--kill]",
            "catchment",
            "Packet tap at the collector: the kernel closes a BMP connection; back when ss shows all taken again",
            restart_catchment,
        ),
        "impostor": Verb(
            "The partner announces the web service's prefix and answers for it, without the key.",
            "",
            "nyc-rogue",
            _EDGE,
            impostor,
        ),
        "blackhole": Verb(
            "NVAs drop what goes to a service; their routes and their applications are well.",
            "[REGION|NVA] [SERVICE]",
            "web in weu",
            _DROPS,
            blackhole,
        ),
        "dead-leg": Verb("One NVA or circuit swallows every packet to services.", "[NVA|MSEE]", _NVA, _DROPS, dead_leg),
        "lossy-leg": Verb(
            "One NVA or circuit loses some packets to services at random.",
            "[NVA|MSEE] [PERCENT]",
            f"{_NVA}, 20 %",
            _DROPS,
            lossy_leg,
        ),
        "flow-loss": Verb(
            "One NVA or circuit drops every packet of some flows to services.",
            "[NVA|MSEE] [PERCENT]",
            f"{_NVA}, 25 % of flows",
            _DROPS,
            flow_loss,
        ),
        "mtu": Verb(
            "A region's circuits drop longer packets, and say nothing.",
            "[REGION|MSEE] [OCTETS]",
            "weu, 1400 octets",
            _DROPS,
            mtu,
        ),
        "remove-return": Verb(
            "NVAs lose their route back to the sites.",
            "[REGION|NVA]",
            "weu",
            "FIB monitor on the NVA",
            remove_return,
        ),
        "remove-snat": Verb(
            "NVAs translate no source addresses any more, and servers answer around them.",
            "[REGION|NVA]",
            "weu",
            "The kernel's routes on the server",
            remove_snat,
        ),
        "asymmetric": Verb(
            "An NVA answers through the other one, which drops TCP that it never saw begin.",
            "[NVA]",
            _NVA,
            "FIB monitor on the NVA",
            asymmetric,
        ),
        "polarise": Verb(
            "A router hashes flows by their addresses alone.",
            "[EDGE|GATEWAY]",
            "weu-gw",
            "The kernel's settings",
            polarise,
        ),
        "fib-stuck": Verb(
            "An edge router's kernel keeps one of several equal paths; its BGP knows nothing.",
            "[EDGE]",
            "web at ams-ce1",
            "FIB monitor on the edge router",
            fib_stuck,
        ),
        "latency": Verb(
            "A site's way to a region takes longer, there and back.",
            "[SITE-REGION|SITE] [MS]",
            "ams-weu, 20 ms",
            _LINE,
            latency,
        ),
        "jitter": Verb(
            "Packets on a site's way to a region take up to so much longer, each another time.",
            "[SITE-REGION|SITE] [MS]",
            "ams-weu, up to 20 ms",
            _LINE,
            jitter,
        ),
        "noise": Verb(
            "All wires lose a few frames and jitter a little: an ordinary day.",
            "[SITE-REGION|SITE] [PERCENT] [MS]",
            "all wires, 0.1 %, up to 2 ms",
            _LINE,
            noise,
        ),
        "narrow": Verb(
            "A region's circuits to a site carry no more than so much.",
            "[SITE-REGION|SITE] [MBIT]",
            "ams-weu, 10 Mbit/s",
            "The kernel's queueing disciplines",
            narrow,
        ),
        "slow-app": Verb(
            "Applications answer late over HTTP; the network is as fast as ever.",
            "[REGION|APP] [MS]",
            "weu, 800 ms",
            "A user on the server",
            slow_app,
        ),
        "failing-app": Verb(
            "Applications answer some requests with 503.",
            "[REGION|APP] [PERCENT]",
            "weu, 50 %",
            "A user on the server",
            failing_app,
        ),
        "stuck-health": Verb(
            "Health checks hang, and then their applications die: dead and still advertised.",
            "[REGION|APP]",
            "weu",
            "The kernel's processes, when the applications are gone",
            stuck_health,
        ),
        "kill-agent": Verb("Kills a site's agent.", "[SITE]", "ams", _PROCESSES, kill_agent),
        "starve-agent": Verb(
            "Lets a site's agent run half of the time, in pieces.", "[SITE]", "ams", _PROCESSES, starve_agent
        ),
        "clock-step": Verb(
            "Puts a site's wall clock wrong, all at once.",
            "[SITE] [SECONDS]",
            "ams, 30 s",
            "The clock that the agent reads, which is not the kernel's",
            clock_step,
        ),
        "cut-agent": Verb("Cuts a site's agent off from the centre.", "[SITE]", "ams", _DROPS, cut_agent),
        "cut-site": Verb("Cuts a site's client off from everything but the centre.", "[SITE]", "ams", _DROPS, cut_site),
    }
)


def markdown() -> str:
    """Return the table as `lab/README.md` shows it."""
    rows = (
        f"| `{_words(name, verb)}` | {verb.does} | {verb.target} | {verb.witness} |" for name, verb in VERBS.items()
    )
    return "\n".join(
        ("| verb | what it does | default | who decides when it took effect |", "|---|---|---|---|", *rows)
    )


def _words(name: str, verb: Verb) -> str:
    return f"{name} {verb.arguments}".strip().replace("|", "\\|")
