"""Where sites land, as the API tells it: a simulated network's agents in the view, and their results in the journal."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from anycast.plain import parse_stamp, stamp
from anycast.probe import AgentReported, Identity, Outcome, Probe, ProbeResult, Proof
from tests.analyzers.probed import at_nva
from tests.pipeline.landing import Recorded, api

AMS_WEB = {"site": "ams", "service": "web"}


@pytest.fixture(scope="module")
def world() -> Recorded:
    """Two sites; one NVA of weu is lost for ten seconds, then ams moves to eus without any event of BGP."""
    made = Recorded()
    made.run(40)
    made.faults = [at_nva("weu-nva1")]
    made.run(10)
    made.faults = []
    made.run(20)
    made.lands["ams", "web"] = ("eus",)
    made.run(50)
    ping = ProbeResult(
        made.now, Probe.REVERSE, "nyc/10.9.0.7", Outcome.ANSWERED, rtt=0.02, seen="10.250.0.10",
        identity=Identity("eus", "eus-nva1"), proof=Proof.AUTHENTICATED,
    )  # fmt: skip
    made.view.apply(AgentReported(made.now, "eus-nva1", "nva-run", 1, (ping,), host="eus-nva1"))
    return made


@pytest.fixture(scope="module")
def window(world: Recorded) -> dict[str, str]:
    return {"from": stamp(world.began), "to": stamp(world.began + timedelta(seconds=120))}


@pytest.fixture(scope="module")
def app(world: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    with api(world, tmp_path_factory.mktemp("landing")) as made:
        yield made


async def asked(app: FastAPI, path: str, **query: Any) -> tuple[int, Any]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        answer = await client.get(path, params=query)
        return answer.status_code, answer.json()


async def told(app: FastAPI, path: str, **query: Any) -> Any:
    status, answer = await asked(app, path, **query)
    assert status == 200, answer
    return answer


async def test_every_site_and_service_says_what_is_meant_what_bgp_says_and_who_answers(app: FastAPI) -> None:
    everything = (await told(app, "/api/v1/catchment"))["catchment"]
    assert {(each["site"], each["service"]) for each in everything} == {
        (site, service) for site in ("ams", "nyc") for service in ("web", "dns", "vdi")
    }
    [ams] = (await told(app, "/api/v1/catchment", **AMS_WEB))["catchment"]
    assert (ams["intended"], ams["by_bgp"], ams["answering"]) == ([["weu"], ["eus"]], ["weu"], ["eus"])
    assert (ams["agent"], ams["probe"]) == ("heard", "udp")
    eus = next(region for region in ams["regions"] if region["region"] == "eus")
    assert (eus["share"]["value"], eus["proof"], eus["intended"], eus["by_bgp"]) == (1.0, "authenticated", True, False)
    assert 0.9 < eus["share"]["low"] < eus["share"]["high"] == 1.0
    assert 0.07 < eus["latency"]["p50"] < 0.09
    weu = next(region for region in ams["regions"] if region["region"] == "weu")
    assert (weu["share"]["value"], weu["proof"]) == (0.0, "none")
    assert {leg["state"] for leg in ams["legs"]} == {"fine"}
    assert "explained" not in ams["shift"]
    assert (await told(app, "/api/v1/catchment", site="nowhere"))["catchment"] == []


async def test_hosts_at_sites_are_counted_by_the_region_that_heard_them(app: FastAPI) -> None:
    [nyc] = (await told(app, "/api/v1/catchment", site="nyc", service="web"))["catchment"]
    assert nyc["hosts"] == {"eus": 1}
    [host] = (await told(app, "/api/v1/catchment/hosts"))["hosts"]
    assert (host["host"], host["region"], host["nva"]) == ("10.9.0.7", "eus", "eus-nva1")
    assert (await told(app, "/api/v1/catchment/hosts", site="ams")) == {"hosts": [], "more": False}


async def test_agents_are_told_with_their_state_and_their_own_words(app: FastAPI) -> None:
    agents = {each["name"]: each for each in (await told(app, "/api/v1/agents"))["agents"]}
    assert agents.keys() == {"ams", "nyc", "eus-nva1"}
    assert (agents["ams"]["state"], agents["ams"]["nva"], agents["ams"]["run"]) == ("heard", False, "run-ams-1")
    assert agents["ams"]["batch"] > 400
    assert (agents["eus-nva1"]["state"], agents["eus-nva1"]["nva"]) == ("new", True)


async def test_history_is_shares_by_step_that_move_when_traffic_did(
    app: FastAPI, world: Recorded, window: dict[str, str]
) -> None:
    history = await told(app, "/api/v1/catchment/history", **AMS_WEB, **window, step="10s")
    assert (history["probe"], history["window"]["step"], history["shifts"]) == ("udp", 10.0, [])
    before, after = history["steps"][2], history["steps"][-2]
    assert [(part["region"], part["share"]["value"]) for part in before["regions"]] == [("weu", 1.0)]
    assert [(part["region"], part["share"]["value"]) for part in after["regions"]] == [("eus", 1.0)]
    assert before["regions"][0]["proof"] == "authenticated"
    assert before["sent"] == before["regions"][0]["answers"] == 50
    silent = [step for step in history["steps"] if step["lost"]]
    assert [parse_stamp(step["at"]) for step in silent] == [world.began + timedelta(seconds=40)]


async def test_smoke_is_by_region_with_losses_and_quantiles(
    app: FastAPI, world: Recorded, window: dict[str, str]
) -> None:
    chart = await told(app, "/api/v1/probes/smoke", site="ams", target="web", **window, bins=12)
    assert (chart["probe"], chart["window"]["step"]) == ("udp", 10.0)
    by_place = {(each["at"], each["region"]): each for each in chart["bins"]}
    first = by_place[stamp(world.began + timedelta(seconds=10)), "weu"]
    assert first["lost"] == 0
    assert 0.0099 < first["least"] < first["p25"] < first["p50"] < first["p75"] < first["p90"] < first["p99"]
    assert first["p99"] < first["most"] < 0.03
    lost = by_place[stamp(world.began + timedelta(seconds=40)), ""]
    assert lost["sent"] == lost["lost"] > 100
    assert "p50" not in lost
    assert 0.07 < by_place[stamp(world.began + timedelta(seconds=100)), "eus"]["p50"] < 0.09
    pings = await told(app, "/api/v1/probes/smoke", site="ams", target="web", probe="icmp", **window)
    assert (pings["probe"], {each["proof"] for each in pings["bins"]}) == ("icmp", {"none"})
    control = await told(app, "/api/v1/probes/smoke", site="ams", target="gateway", **window)
    assert control["probe"] == "icmp"
    assert control["bins"]


async def test_legs_lose_when_their_nva_did(app: FastAPI, world: Recorded, window: dict[str, str]) -> None:
    chart = await told(app, "/api/v1/probes/legs", **AMS_WEB, **window, step="10s")
    legs = {(each["at"], each["name"]): each for each in chart["steps"]}
    then, before = (stamp(world.began + timedelta(seconds=at)) for at in (40, 20))
    assert legs[then, "weu-nva1"]["loss"]["value"] == 1.0
    assert legs[then, "weu-nva2"]["loss"]["value"] == legs[before, "weu-nva1"]["loss"]["value"] == 0.0
    assert legs[before, "weu-nva1"]["latency"] == pytest.approx(0.0115, abs=0.001)
    circuits = {each["name"] for each in chart["steps"] if each["kind"] == "circuit"}
    assert circuits == {"172.16.0.1", "172.16.0.5", "172.16.1.1", "172.16.1.5"}


async def test_results_come_page_by_page_without_a_gap(app: FastAPI, world: Recorded) -> None:
    part = {"from": stamp(world.began + timedelta(seconds=30)), "to": stamp(world.began + timedelta(seconds=35))}
    got: list[Any] = []
    after: dict[str, str] = {}
    while True:
        page = await told(app, "/api/v1/probes", site="ams", target="web", limit=100, **part, **after)
        got += page["probes"]
        if "next" not in page:
            break
        after = {"after": page["next"]}
    sent = [
        result
        for batch in world.batches
        if batch.site == "ams"
        for result in batch.results
        if result.target == "web" and 30 <= (result.at - world.began).total_seconds() < 35
    ]
    assert len(got) == len(sent) > 300
    assert len({(row["run"], row["batch"], row["number"]) for row in got}) == len(got)
    first = got[0]["result"]
    assert first["target"] == "web"
    assert sorted(row["result"]["at"] for row in got) == [row["result"]["at"] for row in got]


async def test_episodes_are_told(app: FastAPI, world: Recorded) -> None:
    episodes = (await told(app, "/api/v1/convergence", **AMS_WEB))["episodes"]
    assert episodes == sorted(episodes, key=lambda each: each["began"], reverse=True)
    assert (await told(app, "/api/v1/convergence", site="nowhere"))["episodes"] == []
    world.view.tick(world.now)
    went = (await told(app, "/api/v1/convergence", **AMS_WEB))["episodes"]
    assert {each["first"] for each in went} >= {"probes were lost"}


async def test_a_question_without_an_answer_is_422_and_a_sentence(app: FastAPI) -> None:
    for path, query, sentence in (
        ("/api/v1/catchment/history", {}, "site: Field required"),
        ("/api/v1/catchment/history", {"site": "ams"}, "service: Field required"),
        ("/api/v1/catchment/history", AMS_WEB | {"step": "1"}, "step: '1' is no length of time; write 30s, 5m, 6h"),
        ("/api/v1/catchment/history", AMS_WEB | {"step": "0s"}, "step 0s makes more than 1000 steps; 87s or more"),
        ("/api/v1/catchment/history", AMS_WEB | {"step": "1s"}, "87s or more is answered"),
        ("/api/v1/catchment/history", AMS_WEB | {"from": "32d"}, "at most 31 days"),
        ("/api/v1/probes/smoke", {"site": "ams"}, "target: Field required"),
        ("/api/v1/probes/smoke", {"site": "ams", "target": "web", "bins": 1001}, "bins: Input should be less than"),
        ("/api/v1/probes/smoke", {"site": "ams", "target": "web", "probe": "smell"}, "probe: Input should be 'icmp', "),
        ("/api/v1/probes/smoke", {"site": "a" * 64, "target": "web"}, "site: String should have at most 63"),
        ("/api/v1/probes/legs", AMS_WEB | {"from": "yesterday"}, "'yesterday' is no time"),
        ("/api/v1/probes", {}, "site: Field required"),
        ("/api/v1/probes", {"site": "ams", "from": "25h"}, "at most 24 hours before it"),
        (
            "/api/v1/probes",
            {"site": "ams", "after": "here"},
            "after: 'here' is no place in this list; give what `next`",
        ),
        ("/api/v1/probes", {"site": "ams", "after": "1.2.3"}, "is no place in this list"),
        ("/api/v1/probes", {"site": "ams", "after": f"{'9' * 30}.1.1.run"}, "is no place in this list"),
        ("/api/v1/convergence", {"limit": 0}, "limit: Input should be greater than or equal to 1"),
    ):
        status, answer = await asked(app, path, **query)
        assert status == 422, (path, query)
        assert sentence in answer["error"], (path, query, answer)
        assert answer.keys() == {"error"}


async def test_names_that_are_sql_are_names(app: FastAPI, window: dict[str, str]) -> None:
    for name in ("' or 1=1 --", "web'; drop view probes; --", "\x00", "%", "*"):
        chart = await told(app, "/api/v1/probes/smoke", site="ams", target=name, **window)
        assert (chart["bins"], "probe" in chart) == ([], False)
        assert (await told(app, "/api/v1/probes", site=name, **window))["probes"] == []
        page = await asked(app, "/api/v1/probes", site="ams", after=f"1.1.1.{name}", **window)
        assert page[0] == 200
