"""The shape of the agent's file, key by key, and the walk that compares a file with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collector.probe.config.words import (
    MOST_SIZES,
    MOST_STATUSES,
    Read,
    between,
    number,
    read_centre,
    read_expression,
    read_kind,
    read_name,
    read_path,
    read_text,
    read_true,
    read_url,
    some,
    whole,
)
from collector.written.document import UNREAD, Document, Tree, at
from collector.written.problem import KeyPath
from collector.written.words import nearest, read_address, read_size, shown

DAY = 86400.0
port = whole(1, 65535)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a mapping: how its value is read (None: a mapping with a table of its own), and whether it must be."""

    read: Read | None = None
    needs: str = ""
    """What to write, for a key that must be there; empty for one that may be left out."""


Table = Mapping[str, Key]

EVERY = Key(between(0.01, DAY))
PROBES: Mapping[str, Table] = {
    "udp": {
        "port": Key(port, "write the port of the responder, such as 31122"),
        "flows": Key(whole(1, 256)),
        "every": EVERY,
        "rotating": Key(number(0, 1000)),
        "source_port": Key(whole(1024, 65535)),
        "size": Key(whole(128, 1400)),
        "dscp": Key(whole(0, 63)),
    },
    "icmp": {"every": EVERY},
    "tcp": {"port": Key(port, "write the port of the service, such as 443"), "every": EVERY},
    "http": {
        "url": Key(read_url, "write what to ask for, such as http://10.250.0.10/"),
        "every": EVERY,
        "identity": Key(),
        "host": Key(read_text),
        "ca_file": Key(read_path),
        "statuses": Key(some(whole(100, 599), MOST_STATUSES, "[200, 401]")),
    },
    "dns": {"name": Key(read_text), "every": EVERY, "port": Key(port), "identity": Key()},
    "mtu": {"every": Key(between(1, DAY)), "sizes": Key(some(whole(576, 9216), MOST_SIZES, "[1400, 1500]"))},
    "trace": {"every": Key(between(1, DAY)), "flows": Key(whole(1, 256)), "hops": Key(whole(1, 32))},
    "canary": {
        "port": Key(port),
        "url": Key(read_url),
        "connections": Key(whole(1, 64)),
        "every": Key(between(0.1, DAY)),
    },
    "throughput": {
        "url": Key(read_url, "write what to download, such as http://10.250.0.10/large"),
        "every": Key(between(60, DAY)),
        "bytes": Key(read_size),
        "seconds": Key(number(0.1, 60)),
        "circuit": Key(read_name),
    },
}
IDENTITY: Table = {
    "header": Key(read_text),
    "json": Key(read_text),
    "body": Key(read_expression),
    "certificate": Key(read_true),
    "answer": Key(read_true),
    "known": Key(),
}
WHO: Table = {"region": Key(read_name), "nva": Key(read_name), "instance": Key(read_name)}
ASKED_BY: Table = {probe: Key() for probe in PROBES}
ADDRESS = Key(read_address)
SERVICE: Table = {"address": ADDRESS, **ASKED_BY}
CONTROL: Table = {
    "kind": Key(read_kind, "write nva, application or gateway"),
    "address": ADDRESS,
    "region": Key(read_name),
    "nva": Key(read_name),
    "service": Key(read_name),
    **ASKED_BY,
}
CENTRE: Table = {
    "url": Key(read_centre, "write where the centre takes batches, such as https://catchment.example.com:8471"),
    "token_file": Key(read_path, "write the file that `catchment agents enrol` made"),
    "ca_file": Key(read_path),
}
AGENT: Table = {
    "agent": Key(whole(1, 1), "write `agent: 1` first, the version of this format"),
    "site": Key(read_name, "write the site's name in the intent file, such as ams"),
    "centre": Key(None, "write {url: ..., token_file: ..., ca_file: ...}, as `catchment agents enrol` prints it"),
    "data": Key(read_path),
    "spool": Key(read_size),
    "user": Key(read_name),
    "rate_cap": Key(number(1, 20_000)),
    "timeout": Key(between(0.05, 10)),
    "late": Key(between(0.1, 60)),
    "taint_lag": Key(between(0.001, 1)),
    "source_ports": Key(whole(1024, 65535)),
    "keys": Key(),
    "services": Key(None, "write each service with its address and how it is asked"),
    "controls": Key(),
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong at a path; `on_key` when the key is at fault and not its value."""

    path: KeyPath
    message: str
    on_key: bool = False


class Walk:
    """Reads the mappings of one document, and gathers what is wrong with them."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.mistakes: list[Mistake] = []

    def wrong(self, path: KeyPath, message: str, on_key: bool = False) -> None:
        """Complain."""
        self.mistakes.append(Mistake(path, message, on_key))

    def mapping(self, path: KeyPath) -> dict[str, Tree]:
        """Return the mapping at a path; an empty one, with a complaint, where there is none."""
        value = at(self.document.tree, path)
        if isinstance(value, dict):
            return value
        if value is not UNREAD:
            said = "is empty" if value is None else f"{shown(value)} is not right here"
            self.wrong(path, f"{said}; write a mapping of keys and values")
        return {}

    def part(self, path: KeyPath, table: Table) -> dict[str, Any]:
        """Return the values of a mapping whose keys a table names; those of mappings with their own table left out."""
        there = self.mapping(path)
        for key in there.keys() - table.keys():
            known = nearest(key, table) or f"; known are {', '.join(table)}"
            self.wrong((*path, key), f"is no key that is known here{known}", on_key=True)
        self._needed(path, there, table)
        return dict(self._values(path, there, table))

    def _needed(self, path: KeyPath, there: Mapping[str, Tree], table: Table) -> None:
        close = {nearest(key, table) for key in there.keys() - table.keys()}
        for key, about in table.items():
            told = path in self.document.gaps or f"; did you mean {key}?" in close
            if about.needs and key not in there and not told and isinstance(at(self.document.tree, path), dict):
                self.wrong(path, f"needs `{key}`; {about.needs}", on_key=True)

    def _values(self, path: KeyPath, there: Mapping[str, Tree], table: Table) -> Iterator[tuple[str, Any]]:
        for key, about in table.items():
            if key not in there or there[key] is UNREAD or about.read is None:
                continue
            try:
                yield key, about.read(there[key])
            except ValueError as error:
                self.wrong((*path, key), str(error))
