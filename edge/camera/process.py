"""The camera process as the one that looks after it sees it: started, listened to, ended in every case."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

from edge.camera import messages
from edge.camera.memory import FrameRing
from edge.camera.previews import PreviewMemory
from edge.camera.records import CameraSpec

_SAID_BYTES = 2048  # of what the process said last on stderr
_LINE = 200  # characters of its last line that are shown
_KILL_S = 2.0  # seconds for which a killed process is waited for: one that waits within the kernel stays
_KILLED = -9  # exit code of a process that was killed

_stuck: list[subprocess.Popen[bytes]] = []
"""Killed processes that wait within the kernel for a driver; they end when that lets go of them."""


class CameraProcess:
    """One run of ``edge.camera.child``.

    Args:
        spec: the camera to open.
        first: number of its first frame.
        model: of the camera that it must be; empty: any.
        previews: where previews go.
        faults: whether it can be told to misbehave.

    Attributes:
        end: this side's end of the socket pair; it never blocks.
        stderr: descriptor of what it says, -1: it has closed it.
        ring: its frames, once the camera is open.

    Raises:
        OSError: no process can be started.
    """

    def __init__(self, spec: CameraSpec, first: int, model: str, previews: PreviewMemory, *, faults: bool) -> None:
        self.end, theirs = messages.pair()
        with theirs:
            command = [sys.executable, "-m", "edge.camera.child", "--socket", str(theirs.fileno()), "--parent"]
            try:
                self._process = subprocess.Popen(  # noqa: S603 - this very Python
                    [*command, str(os.getpid())],
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    start_new_session=True,  # a terminal's Ctrl-C is not for it
                    env={"OPENCV_LOG_LEVEL": "SILENT", **os.environ},
                )
            except BaseException:
                self.end.close()
                raise
        self.ring: FrameRing | None = None
        self._said = b""
        self.stderr = self._process.stderr.fileno() if self._process.stderr is not None else -1
        os.set_blocking(self.stderr, False)
        self.end.setblocking(False)
        opening = {"spec": messages.spec_as_json(spec), "first": first, "model": model, "faults": faults}
        messages.send(self.end, "open", (previews.descriptor,), **opening)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    @property
    def listened(self) -> list[int]:
        """Descriptors on which something may come."""
        return [self.end.fileno(), *([self.stderr] if self.stderr >= 0 else [])]

    def read_said(self) -> None:
        """Keep the last of what it said on stderr, so that it never waits for a reader."""
        if self.stderr < 0:
            return
        with contextlib.suppress(BlockingIOError):
            said = os.read(self.stderr, 1 << 16)
            self._said = (self._said + said)[-_SAID_BYTES:]
            if not said:
                self.stderr = -1

    @property
    def last_words(self) -> str:
        """The last line that it said."""
        lines = [line.strip() for line in self._said.decode(errors="replace").splitlines() if line.strip()]
        return lines[-1][:_LINE] if lines else ""

    def end_it(self, patience: float) -> int:
        """Wait so long for it to end, then kill it; returns its exit code. One that cannot be killed is left to the kernel."""
        try:
            code = self._process.wait(patience)
        except subprocess.TimeoutExpired:
            code = self._killed()
        self.read_said()
        self.end.close()
        if self._process.stderr is not None:
            self._process.stderr.close()
        return code

    def _killed(self) -> int:
        self._process.kill()
        try:
            return self._process.wait(_KILL_S)
        except subprocess.TimeoutExpired:
            _stuck.append(self._process)
            return _KILLED
        finally:
            _stuck[:] = [one for one in _stuck if one.poll() is None]
