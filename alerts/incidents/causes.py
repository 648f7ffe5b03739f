"""Which finding explains which, where they must be the same, and when. The whole of it is the table RULES.

A rule whose two sides are the same links one fault that shows at several places: the earlier stands for it. What has a
cause of its own is never linked so. Where several causes could explain a finding, the one that began nearest to it
does; among equals, the one that stands first here.

`blind` explains other blindness only: what is unknown is frozen by the ledger, and what was seen withdrawn was seen.

Source: measuring-anycast.md 2.10 and azure.md 6 (A03, B05), in the words of our kinds.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from anycast.finding import Kind
from anycast.incident import Place

SPREAD: Final = timedelta(seconds=5)
"""One change at one machine shows for all of its services within this: health checks ask each second or two."""
SOON: Final = timedelta(seconds=60)
"""What follows through BGP follows within this: two hops that each wait 30 s between UPDATEs (RFC 4271, 10)."""
HOLD: Final = timedelta(seconds=240)
"""Two neighbours of a dead speaker notice up to its hold time apart: 180 s at Route Server, and a minute to follow."""
WINDOW: Final = timedelta(minutes=5)
"""Downs so far apart are one flapping (`flap_window` as it is by default)."""


class When(StrEnum):
    """How the times of a cause and its effect must lie to each other; `within` is the slack."""

    FOLLOWS = "begins with it"
    """The effect begins within the slack of the cause's beginning, earlier or later, and is not over before it."""
    WHILE = "begins while it lasts"
    """The effect begins no earlier than the slack before the cause, and no later than the slack after its end."""
    MEETS = "lasts while it lasts"
    """Both last at one time, or miss each other by no more than the slack."""


Seen = tuple[Kind, Place]
"""A kind of finding at a kind of place."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table."""

    cause: Seen
    effects: tuple[Seen, ...]
    same: tuple[str, ...]
    """Parts of the subject in which both agree. A service without a region is in every region that it is meant for.

    `exporter`: the effect is a session that the cause's feed shows. `seen elsewhere`: the effect's feed is not the one
    that shows the cause.
    """
    when: When
    within: timedelta
    why: str
    """Said of the effect."""

    @property
    def sibling(self) -> bool:
        """Whether it links one fault that shows at several places."""
        return self.cause in self.effects


MISSING_NVA: Final = (Kind.MISSING, Place.NVA)
MISSING_REGION: Final = (Kind.MISSING, Place.REGION)
MISSING_SITE: Final = (Kind.MISSING, Place.SITE)
MISSING_EVERYWHERE: Final = (Kind.MISSING_EVERYWHERE, Place.SERVICE)
CASCADE: Final = (Kind.CASCADE, Place.SERVICE)
REDUNDANCY_LOW: Final = (Kind.REDUNDANCY_LOW, Place.SERVICE)
BACKUP_ACTIVE: Final = (Kind.BACKUP_ACTIVE, Place.SITE)
FEWER_NVAS: Final = (Kind.ECMP_SHRUNK, Place.REGION)
FEWER_REGIONS: Final = (Kind.ECMP_SHRUNK, Place.SITE)
SKEW: Final = (Kind.INSTANCE_SKEW, Place.REGION)
NVA_DOWN: Final = (Kind.SESSION_DOWN, Place.NVA)
INSTANCE_DOWN: Final = (Kind.SESSION_DOWN, Place.INSTANCE)
SITE_SESSION_DOWN: Final = (Kind.SESSION_DOWN, Place.SITE)
FLAPPING_NVA: Final = (Kind.FLAPPING, Place.NVA)
FLAPPING_INSTANCE: Final = (Kind.FLAPPING, Place.INSTANCE)
FLAPPING_REGION: Final = (Kind.FLAPPING, Place.REGION)
FLAPPING_SITE: Final = (Kind.FLAPPING, Place.SITE)
PREPEND_LOST: Final = (Kind.PREPEND_LOST, Place.REGION)
PREPEND_ADDED: Final = (Kind.PREPEND_ADDED, Place.REGION)
DRIFT_REGION: Final = (Kind.ATTRIBUTE_DRIFT, Place.REGION)
DRIFT_SITE: Final = (Kind.ATTRIBUTE_DRIFT, Place.SITE)
HIJACK: Final = (Kind.UNEXPECTED_ORIGIN, Place.SERVICE)
UNLISTED_NVA: Final = (Kind.UNEXPECTED_ORIGIN, Place.NVA)
UNPLACED: Final = (Kind.UNEXPECTED_REGION, Place.REGION)
NEVER_HERE: Final = (Kind.UNEXPECTED_REGION, Place.SITE)
NEXT_HOP: Final = (Kind.UNEXPECTED_NEXT_HOP, Place.REGION)
MORE_SPECIFIC: Final = (Kind.MORE_SPECIFIC, Place.SERVICE)
COVERING: Final = (Kind.COVERING_ROUTE, Place.SERVICE)
OVERLAP: Final = (Kind.OVERLAP, Place.REGION)
LIMIT_NVA: Final = (Kind.PREFIX_LIMIT, Place.NVA)
LIMIT_INSTANCE: Final = (Kind.PREFIX_LIMIT, Place.INSTANCE)
LIMIT_SITE: Final = (Kind.PREFIX_LIMIT, Place.SITE)
BLIND_FEED: Final = (Kind.BLIND, Place.FEED)
BLIND_NVA: Final = (Kind.BLIND, Place.NVA)
BLIND_INSTANCE: Final = (Kind.BLIND, Place.INSTANCE)
BLIND_SITE: Final = (Kind.BLIND, Place.SITE)

AT_SITES: Final = (BACKUP_ACTIVE, FEWER_REGIONS)
OF_A_REGION: Final = (MISSING_NVA, FEWER_NVAS, SKEW)
PREFIX: Final = ("service", "prefix")
PREFIX_IN_REGION: Final = ("service", "prefix", "region")
PREFIX_AT_SITE: Final = ("service", "prefix", "site")

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
    Rule(FLAPPING_REGION, (FLAPPING_REGION,), ("region",), When.MEETS, SPREAD, "another service flaps with it"),
)
