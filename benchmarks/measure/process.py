"""The parent's end of ``benchmarks.measure.child``: start it, exchange JSON lines, notice when it has died, hangs or must stop."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from benchmarks.errors import CaseError

SETUP_S = 600.0
"""A set-up or round that takes this much longer than asked for is given up."""

_POLL_S = 0.2
"""How often a waiting parent asks whether it must stop."""

_TAIL = 4000
"""Bytes of a dead child's stderr in which its last words are looked for."""


class MeasurementStoppedError(Exception):
    """The run was stopped while a child was at work. What the child was doing is lost; what was measured before is kept."""


class Child:
    """One child process. Use as a context manager, or ``close`` it.

    Args:
        stopped: asked a few times a second while waiting; True gives up at once.
    """

    def __init__(self, stopped: Callable[[], bool] = lambda: False) -> None:
        self._stopped = stopped
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "benchmarks.measure.child"],  # -P: a folder of that name here is not ours
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
            start_new_session=True,  # the terminal's Ctrl-C is for us alone
        )
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def ask(self, message: dict[str, Any], seconds: float = 0.0) -> dict[str, Any]:
        """Send a request and wait for its answer, which may take ``seconds`` and SETUP_S.

        Raises:
            CaseError: the child failed, died or hangs; one line says how.
            MeasurementStoppedError: ``stopped`` said so.
        """
        stdin = self._process.stdin
        try:
            if stdin is not None:
                stdin.write(json.dumps(message).encode() + b"\n")
            line = self._line(time.monotonic() + seconds + SETUP_S)
        except (BrokenPipeError, EOFError):
            raise CaseError(self._last_words()) from None
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise CaseError(answer["failed"])
        return answer

    def close(self) -> None:
        """End the process and wait for it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(timeout=0.5 if self._stopped() else 5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _line(self, until: float) -> bytes:
        stdout = self._process.stdout
        if stdout is None:
            raise EOFError
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if self._stopped():
                    raise MeasurementStoppedError
                if time.monotonic() > until:
                    raise CaseError(f"gave no answer within {SETUP_S:.0f} s more than it was given")
                if selector.select(_POLL_S):
                    block = os.read(stdout.fileno(), 1 << 20)
                    if not block:
                        raise EOFError
                    self._buffer += block
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _last_words(self) -> str:
        code = self._process.wait()
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - _TAIL))
        said = [text for text in self._log.read().decode(errors="replace").splitlines() if text.strip()]
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"its process ended with {how}" + (f": {said[-1].strip()[:200]}" if said and code > 0 else "")
