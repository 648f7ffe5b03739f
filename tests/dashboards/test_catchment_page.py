"""The pages of where sites land in a real browser, over a filled view and a filled journal, with a hostile agent."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import needs
from tests.dashboards.test_page import CROWDED

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("data")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    argv = [sys.executable, "-m", "tests.dashboards.serving", str(port), str(folder)]
    served = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert served.stdout is not None
    try:
        assert served.stdout.readline() == "serving\n"
        yield f"http://127.0.0.1:{port}"
    finally:
        served.kill()
        served.wait()
        served.stdout.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=needs.tool("chromium"), args=flags)
        yield made
        made.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    made = browser.new_page(viewport={"width": 1400, "height": 900})
    broken: list[str] = []
    made.on("pageerror", lambda error: broken.append(str(error)))
    yield made
    made.close()
    assert broken == []


def test_the_matrix_says_where_each_site_lands_and_leads_to_its_page(address: str, page: Page) -> None:
    page.goto(f"{address}/catchment")
    block = page.locator("[data-site=ams] [data-service=web]")
    expect(block).to_contain_text("not where BGP leads")
    expect(block.locator("[data-region=eus] .much")).to_have_text("100 %")
    expect(block).to_contain_text("authenticated")
    expect(page.locator("[data-site=nyc] header").first).to_contain_text("agent heard")
    block.locator("a").click()
    expect(page).to_have_url(f"{address}/catchment/ams/web")
    expect(page.locator("h2").first).to_have_text("ams → web")
    page.locator("nav a", has_text="Services").click()
    expect(page.locator("section.service h2")).to_have_text("web")
    page.locator(".block.site a").click()
    expect(page).to_have_url(f"{address}/catchment/ams/web")


def test_the_page_of_a_pair_shows_round_trips_shares_legs_and_its_agent(address: str, page: Page) -> None:
    page.goto(f"{address}/catchment/ams/web?window=10m")
    expect(page.locator(".smoke .median")).to_have_count(2, timeout=15_000)
    expect(page.locator(".smoke .lost")).to_have_count(1)
    expect(page.locator(".strip .band")).to_have_count(2)
    expect(page.locator(".leg-state").first).to_have_text("fine")
    expect(page.locator(".plain", has_text="eus-nva1").first).to_be_visible()
    expect(page.locator(".plain", has_text="no flow since").first).to_contain_text("weu-nva1")
    expect(page.locator(".windows a[aria-current]")).to_have_text("10 min")
    expect(page.locator("body")).to_contain_text("agent heard")


@pytest.mark.parametrize("window", ["10m", "1h", "6h", "24h"])
def test_every_window_can_be_chosen(address: str, page: Page, window: str) -> None:
    page.goto(f"{address}/catchment/ams/web")
    page.locator(f'.windows a[href$="window={window}"]').click()
    expect(page.locator(".smoke svg")).to_be_visible(timeout=15_000)
    assert 3 <= page.locator(".smoke .x").count() <= 8


@pytest.mark.parametrize("path", ["/catchment", "/catchment/nyc/web?window=10m", "/"])
def test_what_a_hostile_agent_says_is_text_and_breaks_nothing(address: str, page: Page, path: str) -> None:
    page.goto(f"{address}{path}")
    if "nyc" in path:
        expect(page.locator(".strip + .legend")).to_contain_text("<script>window.owned=1</script>", timeout=15_000)
        expect(page.locator(".leg-strip").first).to_be_visible()
    page.wait_for_timeout(1500)
    assert page.evaluate("window.owned") is None
    assert page.locator("img[src=x]").count() == 0
    seen = page.locator("body").inner_text()
    assert not set(seen) & {"\x00", "\x07", "\x1b", "\u202e"}


@pytest.mark.parametrize("path", ["/catchment", "/catchment/ams/web", "/catchment/nyc/web?window=10m", "/nothing/here"])
def test_nothing_overflows_at_any_width(address: str, page: Page, path: str) -> None:
    page.goto(f"{address}{path}")
    if path.startswith("/catchment/"):
        expect(page.locator(".smoke")).to_be_visible(timeout=15_000)
    for width in (1400, 1000, 700, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(CROWDED) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_pair_that_there_is_not_says_so_and_so_does_a_runbook(address: str, page: Page) -> None:
    page.goto(f"{address}/catchment/%3Cimg%20src%3Dx%20onerror%3D%22window.owned%3D1%22%3E/web")
    said = 'The intent names no service web at a site <img src=x onerror="window.owned=1">'
    expect(page.locator("body")).to_contain_text(said)
    page.goto(f"{address}/runbooks/nonsense")
    expect(page.locator("body")).to_contain_text("There is no kind of finding nonsense")
    page.goto(f"{address}/runbooks/missing")
    expect(page.locator(".runbook h1")).to_have_text("missing")
    assert page.evaluate("window.owned") is None


def test_a_finding_leads_to_its_runbook(address: str, page: Page) -> None:
    page.goto(address)
    page.locator("[data-kind=missing] summary").click()
    page.locator("[data-kind=missing] a").first.click()
    expect(page).to_have_url(f"{address}/runbooks/missing")


def test_nothing_is_asked_of_any_other_host(address: str, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in ("/catchment", "/catchment/ams/web", "/runbooks/missing"):
        page.goto(f"{address}{path}")
        page.wait_for_timeout(1000)
    ours = (address, address.replace("http", "ws"), "data:")
    assert asked
    assert [url for url in asked if not url.startswith(ours)] == []
