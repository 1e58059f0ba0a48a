"""A page as a browser lays it out, on a phone, a tablet and a screen. Needs chromium (a Debian package)."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.report.page import index, page
from edge.verdict.assess import Assessor
from tests.fakes import CARD
from tests.report.made import field, report, unreadable
from tests.verdict.made import calibration

CHROMIUM = shutil.which("chromium")
FLAGS = tuple(
    f"--{flag}"
    for flag in (
        *("headless", "no-sandbox", "disable-gpu", "disable-background-networking", "disable-component-update"),
        *("disable-sync", "no-first-run", "hide-scrollbars", "virtual-time-budget=4000", "dump-dom"),
    )
)
LEGIBLE_PX = 10.5
LONG = "a_name_without_a_place_to_break_it_" * 4

WIDTHS = (390, 820, 1280)

# Each frame is as wide as a screen; what is in it is measured from outside, for a page runs no script.
MEASURING = """<!DOCTYPE html><body><script>
const found = {};
for (const width of [390, 820, 1280]) {
  const f = document.createElement("iframe");
  f.style = `border:0;width:${width}px;height:600px`;
  f.onload = () => {
    const d = f.contentDocument;
    const texts = [...d.querySelectorAll("svg text")].filter(t => getComputedStyle(t).display != "none").map(t =>
      [parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a, t.getBoundingClientRect().right, t.textContent]);
    found[width] = {wide: d.documentElement.scrollWidth, texts: texts};
    document.title = JSON.stringify(found);
  };
  f.src = "page.html";
  document.body.append(f);
}
</script>"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium"),
]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder and the address it is served at."""
    folder = tmp_path_factory.mktemp("www")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def laid_out(served: tuple[Path, str], text: str) -> dict[int, dict[str, Any]]:
    """On each screen: how wide the page is, and of every text in its drawings its size, where it ends, and what it says."""
    folder, address = served
    (folder / "page.html").write_text(text)
    (folder / "frame.html").write_text(MEASURING)
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder.parent / 'profile'}", f"{address}/frame.html"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    title = re.search("<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title, done.stdout[:500]
    found = {int(width): each for width, each in json.loads(html.unescape(title[1])).items()}
    assert tuple(sorted(found)) == WIDTHS
    return found


def full_page() -> str:
    rng = np.random.default_rng(0)
    events = []
    for i in range(60):
        scores = [*rng.beta(0.1, 4, 12).tolist(), *([0.9] * (i % 4)), 0.4]
        events.append(
            field([[1 - p, p] for p in scores], i, "incomplete" if i % 9 == 8 else None, name=f"{LONG}{i}.png")
        )
    return "".join(page(report([*events, unreadable(60)], CARD, LONG, Assessor(calibration(target=0.01), 0.01))))


def test_drawings_are_legible_and_nothing_hangs_over_the_side(served: tuple[Path, str]) -> None:
    for width, found in laid_out(served, full_page()).items():
        assert found["wide"] == width
        assert len(found["texts"]) > 40
        assert [text for size, _, text in found["texts"] if size < LEGIBLE_PX] == []
        assert [text for _, right, text in found["texts"] if right > width] == []


def test_the_list_of_samples_fits_too(served: tuple[Path, str]) -> None:
    rows = [(f"{LONG}{i}", f"{LONG}{i}.html", "insufficient", "12,345 cells") for i in range(3)]
    for width, found in laid_out(served, "".join(index(rows))).items():
        assert found["wide"] == width
