"""Charts and tables of where sites land, piece by piece."""

import re
from dataclasses import replace
from datetime import timedelta

from anycast.catchment import AgentState, Interval, Leg, LegKind, LegState, RegionShare, SiteServiceCatchment
from anycast.charted import LegsChart, SharesChart, Smoke, SmokeChart, Window
from anycast.probe import Probe, Proof
from dashboards.console.attendance import agents
from dashboards.console.axes import Across, Up
from dashboards.console.colours import COLOURS, palette
from dashboards.console.episodes import episodes
from dashboards.console.legs import legs
from dashboards.console.markup import millis, percent
from dashboards.console.matrix import matrix
from dashboards.console.observed import verdict
from dashboards.console.pair_page import WINDOWS, heading, missing, shifts, window_of
from dashboards.console.runbook_page import runbook
from dashboards.console.services import services
from dashboards.console.smoke import smoke
from dashboards.console.strips import shares
from tests.dashboards.landing import NOW, Lands, agent, catchment, episode, moved, told_shift
from tests.dashboards.scene import HOSTILE, situation

HOUR = Window(NOW - timedelta(hours=1), NOW, 30.0)
COLOUR = palette(("weu", "eus"))
NOBODY = Interval(0.0, 0.0, 1.0, 0)


def nowhere(*_: str) -> dict[str, int]:
    return {}


def silent() -> SiteServiceCatchment:
    regions = (RegionShare("weu", Interval(0, 0, 1, 0), 0, True, True, None),)
    return catchment(regions=regions, legs=(), loss=Interval(1.0, 0.98, 1.0, 200))


def test_where_a_site_lands_is_said_in_a_few_words() -> None:
    assert verdict(catchment()) == ("as-meant", "as meant")
    assert verdict(moved("ams", "web")) == ("against", "not where BGP leads")
    assert verdict(replace(moved("ams", "web"), by_bgp=("eus", "weu"))) == ("not-meant", "not as meant")
    assert verdict(replace(moved("ams", "web"), by_bgp=(), intended=())) == ("as-meant", "as meant")
    assert verdict(silent()) == ("against", "nobody answers")
    assert verdict(replace(silent(), loss=NOBODY)) == ("unknown", "not probed")


def test_an_agent_that_cannot_be_believed_makes_nothing_well() -> None:
    for state in set(AgentState) - {AgentState.HEARD}:
        how, word = verdict(catchment(agent=state))
        assert how == "unknown"
        assert word == ("no agent" if state is AgentState.NEVER else f"agent {state}")
        html = matrix([catchment(agent=state)], nowhere, NOW)
        assert "as meant" not in html
        assert "proves nothing of now" in html
    never = matrix([catchment(agent=AgentState.NEVER, heard=None)], nowhere, NOW)
    assert "No agent has reported" in never
    assert "proves nothing" not in matrix([catchment()], nowhere, NOW)


def test_the_matrix_has_what_is_meant_by_bgp_and_seen_with_confidence() -> None:
    html = matrix([catchment(), moved("ams", "dns"), catchment("nyc")], nowhere, NOW)
    assert html.count("data-site=") == 2
    assert html.count("data-service=") == 3
    assert "weu then eus" in html
    assert "82 to 92 %, 29 flows, p50 10.4 ms, p99 19.0 ms" in html
    assert 'href="/catchment/ams/dns"' in html
    assert '<u style="left:82.0%;width:10.0%">' in html


def test_matched_identities_are_marked_and_authenticated_ones_are_not() -> None:
    assert ">authenticated<" in matrix([catchment()], nowhere, NOW)
    assert 'class="proof matched">matched, not authenticated (HTTP)<' in matrix([moved("ams", "dns")], nowhere, NOW)
    assert "proof matched" not in matrix([catchment()], nowhere, NOW)
    assert 'class="proof' not in matrix([silent()], nowhere, NOW)


def test_hosts_of_a_site_without_an_agent_are_counted_by_region() -> None:
    html = matrix([catchment(agent=AgentState.NEVER, heard=None)], lambda *_: {"weu": 34, "eus": 2}, NOW)
    assert "weu 34, eus 2" in html


def test_no_site_says_what_to_do() -> None:
    assert "in the intent file" in matrix([], nowhere, NOW)
    assert "in the intent file" in agents([], NOW)


async def test_smoke_has_a_median_and_bands_for_each_region_and_marks_losses_and_gaps() -> None:
    chart = await Lands().smoke("ams", "web", HOUR)
    html = smoke(chart, COLOUR, [NOW - timedelta(minutes=1)])
    assert html.count('class="median"') == 2
    assert html.count('class="band"') == 6
    assert re.findall("<g [^>]*>", html) == ['<g class="r0" data-region="weu">', '<g class="r1" data-region="eus">']
    assert html.count('class="lost"') == html.count('class="gap"') == html.count('class="mark"') == 1
    assert "lost 1.2 % of" in html
    assert html.count("<title>") == len({each.at for each in chart.bins})
    well = replace(chart, bins=tuple(each for each in chart.bins if not each.lost))
    assert 'class="lost"' not in smoke(well, COLOUR)


def test_one_lost_probe_of_thousands_is_seen() -> None:
    bins = (Smoke(HOUR.start, "weu", 4999, 0, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01), Smoke(HOUR.start, "", 1, 1))
    html = smoke(SmokeChart("ams", "web", HOUR, Probe.UDP, bins), COLOUR)
    [high] = re.findall(r'class="lost" d="M[\d.]+ [\d.]+h[\d.]+v([\d.]+)', html)
    assert float(high) >= 4
    assert "lost 0.02 % of 5,000 probes" in html
    assert "No probe was sent" in smoke(SmokeChart("ams", "web", HOUR, None, ()), COLOUR)


async def test_a_whole_day_of_the_most_steps_is_a_page_and_not_a_flood() -> None:
    day = Window(NOW - timedelta(days=1), NOW, WINDOWS["24h"][2])
    assert len(smoke(await Lands().smoke("ams", "web", day), COLOUR)) < 100_000
    assert len(shares(await Lands().shares("ams", "web", day), COLOUR)) < 60_000


async def test_shares_stand_on_each_other_and_fill_the_whole() -> None:
    chart = await Lands(shifts=(told_shift(),)).shares("ams", "web", HOUR)
    html = shares(chart, COLOUR)
    assert html.count('class="band r') == 2
    heights: dict[str, float] = {}
    for d in re.findall(r'class="band r\d" data-region="\w+" d="([^"]*)"', html):
        for left, high in re.findall(r"M([\d.]+) [\d.]+h[\d.]+v([\d.]+)h", d):
            heights[left] = heights.get(left, 0.0) + float(high)
    assert len(heights) == len(chart.steps)
    assert all(abs(high - 100) < 0.3 for high in heights.values())
    assert html.count('class="mark"') == 1
    assert "No probe with a source port" in shares(replace(chart, steps=()), COLOUR)


async def test_legs_show_what_they_lose_now_and_lost_before_also_those_without_a_flow() -> None:
    chart = await Lands().legs("ams", "web", HOUR)
    html = legs(catchment(), chart)
    assert [re.sub("<.*?>", "", each) for each in re.findall(r'class="leg-state[^>]*>([^<]*)', html)] == [
        "fine",
        "lossy",
        "dead",
    ]
    assert "21 %" in html
    assert "(18 to 24 %)" in html
    assert html.count('class="leg-strip"') == 3
    assert "weu-msee1</b> <small>172.16.0.1</small>" in html
    gone = legs(replace(catchment(), legs=()), chart)
    assert gone.count("no flow since") == 2
    assert "legs are not known" in legs(replace(catchment(), legs=()), None)


def test_agents_say_how_they_are() -> None:
    html = agents([agent(), agent("nyc", state=AgentState.TAINTED, tainted=0.31, skew=31.2, dropped=1200)], NOW)
    assert "agent heard" in html
    assert "agent tainted" in html
    assert "tainted 31 %" in html
    assert "+31.2 s" in html
    assert "+3 ms" in html
    assert "1,200 results" in html
    assert "no ICMP" in agents([agent(lacking=("no CAP_NET_RAW, so no ICMP",))], NOW)
    never = agents([agent(state=AgentState.NEVER, heard=None, run="")], NOW)
    assert "no agent yet" in never
    assert "lags" not in never


def test_episodes_say_how_long_each_part_took_and_which_go_on() -> None:
    html = episodes([episode(), episode(ended=None, detection=1.2, control_plane=None)])
    assert html.count("goes on") == 1
    assert "0.31 s" in html
    assert "27 lost" in html
    assert "Nothing had to converge" in episodes([])


def test_shifts_say_what_explains_them() -> None:
    html = shifts([told_shift()])
    assert "moved from weu to eus" in html
    assert "withdrawn at V1 weu-nva1" in html
    assert "did not move" in shifts([])


def test_the_first_page_shows_who_answers_beside_where_bgp_leads() -> None:
    html = services(situation(), [catchment()])
    assert 'href="/catchment/ams/web"' in html
    assert "weu 100 %" in html
    assert "proof matched" in services(situation(), [replace(moved("ams", "web"), prefix="10.250.0.10/32")])
    assert "agent lost" in services(situation(), [catchment(agent=AgentState.LOST)])
    assert "weu 100 %" not in services(situation(), [catchment(agent=AgentState.LOST)])
    assert "V7" not in services(situation(), [catchment(agent=AgentState.NEVER)])
    assert "V7" not in services(situation())


async def test_hostile_names_pass_every_piece_escaped() -> None:
    regions = tuple(replace(region, region=HOSTILE) for region in catchment().regions)
    leg = Leg(LegKind.NVA, HOSTILE, HOSTILE, HOSTILE, 1, NOBODY, 0.01, LegState.FINE)
    bad = catchment(HOSTILE, HOSTILE, prefix=HOSTILE, regions=regions, legs=(leg,), by_bgp=(HOSTILE,))
    lands = Lands(regions=(HOSTILE, HOSTILE + "2"), shifts=(replace(told_shift(HOSTILE), explained=HOSTILE),))
    pieces = [
        matrix([bad], lambda *_: {HOSTILE: 3}, NOW),
        heading(bad, "1h"),
        missing(HOSTILE, HOSTILE),
        agents([agent(HOSTILE, host=HOSTILE, run=HOSTILE, lacking=(HOSTILE,))], NOW),
        episodes([episode(site=HOSTILE, service=HOSTILE, region=HOSTILE, first=HOSTILE)]),
        smoke(replace(await lands.smoke(HOSTILE, HOSTILE, HOUR)), palette((HOSTILE,))),
        shares(await lands.shares(HOSTILE, HOSTILE, HOUR), palette((HOSTILE,))),
        legs(bad, await lands.legs("ams", "web", HOUR)),
        shifts(lands.shifts),
        services(situation(HOSTILE), [bad]),
    ]
    for html in pieces:
        assert "<script" not in html
        assert "\x1b" not in html
        assert "\u202e" not in html
        assert "&lt;script&gt;" in html
    assert '"/catchment/%3Cscript%3E' in pieces[0]
    long = matrix([catchment(regions=tuple(replace(r, region="x" * 5000) for r in regions))], nowhere, NOW)
    assert "x" * 300 not in long


def test_steps_stay_where_they_are_as_time_passes() -> None:
    one, two = window_of("1h", NOW + timedelta(seconds=1)), window_of("1h", NOW + timedelta(seconds=29))
    assert one == two
    assert one.end == NOW + timedelta(seconds=30)
    assert one.end - one.start == timedelta(hours=1)
    assert window_of("nonsense", NOW) == window_of("1h", NOW)
    for name, (_, length, step) in WINDOWS.items():
        assert 100 <= length / step <= 150, name


def test_scales_have_a_handful_of_round_labels() -> None:
    for name in WINDOWS:
        ticks = Across(window_of(name, NOW)).ticks()
        assert 3 <= len(ticks) <= 8, name
        assert all(tick.second == 0 for tick in ticks)
    for least, most in ((0.0098, 0.02), (0.0, 0.0005), (0.08, 0.0805), (0.001, 2.0), (0.0, 0.0)):
        up = Up.over(least, most, 100)
        assert 2 <= len(up.ticks()) <= 8, (least, most)
        assert 0 <= up.y(most) <= up.y(least) <= 100
    assert Up.over(0.010, 0.02, 100).low == 0.0 or Up.over(0.010, 0.02, 100).low > 0
    assert Up.over(0.08, 0.0805, 100).low > 0.07, "what lies far above zero is shown near"


def test_a_region_has_one_colour_everywhere_and_the_ninth_is_grey() -> None:
    colours = palette(("weu", "eus", "", "weu", *(f"more{n}" for n in range(20))))
    assert (colours["weu"], colours["eus"], "" in colours) == ("r0", "r1", False)
    assert sum(each == "nobody" for each in colours.values()) == 22 - COLOURS


def test_parts_and_times_have_the_digits_that_say_something() -> None:
    assert [percent(part) for part in (0, 1, 0.00001, 0.0017, 0.034, 0.12, 0.994, 0.9999, 0.999999)] == [
        "0 %", "100 %", "< 0.01 %", "0.17 %", "3.4 %", "12 %", "99.4 %", "99.99 %", "99.99 %",
    ]  # fmt: skip
    assert [millis(seconds) for seconds in (None, 0.00123, 0.0104, 0.25)] == ["-", "1.23 ms", "10.4 ms", "250 ms"]


def test_runbooks_are_at_hand_without_links_that_lead_nowhere() -> None:
    written = runbook("missing")
    assert written is not None
    assert written.startswith("# missing")
    assert "](../" not in written
    assert runbook("nonsense") is None


def test_legs_charts_of_nothing_are_nothing() -> None:
    empty = LegsChart("ams", "web", HOUR, ())
    assert "legs are not known" in legs(replace(catchment(), legs=()), empty)
    assert SharesChart("ams", "web", HOUR, None, (), ()).steps == ()
    assert Proof.NONE not in {region.proof for region in moved("ams", "web").regions}
