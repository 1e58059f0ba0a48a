"""The bundle as an expert uses it: a file on a disk, no network, keys and fingers. Needs Chromium and its driver."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from edge.review.bundle import Bundle
from edge.review.bundle_answers import decisions_of, read_answers
from edge.review.records import ReaderAnswer
from tests.cli.resuming import edge, edge_run, paint
from tests.review.made import MadeSample
from tests.serve.browser import AXE, browser, complaints, needs_browser, overflow

pytestmark = needs_browser
SAMPLE = MadeSample()
PATIENCE_S = 20


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bundle]:
    made = SAMPLE.bundle()
    path = tmp_path_factory.mktemp("bundle") / "review.html"
    path.write_text("".join(made.parts(SAMPLE.shown(30))))
    return path, made


class Expert:
    """A person before the page; what is downloaded goes to ``folder``."""

    def __init__(self, driver: Chrome, page: Path, folder: Path) -> None:
        self.driver, self.folder = driver, folder
        driver.execute_cdp_cmd("Network.enable", {})
        nothing = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", nothing)
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
        driver.get(page.as_uri())

    def __getitem__(self, name: str) -> str:
        return self.driver.find_element(By.ID, name).text

    def click(self, name: str) -> None:
        self.driver.find_element(By.ID, name).click()

    def begin(self, name: str) -> None:
        field = self.driver.find_element(By.ID, "reader")
        field.clear()
        field.send_keys(name + Keys.ENTER)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.driver.find_element(By.TAG_NAME, "body").send_keys(key)

    def until(self, true: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < end, what
            time.sleep(0.05)

    def saved(self) -> Path:
        def files() -> list[Path]:
            return list(self.folder.glob("answers-*.json"))

        self.until(lambda: bool(files()), "the answers are saved")
        return max(files(), key=lambda path: path.stat().st_mtime)


@pytest.fixture
def expert(page: tuple[Path, Bundle], tmp_path: Path) -> Iterator[Expert]:
    with browser(1280) as driver:
        yield Expert(driver, page[0], tmp_path)
        # The browser's advice about the pixels that a test reads is none about the page.
        assert [one for one in complaints(driver) if "willReadFrequently" not in one] == []


def test_an_expert_answers_by_keys_and_the_file_says_what_was_pressed(
    expert: Expert, page: tuple[Path, Bundle]
) -> None:
    bundle, n = page[1], len(page[1].names)
    expert.begin("Dr Ünal <b>")
    assert expert["progress"] == f"1 of {n}, 0 answered"
    expert.press("1", "n", "x", "u", " ", "1")
    assert expert["progress"] == f"7 of {n}, 5 answered"
    expert.press("z")
    assert expert["progress"] == f"6 of {n}, 4 answered"
    assert expert["said"] == "6: taken back"
    expert.press(*"n" * (n - 5))
    assert expert["sum"] == f"{n - 1} of {n} answered. 1 left out."
    expert.click("again")
    assert expert["progress"] == f"5 of {n}, {n - 1} answered"
    expert.press("1")
    expert.click("save-now")
    given = read_answers(expert.saved())
    assert given.reader == "Dr Ünal <b>"
    made = decisions_of(given, bundle.names, SAMPLE.plan, "Ünal", {})
    label = {"1": "infected", "n": "healthy", "x": "", "u": ""}
    assert [one.label for one in made] == [label[key] for key in ["1", "n", "x", "u", "1", *"n" * (n - 5)]]
    assert [one.answer for one in made[2:4]] == [ReaderAnswer.NO_CELL, ReaderAnswer.UNSURE]
    assert [one.cell for one in made] == list(bundle.names.values())
    assert [one.reading for one in made][-3:] == [1, 1, 1]
    assert all(one.blind and one.seconds is not None for one in made)


def test_what_was_answered_is_there_after_the_window_was_closed(expert: Expert, page: tuple[Path, Bundle]) -> None:
    n = len(page[1].names)
    expert.begin("A")
    expert.press("1", "1", "n")
    expert.driver.get("about:blank")
    expert.driver.get(page[0].as_uri())
    expert.begin("B")
    assert expert["progress"] == f"1 of {n}, 0 answered"  # another reader does not see A's answers
    expert.press("x")
    expert.driver.refresh()
    expert.begin("A")
    assert expert["progress"] == f"4 of {n}, 3 answered"


def test_an_expert_goes_on_from_the_file_on_another_machine(
    expert: Expert, page: tuple[Path, Bundle], tmp_path: Path
) -> None:
    n = len(page[1].names)
    expert.begin("A")
    expert.press("1", "n")
    expert.click("save-now")
    before = expert.saved()
    expert.driver.execute_script("localStorage.clear()")  # as on a machine that has not seen it
    expert.driver.refresh()
    expert.driver.execute_script("document.querySelectorAll('details').forEach(one => { one.open = true })")
    expert.driver.find_element(By.ID, "earlier").send_keys(str(before))
    expert.until(lambda: expert["earlier-said"].startswith("2 answers of A"), "the file is taken")
    expert.driver.find_element(By.ID, "reader").send_keys(Keys.ENTER)
    assert expert["progress"] == f"3 of {n}, 2 answered"
    expert.press("z", "x")  # the answer that went out is taken back, and another given
    expert.press("z")
    before.rename(tmp_path / "first.json")
    expert.click("save-now")
    first, second = (json.loads(path.read_text())["answers"] for path in (tmp_path / "first.json", expert.saved()))
    assert second[0] == first[0]
    assert (second[1]["id"], second[1]["answer"]) == (first[1]["id"], "withdrawn")
    assert second[1]["uuid"] != first[1]["uuid"]


def test_answers_given_with_the_score_in_sight_are_not_blind(expert: Expert) -> None:
    expert.begin("A")
    expert.press("1", "v")
    assert "threshold 0.6" in expert["machine"]
    expert.press("1", "v")
    assert expert["machine"] == ""
    expert.press("1", "1")
    expert.click("save-now")
    assert [one.blind for one in read_answers(expert.saved()).answers] == [True, False, False, True]


def test_a_held_key_is_one_answer(expert: Expert, page: tuple[Path, Bundle]) -> None:
    expert.begin("A")
    held = "for (let i = 0; i < 5; i++) document.dispatchEvent(new KeyboardEvent('keydown', {key: '1', repeat: i > 0}))"
    expert.driver.execute_script(held)
    assert expert["progress"] == f"2 of {len(page[1].names)}, 1 answered"


def shown(driver: Chrome) -> float:
    """How much of the view is painted, 0 to 1."""
    return float(
        driver.execute_script(
            "const c = document.getElementById('view'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n / (c.width * c.height)"
        )
    )


def test_a_cell_can_be_seen_in_its_whole_field(expert: Expert) -> None:
    expert.begin("A")
    expert.until(lambda: shown(expert.driver) == 1, "the cell fills the view")
    expert.press(*"-" * 15)
    expert.until(lambda: 0.3 < shown(expert.driver) < 0.99, "the whole field is in the view")
    expert.press("0")
    expert.until(lambda: shown(expert.driver) == 1, "back at the cell")


def test_from_the_book_to_an_expert_and_back(tmp_path: Path) -> None:
    """A sample is counted, its page is answered in a browser, and the answers stand in the book."""
    fields, page, saved = tmp_path / "fields", tmp_path / "look.html", tmp_path / "saved"
    assert edge_run(paint(fields, 5, 6, 7), "--sample-id", "S").exit_code == 0
    assert edge("review", "S", "--export", page, "--stages", "ring").exit_code == 0
    saved.mkdir()
    with browser(390) as driver:
        at = Expert(driver, page, saved)
        at.begin("Dr Ünal")
        n = int(at["progress"].split()[2].rstrip(","))
        at.press("2", *"n" * (n - 1))
        at.click("save")
        answers = at.saved()
        assert complaints(driver) == []
    got = edge("review", "S", "--import", answers, "--json")
    assert got.exit_code == 0, got.output
    told = json.loads(got.stdout)
    assert (told["imported"]["reader"], told["imported"]["new"]) == ("Dr Ünal", n)
    assert told["reviewed"]["looked"] == told["cells"] == sum(part["looked"] for part in told["parts"])
    assert told["imported"]["said"]["parasitized"] == 1


@pytest.mark.parametrize("width", [390, 820, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_every_screen_and_everybody_can_use_it(
    width: int, dark: bool, page: tuple[Path, Bundle], tmp_path: Path
) -> None:
    with browser(width, dark=dark) as driver:
        at = Expert(driver, page[0], tmp_path)
        for screen in ("start", "read", "end"):
            if screen == "read":
                at.begin("A" * 60)
            elif screen == "end":
                at.press(*"n" * len(page[1].names))
            assert driver.find_element(By.ID, screen).is_displayed()
            assert overflow(driver) <= 0
            buttons = driver.find_elements(By.CSS_SELECTOR, "button")
            assert all(one.size["height"] >= 32 for one in buttons if one.is_displayed())
            if AXE.exists():
                driver.execute_script(AXE.read_text())
                found = driver.execute_async_script("axe.run().then(r => arguments[0](r.violations.map(v => v.id)))")
                assert found == []
        assert complaints(driver) == []
