"""The page in a real browser, fed by a scene that the test changes."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests import needs

pytestmark = pytest.mark.browser


@pytest.fixture
def address() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    served = subprocess.Popen(
        [sys.executable, "-m", "tests.dashboards.test_page", str(port)], stdout=subprocess.PIPE, text=True
    )
    assert served.stdout is not None
    assert served.stdout.readline() == "serving\n"
    yield f"http://127.0.0.1:{port}"
    served.kill()
    served.wait()
    served.stdout.close()


@pytest.fixture
def page() -> Iterator[Page]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=needs.tool("chromium"), args=flags)
        yield browser.new_page(viewport={"width": 1400, "height": 900})
        browser.close()


def test_the_page_shows_services_findings_and_events_as_they_come(address: str, page: Page) -> None:
    page.goto(address)
    expect(page.locator("section.service h2")).to_have_text("web")
    expect(page.locator("[data-presence=present]")).to_contain_text("weu-rs0")
    expect(page.locator("[data-kind=missing]")).to_have_count(1)
    expect(page.locator("[data-what=withdrawn]").first).to_be_visible(timeout=10_000)


def test_what_a_router_chose_is_text_and_never_script(address: str, page: Page) -> None:
    page.goto(address)
    expect(page.locator("[data-kind=missing] summary")).to_contain_text("<script>window.owned=1</script>")
    expect(page.locator("[data-what=withdrawn]").first).to_contain_text("<script>", timeout=10_000)
    assert page.evaluate("window.owned") is None


def test_nothing_is_asked_of_any_other_host(address: str, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    expect(page.locator("section.service")).to_be_visible()
    assert asked
    assert [url for url in asked if not url.startswith((address, address.replace("http", "ws"), "data:"))] == []


CROWDED = """() => [...document.querySelectorAll('.console, .console *')].filter(
    each => each.getBoundingClientRect().right > innerWidth + 1
        || each.clientWidth && each.scrollWidth > each.clientWidth + 1
).map(each => `${each.tagName}.${each.getAttribute("class")} ${each.textContent.slice(0, 40)}`)"""


@pytest.mark.parametrize("width", [1400, 1100, 800, 390])
def test_nothing_overflows_at_any_width(address: str, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address)
    expect(page.locator("[data-what=withdrawn]").first).to_be_visible(timeout=10_000)
    assert page.evaluate(CROWDED) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_where_there_is_one_column_what_is_wrong_comes_before_the_services(address: str, page: Page) -> None:
    page.set_viewport_size({"width": 800, "height": 900})
    page.goto(address)
    finding, service = (page.locator(each).first.bounding_box() for each in ("article.finding", "section.service"))
    assert finding is not None
    assert service is not None
    assert finding["y"] < service["y"]


def _serve(port: int) -> None:
    import uvicorn
    from fastapi import FastAPI

    from dashboards.console import mount
    from tests.dashboards.scene import HOSTILE, Scene, event

    app, scene = FastAPI(), Scene()
    mount(app, scene, lambda: "test")
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))

    async def main() -> None:
        running = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.05)
        sys.stdout.write("serving\n")
        sys.stdout.flush()
        for number in range(1, 1000):
            scene.queue.put_nowait(event(number, HOSTILE))
            await asyncio.sleep(0.3)
        await running

    asyncio.run(main())


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
