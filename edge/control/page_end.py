"""The engine's end of the link to the page: orders come in and are answered, the newest snapshot goes out.

A page that does not read cannot hold up the count: snapshots are sent by a thread of their own, and only the newest one. A page
that has gone (its end is closed, however it ended) is told to the engine, which then ends as well.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from edge.control.board import StatusBoard
from edge.control.codec import MOST_ORDER_BYTES, Answer, PreviewsAt, SameField, Told, order_from, told_line
from edge.control.records import Command, CommandRefusedError
from edge.status import LastField

_LEAST_APART_S = 0.05  # seconds between two snapshots
_LOOK_AGAIN_S = 0.5  # seconds after which it is looked whether the link is closed


class PageEnd:
    """Serves one page until it goes, or until ``close``.

    Args:
        link: one end of a socket pair; it is closed with this.
        board: whose snapshots are sent.
        order: takes a command; raises CommandRefusedError.
        gone: called once when the page has gone.
        previews: name of the shared memory with the newest preview.
    """

    def __init__(
        self,
        link: socket.socket,
        board: StatusBoard,
        order: Callable[[Command], None],
        gone: Callable[[], None],
        previews: Callable[[], str],
    ) -> None:
        self._link = link
        self._board = board
        self._order = order
        self._gone = gone
        self._previews = previews
        self._sending = threading.Lock()
        self._closed = threading.Event()
        self._threads = [
            threading.Thread(target=target, name=f"edge-page-{name}", daemon=True)
            for name, target in (("orders", self._take_orders), ("told", self._tell))
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Send the last snapshot and close the link."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._link.settimeout(_LOOK_AGAIN_S)
        with suppress(OSError, ValueError):
            self._send(self._board.status)
        with suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(_LOOK_AGAIN_S * 2)
        self._link.close()

    def _take_orders(self) -> None:
        with suppress(OSError), self._link.makefile("rb") as lines:
            while line := lines.readline(MOST_ORDER_BYTES + 1):
                try:
                    order = order_from(line)
                except ValueError:  # whoever sends that is no page of ours
                    break
                refused = ""
                try:
                    self._order(order.command)
                except CommandRefusedError as error:
                    refused = str(error)
                self._send(Answer(order.number, refused))
        if not self._closed.is_set():
            self._gone()

    def _tell(self) -> None:
        version, memory = -1, ""
        last: LastField | None = None
        with suppress(OSError):
            while not self._closed.wait(_LEAST_APART_S):
                if memory != (memory := self._previews()):
                    self._send(PreviewsAt(memory))
                status = self._board.wait(version, _LOOK_AGAIN_S)
                if status.version > version:
                    version = status.version
                    same = status.last is not None and status.last is last
                    last = status.last
                    self._send(SameField(replace(status, last=None)) if same else status)

    def _send(self, told: Told) -> None:
        line = told_line(told)
        with self._sending:
            self._link.sendall(line)
