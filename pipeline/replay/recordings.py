"""Which files are replayed, who recorded them, and their moments in one order of time."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from anycast.intent import Intent
from anycast.prefix import Address, Prefix
from collector.recorded.bmp import bmp_moments
from collector.recorded.moment import Moment
from collector.recorded.mrt import Passed, mrt_moments
from collector.recorded.pcap import bmp_speakers, pcap_moments
from collector.wire.bmp.decode import decode
from collector.wire.bmp.frames import Framer
from collector.wire.bmp.values import Initiation, MessageType
from collector.wire.errors import Malformed
from collector.wire.mrt.records import Readable
from collector.wire.source import Kind, chunks, open_source
from pipeline.replay.tapes import Unplayable, is_tape, tape_exporters, tape_moments

_SYS_NAME: Final = 2
"""TLV of Initiation (RFC 7854, 4.4)."""
_LOOKED: Final = 1 << 20
"""Octets of a stream in which an Initiation is looked for: it is the first message, but where a stream was cut."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One file, and the exporter of the intent that it is taken for (a lab's recording names its own)."""

    path: Path
    kind: Kind | None
    """None for a recording of the lab."""
    exporter: str = ""
    """Empty for a recording of the lab, and for a packet capture of several."""
    speakers: tuple[tuple[Address, str], ...] = ()
    """Of a packet capture: who sent BMP from where; the exporter is empty for an address that the intent has not."""


@dataclass
class Recordings:
    """Everything that is replayed in one run."""

    files: tuple[Recording, ...]
    passed: Passed = field(default_factory=Passed)

    @property
    def exporters(self) -> tuple[str, ...]:
        """Names of the exporters that were recorded."""
        names: dict[str, None] = {}
        for file in self.files:
            names |= dict.fromkeys(_exporters(file))
        return tuple(names)

    @property
    def strangers(self) -> tuple[Address, ...]:
        """Addresses that sent BMP in packet captures, and are no exporter's of the intent."""
        unnamed = (address for file in self.files for address, name in file.speakers if not name)
        return tuple(dict.fromkeys(unnamed))

    def moments(self) -> Iterator[Moment]:
        """Yield every moment in order of time; what is simultaneous comes in the order of the files.

        Raises Unplayable for a file that cannot be read, OSError for one that the system does not give.
        """
        with ExitStack() as opened:
            yield from heapq.merge(*self._streams(opened), key=lambda moment: moment.at)

    def _streams(self, opened: ExitStack) -> Iterator[Iterable[Moment]]:
        for file in self.files:
            if file.kind is None:
                yield tape_moments(file.path)
        captures = [file for file in self.files if file.kind is Kind.PCAP]
        if captures:
            yield self._captured(captures, opened)
        for exporter in dict.fromkeys(file.exporter for file in self.files if file.kind is not None):
            ours = [file for file in self.files if file.exporter == exporter]
            if any(file.kind is Kind.MRT for file in ours):
                sources = (_open(file.path, opened)[1] for file in ours if file.kind is Kind.MRT)
                yield mrt_moments(sources, exporter, 0, self.passed)
            streams = [file for file in ours if file.kind is Kind.BMP]
            if streams:
                yield self._connections(streams, exporter, opened)

    def _captured(self, files: Sequence[Recording], opened: ExitStack) -> Iterator[Moment]:
        """Packet captures, each going on where the one before it ended."""
        names = {address: name for file in files for address, name in file.speakers if name}
        sources = (_open(file.path, opened)[1] for file in files)
        return pcap_moments(sources, names.get, self.passed)

    def _connections(self, files: Sequence[Recording], exporter: str, opened: ExitStack) -> Iterator[Moment]:
        """BMP streams of one exporter, one connection after the other."""
        latest = 0
        for file in files:
            for moment in bmp_moments(_open(file.path, opened)[1], exporter, latest):
                latest = moment.at
                yield moment


def recordings(files: Sequence[str], intent: Intent) -> Recordings:
    """Look at the files named on a command line, each as FILE or NAME=FILE, NAME being an exporter of the intent.

    Without a name, a file is the one's whom its own name or the sysName in it says, or the only exporter's there is;
    in a packet capture, each exporter is known by its address.
    Raises Unplayable where a file is of no kind that can be replayed, or nobody's; OSError where it cannot be read.
    """
    return Recordings(tuple(_recording(file, intent) for file in files))


def only(intent: Intent, exporters: Sequence[str]) -> Intent:
    """The intent without exporters and agents, as far as they were not recorded (agents never are).

    What only they would see is unknown, and no complaint.
    """
    recorded = tuple(each for each in intent.exporters if each.name in exporters)
    return replace(intent, exporters=recorded, sites=tuple(replace(site, agent=False) for site in intent.sites))


def _recording(given: str, intent: Intent) -> Recording:
    name, path = "", Path(given)
    if not path.exists() and "=" in given:
        name, _, rest = given.partition("=")
        path = Path(rest)
    kind = _kind(path)
    if kind is None:
        return Recording(path, None)
    known = tuple(exporter.name for exporter in intent.exporters)
    if kind is Kind.PCAP:
        return _capture(path, name, intent)
    name = name or _named_in(path, kind, known) or (known[0] if len(known) == 1 else "")
    if name not in known:
        stranger = f"is of exporter {name!r}, whom the intent does not name"
        whose = stranger if name else "does not say which exporter's it is"
        raise Unplayable(f"{path} {whose}; write NAME={path} with one of: {', '.join(known) or 'no exporter'}")
    return Recording(path, kind, name)


def _capture(path: Path, name: str, intent: Intent) -> Recording:
    """A packet capture: whose connections it has, by their addresses or as the command line says."""
    known = {exporter.name: exporter.addresses for exporter in intent.exporters}
    if name and name not in known:
        raise Unplayable(
            f"{path} is of exporter {name!r}, whom the intent does not name; there are {', '.join(known) or 'none'}"
        )
    with ExitStack() as opened:
        found = bmp_speakers(_open(path, opened)[1])
    if not found:
        raise Unplayable(f"{path} is a packet capture without BMP of version 3; `catchment decode` shows what there is")
    speakers = tuple((address, name or _at(address, known)) for address in found)
    if not any(of for _, of in speakers):
        where = ", ".join(map(str, found))
        whom = ", ".join(known) or "no exporter"
        why = f"{path} has BMP from {where}, which is no exporter's address in the intent"
        raise Unplayable(f"{why}; write NAME={path} with one of: {whom}")
    return Recording(path, Kind.PCAP, "", speakers)


def _at(address: Address, known: Mapping[str, Sequence[Prefix]]) -> str:
    """The exporter that sends from an address; empty where the intent has none."""
    ours = (
        name for name, nets in known.items() if any(net.version == address.version and address in net for net in nets)
    )
    return next(ours, "")


def _exporters(file: Recording) -> tuple[str, ...]:
    if file.kind is None:
        return tape_exporters(file.path)
    if file.kind is Kind.PCAP:
        return tuple(name for _, name in file.speakers if name)
    return (file.exporter,)


def _kind(path: Path) -> Kind | None:
    with ExitStack() as opened:
        if is_tape(path):
            return None
        kind, _ = _open(path, opened)
    if kind not in (Kind.BMP, Kind.MRT, Kind.PCAP):
        can = "BMP, MRT, packet captures and recordings of the lab can"
        raise Unplayable(f"{path} is {kind} and cannot be replayed; {can}")
    return kind


def _open(path: Path, opened: ExitStack) -> tuple[Kind, Readable]:
    try:
        return open_source(opened.enter_context(path.open("rb")))
    except Malformed as error:
        raise Unplayable(f"{path} cannot be replayed: {error.reason}") from error


def _named_in(path: Path, kind: Kind, known: Sequence[str]) -> str:
    """Whose a file is by its name, else by the sysName in it."""
    beginning = path.name.partition(".")[0]
    if beginning in known:
        return beginning
    if kind is not Kind.BMP:
        return ""
    framer = Framer()
    with ExitStack() as opened:
        for chunk in chunks(_open(path, opened)[1]):
            for message in framer.feed(chunk):
                said = decode(message) if message[5] == MessageType.INITIATION else None
                if isinstance(said, Initiation):
                    names = [tlv.text for tlv in said.tlvs if tlv.code == _SYS_NAME and tlv.text in known]
                    return names[0] if names else ""
            if framer.offset > _LOOKED:
                break
    return ""
