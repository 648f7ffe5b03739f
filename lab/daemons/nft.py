"""nftables: how an NVA hands packets for the anycast addresses to its application server."""

from anycast.intent import TrafficMode
from lab import space
from lab.daemons.application import serves
from lab.topology import (
    APP_HTTP_PORT,
    APP_ID_PORT,
    HTTP_PORT,
    ID_PORT,
    RESPONDER_PORT,
    SERVICES,
    Lab,
    Node,
    region,
)

TABLE = "anycast"


def ruleset(lab: Lab, node: Node) -> str:
    """Return the ruleset of one NVA.

    DNAT mode translates both ports and keeps the client's address: the reply comes back because the server's only way
    out is this NVA. Proxy mode has HAProxy for HTTP; UDP, which HAProxy does not carry, is translated both ways.
    """
    app = serves(lab, node)
    prefixes = ", ".join(str(service.prefix) for service in SERVICES if node.place in service.prepends)
    proxied = region(node.place).mode is TrafficMode.PROXY
    http = f"    ip daddr {{ {prefixes} }} tcp dport {HTTP_PORT} dnat to {app.address}:{APP_HTTP_PORT}"
    udp = f"    ip daddr {{ {prefixes} }} udp dport {ID_PORT} dnat to {app.address}:{APP_ID_PORT}"
    asked = f"    ip daddr {{ {prefixes} }} udp dport {RESPONDER_PORT} dnat to {app.address}"
    lines = (
        f"table ip {TABLE} {{",
        "  chain destination {",
        "    type nat hook prerouting priority dstnat;",
        *(() if proxied else (http,)),
        udp,
        asked,
        "  }",
        *source_chain(lab, node),
        "}",
    )
    return "\n".join((*lines, ""))


def source_chain(lab: Lab, node: Node) -> tuple[str, ...]:
    """Return the chain that makes the server answer through a proxying NVA; empty where the server's route does."""
    if region(node.place).mode is not TrafficMode.PROXY:
        return ()
    app, ports = serves(lab, node), f"{APP_ID_PORT}, {RESPONDER_PORT}"
    return (
        "  chain source {",
        "    type nat hook postrouting priority srcnat;",
        f"    ip daddr {app.address} udp dport {{ {ports} }} ct status dnat snat to {node.address}",
        "  }",
    )


def reload(lab: Lab, node: Node) -> None:
    """Load the ruleset in place of what is there."""
    space.run(
        lab.namespace(node.name),
        ["nft", "-f", "-"],
        stdin=f"table ip {TABLE} {{}}\ndelete table ip {TABLE}\n{ruleset(lab, node)}",
    )


def load(lab: Lab, node: Node) -> None:
    """Load the ruleset. Raises RuntimeError with nft's words when the kernel refuses it."""
    space.run(lab.namespace(node.name), ["nft", "-f", "-"], stdin=ruleset(lab, node))
