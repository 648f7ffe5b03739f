"""Names of the events that a Peer Down of reason 2 gives as its cause (RFC 4271, 8.1; RFC 7854, 4.9)."""

from typing import Final

_EVENTS: Final[dict[int, str]] = {
    0: "none",
    1: "ManualStart",
    2: "ManualStop",
    3: "AutomaticStart",
    4: "ManualStart_with_PassiveTcpEstablishment",
    5: "AutomaticStart_with_PassiveTcpEstablishment",
    6: "AutomaticStart_with_DampPeerOscillations",
    7: "AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment",
    8: "AutomaticStop",
    9: "ConnectRetryTimer_Expires",
    10: "HoldTimer_Expires",
    11: "KeepaliveTimer_Expires",
    12: "DelayOpenTimer_Expires",
    13: "IdleHoldTimer_Expires",
    14: "TcpConnection_Valid",
    15: "Tcp_CR_Invalid",
    16: "Tcp_CR_Acked",
    17: "TcpConnectionConfirmed",
    18: "TcpConnectionFails",
    19: "BGPOpen",
    20: "BGPOpen with DelayOpenTimer running",
    21: "BGPHeaderErr",
    22: "BGPOpenMsgErr",
    23: "OpenCollisionDump",
    24: "NotifMsgVerErr",
    25: "NotifMsg",
    26: "KeepAliveMsg",
    27: "UpdateMsg",
    28: "UpdateMsgErr",
}
"""Names as the RFC spells them. 0 stands for no event that the router could name."""


def fsm_event_name(number: int) -> str:
    """Return an event's name, or `event` and its number."""
    return _EVENTS.get(number, f"event {number}")
