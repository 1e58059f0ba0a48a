"""How many pictures a second the page shows while cells are counted, and how much slower the count is for it.

In turns within one run: nobody looks; a page is read, as a tablet's browser does it, which draws on its own processor; a page is
open in Chromium on this machine, which draws on the processors that count. Fields are taken without waiting, so what slows the
count shows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, Protocol

from benchmarks.serve.running import RunningPage, running_page, until
from benchmarks.serve.visitor import Visitor, Watching

NOBODY, READER, CHROMIUM = "nobody looks", "a page on another machine", "a page in Chromium on this machine"
"""The three ways."""

_SETTLE_S: Final = 2.0  # after a page was opened or closed, before it is counted


class PageLooker(Protocol):
    """Somebody who looks at the page."""

    @property
    def frames(self) -> int:
        """Pictures shown so far."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the run.

    Attributes:
        way: who looked.
        fields: taken a second; ``cpu_s``: processor seconds per field of the process that counts.
        camera_cpu_s: processor seconds a second of the camera's process; ``page_cpu_s``: of the page's.
        frames: pictures shown a second; ``camera``: frames that the camera gave a second.
        load: of the whole machine: threads that want a core, over the last minute.
    """

    way: str
    fields: float
    cpu_s: float
    camera_cpu_s: float
    page_cpu_s: float
    frames: float
    camera: float
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class WayCost:
    """Medians over the windows of one way; ``slower``: share by which it is slower than without a page before and after."""

    way: str
    fields: float
    cpu_s: float
    camera_cpu_s: float
    page_cpu_s: float
    frames: float
    camera: float
    slower: float | None


class _NoLooker:
    frames = 0


@contextmanager
def _nobody(_port: int) -> Iterator[PageLooker]:
    yield _NoLooker()


Opener = Callable[[int], AbstractContextManager[PageLooker]]


def measure(folder: Path, rounds: int, window_s: float, chromium: Opener | None, options: list[str]) -> list[Window]:
    """Count with and without a page in turns.

    Args:
        folder: for book and log.
        rounds: of all ways.
        window_s: seconds of each.
        chromium: opens the page in a browser of this machine; None: there is none.
        options: of ``edge serve``, beside those that make it count without waiting.
    """
    ways: dict[str, Opener] = {NOBODY: _nobody, READER: Watching}
    if chromium is not None:
        ways[CHROMIUM] = chromium
    found = []
    given = ["--book", str(folder / "book.sqlite"), "--interval", "0", *options]
    with running_page(folder, given) as page, Visitor(page.port) as person:
        until(lambda: person.status()["view"], "a frame comes")
        person.order({"do": "start", "sample": "frames"})
        until(lambda: person.status()["taken"] > 3, "fields are taken")
        for _ in range(rounds):
            for way, opened in ways.items():
                with opened(page.port) as looker:
                    time.sleep(_SETTLE_S)
                    found.append(_window(way, page, person, looker, window_s))
        with _nobody(page.port) as looker:
            found.append(_window(NOBODY, page, person, looker, window_s))
        person.order({"do": "finish"})
    return found


def _window(way: str, page: RunningPage, person: Visitor, looker: PageLooker, seconds: float) -> Window:
    def now() -> tuple[float, int, int, float, float, float, int]:
        shown = person.status()
        frame = int(person.ask("GET", "/api/preview?after=-1")[2].get("x-frame", 0))
        cpu = page.count_cpu_s(), page.camera_cpu_s(), page.page_cpu_s()
        return time.monotonic(), int(shown["taken"]), looker.frames, *cpu, frame

    before = now()
    time.sleep(seconds)
    after = now()
    span, taken, frames, cpu, seen, own, camera = (b - a for a, b in zip(before, after, strict=True))
    return Window(
        way,
        taken / span,
        cpu / max(1, taken),
        seen / span,
        own / span,
        frames / span,
        camera / span,
        os.getloadavg()[0],
    )


def costs(windows: list[Window]) -> list[WayCost]:
    """Medians of each way; a window with a page is held against the mean of the nearest ones without, before and after it."""
    alone = [i for i, one in enumerate(windows) if one.way == NOBODY]
    found = []
    for way in dict.fromkeys(one.way for one in windows):
        mine = [(i, one) for i, one in enumerate(windows) if one.way == way]
        slower = None
        if way != NOBODY:
            ratios = []
            for i, one in mine:
                before = windows[max(j for j in alone if j < i)].fields
                after = windows[min(j for j in alone if j > i)].fields
                ratios.append(1 - one.fields / ((before + after) / 2))
            slower = median(ratios)

        def middle(name: str, of: Sequence[Window] = tuple(one for _, one in mine)) -> float:
            return float(median(getattr(one, name) for one in of))

        shown = (
            middle("fields"),
            middle("cpu_s"),
            middle("camera_cpu_s"),
            middle("page_cpu_s"),
            middle("frames"),
            middle("camera"),
        )
        found.append(WayCost(way, *shown, slower))
    return found
