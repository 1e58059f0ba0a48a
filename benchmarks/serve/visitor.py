"""A browser without a window: opens the page, reads status and pictures, presses buttons."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, RemoteDisconnected
from typing import Any, Final, Self

from benchmarks.errors import CaseError
from benchmarks.serve.running import token_in

_PATIENCE_S: Final = 15.0  # seconds that an answer may take


class Visitor:
    """A session on the page at this port of the loopback; use it from one thread, as a context manager.

    Args:
        port: of the page.
        headers: of another visitor, whose session is used too; None: one of its own.
    """

    def __init__(self, port: int, headers: dict[str, str] | None = None) -> None:
        self.host = f"127.0.0.1:{port}"
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
        self.headers = headers or {}
        self.csrf = ""
        if self.headers:
            return
        status, page, told = self.ask("GET", "/")
        if status != 200:
            raise CaseError(f"the page answers {status}")
        self.headers = {"Cookie": told["set-cookie"].partition(";")[0]}
        self.csrf = token_in(page.decode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Send a request; returns status, body, and headers by lower-case name."""
        try:
            self._connection.request(method, target, body, {**self.headers, **(headers or {})})
            answer = self._connection.getresponse()
        except (
            RemoteDisconnected,
            BrokenPipeError,
            ConnectionResetError,
        ):  # it was idle for too long; a browser asks again too
            self._connection.close()
            self._connection.request(method, target, body, {**self.headers, **(headers or {})})
            answer = self._connection.getresponse()
        told = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, answer.read(), told

    def status(self) -> dict[str, Any]:
        """What the page shows."""
        found: dict[str, Any] = json.loads(self.ask("GET", "/api/status")[1])
        return found

    def order(self, values: Mapping[str, object], **headers: str) -> int:
        """Press a button; returns the status. ``headers`` replace those that a page sends, with ``_`` for ``-``."""
        sent = {
            "Content-Type": "application/json",
            "X-CSRF-Token": self.csrf,
            "Origin": f"http://{self.host}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.ask("POST", "/api/command", json.dumps(values).encode(), sent)[0]


@dataclass
class Watching:
    """A page that is open: follows status and pictures in threads, as the script of the live page does, until it is closed.

    Attributes:
        frames: pictures that came; ``events``: statuses.
    """

    port: int
    frames: int = 0
    events: int = 0
    failures: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        with Visitor(self.port) as visitor:
            headers = visitor.headers
        for follow in (self._pictures, self._statuses):
            thread = threading.Thread(target=self._as_long_as_it_goes, args=(follow, headers), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(_PATIENCE_S)

    def _as_long_as_it_goes(self, follow: Callable[[dict[str, str]], None], headers: dict[str, str]) -> None:
        try:
            follow(headers)
        except (OSError, HTTPException):
            self.failures += 1

    def _pictures(self, headers: dict[str, str]) -> None:
        number = -1
        with Visitor(self.port, headers) as visitor:
            while not self._ended.is_set():
                status, _, told = visitor.ask("GET", f"/api/preview?after={number}")
                if status == 200:
                    number, self.frames = int(told["x-frame"]), self.frames + 1
                elif status != 204:
                    self.failures += 1
                    time.sleep(0.2)

    def _statuses(self, headers: dict[str, str]) -> None:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_S)) as connection:
            connection.request("GET", "/api/events", headers=headers)
            answer = connection.getresponse()
            while not self._ended.is_set() and (line := answer.readline()):
                self.events += line.startswith(b"data:")
