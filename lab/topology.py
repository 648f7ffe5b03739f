"""The lab's network as pure values: every namespace, link, address, AS number and BGP session.

Two regions hang off their own fabric (one switched VNet each); each region's gateway reaches both sites over two
MSEEs; one site has VPN tunnels too. The collector stands on both fabrics and has a cable to each edge router.

    client - edge ==(wire)== msee1, msee2 - gw - fabric - nva1, nva2 - app1, app2
                                               |        |
                                              (vpn)    rs0, rs1, collector

Names without a lab in front (`weu-rs0`) are nodes; `Lab.namespace` makes a namespace of one. Addresses are the same in
every lab: nothing in one lab can reach another, or the machine's own network.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lab import cabling
from lab.plan import (
    AGENTS_PORT,
    APP_HTTP_PORT,
    APP_ID_PORT,
    BMP_PORT,
    COLLECTOR,
    COLLECTOR_ADDRESS,
    HTTP_PORT,
    ID_PORT,
    MICROSOFT,
    ON_PREMISES,
    REGIONS,
    RESPONDER_PORT,
    ROGUE,
    SERVICES,
    SITES,
    VPN_SERVICE,
    Link,
    Node,
    Port,
    Region,
    Role,
    Service,
    Session,
    Site,
    Speaker,
    Timers,
    Wire,
    region,
    service,
    site,
)

__all__ = [
    "AGENTS_PORT",
    "APP_HTTP_PORT",
    "APP_ID_PORT",
    "BMP_PORT",
    "COLLECTOR",
    "COLLECTOR_ADDRESS",
    "HTTP_PORT",
    "ID_PORT",
    "MICROSOFT",
    "ON_PREMISES",
    "REGIONS",
    "RESPONDER_PORT",
    "ROGUE",
    "SERVICES",
    "SITES",
    "STATE",
    "VPN_SERVICE",
    "Lab",
    "Link",
    "Node",
    "Port",
    "Region",
    "Role",
    "Service",
    "Session",
    "Site",
    "Speaker",
    "Timers",
    "Wire",
    "region",
    "service",
    "site",
]

STATE = Path("/run/catchment-lab")


@dataclass(frozen=True)
class Lab:
    """One lab: a name that its namespaces begin with, and a number that keeps its ports apart on the machine."""

    name: str = "lab"
    index: int = 0
    state: Path = field(default=STATE)
    """The folder in which each lab has a folder of its own."""

    def __post_init__(self) -> None:
        if not (self.name.isascii() and self.name.isalnum() and self.name[0].isalpha() and len(self.name) <= 12):
            raise ValueError(f"lab name {self.name!r} must be 1 to 12 letters and digits, a letter first, such as lab2")

    @property
    def folder(self) -> Path:
        """Everything this lab writes is in here."""
        return self.state / self.name

    @property
    def prefix(self) -> str:
        """How the names of its namespaces begin."""
        return f"{self.name}-"

    def namespace(self, node: str) -> str:
        """Return the namespace of a node."""
        return f"{self.prefix}{node}"

    def node_folder(self, node: str) -> Path:
        """Return the folder of a node's files: configuration, sockets, pid files, logs."""
        return self.folder / node

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every namespace."""
        return cabling.nodes()

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Every veth pair."""
        return cabling.links()

    @cached_property
    def sessions(self) -> tuple[Session, ...]:
        """Every BGP session."""
        return cabling.sessions()

    @cached_property
    def wires(self) -> tuple[Wire, ...]:
        """Every pair of interfaces that the delay line joins; all in one namespace."""
        return cabling.wires(self.namespace("wire"))

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        """Nodes by name."""
        return {node.name: node for node in self.nodes}

    def of(self, *roles: Role, place: str | None = None) -> tuple[Node, ...]:
        """Return the nodes of some roles, of one region or site when `place` is given."""
        return tuple(node for node in self.nodes if node.role in roles and place in (None, node.place))

    def sessions_of(self, node: str) -> tuple[Session, ...]:
        """Return the sessions in which a node has a part."""
        return tuple(session for session in self.sessions if session.side(node))
