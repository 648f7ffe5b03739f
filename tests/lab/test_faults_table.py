"""The table of faults: what the requirement names, what the README shows, and words that mean nothing."""

import pytest

from lab.faults import VERBS, FaultError, plan
from lab.faults.table import markdown
from lab.topology import Lab
from tests import needs

LAB = Lab("paper")
INDEPENDENT = ("FIB monitor", "Packet tap", "nftables counters", "kernel's", "delay line", "user on the server")
REQUIRED = [
    *("withdraw", "kill-app", "kill-nva", "freeze-nva", "silent-drop", "session-down", "flap", "hijack"),
    *("more-specific", "drop-prepend", "change-local-pref", "cut-bmp", "restart-gobgp", "restart-catchment"),
    *(
        "impostor",
        "blackhole",
        "dead-leg",
        "lossy-leg",
        "flow-loss",
        "mtu",
        "remove-return",
        "remove-snat",
        "asymmetric",
    ),
    *("polarise", "fib-stuck", "latency", "jitter", "noise", "narrow", "slow-app", "failing-app", "stuck-health"),
    *("kill-agent", "starve-agent", "clock-step", "cut-agent", "cut-site"),
]


def test_every_verb_that_is_required_is_there_and_no_other() -> None:
    assert list(VERBS) == REQUIRED


def test_the_readme_shows_the_table_as_it_is() -> None:
    assert markdown() in (needs.ROOT / "lab" / "README.md").read_text()


def test_every_verb_names_its_witness() -> None:
    for verb in VERBS.values():
        assert any(word in verb.witness for word in INDEPENDENT)


@pytest.mark.parametrize(
    ("words", "target"),
    [
        ("withdraw", "web in weu"),
        ("withdraw dns eus", "dns in eus"),
        ("withdraw weu-nva2 vdi", "vdi in weu-nva2"),
        ("kill-app eus-app1", "eus-app1"),
        ("kill-nva", "weu-nva1"),
        ("freeze-nva eus-nva2", "eus-nva2"),
        ("silent-drop", "weu-nva1"),
        ("session-down", "weu-msee1 and ams-ce1"),
        ("session-down ams-ce1 eus-msee2", "eus-msee2 and ams-ce1"),
        ("session-down collector nyc-ce1", "nyc-ce1 and collector"),
        ("session-down collector weu-rs0", "weu-rs0 and collector"),
        ("flap", "web in weu, 4 times"),
        ("flap eus vdi 2", "vdi in eus, 2 times"),
        ("hijack", "10.250.0.10/32 from nyc-rogue"),
        ("drop-prepend", "dns in eus"),
        ("change-local-pref", "weu at ams-ce1: 150 in place of 200"),
        ("change-local-pref eus 50", "eus at ams-ce1: 50 in place of 100"),
        ("cut-bmp", "ams-ce1 with a reset"),
        ("cut-bmp gobgp --silent", "gobgp silently"),
        ("restart-gobgp", "gobgp"),
        ("impostor", "10.250.0.10/32 from nyc-rogue"),
        ("blackhole", "web in weu"),
        ("blackhole eus-nva1 vdi", "vdi in eus-nva1"),
        ("dead-leg", "weu-nva1"),
        ("dead-leg eus-msee2", "eus-msee2"),
        ("lossy-leg", "weu-nva1, 20 %"),
        ("lossy-leg 5% weu-msee1", "weu-msee1, 5 %"),
        ("flow-loss eus-nva1 12.5", "eus-nva1, 12.5 % of flows"),
        ("mtu", "weu, 1400 octets"),
        ("mtu eus-msee1 1300", "eus-msee1, 1300 octets"),
        ("remove-return", "weu"),
        ("remove-return eus-nva2", "eus-nva2"),
        ("remove-snat", "weu"),
        ("asymmetric", "weu-nva1"),
        ("polarise", "weu-gw"),
        ("polarise nyc-ce1", "nyc-ce1"),
        ("fib-stuck", "web at ams-ce1"),
        ("latency", "ams-weu, 20 ms more"),
        ("latency nyc 3", "nyc, 3 ms more"),
        ("jitter nyc-eus 8", "nyc-eus, up to 8 ms"),
        ("noise", "all wires, 0.1 % lost, jitter up to 2 ms"),
        ("noise ams 1 0", "ams, 1 % lost, jitter up to 0 ms"),
        ("narrow", "ams-weu, 10 Mbit/s"),
        ("slow-app", "weu, 800 ms"),
        ("failing-app eus-app1 10", "eus-app1, 10 %"),
        ("stuck-health", "weu"),
        ("kill-agent", "ams"),
        ("starve-agent nyc", "nyc"),
        ("clock-step nyc -2.5", "nyc, -2.5 s"),
        ("cut-agent", "ams"),
        ("cut-site nyc", "nyc"),
    ],
)
def test_words_choose_the_target(words: str, target: str) -> None:
    verb, *rest = words.split()
    assert plan(LAB, verb, rest).target == target


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("explode", "there are withdraw, kill-app"),
        ("withdraw mail", "no service (web, dns, vdi)"),
        ("kill-app weu-nva1", "weu-app1"),
        ("kill-nva weu", "weu-nva1, weu-nva2, eus-nva1, eus-nva2"),
        ("freeze-nva weu-nva1 weu-nva2", "say one of"),
        ("session-down weu-msee1", "weu-msee1 has sessions with weu-gw, ams-ce1"),
        ("session-down weu-msee1 eus-msee1", "weu-msee1 has sessions with"),
        ("flap 0", "at least once"),
        ("flap 1 2", "one number"),
        ("hijack web", "takes no words"),
        ("drop-prepend weu", "weu does not prepend dns"),
        ("change-local-pref nyc-ce1", "nyc-ce1 sets no LOCAL_PREF"),
        ("change-local-pref ams-ce1 weu 1 2", "an edge router, a region and a number"),
        ("change-local-pref mars", "an edge router, a region and a number"),
        ("cut-bmp --loudly", "--reset or --silent"),
        ("cut-bmp weu-rs0", "ams-ce1, nyc-ce1, gobgp"),
        ("restart-catchment --softly", "--kill, or nothing"),
        ("restart-catchment", "no Catchment is registered"),
        ("impostor web", "takes no words"),
        ("blackhole mail", "no service (web, dns, vdi)"),
        ("dead-leg ams-ce1", "weu-nva1, weu-nva2, weu-msee1"),
        ("dead-leg weu-nva1 20", "say one of"),
        ("lossy-leg weu-nva1 120", "a percentage"),
        ("flow-loss 1 2", "a percentage"),
        ("mtu weu 9000", "from 576 to 1499"),
        ("mtu ams-ce1", "a region or circuit"),
        ("remove-return ams", "a region or an NVA"),
        ("remove-snat weu-app1", "a region or an NVA"),
        ("asymmetric weu", "say one of weu-nva1"),
        ("polarise weu-nva1", "ams-ce1, nyc-ce1"),
        ("fib-stuck weu-gw", "say one of ams-ce1, nyc-ce1"),
        ("latency weu", "say one of ams-weu"),
        ("latency ams 1 2", "at most 1 numbers"),
        ("noise 1 2 3", "at most 2 numbers"),
        ("slow-app weu-nva1", "an application server"),
        ("failing-app 1 2", "an application server"),
        ("kill-agent weu", "say one of ams, nyc"),
        ("clock-step ams 1 2", "and a number"),
        ("cut-agent 3", "say one of ams, nyc"),
        ("stuck-health weu-nva1", "an application server"),
    ],
)
def test_words_that_mean_nothing_are_answered_with_what_would_be_right(words: str, says: str) -> None:
    verb, *rest = words.split()
    with pytest.raises(FaultError) as refused:
        plan(LAB, verb, rest)
    assert says in str(refused.value)
