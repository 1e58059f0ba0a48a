"""The virtual microscope is set up on the page by clicks alone, and the profile it makes can be read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from edge.scope.profile_file import read_profile
from edge.status import SetUpProgress
from tests.serve.browser import AXE, browser, complaints, needs_browser, overflow, serious
from tests.serve.fake_engine import IDLE, FakeEngine
from tests.serve.person import Person
from tests.serve.served import free, served

pytestmark = needs_browser

ROOT = Path(__file__).parent.parent.parent
STEPS = ("light", "white balance", "flat field", "dust", "focus", "scale")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    port = free()
    options = ("--simulate", "--size", "640x480", "--book", str(tmp_path / "book.sqlite"))
    command = [sys.executable, "-m", "edge", "serve", "--port", str(port), *options]
    env = {**os.environ, "EDGE_SCOPES": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline().startswith("Page")
            yield f"http://127.0.0.1:{port}"
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()


LONG = "a-path-without-a-place-to-break-it-" * 6
PROGRESS = SetUpProgress("bench-3", "dust", 4, 6, LONG, (("not paper", LONG),), False, 3, 12, True, (LONG,))
OVER = SetUpProgress("bench-3", notes=(LONG,), done=f"Done. {LONG}", profile=(f"light  {LONG}",))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_hangs_over_the_side_of_a_phone_and_a_keyboard_is_led_on(dark: bool) -> None:
    engine = FakeEngine()
    with served(engine) as (address, _, complained), browser(390, dark=dark) as driver:
        at = Person(driver, address)
        at.open("/scope")
        at.until(at["begin"].is_displayed, "the form shows")
        for progress, section, heading in ((PROGRESS, "steps", "title"), (OVER, "done", "done-title")):
            engine.show(replace(IDLE, set_up=progress))
            at.until(at[section].is_displayed, f"{section} shows")
            assert driver.switch_to.active_element.get_attribute("id") == heading
            assert overflow(driver) <= 0
            if AXE.exists():
                assert serious(driver) == []
        assert complaints(driver) == complained == []


def shows(at: Person, title: str) -> bool:
    return at.text("title") == title


def test_the_microscope_is_set_up_by_clicks_alone(address: str, tmp_path: Path) -> None:
    with browser(820) as driver:
        at = Person(driver, address)
        at.open("/scope")
        at.until(at["begin"].is_displayed, "the form shows", 60)
        at["scope-name"].send_keys("bench-<b>3")
        at["operator"].send_keys("Ada")
        at.click("begin-go")
        for number, step in enumerate(STEPS, 1):
            at.until(partial(shows, at, f"Step {number} of 6: {step}"), f"{step} begins")
            at.until(at["next"].is_enabled, f"{step} is good", 90)
            assert at["skip"].is_enabled() == (number > 2)
            at.click("next")
        at.until(at["done"].is_displayed, "it is done")
        path = tmp_path / "bench-<b>3.json"
        assert f"written to {path}" in at.text("done-words")
        assert "by Ada" in at.text("profile")
        assert overflow(driver) <= 0
        assert complaints(driver) == []
    made = read_profile(str(path))
    assert (made.operator, made.unfinished, made.camera.kind) == ("Ada", (), "simulated")
    assert made.scale is not None
