"""Where sites land as metrics, made from the present when they are asked for. What cannot be believed is left out."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from anycast.agent import AgentStatus
from anycast.catchment import AgentState, Leg, SiteServiceCatchment
from anycast.ports import Landing
from pipeline.own import age

MOST_LEGS = 32  # of one service at one site
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,62}")
"""What a leg is called that makes a series: an agent that makes names up makes none."""
PAIR = ("site", "service")
REGION = (*PAIR, "region")
UP = (AgentState.HEARD, AgentState.NEW, AgentState.TAINTED)


class LandingCollector(Collector):
    """Shares, loss, round trips and legs of sites whose agents are heard, and the agents themselves."""

    def __init__(self, landing: Landing) -> None:
        self._landing = landing

    def collect(self) -> Iterable[Metric]:
        """Make every family anew."""
        found = [each for each in self._landing.now() if each.agent is AgentState.HEARD]
        yield from _shares(found)
        yield _trips(found)
        yield _loss(found)
        yield _fits(self._landing.now())
        yield from _legs(found)
        yield from _agents([agent for agent in self._landing.agents() if not agent.nva])

    def describe(self) -> Iterable[Metric]:
        """Nothing to say before there is a present."""
        return ()


def _gauge(name: str, said: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"catchment_{name}", said, labels=labels)


def _shares(found: Sequence[SiteServiceCatchment]) -> Iterator[Metric]:
    share = _gauge("site_share_ratio", "A region's part in a site's answers, of probes from new source ports.", *REGION)
    low = _gauge("site_share_low_ratio", "The least that the share may be, with 95 % confidence.", *REGION)
    high = _gauge("site_share_high_ratio", "The most that the share may be, with 95 % confidence.", *REGION)
    for each in found:
        for region in each.regions:
            if region.share.samples:
                labels = [each.site, each.service, region.region]
                share.add_metric(labels, region.share.value)
                low.add_metric(labels, region.share.low)
                high.add_metric(labels, region.share.high)
    yield from (share, low, high)


def _trips(found: Sequence[SiteServiceCatchment]) -> Metric:
    family = _gauge("site_round_trip_seconds", "Round trips of the last two minutes, by quantile.", *REGION, "quantile")
    for each in found:
        for region in each.regions:
            if (took := region.latency) is not None and region.share.value:
                values = (("0", took.least), ("0.5", took.p50), ("0.9", took.p90), ("0.99", took.p99), ("1", took.most))
                for quantile, value in values:
                    family.add_metric([each.site, each.service, region.region, quantile], value)
    return family


def _loss(found: Sequence[SiteServiceCatchment]) -> Metric:
    family = _gauge("site_loss_ratio", "What of a site's probes to a service was lost in two minutes.", *PAIR)
    for each in found:
        if each.loss.samples:
            family.add_metric([each.site, each.service], each.loss.value)
    return family


def _fits(found: Sequence[SiteServiceCatchment]) -> Metric:
    said = "1 for how a site lands: as-meant, not-as-meant, against-bgp, silent, not-probed, unseen."
    family = _gauge("site_fit", said, *PAIR, "fit")
    for each in found:
        family.add_metric([each.site, each.service, str(each.fit)], 1.0)
    return family


def _legs(found: Sequence[SiteServiceCatchment]) -> Iterator[Metric]:
    loss = _gauge("leg_loss_ratio", "What a leg's fixed flows lost, of their last 64 probes.", *PAIR, "kind", "leg")
    flows = _gauge("leg_flows", "Fixed flows that take a leg.", *PAIR, "kind", "leg")
    for each in found:
        for leg in islice(filter(_named, each.legs), MOST_LEGS):
            labels = [each.site, each.service, str(leg.kind), leg.name]
            loss.add_metric(labels, leg.loss.value)
            flows.add_metric(labels, leg.flows)
    yield from (loss, flows)


def _named(leg: Leg) -> bool:
    return NAME.fullmatch(leg.name) is not None


def _agents(found: Sequence[AgentStatus]) -> Iterator[Metric]:
    heard = _gauge("agent_heard_age_seconds", "Since an agent's last batch was taken; absent where none was.", "site")
    unsent = CounterMetricFamily(
        "catchment_agent_unsent", "Probes that were due at an agent and not sent.", labels=["site"]
    )
    up = _gauge("agent_up", "Whether a site's agent was heard within ten seconds.", "site")
    tainted = _gauge("agent_tainted_ratio", "The part of its last seconds in which an agent's loop lagged.", "site")
    lag = _gauge("agent_loop_lag_seconds", "99th percentile of an agent's loop lag, as it says.", "site")
    skew = _gauge("agent_clock_skew_seconds", "An agent's wall clock minus ours.", "site")
    for agent in found:
        here = agent.state in UP
        up.add_metric([agent.name], float(here))
        unsent.add_metric([agent.name], agent.unsent)
        if agent.heard is not None:
            heard.add_metric([agent.name], age(agent.heard))
        if here:
            tainted.add_metric([agent.name], agent.tainted)
            lag.add_metric([agent.name], agent.lag)
            if agent.skew is not None:
                skew.add_metric([agent.name], agent.skew)
    yield from (up, heard, unsent, tainted, lag, skew)
