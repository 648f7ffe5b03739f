"""The file of reverse catchment, from its path to settings or to every mistake in it at once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from anycast.prefix import Address
from anycast.probe import Target, TargetKind
from collector.probe.config.file import load_file
from collector.probe.config.shape import CENTRE, Key, Table, Walk
from collector.probe.config.values import AgentSettings, Asked, Centre, Probes
from collector.probe.config.words import between, number, read_name, read_path, some, whole
from collector.probe.identity.keyfile import KeyFileError, read_key
from collector.probe.identity.keys import KEY_IDS, KEYS_PER_SITE
from collector.probe.reverse.hitlist import HitlistError, Host, read_hitlist
from collector.probe.reverse.settings import MOST_RATE, SPARE, ReverseSettings
from collector.written.document import within
from collector.written.words import read_address, read_size, shown

MOST_ADDRESSES = 16

REVERSE: Table = {
    "reverse": Key(whole(1, 1), "write `reverse: 1` first, the version of this format"),
    "region": Key(read_name, "write the region's name in the intent file, such as weu"),
    "nva": Key(read_name, "write this NVA's name in the intent file, such as weu-nva1"),
    "centre": Key(None, "write {url: ..., token_file: ..., ca_file: ...}, as for an agent; the token is the NVA's"),
    "data": Key(read_path),
    "spool": Key(read_size),
    "user": Key(read_name),
    "keys": Key(None, "write the key that all NVAs share and nobody else has, such as {100: ./fleet.key}"),
    "addresses": Key(
        some(read_address, MOST_ADDRESSES, "[10.250.0.10]"), "write the anycast addresses to ping from, [10.250.0.10]"
    ),
    "hosts": Key(read_path, "write the file with the hosts, each with its site, such as ./hosts.txt"),
    "every": Key(between(5, 86400)),
    "rate": Key(number(1, MOST_RATE)),
}


def load(path: Path) -> ReverseSettings:
    """Read the file, its hitlist and its keys; raises ConfigError with every problem."""
    return load_file(path, "a file of reverse catchment", lambda walk, raw: _Reading(walk, path).settings())


class _Reading:
    """One file on its way to settings; paths in it are seen from its own folder."""

    def __init__(self, walk: Walk, path: Path) -> None:
        self._walk, self._path, self._folder = walk, path, path.absolute().parent

    def settings(self) -> ReverseSettings | None:
        """Return the settings, made of what could be read; None where the file is no mapping."""
        if not isinstance(self._walk.document.tree, dict):
            said = "is empty" if self._walk.document.tree is None else "is no mapping"
            self._walk.wrong((), f"{said}; a file of reverse catchment begins with `reverse: 1`")
            return None
        top = self._walk.part((), REVERSE)
        hosts = self._hosts(top)
        agent = AgentSettings(
            source=self._path,
            site=top.get("nva", ""),
            centre=self._centre(),
            data=self._folder / top.get("data", Path("reverse-data")),
            keys=self._keys(),
            targets=tuple(Asked(Target(host.name, TargetKind.HOST, host.address), Probes()) for host in hosts),
        )
        agent = replace(agent, quota=top.get("spool", agent.quota), user=top.get("user", agent.user))
        addresses = top.get("addresses", ())
        defaults = {name: top[name] for name in ("every", "rate") if name in top}
        settings = ReverseSettings(agent, top.get("region", ""), top.get("nva", ""), addresses, hosts, **defaults)
        self._fits(settings)
        return settings

    def _centre(self) -> Centre:
        found = self._walk.part(("centre",), CENTRE) if within(self._walk.document.tree, ("centre",)) else {}
        ca = found.get("ca_file")
        token = self._folder / found.get("token_file", Path("token"))
        return Centre(found.get("url", ""), token, self._folder / ca if ca else None)

    def _keys(self) -> dict[int, Path]:
        found: dict[int, Path] = {}
        if not within(self._walk.document.tree, ("keys",)):
            return found
        names = self._walk.mapping(("keys",))
        if not 0 < len(names) <= KEYS_PER_SITE:
            said = f"holds {len(names)} keys; write one, or two while one takes the place of the other"
            self._walk.wrong(("keys",), said, on_key=True)
        for name, value in names.items():
            if not (name.isascii() and name.isdigit() and int(name[:6]) in KEY_IDS):
                said = f"{shown(name)} is no key id; it is a whole number from {KEY_IDS[0]} to {KEY_IDS[-1]}"
                self._walk.wrong(("keys", name), said, on_key=True)
                continue
            try:
                found[int(name)] = self._folder / read_path(value)
                read_key(found[int(name)])
            except (KeyFileError, ValueError) as error:
                self._walk.wrong(("keys", name), str(error))
        return found

    def _hosts(self, top: dict[str, Any]) -> tuple[Host, ...]:
        if "hosts" not in top:
            return ()
        try:
            return read_hitlist(self._folder / top["hosts"])
        except HitlistError as error:
            for line in str(error).splitlines():
                self._walk.wrong(("hosts",), line)
            return ()

    def _fits(self, settings: ReverseSettings) -> None:
        pairs, hosts = settings.pairs, {host.address for host in settings.hosts}
        longest = settings.every - SPARE
        if len(pairs) > longest * settings.rate:
            seconds = len(pairs) / settings.rate
            said = f"{len(pairs)} pings at {settings.rate:g} a second take {seconds:.0f} s of a round of"
            self._walk.wrong((), f"{said} {settings.every:g} s; write a longer `every`, or fewer hosts", on_key=True)
        both = [address for address in settings.addresses if address in hosts]
        if both:
            self._walk.wrong(("addresses",), f"{both[0]} is one of the hosts, too; ping others")
        without: list[Address] = [each for each in hosts if each not in {host.address for _, host in pairs}]
        if without and settings.addresses:
            said = f"has no address of the family of {min(map(str, without))}; add one, or take the host out"
            self._walk.wrong(("addresses",), said)
