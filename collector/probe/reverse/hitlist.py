"""The hosts that are pinged: a file with one address a line, and the site it stands in.

# AMS
10.20.0.5    ams
10.20.0.9    ams     # the printer at the entrance
10.60.1.20   cph     a site with no agent
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from anycast.prefix import Address
from collector.written.words import NAME, shown

MOST = 1000  # hosts: what one batch can name
LARGEST = 1 << 20  # octets of the file
MOST_TOLD = 20  # mistakes


@dataclass(frozen=True, slots=True)
class Host:
    """One host."""

    address: Address
    site: str

    @property
    def name(self) -> str:
        """Its target's name: SITE/ADDRESS."""
        return f"{self.site}/{self.address}"


class HitlistError(ValueError):
    """A hitlist that is not taken: its mistakes, each a sentence with its line."""


LONGEST_NAME = 63  # of a target


def read_hitlist(path: Path) -> tuple[Host, ...]:
    """Read a hitlist; raises HitlistError."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise HitlistError(f"{path} cannot be read: {error.strerror}; name a file with a host on each line") from None
    if len(raw) > LARGEST:
        raise HitlistError(f"{path} has more than {LARGEST} octets; {MOST} hosts at most are pinged")
    found: dict[Address, Host] = {}
    wrong: list[str] = []
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            host = _host(words)
            if host.address in found:
                raise ValueError(f"{host.address} is there twice; keep one")
            found[host.address] = host
        except ValueError as error:
            wrong.append(f"{path}:{number}: {error}")
    if not found and not wrong:
        wrong.append(f"{path} names no host; write an address and its site on each line")
    if len(found) > MOST:
        wrong.append(f"{path} names {len(found)} hosts; {MOST} at most are pinged, and a few of each site are enough")
    if wrong:
        raise HitlistError("\n".join(_few(wrong)))
    return tuple(found.values())


def _few(wrong: list[str]) -> Iterator[str]:
    yield from wrong[:MOST_TOLD]
    if len(wrong) > MOST_TOLD:
        yield f"and {len(wrong) - MOST_TOLD} more"


def _host(words: list[str]) -> Host:
    if len(words) < 2:
        raise ValueError(f"{shown(words[0])} has no site; write `{words[0][:45]} ams`")
    text, site = words[:2]
    try:
        address = ip_address(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not an address such as 10.20.0.5") from None
    if address.is_multicast or address.is_unspecified or address.is_loopback or text == "255.255.255.255":
        raise ValueError(f"{address} is not the address of one host on the network")
    if getattr(address, "scope_id", None):
        raise ValueError(f"{address} has a zone, and means something on one link only")
    if not re.fullmatch(NAME, site):
        raise ValueError(f"{shown(site)} is no site's name")
    host = Host(address, site)
    if len(host.name) > LONGEST_NAME:
        raise ValueError(f"{host.name} is longer than {LONGEST_NAME} characters; give the site a shorter name")
    return host
