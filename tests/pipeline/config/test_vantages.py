"""Vantages: derived from addresses, overridden and extended by what is written."""

from pathlib import Path

import pytest

from anycast.intent import Intent, Rung, Vantage
from anycast.observation import Rib
from pipeline.config import load
from pipeline.config.load import read
from tests import needs

HEALTHY = (Path(__file__).parent / "mistakes" / "healthy.yaml").read_text()


def intent(added: str = "", **replaced: str) -> Intent:
    text = HEALTHY
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new, 1)
    config, problems = read((text + added).encode(), Path("intent.yaml"))
    assert config is not None, problems
    return config.intent


def by_name(of: Intent) -> dict[str, Vantage]:
    found = {vantage.name: vantage for vantage in of.vantages}
    assert len(found) == len(of.vantages)
    return found


def test_a_collectors_peers_are_known_by_their_addresses() -> None:
    found = by_name(intent())
    assert sorted(found) == [
        "ams-ce1/*", "gobgp/ams-ce1", "gobgp/eus-nva1", "gobgp/eus-nva2", "gobgp/eus-rs0", "gobgp/eus-rs1",
        "gobgp/weu-nva1", "gobgp/weu-nva2", "gobgp/weu-rs0", "gobgp/weu-rs1",
    ]  # fmt: skip
    nva, instance, chosen, heard = (
        found["gobgp/weu-nva1"], found["gobgp/weu-rs0"], found["gobgp/ams-ce1"], found["ams-ce1/*"]
    )  # fmt: skip
    assert (nva.rung, nva.region, nva.nva, nva.whole, nva.prefix_limit) == (Rung.V1, "weu", "weu-nva1", True, 4000)
    assert (instance.rung, instance.region, instance.instance, instance.whole) == (Rung.V2, "weu", "weu-rs0", True)
    assert (chosen.rung, chosen.site, chosen.whole, chosen.rib) == (Rung.V6, "ams", False, Rib.ADJ_IN_PRE)
    assert (heard.rung, heard.site, heard.peer, heard.whole) == (Rung.V5, "ams", None, False)


def test_the_more_particular_vantage_comes_first() -> None:
    peers = [vantage.peer for vantage in intent().vantages]
    assert peers.index(None) == len(peers) - 1


def test_limits_and_timers_flow_into_vantages() -> None:
    found = by_name(intent("limits: {nva: 1000}\ntimers: {hold: 180, V1: 9}\n"))
    assert found["gobgp/weu-nva1"].prefix_limit == 1000
    assert found["gobgp/weu-rs0"].prefix_limit is None
    assert found["gobgp/weu-nva1"].hold_time == 9
    assert {found[name].hold_time for name in ("gobgp/weu-rs0", "gobgp/ams-ce1", "ams-ce1/*")} == {180}


def test_without_timers_any_hold_time_is_fine() -> None:
    assert {vantage.hold_time for vantage in intent().vantages} == {None}


def test_a_written_vantage_adds_a_session_and_leaves_the_wildcard_for_the_others() -> None:
    added = "vantages:\n  msee1: {exporter: ams-ce1, peer: 172.16.0.1, rung: V5, expects: [weu], hold_time: 9}\n"
    found = by_name(intent("timers: {hold: 180}\n" + added))
    assert found["msee1"].site == "ams"
    assert (found["msee1"].expects, found["msee1"].hold_time) == (("weu",), 9)
    assert found["ams-ce1/*"].hold_time == 180


def test_a_written_vantage_named_like_a_derived_one_changes_only_what_it_says() -> None:
    found = by_name(intent("vantages:\n  gobgp/weu-nva1: {exporter: gobgp, prefix_limit: 200}\n"))
    derived = by_name(intent())["gobgp/weu-nva1"]
    changed = found["gobgp/weu-nva1"]
    assert changed.prefix_limit == 200
    assert (changed.peer, changed.rung, changed.nva, changed.region, changed.whole) == (
        derived.peer, derived.rung, derived.nva, derived.region, derived.whole
    )  # fmt: skip


def test_a_written_vantage_of_a_derived_session_takes_its_place() -> None:
    found = by_name(intent("vantages:\n  west: {exporter: gobgp, peer: 10.10.1.4, whole: false}\n"))
    assert "gobgp/weu-nva1" not in found
    assert (found["west"].rung, found["west"].nva, found["west"].whole) == (Rung.V1, "weu-nva1", False)


def test_another_view_of_a_session_is_another_vantage() -> None:
    added = "vantages:\n  chosen: {exporter: ams-ce1, rung: V6, rib: loc}\n"
    found = by_name(intent(added))
    assert (found["chosen"].rib, found["chosen"].site) == (Rib.LOC, "ams")
    assert found["ams-ce1/*"].rib is Rib.ADJ_IN_PRE


def test_an_nva_of_a_written_vantage_brings_its_region() -> None:
    added = "vantages:\n  second: {exporter: gobgp, peer: 10.10.9.9, rung: V1, nva: weu-nva1}\n"
    assert by_name(intent(added))["second"].region == "weu"


def test_a_collector_that_names_regions_peers_with_those_only() -> None:
    replaced = "{addresses: [127.0.0.1], collector: true, regions: [weu], sites: []}"
    found = by_name(intent(**{"{addresses: [127.0.0.1], collector: true}": replaced}))
    assert sorted(found) == ["ams-ce1/*", "gobgp/weu-nva1", "gobgp/weu-nva2", "gobgp/weu-rs0", "gobgp/weu-rs1"]


@pytest.mark.parametrize(("vantage", "rung"), [("ams-msee1", Rung.V5), ("gobgp/eus-rs1", Rung.V2)])
def test_the_example_derives_and_writes_vantages(vantage: str, rung: Rung) -> None:
    found = by_name(load(needs.ROOT / "examples" / "contoso.yaml").intent)
    assert found[vantage].rung is rung
    assert found[vantage].hold_time == 180
