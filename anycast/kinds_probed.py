"""Kinds of findings that rest on what probes see, most of them beside what routers say."""

from collections.abc import Mapping
from types import MappingProxyType

from anycast.about import About, held
from anycast.finding import Kind, Severity
from anycast.intent import Rung

PROBED: Mapping[Kind, About] = MappingProxyType(
    {
        Kind.BLACKHOLE: About(
            Severity.CRITICAL,
            held(1, 5),
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
            held(3, 5),
            (Rung.V0, Rung.V1, Rung.V2),
            "An NVA advertises a service whose application behind it does not answer at its own address, seen from two "
            "places or from every place that asks. Critical when no other application of the region answers.",
            "Withdraw the service at that NVA by hand; mend the application, then its health check.",
            "a health check that asks each second withdraws within three",
        ),
        Kind.HEALTHY_BUT_SILENT: About(
            Severity.MAJOR,
            held(5),
            (Rung.V0, Rung.V1, Rung.V2),
            "The applications of a region answer at their own addresses, and the region does not advertise the "
            "service that they stand behind: a healthy region stands idle (critical when no region advertises it).",
            "Look at the health check and the BGP speaker of the region's NVAs.",
            "a health check wants some good answers in a row before it announces again",
        ),
        Kind.DEAD_LEG: About(
            Severity.CRITICAL,
            held(0.25, 10),
            (Rung.V7,),
            "One way through the ECMP groups swallows every flow that is hashed to it, while others work. The subject "
            "names the NVA or the circuit; the evidence counts flows and losses.",
            "Take the leg out of the group: withdraw at that NVA, or shut the session over that circuit.",
            "three losses in a row of several flows are proof; the statistic is the hold-down",
        ),
        Kind.LOSSY_LEG: About(
            Severity.WARNING,
            held(0, 10),
            (Rung.V7,),
            "One leg loses a part of its packets: of all its flows at random (a link that errs, a queue that "
            "overflows), or all packets of some flows and none of others (`per-flow`: a broken member of a bundle "
            "further on). Major from 20 % on.",
            "Look at error and drop counters along the leg that is named; drain it while it is mended.",
            "the statistic (a Bernoulli CUSUM) is the hold-down",
        ),
        Kind.MISROUTED: About(
            Severity.MAJOR,
            held(2, 5),
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
            held(0, 30),
            (Rung.V5, Rung.V6, Rung.V7),
            "A site's traffic moved to another region. Info when an event of BGP explains it, which the evidence "
            "names, or when what BGP did there cannot be seen; a warning when nothing explains it: somebody changed "
            "what we do not see.",
            "Explained: follow the event. Not explained: ask the carrier and look at the edge router's policy.",
            "a third of the fixed flows, or a share that moved by a fifth, is no accident",
        ),
        Kind.CATCHMENT_FLAP: About(
            Severity.MAJOR,
            held(0, 30),
            (Rung.V7,),
            "Flows of a site change their region again and again: three times or more within ten minutes each.",
            "Look for a flapping route or session first; then for equal paths that are chosen anew with each update.",
            "the count is the hold-down",
        ),
        Kind.FIB_DIVERGENCE: About(
            Severity.MAJOR,
            held(10, 10),
            (Rung.V5, Rung.V6, Rung.V7),
            "Forwarding is not what BGP says: a region answers whose route is gone (where it is there and not chosen, "
            "that is `misrouted`), or one of several equal paths never gets a flow although nothing is lost, since its "
            "route went and came back, or while another service still takes several of the same paths.",
            "Compare the router's forwarding table with its BGP table; clear or re-install the route.",
            "routers program their forwarding tables within seconds of a change",
        ),
        Kind.HASH_POLARISED: About(
            Severity.WARNING,
            held(5, 10),
            (Rung.V5, Rung.V7),
            "Equal paths are there, and all flows of every service take one of them, without any event that would "
            "explain it: the hash ignores ports, or two routers in a row use the same one.",
            "Hash by layer 4 at the router that is named; give routers in a row different seeds.",
            "32 flows on one of two legs by chance: once in two billion",
        ),
        Kind.ASYMMETRIC_RETURN: About(
            Severity.WARNING,
            held(5, 10),
            (Rung.V7,),
            "Answers come back another way than the requests went (major where TCP breaks, for the NVA keeps state): "
            "two of these agree: the answers' TTL changed while that of the requests did not, one direction's delay "
            "changed alone, TCP fails where UDP succeeds. Or an NVA answers ports that are in use, and no new one "
            "(major): state is lost on the way.",
            "Make the return path cross the NVA that the request came through: SNAT, or a route on the application's "
            "subnet.",
            "two signals that agree for five seconds, or ten answers to new ports that did not come",
        ),
        Kind.LATENCY_SHIFT: About(
            Severity.WARNING,
            held(1.5, 10),
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
            held(60, 30),
            (Rung.V7,),
            "Another region's applications are closer to the site than the region that answers it, by 10 ms and 20 % "
            "or more, and the intent does not ask for it.",
            "Change the site's tiers, or write down that it is meant.",
            "a matter of design, not of seconds",
        ),
        Kind.JITTER: About(
            Severity.WARNING,
            held(5, 10),
            (Rung.V7,),
            "The round trips of one region to a site scatter much more than before: the spread between the median and "
            "the 95th percentile is four times its baseline and 5 ms or more.",
            "Look for a full queue on the way: utilisation of the circuit, a shaper, a backup that runs.",
            "a burst of five seconds is everyday",
        ),
        Kind.THROUGHPUT_DROP: About(
            Severity.WARNING,
            held(0, 0),
            (Rung.V7,),
            "A bounded transfer reached less than half of what the median of the last ones did, and less than 70 % of "
            "the slowest of them: on a lossy way TCP is fast now and slow then. One alone is information; two in a row "
            "are a warning, and major under a fifth.",
            "Look at the circuit's utilisation and its shaper; repeat the test at a quiet hour.",
            "tests are rare; the severity waits for the second",
        ),
        Kind.MTU_BLACKHOLE: About(
            Severity.MAJOR,
            held(2, 5),
            (Rung.V7,),
            "Packets up to one size arrive and larger ones vanish without a word: nobody says that they are too big, "
            "so connections hang after their handshake.",
            "Clamp the TCP maximum segment size, or let ICMP `fragmentation needed` pass.",
            "the ladder is asked twice",
        ),
        Kind.SLOW_CONVERGENCE: About(
            Severity.MAJOR,
            held(0, 10),
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
            held(1, 5),
            (Rung.V1, Rung.V2, Rung.V5, Rung.V6, Rung.V7),
            "A route stands although what it leads to is gone: its session is down and graceful restart keeps it, or a "
            "hold time has not run out while nothing behind it answers. The evidence says when it will end by itself.",
            "Withdraw it by hand or clear the session; use BFD; keep graceful restart off where forwarding dies with "
            "the speaker.",
            "told beside the blackhole that it causes",
        ),
        Kind.UNREACHABLE: About(
            Severity.CRITICAL,
            held(1, 5),
            (Rung.V7,),
            "No region answers a site for a service, while the site's own way out works. Where its route leads to a "
            "region that is silent and another region is well, `blackhole` says it alone.",
            "Declare the outage for that site; see which rung breaks in the evidence.",
            "as for blackhole",
        ),
        Kind.TCP_BREAK: About(
            Severity.WARNING,
            held(0, 30),
            (Rung.V7,),
            "Long-lived connections were reset or fell silent together: a quarter or more of a site's canaries within "
            "ten seconds. What changed in BGP just before is in the evidence.",
            "Use resilient hashing where members of an ECMP group change; drain before you withdraw.",
            "breaks are events: it is told once and clears by itself",
        ),
        Kind.APP_SLOW: About(
            Severity.WARNING,
            held(5, 10),
            (Rung.V0, Rung.V7),
            "An application's first octet takes much longer than before (three times and 100 ms more), and the network "
            "does not: UDP and the handshake are as fast as ever.",
            "Look at the application of the region that is named.",
            "one slow request is no slow application",
        ),
        Kind.APP_ERRORS: About(
            Severity.MAJOR,
            held(3, 10),
            (Rung.V0, Rung.V7),
            "An application answers with errors: three of its last ten answers, or a tenth of those of the last "
            "minute, have a status of 500 or more, a wrong rcode, a failed TLS handshake, or were cut (critical from "
            "one half on).",
            "Look at the application of the region that is named; take the region out if it does not recover.",
            "a deployment restarts within seconds",
        ),
        Kind.HEALTH_CHECK_DEFECT: About(
            Severity.MAJOR,
            held(10, 10),
            (Rung.V0, Rung.V1),
            "The health check and the application disagree: it keeps advertising for ten seconds and more what does "
            "not answer, or it advertises and withdraws again and again while the application's answers do not "
            "change. Where no application of the service answers anywhere, to keep advertising is no defect.",
            "Mend the health check: what it asks, how often, and how many answers in a row it wants.",
            "longer than any health check that works needs",
        ),
        Kind.IDENTITY_INVALID: About(
            Severity.CRITICAL,
            held(0, 10),
            (Rung.V7,),
            "Somebody answers with an identity that is forged (the code does not match), replayed, out of date, or of "
            "a region that does not exist. It is never taken as proof of health.",
            "Find who answers: the best path at that moment is in the evidence. If keys were rotated, give the "
            "responder the new one.",
            "an answer that is not from us is proof enough",
        ),
        Kind.AGENT_LOST: About(
            Severity.WARNING,
            held(5, 2),
            (Rung.V7,),
            "A site's agent has not reported for ten seconds, or never came. What it would have seen is unknown.",
            "Look at the agent's host and its way to us; its results wait in its spool.",
            "a restart takes a few seconds",
        ),
        Kind.AGENT_TAINTED: About(
            Severity.WARNING,
            held(5, 10),
            (Rung.V7,),
            "An agent's own loop lags by more than 20 ms for more than a twentieth of the time: what it measures then "
            "is its host, and counts for nothing.",
            "Give the agent's host more CPU, or lower its rates.",
            "one busy moment is everyday",
        ),
        Kind.AGENT_DUPLICATE: About(
            Severity.WARNING,
            held(5, 10),
            (Rung.V7,),
            "Two agents report for one site at the same time.",
            "Stop one of them, and give it a site and a token of its own.",
            "an agent that restarts overlaps with nobody for so long",
        ),
        Kind.CLOCK_WRONG: About(
            Severity.WARNING,
            held(2, 10),
            (Rung.V7,),
            "An agent's wall clock is more than a second off ours, or stepped. Its results are dated by its monotonic "
            "clock, so nothing else is wrong.",
            "Look at time synchronisation on the agent's host, and on ours.",
            "two batches that agree",
        ),
        Kind.SITE_UPLINK: About(
            Severity.MAJOR,
            held(2, 5),
            (Rung.V7,),
            "Nothing at all answers a site, its own gateway included where one is probed: the site or its agent's host "
            "is cut off. Nothing is said of services there.",
            "Look at the agent's host and the site's way out.",
            "as for blackhole, and a little longer",
        ),
        Kind.RESPONDER_SLOW: About(
            Severity.INFO,
            held(10, 10),
            (Rung.V7,),
            "A responder keeps requests for longer than 20 ms, while the application beside it answers as ever: it is "
            "the responder's own defect, and no latency of the network.",
            "Look at the responder's host: CPU, or a limit on it.",
            "a pause of its own process is everyday",
        ),
    }
)
