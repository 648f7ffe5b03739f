"""What each kind of finding means. `docs/findings.md` and the runbook index are made from this table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from anycast.finding import Kind, Severity
from anycast.intent import HoldDown, Rung


@dataclass(frozen=True, slots=True)
class About:
    """One kind, in words and figures."""

    severity: Severity
    """The severity without circumstances; an analyzer may say another, and `meaning` says when."""
    hold_down: HoldDown
    rungs: tuple[Rung, ...]
    """The rungs it is judged from; with none of them in sight it stays silent."""
    meaning: str
    action: str
    """What to do first, in one or two sentences; the runbook has the rest."""
    held: str = ""
    """Why the hold-down is what it is."""


def _held(open_after: float, clear_after: float = 2) -> HoldDown:
    return HoldDown(timedelta(seconds=open_after), timedelta(seconds=clear_after))


_ADVERTISED = (Rung.V1, Rung.V2)
_HEARD = (Rung.V1, Rung.V2, Rung.V5, Rung.V6)

KINDS: Mapping[Kind, About] = MappingProxyType(
    {
        Kind.MISSING: About(
            Severity.MAJOR,
            _held(2),
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
            _held(2),
            _ADVERTISED,
            "No region that is meant to advertise the service does: the address is dead from everywhere. The "
            "`missing` of each region is left out, because this says it.",
            "Declare the outage; look for what the regions share (a health check's dependency, a pipeline, a policy); "
            "advertise by hand from a region whose application answers.",
            "as for missing; at a restart of everything the regions come back within seconds of each other",
        ),
        Kind.UNEXPECTED_ORIGIN: About(
            Severity.CRITICAL,
            _held(0),
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
            _held(0),
            _HEARD,
            "A region advertises a service that has no place there (critical), or a site's best path leads to a "
            "region that must never serve it (major).",
            "Withdraw the service in that region, or write the region into the intent if it is meant. For a site: look "
            "at the LOCAL_PREF policy that should have kept the region out.",
            "as for unexpected-origin",
        ),
        Kind.UNEXPECTED_NEXT_HOP: About(
            Severity.MAJOR,
            _held(0),
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
            _held(0),
            _HEARD,
            "A prefix inside a service's prefix is advertised, and is neither a service's nor a planned range: it "
            "takes that part of the traffic from every region, whatever their preference.",
            "Find who originates it and withdraw it; filter prefixes longer than the service's at the edge.",
            "longest match wins from the first second",
        ),
        Kind.COVERING_ROUTE: About(
            Severity.WARNING,
            _held(2),
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
            _held(5),
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
            _held(5),
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
            _held(2),
            _HEARD,
            "A region's routes have fewer prepends than meant at V1 or V2, or at a site where AS paths survive: a "
            "backup may start to attract traffic.",
            "Restore the prepend policy on the NVAs that are named; see `backup-active` for whether traffic moved.",
            "V1 and V2 show one edit within a second or two of each other",
        ),
        Kind.PREPEND_ADDED: About(
            Severity.WARNING,
            _held(2),
            _HEARD,
            "A region's routes have more prepends than meant at V1 or V2, or at a site where AS paths survive: traffic "
            "may leave an active region.",
            "Take the prepend back, or write it into the intent if the region is being drained on purpose.",
            "as for prepend-lost",
        ),
        Kind.BACKUP_ACTIVE: About(
            Severity.MAJOR,
            _held(2),
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
            _held(5),
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
            _held(5),
            _ADVERTISED,
            "One region only is left that advertises a service meant for several; when one NVA only is left in it, "
            "major (a warning where `nvas: 1` says that one at a time is meant).",
            "Do no maintenance on the region that is left. Mend the others.",
            "what was lost has its own finding; this one says what the next fault would do",
        ),
        Kind.CASCADE: About(
            Severity.CRITICAL,
            _held(0),
            _ADVERTISED,
            "Two regions or more lost a service within `cascade_window` (60 s) of each other, and are still without: "
            "a shared dependency, or load that moved on and felled the next. It lasts while two of them are gone.",
            "Stop automatic withdrawal before it takes the last region; look for what the health checks share, then "
            "for overload.",
            "the window is the hold-down, and the next region may be seconds away",
        ),
        Kind.SESSION_DOWN: About(
            Severity.MAJOR,
            _held(5),
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
            _held(0, 0),
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
            _held(10),
            _ADVERTISED,
            "A route from an NVA or through a Route Server equals or lies inside a VNet range of the address plan. "
            "Azure does not inject it: system routes win, so it is advertised and not used. Major for a service. "
            "The Route Server's own routes (AS path of its own AS only) are the VNet itself.",
            "Give the service an address outside every VNet, or correct the address plan.",
            "a matter of planning, not of seconds",
        ),
        Kind.PREFIX_LIMIT: About(
            Severity.WARNING,
            _held(10),
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
            _held(5),
            (Rung.V1, Rung.V2, Rung.V5, Rung.V6),
            "We cannot see: an exporter's feed is lost, or never came (major); its table has been loading for longer "
            "than 60 s, or monitoring of a session stopped (warning). What is behind it is unknown, not gone, and "
            "findings that rest on it stay as they are.",
            "Look at the BMP configuration of the exporter and the path to us; nothing is said about the service.",
            "routers reconnect within seconds of a restart; one that has never connected gets `settle` (60 s) first, "
            "counted from our start or from the reload that named it, for routers try again at their own pace",
        ),
        Kind.BLACKHOLE: About(
            Severity.CRITICAL,
            _held(1, 5),
            (Rung.V0, Rung.V1, Rung.V2, Rung.V5, Rung.V6, Rung.V7),
            "A route leads a site's traffic to a region and nobody answers there. `application`: the application does "
            "not answer at its own address either (told after 3 s, for a health check may still withdraw). `address`: "
            "the application answers at its own address, the anycast address does not. `path`: nothing of the region "
            "answers the site. `undecided`: nothing is asked at its own address by which it could be told. The "
            "evidence says of every rung what was seen there. Within 3 s of a withdrawal it is convergence, and not "
            "said; nor is it where nothing else answers the site either.",
            "Take the region out (withdraw the service there) if another one answers; then mend what the evidence "
            "names: the application, the address on the NVA (DNAT, SNAT, filters), or the path to it.",
            "three seconds from the first lost packet to a page: one for the answers that are awaited, one here",
        ),
        Kind.ADVERTISED_WHILE_DEAD: About(
            Severity.MAJOR,
            _held(3, 5),
            (Rung.V0, Rung.V1, Rung.V2),
            "An NVA advertises a service whose application behind it does not answer at its own address, seen from two "
            "places or from every place that asks. Critical when no other application of the region answers.",
            "Withdraw the service at that NVA by hand; mend the application, then its health check.",
            "a health check that asks each second withdraws within three",
        ),
        Kind.HEALTHY_BUT_SILENT: About(
            Severity.MAJOR,
            _held(5),
            (Rung.V0, Rung.V1, Rung.V2),
            "The applications of a region answer at their own addresses, and the region does not advertise the "
            "service that they stand behind: a healthy region stands idle (critical when no region advertises it).",
            "Look at the health check and the BGP speaker of the region's NVAs.",
            "a health check wants some good answers in a row before it announces again",
        ),
        Kind.DEAD_LEG: About(
            Severity.CRITICAL,
            _held(0.25, 10),
            (Rung.V7,),
            "One way through the ECMP groups swallows every flow that is hashed to it, while others work. The subject "
            "names the NVA or the circuit; the evidence counts flows and losses.",
            "Take the leg out of the group: withdraw at that NVA, or shut the session over that circuit.",
            "three losses in a row of several flows are proof; the statistic is the hold-down",
        ),
        Kind.LOSSY_LEG: About(
            Severity.WARNING,
            _held(0, 10),
            (Rung.V7,),
            "One leg loses a part of its packets: of all its flows at random (a link that errs, a queue that "
            "overflows), or all packets of some flows and none of others (`per-flow`: a broken member of a bundle "
            "further on). Major from 20 % on.",
            "Look at error and drop counters along the leg that is named; drain it while it is mended.",
            "the statistic (a Bernoulli CUSUM) is the hold-down",
        ),
        Kind.MISROUTED: About(
            Severity.MAJOR,
            _held(2, 5),
            (Rung.V5, Rung.V6, Rung.V7),
            "Another region answers a site than its intent allows while an allowed one is advertised and answers "
            "(major; critical for a region that must never serve it), or another one than its best path leads to "
            "(major).",
            "Compare the answering region with the best path in the evidence: where they differ, look below the edge "
            "router (MSEE, carrier, static routes); where they agree, look at LOCAL_PREF and the order of the routes.",
            "path selection and forwarding settle within two seconds",
        ),
        Kind.CATCHMENT_SHIFT: About(
            Severity.INFO,
            _held(0, 30),
            (Rung.V5, Rung.V6, Rung.V7),
            "A site's traffic moved to another region. Info when an event of BGP explains it, which the evidence "
            "names, or when what BGP did there cannot be seen; a warning when nothing explains it: somebody changed "
            "what we do not see.",
            "Explained: follow the event. Not explained: ask the carrier and look at the edge router's policy.",
            "a third of the fixed flows, or a share that moved by a fifth, is no accident",
        ),
        Kind.CATCHMENT_FLAP: About(
            Severity.MAJOR,
            _held(0, 30),
            (Rung.V7,),
            "Flows of a site change their region again and again: three times or more within ten minutes each.",
            "Look for a flapping route or session first; then for equal paths that are chosen anew with each update.",
            "the count is the hold-down",
        ),
        Kind.FIB_DIVERGENCE: About(
            Severity.MAJOR,
            _held(10, 10),
            (Rung.V5, Rung.V6, Rung.V7),
            "Forwarding is not what BGP says: a region answers whose route is gone (where it is there and not chosen, "
            "that is `misrouted`), or one of several equal paths never gets a flow although nothing is lost, since its "
            "route went and came back, or while another service still takes several of the same paths.",
            "Compare the router's forwarding table with its BGP table; clear or re-install the route.",
            "routers program their forwarding tables within seconds of a change",
        ),
        Kind.HASH_POLARISED: About(
            Severity.WARNING,
            _held(5, 10),
            (Rung.V5, Rung.V7),
            "Equal paths are there, and all flows of every service take one of them, without any event that would "
            "explain it: the hash ignores ports, or two routers in a row use the same one.",
            "Hash by layer 4 at the router that is named; give routers in a row different seeds.",
            "32 flows on one of two legs by chance: once in two billion",
        ),
        Kind.ASYMMETRIC_RETURN: About(
            Severity.WARNING,
            _held(5, 10),
            (Rung.V7,),
            "Answers come back another way than the requests went (major where TCP breaks, for the NVA keeps state): "
            "two of these agree: the answers' TTL changed while that of the requests did not, one direction's delay "
            "changed alone, TCP fails where UDP succeeds.",
            "Make the return path cross the NVA that the request came through: SNAT, or a route on the application's "
            "subnet.",
            "two signals that agree for five seconds",
        ),
        Kind.LATENCY_SHIFT: About(
            Severity.WARNING,
            _held(1.5, 10),
            (Rung.V7,),
            "A region answers a site slower than before: two of three detectors agree (a rank test, a CUSUM, "
            "Page-Hinkley), and the median moved by 2 ms and 2 % at least. A warning from 3 ms and 15 % on; info while "
            "it is less, or faster. It is judged for each region that answers, so that a catchment shift is none, and "
            "not while a throughput test of the site runs. What lasts half an hour becomes normal.",
            "Trace the path of one flow; ask the carrier; compare with the same region's unicast controls.",
            "a pause of a second on the way, or of the agent's host, is everyday",
        ),
        Kind.SUBOPTIMAL_REGION: About(
            Severity.INFO,
            _held(60, 30),
            (Rung.V7,),
            "Another region's applications are closer to the site than the region that answers it, by 10 ms and 20 % "
            "or more, and the intent does not ask for it.",
            "Change the site's tiers, or write down that it is meant.",
            "a matter of design, not of seconds",
        ),
        Kind.JITTER: About(
            Severity.WARNING,
            _held(5, 10),
            (Rung.V7,),
            "The round trips of one region to a site scatter much more than before: the spread between the median and "
            "the 95th percentile is four times its baseline and 5 ms or more.",
            "Look for a full queue on the way: utilisation of the circuit, a shaper, a backup that runs.",
            "a burst of five seconds is everyday",
        ),
        Kind.THROUGHPUT_DROP: About(
            Severity.WARNING,
            _held(0, 0),
            (Rung.V7,),
            "A bounded transfer reached less than half of what the median of the last ones did (major under a fifth), "
            "and less than 70 % of the slowest of them: on a lossy way TCP is fast now and slow then.",
            "Look at the circuit's utilisation and its shaper; repeat the test at a quiet hour.",
            "tests are rare; two in a row would take hours",
        ),
        Kind.MTU_BLACKHOLE: About(
            Severity.MAJOR,
            _held(2, 5),
            (Rung.V7,),
            "Packets up to one size arrive and larger ones vanish without a word: nobody says that they are too big, "
            "so connections hang after their handshake.",
            "Clamp the TCP maximum segment size, or let ICMP `fragmentation needed` pass.",
            "the ladder is asked twice",
        ),
        Kind.SLOW_CONVERGENCE: About(
            Severity.MAJOR,
            _held(0, 10),
            (Rung.V1, Rung.V2, Rung.V5, Rung.V6, Rung.V7),
            "A site's routes or its traffic had not come to rest within the objective of the mechanism: after a "
            "withdrawal or a lost session, or after the first lost packet where the NVA died in silence and its route "
            "still stands. The objective is 1 s with BFD, the hold time that is meant and 3 s without it, 75 s through "
            "an ExpressRoute gateway, 20 s through a VPN gateway, and 3 s for a withdrawal elsewhere.",
            "Look for the slowest hop in the evidence: timers, the advertisement interval, path hunting.",
            "the objective is the hold-down",
        ),
        Kind.STALE_ROUTE: About(
            Severity.MAJOR,
            _held(1, 5),
            (Rung.V1, Rung.V2, Rung.V5, Rung.V6, Rung.V7),
            "A route stands although what it leads to is gone: its session is down and graceful restart keeps it, or a "
            "hold time has not run out while nothing behind it answers. The evidence says when it will end by itself.",
            "Withdraw it by hand or clear the session; use BFD; keep graceful restart off where forwarding dies with "
            "the speaker.",
            "told beside the blackhole that it causes",
        ),
        Kind.UNREACHABLE: About(
            Severity.CRITICAL,
            _held(1, 5),
            (Rung.V7,),
            "No region answers a site for a service, while the site's own way out works. Where its route leads to a "
            "region that is silent and another region is well, `blackhole` says it alone.",
            "Declare the outage for that site; see which rung breaks in the evidence.",
            "as for blackhole",
        ),
        Kind.TCP_BREAK: About(
            Severity.WARNING,
            _held(0, 30),
            (Rung.V7,),
            "Long-lived connections were reset or fell silent together: a quarter or more of a site's canaries within "
            "ten seconds. What changed in BGP just before is in the evidence.",
            "Use resilient hashing where members of an ECMP group change; drain before you withdraw.",
            "breaks are events: it is told once and clears by itself",
        ),
        Kind.APP_SLOW: About(
            Severity.WARNING,
            _held(5, 10),
            (Rung.V0, Rung.V7),
            "An application's first octet takes much longer than before (three times and 100 ms more), and the network "
            "does not: UDP and the handshake are as fast as ever.",
            "Look at the application of the region that is named.",
            "one slow request is no slow application",
        ),
        Kind.APP_ERRORS: About(
            Severity.MAJOR,
            _held(3, 10),
            (Rung.V0, Rung.V7),
            "An application answers with errors: three of its last ten answers, or a tenth of those of the last "
            "minute, have a status of 500 or more, a wrong rcode, a failed TLS handshake, or were cut (critical from "
            "one half on).",
            "Look at the application of the region that is named; take the region out if it does not recover.",
            "a deployment restarts within seconds",
        ),
        Kind.HEALTH_CHECK_DEFECT: About(
            Severity.MAJOR,
            _held(10, 10),
            (Rung.V0, Rung.V1),
            "The health check and the application disagree: it keeps advertising for ten seconds and more what does "
            "not answer, or it advertises and withdraws again and again while the application's answers do not "
            "change. Where no application of the service answers anywhere, to keep advertising is no defect.",
            "Mend the health check: what it asks, how often, and how many answers in a row it wants.",
            "longer than any health check that works needs",
        ),
        Kind.IDENTITY_INVALID: About(
            Severity.CRITICAL,
            _held(0, 10),
            (Rung.V7,),
            "Somebody answers with an identity that is forged (the code does not match), replayed, out of date, or of "
            "a region that does not exist. It is never taken as proof of health.",
            "Find who answers: the best path at that moment is in the evidence. If keys were rotated, give the "
            "responder the new one.",
            "an answer that is not from us is proof enough",
        ),
        Kind.AGENT_LOST: About(
            Severity.WARNING,
            _held(5, 2),
            (Rung.V7,),
            "A site's agent has not reported for ten seconds, or never came. What it would have seen is unknown.",
            "Look at the agent's host and its way to us; its results wait in its spool.",
            "a restart takes a few seconds",
        ),
        Kind.AGENT_TAINTED: About(
            Severity.WARNING,
            _held(5, 10),
            (Rung.V7,),
            "An agent's own loop lags by more than 20 ms for more than a twentieth of the time: what it measures then "
            "is its host, and counts for nothing.",
            "Give the agent's host more CPU, or lower its rates.",
            "one busy moment is everyday",
        ),
        Kind.AGENT_DUPLICATE: About(
            Severity.WARNING,
            _held(5, 10),
            (Rung.V7,),
            "Two agents report for one site at the same time.",
            "Stop one of them, and give it a site and a token of its own.",
            "an agent that restarts overlaps with nobody for so long",
        ),
        Kind.CLOCK_WRONG: About(
            Severity.WARNING,
            _held(2, 10),
            (Rung.V7,),
            "An agent's wall clock is more than a second off ours, or stepped. Its results are dated by its monotonic "
            "clock, so nothing else is wrong.",
            "Look at time synchronisation on the agent's host, and on ours.",
            "two batches that agree",
        ),
        Kind.SITE_UPLINK: About(
            Severity.MAJOR,
            _held(2, 5),
            (Rung.V7,),
            "Nothing at all answers a site, its own gateway included where one is probed: the site or its agent's host "
            "is cut off. Nothing is said of services there.",
            "Look at the agent's host and the site's way out.",
            "as for blackhole, and a little longer",
        ),
        Kind.RESPONDER_SLOW: About(
            Severity.INFO,
            _held(10, 10),
            (Rung.V7,),
            "A responder keeps requests for longer than 20 ms, while the application beside it answers as ever: it is "
            "the responder's own defect, and no latency of the network.",
            "Look at the responder's host: CPU, or a limit on it.",
            "a pause of its own process is everyday",
        ),
    }
)
