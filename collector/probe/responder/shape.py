"""The keys of a responder's file and how their values are read."""

from ipaddress import ip_address, ip_network

from anycast.prefix import Address, Prefix
from collector.probe.config.shape import Key, Table
from collector.probe.config.words import number, read_name, read_path, some, whole
from collector.probe.responder.settings import Place
from collector.written.words import shown

MOST_SERVICES = 500
MOST_PLACES = 64
MOST_PREFIXES = 1000
MOST_FILES = 16
MOST_RATE = 32_000  # requests a second: nonces of two seconds fit their table


def read_place(value: object) -> Place:
    """Read `10.250.0.10:31122` or `[fd00::10]:31122`."""
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    try:
        if not port.isascii() or not port.isdigit() or not 0 < int(port[:6]) < 1 << 16:
            raise ValueError
        return Place(_host(host), int(port))
    except ValueError:
        said = "is no address and port such as 10.250.0.10:31122 or '[fd00::10]:31122'"
        raise ValueError(f"{shown(value)} {said}") from None


def _host(text: str) -> Address:
    bracketed = text.startswith("[") and text.endswith("]")
    address = ip_address(text[1:-1] if bracketed else text)
    if bracketed != (address.version == 6):
        raise ValueError
    return address


def read_prefix(value: object) -> Prefix:
    """Read `10.20.0.0/16`, or one address."""
    try:
        if not isinstance(value, str):
            raise ValueError
        return ip_network(value)
    except ValueError:
        raise ValueError(f"{shown(value)} is no prefix such as 10.20.0.0/16, or has host bits set") from None


_places = Key(some(read_place, MOST_PLACES, "['10.250.0.10:31122']"))

RESPONDER: Table = {
    "responder": Key(whole(1, 1), "write `responder: 1` first, the version of this format"),
    "region": Key(read_name, "write the region's name in the intent file, such as weu"),
    "nva": Key(read_name),
    "instance": Key(read_name),
    "generation": Key(read_name),
    "generation_of": Key(some(read_path, MOST_FILES, "[/etc/frr/frr.conf]")),
    "services": Key(some(read_name, MOST_SERVICES, "[dns, web]"), "write the services that it answers for, [dns, web]"),
    "listen": Key(None, "write where it listens, such as {udp: ['10.250.0.10:31122']}"),
    "keys": Key(None, "write each key with its file and site, such as {1: {file: ./ams.key, site: ams}}"),
    "allow": Key(
        some(read_prefix, MOST_PREFIXES, "[10.20.0.0/16]"), "write the prefixes that agents ask from, [10.20.0.0/16]"
    ),
    "rate": Key(),
    "user": Key(read_name),
}
LISTEN: Table = {"udp": _places, "http": _places, "echo": _places}
KEY: Table = {
    "file": Key(read_path, "write the file with the key; `catchment responder key` makes one"),
    "site": Key(read_name, "write the site whose agent has this key, too, such as ams"),
}
RATE: Table = {"source": Key(number(1, MOST_RATE)), "total": Key(number(1, MOST_RATE))}
