"""All judgements. An analyzer says what is wrong now; the ledger says what changed."""

from collections.abc import Callable, Iterator
from datetime import datetime

from analyzers.agents import agent_duplicate, agent_lost, agent_tainted, clock_wrong
from analyzers.applications import app_errors, app_slow, responder_slow
from analyzers.blackhole import blackhole, site_uplink, unreachable
from analyzers.canaries import tcp_break
from analyzers.catchments import catchment_flap, catchment_shift, misrouted
from analyzers.drift import attribute_drift
from analyzers.everywhere import cascade, missing_everywhere, redundancy_low
from analyzers.flapping import flapping
from analyzers.forwarding import fib_divergence, hash_polarised
from analyzers.healthchecks import advertised_while_dead, health_check_defect, healthy_but_silent
from analyzers.latency import jitter, latency_shift
from analyzers.legs import dead_leg, lossy_leg
from analyzers.limits import prefix_limit
from analyzers.missing import missing
from analyzers.nearer import suboptimal_region
from analyzers.prepends import prepend_added, prepend_lost
from analyzers.ranges import covering_route, more_specific, overlap
from analyzers.returning import asymmetric_return
from analyzers.selection import backup_active, ecmp_shrunk
from analyzers.sessions import blind, session_down
from analyzers.settling import slow_convergence
from analyzers.sinks import sink_failing
from analyzers.sizes import mtu_blackhole
from analyzers.skew import instance_skew
from analyzers.stale import stale_route
from analyzers.strangers import identity_invalid
from analyzers.transfers import throughput_drop
from analyzers.unexpected import unexpected_next_hop, unexpected_origin, unexpected_region
from analyzers.view import View
from anycast.finding import Finding
from anycast.intent import Intent

Analyzer = Callable[[View, Intent, datetime], Iterator[Finding]]

ANALYZERS: tuple[Analyzer, ...] = (
    missing,
    missing_everywhere,
    unexpected_origin,
    unexpected_region,
    unexpected_next_hop,
    more_specific,
    covering_route,
    instance_skew,
    attribute_drift,
    prepend_lost,
    prepend_added,
    backup_active,
    ecmp_shrunk,
    redundancy_low,
    cascade,
    session_down,
    flapping,
    overlap,
    prefix_limit,
    blind,
    blackhole,
    advertised_while_dead,
    healthy_but_silent,
    dead_leg,
    lossy_leg,
    misrouted,
    catchment_shift,
    catchment_flap,
    fib_divergence,
    hash_polarised,
    asymmetric_return,
    stale_route,
    unreachable,
    health_check_defect,
    site_uplink,
    latency_shift,
    suboptimal_region,
    jitter,
    throughput_drop,
    mtu_blackhole,
    slow_convergence,
    tcp_break,
    app_slow,
    app_errors,
    identity_invalid,
    agent_lost,
    agent_tainted,
    agent_duplicate,
    clock_wrong,
    responder_slow,
    sink_failing,
)


def judge(view: View, intent: Intent, now: datetime) -> tuple[Finding, ...]:
    """Return everything that is wrong now, each key once. `intent` is the one that the view has."""
    found = {finding.key: finding for analyzer in ANALYZERS for finding in analyzer(view, intent, now)}
    return tuple(found.values())
