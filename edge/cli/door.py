"""The command line's door: every known failure leaves as one plain line and an exit code; Ctrl-C is heard at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from edge.errors import EXIT_DEFECT, EXIT_INTERRUPTED, EdgeError

_SHOW_CURSOR = b"\x1b[?25h\n"


def say(message: str) -> None:
    """One plain line on stderr."""
    line = "".join(c if c.isprintable() else " " for c in message)
    sys.stderr.write(f"edge-run: {line}\n")
    sys.stderr.flush()


@contextmanager
def door(*, debug: bool) -> Iterator[None]:
    """Turn what goes wrong inside into one line on stderr and an exit code; ``debug`` shows the traceback as well."""
    try:
        yield
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(EXIT_INTERRUPTED)
    except EdgeError as error:
        sys.exit(report(error, debug=debug))
    except Exception as error:  # noqa: BLE001 - the last resort: a user shall not face a traceback unasked
        if debug:
            traceback.print_exc()
        say(f"a defect of this program: {type(error).__name__}: {error} (--debug shows where)")
        sys.exit(EXIT_DEFECT)


def report(error: EdgeError, *, debug: bool) -> int:
    """Say what failed and return the exit code. A reader that has gone is no news to anybody."""
    from edge.outputs.files import ReaderGoneError  # noqa: PLC0415 - brings NumPy, which --help can do without

    if isinstance(error, ReaderGoneError):
        # What is still in the buffers has nowhere to go, and Python would complain about it at exit.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        return error.exit_code
    if debug:
        traceback.print_exception(error)
    say(str(error))
    return error.exit_code


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[threading.Event]:
    """While inside, the first Ctrl-C or SIGTERM calls ``stop`` and sets the event handed out; a second one quits at once.

    Nothing is raised into the running code, so no line is ever half written.
    """
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def heard(_signum: int, _frame: FrameType | None) -> None:
        if stopped.is_set():
            if sys.stderr.isatty():
                os.write(2, _SHOW_CURSOR)
            os._exit(EXIT_INTERRUPTED)
        stopped.set()
        stop()

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
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
