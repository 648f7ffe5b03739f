"""Plain values against the models: every mistake of shape at once, and a model of what is left without them.

The remainder matters because "every mistake at once" includes those of meaning (`crosscheck.py`), and one misspelt key
must not hide an unknown region three lines further down.
"""

import copy
import difflib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline.config import models
from pipeline.config.document import Tree, at, within
from pipeline.config.fields import nearest, shown
from pipeline.config.problem import KeyPath

MOST_ROUNDS = 20  # each round takes away at least one part; parts are 7 levels deep

UNKNOWN = "is no key that is known here"

# Which model holds the keys at a path; `*` stands for any name or index.
PARTS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): models.IntentFile,
    ("listen",): models.ListenPart,
    ("storage",): models.StoragePart,
    ("services", "*"): models.ServicePart,
    ("services", "*", "regions", "*"): models.PlacementPart,
    ("regions", "*"): models.RegionPart,
    ("regions", "*", "route_server"): models.RouteServerPart,
    ("regions", "*", "nvas", "*"): models.NvaPart,
    ("regions", "*", "recognise"): models.RecognisePart,
    ("sites", "*"): models.SitePart,
    ("exporters", "*"): models.ExporterPart,
    ("vantages", "*"): models.VantagePart,
    ("address_plan",): models.PlanPart,
    ("hold_downs", "*"): models.HoldDownPart,
    ("limits",): models.LimitsPart,
    ("timers",): models.TimersPart,
    ("thresholds",): models.ThresholdsPart,
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
    """It may only follow from a mistake of shape at, or right under, one of these paths: then it is not told."""

    def follows(self, spoilt: Collection[KeyPath]) -> bool:
        """Whether mistakes at `spoilt` (paths, and the paths they are right under) make it moot."""
        return any(path in spoilt for path in self.moot)


@dataclass
class Shaped:
    """What became of a tree."""

    complaints: list[Complaint] = field(default_factory=list)
    model: models.IntentFile | None = None
    """What is left without the mistakes; None when nothing is."""
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


def shaped(tree: Tree) -> Shaped:
    """Compare a tree with the models. Never raises."""
    result = Shaped()
    if not isinstance(tree, dict):
        said = "is empty" if tree is None else "is no mapping"
        result.complaints.append(Complaint((), f"{said}; an intent file begins with `catchment: 1`"))
        return result
    rest = copy.deepcopy(tree)
    _put_right(rest, (), (), result)
    result.spelt = copy.deepcopy(rest)
    for number in range(MOST_ROUNDS):
        try:
            result.model = models.IntentFile.model_validate(rest)
            return result
        except ValidationError as error:
            errors = error.errors(include_url=False)
        if number == 0:
            found = (_complaint(rest, each) for each in errors)
            shown_as = (replace(each, path=result.original(each.path)) for each in found)
            result.complaints.extend(dict.fromkeys(shown_as))
        _prune(rest, errors, result.removed)
    return result


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


def _prune(tree: Tree, errors: Iterable[Any], removed: dict[KeyPath, list[int]]) -> None:
    """Take what is wrong out of the tree, in place; what needs it goes in the next round."""
    paths = {_in_file(tree, error["loc"]) for error in errors}
    for name in [error["loc"][0] for error in errors if error["type"] == "missing" and len(error["loc"]) == 1]:
        tree[name] = 1 if name == "catchment" else {}
    # Later entries of a list first, so that the indices of the earlier ones still hold.
    for path in sorted(paths - {()}, key=lambda path: tuple(map(_order, path)), reverse=True):
        *before, last = path
        holder = at(tree, tuple(before))
        if isinstance(holder, dict):
            holder.pop(last, None)
        elif isinstance(holder, list) and isinstance(last, int) and last < len(holder):
            kept = removed.setdefault(tuple(before), list(range(len(holder))))
            del holder[last], kept[last]


def _order(part: str | int) -> tuple[int, int, str]:
    return (0, part, "") if isinstance(part, int) else (1, 0, part)
