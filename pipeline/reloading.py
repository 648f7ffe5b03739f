"""What a reload of the intent file did: problems, what waits for a restart, and what is watched that was not."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from anycast.intent import Intent
from anycast.observation import Session
from anycast.prefix import Prefix
from pipeline.config import Config
from pipeline.config.settings import Archive, Influx


@dataclass(frozen=True, slots=True)
class Waiting:
    """A setting that the file gives otherwise than the daemon runs with; only a restart applies it."""

    key: str
    running: str
    file: str

    def __str__(self) -> str:
        return f"{self.key}: runs with {self.running}, the file says {self.file}; restart Catchment to apply it"

    def plain(self) -> dict[str, str]:
        """As JSON carries it."""
        return {"key": self.key, "running": self.running, "file": self.file}


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The outcome of a reload."""

    problems: tuple[str, ...] = ()
    """Why nothing of the file took effect; empty when it did."""
    waiting: tuple[Waiting, ...] = ()
    """What of it does not take effect before a restart."""


def _socket(config: Config) -> str:
    usual = config.listen.socket == config.data / "catchment.sock"
    return "catchment.sock in the data folder" if usual else str(config.listen.socket)


def _archive(kept: Archive | None) -> str:
    if kept is None:
        return "no archive"
    return f"files of {kept.every}, {kept.compression}, kept {kept.keep} and to {kept.quota / 1_000_000:g}MB"


def _influx(to: Influx | None) -> str:
    if to is None:
        return "no servers"
    return f"{'; '.join(map(str, to.servers))}; sampled every {to.every}, {to.series_cap} series"


# Sockets are opened and folders are locked once, at the start. All else is looked up anew.
RESTART: Mapping[str, Callable[[Config], str]] = {
    "listen.bmp": lambda config: str(config.listen.bmp),
    "listen.http": lambda config: str(config.listen.http),
    "listen.socket": _socket,
    "listen.agents": lambda config: str(config.listen.agents or "no agents"),
    "agent": lambda config: str(config.agent or "no agent"),
    "listen.names": lambda config: ", ".join(config.listen.names) or "no names",
    "influx": lambda config: _influx(config.influx),
    "data": lambda config: str(config.data),
    "storage.archive": lambda config: _archive(config.storage.archive),
    "storage.spool": lambda config: f"{config.storage.spool / 1_000_000:g}MB",
}


def waiting(running: Config, read: Config) -> tuple[Waiting, ...]:
    """Compare what the daemon was started with and what the file says now; what the command line gave stays."""
    pairs = ((key, show(running), show(read)) for key, show in RESTART.items() if key not in running.given)
    return tuple(Waiting(key, ours, theirs) for key, ours, theirs in pairs if ours != theirs)


@dataclass(frozen=True, slots=True)
class News:
    """What another intent watches that was not watched, or not as much of it."""

    prefixes: frozenset[Prefix] = frozenset()
    whole: frozenset[Session] = frozenset()
    """Sessions that are watched whole from now on."""
    named: frozenset[Session] = frozenset()
    """Sessions that meant nothing before."""

    def __bool__(self) -> bool:
        return bool(self.prefixes or self.whole or self.named)


def news_of(sessions: Iterable[Session], before: Intent, after: Intent) -> News:
    """Compare two intents, for the sessions that were heard of."""
    every = [(each, before.vantage_of(each), after.vantage_of(each)) for each in sessions]
    return News(
        frozenset(after.watched) - frozenset(before.watched),
        frozenset(each for each, old, new in every if new is not None and new.whole and not (old and old.whole)),
        frozenset(each for each, old, new in every if new is not None and old is None),
    )
