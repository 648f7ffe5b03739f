"""The table of faults: what the requirement names, what the README shows, and words that mean nothing."""

import pytest

from lab.faults import VERBS, FaultError, plan
from lab.faults.table import markdown
from lab.topology import Lab
from tests import needs

LAB = Lab("paper")
REQUIRED = [
    *("withdraw", "kill-app", "kill-nva", "freeze-nva", "silent-drop", "session-down", "flap", "hijack"),
    *("more-specific", "drop-prepend", "change-local-pref", "cut-bmp", "restart-gobgp", "restart-catchment"),
]


def test_every_verb_that_is_required_is_there_and_no_other() -> None:
    assert list(VERBS) == REQUIRED


def test_the_readme_shows_the_table_as_it_is() -> None:
    assert markdown() in (needs.ROOT / "lab" / "README.md").read_text()


def test_every_verb_names_its_witness() -> None:
    for verb in VERBS.values():
        assert any(word in verb.witness for word in ("FIB monitor", "Packet tap"))


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
    ],
)
def test_words_that_mean_nothing_are_answered_with_what_would_be_right(words: str, says: str) -> None:
    verb, *rest = words.split()
    with pytest.raises(FaultError) as refused:
        plan(LAB, verb, rest)
    assert says in str(refused.value)
