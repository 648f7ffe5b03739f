"""A cable between the centre and an agent in a network namespace, which can be cut without a word."""

import subprocess

CENTRE = "10.213.7.1"


def within(name: str) -> tuple[str, ...]:
    """What stands before a command to run it at the agent's end."""
    return ("ip", "netns", "exec", name)


def lay(name: str) -> None:
    """A namespace for the agent, and a cable to it."""
    for line in (
        f"ip netns add {name}",
        f"ip link add {name} type veth peer name eth0 netns {name}",
        f"ip addr add {CENTRE}/30 dev {name}",
        f"ip link set {name} up",
        f"ip -n {name} addr add 10.213.7.2/30 dev eth0",
        f"ip -n {name} link set eth0 up",
        f"ip -n {name} link set lo up",
    ):
        subprocess.run(line.split(), check=True)


def cut(name: str) -> None:
    """Drop everything, both ways, without a word."""
    rules = "table inet cut { chain in { type filter hook input priority 0; policy drop; }\n"
    rules += "chain out { type filter hook output priority 0; policy drop; }\n}\n"
    subprocess.run(["ip", "netns", "exec", name, "nft", "-f", "-"], input=rules.encode(), check=True)


def mend(name: str) -> None:
    """Let everything through again."""
    subprocess.run(["ip", "netns", "exec", name, "nft", "delete", "table", "inet", "cut"], check=True)


def remove(name: str) -> None:
    """Take it all away."""
    subprocess.run(["ip", "netns", "del", name], check=False)
    subprocess.run(["ip", "link", "del", name], check=False, stderr=subprocess.DEVNULL)
