"""The table of causes as a table: every kind has its place in it, and nothing explains itself by a detour."""

from alerts.incidents.causes import RULES, Seen
from anycast.finding import Kind
from anycast.incident import Place

ALONE = {
    *(Kind.PREFIX_LIMIT, Kind.OVERLAP, Kind.ADVERTISED_WHILE_DEAD, Kind.SITE_UPLINK, Kind.RESPONDER_SLOW),
    *(Kind.AGENT_TAINTED, Kind.AGENT_DUPLICATE, Kind.SINK_FAILING),
}
"""Kinds that nothing explains but another of their own."""


def test_nothing_explains_itself_by_a_detour() -> None:
    edges = {(_one(rule.cause), _one(effect)) for rule in RULES for effect in rule.effects}
    edges = {(cause, effect) for cause, effect in edges if cause != effect}
    while edges:
        effects = {effect for _, effect in edges}
        first = {cause for cause, _ in edges} - effects
        assert first, f"these explain each other: {sorted(effects)}"
        edges = {(cause, effect) for cause, effect in edges if cause not in first}


def _one(seen: Seen) -> Seen:
    """A router that dies takes its sessions with NVAs and with instances down together: they count as one."""
    return (Kind.SESSION_DOWN, Place.NVA) if seen == (Kind.SESSION_DOWN, Place.INSTANCE) else seen


def test_every_kind_explains_or_is_explained() -> None:
    told = {kind for rule in RULES for kind, _ in (rule.cause, *rule.effects)}
    assert told == set(Kind)
    explained = {kind for rule in RULES if not rule.sibling for kind, _ in rule.effects}
    assert set(Kind) - explained == ALONE | {Kind.MISSING_EVERYWHERE, Kind.UNEXPECTED_ORIGIN} - explained | {
        Kind.PREPEND_LOST,
        Kind.PREPEND_ADDED,
    }


def test_blindness_explains_blindness_only_and_a_hijack_no_withdrawal() -> None:
    by_cause = {kind: [rule for rule in RULES if rule.cause[0] is kind] for kind in Kind}
    assert {kind for rule in by_cause[Kind.BLIND] for kind, _ in rule.effects} == {Kind.BLIND}
    for kind in (Kind.UNEXPECTED_ORIGIN, Kind.UNEXPECTED_REGION, Kind.UNEXPECTED_NEXT_HOP, Kind.MORE_SPECIFIC):
        effects = {effect for rule in by_cause[kind] for effect in rule.effects}
        assert not effects & {(Kind.MISSING, Place.NVA), (Kind.MISSING, Place.REGION)}
        assert not effects & {(Kind.MISSING_EVERYWHERE, Place.SERVICE), (Kind.SESSION_DOWN, Place.NVA)}


def test_each_rule_says_where_and_why() -> None:
    parts = {"service", "prefix", "region", "nva", "site", "vantage", "detail", "exporter", "seen elsewhere"}
    for rule in RULES:
        assert rule.same
        assert set(rule.same) <= parts
        assert rule.why
        assert rule.why[0].islower()
        assert not rule.why.endswith(".")
