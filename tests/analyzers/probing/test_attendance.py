"""Agents as they are heard and as they speak of themselves."""

from dataclasses import replace
from datetime import timedelta

from analyzers.probing.attendance import attendance
from analyzers.view import View
from anycast.catchment import AgentState
from anycast.probe import AgentReported
from tests.analyzers.network import START
from tests.analyzers.probed import Probed, probed_intent


def states(view: View, seconds: float) -> dict[str, AgentState]:
    return {each.name: each.state for each in attendance(view.probing, START + timedelta(seconds=seconds))}


def report(seconds: float, sequence: int, **more: object) -> AgentReported:
    said = AgentReported(START + timedelta(seconds=seconds), "ams", "run-1", sequence, host="ams-client", skew=0.2)
    return replace(said, **more)  # type: ignore[arg-type]


def test_an_agent_is_never_new_heard_and_lost_and_each_is_told_apart() -> None:
    view = View(probed_intent())
    assert states(view, 0) == {"ams": AgentState.NEVER, "nyc": AgentState.NEVER}
    for n in range(1, 21):
        view.apply(report(n / 4, n))
    assert states(view, 1.0)["ams"] is AgentState.NEW
    assert states(view, 5.1) == {"ams": AgentState.HEARD, "nyc": AgentState.NEVER}
    assert states(view, 15.2)["ams"] is AgentState.LOST


def test_what_an_agent_says_of_itself_is_told_and_what_it_gave_up_is_added() -> None:
    view = View(probed_intent())
    view.apply(report(1, 1, dropped=5, unsent=2, lacking=("no CAP_NET_RAW, so no ICMP",), lag=0.004))
    view.apply(report(2, 2, dropped=1, late=True, lag=9.0, host="elsewhere"))
    view.apply(report(3, 3, unsent=1, skew=None, lag=0.002, tainted=0.5))
    [ams, _] = attendance(view.probing, START + timedelta(seconds=3))
    assert (ams.run, ams.batch, ams.host, ams.meant, ams.nva) == ("run-1", 3, "ams-client", True, False)
    assert (ams.dropped, ams.unsent, ams.late) == (6, 3, 1)
    assert (ams.skew, ams.lag, ams.lacking) == (0.2, 0.002, ())
    assert ams.tainted == 0.25
    assert ams.state is AgentState.TAINTED


def test_an_agent_that_reported_before_a_restart_of_ours_is_lost_and_not_one_that_never_was() -> None:
    view, again = View(probed_intent()), View(probed_intent())
    view.apply(report(1, 1))
    again.probing.restore(view.probing.plain())
    assert states(again, 2)["ams"] is AgentState.LOST


def test_agents_of_a_whole_network_are_heard_and_say_how_many_targets_they_have() -> None:
    world = Probed(services=("web", "dns"))
    found = attendance(world.view.probing, world.now)
    assert {(each.name, each.state) for each in found} == {("ams", AgentState.HEARD), ("nyc", AgentState.HEARD)}
    assert {each.targets for each in found} == {len(tuple(world.targets("ams")))}
