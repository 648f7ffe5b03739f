"""Which finding explains which, where they must be the same, and when. The whole of it is the table RULES.

A rule whose two sides are the same links one fault that shows at several places: the earlier stands for it. What has a
cause of its own is never linked so. Where several causes could explain a finding, the one that began nearest to it
does; among equals, the one that stands first here.

`blind` explains other blindness only: what is unknown is frozen by the ledger, and what was seen withdrawn was seen.

Source: measuring-anycast.md 2.10 and azure.md 6 (A03, B05), in the words of our kinds.
"""

from typing import Final

from alerts.incidents.places import (
    AT_SITES,
    BLIND_FEED,
    BLIND_INSTANCE,
    BLIND_NVA,
    BLIND_SITE,
    CASCADE,
    COVERING,
    DRIFT_REGION,
    DRIFT_SITE,
    FEWER_NVAS,
    FLAPPING_INSTANCE,
    FLAPPING_NVA,
    FLAPPING_REGION,
    FLAPPING_SITE,
    HIJACK,
    INSTANCE_DOWN,
    LIMIT_INSTANCE,
    LIMIT_NVA,
    LIMIT_SITE,
    MISSING_EVERYWHERE,
    MISSING_NVA,
    MISSING_REGION,
    MISSING_SITE,
    MORE_SPECIFIC,
    NEVER_HERE,
    NEXT_HOP,
    NVA_DOWN,
    OF_A_REGION,
    OVERLAP,
    PREFIX,
    PREFIX_AT_SITE,
    PREFIX_IN_REGION,
    PREPEND_ADDED,
    PREPEND_LOST,
    REDUNDANCY_LOW,
    SINK,
    SITE_SESSION_DOWN,
    SKEW,
    UNLISTED_NVA,
    UNPLACED,
)
from alerts.incidents.rule import HOLD, SOON, SPREAD, WINDOW, Rule, Seen, When
from alerts.incidents.traffic import TRAFFIC

__all__ = ["RULES", "SOON", "Rule", "Seen", "When"]

RULES: Final[tuple[Rule, ...]] = (
    # Sessions that go down take their routes with them.
    Rule(NVA_DOWN, (MISSING_NVA,), ("region", "nva"), When.FOLLOWS, HOLD, "the NVA's session is down"),
    Rule(
        NVA_DOWN,
        (MISSING_REGION, MISSING_EVERYWHERE, FEWER_NVAS, SKEW),
        ("region",),
        When.FOLLOWS,
        HOLD,
        "an NVA of the region is gone with its session",
    ),
    Rule(
        SITE_SESSION_DOWN,
        (MISSING_SITE, *AT_SITES),
        ("site",),
        When.FOLLOWS,
        HOLD,
        "a session of the site is down",
    ),
    Rule(
        SITE_SESSION_DOWN,
        (BLIND_FEED,),
        ("site", "seen elsewhere"),
        When.FOLLOWS,
        HOLD,
        "another router lost the same router, too",
    ),
    Rule(LIMIT_NVA, (NVA_DOWN, FLAPPING_NVA), ("vantage",), When.WHILE, SOON, "the session was at its limit"),
    Rule(
        LIMIT_INSTANCE,
        (INSTANCE_DOWN, FLAPPING_INSTANCE),
        ("vantage",),
        When.WHILE,
        SOON,
        "the session was at its limit",
    ),
    Rule(LIMIT_SITE, (SITE_SESSION_DOWN, FLAPPING_SITE), ("vantage",), When.WHILE, SOON, "it was at its limit"),
    # A service that is gone, from everywhere down to one session.
    Rule(
        MISSING_EVERYWHERE,
        (CASCADE, MISSING_REGION, REDUNDANCY_LOW, *OF_A_REGION, MISSING_SITE, *AT_SITES),
        PREFIX,
        When.MEETS,
        SOON,
        "no region advertises the service",
    ),
    Rule(
        CASCADE,
        (MISSING_REGION, REDUNDANCY_LOW, *AT_SITES),
        PREFIX,
        When.MEETS,
        SOON,
        "several regions lost the service together",
    ),
    Rule(
        MISSING_REGION,
        (MISSING_NVA, FEWER_NVAS),  # which the ledger clears, for the region's absence says it
        PREFIX_IN_REGION,
        When.MEETS,
        SOON,
        "the whole region lost it, or had lost it",
    ),
    Rule(
        MISSING_REGION,
        (*OF_A_REGION, MISSING_SITE),
        PREFIX_IN_REGION,
        When.FOLLOWS,
        HOLD,
        "the region does not advertise it, or did not",
    ),
    Rule(
        MISSING_REGION,
        (REDUNDANCY_LOW, *AT_SITES),
        PREFIX,
        When.WHILE,
        SOON,
        "a region does not advertise it",
    ),
    Rule(MISSING_NVA, (FEWER_NVAS, SKEW), PREFIX_IN_REGION, When.FOLLOWS, HOLD, "an NVA does not advertise it"),
    Rule(MISSING_SITE, AT_SITES, PREFIX_AT_SITE, When.FOLLOWS, SOON, "the site does not hear it"),
    # What comes and goes: the flapping is the fault, each down of it a part.
    Rule(FLAPPING_NVA, (NVA_DOWN, MISSING_NVA), ("region", "nva"), When.MEETS, WINDOW, "the NVA's session flaps"),
    Rule(
        FLAPPING_NVA,
        (MISSING_REGION, MISSING_EVERYWHERE, FEWER_NVAS, SKEW),
        ("region",),
        When.MEETS,
        WINDOW,
        "an NVA's session flaps",
    ),
    Rule(FLAPPING_INSTANCE, (INSTANCE_DOWN,), ("vantage",), When.MEETS, WINDOW, "the session flaps"),
    Rule(
        FLAPPING_REGION,
        (MISSING_EVERYWHERE, MISSING_REGION, REDUNDANCY_LOW, *OF_A_REGION, MISSING_SITE, *AT_SITES),
        PREFIX_IN_REGION,
        When.MEETS,
        WINDOW,
        "it is withdrawn and advertised again and again",
    ),
    Rule(
        FLAPPING_SITE,
        (SITE_SESSION_DOWN, MISSING_SITE, *AT_SITES),
        ("site",),
        When.MEETS,
        WINDOW,
        "what the site hears comes and goes",
    ),
    # Policy that changed, and the paths that it moved.
    Rule(
        PREPEND_LOST,
        (FEWER_NVAS, SKEW, *AT_SITES),
        PREFIX_IN_REGION,
        When.WHILE,
        SOON,
        "the region's paths are shorter than meant",
    ),
    Rule(
        PREPEND_ADDED,
        (FEWER_NVAS, SKEW, *AT_SITES),
        PREFIX_IN_REGION,
        When.WHILE,
        SOON,
        "the region's paths are longer than meant",
    ),
    Rule(
        DRIFT_REGION,
        (FEWER_NVAS, SKEW, MISSING_SITE, *AT_SITES),
        PREFIX_IN_REGION,
        When.WHILE,
        SOON,
        "an attribute of the region's routes is not as meant",
    ),
    Rule(DRIFT_SITE, AT_SITES, PREFIX_AT_SITE, When.WHILE, SOON, "an attribute at the site is not as meant"),
    # Somebody who must not advertise it. Nothing here explains that a region or an NVA withdrew it.
    Rule(
        HIJACK,
        (UNPLACED, NEVER_HERE, NEXT_HOP, MORE_SPECIFIC, DRIFT_SITE, MISSING_SITE, *AT_SITES),
        PREFIX,
        When.FOLLOWS,
        SOON,
        "somebody else advertises the prefix",
    ),
    Rule(MORE_SPECIFIC, (COVERING, *AT_SITES), ("service",), When.FOLLOWS, SOON, "a part of it is advertised"),
    Rule(UNPLACED, (NEVER_HERE, NEXT_HOP), PREFIX_IN_REGION, When.WHILE, SOON, "the region advertises it"),
    Rule(UNPLACED, AT_SITES, PREFIX, When.FOLLOWS, SOON, "a region that must not advertise it does"),
    Rule(UNLISTED_NVA, (NEXT_HOP, SKEW), PREFIX_IN_REGION, When.FOLLOWS, SOON, "an NVA that must not advertises it"),
    # What we cannot see explains what else we cannot see, and nothing more.
    Rule(
        BLIND_FEED,
        (BLIND_NVA, BLIND_INSTANCE, BLIND_SITE),
        ("exporter",),
        When.WHILE,
        SOON,
        "the feed that shows it is lost",
    ),
    # One fault that shows at several places.
    Rule(NVA_DOWN, (NVA_DOWN, INSTANCE_DOWN), ("region",), When.FOLLOWS, SPREAD, "it went down with another"),
    Rule(INSTANCE_DOWN, (INSTANCE_DOWN, NVA_DOWN), ("region",), When.FOLLOWS, SPREAD, "it went down with another"),
    Rule(SITE_SESSION_DOWN, (SITE_SESSION_DOWN,), ("site",), When.FOLLOWS, SPREAD, "it went down with another"),
    Rule(MISSING_EVERYWHERE, (MISSING_EVERYWHERE,), ("region",), When.FOLLOWS, SPREAD, "so is another service"),
    Rule(CASCADE, (CASCADE,), ("region",), When.FOLLOWS, SPREAD, "so did another service"),
    Rule(MISSING_REGION, (MISSING_REGION,), ("region",), When.FOLLOWS, SPREAD, "so is another service"),
    Rule(MISSING_NVA, (MISSING_NVA,), ("region", "nva"), When.FOLLOWS, SPREAD, "so is another service"),
    Rule(MISSING_SITE, (MISSING_SITE,), ("site",), When.FOLLOWS, SPREAD, "so is another service or session"),
    Rule(SKEW, (SKEW,), ("region",), When.FOLLOWS, SPREAD, "so do other prefixes"),
    Rule(DRIFT_REGION, (DRIFT_REGION,), ("region",), When.FOLLOWS, SPREAD, "another attribute or service drifted too"),
    Rule(DRIFT_SITE, (DRIFT_SITE,), ("site",), When.FOLLOWS, SPREAD, "another attribute or service drifted too"),
    Rule(PREPEND_LOST, (PREPEND_LOST,), ("region",), When.FOLLOWS, SPREAD, "so did another service"),
    Rule(PREPEND_ADDED, (PREPEND_ADDED,), ("region",), When.FOLLOWS, SPREAD, "so did another service"),
    Rule(HIJACK, (HIJACK,), ("detail",), When.FOLLOWS, SPREAD, "the same AS takes another service"),
    Rule(UNLISTED_NVA, (UNLISTED_NVA,), ("region", "nva"), When.FOLLOWS, SPREAD, "so does another service"),
    Rule(UNPLACED, (UNPLACED,), ("region",), When.FOLLOWS, SPREAD, "the region advertises another, too"),
    Rule(NEXT_HOP, (NEXT_HOP,), ("region", "detail"), When.FOLLOWS, SPREAD, "the same next hop"),
    Rule(MORE_SPECIFIC, (MORE_SPECIFIC,), ("service",), When.FOLLOWS, SPREAD, "another part of it"),
    Rule(OVERLAP, (OVERLAP,), ("region",), When.FOLLOWS, SPREAD, "another prefix in the same range"),
    Rule(SINK, (SINK,), ("detail",), When.FOLLOWS, SPREAD, "it is the same server"),
    Rule(FLAPPING_REGION, (FLAPPING_REGION,), ("region",), When.MEETS, SPREAD, "another service flaps with it"),
    *TRAFFIC,
)
