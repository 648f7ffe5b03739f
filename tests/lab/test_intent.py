"""The lab's intent is one that Catchment reads, and it says what the lab is."""

from pathlib import Path

import pytest

from anycast.intent import Rung
from lab.intent import render
from lab.topology import SERVICES, Lab, Role, Timers
from pipeline.config import check, load


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "lab.yaml"
    path.write_text(render(Lab()))
    return path


def test_check_has_nothing_to_say_about_it(written: Path) -> None:
    assert check(written) == ()


def test_check_says_more_when_the_vpn_is_not_spoken_of(written: Path) -> None:
    """There the prepend decides; over ExpressRoute alone it would be stripped."""
    written.write_text(written.read_text().replace(', as_path: "65020$"', ""))
    assert any("strips the private AS 65020" in str(problem) for problem in check(written))


def test_every_session_of_the_collector_and_of_the_edges_has_a_meaning(written: Path) -> None:
    lab, intent = Lab(), load(written).intent
    rungs = {Role.NVA: Rung.V1, Role.ROUTE_SERVER: Rung.V2, Role.EDGE: Rung.V6}
    meant = {(each.exporter, each.peer): each for each in intent.vantages}
    for session in lab.sessions_of("collector"):
        far = lab.by_name[session.listener.node]
        assert meant["gobgp", far.address].rung is rungs[far.role]
    for edge in lab.of(Role.EDGE):
        for session in lab.sessions_of(edge.name):
            far = lab.by_name[session.far(edge.name).node]
            if far.role in (Role.MSEE, Role.VPN):
                vantage = meant[edge.name, session.far(edge.name).address]
                assert (vantage.rung, vantage.expects, vantage.hold_time) == (Rung.V5, (far.place,), 9)


def test_services_and_their_prepends_are_the_labs(written: Path) -> None:
    services = {service.name: service for service in load(written).intent.services}
    assert services.keys() == {service.name for service in SERVICES}
    for service in SERVICES:
        assert services[service.name].prefixes == (service.prefix,)
        assert {each.region: each.prepend for each in services[service.name].placements} == dict(service.prepends)


def test_timers_page_and_receiver_are_the_ones_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(render(Lab("two", 1), Timers.AZURE, webhook="http://127.0.0.1:9009/hook"))
    config = load(path)
    assert config.listen.http.port == 8471
    assert {each.hold_time for each in config.intent.vantages} == {180}
    assert [each.url for each in config.intent.receivers] == ["http://127.0.0.1:9009/hook"]


def test_the_page_listens_where_it_is_told_to_and_on_loopback_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(render(Lab(), page=9))
    assert str(load(path).listen.http) == "127.0.0.1:9"
    path.write_text(render(Lab(), page=9, host="0.0.0.0"))
    assert str(load(path).listen.http) == "0.0.0.0:9"
