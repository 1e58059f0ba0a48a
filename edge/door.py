"""How a program is entered and left: known failures end as one plain line and an exit code; Ctrl-C works from the start."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from edge.errors import EXIT_DEFECT, EXIT_INTERRUPTED, EdgeError, OutputError
from edge.lines import columns, folded, plain
from edge.streams import ReaderGoneError

_ERROR = 3  # level of a line in systemd's journal (sd-daemon(3))
_WARNING = 4  # the same
_SHOW_CURSOR = b"\x1b[?25h\n"
"""Terminal sequence (ANSI) that shows the cursor again: the live line hides it."""


class StoppedError(SystemExit):
    """Somebody stopped the program while nothing was being counted; the text may say what becomes of unfinished work.

    It is not a KeyboardInterrupt, because typer and Python's own exit handle that differently.
    """


def say(message: str, program: str = "edge-run", *, level: int = _WARNING) -> None:
    """Write one plain line to stderr, with its level where systemd's journal reads it; a closed or full stderr is ignored."""
    line = f"{_level(sys.stderr, level)}{program}: {plain(message)}"
    try:
        if sys.stderr.isatty():  # the terminal itself would break lines within words
            line = "\n".join(folded(line, columns(sys.stderr)))
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
    except OSError:
        _let_go(sys.stderr)


def _level(stream: TextIO, level: int) -> str:
    """Return ``<4>`` where systemd's journal reads the stream (``JOURNAL_STREAM``, systemd.exec(5)), else nothing."""
    journal = os.environ.get("JOURNAL_STREAM")
    if not journal:
        return ""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return ""
    return f"<{level}>" if journal == f"{found.st_dev}:{found.st_ino}" else ""


def _let_go(stream: TextIO) -> None:
    """Connect a broken stream to /dev/null: otherwise Python fails at exit when it writes what is left in the buffers."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def usable_streams() -> None:
    """Make stdin, stdout and stderr exist, and make stdout and stderr accept any text.

    Without this, the next file opened would get the number of a closed stream, and messages of native libraries would be
    written into it. A file name that the terminal's encoding lacks must not end a run.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, os.fdopen(number, mode))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _signals() -> list[signal.Signals]:
    """Return the signals that end a run: SIGINT (Ctrl-C), SIGTERM, and SIGHUP (lost terminal) unless ``nohup`` ignores it."""
    ends = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    return [number for number in ends if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]


def stop_before_the_run() -> None:
    """From now on Ctrl-C, SIGTERM and SIGHUP raise StoppedError, until ``stop_on_signals`` takes over."""

    def stop(_signum: int, _frame: FrameType | None) -> None:
        raise StoppedError

    for number in _signals():
        signal.signal(number, stop)


@contextmanager
def door(*, debug: bool, program: str = "edge-run", lost: str = "") -> Iterator[None]:
    """Turn a failure inside into one line on stderr and an exit code.

    Args:
        debug: show the traceback as well.
        program: name that the line begins with.
        lost: sentence that is shown after Ctrl-C: what becomes of unfinished work.
    """
    try:
        yield
    except (KeyboardInterrupt, StoppedError) as error:
        say(": ".join(filter(None, ("stopped", str(error) or lost))), program)
        sys.exit(EXIT_INTERRUPTED)
    except EdgeError as error:
        sys.exit(report(error, debug=debug, program=program))
    except Exception as error:
        if hasattr(error, "format_message"):
            raise  # a wrong command line: ``edge.usage`` explains it
        if debug:
            traceback.print_exc()
        say(f"a defect of this program: {type(error).__name__}: {error} (--debug shows where)", program, level=_ERROR)
        sys.exit(EXIT_DEFECT)


def report(error: EdgeError, *, debug: bool, program: str = "edge-run") -> int:
    """Say what failed and return the exit code. If the reader closed the pipe, nothing is printed."""
    if isinstance(error, ReaderGoneError):
        for stream in (sys.stdout, sys.stderr):
            _let_go(stream)
        return error.exit_code
    if debug:
        traceback.print_exception(error)
    say(str(error), program, level=_ERROR)
    try:
        sys.stdout.flush()
    except OSError:
        _let_go(sys.stdout)
    return error.exit_code


def run_program(make_app: Callable[[], Callable[..., object]], program: str) -> None:
    """Run a command line as the process's only business.

    Args:
        make_app: returns the app. Its slow imports belong in here, so that Ctrl-C works while they run.
        program: name of the program.
    """
    with door(debug=False, program=program):
        stop_before_the_run()
        usable_streams()
        app = make_app()
        try:
            app(prog_name=program)
        except OSError as error:  # commands enter a door of their own: this error came from printing help
            raise OutputError(f"stdout: cannot be written: {error.strerror}") from error


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[threading.Event]:
    """While inside, the first Ctrl-C, SIGTERM or SIGHUP calls ``stop`` and sets the event; a second one quits at once.

    No exception is raised in the running code, so that no line is left half written.
    """
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    asked = False

    def heard(_signum: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:  # not the event: setting it takes a lock, and this may have interrupted just that
            if sys.stderr.isatty():
                os.write(2, _SHOW_CURSOR)
            os._exit(EXIT_INTERRUPTED)
        asked = True
        stopped.set()
        stop()

    before = {number: signal.signal(number, heard) for number in _signals()}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def quiet_native_stderr() -> Iterator[None]:
    """Silence what C++ code writes to file descriptor 2 (the runtime's greeting). Use it only before threads start."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
