"""The live page in Chromium without a window, through its driver."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from benchmarks.serve.frames import PageLooker

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


class _Drawn:
    def __init__(self, driver: Chrome) -> None:
        self._driver = driver

    @property
    def frames(self) -> int:
        """Pictures that were drawn."""
        return int(self._driver.execute_script("return window.framesDrawn || 0"))


@contextmanager
def chromium_at(port: int) -> Iterator[PageLooker]:
    """Open the live page; it draws until it is closed."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "window-size=1280,1000"):
        options.add_argument(f"--{flag}")
    driver = Chrome(options=options, service=Service(str(DRIVER), log_output=subprocess.DEVNULL))
    try:
        driver.get(f"http://127.0.0.1:{port}/")
        yield _Drawn(driver)
    finally:
        driver.quit()
