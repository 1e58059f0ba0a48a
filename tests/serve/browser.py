"""Debian's Chromium through its driver, of any width, light or dark."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
AXE = Path(__file__).parent.parent.parent / "build" / "axe" / "package" / "axe.min.js"
"""Deque's axe-core of the npm registry, which is never committed: ``tests/serve/fetch_axe`` brings it."""

needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None, reason="no chromium or no driver: apt-get install chromium chromium-driver"
    ),
]


@contextmanager
def browser(width: int, height: int = 900, *, dark: bool = False) -> Iterator[Chrome]:
    """A browser whose window is this large in CSS pixels."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-background-networking", "hide-scrollbars"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(str(DRIVER), log_output=subprocess.DEVNULL))
    try:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        driver.set_page_load_timeout(60)
        driver.implicitly_wait(0)
        yield driver
    finally:
        driver.quit()


def overflow(driver: Chrome) -> int:
    """Pixels that the page hangs over the side of the window."""
    return int(driver.execute_script("return document.documentElement.scrollWidth - window.innerWidth"))


def picture(driver: Chrome, path: Path) -> None:
    """Save the whole page, as long as it is."""
    import base64

    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"})
    path.write_bytes(base64.b64decode(shot["data"]))


def complaints(driver: Chrome) -> list[str]:
    """What the browser's console holds of errors and broken policies."""
    return [
        str(line["message"])
        for line in driver.get_log("browser")  # type: ignore[no-untyped-call]
        if line["level"] in ("SEVERE", "WARNING")
    ]


def serious(driver: Chrome) -> list[str]:
    """What axe calls serious or critical, by rule and place."""
    driver.execute_script(AXE.read_text())
    script = (
        "const done = arguments[0]; axe.run(document).then(found => done(found.violations), e => done([String(e)]));"
    )
    found = driver.execute_async_script(script)
    return [
        f"{one['id']}: {[node['target'] for node in one['nodes']]}: {one['nodes'][0].get('failureSummary', '')}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
