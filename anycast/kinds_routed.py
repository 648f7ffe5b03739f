"""Kinds of findings that rest on what routers say."""

from collections.abc import Mapping
from types import MappingProxyType

from anycast.about import About, held
from anycast.finding import Kind, Severity
from anycast.intent import Rung

_ADVERTISED = (Rung.V1, Rung.V2)
_HEARD = (Rung.V1, Rung.V2, Rung.V5, Rung.V6)

ROUTED: Mapping[Kind, About] = MappingProxyType(
    {
        Kind.MISSING: About(
            Severity.MAJOR,
            held(2),
            (Rung.V1, Rung.V2, Rung.V5, Rung.V6),
            "A service is not where it must be. An NVA whose session is up does not advertise it while its region "
            "still has it (warning; where `nvas: 1` says how many must, only when fewer do); no Route Server instance "
            "of a region holds it, so that the region is out (major); the region has it, but a site that is meant to "
            "hear it hears it on no session (major), on one session fewer than written down in `expects` (warning), or "
            "hears it and chooses nothing (major).",
            "Find the first rung without the route. At V1 look at the health check and the BGP speaker of the NVA; at "
            "V5 at the gateway, the circuit and the edge router's inbound filter.",
            "a withdrawal that heals within two seconds is a blip: in the history, told to nobody",
        ),
        Kind.MISSING_EVERYWHERE: About(
            Severity.CRITICAL,
            held(2),
            _ADVERTISED,
            "No region that is meant to advertise the service does: the address is dead from everywhere. The "
            "`missing` of each region is left out, because this says it.",
            "Declare the outage; look for what the regions share (a health check's dependency, a pipeline, a policy); "
            "advertise by hand from a region whose application answers.",
            "as for missing; at a restart of everything the regions come back within seconds of each other",
        ),
        Kind.UNEXPECTED_ORIGIN: About(
            Severity.CRITICAL,
            held(0),
            _HEARD,
            "Somebody who must not advertises the service's prefix: the AS path ends in an AS that is no NVA's of the "
            "service, at an NVA in another AS than its own, or (on-premises) in an AS that no region's routes may end "
            "in. One finding for each origin, wherever it is heard. An NVA of the right region that the intent does "
            "not list for the service is a warning.",
            "Find the router that originates it from the vantages in the evidence, and stop it there; filter it where "
            "it enters the network.",
            "a wrong origin attracts traffic from the first second, and the intent leaves no doubt",
        ),
        Kind.UNEXPECTED_REGION: About(
            Severity.CRITICAL,
            held(0),
            _HEARD,
            "A region advertises a service that has no place there (critical), or a site's best path leads to a "
            "region that must never serve it (major).",
            "Withdraw the service in that region, or write the region into the intent if it is meant. For a site: look "
            "at the LOCAL_PREF policy that should have kept the region out.",
            "as for unexpected-origin",
        ),
        Kind.UNEXPECTED_NEXT_HOP: About(
            Severity.MAJOR,
            held(0),
            _ADVERTISED,
            "The route is the NVA's, its next hop is not: at V1 neither the NVA's address nor one written down for it, "
            "at V2 neither the instance's own address nor that of an NVA of the region. Traffic goes where nobody "
            "planned it to.",
            "Look at `set next-hop` and next-hop-self on the NVA; write an internal load balancer's address into "
            "`next_hops` if it is meant.",
            "as for unexpected-origin",
        ),
        Kind.MORE_SPECIFIC: About(
            Severity.CRITICAL,
            held(0),
            _HEARD,
            "A prefix inside a service's prefix is advertised, and is neither a service's nor a planned range: it "
            "takes that part of the traffic from every region, whatever their preference.",
            "Find who originates it and withdraw it; filter prefixes longer than the service's at the edge.",
            "longest match wins from the first second",
        ),
        Kind.COVERING_ROUTE: About(
            Severity.WARNING,
            held(2),
            _HEARD,
            "A shorter prefix that covers a service's is advertised, and is neither a service's nor exactly a range of "
            "the address plan. It does nothing while the service is there; once it is withdrawn, traffic follows "
            "the covering route to somebody who may swallow it. A default route counts only beside the NVAs (V1 and "
            "V2), where it takes the default route of every virtual machine; on-premises it is everyday.",
            "Write the range into the address plan if it is meant; else stop the aggregation where it is made.",
            "harmless while the service's own route stands; aggregates come and go with their parts",
        ),
        Kind.INSTANCE_SKEW: About(
            Severity.MAJOR,
            held(5),
            (Rung.V2,),
            "The two Route Server instances of a region do not hold the same: a prefix is in one only (major: about "
            "half of the virtual machines lack it; a warning for prefixes that are no service's), or the AS path after "
            "the Route Server's own AS or the communities differ (warning). When both choices are advertised by NVAs "
            "of the region with paths of equal length, the instances merely chose differently (info).",
            "Make the NVA's sessions to both instances carry the same policy; look for one whose session to one "
            "instance is down.",
            "the instances hear one change through different sessions, some seconds apart",
        ),
        Kind.ATTRIBUTE_DRIFT: About(
            Severity.WARNING,
            held(5),
            _HEARD,
            "An attribute is not as meant: MED at V1, communities at V1 and V2 (one is missing, or `no-advertise` or "
            "`no-export` is there, which keeps the route from the gateway), other ASes in the path, LOCAL_PREF at V6, "
            "no region's marks on-premises, or the hold time that the two OPENs negotiated. A path on-premises that is "
            "longer by ExpressRoute's own AS on one session only is how Microsoft drains a link (info).",
            "Compare the policy on the router that is named with the value in the evidence; a policy that was edited "
            "must often be applied by a soft clear.",
            "policies are edited line by line, and each line may send an UPDATE of its own",
        ),
        Kind.PREPEND_LOST: About(
            Severity.WARNING,
            held(2),
            _HEARD,
            "A region's routes have fewer prepends than meant at V1 or V2, or at a site where AS paths survive: a "
            "backup may start to attract traffic.",
            "Restore the prepend policy on the NVAs that are named; see `backup-active` for whether traffic moved.",
            "V1 and V2 show one edit within a second or two of each other",
        ),
        Kind.PREPEND_ADDED: About(
            Severity.WARNING,
            held(2),
            _HEARD,
            "A region's routes have more prepends than meant at V1 or V2, or at a site where AS paths survive: traffic "
            "may leave an active region.",
            "Take the prepend back, or write it into the intent if the region is being drained on purpose.",
            "as for prepend-lost",
        ),
        Kind.BACKUP_ACTIVE: About(
            Severity.MAJOR,
            held(2),
            (Rung.V5, Rung.V6),
            "A site's best path leads to a region of a lower tier than it should. When no region of an upper tier is "
            "heard there, that is the failover that was designed (info); when one is heard, the site's own preference "
            "is wrong (major).",
            "Info: mend the upper region, nothing else. Major: look at LOCAL_PREF by community, prepends, and the "
            "order of the routes at the edge router.",
            "best path selection settles within a second or two of a failover",
        ),
        Kind.ECMP_SHRUNK: About(
            Severity.WARNING,
            held(5),
            (Rung.V1, Rung.V5),
            "Fewer equal paths than meant, and one at least: fewer of a region's NVAs advertise with the shortest path "
            "than are meant to, which is all of them or as many as `nvas: 2` says (one whose session is down, and one "
            "with a longer path, count as gone); or a site hears fewer regions than the tier in use lists.",
            "See which member is gone: `session-down`, `missing` or `prepend-added` usually says it too. Mind the load "
            "on those that are left.",
            "capacity, not reachability; the cause has its own finding by then",
        ),
        Kind.REDUNDANCY_LOW: About(
            Severity.WARNING,
            held(5),
            _ADVERTISED,
            "One region only is left that advertises a service meant for several; when one NVA only is left in it, "
            "major (a warning where `nvas: 1` says that one at a time is meant).",
            "Do no maintenance on the region that is left. Mend the others.",
            "what was lost has its own finding; this one says what the next fault would do",
        ),
        Kind.CASCADE: About(
            Severity.CRITICAL,
            held(0),
            _ADVERTISED,
            "Two regions or more lost a service within `cascade_window` (60 s) of each other, and are still without: "
            "a shared dependency, or load that moved on and felled the next. It lasts while two of them are gone.",
            "Stop automatic withdrawal before it takes the last region; look for what the health checks share, then "
            "for overload.",
            "the window is the hold-down, and the next region may be seconds away",
        ),
        Kind.SESSION_DOWN: About(
            Severity.MAJOR,
            held(5),
            _HEARD,
            "A router reports a session down that the intent names, or one on-premises that has carried a service; or "
            "it never reported a session of the intent within `settle` (60 s) of its feed's opening. Major for NVAs, "
            "Route Server instances and what sites hear; a warning for our own best-path feeds (V6).",
            "Read the NOTIFICATION in the evidence; then the log of the side that sent it, reachability of TCP 179 and "
            "the hold timers.",
            "a session that is back within five seconds was reset, and its routes tell the rest",
        ),
        Kind.FLAPPING: About(
            Severity.MAJOR,
            held(0, 0),
            _HEARD,
            "A session, or a service's route at a place, went down `flap_count` times (3) within `flap_window` (5 min)."
            " It stays until the sum of its downs, halved every half window, is under a quarter of `flap_count`: one "
            "window after the last down. One finding a place: routes that flap with their session, and sites that see "
            "what their region does, are not told again.",
            "Look at the health check's thresholds and the session's resets; consider to withdraw for good until it is "
            "mended.",
            "the count is the hold-down, the decay the hysteresis",
        ),
        Kind.OVERLAP: About(
            Severity.WARNING,
            held(10),
            _ADVERTISED,
            "A route from an NVA or through a Route Server equals or lies inside a VNet range of the address plan. "
            "Azure does not inject it: system routes win, so it is advertised and not used. Major for a service. "
            "The Route Server's own routes (AS path of its own AS only) are the VNet itself.",
            "Give the service an address outside every VNet, or correct the address plan.",
            "a matter of planning, not of seconds",
        ),
        Kind.PREFIX_LIMIT: About(
            Severity.WARNING,
            held(10),
            (Rung.V1, Rung.V2, Rung.V5),
            "A session holds so many routes that the far side may tear it down: 80 % of the limit or more (warning), "
            "95 % or more (major), or more than half of it (warning), because Route Server counts what it holds and "
            "what arrives together, so that a refresh of the whole table goes over the limit.",
            "Aggregate or filter on the NVA; split the prefixes over several peers; do not restart or refresh the "
            "session before.",
            "counts jump while a table is sent",
        ),
        Kind.BLIND: About(
            Severity.MAJOR,
            held(5),
            (Rung.V1, Rung.V2, Rung.V5, Rung.V6),
            "We cannot see: an exporter's feed is lost, or never came (major); its table has been loading for longer "
            "than 60 s, or monitoring of a session stopped (warning). What is behind it is unknown, not gone, and "
            "findings that rest on it stay as they are.",
            "Look at the BMP configuration of the exporter and the path to us; nothing is said about the service.",
            "routers reconnect within seconds of a restart; one that has never connected gets `settle` (60 s) first, "
            "counted from our start or from the reload that named it, for routers try again at their own pace",
        ),
    }
)
