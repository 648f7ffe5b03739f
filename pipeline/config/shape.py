"""Plain values against the models: every mistake of shape at once, and a model of what can be read beside them.

The remainder matters because "every mistake at once" includes those of meaning (`crosscheck.py`), and neither a
misspelt key nor a bad address may hide an unknown region, be it three lines further down or in the very same part.
So where a part is nothing without a key, a stand-in takes the place of a bad value; of a stand-in nothing is said.
"""

import copy
import difflib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from collector.written.document import UNREAD, Tree, at, within
from collector.written.problem import KeyPath
from collector.written.words import nearest, shown
from pipeline.config import models
from pipeline.config.fields import ANY_NAME

MOST_ROUNDS = 20  # each round takes away at least one part; parts are 7 levels deep

UNKNOWN = "is no key that is known here"

# Which model holds the keys at a path; `*` stands for any name or index.
PARTS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): models.IntentFile,
    ("listen",): models.ListenPart,
    ("storage",): models.StoragePart,
    ("storage", "archive"): models.ArchivePart,
    ("storage", "points"): models.PointsPart,
    ("services", "*"): models.ServicePart,
    ("services", "*", "regions", "*"): models.PlacementPart,
    ("regions", "*"): models.RegionPart,
    ("regions", "*", "route_server"): models.RouteServerPart,
    ("regions", "*", "nvas", "*"): models.NvaPart,
    ("regions", "*", "nvas", "*", "agent"): models.SiteAgentPart,
    ("regions", "*", "recognise"): models.RecognisePart,
    ("sites", "*"): models.SitePart,
    ("sites", "*", "agent"): models.SiteAgentPart,
    ("exporters", "*"): models.ExporterPart,
    ("vantages", "*"): models.VantagePart,
    ("address_plan",): models.PlanPart,
    ("hold_downs", "*"): models.HoldDownPart,
    ("limits",): models.LimitsPart,
    ("timers",): models.TimersPart,
    ("thresholds",): models.ThresholdsPart,
    ("agents",): models.AgentsPart,
    ("influx",): models.InfluxPart,  # one alone
    ("influx", "*"): models.InfluxPart,
    ("receivers", "*"): models.ReceiverPart,
    ("maintenance", "*"): models.WindowPart,
}

# Every path on the way to a part.
HOLDERS = frozenset(pattern[:end] for pattern in PARTS for end in range(len(pattern) + 1))


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something wrong at a path; `on_key` when the key is at fault and not its value."""

    path: KeyPath
    message: str
    on_key: bool = False
    moot: tuple[KeyPath, ...] = ()
    """It may only follow from a mistake at, or right under, one of these paths: then it is not told."""
    rests_on: tuple[KeyPath, ...] = ()
    """It may only follow from a mistake anywhere under one of these paths: then it is not told."""


@dataclass(frozen=True)
class Spoilt:
    """Where mistakes are, and so what may only follow from them."""

    near: frozenset[KeyPath]
    """Paths with a mistake, and what they are right under."""
    over: frozenset[KeyPath]
    """Paths with a mistake, and everything that they are under."""

    @classmethod
    def by(cls, mistakes: Iterable[KeyPath]) -> "Spoilt":
        """Work it out of the paths of mistakes."""
        every = tuple(mistakes)
        return cls(
            frozenset(path[:size] for path in every for size in (len(path), max(0, len(path) - 1))),
            frozenset(path[:size] for path in every for size in range(len(path) + 1)),
        )

    def explains(self, complaint: Complaint) -> bool:
        """Whether a complaint may only follow from another mistake."""
        return not self.near.isdisjoint(complaint.moot) or not self.over.isdisjoint(complaint.rests_on)


@dataclass
class Shaped:
    """What became of a tree."""

    complaints: list[Complaint] = field(default_factory=list)
    model: models.IntentFile | None = None
    """What can be read, with stand-ins where a part is nothing without a value that cannot; None when nothing can."""
    stand_ins: set[KeyPath] = field(default_factory=set)
    """Paths (of the file) that are stand-ins in the model."""
    gaps: set[KeyPath] = field(default_factory=set)
    """Mappings (paths of the file) that may mean more than could be read: what they lack may be there."""
    removed: dict[KeyPath, list[int]] = field(default_factory=dict)
    """Of lists that lost entries: the original indices of those that are left."""
    misspelt: dict[KeyPath, str] = field(default_factory=dict)
    """Of keys that were put right: how the file spells them."""
    spelt: Tree = None
    """The tree with its keys put right, nothing left out yet."""

    def original(self, path: KeyPath) -> KeyPath:
        """Return a path of the model as a path of the file: all entries of lists, and keys as they are spelt there."""
        found: KeyPath = ()
        for part in path:
            left = self.removed.get(found)
            here = left[part] if left is not None and isinstance(part, int) else part
            found = (*found, self.misspelt.get((*found, here), here))
        return found

    def invented(self, path: KeyPath) -> bool:
        """Whether a path (of the file) is a stand-in, or part of one."""
        return any(path[:size] in self.stand_ins for size in range(1, len(path) + 1))


def shaped(tree: Tree, gaps: Collection[KeyPath] = ()) -> Shaped:
    """Compare a tree with the models; in the mappings at `gaps` something was left out already. Never raises."""
    result = Shaped(gaps=set(gaps))
    if not isinstance(tree, dict):
        said = "is empty" if tree is None else "is no mapping"
        result.complaints.append(Complaint((), f"{said}; an intent file begins with `catchment: 1`"))
        return result
    rest = copy.deepcopy(tree)
    _put_right(rest, (), (), result)
    result.spelt = copy.deepcopy(rest)
    for number in range(MOST_ROUNDS):
        try:
            # Only what is told knows names that are none: what stands under them is to be looked at, too.
            result.model = models.IntentFile.model_validate(rest, context=None if number == 0 else ANY_NAME)
            return result
        except ValidationError as error:
            errors = error.errors(include_url=False)
        if number == 0:
            _complain(rest, errors, result)
        _prune(rest, errors, result)
    return result


def _complain(tree: Tree, errors: Iterable[Any], result: Shaped) -> None:
    found: dict[Complaint, None] = {}
    for error in errors:
        complaint = _complaint(tree, error)
        complaint = replace(complaint, path=result.original(complaint.path))
        if error["type"] == "extra_forbidden":
            result.gaps.add(complaint.path[:-1])
        if _unread(tree, error):
            result.gaps.add(complaint.path)
        elif not (error["type"] == "missing" and complaint.path in result.gaps):
            found[complaint] = None
    result.complaints.extend(found)


def _unread(tree: Tree, error: Any) -> bool:
    """Whether what is complained of could not be read, and that was said already."""
    value = at(tree, _in_file(tree, error["loc"]))
    holds = error["type"] == "value_error" and isinstance(value, list | dict)
    return value is UNREAD or (holds and UNREAD in (value.values() if isinstance(value, dict) else value))


def _put_right(tree: Tree, pattern: tuple[str, ...], path: KeyPath, result: Shaped) -> None:
    """Complain of misspelt keys and spell them right in the tree, so that what they hold is looked at, too."""
    part = PARTS.get(pattern)
    if isinstance(tree, dict) and part is not None:
        known = key_names(part)
        for wrong in [key for key in tree if key not in known]:
            close = difflib.get_close_matches(wrong[:100], known, n=1, cutoff=0.6)
            if close and close[0] not in tree:
                result.complaints.append(Complaint((*path, wrong), UNKNOWN + nearest(wrong, known), on_key=True))
                result.misspelt[(*path, close[0])] = wrong
                tree[close[0]] = tree.pop(wrong)
    for key, value in _children(tree):
        deeper = next((p for p in ((*pattern, str(key)), (*pattern, "*")) if p in HOLDERS), None)
        if deeper is not None:
            _put_right(value, deeper, (*path, result.misspelt.get((*path, key), key)), result)


def _children(tree: Tree) -> list[tuple[str | int, Tree]]:
    if isinstance(tree, dict):
        return list(tree.items())
    return list(enumerate(tree)) if isinstance(tree, list) else []


def _complaint(tree: Tree, error: Any) -> Complaint:
    path = _in_file(tree, error["loc"])
    if error["type"] == "missing":
        return Complaint(path, f"needs `{error['loc'][-1]}`; {EXAMPLES[str(error['loc'][-1])]}", on_key=True)
    if error["type"] == "extra_forbidden":
        return Complaint(path, _unknown_key(path), on_key=True)
    on_key = error["loc"][-1] == "[key]"
    say = SENTENCES.get(error["type"], _as_said)
    return Complaint(path, say(at(tree, path), error.get("ctx", {}), str(error["msg"])), on_key)


def _in_file(tree: Tree, location: tuple[Any, ...]) -> KeyPath:
    """Return the part of pydantic's location that the file has: shorthands and missing keys are left out of it."""
    path: KeyPath = ()
    for part in location:
        if within(tree, (*path, part)):
            path = (*path, part)
    return path


def _part(path: KeyPath) -> type[BaseModel] | None:
    for pattern, part in PARTS.items():
        if len(pattern) == len(path) and all(want in ("*", have) for want, have in zip(pattern, path, strict=True)):
            return part
    return None


def key_names(part: type[BaseModel]) -> tuple[str, ...]:
    """Return the keys that a part of the file may have."""
    return tuple(each.alias or name for name, each in part.model_fields.items())


def _unknown_key(path: KeyPath) -> str:
    part = _part(path[:-1])
    known = key_names(part) if part else ()
    return UNKNOWN + (nearest(str(path[-1]), known) or f"; known are {', '.join(known)}")


# What a key that must be there looks like.
EXAMPLES: Mapping[str, str] = {
    "catchment": "write `catchment: 1` first, the version of this format",
    "services": "write each service with its prefix and the regions meant to advertise it",
    "regions": "write the regions that may advertise, each with its Route Server and NVAs",
    "exporters": "write each router that may connect, such as `gobgp: {addresses: [127.0.0.1], collector: true}`",
    "instances": "write both, such as {weu-rs0: 10.10.255.4, weu-rs1: 10.10.255.5}",
    "address": "write the address it peers from, such as 10.10.1.4",
    "asn": "write its AS number, such as 65010",
    "routers": "write each edge router with its address, such as {ams-ce1: 10.90.0.1}",
    "addresses": "write what its connection comes from, such as [10.90.0.1]",
    "exporter": "write the name of one under `exporters`",
    "token_file": "write the file that `catchment agents enrol` makes for the site, such as ./agents/ams.token",
    "certificate": "write the file with our certificate, such as ./agents/centre.pem",
    "key": "write the file with the certificate's key, such as ./agents/centre.key",
    "url": "write where the server listens, such as https://influx.example.com:8086",
    "webhook": "write the URL to post to, such as https://alerts.example.com/hook",
    "name": "write what the window is called",
    "from": "write when it begins, such as 2026-12-01T22:00:00Z",
    "to": "write when it ends, such as 2026-12-02T02:00:00Z",
}


def _as_said(value: Tree, context: Mapping[str, Any], said: str) -> str:
    return said.removeprefix("Value error, ")


def _must_be(what: str) -> Callable[[Tree, Mapping[str, Any], str], str]:
    return lambda value, context, said: f"{_kind(value)}; write {what}"


def _kind(value: Tree) -> str:
    if value is None:
        return "is empty"
    return (
        f"{shown(value)} is not right here"
        if not isinstance(value, dict | list)
        else ("is a mapping" if isinstance(value, dict) else "is a list")
    )


# pydantic's error types, in sentences that say what would be right.
SENTENCES: Mapping[str, Callable[[Tree, Mapping[str, Any], str], str]] = {
    "model_type": _must_be("a mapping of keys and values"),
    "dict_type": _must_be("a mapping of names and what they stand for"),
    "list_type": _must_be("a list in brackets, such as [a, b]"),
    "string_type": _must_be("text, in quotes where it looks like a number"),
    "int_type": _must_be("a whole number"),
    "int_from_float": _must_be("a whole number"),
    "float_type": _must_be("a number"),
    "bool_type": _must_be("true or false"),
    "literal_error": lambda value, context, said: f"{shown(value)} is a version that is not known; write 1",
    "greater_than_equal": lambda value, context, said: f"{shown(value)} is too small; write {context['ge']} or more",
    "greater_than": lambda value, context, said: f"{shown(value)} is too small; write more than {context['gt']:g}",
    "less_than_equal": lambda value, context, said: f"{shown(value)} is too large; write {context['le']:g} at most",
    "too_short": lambda value, context, said: f"is empty; write {context['min_length']} at least",
    "string_too_short": lambda value, context, said: "is empty; write something, or leave the key out",
    "string_too_long": lambda value, context, said: f"is too long; write {context['max_length']} characters at most",
    "finite_number": _must_be("a number"),
}


def _prune(tree: Tree, errors: Iterable[Any], result: Shaped) -> None:
    """Take what is wrong out of the tree, in place; what needs it gets a stand-in, or goes in the next round."""
    paths = set()
    for error in errors:
        path = _in_file(tree, error["loc"])
        if error["type"] == "missing":
            _stand_in(tree, (*path, error["loc"][-1]), result)
        elif error["loc"][-1] != "[key]" or error["loc"][0] == "hold_downs":
            paths.add(path)  # a name that is none may stay: it is told, and names its part
    # Later entries of a list first, so that the indices of the earlier ones still hold.
    for path in sorted(paths - {()}, key=lambda path: tuple(map(_order, path)), reverse=True):
        *before, last = path
        holder = at(tree, tuple(before))
        if isinstance(holder, dict):
            holder.pop(last, None)
            if _needed(path):
                _stand_in(tree, path, result)
        elif isinstance(holder, list) and isinstance(last, int) and last < len(holder):
            kept = result.removed.setdefault(tuple(before), list(range(len(holder))))
            del holder[last], kept[last]


def _stand_in(tree: Tree, path: KeyPath, result: Shaped) -> None:
    *before, last = path
    holder = at(tree, tuple(before))
    if isinstance(holder, dict):
        holder[last] = {} if path in EMPTY else copy.deepcopy(STAND_INS[str(last)])
        result.stand_ins.add(result.original(path))


def _needed(path: KeyPath) -> bool:
    """Whether the part that holds a key is nothing without it."""
    part = _part(path[:-1])
    return part is not None and any(
        each.is_required() and path[-1] in (name, each.alias) for name, each in part.model_fields.items()
    )


EMPTY: Collection[KeyPath] = (("services",), ("regions",), ("exporters",))

# What stands for a value that a part is nothing without. Nothing wrong can be found in any of them.
STAND_INS: Mapping[str, Tree] = {
    "catchment": 1,
    "regions": {"unread": "active"},
    "instances": {"unread": "100::"},
    "address": "100::",
    "asn": 65010,
    "routers": {"unread": "100::"},
    "addresses": ["100::"],
    "exporter": "unread",
    "token_file": "unread",
    "certificate": "unread",
    "key": "unread",
    "url": "https://unread.invalid",
    "webhook": "https://unread.invalid/",
    "name": "unread",
    "from": "0001-02-01T00:00:00Z",
    "to": "9999-12-01T00:00:00Z",
}


def _order(part: str | int) -> tuple[int, int, str]:
    return (0, part, "") if isinstance(part, int) else (1, 0, part)
