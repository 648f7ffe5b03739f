"""Every fault, with who decides when it took effect. `lab/README.md` shows this table; a test compares them."""

from collections.abc import Mapping
from types import MappingProxyType

from lab.faults.advertisements import drop_prepend, flap, withdraw
from lab.faults.catchment import restart_catchment
from lab.faults.intruders import change_local_pref, hijack, more_specific
from lab.faults.machines import freeze_nva, kill_app, kill_nva, restart_gobgp, silent_drop
from lab.faults.sessions import cut_bmp, session_down
from lab.faults.verb import Verb

_GATEWAY = "FIB monitor on the region's gateway: it forwards to the NVA no more"
_HOLD = "; with azure timers, whose hold time is longer than a witness waits, "
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
