"""``python -m benchmarks.serve``: what the page costs the count, and what it stands."""

from __future__ import annotations

import platform
import sys
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import mean
from typing import Annotated

import typer

from benchmarks.command import Debug, single_command
from benchmarks.measure.device import describe
from benchmarks.places import REPOSITORY
from benchmarks.serve.attacks import CheckRow, check
from benchmarks.serve.figures import figures_page
from benchmarks.serve.frames import Opener, PageLooker, WayCost, costs, measure
from edge.door import door, say
from edge.program import enter
from edge.safe_file import write_text

PROGRAM = "python -m benchmarks.serve"
PAGE = REPOSITORY / "docs" / "serve-figures.md"


def serve(
    *,
    rounds: Annotated[int, typer.Option(min=0, metavar="N", help="Rounds of all ways of looking; 0: none.")] = 6,
    window: Annotated[float, typer.Option(min=1, metavar="S", help="Seconds of each way in a round.")] = 8.0,
    mutations: Annotated[int, typer.Option(min=0, metavar="N", help="Mutated requests; 0: no web checks.")] = 10_000,
    guesses: Annotated[int, typer.Option(min=1, metavar="N", help="Wrong PINs.")] = 1000,
    clients: Annotated[int, typer.Option(min=1, max=100, metavar="N", help="Pages open at once.")] = 50,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of the mutations.")] = 1,
    size: Annotated[str, typer.Option(metavar="WxH", help="Size of the virtual microscope's frames.")] = "1280x960",
    browser: Annotated[bool, typer.Option(help="Open the page in Chromium of this machine too.")] = True,
    write: Annotated[bool, typer.Option("--write", help="Write the figures into docs/serve-figures.md.")] = False,
    debug: Debug = False,
) -> None:
    """Measure pictures a second and how much slower the count is for them; then attack the page. Loopback only. Some minutes."""
    with door(debug=debug, program=PROGRAM), tempfile.TemporaryDirectory() as folder:
        options = [] if size == "1280x960" else ["--size", size]
        rows, load = list[WayCost](), 0.0
        if rounds:
            say("pictures while cells are counted", PROGRAM)
            place = Path(folder, "frames")
            place.mkdir()
            windows = measure(place, rounds, window, _chromium() if browser else None, options)
            rows, load = costs(windows), mean(one.load for one in windows)
        checks, broken = list[CheckRow](), list[str]()
        if mutations:
            say("web checks", PROGRAM)
            place = Path(folder, "checks")
            place.mkdir()
            checks, broken = check(place, mutations, guesses, clients, seed)
        text = figures_page(_machine(), options, rows, checks, broken, load=load)
        typer.echo(text)
        if write:
            write_text(PAGE, text)
        failed = bool(broken) or not all(row.held for row in checks)
    sys.exit(1 if failed else 0)


def _chromium() -> Opener | None:
    from benchmarks.serve.browsing import CHROMIUM, DRIVER, chromium_at  # noqa: PLC0415 - selenium is of the extra dev

    def opened(port: int) -> AbstractContextManager[PageLooker]:
        return chromium_at(port)

    return opened if CHROMIUM and DRIVER else None


def _machine() -> str:
    told = describe()
    return f"{told.get('cpu') or platform.machine()}, {told.get('cores')} cores"


app = single_command(serve, "Example: python -m benchmarks.serve --rounds 3 --mutations 1000")

if __name__ == "__main__":
    enter(app, PROGRAM)
