"""Which sessions mean what: derived from addresses, and as the file's `vantages` say where they say anything.

A collector's peer with the address of an NVA is V1, of a Route Server instance V2, of an edge router V6; every other
peer of an edge router's own feed is V5. A written vantage takes the place of the derived one with its name or with its
exporter, peer and RIB view, keeps what it does not say, and so only has to name what differs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from anycast.intent import Rung, Vantage
from anycast.observation import Rib
from anycast.prefix import Address
from collector.written.problem import KeyPath
from pipeline.config.models import ExporterPart, IntentFile, RegionPart, VantagePart
from pipeline.config.shape import Complaint

Seat = tuple[str, Address | None, Rib]
"""What no two vantages may share: exporter, peer, RIB view."""

PLACES: tuple[KeyPath, ...] = (("regions",), ("sites",), ("exporters",))
"""Where the addresses and names stand that vantages are derived from."""

WHOLE = frozenset((Rung.V1, Rung.V2))  # tables of at most a few thousand routes, judged in full


@dataclass(frozen=True, slots=True)
class Settled:
    """The vantages of a file, the more particular first, and what is wrong with those that were written."""

    vantages: tuple[Vantage, ...]
    complaints: tuple[Complaint, ...]


def settled(file: IntentFile) -> Settled:
    """Derive vantages and merge the written ones in."""
    ground = _Ground(file)
    written: dict[Seat, Vantage] = {}
    complaints: list[Complaint] = []
    for name, part in file.vantages.items():
        found = _written(ground, name, part)
        if isinstance(found, Complaint):
            complaints.append(found)
            continue
        if found is None:
            continue  # its exporter is not known, and that is said where names are looked up
        clash = written.setdefault(seat(found), found)
        if clash is not found:
            said = f"is the same session as {clash.name} ({_session(found)}); keep one, or give another peer or rib"
            both: tuple[KeyPath, ...] = tuple(("vantages", each) for each in (name, clash.name))
            complaints.append(Complaint(("vantages", name), said, on_key=True, rests_on=both))
    replaced = file.vantages.keys()
    kept = [each for each in ground.derived if seat(each) not in written and each.name not in replaced]
    ordered = sorted([*written.values(), *kept], key=lambda vantage: vantage.peer is None)
    return Settled(tuple(ordered), tuple(complaints))


class _Ground:
    """What a file says about places, ready to be asked."""

    def __init__(self, file: IntentFile) -> None:
        self.file = file
        self.sites = routers(file)
        self.region_of = {name: region for region, part in file.regions.items() for name in _names_in(part)}
        self.derived = tuple(_derived(file))
        self.by_name = {vantage.name: vantage for vantage in self.derived}
        self.by_seat = {seat(vantage): vantage for vantage in reversed(self.derived)}


def _names_in(region: RegionPart) -> tuple[str, ...]:
    return (*region.nvas, *(region.route_server.instances if region.route_server else ()))


def seat(vantage: Vantage) -> Seat:
    """Return what the vantage is found by."""
    return vantage.exporter, vantage.peer, vantage.rib


def routers(file: IntentFile) -> dict[str, str]:
    """Return the site of every edge router, by the router's name."""
    return {name: site for site, part in file.sites.items() for name in part.routers}


def _derived(file: IntentFile) -> Iterator[Vantage]:
    sites = routers(file)
    for name, exporter in file.exporters.items():
        if exporter.collector:
            yield from _collector(file, name, exporter)
        elif name in sites:
            yield Vantage(f"{name}/*", name, None, Rung.V5, site=sites[name], hold_time=file.timers.of(Rung.V5))


def _collector(file: IntentFile, name: str, exporter: ExporterPart) -> Iterator[Vantage]:
    hold = file.timers.of
    for region, part in file.regions.items():
        if exporter.regions is not None and region not in exporter.regions:
            continue
        for nva, about in part.nvas.items():
            yield Vantage(
                f"{name}/{nva}", name, about.address, Rung.V1, whole=True, region=region, nva=nva,
                hold_time=hold(Rung.V1), prefix_limit=file.limits.nva,
            )  # fmt: skip
        for instance, address in part.route_server.instances.items() if part.route_server else ():
            yield Vantage(
                f"{name}/{instance}", name, address, Rung.V2, whole=True, region=region, instance=instance,
                hold_time=hold(Rung.V2),
            )  # fmt: skip
    for site, place in file.sites.items():
        if exporter.sites is not None and site not in exporter.sites:
            continue
        for router, address in place.routers.items():
            yield Vantage(f"{name}/{router}", name, address, Rung.V6, site=site, hold_time=hold(Rung.V6))


def _written(ground: _Ground, name: str, part: VantagePart) -> Vantage | Complaint | None:
    path = ("vantages", name)
    if part.exporter not in ground.file.exporters:
        return None
    named = ground.by_name.get(name)
    if named is not None and (named.exporter != part.exporter or part.peer not in (None, named.peer)):
        said = f"is the name of another session already ({_session(named)}); choose another name"
        return Complaint(path, said, on_key=True, rests_on=(path, *PLACES))
    base = named or ground.by_seat.get((part.exporter, part.peer, part.rib or Rib.ADJ_IN_PRE))
    if base is None and part.rung is None:
        return Complaint(path, "needs `rung`; no address of this file says what the peer is", True, (path,), PLACES)
    return _placed(ground, path, _merged(ground, name, part, base))


def _merged(ground: _Ground, name: str, part: VantagePart, base: Vantage | None) -> Vantage:
    given = {key: getattr(part, key) for key in part.model_fields_set if getattr(part, key) is not None}
    if "expects" in given:
        given["expects"] = tuple(given["expects"])
    if base is None or part.rung not in (None, base.rung):
        timers, limits = ground.file.timers, ground.file.limits
        base = Vantage(
            name, part.exporter, part.peer, given["rung"], whole=given["rung"] in WHOLE,
            site=ground.sites.get(part.exporter), hold_time=timers.of(given["rung"]),
            prefix_limit=limits.nva if given["rung"] is Rung.V1 else None,
        )  # fmt: skip
    return replace(base, name=name, **given)


def _placed(ground: _Ground, path: tuple[str, str], vantage: Vantage) -> Vantage | Complaint:
    """Fill in the region of an NVA or an instance, and insist on what the rung is nothing without."""
    region = vantage.region or ground.region_of.get(vantage.nva or vantage.instance or "")
    needs = {Rung.V1: "nva", Rung.V2: "instance", Rung.V5: "site", Rung.V6: "site"}.get(vantage.rung)
    if needs and getattr(vantage, needs) is None:
        return Complaint(
            path, f"needs `{needs}`; that is what a {vantage.rung} vantage is about", True, (path,), PLACES
        )
    return replace(vantage, region=region)


def _session(vantage: Vantage) -> str:
    return f"{vantage.exporter}, {vantage.peer or 'any peer'}, {vantage.rib}"
