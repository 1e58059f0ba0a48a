"""The page put together: from an engine and a book to an application that can be served."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.control.records import Engine
from edge.serve.bookreading import BookReader
from edge.serve.guard import Guard
from edge.serve.limits import PostRate
from edge.serve.live import Live
from edge.serve.names import OwnNames
from edge.serve.replies import App
from edge.serve.review import ReviewParts
from edge.serve.sessions import PinDoor, WebSessions
from edge.serve.site import Site, SiteOptions
from edge.serve.web import make_app, template_render


def _nobody(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class PageParts:
    """A page: the application, what it follows the engine with, and what lets tablets in."""

    app: App
    live: Live
    pins: PinDoor


def make_page(
    engine: Engine,
    book: Path | None,
    names: OwnNames,
    options: SiteOptions,
    *,
    review: ReviewParts | None = None,
    complain: Callable[[str], None],
    tell_pin: Callable[[str], None] = _nobody,
    clock: Callable[[], float] = time.monotonic,
) -> PageParts:
    """Put a page together.

    Args:
        engine: the run it shows.
        book: what was counted; None: the run keeps none.
        names: what the page is called.
        options: what this microscope is.
        review: what lets people review; None: nothing can be reviewed.
        complain: is told in one line what broke.
        tell_pin: is told each new PIN but the first one.
        clock: seconds that never go back.

    Raises:
        ModuleNotFoundError: the extra ``serve`` is not installed.
    """
    live, pins = Live(engine), PinDoor(clock, tell_pin)
    guard = Guard(names, WebSessions(clock), pins, PostRate(clock), lan=options.lan)
    site = Site(live, BookReader(book), guard, options, template_render(), review=review)
    return PageParts(make_app(site, guard, complain), live, pins)
