"""The command line's door: every known failure leaves as one plain line and an exit code; Ctrl-C is heard at once."""

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

from edge.errors import EXIT_DEFECT, EXIT_INTERRUPTED, EdgeError

_SHOW_CURSOR = b"\x1b[?25h\n"


class StoppedError(SystemExit):
    """Ctrl-C while nothing is being counted; may say what that means for what was being made.

    Not a KeyboardInterrupt: typer and Python's own exit handle that differently.
    """


def say(message: str, program: str = "edge-run") -> None:
    """One plain line on stderr, if there is anybody to read it."""
    line = f"{program}: {plain(message)}"
    try:
        if sys.stderr.isatty():  # broken between words, where the terminal would break within them
            from edge.lines import columns, folded  # noqa: PLC0415 - which needs this module

            line = "\n".join(folded(line, columns(sys.stderr)))
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
    except OSError:
        _let_go(sys.stderr)


def plain(text: str) -> str:
    """Text that is one line and cannot move the cursor."""
    return "".join(c if c.isprintable() else " " for c in text)


def _let_go(stream: TextIO) -> None:
    """Send what is still in a broken stream's buffers nowhere, for Python would fail on it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def usable_streams() -> None:
    """Make stdin, stdout and stderr exist, and take any text.

    A closed one's number would go to the next file that is opened, and what native libraries say would land in it. A file
    name that the terminal's encoding lacks must not end a run.
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
    """What ends a run: Ctrl-C, SIGTERM, and a lost terminal unless the run was started to outlive it (nohup)."""
    ends = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    return [number for number in ends if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]


def stop_before_the_run() -> None:
    """From now on Ctrl-C, SIGTERM and SIGHUP raise StoppedError, until ``stop_on_signals`` takes over."""

    def heard(_signum: int, _frame: FrameType | None) -> None:
        raise StoppedError

    for number in _signals():
        signal.signal(number, heard)


@contextmanager
def door(*, debug: bool, program: str = "edge-run", lost: str = "") -> Iterator[None]:
    """Turn what goes wrong inside into one line on stderr and an exit code.

    Args:
        debug: show the traceback as well.
        program: what the line begins with.
        lost: what Ctrl-C means for what was being made.
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
            raise  # the parser's: the command line is wrong, and ``edge.cli.usage`` says so
        if debug:
            traceback.print_exc()
        say(f"a defect of this program: {type(error).__name__}: {error} (--debug shows where)", program)
        sys.exit(EXIT_DEFECT)


def report(error: EdgeError, *, debug: bool, program: str = "edge-run") -> int:
    """Say what failed and return the exit code. A reader that has gone is no news to anybody."""
    from edge.streams import ReaderGoneError  # noqa: PLC0415 - brings NumPy, which --help can do without

    if isinstance(error, ReaderGoneError):
        for stream in (sys.stdout, sys.stderr):
            _let_go(stream)
        return error.exit_code
    if debug:
        traceback.print_exception(error)
    say(str(error), program)
    try:
        sys.stdout.flush()
    except OSError:
        _let_go(sys.stdout)
    return error.exit_code


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[threading.Event]:
    """While inside, the first Ctrl-C, SIGTERM or SIGHUP calls ``stop`` and sets the event handed out; a second one quits at once.

    Nothing is raised into the running code, so no line is ever half written.
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
    """Silence what C++ code writes straight to file descriptor 2 (the runtime's greeting). Only before threads start."""
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
