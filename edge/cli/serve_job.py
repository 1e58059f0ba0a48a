"""``edge serve``: from settings to an engine, a page and a server, and what the terminal is told."""

from __future__ import annotations

import errno
import io
import os
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from enum import Enum
from importlib.util import find_spec
from pathlib import Path

from edge.camera.faults import Fault
from edge.cli.book_settings import BookSettings
from edge.cli.doctor_job import device_with
from edge.cli.options import options_of
from edge.cli.run_settings import RUN_RECORDS, RunSettings
from edge.cli.scope_words import profile_lines
from edge.control.keeper import EngineKeeper
from edge.control.link import EngineLink
from edge.control.records import Engine
from edge.door import say, stop_on_signals
from edge.errors import EXIT_INTERRUPTED, ScopeError, ServeError
from edge.extras import how_to_install
from edge.health.checks import device_checks
from edge.health.examine import examine
from edge.health.records import HealthReport
from edge.lines import print_text
from edge.review.desk import BookDesk
from edge.scope.profile_file import find_profile
from edge.serve.names import OwnNames
from edge.serve.network import free_port, own_addresses, own_names
from edge.serve.page import make_page
from edge.serve.review import ReviewParts
from edge.serve.shown import is_counting
from edge.serve.site import Facts, SiteOptions, entry_link, grouped
from edge.serve.wire import listening, make_server, serve_until

PROGRAM = "edge serve"
_LOOPBACK, _ALL = "127.0.0.1", "0.0.0.0"  # noqa: S104 - asked for by --lan, and behind a PIN
_NICE = 5  # how much the page steps back for the count


def kept_engine(argv: list[str]) -> Engine:
    """Start the process that counts, and look after it."""
    return EngineKeeper(lambda: EngineLink(argv))


def serve_page(
    settings: RunSettings,
    port: int,
    *,
    lan: bool,
    stages: tuple[str, ...] = (),
    started: Callable[[list[str]], Engine] = kept_engine,
) -> int:
    """Serve the page until a signal ends it; returns the exit code.

    Args:
        settings: of the run.
        port: of the page.
        lan: let other machines in, with a PIN.
        stages: words that readers of cells may add to the positive class.
        started: starts the process that counts, from its options.

    Raises:
        ServeError: the port is taken, or packages are missing.
    """
    _look_for_packages()
    addresses = own_addresses() if lan else ()
    sockets = _listen(_ALL if lan else _LOOPBACK, port)
    links = tuple(f"http://{address}:{port}" for address in addresses)
    simulated = settings.input.simulate
    options = SiteOptions(
        simulated=simulated,
        faults=tuple(Fault) if simulated else (),
        lan=lan,
        addresses=links,
        scope=_profile_in_words(settings.judging.scope),
        stages=stages,
        health=lambda: _examined(settings),
    )
    book = settings.book.path
    names = OwnNames(port, own_names() if lan else frozenset())
    with closing(started(arguments(settings))) as engine:
        os.nice(_NICE)
        parts = make_page(
            engine,
            book,
            names,
            options,
            review=_review(book),
            complain=complain,
            tell_pin=lambda pin: print_text(f"PIN  {grouped(pin)}\n"),
        )
        server = make_server(parts.app)
        with stop_on_signals(lambda: setattr(server, "should_exit", True)):
            print_text(_welcome(port, links, parts.pins.pin, lan=lan))
            serve_until(server, sockets, parts.live.close)
        counting = is_counting(engine.status)
    return EXIT_INTERRUPTED if counting else 0


def arguments(settings: RunSettings) -> list[str]:
    """The options of a run as they would be typed, for the process that counts; defaults are left out."""
    plain, values = RunSettings().values(), settings.values()
    typed: list[str] = []
    for name, option in options_of(*RUN_RECORDS).items():
        value = values[name]
        if value == plain[name] or option.many:
            continue
        if option.kind is bool:
            typed.append(f"--{option.key}" if value else f"--no-{option.key}")
        else:
            typed += [f"--{option.key}", str(value.value if isinstance(value, Enum) else value)]
    return typed


def _review(book: Path | None) -> ReviewParts | None:
    """What lets people review; None: the run keeps no book."""
    if book is None:
        return None
    desk = BookDesk(book, complain)
    return ReviewParts(desk, lambda row: desk.state(row).verdict)


def complain(line: str) -> None:
    """Tell the terminal what happened."""
    say(line, PROGRAM)


def _look_for_packages() -> None:
    missing = [name for name in ("starlette", "uvicorn", "jinja2", "segno") if find_spec(name) is None]
    if missing:
        raise ServeError(f"packages of the page are not installed ({', '.join(missing)}): {how_to_install('serve')}")


def _listen(address: str, port: int) -> list[socket.socket]:
    try:
        return listening([address], port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise ServeError(f"port {port} cannot be opened: {error.strerror}; take another one: --port N") from error
        other = free_port(port)
        use = "" if other is None else f": --port {other} is free"
        raise ServeError(f"port {port} is taken, perhaps by another edge serve{use}") from error


def _examined(settings: RunSettings) -> HealthReport:
    """What ``edge doctor`` says; the camera is this program's own, so it is not looked for among those that are free."""
    path = settings.book.path
    if path is None:
        path = BookSettings().path or Path("book.sqlite")
    device = device_with(
        replace(settings, input=replace(settings.input, camera=not settings.input.simulate)), path, user=True
    )
    return examine(device_checks(device))


def _profile_in_words(scope: str | None) -> Facts:
    """What the page tells of this microscope's profile; nothing where there is none."""
    try:
        profile = None if scope is None else find_profile(scope)
    except ScopeError as error:
        return [("Profile", str(error))]
    lines = [] if profile is None else profile_lines(profile)
    pairs = [line.partition("  ") for line in lines]
    return [(label, text.strip()) for label, _, text in pairs]


def _welcome(port: int, links: tuple[str, ...], pin: str, *, lan: bool) -> str:
    lines = [f"Page  http://{_LOOPBACK}:{port}  (on this machine; Ctrl-C ends it)"]
    if lan and not links:
        lines.append("LAN   no network: this machine has no address that a tablet could open")
    for link in links[:1]:
        lines += ["", _code(entry_link(link, pin))]
    lines += [f"LAN   {link}" for link in links]
    if links:
        lines.append(f"PIN   {grouped(pin)}  (lets one browser in; then a new one is shown)")
    return "\n".join([*lines, ""])


def _code(text: str) -> str:
    """A QR code of blocks, for a terminal."""
    import segno  # noqa: PLC0415 - see _look_for_packages

    drawn = io.StringIO()
    segno.make(text, error="l").terminal(drawn, border=2, compact=True)
    return drawn.getvalue()
