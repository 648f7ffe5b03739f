"""Every agent that there is, or is meant to be."""

from collections.abc import Iterator
from datetime import datetime

from analyzers.probing.account import Account, status
from analyzers.probing.probing import Probing
from anycast.agent import AgentStatus


def attendance(probing: Probing, now: datetime) -> tuple[AgentStatus, ...]:
    """Return the agents of sites in the order of the intent, then those of NVAs that ever reported."""
    return (*_sites(probing, now), *_nvas(probing, now))


def _sites(probing: Probing, now: datetime) -> Iterator[AgentStatus]:
    for site in probing.intent.sites:
        seen = probing.sites.get(site.name)
        if seen is not None:
            account = seen.beside.account
            yield status(site.name, False, site.agent, seen.hearing, account, len(seen.targets), now)
        elif site.agent:
            yield status(site.name, False, True, None, Account(), 0, now)


def _nvas(probing: Probing, now: datetime) -> Iterator[AgentStatus]:
    hosts = probing.hosts
    for name, hearing in sorted(hosts.hearing.items()):
        yield status(name, True, False, hearing, hosts.accounts.get(name, Account()), 0, now)
