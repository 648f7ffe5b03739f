"""Letting a site's agent in: a token for it, its fingerprint for us, and a certificate where there is none."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from pipeline.agents import certificate
from pipeline.agents.tokens import MOST, fingerprint, make_token
from pipeline.config import Config
from pipeline.config.settings import Agents


class EnrolError(Exception):
    """A site cannot be enrolled; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What was made, and what the agent's file must say."""

    site: str
    url: str
    token: Path
    """The file with the token, to be carried to the agent's machine."""
    ca: Path | None
    """The certificate to carry with it; None where it is of an authority."""
    made: tuple[Path, ...]

    def part(self) -> str:
        """Return the agent's part of its file."""
        lines = [f"site: {self.site}", "centre:", f"  url: {self.url}", f"  token_file: ./{self.token.name}"]
        return "\n".join(lines + ([f"  ca_file: ./{self.ca.name}"] if self.ca else []))


def enrol(config: Config, site: str, output: Path, hosts: Sequence[str], again: bool = False) -> Enrolled:
    """Make a token for a site, and a certificate where there is none. Raises EnrolError."""
    settings = _settings(config, site)
    fingerprints = settings.tokens[site]
    if fingerprints.exists() and not again:
        said = f"{site} has a token already ({fingerprints}); --again makes another, and both are valid until you take"
        raise EnrolError(f"{said} the old one's line out")
    if output.exists():
        raise EnrolError(f"{output} is there already; carry it to the agent's machine, or name another file with -o")
    try:
        made = _certificate(settings, config, hosts)
        names, own = certificate.read(settings.certificate)
        token = make_token()
        certificate.write_new(output, (token + "\n").encode(), 0o600)
        _add(fingerprints, fingerprint(token))
    except (OSError, ValueError) as error:
        raise EnrolError(str(error)) from error
    host = next(iter([*hosts, *names]), socket.getfqdn())
    assert config.listen.agents is not None
    url = f"https://{f'[{host}]' if ':' in host else host}:{config.listen.agents.port}"
    return Enrolled(site, url, output, settings.certificate if own else None, (*made, fingerprints, output))


def _settings(config: Config, site: str) -> Agents:
    """Where things go; a sentence that says what to write where the intent file does not say it."""
    places = {nva.name: f"regions.{each.name}.nvas.{nva.name}" for each in config.intent.regions for nva in each.nvas}
    places |= {each.name: f"sites.{each.name}" for each in config.intent.sites}
    if site not in places:
        known = ", ".join(each.name for each in config.intent.sites) or "none"
        raise EnrolError(f"{site} is no site of {config.source}, and no NVA; the sites are {known}")
    if config.agents is None:
        raise EnrolError(
            f"{config.source} lets no agents in; write `listen: {{agents: 0.0.0.0:8471}}`, and "
            "`agents: {certificate: ./agents/centre.pem, key: ./agents/centre.key}`"
        )
    if site not in config.agents.tokens:
        said = f"{config.source} says of no agent at {site}"
        raise EnrolError(f"{said}; write `agent: {{token_file: ./agents/{site}.token}}` under {places[site]}")
    return config.agents


def _certificate(settings: Agents, config: Config, hosts: Sequence[str]) -> tuple[Path, ...]:
    there = [path for path in (settings.certificate, settings.key) if path.exists()]
    if len(there) == 2:
        return ()
    if there:
        raise EnrolError(f"{there[0]} is there, and the other of certificate and key is not; put it there, or neither")
    assert config.listen.agents is not None
    here = config.listen.agents.host
    names = list(dict.fromkeys([*hosts, socket.getfqdn(), *([] if ip_address(here).is_unspecified else [here])]))
    pem, key = certificate.make(names, datetime.now(UTC))
    certificate.write_new(settings.key, key, 0o600)
    certificate.write_new(settings.certificate, pem, 0o644)
    return settings.certificate, settings.key


def _add(path: Path, line: str) -> None:
    """Add a fingerprint; of two that are there the older goes."""
    lines = path.read_text().splitlines() if path.exists() else []
    kept = [each for each in lines if each.strip() and not each.startswith("#")][-(MOST - 1) :]
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(path.name + ".partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        file.write("\n".join([*kept, line]) + "\n")
    os.replace(partial, path)
