"""The review as people do it, in a real Chromium: by keys, by touch, two at once, with a network that goes away."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from edge.review.desk import BookDesk
from edge.review.records import ReaderDecision, Stratum
from edge.serve.review_queue import MOST_REPEATS
from tests.book.made import a_book, begun, mixed, write
from tests.serve.browser import AXE, browser, complaints, needs_browser, overflow, serious
from tests.serve.fake_desk import FakeDesk, slide_plan
from tests.serve.fake_engine import FakeEngine
from tests.serve.person import Person
from tests.serve.served import free, served
from tests.serve.slide_book import slide_book
from tests.serve.test_review import VERDICT

pytestmark = needs_browser

ROOT = Path(__file__).parent.parent.parent
PAGE = "/samples/1/review"
PLAN = slide_plan(12)
TOP = [cell.cell for cell in PLAN.parts[0].cells]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "book.sqlite"
    with a_book(path) as made:
        write(begun(made), mixed(6, "S-0001"))
    return path


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk(PLAN)


@pytest.fixture
def address(book: Path, desk: FakeDesk) -> Iterator[str]:
    with served(FakeEngine(), book, review=desk.parts) as (at, _, complained):
        yield at
        assert complained == []


class Reader(Person):
    """A person who reviews."""

    def begin(self, name: str) -> None:
        self.open(PAGE)
        self["reader"].send_keys(name, Keys.ENTER)
        self.ready()

    def ready(self) -> None:
        self.until(lambda: self.driver.find_elements(By.CSS_SELECTOR, "button.answer:enabled"), "a cell shows")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.ready()
            ActionChains(self.driver).send_keys(key).perform()

    def cell(self) -> str:
        return str(self["view"].get_attribute("aria-label")).split()[1]

    def ahead(self, n: int) -> None:
        """Wait until so many pictures came."""
        self.until(lambda: self.driver.execute_script(PICTURES) >= n, "pictures are fetched ahead")

    def kept(self) -> None:
        """Wait until the book has every answer."""
        self.until(lambda: not self.driver.execute_script(WAITING), "all answers are kept")


PICTURES = "return performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/review/1/')).length"
WAITING = "return Object.keys(localStorage).filter((key) => key.startsWith('edge-review ')).length"


def first_looks(desk: FakeDesk, reader: str = "ann") -> list[ReaderDecision]:
    return [one for one in desk.decisions if one.reader == reader and one.reading == 0]


def test_sixty_suspects_by_keys_in_less_than_two_minutes(address: str, desk: FakeDesk) -> None:
    with browser(1280) as driver:
        at = Reader(driver, address)
        at.begin("ann")
        began = time.monotonic()
        # some are cells that come a second time: how many hangs on when the page is told what comes next
        for i in range(60 + MOST_REPEATS):
            at.press("1n1xu"[i % 5])
        seconds = time.monotonic() - began
        at.kept()
        assert complaints(driver) == []
    said = first_looks(desk)
    assert [one.cell for one in said][:60] == TOP
    again = [one.cell for one in desk.decisions if one.reading == 1]
    assert len(again) == len(set(again)) == 60 + MOST_REPEATS - len(said) > 0
    assert [str(one.answer) for one in desk.decisions[:5]] == ["class", "class", "class", "no cell", "unsure"]
    assert {one.stratum for one in said[:60]} == {Stratum.TOP}
    assert all(one.seconds is not None and one.seconds < 60 for one in desk.decisions)
    assert seconds < 120


def test_keys_undo_go_back_and_skip(address: str, desk: FakeDesk) -> None:
    first, second, third = (str(cell) for cell in TOP[:3])
    with browser(820) as driver:
        at = Reader(driver, address)
        at.begin("ann")
        assert at.cell() == first
        at.press("1", "n")
        assert at.cell() == third
        at.press("z")
        assert at.cell() == second  # the answer is taken back, and the cell is there again
        at.press("u", Keys.ARROW_LEFT, Keys.ARROW_LEFT)
        assert at.cell() == first
        assert at.driver.find_element(By.CSS_SELECTOR, '.answer[aria-pressed="true"]').text.endswith("parasitized")
        at.press("n")  # another answer takes the place of the first
        assert at.cell() == second
        at.press(Keys.ARROW_RIGHT, " ")
        assert at.cell() not in (first, second, third)
        at.kept()
    assert [(str(one.cell), str(one.answer)) for one in desk.decisions] == [
        (first, "class"),
        (second, "class"),
        (second, "withdrawn"),
        (second, "unsure"),
        (first, "class"),
    ]
    assert desk.decisions[-1].label == "uninfected"


def test_the_space_bar_skips_after_a_click_and_a_key_held_down_answers_once(address: str, desk: FakeDesk) -> None:
    with browser(1280) as driver:
        at = Reader(driver, address)
        at.begin("ann")
        driver.find_element(By.CSS_SELECTOR, ".answer.positive").click()
        at.press(" ")
        held = {"type": "keyDown", "key": "n", "text": "n", "autoRepeat": False}
        driver.execute_cdp_cmd("Input.dispatchKeyEvent", held)
        for _ in range(5):
            driver.execute_cdp_cmd("Input.dispatchKeyEvent", {**held, "autoRepeat": True})
        driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": "keyUp", "key": "n"})
        at.kept()
    assert [one.cell for one in desk.decisions] == [TOP[0], TOP[2]]


def test_a_reload_in_the_middle_goes_on_where_it_was(address: str, desk: FakeDesk) -> None:
    with browser(1280) as driver:
        at = Reader(driver, address)
        at.begin("ann")
        at.press("1", "n", "n")
        driver.refresh()
        at.ready()
        assert at.cell() == str(TOP[3])
        at.until(lambda: "3 of 60 suspects" in at.text("progress"), "the answers are known")
        at.press("z")
        at.until(lambda: at.cell() == str(TOP[2]), "undo knows answers of before")
        at.press("u")
        at.kept()
    assert [one.cell for one in desk.decisions] == [*TOP[:3], TOP[2], TOP[2]]


def test_two_readers_at_once_do_not_see_each_other_until_both_are_done(address: str, desk: FakeDesk) -> None:
    with browser(820) as left, browser(390) as right:
        ann, ben = Reader(left, address), Reader(right, address)
        ann.begin("annika")
        ben.begin("ben")
        for key, other in zip("1nn1", "1n11", strict=True):
            assert ann.cell() == ben.cell()
            ann.press(key)
            ben.press(other)
        ann.kept()
        ben.kept()
        assert "annika" not in str(right.page_source)
        ben.click("finish")
        ben.click("others")
        ben.until(lambda: "Readers differ on 1 cell" in ben.text("differ-words"), "where they differ")
        assert sorted(ben.text("differences").splitlines()[:2]) == ["annika: uninfected", "ben: parasitized"]
        right.find_element(By.CSS_SELECTOR, "#differences button").click()
        ben.ready()
        assert ben.cell() == str(TOP[2])
        ben.press("n")
        ben.kept()
    assert [one.cell for one in first_looks(desk, "annika")] == TOP[:4]
    assert first_looks(desk, "ben")[-1].label == "uninfected"


def test_answers_wait_in_the_browser_while_the_network_is_lost(address: str, desk: FakeDesk) -> None:
    with browser(1280) as driver:
        at = Reader(driver, address)
        at.begin("ann")
        at.press("1")
        at.kept()
        at.ahead(8)
        desk.full = True
        at.press("n", "n")
        at.until(lambda: "no space left" in at.text("alert"), "a full disk is said")
        offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        at.press("1")  # pictures that were fetched ahead are still there
        at.until(lambda: "Not connected. 3 answers wait" in at.text("link"), "a lost network is said")
        desk.full = False
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**offline, "offline": False})
        at.kept()
        at.until(lambda: at.text("link") == "", "all is well again")
    assert [one.cell for one in desk.decisions] == TOP[:4]


def test_many_cells_are_answered_at_once(address: str, desk: FakeDesk) -> None:
    with browser(1280) as driver:
        at = Reader(driver, address)
        at.begin("ann")
        at.press("m")
        at.until(lambda: len(driver.find_elements(By.CSS_SELECTOR, ".tile:enabled")) == 15, "tiles show")
        tiles = driver.find_elements(By.CSS_SELECTOR, ".tile")
        tiles[1].click()
        tiles[3].click()
        at.press("1", "a", "n")
        assert [tile.get_attribute("data-tone") for tile in tiles[:4]] == ["class", "positive", "class", "positive"]
        at.kept()
        assert len(desk.decisions) == 15
        at.press("z")
        at.kept()
        assert len(desk.decisions) == 28  # the thirteen of the last answer are taken back together
        at.press("a", "x", Keys.ENTER)
        at.until(lambda: len(driver.find_elements(By.CSS_SELECTOR, ".tile:enabled")) == 15, "the next ones show")
        at.kept()
    standing = {one.cell: one for one in desk.decisions}
    assert {cell: str(standing[cell].answer) for cell in TOP[:4]} == dict(
        zip(TOP[:4], ["no cell", "class", "no cell", "class"], strict=True)
    )


def test_a_blind_reader_sees_no_score_and_may_zoom_by_touch_alone(address: str, desk: FakeDesk) -> None:
    with browser(390) as driver:
        at = Reader(driver, address)
        at.open(PAGE)
        at.click("blind-first")
        at["reader"].send_keys("eve")
        at.click("start-go")
        at.ready()
        assert "score" not in str(driver.page_source)
        for name in ("in", "out", "whole", "marks"):
            at.click(name)
        assert at["whole"].get_attribute("aria-pressed") == "true"
        driver.find_element(By.CSS_SELECTOR, ".answer.positive").click()
        at.kept()
    assert desk.decisions[0].blind


def test_cells_without_a_picture_leave_the_row_and_are_said(book: Path) -> None:
    desk = FakeDesk(PLAN, gone=[str(cell) for cell in TOP[:2]])
    with served(FakeEngine(), book, review=desk.parts) as (address, _, _), browser(820) as driver:
        at = Reader(driver, address)
        at.begin("ann")
        assert at.cell() == str(TOP[2])
        assert at.text("gone").startswith("2 cells cannot be shown: the picture is gone")
        at.press("1")
        at.kept()
    assert [one.cell for one in desk.decisions] == TOP[2:3]


def test_at_the_end_the_verdict_is_said_and_more_may_be_asked_for(book: Path) -> None:
    desk = FakeDesk(slide_plan(1, top=1))
    desk.verdict = VERDICT
    with served(FakeEngine(), book, review=desk.parts) as (address, _, _), browser(1280) as driver:
        at = Reader(driver, address)
        at.begin("ann")
        at.until(lambda: at.text("short") == "Look at 14 more cells and it is decided.", "what is missing is said")
        desk.verdict = None
        for _ in range(200):
            if at["done"].is_displayed():
                break
            at.press("n")
            at.kept()
        assert "You have looked at all cells" in at.text("done-words")
        n = len(desk.decisions)
        at.click("more")
        at.press("n")
        at.kept()
    assert len(desk.decisions) == n + 1


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1280, 1920])
def test_no_part_hangs_over_the_side_or_breaks_the_policy(width: int, dark: bool, address: str) -> None:
    with browser(width, dark=dark) as driver:
        at = Reader(driver, address)
        at.open("/review")
        assert overflow(driver) <= 0
        at.begin("a-name-without-a-place-to-break-it-" + "x" * 20)
        assert overflow(driver) <= 0
        at.press("m")
        at.until(lambda: driver.find_elements(By.CSS_SELECTOR, ".tile:enabled"), "tiles show")
        assert overflow(driver) <= 0
        at.click("finish")
        assert overflow(driver) <= 0
        assert complaints(driver) == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not fetched: tests/serve/fetch_axe (needs npm)")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_has_no_serious_finding(dark: bool, address: str, desk: FakeDesk) -> None:
    desk.verdict = VERDICT
    with browser(1280, dark=dark) as driver:
        at = Reader(driver, address)
        at.open("/review")
        assert serious(driver) == [], "the list"
        at.open(PAGE)
        assert serious(driver) == [], "who reads"
        at.begin("ann")
        at.press("1")
        assert serious(driver) == [], "one cell"
        at.press("m")
        at.until(lambda: driver.find_elements(By.CSS_SELECTOR, ".tile:enabled"), "tiles show")
        assert serious(driver) == [], "many cells"
        at.click("finish")
        assert serious(driver) == [], "done"


@contextmanager
def program(port: int, book: Path) -> Iterator[subprocess.Popen[str]]:
    """``edge serve`` as a process of its own, with its desk on a real book."""
    command = [sys.executable, "-m", "tests.serve.fake_serve", str(port), str(book)]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline().startswith("Page ")
            yield process
        finally:
            process.kill()


def test_a_server_that_is_killed_in_the_middle_loses_no_answer(tmp_path: Path) -> None:
    book, port = slide_book(tmp_path), free()
    desk = BookDesk(book)
    wanted = [cell.cell for cell in desk.plan(1).parts[0].cells]
    with browser(1280) as driver:
        at = Reader(driver, f"http://127.0.0.1:{port}")
        with program(port, book) as process:
            at.begin("ann")
            at.press("1", "n", "1")
            at.ahead(10)
            process.kill()  # SIGKILL, as a power cut has it; answers may be on their way
            at.press("n", "1")
            at.until(lambda: "wait in this browser" in at.text("link"), "what waits is said")
        with program(port, book) as process:
            at.open("/review")
            at.until(lambda: "open S-0001 to put them into the book" in at.text("waiting"), "what waits is said")
            at.open(PAGE)
            at.ready()
            at.kept()
            at.press("x")
            at.kept()
            process.kill()
        with program(port, book):  # a session that the new process knows nothing of
            at.press("u")
            driver.refresh()
            at.ready()
            at.kept()
            assert at.cell() == str(wanted[7])
    said = sorted((one for cell in desk.readings(1) for one in cell.decisions), key=lambda one: one.number)
    assert [one.cell for one in said] == wanted[:7]
    assert [one.label or str(one.answer) for one in said] == [
        *("parasitized", "uninfected", "parasitized", "uninfected", "parasitized"),
        *("no cell", "unsure"),
    ]
    with sqlite3.connect(book) as connection:
        assert connection.execute("SELECT count(*) FROM decision").fetchone() == (7,)
