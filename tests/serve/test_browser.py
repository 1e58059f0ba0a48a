"""The page as a person uses it, by clicks alone: a whole sample on a phone, a tablet and a screen. Needs Chromium and its driver."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from edge.control.records import CameraCommand, FinishSample, StartSample
from edge.health.records import CheckResult, Health, HealthReport
from edge.serve.page import PageParts
from edge.serve.site import SiteOptions
from tests.book.made import a_book, begun, mixed, write
from tests.serve.browser import AXE, browser, complaints, needs_browser, overflow, serious
from tests.serve.fake_engine import PlayedEngine
from tests.serve.person import Person
from tests.serve.served import served

pytestmark = needs_browser

LONG = "a-name-without-a-place-to-break-it-" * 5
HEALTH = HealthReport((CheckResult("camera", Health.FAILED, f"none: {LONG}", "plug one in"),))
OPTIONS = SiteOptions(
    simulated=True,
    faults=("hang", "black"),
    lan=True,
    addresses=("http://192.168.1.7:8400",),
    health=lambda: HEALTH,
    scope=(("objective", "100x"),),
)
WIDTHS = (390, 820, 1280, 1920)
PAGES = (
    "/",
    "/samples",
    "/samples/1",
    "/samples/1/report",
    "/review",
    "/scope",
    "/health",
    "/tablet",
    "/enter",
    "/none",
)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "book.sqlite"
    with a_book(path) as made:
        writer = begun(made)
        write(writer, mixed(6, "S-0001"))
        write(writer, mixed(6, LONG))
    return path


@pytest.fixture
def engine() -> PlayedEngine:
    return PlayedEngine(limit=600, field_s=0.4)


@pytest.fixture
def page(engine: PlayedEngine, book: Path) -> Iterator[tuple[str, PageParts, list[str]]]:
    with served(engine, book, OPTIONS) as made:
        yield made
        assert made[2] == []


@pytest.mark.parametrize("width", WIDTHS[:3])
def test_a_whole_sample_is_counted_by_clicks_alone(
    width: int, page: tuple[str, PageParts, list[str]], engine: PlayedEngine
) -> None:
    with browser(width) as driver:
        at = Person(driver, page[0])
        at.open("/")
        at.start("S-0001")
        at.until(at["begin-said"].is_displayed, "a name that is known is said")
        assert "is in the book already" in at.text("begin-said")
        at["sample-id"].clear()
        at["notes"].send_keys("left slide")
        at.start("S-0042")
        at.until(at["sample"].is_displayed, "the sample shows")
        at.until(lambda: at["boxes"].find_elements(By.TAG_NAME, "rect"), "boxes are drawn")
        at.click("pause")
        at.until(lambda: at.text("hint") == "Paused", "it pauses")
        at.click("resume")
        at.click("sound")
        assert at["sound"].get_attribute("aria-pressed") == "true"
        at.click("hand")
        at.until(lambda: at.text("hint") == "Complete", "it completes")
        assert at.text("cells") == "600 cells"
        assert "parasitized" in at.text("counts")
        assert at.text("flag") == "indeterminate"
        assert "out of focus" in at.text("left-out")
        assert at.text("sample-notes") == "left slide"
        at.start("S-0050")
        at.until(at["next"].is_displayed, "the next one counts")
        at.click("next")
        assert at["sample-id"].get_attribute("value") == "S-0051"
        at.click("begin-go")
        at.until(lambda: at.text("name") == "S-0051", "the sample after it begins")
        at.click("finish")
        at.until(lambda: at.text("hint") == "Finished", "it ends by hand")
        assert complaints(driver) == ["409"] or all("409" in line for line in complaints(driver))
    sent = [command for command in engine.sent if isinstance(command, StartSample | FinishSample)]
    started = [StartSample("S-0042", "left slide"), StartSample("S-0050"), StartSample("S-0051")]
    assert sent == [*started, FinishSample()]
    assert CameraCommand("hand", (("on", 0.0),)) in engine.sent


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_hangs_over_the_side_or_breaks_its_policy(
    width: int, dark: bool, page: tuple[str, PageParts, list[str]]
) -> None:
    with browser(width, dark=dark) as driver:
        at = Person(driver, page[0])
        for target in PAGES:
            at.open(target)
            if target == "/":
                at.start(LONG[:150])
                at.until(at["sample"].is_displayed, "the sample shows")
            if target == "/health":
                at.until(lambda: "plug one in" in at.text("checks"), "the checks show")
            assert overflow(driver) <= 0, target
            assert [line for line in complaints(driver) if "404" not in line] == [], target


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not fetched: tests/serve/fetch_axe (needs npm)")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_has_no_serious_finding(dark: bool, page: tuple[str, PageParts, list[str]]) -> None:
    with browser(1280, dark=dark) as driver:
        at = Person(driver, page[0])
        for target in PAGES:
            at.open(target)
            if target == "/":
                assert serious(driver) == [], "before a sample"
                at.start("S-0060")
                at.until(at["sample"].is_displayed, "the sample shows")
            if target == "/health":
                at.until(lambda: "plug one in" in at.text("checks"), "the checks show")
            assert serious(driver) == [], target


def test_a_page_goes_on_without_server_sent_events(page: tuple[str, PageParts, list[str]]) -> None:
    with browser(820) as driver:
        gone = "delete window.EventSource; delete window.WebSocket; delete window.createImageBitmap;"
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": gone})
        at = Person(driver, page[0])
        at.open("/")
        at.until(lambda: at.text("hint") == "Ready", "the status is asked for instead")
        at.until(lambda: driver.execute_script("return window.framesDrawn") > 3, "pictures come")
        at.start("S-0070")
        at.until(lambda: at.text("hint") == "Complete", "a sample is counted", 60)


def test_everything_is_reached_with_the_keyboard(page: tuple[str, PageParts, list[str]], engine: PlayedEngine) -> None:
    with browser(1280) as driver:
        at = Person(driver, page[0])
        at.open("/")
        at.until(at["begin"].is_displayed, "the form shows")
        reached = []
        for _ in range(40):
            driver.switch_to.active_element.send_keys(Keys.TAB)
            active = driver.switch_to.active_element
            reached.append(active.get_attribute("id") or active.text)
        wanted = {
            "Live",
            "Samples",
            "Review",
            "Scope",
            "Health",
            "show-boxes",
            "sound",
            "sample-id",
            "notes",
            "begin-go",
            "lamp",
            "hand",
        }
        assert wanted <= set(reached)
        at["sample-id"].send_keys("S-0080", Keys.ENTER)
        at.until(at["sample"].is_displayed, "a sample begins by Enter")
    assert StartSample("S-0080") in engine.sent


def test_a_tablet_enters_by_the_code_and_by_typing(page: tuple[str, PageParts, list[str]]) -> None:
    _, parts, _ = page
    with browser(820) as driver:
        at = Person(driver, page[0])
        at.open(f"/enter#{parts.pins.pin}")
        at.until(lambda: driver.current_url == f"{page[0]}/", "the code lets it in")
        at.open("/enter")
        at["pin"].send_keys("1234 5678", Keys.ENTER)
        at.until(at["enter-said"].is_displayed, "a wrong PIN is said")
        at["pin"].send_keys(Keys.CONTROL, "a")
        at["pin"].send_keys(parts.pins.pin, Keys.ENTER)
        at.until(lambda: driver.current_url == f"{page[0]}/", "the PIN lets it in")


def test_a_hostile_name_stays_text_on_the_live_page(page: tuple[str, PageParts, list[str]]) -> None:
    with browser(390) as driver:
        at = Person(driver, page[0])
        at.open("/")
        name = "<img src=x onerror=document.title='in'>"
        at.start(name)
        at.until(lambda: at.text("name") == name, "the name shows as it is")
        assert driver.title == "Live"
