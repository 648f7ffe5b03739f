"""The part of the table of causes that is about what probes see: traffic, applications, and the probes themselves.

What BGP says explains what traffic does, and a dead application what its users see. Of findings about one site's
traffic the one explains another that is nearer to a router or a line: a dead leg its broken connections, a forwarding
table a wrong catchment. What a site's agent cannot see rightly explains everything that is judged from there.
"""

from typing import Final

from alerts.incidents.places import (
    ADVERTISED_DEAD_NVA,
    ADVERTISED_DEAD_REGION,
    AGENT_DUPLICATE,
    AGENT_LOST,
    AGENT_TAINTED,
    ASYMMETRIC,
    BACKUP_ACTIVE,
    BLACKHOLE,
    CASCADE,
    CATCHMENT_FLAP,
    CLOCK,
    CONVERGES,
    COVERING,
    DEAD_CIRCUIT,
    DEAD_NVA,
    DEFECT_NVA,
    DEFECT_REGION,
    DRIFT_REGION,
    DRIFT_SITE,
    ERRORS_NVA,
    ERRORS_REGION,
    ERRORS_SITE,
    FARTHER,
    FEWER_NVAS,
    FEWER_REGIONS,
    FIB_NVA,
    FIB_SITE,
    FLAPPING_NVA,
    FLAPPING_REGION,
    FLAPPING_SITE,
    FORGED,
    HEALTHY_SILENT,
    HIJACK,
    JITTER,
    LATENCY,
    LOSSY_CIRCUIT,
    LOSSY_NVA,
    MISROUTED,
    MISSING_EVERYWHERE,
    MISSING_NVA,
    MISSING_REGION,
    MISSING_SITE,
    MORE_SPECIFIC,
    MTU_NVA,
    MTU_SITE,
    NEVER_HERE,
    NVA_DOWN,
    POLARISED,
    PREFIX,
    PREFIX_AT_SITE,
    PREFIX_IN_REGION,
    PREPEND_ADDED,
    PREPEND_LOST,
    REDUNDANCY_LOW,
    RESPONDER_NVA,
    RESPONDER_REGION,
    SHIFT,
    SITE_SESSION_DOWN,
    SLOW_NVA,
    SLOW_REGION,
    SLOW_SITE,
    STALE,
    TCP_BREAK,
    THROUGHPUT,
    UNPLACED,
    UNREACHABLE,
    UPLINK,
)
from alerts.incidents.rule import HOLD, SOON, SPREAD, WINDOW, Rule, When

DEAD: Final = (DEAD_NVA, DEAD_CIRCUIT)
LOSSY: Final = (LOSSY_NVA, LOSSY_CIRCUIT)
SLOW: Final = (SLOW_REGION, SLOW_SITE, SLOW_NVA)
ERRORS: Final = (ERRORS_REGION, ERRORS_SITE, ERRORS_NVA)
SILENT: Final = (BLACKHOLE, UNREACHABLE)
MOVED: Final = (SHIFT, MISROUTED, FARTHER, TCP_BREAK, CONVERGES)
"""What follows for traffic when paths change."""
AT_A_SITE: Final = (
    *(*SILENT, *DEAD, *LOSSY, *MOVED, CATCHMENT_FLAP, FIB_NVA, FIB_SITE, POLARISED, ASYMMETRIC),
    *(LATENCY, JITTER, THROUGHPUT, MTU_SITE, MTU_NVA, SLOW_SITE, ERRORS_SITE, FORGED),
)
"""What is judged from one site's agent alone."""

TRAFFIC: Final[tuple[Rule, ...]] = (
    # The probes themselves.
    Rule(UPLINK, (AGENT_LOST, *AT_A_SITE), ("site",), When.WHILE, SOON, "the site is cut off"),
    Rule(AGENT_LOST, AT_A_SITE, ("site",), When.FOLLOWS, SPREAD, "the site's agent went silent"),
    Rule(AGENT_TAINTED, (AGENT_LOST, CLOCK, *AT_A_SITE), ("site",), When.FOLLOWS, SPREAD, "the agent's own host lags"),
    Rule(AGENT_DUPLICATE, (CLOCK, *AT_A_SITE), ("site",), When.FOLLOWS, SPREAD, "two agents report for the site"),
    # Sessions and routes that are gone.
    Rule(NVA_DOWN, (STALE, DEAD_NVA, FIB_NVA), ("region", "nva"), When.FOLLOWS, HOLD, "the NVA's session is down"),
    Rule(
        NVA_DOWN,
        (*SILENT, *MOVED, HEALTHY_SILENT),
        ("region",),
        When.FOLLOWS,
        HOLD,
        "an NVA of the region is gone with its session",
    ),
    Rule(
        SITE_SESSION_DOWN,
        (*SILENT, *DEAD, *LOSSY, *MOVED, FIB_NVA, FIB_SITE, POLARISED),
        ("site",),
        When.FOLLOWS,
        HOLD,
        "a session of the site is down",
    ),
    Rule(
        MISSING_EVERYWHERE,
        (*SILENT, *MOVED, HEALTHY_SILENT, FIB_SITE),
        PREFIX,
        When.MEETS,
        SOON,
        "no region advertises the service",
    ),
    Rule(CASCADE, (*SILENT, *MOVED, HEALTHY_SILENT), PREFIX, When.MEETS, SOON, "several regions lost it together"),
    Rule(
        MISSING_REGION,
        (HEALTHY_SILENT, BLACKHOLE, FIB_SITE, STALE),
        PREFIX_IN_REGION,
        When.WHILE,
        SOON,
        "the region does not advertise it",
    ),
    Rule(MISSING_REGION, (UNREACHABLE, *MOVED), PREFIX, When.WHILE, SOON, "a region does not advertise it"),
    Rule(MISSING_NVA, (*MOVED, FIB_NVA), PREFIX_IN_REGION, When.FOLLOWS, SOON, "an NVA does not advertise it"),
    Rule(MISSING_SITE, (*SILENT, *MOVED, FIB_SITE), PREFIX_AT_SITE, When.FOLLOWS, SOON, "the site does not hear it"),
    Rule(BACKUP_ACTIVE, MOVED, PREFIX_AT_SITE, When.WHILE, SOON, "its best path leads to a backup"),
    Rule(FEWER_REGIONS, (*MOVED, POLARISED), PREFIX_AT_SITE, When.WHILE, SOON, "the site hears fewer equal paths"),
    Rule(FEWER_NVAS, (POLARISED,), PREFIX_IN_REGION, When.WHILE, SOON, "fewer NVAs have equal paths"),
    Rule(FLAPPING_NVA, (*MOVED, CATCHMENT_FLAP, *SILENT), ("region",), When.MEETS, WINDOW, "an NVA's session flaps"),
    Rule(
        FLAPPING_REGION,
        (*MOVED, CATCHMENT_FLAP, *SILENT),
        PREFIX_IN_REGION,
        When.MEETS,
        WINDOW,
        "it is withdrawn and advertised again and again",
    ),
    Rule(
        FLAPPING_SITE, (*MOVED, CATCHMENT_FLAP, *SILENT), ("site",), When.MEETS, WINDOW, "what it hears comes and goes"
    ),
    # Policy, and somebody who must not.
    Rule(PREPEND_LOST, MOVED, PREFIX_IN_REGION, When.WHILE, SOON, "the region's paths are shorter than meant"),
    Rule(PREPEND_ADDED, MOVED, PREFIX_IN_REGION, When.WHILE, SOON, "the region's paths are longer than meant"),
    Rule(
        DRIFT_REGION, MOVED, PREFIX_IN_REGION, When.WHILE, SOON, "an attribute of the region's routes is not as meant"
    ),
    Rule(DRIFT_SITE, MOVED, PREFIX_AT_SITE, When.WHILE, SOON, "an attribute at the site is not as meant"),
    Rule(
        HIJACK,
        (FORGED, *SILENT, *MOVED, ERRORS_SITE),
        PREFIX,
        When.FOLLOWS,
        SOON,
        "somebody else advertises the prefix",
    ),
    Rule(
        MORE_SPECIFIC,
        (FORGED, *SILENT, *MOVED, ERRORS_SITE),
        ("service",),
        When.FOLLOWS,
        SOON,
        "a part of it is advertised",
    ),
    Rule(COVERING, (FORGED,), ("service",), When.FOLLOWS, SOON, "a route that covers it leads elsewhere"),
    Rule(UNPLACED, MOVED, PREFIX, When.FOLLOWS, SOON, "a region that must not advertise it does"),
    Rule(NEVER_HERE, MOVED, PREFIX_AT_SITE, When.FOLLOWS, SOON, "its best path leads where it must not"),
    Rule(FORGED, (*SILENT, TCP_BREAK, ERRORS_SITE), PREFIX_AT_SITE, When.FOLLOWS, SOON, "somebody else answers"),
    # Applications and what checks them.
    Rule(
        ADVERTISED_DEAD_NVA,
        (DEFECT_NVA, ERRORS_NVA, SLOW_NVA),
        ("region", "nva"),
        When.WHILE,
        SOON,
        "the application behind it is dead",
    ),
    *(
        Rule(
            cause,
            (*SILENT, *SLOW, *ERRORS, TCP_BREAK, DEFECT_REGION),
            ("region",),
            When.WHILE,
            SOON,
            "it is dead there",
        )
        for cause in (ADVERTISED_DEAD_NVA, ADVERTISED_DEAD_REGION)
    ),
    *(
        Rule(
            cause,
            (FLAPPING_REGION, MISSING_NVA, MISSING_REGION, FEWER_NVAS, REDUNDANCY_LOW, *MOVED, CATCHMENT_FLAP),
            PREFIX_IN_REGION,
            When.MEETS,
            WINDOW,
            "its health check and the application disagree",
        )
        for cause in (DEFECT_NVA, DEFECT_REGION)
    ),
    *(
        Rule(cause, ERRORS, ("region",), When.WHILE, SOON, "the application is slow there")
        for cause in (SLOW_REGION, SLOW_NVA)
    ),
    *(
        Rule(cause, (LATENCY, JITTER), ("region",), When.WHILE, SOON, "the responder keeps its requests")
        for cause in (RESPONDER_NVA, RESPONDER_REGION)
    ),
    # Traffic that is lost, and traffic that goes elsewhere.
    Rule(STALE, (DEAD_NVA,), ("region", "nva"), When.FOLLOWS, SOON, "the NVA is gone and its route stands"),
    Rule(STALE, (*SILENT, CONVERGES, TCP_BREAK), PREFIX_IN_REGION, When.FOLLOWS, SOON, "a route to it outlives it"),
    Rule(
        BLACKHOLE,
        (UNREACHABLE, CONVERGES, TCP_BREAK, SLOW_SITE, ERRORS_SITE, THROUGHPUT),
        PREFIX_AT_SITE,
        When.WHILE,
        SOON,
        "nobody answers where it is led",
    ),
    Rule(UNREACHABLE, (CONVERGES, TCP_BREAK, ERRORS_SITE), PREFIX_AT_SITE, When.WHILE, SOON, "no region answers it"),
    *(
        Rule(cause, (*LOSSY, TCP_BREAK, CONVERGES, *SLOW, ERRORS_SITE), ("site",), When.WHILE, SOON, "a leg is dead")
        for cause in DEAD
    ),
    *(
        Rule(
            cause,
            (TCP_BREAK, LATENCY, JITTER, THROUGHPUT, SLOW_SITE),
            ("site",),
            When.WHILE,
            SOON,
            "a leg loses packets",
        )
        for cause in LOSSY
    ),
    Rule(FIB_SITE, (MISROUTED, SHIFT), PREFIX_AT_SITE, When.FOLLOWS, SOON, "routers forward otherwise than BGP says"),
    Rule(MISROUTED, (SHIFT, FARTHER, TCP_BREAK), PREFIX_AT_SITE, When.FOLLOWS, SOON, "another region answers it"),
    Rule(CATCHMENT_FLAP, (SHIFT, TCP_BREAK), PREFIX_AT_SITE, When.MEETS, WINDOW, "its flows change their region"),
    Rule(SHIFT, (TCP_BREAK, FARTHER, THROUGHPUT), PREFIX_AT_SITE, When.FOLLOWS, SOON, "its traffic moved"),
    Rule(
        ASYMMETRIC,
        (TCP_BREAK, LATENCY, SLOW_SITE, ERRORS_SITE),
        ("site",),
        When.WHILE,
        SOON,
        "answers take another way",
    ),
    *(
        Rule(cause, (TCP_BREAK, THROUGHPUT, SLOW_SITE), ("site",), When.WHILE, SOON, "large packets vanish")
        for cause in (MTU_SITE, MTU_NVA)
    ),
    Rule(LATENCY, (THROUGHPUT, SLOW_SITE), ("site",), When.FOLLOWS, SOON, "the way is longer"),
    Rule(JITTER, (THROUGHPUT,), ("site",), When.WHILE, SOON, "a queue on the way is full"),
    # One fault that shows at several places.
    Rule(UPLINK, (UPLINK,), ("site",), When.FOLLOWS, SPREAD, "the same site"),
    Rule(
        BLACKHOLE, (BLACKHOLE,), ("region",), When.FOLLOWS, SPREAD, "so it is at another site, or for another service"
    ),
    Rule(UNREACHABLE, (UNREACHABLE,), ("service", "prefix"), When.FOLLOWS, SPREAD, "so it is at another site"),
    Rule(UNREACHABLE, (UNREACHABLE,), ("site",), When.FOLLOWS, SPREAD, "so is another service"),
    Rule(DEAD_NVA, (DEAD_NVA,), ("region", "nva"), When.FOLLOWS, SPREAD, "the same NVA"),
    Rule(DEAD_CIRCUIT, (DEAD_CIRCUIT,), ("site", "detail"), When.FOLLOWS, SPREAD, "the same circuit"),
    Rule(LOSSY_NVA, (LOSSY_NVA,), ("region", "nva"), When.FOLLOWS, SOON, "the same NVA"),
    Rule(LOSSY_CIRCUIT, (LOSSY_CIRCUIT,), ("site",), When.FOLLOWS, SOON, "another service on the same legs"),
    Rule(ADVERTISED_DEAD_NVA, (ADVERTISED_DEAD_NVA,), ("region",), When.FOLLOWS, SPREAD, "another service or NVA"),
    Rule(HEALTHY_SILENT, (HEALTHY_SILENT,), ("region",), When.FOLLOWS, SPREAD, "another service of the region"),
    Rule(DEFECT_NVA, (DEFECT_NVA,), ("region",), When.FOLLOWS, SPREAD, "another service or NVA"),
    Rule(STALE, (STALE,), ("region",), When.FOLLOWS, SPREAD, "another service or NVA"),
    Rule(MISROUTED, (MISROUTED,), ("site",), When.FOLLOWS, SPREAD, "so is another service"),
    Rule(SHIFT, (SHIFT,), ("service", "prefix"), When.FOLLOWS, SPREAD, "so did another site's"),
    Rule(CATCHMENT_FLAP, (CATCHMENT_FLAP,), ("service", "prefix"), When.FOLLOWS, SOON, "so do another site's"),
    Rule(FIB_SITE, (FIB_SITE,), ("site",), When.FOLLOWS, SPREAD, "so it is for another service"),
    Rule(FIB_NVA, (FIB_NVA,), ("region", "nva"), When.FOLLOWS, SPREAD, "so it is for another service"),
    Rule(POLARISED, (POLARISED,), ("site",), When.FOLLOWS, SOON, "so it is for another service"),
    Rule(ASYMMETRIC, (ASYMMETRIC,), ("region", "nva"), When.FOLLOWS, SOON, "so it is for another service"),
    Rule(LATENCY, (LATENCY,), ("region",), When.FOLLOWS, SPREAD, "so did another service or site"),
    Rule(JITTER, (JITTER,), ("region",), When.FOLLOWS, SPREAD, "so does another service or site"),
    Rule(MTU_SITE, (MTU_SITE,), ("site",), When.FOLLOWS, SOON, "so they do for another service"),
    Rule(CONVERGES, (CONVERGES,), ("service", "prefix"), When.FOLLOWS, SOON, "so was another site"),
    Rule(TCP_BREAK, (TCP_BREAK,), ("site",), When.FOLLOWS, SPREAD, "so did another service's"),
    Rule(FORGED, (FORGED,), ("service", "prefix"), When.FOLLOWS, SOON, "somebody else answers another site"),
    Rule(ERRORS_REGION, (ERRORS_REGION,), ("region",), When.FOLLOWS, SPREAD, "another service of the region"),
    Rule(SLOW_REGION, (SLOW_REGION,), ("region",), When.FOLLOWS, SPREAD, "another service of the region"),
)
