"""The page over the real engine and the virtual microscope: a sample by clicks alone, kept in the book, its report opened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.browser import browser, complaints, needs_browser, overflow
from tests.serve.person import Person
from tests.serve.served import free

pytestmark = needs_browser

ROOT = Path(__file__).parent.parent.parent
CELLS = 250


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    port, folder = free(), tmp_path_factory.mktemp("real")
    options = ("--simulate", "--size", "640x480", "--max-cells", str(CELLS), "--book", str(folder / "book.sqlite"))
    command = [sys.executable, "-m", "edge", "serve", "--port", str(port), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stderr
            assert process.stdout.readline().startswith("Page"), process.stderr.read()
            yield f"http://127.0.0.1:{port}", process.pid
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
            assert process.wait(30) == 0
            assert "Traceback" not in said
            assert "defect" not in said
        finally:
            process.kill()


@pytest.fixture
def address(served: tuple[str, int]) -> str:
    return served[0]


def counting_process(page: int) -> int:
    """Of the page's children the one that counts."""
    children = Path(f"/proc/{page}/task").glob("*/children")
    (found,) = {int(word) for file in children for word in file.read_text().split()}
    return found


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_a_whole_sample_is_counted_on_the_virtual_microscope_by_clicks_alone(width: int, address: str) -> None:
    with browser(width) as driver:
        at = Person(driver, address)
        at.open("/")
        at.start(f"slide-{width}")
        at.until(lambda: at.text("name") == f"slide-{width}", "the sample begins", 60)
        at.until(lambda: "cells" in at.text("cells") and not at.text("cells").startswith("0 "), "cells are counted", 90)
        at.click("pause")
        at.until(lambda: at.text("hint") == "Paused", "it pauses")
        at.click("resume")
        at.until(lambda: at.text("hint") == "Complete", "it completes", 120)
        assert int(at.text("cells").split()[0].replace(",", "")) >= CELLS
        assert driver.execute_script("return window.framesDrawn") > 5
        assert overflow(driver) <= 0
        counted = at.text("cells")
        at.follow(f"slide-{width}", "/samples")
        assert counted in at.text("main")
        at.follow("Open the report")
        assert f"slide-{width}" in driver.title
        assert [line for line in complaints(driver) if "favicon" not in line] == []


def test_a_camera_that_fails_is_told_on_the_page_and_the_sample_goes_on(address: str) -> None:
    with browser(1280) as driver:
        at = Person(driver, address)
        at.open("/")
        at.start("faulty")
        at.until(lambda: at.text("name") == "faulty", "the sample begins", 60)
        at.until(lambda: "cells" in at.text("cells") and not at.text("cells").startswith("0 "), "cells are counted", 90)
        at.choose("fault", "abort")
        at.click("break")
        at.until(lambda: at["say"].get_attribute("data-tone") == "bad", "it is told", 20)
        began = time.monotonic()
        at.until(lambda: at.text("hint") == "Complete", "the camera is back, and the sample completes", 120)
        assert time.monotonic() - began < 120


def test_a_count_that_is_killed_goes_on_by_itself(served: tuple[str, int]) -> None:
    address, page = served
    with browser(820) as driver:
        at = Person(driver, address)
        at.open("/")
        at.start("killed")
        at.until(lambda: at.text("name") == "killed", "the sample begins", 60)
        at.until(lambda: "cells" in at.text("cells") and not at.text("cells").startswith("0 "), "cells are counted", 90)
        killed = counting_process(page)
        os.kill(killed, signal.SIGKILL)
        at.until(lambda: at.text("hint") == "Failed", "it is told", 20)
        at.until(lambda: at.text("hint") == "Complete", "the sample goes on and completes", 150)
        assert int(at.text("cells").split()[0].replace(",", "")) >= CELLS
        assert counting_process(page) != killed
