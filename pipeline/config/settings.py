"""A configuration as the rest of the pipeline takes it: the intent, and what the process itself needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from anycast.intent import Intent
from anycast.prefix import Address
from anycast.route import Asn
from collector.archive.compression import Compression
from collector.written.problem import Problem
from store.influx.where import Where


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and a port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the daemon listens."""

    bmp: Endpoint
    http: Endpoint
    socket: Path
    """The API's Unix socket."""
    agents: Endpoint | None = None
    """Where agents report; None where none may."""
    names: tuple[str, ...] = ()
    """Names by which people reach the page through a proxy."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What is kept of what routers send, as MRT files."""

    every: timedelta
    """What one file covers."""
    keep: timedelta
    """Age at which a file goes."""
    quota: int
    """Bytes of all files; the oldest go first. As much again may wait to be converted."""
    compression: Compression


@dataclass(frozen=True, slots=True)
class Points:
    """How long points of time series are kept in the journal."""

    keep: timedelta = timedelta(days=7)
    """Age at which a day of them goes."""
    quota: int = 2_000_000_000
    """Bytes of all of them; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Storage:
    """How long and how much is remembered."""

    routes: timedelta
    """Age at which a day of route rows goes."""
    changes: timedelta
    """Age at which a day of changes and session events goes."""
    quota: int
    """Bytes of the whole journal; the oldest days go first."""
    spool: int
    """Bytes of raw input kept while decoding is behind."""
    malformed: int
    """Bytes kept of what could not be decoded."""
    archive: Archive | None = None
    """None where no archive is kept."""
    probes: timedelta = timedelta(days=7)
    """Age at which a day of probes' results goes."""
    points: Points = Points()


@dataclass(frozen=True, slots=True)
class Influx:
    """Where time series go, and how many there are."""

    servers: tuple[Where, ...]
    """One at least."""
    every: timedelta = timedelta(seconds=10)
    """How often the state is sampled: whole seconds."""
    series_cap: int = 20_000
    """Most series of one measurement."""


@dataclass(frozen=True, slots=True)
class Agents:
    """How agents are let in."""

    certificate: Path
    """PEM, with what it takes for agents to believe it."""
    key: Path
    """PEM, of the certificate."""
    tokens: Mapping[str, Path]
    """Site to the file with the fingerprint of its agent's token."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """What a collector's GoBGP must be told beside the intent."""

    exporter: str
    asn: Asn | None
    """None when the file does not say."""
    router_id: Address
    site_asns: tuple[tuple[str, Asn], ...] = ()
    """The AS of each site for which the file says it."""


@dataclass(frozen=True)
class Config:
    """One intent file, read and checked."""

    source: Path
    intent: Intent
    listen: Listen
    data: Path
    """The data folder, absolute."""
    storage: Storage
    speakers: tuple[Speaker, ...] = ()
    """One for each collector."""
    agents: Agents | None = None
    """None where no agent may report."""
    influx: Influx | None = None
    """None where no time series are written."""
    agent: Path | None = None
    """The file of an agent that runs beside us, as a process of its own."""
    lints: tuple[Problem, ...] = ()
    given: frozenset[str] = frozenset()
    """Keys that the command line gave: what the file says of them does not count."""
