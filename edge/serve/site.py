"""What each address of the page answers. No web framework in here: a request comes in as values, a ``Reply`` goes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from edge.control.records import CommandRefusedError
from edge.errors import BookError
from edge.health.records import Health, HealthReport
from edge.serve.bookreading import REPORT_POLICY, BookReader
from edge.serve.guard import Guard
from edge.serve.live import Live
from edge.serve.orders import BadOrderError, command_of, json_object
from edge.serve.reply import JSON, Reply, as_json, row_id, said
from edge.serve.review import ReviewParts, ReviewSite
from edge.serve.sessions import PinSaid, WebSession
from edge.serve.shown import boxes_of, shown

HERE = Path(__file__).parent
_ASSETS: Mapping[str, str] = {
    "serve.css": "text/css; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "pages.js": "text/javascript; charset=utf-8",
    "review.css": "text/css; charset=utf-8",
    "review.js": "text/javascript; charset=utf-8",
    "reviews.js": "text/javascript; charset=utf-8",
    "review-send.js": "text/javascript; charset=utf-8",
    "review-view.js": "text/javascript; charset=utf-8",
    "scope.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Every file that is ever served, and its type. They are read when the program starts: no request opens a file."""

Facts = Sequence[tuple[str, str]]
Render = Callable[..., str]
"""Fills a template: its name, then its values."""


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """What this microscope is.

    Attributes:
        simulated: whether it is the virtual one, which the page may move.
        faults: names of faults that the virtual one can be given.
        lan: whether other machines may come.
        addresses: under which they find this page: ``http://192.168.1.7:8400``.
        scope: facts of the microscope's profile; none: it has none.
        stages: words that readers of cells may add to the positive class.
        health: runs the checks of ``edge doctor``; may take a minute.
    """

    simulated: bool = False
    faults: tuple[str, ...] = ()
    lan: bool = False
    addresses: tuple[str, ...] = ()
    scope: Facts = ()
    stages: tuple[str, ...] = ()
    health: Callable[[], HealthReport] | None = None


class Site:
    """Pages and answers to scripts.

    Args:
        live: the newest status and preview.
        book: what was counted.
        guard: who is in.
        options: what this microscope is.
        render: fills templates; escapes all values.
        review: what lets people review; None: the run keeps no book.
    """

    def __init__(
        self,
        live: Live,
        book: BookReader,
        guard: Guard,
        options: SiteOptions,
        render: Render,
        *,
        review: ReviewParts | None = None,
    ) -> None:
        self.live = live
        self._book = book
        self._guard = guard
        self.options = options
        self._render = render
        self.review = ReviewSite(review, book, self._page, options.stages)
        self._assets = {name: (HERE / "assets" / name).read_bytes() for name in _ASSETS}

    def _page(self, template: str, session: WebSession | None, status: int = 200, **values: object) -> Reply:
        csrf = "" if session is None else session.csrf
        local = session is not None and session.local
        text = self._render(template, csrf=csrf, local=local, options=self.options, **values)
        return Reply(text.encode(errors="replace"), status)

    # Pages

    def live_page(self, session: WebSession) -> Reply:
        """The live page; its values come by script."""
        return self._page("live.html", session, here="/")

    def samples_page(self, session: WebSession, before: str) -> Reply:
        """The list of samples; ``before``: an id, or empty."""
        try:
            lines, more = self._book.samples(row_id(before) if before else None)
            scopes, failure = self._book.microscopes(), ""
        except BookError as error:
            lines, more, scopes, failure = [], None, [], str(error)
        page = ("samples.html", session)
        return self._page(*page, here="/samples", lines=lines, more=more, microscopes=scopes, failure=failure)

    def sample_page(self, session: WebSession, sample: str) -> Reply:
        """One sample: what the list says of it, its history, and the way to its report."""
        try:
            row = row_id(sample)
            line, notes = self._book.sample(row)
            after = self.review.verdict(row)
        except BookError as error:
            return self.lost_page(session, str(error))
        return self._page("sample.html", session, here="/samples", line=line, notes=notes, after=after)

    def report_page(self, session: WebSession, sample: str) -> Reply:
        """The sample's report, as ``edge report`` writes it."""
        try:
            text = self._book.report(row_id(sample))
        except BookError as error:
            return self.lost_page(session, str(error))
        return Reply(text, headers={"Content-Security-Policy": REPORT_POLICY})

    def scope_page(self, session: WebSession) -> Reply:
        """The microscope's profile."""
        status = self.live.status
        return self._page("scope.html", session, here="/scope", now=status, facts=self.options.scope)

    def health_page(self, session: WebSession) -> Reply:
        """The list of checks; their results come by script."""
        return self._page("health.html", session, here="/health")

    def enter_page(self, client: str) -> Reply:
        """The page that asks for the PIN."""
        return self._page("enter.html", None, token=self._guard.pins.form_token(client), here="/enter")

    def tablet_page(self, session: WebSession, code: Callable[[str], str]) -> Reply:
        """The PIN, and a code that a tablet can read; ``code`` makes an SVG of a text."""
        pin = self._guard.pins.pin
        links = [(address, code(entry_link(address, pin))) for address in self.options.addresses]
        return self._page("tablet.html", session, here="/tablet", pin=grouped(pin), links=links)

    def lost_page(self, session: WebSession | None, words: str) -> Reply:
        """There is no such page, or no such sample."""
        return self._page("lost.html", session, 404, here="", words=words)

    def refused_page(self, status: int, words: str) -> Reply:
        """A page that may not be seen."""
        return self._page("lost.html", None, status, here="", words=words)

    def asset(self, name: str) -> Reply | None:
        """Style, script or icon; None: there is none of this name."""
        if name not in self._assets:
            return None
        return Reply(self._assets[name], media=_ASSETS[name], headers={"Cache-Control": "no-cache"})

    # For scripts

    def status(self) -> Reply:
        """The newest status."""
        return as_json(shown(self.live.status))

    def boxes(self) -> Reply:
        """The boxes of the field that was taken last."""
        return as_json(boxes_of(self.live.status.last))

    def command(self, body: bytes) -> Reply:
        """Tell the run something: what it says to that comes back."""
        try:
            self.live.engine.send(command_of(json_object(body), simulated=self.options.simulated))
        except BadOrderError as error:
            return said(400, str(error))
        except CommandRefusedError as error:
            return said(409, str(error))
        return as_json({})

    def enter(self, body: bytes, client: str) -> Reply:
        """Try a PIN; a right one lets the browser in."""
        try:
            given = json_object(body).get("pin")
        except BadOrderError as error:
            return said(400, str(error))
        if not isinstance(given, str):
            return said(400, "Give the PIN.")
        match self._guard.pins.attempt(client, given):
            case PinSaid.RIGHT:
                reply = as_json({})
                return Reply(reply.body, media=JSON, headers={"Set-Cookie": self._guard.let_in(local=False).cookie})
            case PinSaid.WRONG:
                return said(403, "That is not the PIN. It is shown where edge serve runs, and is new after each use.")
            case _:
                wait = self._guard.pins.wait_s(client)
                return said(429, f"Too many wrong PINs: wait {max(1, round(wait / 60))} min, then use the new PIN.")

    def new_pin(self, session: WebSession) -> Reply:
        """Make a new PIN, which the one before is worth nothing beside; only for this machine."""
        if not session.local:
            return said(403, "Only the microscope's own machine shows a PIN.")
        self._guard.pins.renew()
        return as_json({})

    def health(self) -> Reply:
        """Run the checks; takes some seconds."""
        if self.options.health is None:
            return as_json({"words": "No checks are set up here.", "checks": []})
        report = self.options.health()
        checks = [{**asdict(result), "facts": {}, "health": str(result.health)} for result in report.results]
        return as_json({"words": _judged(report), "checks": checks})


def _judged(report: HealthReport) -> str:
    if report.failed:
        return "Not fit to count before that is mended."
    if report.count(Health.UNKNOWN):
        return "Nothing failed, but what is unknown may be broken."
    return "Fit to count." if report.healthy else "Fit to count, but see the warnings."


def entry_link(address: str, pin: str) -> str:
    """The address that lets a tablet in without typing: what follows ``#`` is not sent, the page's script reads it."""
    return f"{address}/enter#{pin}"


def grouped(pin: str) -> str:
    """A PIN as it is read aloud."""
    half = len(pin) // 2
    return f"{pin[:half]} {pin[half:]}"
