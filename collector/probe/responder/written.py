"""A responder's file, from its path to settings or to every mistake in it at once."""

import re
import socket
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from anycast.probe import Identity
from collector.probe.config.file import load_file
from collector.probe.config.shape import Walk
from collector.probe.identity.datagram import SIZE, reply_size
from collector.probe.identity.keyfile import KeyFileError, read_key
from collector.probe.identity.keys import KEY_IDS, KEYS_PER_SITE, Key, Keys
from collector.probe.responder.settings import KeyFile, Place, Rate, ResponderSettings
from collector.probe.responder.shape import KEY, LISTEN, RATE, RESPONDER
from collector.written.document import within
from collector.written.problem import KeyPath
from collector.written.words import NAME, shown

MOST_KEYS = 2000  # two for each of a thousand sites
LARGEST_CONFIGURATION = 16 << 20  # octets of a file that the generation is made of
GENERATION = 12  # hexadecimal digits: enough to tell the generations of one NVA apart


def load(path: Path) -> ResponderSettings:
    """Read a responder's file; raises ConfigError with every problem of it, those of key files too."""
    return load_file(path, "a responder's file", lambda walk, raw: _Reading(walk, path, raw).settings())


def keys_of(files: Iterable[KeyFile]) -> Keys:
    """Read the keys; raises KeyFileError, or ValueError where they do not go together."""
    return Keys(Key(each.id, each.site, read_key(each.file)) for each in files)


class _Reading:
    """One file on its way to settings; paths in it are seen from its own folder."""

    def __init__(self, walk: Walk, path: Path, raw: bytes) -> None:
        self._walk, self._path, self._raw = walk, path, raw
        self._folder = path.absolute().parent

    def settings(self) -> ResponderSettings | None:
        """Return the settings, made of what could be read; None where the file is no mapping."""
        if not isinstance(self._walk.document.tree, dict):
            said = "is empty" if self._walk.document.tree is None else "is no mapping"
            self._walk.wrong((), f"{said}; a responder's file begins with `responder: 1`")
            return None
        top = self._walk.part((), RESPONDER)
        places = self._places()
        identity = Identity(
            top.get("region", ""), top.get("nva", ""), top.get("instance") or _host(), self._generation(top)
        )
        settings = ResponderSettings(
            source=self._path,
            identity=identity,
            services=frozenset(top.get("services", ())),
            udp=places.get("udp", ()),
            http=places.get("http", ()),
            echo=places.get("echo", ()),
            keys=tuple(self._keys()),
            allow=top.get("allow", ()),
            rate=Rate(**self._part(("rate",), RATE)),
            user=top.get("user"),
        )
        self._fits(settings)
        return settings

    def _part(self, path: KeyPath, table: Any) -> dict[str, Any]:
        return self._walk.part(path, table) if within(self._walk.document.tree, path) else {}

    def _generation(self, top: dict[str, Any]) -> str:
        """As written, or a hash of the files that make up the configuration, or of this file."""
        if "generation" in top and "generation_of" in top:
            self._walk.wrong(("generation_of",), "is there beside `generation`; keep one of them", on_key=True)
        if "generation" in top:
            return str(top["generation"])
        digest = sha256()
        for index, path in enumerate(top.get("generation_of", ())):
            try:
                with (self._folder / path).open("rb") as file:
                    digest.update(file.read(LARGEST_CONFIGURATION))
            except OSError as error:
                self._walk.wrong(("generation_of", index), f"cannot be read: {error.strerror}; name a file that can")
        if "generation_of" not in top:
            digest.update(self._raw)
        return digest.hexdigest()[:GENERATION]

    def _places(self) -> dict[str, tuple[Place, ...]]:
        found = self._part(("listen",), LISTEN)
        there = within(self._walk.document.tree, ("listen",))
        if there and LISTEN.keys().isdisjoint(self._walk.mapping(("listen",))):
            said = "names nowhere; write udp, http or echo with addresses and ports"
            self._walk.wrong(("listen",), said, on_key=True)
        streams: dict[Place, str] = {}
        for kind in ("http", "echo"):
            for index, place in enumerate(found.get(kind, ())):
                if streams.setdefault(place, kind) != kind:
                    said = f"{place} is that of {streams[place]} already; give another port"
                    self._walk.wrong(("listen", kind, index), said)
        return found

    def _keys(self) -> Iterator[KeyFile]:
        if not within(self._walk.document.tree, ("keys",)):
            return
        names = self._walk.mapping(("keys",))
        if not names or len(names) > MOST_KEYS:
            said = f"holds {len(names)} keys; 1 to {MOST_KEYS} are right"
            self._walk.wrong(("keys",), said, on_key=True)
        sites: dict[str, int] = {}
        for name in list(names)[:MOST_KEYS]:
            path: KeyPath = ("keys", name)
            number = int(name) if re.fullmatch("[1-9][0-9]{0,4}", str(name)) else 0
            if number not in KEY_IDS:
                said = f"{shown(name)} is no key id; a key id is a whole number from {KEY_IDS[0]} to {KEY_IDS[-1]}"
                self._walk.wrong(path, said, on_key=True)
                continue
            found = self._walk.part(path, KEY)
            if found.keys() != KEY.keys():
                continue
            sites[found["site"]] = sites.get(found["site"], 0) + 1
            if sites[found["site"]] > KEYS_PER_SITE:
                said = f"is the third key of {found['site']}; two are valid while keys rotate, so take the oldest out"
                self._walk.wrong(path, said, on_key=True)
            yield self._checked(path, KeyFile(number, found["site"], self._folder / found["file"]))

    def _checked(self, path: KeyPath, key: KeyFile) -> KeyFile:
        try:
            read_key(key.file)
        except KeyFileError as error:
            self._walk.wrong((*path, "file"), str(error))
        return key

    def _fits(self, settings: ResponderSettings) -> None:
        longest = max(settings.services, key=len, default="")
        size = reply_size(longest, settings.identity)
        if size > SIZE:
            said = f"an answer for {longest} takes {size} octets, and requests have {SIZE}; give shorter names"
            self._walk.wrong(("services",), said, on_key=True)
        if settings.rate.source > settings.rate.total:
            said = f"one source may ask {settings.rate.source:g} times a second, all together {settings.rate.total:g}"
            self._walk.wrong(("rate",), f"{said}; write a higher total", on_key=True)


def _host() -> str:
    name = socket.gethostname()
    return name if re.fullmatch(NAME, name) else ""
