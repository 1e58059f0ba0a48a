"""The page's end of the link to the process that counts: that process is started here, and ends with this one.

It ends with this one whatever happens: it holds one end of a socket pair, and when this process dies the other end closes.
"""

from __future__ import annotations

import itertools
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from edge.camera.previews import PreviewReader
from edge.camera.records import CameraState, Preview
from edge.control.board import StatusBoard
from edge.control.codec import MOST_BYTES, Answer, Order, PreviewsAt, SameField, order_line, told_from
from edge.control.records import Command, CommandRefusedError, Quit
from edge.status import RunEnd, RunState, Status

ENGINE = (sys.executable, "-m", "edge", "engine")
"""The program that counts; the link's number and its options follow."""

ANSWER_S = 2.0
"""Seconds in which an order is answered."""

_END_S = 10.0  # seconds that the engine may take to complete what it counts


class EngineLink:
    """An ``edge.control.records.Engine``: starts the process and speaks to it.

    Args:
        argv: the engine's options, as ``edge-run`` takes them.
        program: what is started instead of this program's engine.
    """

    def __init__(self, argv: Sequence[str] = (), program: Sequence[str] = ENGINE) -> None:
        self._board = StatusBoard("camera")
        self._numbers = itertools.count()
        self._answers: dict[int, queue.SimpleQueue[str]] = {}
        self._sending = threading.Lock()
        self._looking = threading.Lock()
        self._memory = self._reads = ""
        self._previews: PreviewReader | None = None
        self._closing = False
        self._link, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                [*program, "--link", str(number), *argv], stdin=subprocess.DEVNULL, pass_fds=[number]
            )
        self._reader = threading.Thread(target=self._read, name="edge-engine-link", daemon=True)
        self._reader.start()

    @property
    def status(self) -> Status:
        """The newest snapshot. Never waits."""
        return self._board.status

    def wait(self, after: int, timeout: float) -> Status:
        """The newest snapshot once its version is above ``after``, or the newest there is when ``timeout`` seconds are over."""
        return self._board.wait(after, timeout)

    @property
    def alive(self) -> bool:
        """Whether the process that counts runs; where not, ``status.failure`` says so."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """What the process ended with, minus the signal that killed it; None: it runs."""
        return self._process.poll()

    @property
    def pid(self) -> int:
        """Of the process that counts."""
        return self._process.pid

    def preview(self, *, after: int = -1) -> Preview | None:
        """The newest preview whose number is above ``after``; None: there is none. Never waits."""
        with self._looking:
            name, reader = self._memory, self._previews
            if name and (reader is None or self._reads != name):
                with suppress(OSError):
                    reader, self._reads = PreviewReader(name), name
                self._previews = reader
        return None if reader is None else reader.read(after)

    def send(self, command: Command) -> None:
        """Tell the run something; returns once it was taken. Raises CommandRefusedError with the reason."""
        number = next(self._numbers)
        try:
            line = order_line(Order(number, command))
        except ValueError as error:
            raise CommandRefusedError(str(error)) from error
        answer: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._answers[number] = answer
        try:
            with self._sending:
                self._link.sendall(line)
            refused = answer.get(timeout=ANSWER_S)
        except OSError as error:
            raise CommandRefusedError(self.status.failure or "the process that counts has ended") from error
        except queue.Empty:
            raise CommandRefusedError(
                self.status.failure or f"the run does not answer within {ANSWER_S:g} s; try again"
            ) from None
        finally:
            self._answers.pop(number, None)
        if refused:
            raise CommandRefusedError(refused)

    def close(self) -> None:
        """Send ``Quit``, wait for the process to end (it completes what it counts), and kill it after ten seconds."""
        if not self._closing:
            self._closing = True
            with suppress(CommandRefusedError):
                self.send(Quit())
        with suppress(OSError):
            self._link.shutdown(socket.SHUT_WR)
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(_END_S)
        self._link.close()

    def _read(self) -> None:
        why = ""
        with suppress(OSError), self._link.makefile("rb") as lines:
            while line := lines.readline(MOST_BYTES + 1):
                try:
                    told = told_from(line)
                except ValueError as error:
                    why = f"the process that counts said what makes no sense: {error}"
                    self._process.kill()
                    break
                if isinstance(told, Status):
                    self._board.put(told)
                elif isinstance(told, SameField):
                    self._board.put(replace(told.status, last=self.status.last))
                elif isinstance(told, Answer):
                    if (answer := self._answers.get(told.number)) is not None:
                        answer.put(told.refused)
                elif isinstance(told, PreviewsAt):
                    self._memory = told.memory
        code = self._process.wait()
        self._board.put(_after_the_end(self.status, why or _died(code), closing=self._closing))


def _died(code: int) -> str:
    how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    return f"the process that counts has ended ({how}); what was shown as counted is in the book"


def _after_the_end(last: Status, why: str, *, closing: bool) -> Status:
    """The snapshot of a run whose process is gone; one that had said why itself keeps its words."""
    under_way = last.sample is not None and last.ended is None
    return replace(
        last,
        version=last.version + 1,
        state=RunState.IDLE,
        camera=replace(last.camera, state=CameraState.CLOSED, fps=0.0),
        ended=RunEnd.INTERRUPTED if under_way else last.ended,
        set_up=None if last.setting_up else last.set_up,
        failure=last.failure if closing or last.failure else why,
    )
